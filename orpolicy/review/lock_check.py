"""Is a lock current? One finding for every preset and environment of which it holds something else, at the preset's file.

====================  ==========================================================================
part                  what differs
====================  ==========================================================================
the request           body, system prompt, headers, base URL, ceiling
the policy            which policies govern, and what they demand
overrides             what calls with overrides are held to: composition, severities, comments
the catalogue         models, prices, limits and the rest of what it rests on
====================  ==========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from orpolicy.errors import LockError
from orpolicy.language.files import PROJECT_FILE, report_file
from orpolicy.locked import AGAIN, LOCK_FILE, Lock, parse_lock
from orpolicy.review.lock import draft_lock
from orpolicy.review.lock_facts import Resting, collect_facts, list_globs
from orpolicy.review.lock_file import find_lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.language.diagnostics import Diagnostic
    from orpolicy.project import Project
    from orpolicy.review.effects import Key
    from orpolicy.review.lock import Draft

HINT = "write the lock again and review what changed in it: 'orpolicy lock'"
REQUEST = ("body", "system", "headers", "base_url", "max_cost")
OVERRIDES = ("composed", "silenced")


def check_lock(project: Project, names: Sequence[str] | None = None) -> Iterator[Diagnostic]:
    """Report where the lock of a project is not current; of some presets only, where they are named.

    What does not compile is left out: its own findings say so.
    """
    draft: Draft | None = None
    try:
        held = find_lock(project)
        if held is not None:
            draft = draft_lock(project)
            if draft.text == held.text:
                return
            held.prove()
    except LockError as error:
        message, _, hint = str(error).partition("; ")
        yield evolve(report_file(LOCK_FILE, "lock-unreadable", message), hint=hint or AGAIN)
        return
    if held is None or draft is None:
        file = LOCK_FILE if project.workspace.settings.document is None else PROJECT_FILE
        missing = report_file(file, "lock-missing", f"there is no '{LOCK_FILE}'")
        yield evolve(missing, hint="'orpolicy lock' writes it; commit it")
        return
    now = parse_lock(draft.text.encode())
    found = list(_compare(project, held, now, draft.broken, names))
    if not found and not draft.broken and names is None:
        found.append(report_file(LOCK_FILE, "lock-outdated", "the lock is not what is written today"))
    yield from (evolve(one, hint=HINT) for one in found)


def _compare(
    project: Project, held: Lock, now: Lock, broken: Mapping[Key, Any], names: Sequence[str] | None
) -> Iterator[Diagnostic]:
    files = project.workspace.preset_files
    for key in sorted({*held.entries, *now.entries}, key=lambda key: (key[0], key[1] or "")):
        name, environment = key
        if key in broken or (names is not None and name not in names):
            continue
        shown = f"'{name}'" if environment is None else f"'{name}' in '{environment}'"
        if key not in now.entries:
            gone = "is no preset any more" if name not in now.names else "has nothing of its own any more"
            message = f"the lock holds {shown}, which {gone}"
        elif key not in held.entries:
            message = f"the lock does not hold {shown}"
        else:
            parts = list(_find_parts(held, now, key))
            if not parts:
                continue
            message = f"the lock holds another {_join(parts)} of {shown}"
        yield report_file(files.get(name, LOCK_FILE), "lock-outdated", message)


def _join(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _find_parts(held: Lock, now: Lock, key: Key) -> Iterator[str]:
    """Name the parts of an entry in which two locks differ."""
    old, new = held.entries[key], now.entries[key]
    if any(old.get(part) != new.get(part) for part in REQUEST):
        yield "request"
    if _read_policies(held, old) != _read_policies(now, new):
        yield "policy"
    if any(old.get(part) != new.get(part) for part in OVERRIDES) or (
        held.members["rules"] != now.members["rules"]
    ):
        yield "treatment of overrides"
    if _read_facts(held, key) != _read_facts(now, key):
        yield "catalogue"


def _read_policies(lock: Lock, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {file: lock.members["policies"].get(file) for file in entry.get("policies", ())}


def _read_facts(lock: Lock, key: Key) -> Any:
    """Read the facts that one entry rests on."""
    if lock.catalog is None:
        return None
    compiled = lock.preset(*key)
    effect = Resting(compiled.body, compiled.region, lock.find_policy(*key), compiled.max_cost is not None)
    facts = collect_facts([effect], lock.catalog)
    names = {name: found.model.id if found.model else None for name, found in facts.names.items()}
    return names, {glob: lock.globs.get(glob) for glob in list_globs(effect)}, facts.catalog.digest
