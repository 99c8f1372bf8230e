"""``orpolicy lock``: write down what every preset comes to, and what that rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orpolicy.cli.arguments import project_option
from orpolicy.cli.failures import FINDINGS, say
from orpolicy.cli.output import show_findings
from orpolicy.cli.render import count
from orpolicy.cli.targets import Selection
from orpolicy.errors import UsageError
from orpolicy.language.diagnostics import Report
from orpolicy.language.rules import RULES
from orpolicy.locked import LOCK_FILE, parse_lock
from orpolicy.project import load
from orpolicy.review.lock import draft_lock
from orpolicy.review.lock_check import check_lock
from orpolicy.review.lock_file import store_lock

if TYPE_CHECKING:
    from orpolicy.project import Project

EXAMPLES = """\b
Examples:
  orpolicy lock              write orpolicy.lock, to be reviewed and committed
  orpolicy lock --check      is it current? exits 1 where it is not, and writes nothing
  orpolicy check --locked    the same question, among all others
"""


@click.command(epilog=EXAMPLES)
@project_option
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; exit 1 where the lock is not current."
)
def command(project_folder: str | None, only_check: bool) -> int:
    """Write orpolicy.lock: every compiled preset in every environment, the policies in force, and catalogue facts.

    The file lies at the project's root. It changes where a call would change, or what it rests on, and nowhere else; a
    program can load it in place of the project. A project with errors is not locked: they are shown, and the old lock
    stays.
    """
    project = load(project_folder)
    selection = Selection(project, None)
    report = _report_errors(project, only_check=only_check)
    if report.diagnostics:
        show_findings(selection, report)
        say(f"{LOCK_FILE} is not current" if only_check else f"{LOCK_FILE} was not written")
        return FINDINGS
    if only_check:
        say(f"{LOCK_FILE} is current")
        return 0
    text = draft_lock(project).text
    if project.root is None:
        raise UsageError("there is no project here to lock; 'orpolicy init' writes one")
    changed = store_lock(project.root, text)
    say(f"{LOCK_FILE} {'written' if changed else 'is current'}: {_describe(text)}")
    return 0


def _report_errors(project: Project, *, only_check: bool) -> Report:
    """Find what keeps a project from being locked, or its lock from being current; the catalogue's advice does neither."""
    errors = [found for found in project.check().errors if RULES[found.code].family not in _BESIDE]
    return Report((*errors, *(check_lock(project) if only_check else ())))


_BESIDE = ("catalogue", "scenarios")
"""Families of rules whose findings change nothing about what is sent."""


def _describe(text: str) -> str:
    lock = parse_lock(text.encode())
    facts = lock.catalog
    parts = [count(len(lock.names), "preset"), f"{len(lock.entries)} compiled"]
    if facts is not None:
        parts += [count(len(facts.models), "model"), count(len(facts.endpoints), "endpoint")]
    return ", ".join(parts)
