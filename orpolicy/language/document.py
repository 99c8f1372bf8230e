"""YAML text → plain data plus the place of every key and value.

Reading is strict: one document, a mapping at the root, string keys, each once, core tags only, within limits. Every
breach is a diagnostic with a position and never an exception. libyaml composes the nodes; one walk makes plain data of
them. Places are looked up when somebody asks, by composing the text once more: most documents are never asked.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import yaml
from attrs import define, field, frozen
from yaml._yaml import CParser

from orpolicy.language.diagnostics import Diagnostic, Related, Severity
from orpolicy.language.rules import RULES
from orpolicy.language.scalars import Json, NotJsonError, kind_of_key, read_number, read_plain
from orpolicy.language.secrets import find_secrets, holds_secret, redact
from orpolicy.language.source import Location, Path, Position, Source, Span
from orpolicy.language.syntax import (
    explain_missing_colon,
    explain_syntax_error,
    find_forbidden_character,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 100_000

Anchor: TypeAlias = Literal["key", "value", "entry"]


@frozen
class Ambiguity:
    """A plain scalar, a key or a value, that a YAML 1.1 reader takes for another ``kind`` than we do."""

    path: Path
    text: str
    kind: str
    anchor: Anchor = "value"


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
        walk = _Walk(self.source, keep_places=True)
        walk.read(_compose(self.source.text))
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
        return Source(name, raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = Source(name, raw[: error.start].decode("utf-8-sig", errors="replace"))
        place = Position(len(before.lines), len(before.lines[-1]) + 1)
        message = f"byte 0x{raw[error.start]:02x} is not valid UTF-8"
        return _report(before, "yaml-encoding", message, place, hint="save the file as UTF-8")


def read_document(source: Source) -> Reading:
    """Read a text as one YAML document; nothing in it can raise."""
    reading = _read(source)
    if not holds_secret(source.text):
        return reading
    stray = tuple(report_secret(place) for place in _find_stray_secrets(source, reading.diagnostics))
    return Reading(None, (*reading.diagnostics, *stray)) if stray else reading


def _read(source: Source) -> Reading:
    forbidden = find_forbidden_character(source)
    if forbidden is not None:
        message, place = forbidden
        return Reading(None, (_report(source, "yaml-encoding", message, place),))
    if len(source.text.encode("utf-8")) > MAX_BYTES:
        message = f"the text is larger than {MAX_BYTES // 1024} KiB"
        return Reading(None, (_report(source, "yaml-limit", message, Position(1, 1)),))
    try:
        too_deep = _find_excessive_depth(source.text)
        if too_deep is not None:
            message = f"the document is nested deeper than {MAX_DEPTH} levels"
            return Reading(None, (_report(source, "yaml-limit", message, too_deep),))
        root = _compose(source.text)
    except yaml.YAMLError as error:
        problem = explain_syntax_error(source, error)
        location = source.locate(problem.start, problem.end)
        return Reading(None, (_diagnose(problem.code, problem.message, location, problem.hint),))
    walk = _Walk(source)
    data = walk.read(root)
    errors = any(finding.severity is Severity.ERROR for finding in walk.diagnostics)
    if errors or not isinstance(data, dict):
        return Reading(None, tuple(walk.diagnostics))
    document = Document(source, data, tuple(walk.ambiguities), walk.has_whole_decimals)
    return Reading(document, tuple(walk.diagnostics))


def _find_stray_secrets(source: Source, known: tuple[Diagnostic, ...]) -> Iterator[Location]:
    """Find credentials outside of keys and values: in comments, and in what could not be read."""
    spans = [found.location.span for found in known if found.code == "secret-in-file"]
    for number, line in enumerate(source.lines, start=1):
        for start, end in find_secrets(line):
            first = Position(number, start + 1)
            if not any(span.start <= first < span.end for span in spans):
                yield source.locate(first, Position(number, end + 1))


class _Composer(CParser):
    """libyaml's composer without implicit tags: a plain scalar keeps its text, and we resolve it ourselves."""

    def resolve(self, _kind: type, _value: str, _implicit: object) -> str:
        return _IMPLICIT

    def descend_resolver(self, _node: object, _index: object) -> None:
        """Path resolvers are not used."""

    def ascend_resolver(self) -> None:
        """Path resolvers are not used."""


_IMPLICIT = "?"
_CORE = "tag:yaml.org,2002:"
_TAGGED: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (int, Decimal),
}


def _compose(text: str) -> yaml.Node | None:
    parser = _Composer(text)
    try:
        root: yaml.Node | None = parser.get_single_node()
    finally:
        parser.dispose()
    return root


def _events(text: str) -> Any:
    parser = _Composer(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


def _find_excessive_depth(text: str) -> Position | None:
    """Find where nesting passes the limit, before the recursive composer meets it.

    The count is over events, which libyaml makes without recursion. Texts that cannot be deep skip it: a column
    opens at most a list and a mapping, so 16 columns of indentation hold 32 levels, and every further level needs an
    opener of its own.
    """
    openers = text.count("[") + text.count("{") + text.count("- -") + text.count("? ?")
    if openers < 24 and " " * 16 not in text:
        return None
    depth = 0
    for event in _events(text):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                return _position(event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def _find_largest_alias(text: str) -> yaml.Event | None:
    """Find the alias that stands for the most nodes; sizes are added up, nothing is expanded."""
    sizes: dict[str, int] = {}
    counts, anchors = [0], [""]
    largest: tuple[int, yaml.Event | None] = (0, None)
    for event in _events(text):
        size = 0
        if isinstance(event, yaml.CollectionStartEvent):
            counts.append(1)
            anchors.append(event.anchor or "")
        elif isinstance(event, yaml.CollectionEndEvent):
            size = counts.pop()
            sizes[anchors.pop()] = size
        elif isinstance(event, yaml.ScalarEvent):
            size = sizes[event.anchor or ""] = 1
        elif isinstance(event, yaml.AliasEvent):
            size = sizes[event.anchor or ""]
            largest = max(largest, (size, event), key=lambda found: found[0])
        counts[-1] += size
    return largest[1]


class _TooLarge(Exception):  # it stops the walk and never leaves this module
    pass


@define
class _Walk:
    """One pass over the nodes of a text, collecting data, findings and, where asked for, places."""

    source: Source
    keep_places: bool = False
    diagnostics: list[Diagnostic] = field(factory=list)
    ambiguities: list[Ambiguity] = field(factory=list)
    has_whole_decimals: bool = False
    places: dict[Path, tuple[Location | None, Location]] = field(factory=dict)
    _count: int = 0
    _open: set[int] = field(factory=set)
    _seen: set[int] = field(factory=set)
    _aliases: list[Any] | None = None
    _alias_depth: int = 0
    _outermost_alias: Location | None = None
    _suspicious: bool = field(init=False)

    def __attrs_post_init__(self) -> None:
        text = self.source.text  # an escape may hide a credential from a look at the text
        self._suspicious = not self.keep_places and ("\\" in text or holds_secret(text))

    def read(self, root: yaml.Node | None) -> Json:
        """Turn the root node into data; what is not a mapping is reported."""
        if not isinstance(root, yaml.MappingNode):
            self._report_root(root)
            return None
        try:
            return self._visit(root, ())
        except _TooLarge:
            return None

    def _report_root(self, root: yaml.Node | None) -> None:
        hint = "write 'key: value' lines"
        place = Position(1, 1) if root is None else _position(root.start_mark)
        if isinstance(root, yaml.SequenceNode):
            message = "the file holds a list; a mapping of keys is expected"
        elif isinstance(root, yaml.ScalarNode) and (root.value or root.style):
            message = "the file holds a single value; a mapping of keys is expected"
            hint = explain_missing_colon(root.value)
        else:
            message, place = "the file is empty; a mapping of keys is expected", Position(1, 1)
        self._add("yaml-root", message, self.source.locate(place, place), hint)

    def _visit(
        self, node: yaml.Node, path: Path, key: yaml.Node | None = None, key_alias: Location | None = None
    ) -> Json:
        self._count += 1
        alias = self._enter_alias(node)
        if self._count > MAX_NODES:
            largest = _find_largest_alias(self.source.text)
            cause = "the document has" if largest is None else "aliases expand the document to"
            place = self._place(node) if largest is None else self._place_event(largest)
            self._add("yaml-limit", f"{cause} more than {MAX_NODES:,} nodes", place)
            raise _TooLarge
        if self.keep_places:
            place = self._place(node) if alias is None else alias
            self.places[path] = (None if key is None else key_alias or self._place(key), place)
        if isinstance(node, yaml.ScalarNode):
            data = self._read_scalar(node, path, key)
        elif id(node) in self._open:
            self._add("yaml-alias", "an anchor holds itself; JSON cannot write that", self._place(node))
            data = None
        elif len(self._open) == MAX_DEPTH:
            message = f"aliases nest the document deeper than {MAX_DEPTH} levels"
            self._add("yaml-limit", message, self._outermost_alias or self._place(node))
            raise _TooLarge
        else:
            self._open.add(id(node))
            data = self._read_collection(node, path)
            self._open.discard(id(node))
        self._alias_depth -= alias is not None
        return data

    def _enter_alias(self, node: yaml.Node) -> Location | None:
        """Return the place of the alias that led here, where the composer gave the anchor's node again.

        The composer loses an alias's own place, but aliases come in the order of the text, and those inside an
        expanded anchor were met before.
        """
        if isinstance(node, yaml.ScalarNode) and "*" not in self.source.text:
            return None
        if id(node) not in self._seen:
            self._seen.add(id(node))
            return None
        self._alias_depth += 1
        if self._aliases is None:
            events = _events(self.source.text)
            self._aliases = [event for event in events if isinstance(event, yaml.AliasEvent)][::-1]
        if self._alias_depth > 1 or not self._aliases:
            return self._place(node)
        self._outermost_alias = self._place_event(self._aliases.pop())
        return self._outermost_alias

    def _read_collection(self, node: yaml.Node, path: Path) -> Json:
        if node.tag not in (_IMPLICIT, f"{_CORE}map", f"{_CORE}seq", "!"):
            self._add_tag(node)
        if isinstance(node, yaml.SequenceNode):
            return [self._visit(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._read_mapping(node, path)

    def _read_mapping(self, node: yaml.Node, path: Path) -> Json:
        data: dict[str, Json] = {}
        keys: dict[str, yaml.Node] = {}
        for key, value in node.value:
            alias = self._enter_alias(key)
            self._alias_depth -= alias is not None  # a key has no inside
            if not self._check_key(key):
                continue
            name = key.value
            other = None if key.style else kind_of_key(name)
            if other is not None:
                self.ambiguities.append(Ambiguity((*path, name), name, other, "key"))
            if name in keys:
                first = Related("first written here", self._place(keys[name]))
                self._add(
                    "duplicate-key", f"the key '{name}' is written twice", self._place(key), related=(first,)
                )
                continue
            keys[name] = key
            data[name] = self._visit(value, (*path, name), key, alias)
        return data

    def _check_key(self, key: yaml.Node) -> bool:
        if not isinstance(key, yaml.ScalarNode):
            line = self.source.line(key.start_mark.line + 1)
            column = line.rfind("?", 0, key.start_mark.column)
            start = (
                Position(key.start_mark.line + 1, max(column, 0) + 1)
                if column >= 0
                else _position(key.start_mark)
            )
            place = self.source.locate(start, _position(key.end_mark))
            hint = "text that begins with a brace or a bracket needs quotes"
            self._add("yaml-key", "a key must be text, not a list or a mapping", place, hint)
            return False
        if key.value == "<<" and not key.style:
            hint = "write the keys out, or move what is shared into a preset and name it under 'extends'"
            self._add("yaml-merge-key", "merge keys ('<<') are not part of YAML 1.2", self._place(key), hint)
            return False
        if key.value == "" and not key.style:
            self._add("yaml-key", "a key is missing before the colon", self._place(key))
            return False
        if self._suspicious and holds_secret(key.value):
            self._add_secret(self._place(key))
        return True

    def _read_scalar(self, node: yaml.ScalarNode, path: Path, key: yaml.Node | None) -> Json:
        if self._suspicious and holds_secret(node.value):
            self._report_secret_value(node, key)
        if node.tag not in (_IMPLICIT, "!", f"{_CORE}str"):
            return self._read_tagged(node)
        if node.style or node.tag != _IMPLICIT:
            return str(node.value)
        try:
            scalar = read_plain(node.value)
        except NotJsonError as error:
            self._add("yaml-number", str(error), self._place(node))
            return None
        if scalar.other is not None:
            self.ambiguities.append(Ambiguity(path, node.value, scalar.other))
        if isinstance(scalar.value, Decimal) and scalar.value == scalar.value.to_integral_value():
            self.has_whole_decimals = True
        return scalar.value

    def _report_secret_value(self, node: yaml.Node, key: yaml.Node | None) -> None:
        """Report the whole entry; in a text of many lines the line is found later, unless escapes hide it there."""
        place = self._place(node)
        if key is not None:
            place = self.source.locate(_position(key.start_mark), place.span.end)
        lines = self.source.lines[node.start_mark.line : node.end_mark.line + 1]
        if len(lines) == 1 or not any(holds_secret(line) for line in lines):
            self._add_secret(place)

    def _read_tagged(self, node: yaml.Node) -> Json:
        """Read a scalar with an explicit core tag (``!!int "5"``); any other tag is reported."""
        kind = node.tag.removeprefix(_CORE)
        if kind not in _TAGGED:
            self._add_tag(node)
            return None
        try:
            value = read_number(node.value) if kind in ("int", "float") else read_plain(node.value).value
        except NotJsonError as error:
            self._add("yaml-number", str(error), self._place(node))
            return None
        if not isinstance(value, _TAGGED[kind]):
            self._add("yaml-tag", f"the value does not fit its tag '!!{kind}'", self._place(node))
            return None
        return value

    def _add_tag(self, node: yaml.Node) -> None:
        shown = node.tag.replace(_CORE, "!!")
        message = f"the tag '{shown}' is not one of YAML's core tags"
        self._add("yaml-tag", message, self._place(node), "remove the tag; a preset is plain data")

    def _add_secret(self, place: Location) -> None:
        self.diagnostics.append(report_secret(place))

    def _add(
        self,
        code: str,
        message: str,
        place: Location,
        hint: str | None = None,
        related: tuple[Related, ...] = (),
    ) -> None:
        self.diagnostics.append(_diagnose(code, message, place, hint, related))

    def _place_event(self, event: yaml.Event) -> Location:
        return self.source.locate(_position(event.start_mark), _position(event.end_mark))

    def _place(self, node: yaml.Node) -> Location:
        start, end = _position(node.start_mark), _position(node.end_mark)
        if isinstance(node, yaml.ScalarNode):
            if (
                start == end
            ):  # nothing written: point past the blanks, at the comment that swallowed the value
                rest = self.source.line(start.line)[start.column - 1 :]
                if rest.lstrip().startswith("#"):
                    start = Position(start.line, start.column + len(rest) - len(rest.lstrip()))
                    end = Position(start.line, start.column + len(rest.lstrip()))
            return self.source.locate(start, end)
        if (
            isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value
        ):  # a block's end mark runs on to the next token: end with the last child
            last = node.value[-1]
            child = last[1] if isinstance(last, tuple) else last
            if child is not node and child.start_mark.index >= node.start_mark.index:
                return self.source.locate(start, self._place(child).span.end)
        return self.source.locate(start, end)


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _report(source: Source, code: str, message: str, place: Position, hint: str | None = None) -> Diagnostic:
    return _diagnose(code, message, source.locate(place, Position(place.line, place.column + 1)), hint)


def report_secret(place: Location) -> Diagnostic:
    """Report a credential, without quoting it."""
    hint = "remove it, revoke it, and pass the key through the environment (OPENROUTER_API_KEY)"
    return _diagnose(
        "secret-in-file", "this looks like a credential; files in git must not hold one", place, hint
    )


def _diagnose(
    code: str, message: str, place: Location, hint: str | None, related: tuple[Related, ...] = ()
) -> Diagnostic:
    """Make a diagnostic that quotes no credential, whatever the text holds."""
    hint = None if hint is None else redact(hint)
    return Diagnostic(code, RULES[code].severity, redact(message), place, hint, related)
