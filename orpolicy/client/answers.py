"""HTTP answers, and the JSON in them.

Numbers with a fraction are decimals from the text on, so that no price passes through a float.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Answer:
    """What came back over HTTP; ``opened`` holds the open stream instead of a ``body`` that was read.

    ``headers`` are looked up by lower-case names.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    opened: Any = field(default=None, repr=False)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_decoder: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
_read_json: Final = _decoder.raw_decode


def decode_json(text: str) -> Any:
    """Parse a JSON text, fractions as decimals; ``UNREADABLE`` says what it raises."""
    if text[:1] == "{":  # nearly always, and then without blanks around it
        document, end = _read_json(text)
        if end == len(text):
            return document
    return _decoder.decode(text)


UNREADABLE: Final = (ValueError, ArithmeticError, RecursionError)
"""What ``decode_json`` raises: bad syntax, an exponent out of bounds, nesting without end."""


def find_error(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Find the error object of a body or chunk: at the top, or in its only choice (facts 137, 148)."""
    error = document.get("error")
    if not error:
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        error = choice.get("error") if isinstance(choice, dict) else None
    if not error:
        return None
    return error if isinstance(error, dict) else {"message": str(error)}
