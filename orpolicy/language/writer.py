"""Plain data → YAML as a person would write it.

=====================================  ===================================================================
a mapping                              block style, keys in the order of our schema, then as they came
a list of scalars that fits the line   ``[a, b]``
any other list                         one ``- `` item a line
text of several lines                  a literal block, ``|`` or ``|-``
text longer than a line                a folded block, ``>-``
text that would be read as another     in quotes, and no other text: what counts is a YAML 1.2 reader and a
kind, or would break the syntax        YAML 1.1 reader alike
what no block can carry                double quotes with escapes: controls, blanks at the end of a line
decimals                               digit for digit
=====================================  ===================================================================

The law: reading the text gives the same data, and no finding. It holds for JSON whose keys are strings and whose numbers
are within the reader's bounds; lone surrogates, which no YAML can hold, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from orpolicy.language.scalars import NotJsonError, read_plain
from orpolicy.language.writer_order import order_keys

WIDTH = 100
"""Columns of a line; what cannot be broken may be longer."""

Context = Literal["block", "flow"]

_LONGEST_KEY = 1000
"""Characters of a simple key; YAML ends them at 1024, and longer ones need a question mark."""

_SPECIAL = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]"
)
"""Characters that stand in double quotes only, escaped: controls, other line breaks, byte-order marks."""

_NOT_PLAIN: dict[Context, re.Pattern[str]] = {
    "block": re.compile(
        r"\A[,\[\]{}#&*!|>'\"%@`]"  # indicators
        r"|\A[-?:](?:\Z| )|\A(?:---|\.\.\.)(?:\Z| )"
        r"|\A | \Z|[\t\n]|: |:\Z| #"
        r"|\A(?:=|<<)\Z"  # a value and a merge key in YAML 1.1
    ),
}
_NOT_PLAIN["flow"] = re.compile(_NOT_PLAIN["block"].pattern + r"|\A:|[,\[\]{}?]")

_ESCAPES = {
    "\0": r"\0",
    "\a": r"\a",
    "\b": r"\b",
    "\t": r"\t",
    "\n": r"\n",
    "\v": r"\v",
    "\f": r"\f",
    "\r": r"\r",
}
_ESCAPES |= {"\x1b": r"\e", '"': r"\"", "\\": r"\\", "\x85": r"\N", "\u2028": r"\L", "\u2029": r"\P"}
_ESCAPED = re.compile(rf'["\\\t\n]|{_SPECIAL.pattern}')


def write_preset(data: Mapping[str, Any]) -> str:
    """Write a preset as YAML.

    Raises:
        ValueError: the data hold what a preset cannot: a lone surrogate, a number without bounds, a key that is no text.
    """
    ordered = order_keys(data)
    return "\n".join(_write_mapping(ordered, 0)) + "\n" if ordered else "{}\n"


def _write_mapping(data: Mapping[str, Any], indent: int) -> Iterator[str]:
    for key, value in data.items():
        if not isinstance(key, str):
            raise ValueError(f"a key must be text, not {type(key).__name__}")  # noqa: TRY004 - the data are wrong, not the call
        name = write_text(key, "block")
        if len(name) > _LONGEST_KEY:
            yield f"{' ' * indent}? {name}"
            name = ""
        yield from _write_entry(f"{' ' * indent}{name}:", value, indent + 2)


def _write_sequence(data: Sequence[Any], indent: int) -> Iterator[str]:
    for item in data:
        lines = _write_entry(f"{' ' * indent}-", item, indent + 2)
        first = next(lines)
        if isinstance(item, Mapping | list) and first.endswith("-"):
            first = (
                f"{first} {next(lines).lstrip(' ')}"  # the first line of a collection stands beside its dash
            )
        yield first
        yield from lines


def _write_entry(head: str, value: Any, indent: int) -> Iterator[str]:
    """Write what follows ``key:`` or ``-``: on the same line where it fits, else below at this indentation."""
    if isinstance(value, Mapping) and value:
        yield head
        yield from _write_mapping(value, indent)
    elif isinstance(value, list | tuple) and value:
        line = f"{head} [{', '.join(_write_flat(item) for item in value)}]" if _is_flat(value) else None
        if line is not None and len(line) <= WIDTH:
            yield line
        else:
            yield head
            yield from _write_sequence(value, indent)
    elif isinstance(value, str):
        yield from _write_long_text(head, value, indent)
    else:
        yield f"{head} {_write_flat(value)}"


def _is_flat(items: Sequence[Any]) -> bool:
    return not any(
        isinstance(item, Mapping | list | tuple) or (isinstance(item, str) and _has_lines(item))
        for item in items
    )


def _has_lines(text: str) -> bool:
    """Tell whether a text has several lines, or one that is ended; a few line breaks alone have not."""
    return "\n" in text.strip("\n") or (text.endswith("\n") and bool(text.strip()))


def _write_flat(value: Any) -> str:
    """Write a scalar, or an empty collection, inside a line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return write_number(value)
        case str():
            return write_text(value, "flow")
        case Mapping():
            return "{}"
        case list() | tuple():
            return "[]"
        case _:
            raise ValueError(f"{type(value).__name__} is not JSON")


def write_number(value: float | Decimal) -> str:
    """Write a number so that every reader takes it for one, digit for digit where it has no exponent.

    Raises:
        ValueError: the reader would refuse it: it is not finite, too long, or too large or small for a JSON number.
    """
    text = str(value)
    if isinstance(value, float | Decimal):
        exact = Decimal(text)
        if exact.is_finite() and "E" in text.upper():
            text = format(exact, "f") if -12 < exact.adjusted() < 24 else text.upper()
            text = re.sub(r"\A(-?\d+)(E|\Z)", r"\1.0\2", text)  # YAML 1.1 knows no float without a point
    if not isinstance(read_plain(text).value, int | Decimal):
        raise NotJsonError(f"{text} is not a number that JSON can write")
    return text


def write_text(text: str, context: Context) -> str:
    """Write a text on one line, in quotes where it needs them.

    Raises:
        ValueError: the text holds a lone surrogate.
    """
    if _is_plain(text, context):
        return text
    if not _SPECIAL.search(text) and not re.search(r"[\t\n']", text) and re.search(r'["\\]', text):
        return f"'{text}'"
    return f'"{_escape(text)}"'


def _is_plain(text: str, context: Context) -> bool:
    if _NOT_PLAIN[context].search(text) or _SPECIAL.search(text):
        return False
    try:
        scalar = read_plain(text)
    except NotJsonError:
        return False
    return isinstance(scalar.value, str) and scalar.other is None


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match[0]) or _escape_by_number(ord(match[0])), text)


def _escape_by_number(code: int) -> str:
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"a lone surrogate (U+{code:04X}) is no character")
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _write_long_text(head: str, text: str, indent: int) -> Iterator[str]:
    """Write a text as the value of a block: on the line, as a block of lines, or as quoted lines."""
    margin = " " * indent
    if _has_lines(text):
        if _fits_literal(text):
            yield f"{head} |{'' if text.endswith(chr(10)) else '-'}"
            yield from (margin + line if line else "" for line in text.removesuffix("\n").split("\n"))
        else:
            yield from _write_quoted_lines(head, text, margin)
        return
    line = f"{head} {write_text(text, 'block')}"
    if len(line) > WIDTH and _fits_folded(text):
        yield f"{head} >-"
        yield from (margin + line for line in _fold(text, max(WIDTH - indent, WIDTH // 2)))
    else:
        yield line


def _fits_literal(text: str) -> bool:
    """Tell whether a literal block gives the text back, in an editor that strips blanks at the end of lines, too."""
    return not (_SPECIAL.search(text) or re.search(r"\A\s|[ \t](?:\n|\Z)|\n\n\Z", text))


def _fits_folded(text: str) -> bool:
    return " " in text and not (_SPECIAL.search(text) or re.search(r"\A\s|\s\Z|  |[\t\n]", text))


def _fold(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _write_quoted_lines(head: str, text: str, margin: str) -> Iterator[str]:
    r"""Write a text in double quotes, one line of it a line: ``\n\`` ends each, ``\`` keeps blanks at a start."""
    lines = [_escape(line) for line in re.findall(r"[^\n]*\n|[^\n]+\Z", text)]
    lines = [lines[0], *("\\" + line if line.startswith(" ") else line for line in lines[1:])]
    yield f'{head} "{lines[0]}' + ("\\" if len(lines) > 1 else '"')
    for number, line in enumerate(lines[1:], start=2):
        yield margin + line + ("\\" if number < len(lines) else '"')
