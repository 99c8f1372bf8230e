"""The fields of a row, be it the API's or a snapshot's: each is of its kind, or the row is refused.

.. code-block:: text

    text, texts     "google-vertex", ["text", "image"]
    count           tokens, seconds: a whole number from 0 to ``MOST``
    amount          a decimal of ordinary size, as a number or as text
    day, flag       "2026-10-31", true
    clock           a time of the UTC day as HHMM, up to 2400
    facts           a mapping whose content is not ours to judge

What is ``null`` is not there. Whoever reads rows afterwards meets no surprise, be a file as hostile as it likes.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from orpolicy.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Reader: TypeAlias = "Callable[[Any, str], Any]"

MOST = 10**12
"""Of tokens, of seconds since 1970, of dollars: far more than there ever are."""

_LONGEST = 80
"""Characters of a decimal; with ``_SMALLEST`` they bound what writing it out can take."""

_SMALLEST, _LARGEST = -60, 12
"""The power of ten of the first digit of an amount."""

_DEEPEST = 20


def read_fields(row: Any, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """Read the fields of a row that are known and are there; raise ``CatalogError`` where one is of a wrong kind."""
    return {
        key: readers[key](value, key)
        for key, value in read_mapping(row, "it").items()
        if value is not None and key in readers
    }


def peek(row: Any, key: str) -> str:
    """Return what a row that may be anything says of itself, for messages."""
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, str) and len(value) <= _LONGEST else _shorten(value)


def read_text(value: Any, what: str) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise CatalogError(f"{what} is no text: {_shorten(value)}")
    return value


def read_texts(value: Any, what: str) -> tuple[str, ...]:
    """Read a list of texts."""
    if not isinstance(value, list) or {*map(type, value)} - {str}:
        raise CatalogError(f"{what} is no list of texts: {_shorten(value)}")
    return tuple(value)


def read_mapping(value: Any, what: str) -> dict[str, Any]:
    """Read a mapping of whatever."""
    if not isinstance(value, dict):
        raise CatalogError(f"{what} is no mapping: {_shorten(value)}")
    return value


def read_list(value: Any, what: str) -> list[Any]:
    """Read a list of whatever."""
    if not isinstance(value, list):
        raise CatalogError(f"{what} is no list: {_shorten(value)}")
    return value


def read_flag(value: Any, what: str) -> bool:
    """Read ``true`` or ``false``."""
    if not isinstance(value, bool):
        raise CatalogError(f"{what} is neither true nor false: {_shorten(value)}")
    return value


def read_whole(value: Any, what: str) -> int:
    """Read a whole number of ordinary size, also one that is written with a fraction (``4096.0``)."""
    if type(value) is int and -MOST <= value <= MOST:
        return value
    number = read_decimal(value, what)
    if number != number.to_integral_value():
        raise CatalogError(f"{what} is no whole number: {_shorten(value)}")
    return int(number)


def read_count(value: Any, what: str) -> int:
    """Read a whole number that is not negative."""
    number = read_whole(value, what)
    if number < 0:
        raise CatalogError(f"{what} is negative: {number}")
    return number


def read_clock(value: Any, what: str) -> int:
    """Read a time of the UTC day as HHMM; ``2400`` is its end."""
    number = read_count(value, what)
    if number > 2400 or number % 100 > 59:
        raise CatalogError(f"{what} is no time of day: {number}")
    return number


def read_day(value: Any, what: str) -> date:
    """Read a day as ``YYYY-MM-DD``."""
    try:
        return date.fromisoformat(read_text(value, what))
    except ValueError as exc:
        raise CatalogError(f"{what} is no day: {_shorten(value)}") from exc


def read_facts(value: Any, what: str) -> Mapping[str, Any]:
    """Read a mapping of whatever JSON holds, numbers as JSON writes them."""
    facts: Mapping[str, Any] = _read_json(read_mapping(value, what), what, _DEEPEST)
    return facts


def _read_json(value: Any, what: str, depth: int) -> Any:
    if isinstance(value, dict | list) and not depth:
        raise CatalogError(f"{what} is nested too deeply")
    if isinstance(value, dict):
        return {key: _read_json(item, what, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_read_json(item, what, depth - 1) for item in value]
    return float(read_decimal(value, what)) if isinstance(value, Decimal) else value


def read_decimal(value: object, what: str) -> Decimal:
    """Read a decimal from a JSON number or a numeric string.

    Raises:
        CatalogError: it is neither, or not finite, or of a size that nothing has.
    """
    text = value if isinstance(value, str) else str(value)
    number = None if isinstance(value, bool) or len(text) > _LONGEST else _read_number(text)
    if number is None:
        raise CatalogError(f"{what} is not a number, or of a size that nothing has: {_shorten(value)}")
    return number


@lru_cache(maxsize=4096)
def _read_number(text: str) -> Decimal | None:
    """Read a number of ordinary size; prices repeat themselves."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    usual = number.is_finite() and _SMALLEST <= number.adjusted() <= _LARGEST
    return number if usual else None


def _shorten(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
