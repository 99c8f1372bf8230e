"""YAML as libyaml sees it: nodes, events, and how deep and how large they are before anything is expanded."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import yaml
from yaml._yaml import CParser

from orpolicy.language.source import Position

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 64
"""Levels of nesting."""

IMPLICIT = "?"
CORE = "tag:yaml.org,2002:"


class _Composer(CParser):
    """libyaml's composer without implicit tags: a plain scalar keeps its text, and we resolve it ourselves."""

    def resolve(self, _kind: type, _value: str, _implicit: object) -> str:
        return IMPLICIT

    descend_resolver = operator.is_
    ascend_resolver = tuple
    """Path resolvers are not used; of what does nothing with two arguments, or none, what has no frame is the quickest."""


def compose(text: str) -> yaml.Node | None:
    """Compose the one document of a text; libyaml's errors pass."""
    parser = _Composer(text)
    try:
        root: yaml.Node | None = parser.get_single_node()
    finally:
        parser.dispose()
    return root


def events(text: str) -> Iterator[Any]:
    """Yield the events of a text."""
    parser = _Composer(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


def find_excessive_depth(text: str) -> Position | None:
    """Find where nesting passes the limit, before the recursive composer meets it.

    The count is over events, which libyaml makes without recursion. Texts that cannot be deep skip it: a column
    opens at most a list and a mapping, so 16 columns of indentation hold 32 levels, and every further level needs an
    opener of its own.
    """
    openers = text.count("[") + text.count("{") + text.count("- -") + text.count("? ?")
    if openers < 24 and " " * 16 not in text:
        return None
    depth = 0
    for event in events(text):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                return position(event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def find_largest_alias(text: str) -> yaml.Event | None:
    """Find the alias that stands for the most nodes; sizes are added up, nothing is expanded."""
    sizes: dict[str, int] = {}
    counts, anchors = [0], [""]
    largest: tuple[int, yaml.Event | None] = (0, None)
    for event in events(text):
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


def position(mark: Any) -> Position:
    """Turn libyaml's mark, which counts from 0, into a position."""
    return Position(mark.line + 1, mark.column + 1)
