"""``orpolicy test``: try scenarios, and report every expectation that does not hold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click
from attrs import evolve

from orpolicy.cli.arguments import PRESET, project_option
from orpolicy.cli.failures import say
from orpolicy.cli.output import Output, takes_output
from orpolicy.cli.render import count, summarise
from orpolicy.cli.snapshots import choose_catalog, takes_catalog
from orpolicy.cli.targets import Selection, find_source, select
from orpolicy.errors import UsageError
from orpolicy.language.diagnostics import Report
from orpolicy.language.suites import Suite, load_suite, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from orpolicy.language.diagnostics import Diagnostic
    from orpolicy.review.scenarios import Verdict
    from orpolicy.routing.catalog import Catalog

EXAMPLES = """\b
Examples:
  orpolicy test                                  every scenario of the project
  orpolicy test support/triage                   those about one preset
  orpolicy test presets/support                  those below a folder
  orpolicy test presets/support/triage.test.yaml --output-format junit=scenarios.xml
"""


@click.command(epilog=EXAMPLES)
@click.argument("targets", nargs=-1, type=PRESET, metavar="[NAME|FILE|FOLDER]...")
@project_option
@takes_catalog
@takes_output
def command(
    *,
    targets: tuple[str, ...],
    project_folder: str | None,
    catalog_file: Path | None,
    demo: bool,
    output: Output,
) -> int:
    """Try the scenarios in '*.test.yaml': who may serve a preset, who never may, what it costs at most, what is sent.

    Nothing is sent: answers come from the compiled presets and the snapshot of OpenRouter's catalogue. Exits 1 where an
    expectation does not hold.
    """
    selections = select(targets, project_folder)
    found: list[Diagnostic] = []
    verdicts: list[Verdict] = []
    files: list[str] = []
    for one in selections:
        suites, diagnostics = _read_suites(one)
        tried = _try_all(one, suites, _find_catalog(one, suites, catalog_file, demo=demo))
        diagnostics.extend(diagnostic for verdict in tried for diagnostic in verdict.diagnostics)
        found.extend(one.relocate(Report(tuple(diagnostics))))
        verdicts.extend(tried)
        files.extend(one.reach(suite.file) for suite in suites)
    if not verdicts and not found:
        raise UsageError("there are no scenarios here to try: they stand in '*.test.yaml' beside the presets")

    code = output.write(Report(tuple(found)), partial(find_source, selections), lambda: files)
    say(_summarise(verdicts, found))
    return code


def _read_suites(selection: Selection) -> tuple[list[Suite], list[Diagnostic]]:
    """Read the scenario files that were asked for, and from the others what is about a preset that was."""
    workspace = selection.project.workspace
    chosen, names = selection.chosen_suites, set(selection.names or ())
    suites: list[Suite] = []
    found: list[Diagnostic] = []
    for file in dict.fromkeys((*chosen, *(selection.project.suites if names else ()))):
        loaded = load_suite(workspace, file)
        suite: Suite | None = loaded.value
        if suite is not None and file not in chosen:
            about = tuple(scenario for scenario in suite.scenarios if scenario.preset in names)
            suite = evolve(suite, scenarios=about) if about else None
        if suite is not None:
            suites.append(suite)
        empty = loaded.value is None or not loaded.value.scenarios
        if suite is not None or (empty and (file in chosen or name_of(file, workspace) in names)):
            found.extend(loaded.diagnostics)
    return suites, found


def _find_catalog(
    selection: Selection, suites: Sequence[Suite], file: Path | None, *, demo: bool
) -> Catalog | None:
    """Choose a catalogue if a scenario needs one; where there is none, that is a finding of the scenario."""
    from orpolicy.review.expectations import needs_catalog  # noqa: PLC0415 - after the files were read

    needed = any(needs_catalog(scenario.expect) for suite in suites for scenario in suite.scenarios)
    if needed and (demo or file or selection.project.catalog is not None):
        return choose_catalog(selection.project, file, demo=demo)
    return None


def _try_all(selection: Selection, suites: Sequence[Suite], catalog: Catalog | None) -> list[Verdict]:
    from orpolicy.review.scenarios import run_suites  # noqa: PLC0415 - after the files were read

    return list(run_suites(selection.project, suites, catalog))


def _summarise(verdicts: Sequence[Verdict], found: Sequence[Diagnostic]) -> str:
    if not verdicts:
        return f"no scenario was tried: {summarise(Report(tuple(found)))}"
    passed = sum(verdict.passed for verdict in verdicts)
    return f"{count(len(verdicts), 'scenario')}, {passed} passed, {len(verdicts) - passed} failed"
