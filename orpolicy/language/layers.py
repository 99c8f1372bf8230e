"""Which layers make a preset, and in which order.

Weakest first: project defaults, then each preset of the linearised ``extends`` chain, followed at once by its own
overlay for the environment. The chain is linearised by C3, as Python orders classes: a preset comes before (is stronger
than) what it extends, bases keep the order in which they are written, and where no such order exists that is an error.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.language.document import Document
    from orpolicy.language.source import Path
    from orpolicy.language.trees import Branch

LONGEST_CHAIN = 200
"""Presets above one another; no reader follows so many, and the interpreter's stack has an end."""


@frozen(eq=False)
class PresetSource:
    """A preset as written: its document, what it extends, and its trees without and with each overlay."""

    name: str
    document: Document
    extends: tuple[str, ...]
    abstract: bool
    tree: Branch
    overlays: Mapping[str, Branch]

    @property
    def description(self) -> str | None:
        """What the preset says of itself."""
        said = self.document.data.get("description")
        return said if isinstance(said, str) else None


class ExtendsError(Exception):
    """A chain that cannot be linearised; ``path`` is the place in the named preset to point at."""

    def __init__(self, code: str, message: str, name: str, path: Path) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.name = name
        self.path = path


def linearise(
    name: str,
    presets: Mapping[str, PresetSource],
    known: dict[str, tuple[str, ...]],
    above: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Order a preset and all it extends, strongest first.

    ``known`` keeps the orders found so far: without it, a ladder of diamonds would take exponential time. ``above``
    holds the presets on the way down to this one.

    Raises:
        ExtendsError: a base does not exist, the chain runs in a circle, or no order agrees with every ``extends``.
    """
    if name not in known:
        known[name] = _linearise(name, presets, known, above)
    return known[name]


def _linearise(
    name: str,
    presets: Mapping[str, PresetSource],
    known: dict[str, tuple[str, ...]],
    above: tuple[str, ...],
) -> tuple[str, ...]:
    if name in above:
        chain = " → ".join((*above[above.index(name) :], name))
        raise ExtendsError(
            "extends-cycle", f"presets extend each other in a circle: {chain}", above[-1], ("extends",)
        )
    preset = presets[name]
    for index, base in enumerate(preset.extends):
        if base not in presets:
            place = _place_of_base(preset, index)
            raise ExtendsError("unknown-preset", f"there is no preset '{base}' to extend", name, place)
    if len(above) >= LONGEST_CHAIN:
        raise ExtendsError(
            "extends-cycle", f"the chain is longer than {LONGEST_CHAIN} presets", name, ("extends",)
        )
    orders = [linearise(base, presets, known, (*above, name)) for base in preset.extends]
    merged = orders[0] if len(orders) == 1 else _merge_orders([*orders, preset.extends])
    if merged is None:
        message = (
            f"no order suits all that '{name}' extends: {_explain_conflict(name, preset.extends, orders)}"
        )
        raise ExtendsError("inconsistent-extends", message, name, ("extends",))
    return (name, *merged)


def _merge_orders(orders: list[tuple[str, ...]]) -> tuple[str, ...] | None:
    """Merge as C3 does: take the first head that stands in no other order's tail; ``None`` where there is none."""
    merged: list[str] = []
    rest = [list(order) for order in orders if order]
    while rest:
        tails = {name for order in rest for name in order[1:]}
        head = next((order[0] for order in rest if order[0] not in tails), None)
        if head is None:
            return None
        merged.append(head)
        rest = [kept for order in rest if (kept := [name for name in order if name != head])]
    return tuple(merged)


def _explain_conflict(name: str, bases: tuple[str, ...], orders: list[tuple[str, ...]]) -> str:
    """Say which two presets are wanted in both orders, and by whom; else name all orders that do not go together."""
    wanted = [(f"'{name}' lists", bases), *((f"'{order[0]}' has", order) for order in orders)]
    for (one, first), (other, second) in combinations(wanted, 2):
        for before, after in combinations(first, 2):
            if before in second and after in second and second.index(after) < second.index(before):
                return f"{one} '{before}' before '{after}', {other} '{after}' before '{before}'"
    return "; ".join(f"{who} {' before '.join(order)}" for who, order in wanted if len(order) > 1)


def _place_of_base(preset: PresetSource, index: int) -> Path:
    return ("extends", index) if isinstance(preset.document.data.get("extends"), list) else ("extends",)
