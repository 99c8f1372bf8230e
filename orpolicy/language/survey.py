"""What is wrong with a project as a whole: its files, its policies among themselves, and what nothing uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Diagnostic
from orpolicy.language.files import PROJECT_FILE
from orpolicy.language.policy import Scope, meet
from orpolicy.language.reading import SHELF
from orpolicy.language.reports import NOWHERE, name_environments, report_emptiness
from orpolicy.language.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orpolicy.language.policy import Policy, PolicyFile, Statement
    from orpolicy.language.workspace import Workspace


def diagnose_project(workspace: Workspace, names: Iterable[str]) -> Iterator[Diagnostic]:
    """Report what is wrong with the project file and with policies, contradictions among them included."""
    yield from workspace.project.diagnostics
    where = (None, *sorted(workspace.governance.environments))
    unscoped = meet(*(file.policy for file in workspace.policy_values if file.scope == Scope()))
    governing = {(env, workspace.governance.find(name, env)) for name in names for env in where}
    yield from diagnose_policies(workspace, {(None, unscoped), *governing})


def diagnose_policies(
    workspace: Workspace, combined: Iterable[tuple[str | None, Policy]]
) -> Iterator[Diagnostic]:
    """Report what is wrong with policy files, and what together, in an environment, leaves nothing."""
    for loaded in workspace.policies:
        yield from loaded.diagnostics
    found: dict[tuple[str, tuple[Statement, ...]], list[str | None]] = {}
    for environment, policy in sorted(combined, key=lambda pair: pair[0] or ""):
        for empty in policy.contradictions:
            found.setdefault(empty, []).append(environment)
    for (nothing, statements), where in found.items():
        smaller = (other for what, other in found if what == nothing)
        if not any(set(other) < set(statements) for other in smaller):
            yield name_environments(report_emptiness(nothing, statements), where)


def find_emptiness(workspace: Workspace) -> Iterator[Diagnostic]:
    """Report a project without presets: most likely the folder is misnamed."""
    if workspace.preset_files:
        return
    document = workspace.settings.document
    place = NOWHERE if document is None else document.locate(("presets",))
    message = f"there is no preset below '{workspace.settings.presets}/'"
    hint = "'presets' names the folder that holds them"
    yield Diagnostic("empty-project", RULES["empty-project"].severity, message, place, hint)


def find_unused_policies(workspace: Workspace, names: Sequence[str]) -> Iterator[Diagnostic]:
    """Report policies that govern no preset: nothing matches them, or they lie on the shelf and nobody adopts them.

    ``names`` are all presets but the mixins.
    """
    where = (None, *sorted(workspace.governance.environments))
    for file in workspace.policy_values:
        if not any(file.scope.covers(name, env) for name in names for env in where):
            hint = "correct 'applies_to', or move the file above the presets it should govern"
            yield _report_unused("this policy governs no preset", file, hint)
    for name, loaded in workspace.unadopted.items():
        yield from loaded.diagnostics
        if loaded.value is not None:
            hint = f"adopt it in {PROJECT_FILE}: 'policies: [{name}]'; or move the file out of '{SHELF}'"
            yield _report_unused("this policy lies on the shelf and governs no preset", loaded.value, hint)


def _report_unused(message: str, file: PolicyFile, hint: str) -> Diagnostic:
    place = file.document.locate(("applies_to",), "key")
    return Diagnostic("policy-unused", RULES["policy-unused"].severity, message, place, hint)


def diagnose_files(
    workspace: Workspace, names: Iterable[str], seen: set[str] | None = None
) -> Iterator[Diagnostic]:
    """Report what is wrong with the files of presets and of all they extend, but for those ``seen`` before."""
    seen = set() if seen is None else seen
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
