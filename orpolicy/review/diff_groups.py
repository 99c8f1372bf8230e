"""A diff as people read it: changes that several presets or environments share are told once, below those who share them.

.. code-block:: text

    Group            who:  support/triage in prod; or forty presets that extend one base
    └── Cause            why:  presets/base.yaml:4:3
        └── Change           what: /provider/only: + fireworks

Where a reviewer has to look comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from orpolicy.language.values import canonical_json
from orpolicy.review.classes import Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.review.changes import Cause, Change, Delta, Diff


@frozen(order=True)
class Member:
    """A preset and where a change of it holds: ``in`` or ``outside`` some environments, everywhere, or nothing to say."""

    preset: str
    where: str = ""
    environments: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, tuple[str, ...]]:
        """Where, without the preset."""
        return self.where, self.environments

    def __str__(self) -> str:
        """Name the preset and where."""
        return f"{self.preset} {self.where} {', '.join(self.environments)}".rstrip()


@frozen
class Group:
    """Changes that all members share, and no other preset."""

    members: tuple[Member, ...]
    changes: tuple[Change, ...]

    def by_cause(self) -> list[tuple[tuple[Cause, ...], list[Change]]]:
        """List changes with equal causes together, in the order in which their causes were found."""
        groups: dict[tuple[Cause, ...], list[Change]] = {}
        for change in self.changes:
            groups.setdefault(change.causes, []).append(change)
        return list(groups.items())


def group_changes(diff: Diff) -> list[Group]:
    """Put changes below those who share them."""
    shared: dict[str, tuple[Change, list[Member]]] = {}
    for preset, deltas in _by_preset(diff.deltas).items():
        held: dict[str, tuple[Change, list[str | None]]] = {}
        for delta in deltas:
            for change in delta.changes:
                held.setdefault(_sign(change), (change, []))[1].append(delta.environment)
        for key, (change, environments) in held.items():
            member = place_member(preset, diff.variants[preset], environments)
            shared.setdefault(key, (change, []))[1].append(member)
    groups: dict[tuple[Member, ...], list[Change]] = {}
    for change, members in shared.values():
        groups.setdefault(tuple(members), []).append(change)
    found = [Group(members, tuple(changes)) for members, changes in groups.items()]
    return sorted(found, key=lambda group: (_weigh(group), group.members))


def _sign(change: Change) -> str:
    """Write what has to be equal for two to share a change; how a preset was before it broke has not."""
    return canonical_json((evolve(change, old=None) if change.kind == "broken" else change).to_json())


def find_alarming(diff: Diff) -> list[Member]:
    """Name the presets that a reviewer has to look at, and where."""
    return [
        place_member(preset, diff.variants[preset], [delta.environment for delta in deltas])
        for preset, deltas in _by_preset(delta for delta in diff.deltas if delta.alarming).items()
    ]


def place_member(preset: str, variants: Sequence[str | None], chosen: Iterable[str | None]) -> Member:
    """Say in which of a preset's environments something holds; ``None`` stands for all that are not named."""
    held = set(chosen)
    named = [environment for environment in variants if environment is not None]
    if None not in held:
        return Member(preset, "in", tuple(name for name in named if name in held))
    if held == set(variants):
        return Member(preset, "in every environment" if named else "")
    return Member(preset, "outside", tuple(name for name in named if name not in held))


def _by_preset(deltas: Iterable[Delta]) -> dict[str, list[Delta]]:
    found: dict[str, list[Delta]] = {}
    for delta in deltas:
        found.setdefault(delta.preset, []).append(delta)
    return found


def _weigh(group: Group) -> int:
    """Rank a group: what is alarming, what is loosened, what is tightened, the rest."""
    ways = {change.way for change in group.changes}
    if any(change.alarming for change in group.changes) or Way.LOOSENED in ways:
        return 0
    return 1 if Way.TIGHTENED in ways else 2
