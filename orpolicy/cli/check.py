"""``orpolicy check``: report every finding in presets, in all environments, at once."""

from __future__ import annotations

import gc
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from orpolicy.cli.arguments import PRESET, environment_option, project_option
from orpolicy.cli.failures import say
from orpolicy.cli.output import Output, takes_output
from orpolicy.cli.render import count, summarise
from orpolicy.cli.targets import find_source, select
from orpolicy.errors import CatalogError, UsageError
from orpolicy.language.diagnostics import Report
from orpolicy.processes import count_processors

if TYPE_CHECKING:
    from orpolicy.cli.targets import Selection

EXAMPLES = """\b
Examples:
  orpolicy check                              the project around the working directory
  orpolicy check support/triage -e prod       one preset, in one environment
  orpolicy check presets/support /tmp/a.yaml  a folder, and a file outside any project
  orpolicy check - < draft.yaml               a draft, before it is saved
  orpolicy check --locked                     and is orpolicy.lock current?
  orpolicy check --output-format github --output-format json=findings.json
"""


@click.command(epilog=EXAMPLES)
@click.argument("targets", nargs=-1, type=PRESET, metavar="[NAME|FILE|FOLDER|-]...")
@environment_option
@project_option
@click.option("--locked", is_flag=True, help="Report as well where orpolicy.lock is not current.")
@takes_output
def command(
    targets: tuple[str, ...],
    environment: str | None,
    project_folder: str | None,
    locked: bool,
    output: Output,
) -> int:
    """Report every mistake in presets: in YAML, keys, values, composition, and what they mean together.

    Without arguments the whole project is checked, in all its environments. Exits 1 if there is an error; warnings
    alone exit 0.
    """
    selections = select(targets, project_folder)
    gc.disable()  # thousands of documents are looked through again and again, and hold no circles
    reports = [one.relocate(_check(one, environment)) for one in selections]
    if locked:
        reports += [one.relocate(_check_lock(one)) for one in selections]
    report = Report(tuple(found for one in reports for found in one))

    code = output.write(
        report, partial(find_source, selections), lambda: [file for one in selections for file in one.files]
    )
    presets = sum(len(one.chosen) for one in selections)
    suites = sum(len(one.chosen_suites) for one in selections)
    scenarios = f" and {count(suites, 'scenario file')}" if suites else ""
    say(f"{count(presets, 'preset')}{scenarios} checked: {summarise(report)}")
    if report.diagnostics:
        say(f"'orpolicy rule {report.diagnostics[0].code}' explains the first of them")
    return code


def _check(selection: Selection, environment: str | None) -> Report:
    return selection.project.check(
        selection.names, environment, suites=selection.suites, processes=count_processors()
    )


def _check_lock(selection: Selection) -> Report:
    """Report where the lock of a project is not current.

    Raises:
        UsageError: files outside any project have no lock.
    """
    from orpolicy.review.lock_check import check_lock  # noqa: PLC0415 - most checks are not about locks

    if selection.project.root is None:
        raise UsageError("--locked is about a project, and a file outside any has no lock")
    with suppress(CatalogError):  # the check has reported it
        return Report(tuple(check_lock(selection.project, selection.names)))
    return Report()
