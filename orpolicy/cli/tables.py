"""Aligned text: columns as wide as what they hold, numbers to the right, nothing that a terminal would obey."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import TYPE_CHECKING

from orpolicy.cli.snippet import visible
from orpolicy.routing.prices import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GAP = "  "


def align(
    rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset(), indent: str = ""
) -> Iterator[str]:
    """Yield the lines of a table; the columns whose numbers are in ``right`` stand to the right."""
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = [
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield (indent + GAP.join(cells)).rstrip()


def usd(amount: Decimal) -> str:
    """Show an amount in dollars with four decimals, more where it is small; rounded up, as a worst case is."""
    places = Decimal("0.0001") if amount >= Decimal("0.01") else Decimal("0.000001")
    return f"${plain(amount.quantize(places, ROUND_UP))}"


def say_ranges(numbers: Sequence[int]) -> str:
    """Write numbers with runs as ranges: ``2-4, 7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
