"""YAML text → plain data plus the place of every key and value.

Reading is strict: one document, a mapping at the root, string keys, each once, core tags only, within limits. Every
breach is a diagnostic with a position and never an exception. libyaml composes the nodes; one walk makes plain data of
them. Places are looked up when somebody asks, by composing the text once more: most documents are never asked.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

import yaml
from attrs import define, frozen

from orpolicy.language.characters import find_forbidden_character
from orpolicy.language.diagnostics import Diagnostic, holds_error
from orpolicy.language.nodes import MAX_DEPTH, compose, find_excessive_depth
from orpolicy.language.quick import read_quickly
from orpolicy.language.secrets import diagnose, find_secrets, holds_secret, report_secret
from orpolicy.language.source import Location, Path, Position, Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.language.scalars import Json
    from orpolicy.language.walk import Ambiguity, Anchor

MAX_BYTES = 1024 * 1024


@define(frozen=True, slots=False, eq=False)
class Document:
    """A YAML file as data; ``locate`` finds the place of any path in it.

    ``has_whole_decimals`` tells that a whole number is written with a fraction or an exponent somewhere (``1000.0``).
    """

    source: Source
    data: dict[str, Json]
    ambiguities: tuple[Ambiguity, ...] = ()
    has_whole_decimals: bool = False

    def locate(self, path: Path, anchor: Anchor = "value") -> Location:
        """Return the place of the key, of the value, or of the whole entry at a path.

        A path that the document does not have is placed at its nearest ancestor's key, as a missing key is.
        """
        while path and path not in self._places:
            path, anchor = path[:-1], "key"
        key, value = self._places.get(path, (None, self._root))
        if anchor == "value" or key is None:
            return value
        if anchor == "entry":
            return self.source.locate(key.span.start, value.span.end)
        return key

    def holds_value_at(self, position: Position) -> bool:
        """Tell whether a scalar value covers a position: what looks like a comment there is none."""
        return any(span.start <= position < span.end for span in self._scalars.get(position.line, ()))

    @cached_property
    def _scalars(self) -> dict[int, list[Span]]:
        """The spans of all scalars on each line, so that many comments are looked up among few."""
        spans = {place.span for path, (_, place) in self._places.items() if path not in self._collections}
        by_line: dict[int, list[Span]] = {}
        for span in spans:
            head = self.source.line(span.start.line)[span.start.column - 1 :]
            for line in range(span.start.line + bool(_BLOCK_HEAD.match(head)), span.end.line + 1):
                by_line.setdefault(line, []).append(span)
        return by_line

    @cached_property
    def _collections(self) -> set[Path]:
        return {path[:-1] for path in self._places if path}

    @cached_property
    def _root(self) -> Location:
        return self.source.locate(Position(1, 1), Position(1, 1))

    @cached_property
    def _places(self) -> dict[Path, tuple[Location | None, Location]]:
        from orpolicy.language.walk import Walk  # noqa: PLC0415 - most documents are never asked

        walk = Walk(self.source, keep_places=True)
        walk.read(compose(self.source.text))
        return walk.places


_BLOCK_HEAD = re.compile(r"(?:[!&]\S*\s+)*[|>][-+0-9]*\s*(?:#.*)?\Z")
"""The line on which a block scalar begins: it holds none of its text, but may hold a comment."""


@frozen
class Reading:
    """What came of reading a text: a document, or findings that say why there is none."""

    document: Document | None
    diagnostics: tuple[Diagnostic, ...] = ()


def decode(name: str, raw: bytes) -> Source | Diagnostic:
    """Decode a file's bytes as UTF-8; a byte-order mark at the start is dropped."""
    if len(raw) > MAX_BYTES:
        source = Source(name, "")
        return _report(
            source, "yaml-limit", f"the file is larger than {MAX_BYTES // 1024} KiB", Position(1, 1)
        )
    try:
        return Source(name, raw.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        before = Source(name, raw[: error.start].decode("utf-8-sig", errors="replace"))
        place = Position(len(before.lines), len(before.lines[-1]) + 1)
        message = f"byte 0x{raw[error.start]:02x} is not valid UTF-8"
        return _report(before, "yaml-encoding", message, place, hint="save the file as UTF-8")


def read_document(source: Source) -> Reading:
    """Read a text as one YAML document; nothing in it can raise."""
    suspicious = holds_secret(source.text)
    reading = _read(source, quickly=not suspicious)
    if not suspicious:
        return reading
    stray = tuple(report_secret(place) for place in _find_stray_secrets(source, reading.diagnostics))
    return Reading(None, (*reading.diagnostics, *stray)) if stray else reading


def _read(source: Source, *, quickly: bool) -> Reading:
    forbidden = find_forbidden_character(source)
    if forbidden is not None:
        message, place = forbidden
        return Reading(None, (_report(source, "yaml-encoding", message, place),))
    try:
        excess = _find_excess(source)
        if excess is not None:
            return Reading(None, (_report(source, "yaml-limit", *excess),))
        root = compose(source.text)
    except yaml.YAMLError as error:
        from orpolicy.language.syntax import explain_syntax_error  # noqa: PLC0415 - most texts are YAML

        problem = explain_syntax_error(source, error)
        location = source.locate(problem.start, problem.end)
        return Reading(None, (diagnose(problem.code, problem.message, location, problem.hint),))
    quick = read_quickly(source.text, root) if quickly else None
    if quick is not None:
        return Reading(Document(source, quick))
    return _walk(source, root)


def _walk(source: Source, root: yaml.Node | None) -> Reading:
    """Read nodes that there is something to say about."""
    from orpolicy.language.walk import Walk  # noqa: PLC0415 - most documents need it not

    walk = Walk(source)
    data = walk.read(root)
    if holds_error(walk.diagnostics) or not isinstance(data, dict):
        return Reading(None, tuple(walk.diagnostics))
    document = Document(source, data, tuple(walk.ambiguities), walk.has_whole_decimals)
    return Reading(document, tuple(walk.diagnostics))


def _find_excess(source: Source) -> tuple[str, Position] | None:
    """Find what makes a text too large or too deep to be composed."""
    if len(source.text) * 4 > MAX_BYTES and len(source.text.encode("utf-8")) > MAX_BYTES:
        return f"the text is larger than {MAX_BYTES // 1024} KiB", Position(1, 1)
    too_deep = find_excessive_depth(source.text)
    return None if too_deep is None else (f"the document is nested deeper than {MAX_DEPTH} levels", too_deep)


def _find_stray_secrets(source: Source, known: tuple[Diagnostic, ...]) -> Iterator[Location]:
    """Find credentials outside of keys and values: in comments, and in what could not be read."""
    spans = [found.location.span for found in known if found.code == "secret-in-file"]
    for number, line in enumerate(source.lines, start=1):
        for start, end in find_secrets(line):
            first = Position(number, start + 1)
            if not any(span.start <= first < span.end for span in spans):
                yield source.locate(first, Position(number, end + 1))


def _report(source: Source, code: str, message: str, place: Position, hint: str | None = None) -> Diagnostic:
    return diagnose(code, message, source.locate(place, Position(place.line, place.column + 1)), hint)
