"""One pass over the nodes of a text: plain data, every breach of the rules, and where everything stands."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, TypeAlias

import yaml
from attrs import define, field, frozen

from orpolicy.language.diagnostics import Diagnostic, Related
from orpolicy.language.nodes import CORE, IMPLICIT, MAX_DEPTH, events, find_largest_alias, position
from orpolicy.language.scalars import Json, NotJsonError, kind_of_key, read_number, read_plain
from orpolicy.language.secrets import diagnose, holds_secret, report_secret
from orpolicy.language.source import Location, Path, Position, Source
from orpolicy.language.syntax import explain_missing_colon

MAX_NODES = 100_000
"""Nodes of a document, aliases expanded."""

_TAGGED: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (int, Decimal),
}


Anchor: TypeAlias = Literal["key", "value", "entry"]
"""Which text of a mapping's entry is meant."""


@frozen
class Ambiguity:
    """A plain scalar, a key or a value, that a YAML 1.1 reader takes for another ``kind`` than we do."""

    path: Path
    text: str
    kind: str
    anchor: Anchor = "value"


class TooLarge(Exception):
    """Aliases expand to too much: it stops the walk and never leaves this module."""


@define
class Walk:
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
        except TooLarge:
            return None

    def _report_root(self, root: yaml.Node | None) -> None:
        hint = "write 'key: value' lines"
        place = Position(1, 1) if root is None else position(root.start_mark)
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
            largest = find_largest_alias(self.source.text)
            cause = "the document has" if largest is None else "aliases expand the document to"
            place = self._place(node) if largest is None else self._place_event(largest)
            self._add("yaml-limit", f"{cause} more than {MAX_NODES:,} nodes", place)
            raise TooLarge
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
            raise TooLarge
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
            found = events(self.source.text)
            self._aliases = [event for event in found if isinstance(event, yaml.AliasEvent)][::-1]
        if self._alias_depth > 1 or not self._aliases:
            return self._place(node)
        self._outermost_alias = self._place_event(self._aliases.pop())
        return self._outermost_alias

    def _read_collection(self, node: yaml.Node, path: Path) -> Json:
        if node.tag not in (IMPLICIT, f"{CORE}map", f"{CORE}seq", "!"):
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
                else position(key.start_mark)
            )
            place = self.source.locate(start, position(key.end_mark))
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
        if node.tag not in (IMPLICIT, "!", f"{CORE}str"):
            return self._read_tagged(node)
        if node.style or node.tag != IMPLICIT:
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
            place = self.source.locate(position(key.start_mark), place.span.end)
        lines = self.source.lines[node.start_mark.line : node.end_mark.line + 1]
        if len(lines) == 1 or not any(holds_secret(line) for line in lines):
            self._add_secret(place)

    def _read_tagged(self, node: yaml.Node) -> Json:
        """Read a scalar with an explicit core tag (``!!int "5"``); any other tag is reported."""
        kind = node.tag.removeprefix(CORE)
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
        shown = node.tag.replace(CORE, "!!")
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
        self.diagnostics.append(diagnose(code, message, place, hint, related))

    def _place_event(self, event: yaml.Event) -> Location:
        return self.source.locate(position(event.start_mark), position(event.end_mark))

    def _place(self, node: yaml.Node) -> Location:
        start, end = position(node.start_mark), position(node.end_mark)
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
