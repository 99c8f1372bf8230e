"""Plain scalars as YAML 1.2's core schema reads them, and where a YAML 1.1 reader would differ.

========================  ==========================  =====================
written                   read as                     a YAML 1.1 reader
========================  ==========================  =====================
``true`` ``False``        boolean                     the same
``null`` ``~`` (nothing)  null                        the same
``12`` ``-3`` ``0x1f``    integer                     the same
``0.25`` ``1.0``          decimal, digit for digit    a float
``1e3``                   decimal                     text: ambiguous
``0o17``                  integer                     text: ambiguous
``no`` ``on``             text                        a boolean: ambiguous
``0755`` ``1_000``        text                        a number: ambiguous
``1:30`` ``2024-01-01``   text                        90, a date: ambiguous
``.inf`` ``.nan``         not JSON: an error          a float
========================  ==========================  =====================
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from attrs import frozen
from yaml.resolver import Resolver

Json: TypeAlias = "bool | int | Decimal | str | list[Json] | dict[str, Json] | None"
"""What a document holds: JSON, with decimals where a float would lose digits."""

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER = 64
"""Characters; far beyond any price with 22 digits, far below what makes arithmetic slow."""

_PREFIX = "tag:yaml.org,2002:"
_KINDS_1_1 = {f"{_PREFIX}{kind}": kind for kind in ("bool", "int", "float", "null", "timestamp")}


class NotJsonError(ValueError):
    """A scalar has no JSON value: infinity, not-a-number, or a number out of any use."""


@frozen
class Scalar:
    """The value of a plain scalar; ``other`` is the kind a YAML 1.1 reader takes it for, where that differs."""

    value: bool | int | Decimal | str | None
    other: str | None = None


@lru_cache(maxsize=4096)
def read_plain(text: str) -> Scalar:
    """Read a plain (unquoted) scalar.

    Raises:
        NotJsonError: it is a number that JSON cannot write.
    """
    value = _read_core(text)
    other = _kind_1_1(text)
    return Scalar(value, other if other != _kind(value) else None)


@lru_cache(maxsize=4096)
def kind_of_key(text: str) -> str | None:
    """Return the kind that a YAML 1.1 reader takes a plain key for, where a JSON key cannot be that.

    A plain whole number is none: as a JSON key it has the same digits.
    """
    kind = _kind_1_1(text)
    return None if kind == "str" or _INTEGER.match(text) else kind


def read_number(text: str) -> int | Decimal | None:
    """Read a number of the core schema; ``None`` where the text is none.

    Raises:
        NotJsonError: it is a number that JSON cannot write.
    """
    if _NOT_FINITE.match(text):
        raise NotJsonError(f"{text} is not a number that JSON can write")
    if not (_INTEGER.match(text) or _OCTAL_OR_HEX.match(text) or _DECIMAL.match(text)):
        return None
    if len(text) > _LONGEST_NUMBER:
        raise NotJsonError(f"a number of {len(text)} characters is too long (at most {_LONGEST_NUMBER})")
    if _INTEGER.match(text):
        return int(text)
    if _OCTAL_OR_HEX.match(text):
        return int(text, 0)
    number = Decimal(text)
    if number and abs(number.adjusted()) > 300:  # beyond this a float overflows or becomes zero
        raise NotJsonError(f"{text} is outside the range of JSON numbers")
    return number


def _read_core(text: str) -> bool | int | Decimal | str | None:
    if text in _WORDS:
        return _WORDS[text]
    number = read_number(text)
    return text if number is None else number


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            return "int"
        case Decimal():
            return "float"
        case _:
            return "str"


def _kind_1_1(text: str) -> str:
    """Return the kind that PyYAML, a YAML 1.1 reader, sees in a plain scalar."""
    resolvers = Resolver.yaml_implicit_resolvers
    for tag, pattern in resolvers.get(text[:1], []) + resolvers.get(None, []):
        if tag in _KINDS_1_1 and pattern.match(text):
            return _KINDS_1_1[tag]
    return "str"
