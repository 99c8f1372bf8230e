"""Texts and places in them: positions are 1-based, columns count characters."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TypeAlias

from attrs import define, frozen

Path: TypeAlias = tuple[str | int, ...]
"""A place in a document: mapping keys and list indices, outermost first."""


@frozen(order=True)
class Position:
    """A place in a text; both numbers start at 1, the column counts characters."""

    line: int
    column: int


@frozen(order=True)
class Span:
    """A stretch of text from ``start`` up to, not including, ``end``."""

    start: Position
    end: Position


@frozen(order=True)
class Location:
    """A span in a named file: what every finding and every origin points to."""

    file: str
    span: Span

    def __str__(self) -> str:
        """Return ``file:line:column``, the form that editors and terminals make clickable."""
        return f"{self.file}:{self.span.start.line}:{self.span.start.column}"


_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What YAML 1.1 counts as a line break; ``str.splitlines`` splits at more, and line numbers would differ."""


@define(frozen=True, slots=False)
class Source:
    """A text and the name by which findings call it (a path relative to the project, or ``<stdin>``)."""

    name: str
    text: str

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their breaks."""
        return tuple(_LINE_BREAK.split(self.text))

    def line(self, number: int) -> str:
        """Return the line with this 1-based number, without its line break; empty past the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def locate(self, start: Position, end: Position) -> Location:
        """Name a stretch of this text."""
        return Location(self.name, Span(start, end))


def to_pointer(path: Path) -> str:
    """Write a path as a JSON pointer (RFC 6901): ``("a/b", 0)`` becomes ``/a~1b/0``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def from_pointer(pointer: str) -> Path:
    """Read a JSON pointer; parts that look like list indices become integers.

    Raises:
        ValueError: the pointer is neither empty nor starts with a slash.
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"a JSON pointer starts with '/': {pointer!r}")
    parts = (part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))
    return tuple(int(part) if part.isdecimal() else part for part in parts)
