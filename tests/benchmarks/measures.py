"""What is measured, and how it is compared.

.. code-block:: text

    alternate([ours, theirs], rounds)   A B A B …  → one Series a side
    Target.compare(ours, theirs)        the ratio of the medians
    Line                                one line of the table

A side is a function that does its work once and returns what it took: seconds, or bytes. One round more than asked for
is run first and forgotten, so that files are in the page cache and modules are compiled for both sides.
"""

from __future__ import annotations

import gc
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Side = Callable[[], float]


@frozen
class Series:
    """What one side took, once for each round: seconds, or bytes where ``unit`` says so."""

    values: tuple[float, ...]
    unit: str = "s"

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.values)

    def __str__(self) -> str:
        return " / ".join(
            write_amount(value, self.unit) for value in (min(self.values), self.middle, max(self.values))
        )


@frozen
class Target:
    """What is owed: ``least``, and ``then`` where that is reached.

    ``faster`` ratios say how many times as fast we are and have a lower bound; the others say what part of the
    neighbour's time or memory we take and have an upper bound.
    """

    least: float
    then: float | None = None
    faster: bool = False

    def compare(self, ours: float, theirs: float) -> float:
        """Return the ratio."""
        return theirs / ours if self.faster else ours / theirs

    def judge(self, ratio: float) -> str:
        """Say which bound a ratio keeps."""
        if self.then is not None and self._keeps(ratio, self.then):
            return "beyond"
        return "met" if self._keeps(ratio, self.least) else "**missed**"

    def write(self, bound: float | None) -> str:
        """Write a bound as the table shows it."""
        return "" if bound is None else f"{'≥' if self.faster else '≤'} {bound:g}×"

    def _keeps(self, ratio: float, bound: float) -> bool:
        return ratio >= bound if self.faster else ratio <= bound


@frozen
class Line:
    """One line of the table: a benchmark against one neighbour; without a target it is there for information."""

    row: int
    what: str
    ours: Series
    neighbour: str
    theirs: Series
    target: Target | None = None
    faster: bool = True
    note: str = ""

    @property
    def ratio(self) -> float:
        """The ratio of the medians, in the target's sense."""
        sense = self.target or Target(0, faster=self.faster)
        return sense.compare(self.ours.middle, self.theirs.middle)


def alternate(sides: Sequence[Side], rounds: int, unit: str = "s", *, warm: bool = False) -> list[Series]:
    """Run the sides by turns, and return what each took; sides that are ``warm`` need no round for nothing."""
    taken: list[list[float]] = [[] for _ in sides]
    for turn in range(rounds + (not warm)):
        for side, series in zip(sides, taken, strict=True):
            amount = side()
            if turn or warm:
                series.append(amount)
    return [Series(tuple(series), unit) for series in taken]


def timed(
    work: Callable[[], object], repeat: int = 1, units: int = 1, clock: Callable[[], float] = perf_counter
) -> Side:
    """Make a side of a function: the seconds that one of its ``units`` takes, over ``repeat`` calls."""

    def side() -> float:
        gc.collect()
        start = clock()
        for _ in range(repeat):
            work()
        return (clock() - start) / (repeat * units)

    return side


def fixed(amount: float, unit: str = "") -> Series:
    """Make a series of a bound, or of what was counted."""
    return Series((amount,), unit)


SCALES = {
    "s": ((1, "s", 1), (1e-3, "ms", 1e3), (1e-6, "µs", 1e6)),
    "B": ((1e6, "MB", 1e-6),),
    "": ((1, "", 1),),
}
"""Unit → from what amount on, how it is called, by what it is multiplied."""


def write_amount(value: float, unit: str) -> str:
    """Write an amount with three digits, in the unit of its size."""
    scales = SCALES[unit]
    _, name, factor = next((scale for scale in scales if value >= scale[0]), scales[-1])
    scaled = value * factor
    digits = 0 if scaled >= 100 or not unit else 1 if scaled >= 10 else 2
    return f"{scaled:,.{digits}f} {name}".strip()


def require(condition: object, what: str) -> None:
    """End the run where two sides did not do the same work: what they took could not be compared.

    Raises:
        SystemExit: the condition does not hold.
    """
    if not condition:
        raise SystemExit(f"the sides differ, nothing is compared: {what}")
