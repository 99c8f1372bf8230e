"""What a comparison finds, as values.

.. code-block:: text

    Diff                    one project against another
    ├── environments        declared on one side only
    └── Delta               one preset in one environment
        └── Change          one field, endpoint, amount or demand: which way it goes, whom it concerns
            └── Cause       the line that did it, on either side, or the catalogue

===========  =====================================  ================================================================
part         field                                  kinds
===========  =====================================  ================================================================
body         a JSON pointer; ``system``, a header   changed, added, removed; item-added, item-removed, item-moved
policy       a demand of the policy in force        changed, added, removed; item-added, item-removed
route        a model; ``first``, ``order`` …        reach, first, order, alias, availability
cost         ``worst case``; model and endpoint     worst, price
preset       the preset's name                      added, removed, renamed, broken, fixed
===========  =====================================  ================================================================

``old`` and ``new`` are JSON. Where an item is concerned they are its places in the list, from 1, ``None`` in a set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import field, frozen

from orpolicy.review.classes import Concern, Way

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.language.source import Location

Side: TypeAlias = Literal["old", "new"]
Part: TypeAlias = Literal["body", "policy", "route", "cost", "preset"]


_VERBS: Mapping[tuple[str, Side | None], str] = {
    ("set", "new"): "",
    ("removed", "new"): "removed at ",
    ("was set", "old"): "was set at ",
    ("through", "new"): "through ",
    ("through", "old"): "no longer through ",
}


@frozen
class Cause:
    """Why something changed: a place on one side, or what the catalogue says now.

    ``verb`` tells what the place did: ``set`` the value, ``removed`` it, or ``was set`` where it stood before; a place that
    nobody touched follows that ``through`` which it counts, or counts no longer. A ``field`` stands for its line where
    nobody knows that, as in a lock.
    """

    verb: Literal["set", "removed", "was set", "through", "field", "catalogue"]
    side: Side | None = None
    location: Location | None = None
    text: str = ""

    def __str__(self) -> str:
        """Say it in a few words: ``presets/base.yaml:4:3``, ``was set at presets/base.yaml:4:3``."""
        if self.verb == "catalogue":
            return f"the catalogue: {self.text}" if self.text else "the catalogue"
        if self.verb == "field":
            return self.text
        return _VERBS[self.verb, self.side] + str(self.location)

    def to_json(self) -> dict[str, Any]:
        """Return the cause as JSON; ``side`` tells in which version the line is to be looked up."""
        start = None if self.location is None else self.location.span.start
        return {
            "verb": self.verb,
            "side": self.side,
            "file": None if self.location is None else self.location.file,
            "line": None if start is None else start.line,
            "column": None if start is None else start.column,
            "text": self.text or None,
        }


ALARMING = frozenset({("preset", "added"), ("preset", "broken"), ("route", "availability")})
"""Part and kind of changes that want to be looked at, whichever way they go."""


@frozen
class Change:
    """One thing that is not as it was; ``notes`` say more about the old and the new value."""

    part: Part
    kind: str
    field: str
    old: Any = None
    new: Any = None
    item: Any = None
    way: Way = Way.NEUTRAL
    concern: Concern = Concern.OTHER
    notes: tuple[str | None, str | None] = (None, None)
    causes: tuple[Cause, ...] = ()

    @property
    def alarming(self) -> bool:
        """Whether it wants to be looked at whichever way it goes: something is new, broken or unreachable."""
        return (self.part, self.kind) in ALARMING and self.new is not None

    def to_json(self) -> dict[str, Any]:
        """Return the change as JSON."""
        return {
            "part": self.part,
            "kind": self.kind,
            "field": self.field,
            "old": self.old,
            "new": self.new,
            "item": self.item,
            "class": self.way.value,
            "concern": self.concern.value,
            "notes": list(self.notes),
            "causes": [cause.to_json() for cause in self.causes],
        }


@frozen
class Delta:
    """What changed about a preset in an environment; ``renamed_from`` is its old name where it has another."""

    preset: str
    environment: str | None
    changes: tuple[Change, ...]
    renamed_from: str | None = None

    def goes(self, way: Way, concern: Concern | None = None) -> bool:
        """Tell whether any change goes a way, perhaps one of a concern only."""
        return any(
            change.way is way and (concern is None or change.concern is concern) for change in self.changes
        )

    @property
    def alarming(self) -> bool:
        """Whether a reviewer has to look: something is looser, new, broken or unreachable."""
        return self.goes(Way.LOOSENED) or any(change.alarming for change in self.changes)

    def to_json(self) -> dict[str, Any]:
        """Return the delta as JSON."""
        return {
            "preset": self.preset,
            "environment": self.environment,
            "renamed_from": self.renamed_from,
            "look_at": self.alarming,
            "changes": [change.to_json() for change in self.changes],
        }


@frozen
class Diff:
    """What one project comes to against another; ``variants`` are the environments in which each preset was compared."""

    old: str
    new: str
    deltas: tuple[Delta, ...] = ()
    environments_added: tuple[str, ...] = ()
    environments_removed: tuple[str, ...] = ()
    variants: dict[str, tuple[str | None, ...]] = field(factory=dict)

    def __bool__(self) -> bool:
        """Tell whether there is any difference."""
        return bool(self.deltas or self.environments_added or self.environments_removed)

    def __iter__(self) -> Iterator[tuple[Delta, Change]]:
        """Yield every change with the delta that holds it."""
        return ((delta, change) for delta in self.deltas for change in delta.changes)

    def count(self, way: Way, concern: Concern | None = None) -> int:
        """Count the presets of which anything goes a way in any environment."""
        return len({delta.preset for delta in self.deltas if delta.goes(way, concern)})
