"""What changed in effect between two projects: per preset and environment, which way, whom it concerns, and by which line.

.. code-block:: text

    here            there             said
    compiles        compiles          what differs in the request, the policy, the route and the cost
    compiles        not there         removed, or renamed where another name has the same digests
    compiles        does not          broken, with its first findings; fixed the other way round

``compare`` is pure. Its laws, each a property test under its name: comparing a project with itself finds nothing; what is
tightened one way is loosened the other way, change by change; reordering keys or files makes no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve

from orpolicy.review.changes import Cause, Change, Delta, Diff, Side
from orpolicy.review.diff_body import compare_requests
from orpolicy.review.diff_causes import find_causes
from orpolicy.review.diff_links import Tracer
from orpolicy.review.diff_outlets import compare_outlets
from orpolicy.review.diff_policy import compare_policies
from orpolicy.review.diff_reasons import Pair
from orpolicy.review.diff_route import compare_routes
from orpolicy.review.effects import Effect
from orpolicy.routing.prices import plain
from orpolicy.routing.router import requested_models

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from orpolicy.language.diagnostics import Report
    from orpolicy.review.diff_body import Edit
    from orpolicy.review.effects import Effects

State: TypeAlias = "Effect | Report | None"
"""A preset in an environment: what it comes to, why it does not compile, or that it is not there."""

MOST_FINDINGS = 3
"""Findings that are told of a preset which does not compile."""


def compare(
    old: Effects,
    new: Effects,
    *,
    environment: str | None = None,
    presets: Collection[str] | None = None,
) -> Diff:
    """Compare what two projects come to, in all environments or in one, of all presets or of some."""
    renamed = _pair_renamed(old, new)
    gone = set(renamed.values())
    names = [name for name in sorted({*old.names, *new.names}) if name not in gone]
    chosen = [name for name in names if presets is None or {name, renamed.get(name)} & set(presets)]
    variants: dict[str, tuple[str | None, ...]] = {}
    deltas: list[Delta] = []
    tracer = Tracer.between(old.workspace, new.workspace)
    for name in chosen:
        before = renamed.get(name, name)
        variants[name] = _list_variants((old, before), (new, name)) if environment is None else (environment,)
        for variant in variants[name]:
            states = _find_state(old, before, variant), _find_state(new, name, variant)
            found = _compare_states(*states, old, new)
            changes = tuple(_trace(change, states[1], tracer, (before, name)) for change in found)
            if before != name:
                changes = (Change("preset", "renamed", "preset", before, name), *changes)
            if changes:
                deltas.append(Delta(name, variant, changes, before if before != name else None))
    return Diff(
        old.label,
        new.label,
        tuple(deltas),
        _list_missing(new, old, environment),
        _list_missing(old, new, environment),
        variants,
    )


def _list_missing(here: Effects, there: Effects, chosen: str | None) -> tuple[str, ...]:
    """Name the environments, or the chosen one, that only one side knows."""
    missing = sorted(set(here.environments) - set(there.environments))
    return tuple(name for name in missing if chosen in (None, name))


def _pair_renamed(old: Effects, new: Effects) -> dict[str, str]:
    """Map new names to old ones where a preset that went away and one that came send the same in every environment."""
    digests = (_sign(old, set(old.names) - set(new.names)), _sign(new, set(new.names) - set(old.names)))
    renamed: dict[str, str] = {}
    for signature, names in digests[1].items():
        renamed.update(zip(names, digests[0].get(signature, ()), strict=False))
    return renamed


def _sign(effects: Effects, names: Collection[str]) -> dict[tuple[tuple[str, str], ...], list[str]]:
    signed: dict[tuple[tuple[str, str], ...], list[str]] = {}
    broken = {name for name, _ in effects.broken}
    for name in sorted(set(names) - broken):
        found = [(str(key[1]), effect.digest) for key, effect in effects.found.items() if key[0] == name]
        signed.setdefault(tuple(sorted(found)), []).append(name)
    return signed


def _list_variants(*sides: tuple[Effects, str]) -> tuple[str | None, ...]:
    """Name the environments in which a preset may differ on either side: ``None``, for no environment, first."""
    found = {key[1] for side, name in sides for key in (*side.found, *side.broken) if key[0] == name}
    return tuple(sorted(found, key=lambda environment: (environment is not None, environment or "")))


def _find_state(effects: Effects, name: str, environment: str | None) -> State:
    for key in ((name, environment), (name, None)):
        if key in effects.found:
            return effects.found[key]
        if key in effects.broken:
            return effects.broken[key]
    return None


def _compare_states(here: State, there: State, old: Effects, new: Effects) -> Iterator[Change]:
    if isinstance(here, Effect) and isinstance(there, Effect):
        yield from _compare_effects(here, there, old, new)
    elif here is None or there is None:
        if here is not there:
            yield _tell("added" if here is None else "removed", here, there)
    elif isinstance(here, Effect) or isinstance(there, Effect):
        yield _tell("broken" if isinstance(here, Effect) else "fixed", here, there)


def _tell(kind: str, here: State, there: State) -> Change:
    return Change("preset", kind, "preset", _sum_up(here), _sum_up(there))


def _compare_effects(old: Effect, new: Effect, here: Effects, there: Effects) -> Iterator[Change]:
    edits: list[tuple[Edit, tuple[Cause, ...]]] = []
    if old.digest != new.digest:
        edits = [(edit, find_causes(edit, old, new)) for edit in compare_requests(old, new)]
    for edit, causes in edits:
        yield Change(
            "body",
            edit.kind,
            edit.field,
            edit.old,
            edit.new,
            edit.item,
            edit.way,
            edit.concern,
            causes=causes,
        )
    known = [(edit, causes or (Cause("field", text=edit.field),)) for edit, causes in edits]
    pair = Pair(old, new, here.catalog, there.catalog, known)
    yield from compare_outlets(pair) if edits else ()
    yield from compare_policies(old.policy, new.policy)
    if edits or old.reached != new.reached:
        yield from compare_routes(pair)


def _sum_up(state: State) -> Any:
    """Sum up a preset that only one side has, or can compile: what a reviewer asks of a new one first."""
    if state is None:
        return None
    if not isinstance(state, Effect):
        return {"findings": [f"{found.message} [{found.code}]" for found in state.errors[:MOST_FINDINGS]]}
    provider: Mapping[str, Any] = state.body.get("provider") or {}
    reached = state.reached
    worst = None if reached is None else reached.worst.usd
    return {
        "models": list(requested_models(state.body)),
        "endpoints": None if reached is None else len(reached.attempts),
        "perhaps": None if reached is None else len(reached.unknown),
        "worst_case": None if worst is None else plain(worst),
        "zdr": provider.get("zdr") is True,
        "data_collection": provider.get("data_collection", "allow"),
    }


def _trace(change: Change, there: State, tracer: Tracer, names: tuple[str, str]) -> Change:
    """Name the lines that did it; ``names`` are those of the preset on both sides."""
    if there is None or isinstance(there, Effect):
        return evolve(change, causes=tracer.trace(change.causes, *names))
    return evolve(change, causes=tracer.blame(there.errors[:MOST_FINDINGS], names[1]))


def relocate(diff: Diff, places: Mapping[Side, Any]) -> Diff:
    """Name the files of both sides as people reach them; ``places`` holds a function from location to location a side."""

    def move(cause: Cause) -> Cause:
        if cause.side is None or cause.location is None:
            return cause
        return evolve(cause, location=places[cause.side](cause.location))

    deltas = tuple(
        evolve(
            delta,
            changes=tuple(evolve(change, causes=tuple(map(move, change.causes))) for change in delta.changes),
        )
        for delta in diff.deltas
    )
    return evolve(diff, deltas=deltas)
