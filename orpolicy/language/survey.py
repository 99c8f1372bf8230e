"""What is wrong with a project as a whole: its files, its policies among themselves, and what nothing uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Diagnostic
from orpolicy.language.policy import Scope, find_contradictions, meet
from orpolicy.language.reports import NOWHERE, report_emptiness
from orpolicy.language.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orpolicy.language.workspace import Workspace


def diagnose_project(workspace: Workspace, names: Iterable[str]) -> Iterator[Diagnostic]:
    """Report what is wrong with the project file and with policies, contradictions among them included."""
    yield from workspace.project.diagnostics
    for loaded in workspace.policies:
        yield from loaded.diagnostics
    files = [loaded.value for loaded in workspace.policies if loaded.value is not None]
    where = (None, *sorted(workspace.policy_environments))
    unscoped = meet(*(file.policy for file in files if file.scope == Scope()))
    governing = {workspace.find_policy(name, environment) for name in names for environment in where}
    for policy in {unscoped, *governing}:
        for nothing, statements in find_contradictions(policy):
            yield report_emptiness(nothing, statements)


def find_emptiness(workspace: Workspace) -> Iterator[Diagnostic]:
    """Report a project without presets: most likely the folder is misnamed."""
    if workspace.preset_files:
        return
    document = workspace.settings.document
    place = NOWHERE if document is None else document.locate(("presets",))
    message = f"there is no preset below '{workspace.settings.presets}/'"
    hint = "'presets' names the folder that holds them"
    yield Diagnostic("empty-project", RULES["empty-project"].severity, message, place, hint)


def find_unused_policies(workspace: Workspace) -> Iterator[Diagnostic]:
    """Report policies that govern no preset."""
    names = workspace.preset_files
    where = (None, *sorted(workspace.policy_environments))
    for loaded in workspace.policies:
        file = loaded.value
        if file is not None and not any(file.scope.covers(name, env) for name in names for env in where):
            place = file.document.locate(("applies_to",), "key")
            hint = "correct 'applies_to', or move the file above the presets it should govern"
            yield Diagnostic(
                "policy-unused",
                RULES["policy-unused"].severity,
                "this policy governs no preset",
                place,
                hint,
            )


def diagnose_files(workspace: Workspace, names: Iterable[str]) -> Iterator[Diagnostic]:
    """Report what is wrong with the files of presets and of all they extend."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        loaded = workspace.find_loaded(name)
        if loaded is None:
            continue
        yield from loaded.diagnostics
        if loaded.value is not None:
            waiting.extend(loaded.value.extends)
