"""A stretch of source text as a terminal shows it: the line, and carets below the span.

.. code-block:: text

      4 |   modle: openai/gpt-5
        |   ^^^^^

A column of a :class:`~orpolicy.language.source.Position` counts characters; a cell is what a terminal's column holds.
The two differ for tabs (4 cells), wide characters (2), combining ones (0). Control characters and those that reorder
text are replaced by a visible stand-in, so that a file can neither steer the terminal nor hide what it says, and no
text begins a line with ``::``, which in GitHub's logs are commands. A long
line is cut around the span, and of a span over many lines the first and the last are shown.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.language.secrets import redact
from orpolicy.language.source import Position, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 100
"""The most cells of a source line that are shown."""

_CUT = "…"
_TAB = 4


@frozen
class Row:
    """One line of a snippet: its number (``None`` for the row that stands for lines left out), text and carets."""

    number: int | None
    text: str = ""
    carets: str = ""


@frozen
class Excerpt:
    """The lines of one source, split once and with asterisks for credentials, from which snippets are cut."""

    lines: tuple[str, ...]

    @classmethod
    def of(cls, source: Source) -> Excerpt:
        """Split a source into its lines."""
        return cls(Source(source.name, redact(source.text)).lines)

    def rows(self, span: Span) -> Iterator[Row]:
        """Yield the rows that show a span; none where it starts below the text."""
        start, end = span.start, self._visible_end(span)
        if not 0 < start.line <= len(self.lines):
            return
        if end.line <= start.line:
            yield _row(start.line, self.lines[start.line - 1], start.column, end.column)
            return
        yield _row(start.line, self.lines[start.line - 1], start.column, None)
        if end.line > start.line + 1:
            yield Row(None)
        last = self.lines[end.line - 1]
        yield _row(end.line, last, len(last) - len(last.lstrip()) + 1, end.column)

    def _visible_end(self, span: Span) -> Position:
        """Move an end that lies in blank text, as YAML's block ends do, back to the last character before it."""
        number, column = min(span.end.line, len(self.lines)), span.end.column
        if number < span.end.line:
            column = len(self.lines[number - 1]) + 1
        while number > span.start.line and not self.lines[number - 1][: column - 1].strip():
            number -= 1
            column = len(self.lines[number - 1]) + 1
        return Position(number, column)


def visible(text: str) -> str:
    """Replace what a terminal, or the log of a CI server, would obey instead of show, and what looks like a credential."""
    shown = "".join(map(_shown, redact(text)))
    return _COMMAND.sub(r"\1∷\2", shown) if "::" in shown else shown


_COMMAND = re.compile(r"^(\s*)::([a-zA-Z])")
"""How a line of a log begins that GitHub takes for a command to it: ``::error::``, ``::add-mask::``."""


def _row(number: int, line: str, start: int, end: int | None) -> Row:
    """Draw one line with carets from a column up to another, or to the end of its text; at least one caret."""
    first = min(max(start, 1), len(line) + 1) - 1
    text = len(line.rstrip())
    stop = max(text if end is None else min(end - 1, text), first + 1)
    left, right = _window(line, first, stop)
    head = _CUT if left else ""
    tail = _CUT if right < len(line) else ""
    offset = len(head) + _cells(line[left:first])
    carets = max(_cells(line[first : min(stop, right)]), 1)
    return Row(number, head + _draw(line[left:right]).rstrip() + tail, " " * offset + "^" * carets)


def _window(line: str, first: int, stop: int) -> tuple[int, int]:
    """Choose the characters of a line to show: all that fit, else the start of the span amid what surrounds it."""
    if len(line) <= WIDTH and _cells(line) <= WIDTH:
        return 0, len(line)
    span = _cells(line[first : min(stop, first + WIDTH)])
    before = line[max(0, first - WIDTH) : first][::-1]
    left = first - _reach(before, max(WIDTH - span, WIDTH // 2) // 2)
    return left, left + _reach(line[left : left + 2 * WIDTH], WIDTH)


def _reach(text: str, cells: int) -> int:
    """Count the characters from the start of a text that fit into so many cells."""
    for count, character in enumerate(text):
        cells -= _cell(character)
        if cells < 0:
            return count
    return len(text)


def _draw(text: str) -> str:
    return "".join(" " * _TAB if character == "\t" else _shown(character) for character in text)


def _cells(text: str) -> int:
    return sum(map(_cell, text))


def _cell(character: str) -> int:
    if " " <= character <= "~":
        return 1
    if character == "\t":
        return _TAB
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return (
        2 if unicodedata.east_asian_width(character) in {"W", "F"} and _shown(character) == character else 1
    )


def _shown(character: str) -> str:
    if " " <= character <= "~":
        return character
    if character < " ":
        return chr(0x2400 + ord(character))
    if character == "\x7f":
        return "\u2421"
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in _UNSEEN else character


_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Controls, format characters (which reorder or hide text), surrogates, and what no terminal can draw."""
