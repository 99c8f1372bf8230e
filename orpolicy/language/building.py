"""One layer as a tree: what a file says, before anything lies over it or below it.

Most of what layers say stays unopened (see :mod:`orpolicy.language.trees`). Lists have an identity for every item, by which
edits find it and keyed lists are joined.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orpolicy.language.trees import Branch, Leaf, Listing, Operation, Removal, Unopened

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from orpolicy.language.source import Path
    from orpolicy.language.trees import Edit, Layer, Node, Strategies

JSON_SCHEMAS: tuple[tuple[str, ...], ...] = (
    ("response_format", "json_schema", "schema"),
    ("tools", "function", "parameters"),
)
"""Where JSON Schemas stand in a preset, list numbers left out."""

EDITS: tuple[Edit, ...] = ("remove", "prepend", "append")
"""The edits that a layer may write in place of a list, in the order in which they are applied."""


def build_layer(data: Mapping[str, Any], layer: Layer, strategies: Strategies) -> Branch:
    """Turn the data of one layer into a tree whose leaves remember it."""
    build = _build_unopened if _is_plain(data) else _build_branch
    return build(data, layer, (), strategies)


def _is_plain(value: Any) -> bool:
    """Tell whether a value holds neither a null nor what may be an edit: settling then leaves it as it is."""
    kind = type(value)
    if kind is dict:
        if not value or not _NOT_EDITS(value):
            return False
        value = value.values()
    elif kind is not list:
        return value is not None
    for item in value:
        kind = type(item)
        if item is None or ((kind is dict or kind is list) and not _is_plain(item)):
            return False
    return True


_NOT_EDITS = frozenset(EDITS).isdisjoint


def _build_unopened(data: Mapping[str, Any], layer: Layer, path: Path, strategies: Strategies) -> Branch:
    def build() -> Mapping[str, Node]:
        return {
            key: _build_unopened(value, layer, (*path, key), strategies)
            if isinstance(value, dict)
            else _build_node(value, layer, (*path, key), strategies)
            for key, value in data.items()
        }

    return Branch(Unopened(data, build, strategies), layer, path)


def _build_branch(data: Mapping[str, Any], layer: Layer, path: Path, strategies: Strategies) -> Branch:
    entries = {key: _build_node(value, layer, (*path, key), strategies) for key, value in data.items()}
    return Branch(entries, layer, path)


def _build_node(value: Any, layer: Layer, path: Path, strategies: Strategies) -> Node:
    if value is None:
        return Removal(layer, path)
    strategy = strategies.get(path)
    if isinstance(value, dict):
        if strategy is not None and value.keys() <= set(EDITS):
            edits = tuple(
                _build_edit(edit, value[edit], layer, path, strategy) for edit in EDITS if edit in value
            )
            return Listing(edits, layer, path)
        return _build_branch(value, layer, path, strategies)
    if isinstance(value, list) and strategy is not None:
        keyed = strategy != "replace"
        items = _identify(value, layer, path, strategy)
        upsert = Operation("upsert", items, layer, path)
        return Listing((upsert,), layer, path, cleared=not keyed)
    return Leaf(value, layer, path)


def in_json_schema(path: Path) -> bool:
    """Tell whether a path leads into a JSON Schema, where a null that removes nothing is a value (``default: null``)."""
    names = tuple(part for part in path if isinstance(part, str) and part not in EDITS)
    return any(names[: len(root)] == root and len(names) > len(root) for root in JSON_SCHEMAS)


def _build_edit(edit: Edit, values: list[Any], layer: Layer, path: Path, strategy: str) -> Operation:
    return Operation(edit, _identify(values, layer, (*path, edit), strategy), layer, (*path, edit))


def _identify(
    values: list[Any], layer: Layer, path: Path, strategy: str
) -> tuple[tuple[Hashable, Node], ...]:
    """Pair each item with its identity; items of equal identity in one list stay apart by their number."""
    identity = IDENTITIES[strategy]
    items: list[tuple[Hashable, Node]] = []
    for index, value in enumerate(values):
        place = (*path, index)
        branches = strategy != "replace" and isinstance(value, dict)
        node: Node = _build_branch(value, layer, place, {}) if branches else Leaf(value, layer, place)
        items.append((identity(value), node))
    return number_items(items)


def number_items(items: Iterable[tuple[Hashable, Node]]) -> tuple[tuple[Hashable, Node], ...]:
    """Keep items of equal identity apart by their number."""
    times: dict[Hashable, int] = {}
    numbered: list[tuple[Hashable, Node]] = []
    for key, node in items:
        times[key] = times.get(key, 0) + 1
        numbered.append(((key, times[key]), node))
    return tuple(numbered)


def _identify_by_value(item: Any) -> Hashable:
    if isinstance(item, str):
        return item, str  # most items are; no text of JSON is a pair
    return json.dumps(item, sort_keys=True, default=lambda number: {"decimal": str(number)})


def _identify_plugin(item: Any) -> Hashable:
    return item if isinstance(item, str) else str(item.get("id"))


def _identify_tool(item: Any) -> Hashable:
    """Follow OpenRouter's own rule for merging tools (fact 86)."""
    if isinstance(item, str):
        return item
    kind = str(item.get("type"))
    if kind == "function":
        return str((item.get("function") or {}).get("name"))
    if kind in ("openrouter:advisor", "openrouter:subagent"):
        name = (item.get("parameters") or {}).get("name")
        return kind if name is None else (kind, name)
    return kind


IDENTITIES: dict[str, Callable[[Any], Hashable]] = {
    "replace": _identify_by_value,
    "keyed:id": _identify_plugin,
    "keyed:tool": _identify_tool,
}
"""What makes two items of a list the same, by the list's strategy."""
