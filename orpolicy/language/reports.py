"""Findings of the passes that see several files at once, at the places where they have to be corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from orpolicy.language.diagnostics import Diagnostic, Related
from orpolicy.language.rules import RULES
from orpolicy.language.settle import find_vain_removals
from orpolicy.language.source import Position, Source
from orpolicy.language.trees import Unopened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orpolicy.language.layers import PresetSource
    from orpolicy.language.narrowing import Conflict
    from orpolicy.language.policy import Statement
    from orpolicy.language.trees import Branch

NOWHERE = Source("<call>", "").locate(Position(1, 1), Position(1, 1))
"""The place of what stands in no file."""


def report_abstract(preset: PresetSource) -> Diagnostic:
    """Report that a preset is not there to be sent."""
    message = f"'{preset.name}' is abstract: a part of other presets, not one to send"
    place = preset.document.locate(("abstract",))
    hint = "extend it, or drop 'abstract: true'"
    return Diagnostic("abstract-preset", RULES["abstract-preset"].severity, message, place, hint)


def report_conflict(conflict: Conflict) -> Diagnostic:
    """Report a contradiction at the preset's line, with the policy's lines beside it."""
    related = _cite(conflict.statements)
    severity = RULES[conflict.code].severity
    return Diagnostic(
        conflict.code, severity, conflict.message, conflict.place or NOWHERE, conflict.hint, related
    )


def report_emptiness(nothing: str, statements: Sequence[Statement]) -> Diagnostic:
    """Report policies that together leave nothing, at the first line, with the others beside it."""
    first, *others = sorted(statements, key=lambda statement: str(statement.location))
    message = f"the policies together leave {nothing}"
    place = first.location or NOWHERE
    return Diagnostic("policy-empty", RULES["policy-empty"].severity, message, place, None, _cite(others))


def _cite(statements: Iterable[Statement]) -> tuple[Related, ...]:
    places = ((statement, statement.location) for statement in statements)
    return tuple(
        Related(f"{statement.layer.name} says so here", place)
        for statement, place in places
        if place is not None
    )


def report_vain_removals(composed: Branch, own: Iterable[Branch]) -> Iterator[Diagnostic]:
    """Report removals of nothing, where the preset itself wrote them: a base may serve others better."""
    removing = {id(tree.layer) for tree in own if not isinstance(tree.entries, Unopened)}
    for layer, path in find_vain_removals(composed) if removing else ():
        place = layer.locate(path) if id(layer) in removing else None
        if place is not None:
            if isinstance(path[-1], int):
                message, hint = "the inherited list has no such entry to remove", None
            else:
                message = f"null removes an inherited '{path[-1]}', and none is inherited"
                hint = "leave the key out, or write a value; text that starts with '#' needs quotes"
            yield Diagnostic("nothing-to-remove", RULES["nothing-to-remove"].severity, message, place, hint)


def name_environments(diagnostic: Diagnostic, where: list[str | None]) -> Diagnostic:
    """Say in which environments a finding holds, where it does not hold without one."""
    if None in where:
        return diagnostic
    names = ", ".join(f"'{name}'" for name in dict.fromkeys(where))
    return evolve(diagnostic, message=f"{diagnostic.message} (in {names})")
