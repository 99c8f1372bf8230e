"""Composition by override, with provenance in the leaves.

``merge(base, top)`` works on layers: trees whose leaves know where they were written. Its laws, each a property test
under its name, hold for the data of the trees (``to_data``) and for the origins of their leaves:

- identity: the empty layer changes nothing, on either side;
- associativity: ``merge(merge(a, b), c)`` is ``merge(a, merge(b, c))``, removals and list edits included;
- idempotence: merging a layer twice is merging it once;
- right bias: what the top layer says, the result says;
- locality: a key that the top layer does not mention stays as it was;
- purity: inputs are never changed;
- provenance: every leaf of the result has one origin, and the text there says that very value;
- order: the order of a mapping's keys does not matter.

Two things make removals and edits associative. A mapping or list that was put over something else, a removal included,
is ``cleared``: whatever lies below stays hidden. And list edits are kept as a sequence of operations until ``settle``
applies them, so that joining two layers of edits is joining two sequences.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve

from orpolicy.language.trees import (
    Branch,
    Edit,
    Layer,
    Leaf,
    Listing,
    Node,
    Operation,
    Removal,
    Sequence,
    Strategies,
    Unopened,
    to_data,
)

if TYPE_CHECKING:
    from orpolicy.language.source import Path

JSON_SCHEMAS: tuple[tuple[str, ...], ...] = (
    ("response_format", "json_schema", "schema"),
    ("tools", "function", "parameters"),
)
"""Where JSON Schemas stand in a preset, list numbers left out."""

EDITS: tuple[Edit, ...] = ("remove", "prepend", "append")
"""The edits that a layer may write in place of a list, in the order in which they are applied."""


def build_layer(data: Mapping[str, Any], layer: Layer, strategies: Strategies) -> Branch:
    """Turn the data of one layer into a tree whose leaves remember it."""
    build = _build_unopened if _is_plain((data,)) else _build_branch
    return build(data, layer, (), strategies)


def _is_plain(values: Iterable[Any]) -> bool:
    """Tell whether values hold neither a null nor what may be an edit: settling then leaves them as they are."""
    for value in values:
        kind = type(value)
        if kind is dict:
            if not value or not _NOT_EDITS(value) or not _is_plain(value.values()):
                return False
        elif (kind is list and not _is_plain(value)) or value is None:
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
    return _number(items)


def _number(items: Iterable[tuple[Hashable, Node]]) -> tuple[tuple[Hashable, Node], ...]:
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


def merge(base: Node, top: Node) -> Node:
    """Put one tree over another."""
    if isinstance(base, Branch) and isinstance(top, Branch) and not top.cleared:
        return merge_layers(base, top)
    if isinstance(base, Listing) and isinstance(top, Listing) and not top.cleared:
        return evolve(
            top,
            operations=base.operations + top.operations,
            cleared=base.cleared,
            shadowed=top.shadowed + base.shadowed,
        )
    shadowed = (*top.shadowed, evolve(base, shadowed=()), *base.shadowed)
    if isinstance(top, Branch | Listing):
        return evolve(top, cleared=True, shadowed=shadowed)
    return evolve(top, shadowed=shadowed)


def merge_layers(base: Branch, top: Branch) -> Branch:
    """Put one mapping over another, key by key."""
    below, above = base.entries, top.entries
    entries: Mapping[str, Node] | None = None
    if isinstance(below, Unopened) and isinstance(above, Unopened):
        joined = _join(below.data, above.data, base.path, above.strategies)
        if joined is not None:
            entries = Unopened(joined, lambda: _merge_entries(below, above), above.strategies)
    return Branch(
        _merge_entries(below, above) if entries is None else entries,
        base.layer,
        base.path,
        base.cleared,
        top.shadowed + base.shadowed,
    )


def _merge_entries(base: Mapping[str, Node], top: Mapping[str, Node]) -> dict[str, Node]:
    entries = dict(base)
    for key, node in top.items():
        below = entries.get(key)
        entries[key] = node if below is None else merge(below, node)
    return entries


def _join(
    base: Mapping[str, Any], top: Mapping[str, Any], path: Path, strategies: Strategies
) -> dict[str, Any] | None:
    """Say what data come to that nobody edits; ``None`` where lists are joined by the keys of their items."""
    joined = {**base, **top}
    for key in base.keys() & top.keys():
        below, above = base[key], top[key]
        kind = type(above)
        if kind is dict and type(below) is dict:
            inner = _join(below, above, (*path, key), strategies)
            if inner is None:
                return None
            joined[key] = inner
        elif kind is list and type(below) is list and strategies.get((*path, key), "replace") != "replace":
            return None
    return joined


def settle(tree: Branch) -> Branch:
    """Apply the list edits of a composed tree; removed keys stay in it as what they were, for explanations."""
    entries = tree.entries
    if isinstance(entries, Unopened):
        return Branch(
            Unopened(entries.data, lambda: _settle_entries(entries), entries.strategies),
            tree.layer,
            tree.path,
            tree.cleared,
            tree.shadowed,
        )
    return Branch(_settle_entries(entries), tree.layer, tree.path, tree.cleared, tree.shadowed)


def reopen(tree: Branch, strategies: Strategies) -> Branch:
    """Turn a settled tree back into one that takes another layer: its values alone, without the edits that made them."""
    return _reopen(tree, (), strategies)


def _reopen(tree: Branch, path: Path, strategies: Strategies) -> Branch:
    entries: dict[str, Node] = {}
    for key, node in tree.entries.items():
        place = (*path, key)
        if isinstance(node, Branch):
            entries[key] = _reopen(node, place, strategies)
        elif isinstance(node, Sequence):
            entries[key] = _reopen_list(node, strategies[place])
        elif not isinstance(node, Removal):
            entries[key] = node
    return Branch(entries, tree.layer, tree.path)


def _reopen_list(listed: Sequence, strategy: str) -> Listing:
    keyed = strategy != "replace"
    items = (_reopen(item, (), {}) if keyed and isinstance(item, Branch) else item for item in listed.items)
    identified = _number((IDENTITIES[strategy](to_data(item)), item) for item in items)
    return Listing(
        (Operation("upsert", identified, listed.layer, listed.path),),
        listed.layer,
        listed.path,
        cleared=not keyed,
    )


def _settle_entries(entries: Mapping[str, Node]) -> dict[str, Node]:
    return {key: _settle_node(node) for key, node in entries.items()}


def _settle_node(node: Node) -> Node:
    if isinstance(node, Leaf):
        return node
    if isinstance(node, Branch):
        return settle(node)
    if isinstance(node, Listing):
        return _settle_list(node)
    if _is_vain(node) and in_json_schema(node.path):
        return Leaf(None, node.layer, node.path, node.shadowed)
    return node


def _is_vain(node: Node) -> bool:
    """Tell whether a node is a removal that has nothing to remove."""
    return isinstance(node, Removal) and all(isinstance(below, Removal) for below in node.shadowed)


def _settle_list(listing: Listing) -> Sequence:
    items: dict[Hashable, Node] = {}
    removed: list[Node] = []
    for operation in listing.operations:
        items = _APPLY[operation.edit](items, operation, removed)
    settled = tuple(_settle_node(node) for node in items.values())
    return Sequence(settled, listing.layer, listing.path, tuple(removed), listing.shadowed)


Items: TypeAlias = dict[Hashable, "Node"]


def _upsert(items: Items, operation: Operation, _removed: list[Node]) -> Items:
    return {**items, **_joined(items, operation)}


def _append(items: Items, operation: Operation, _removed: list[Node]) -> Items:
    joined = _joined(items, operation)
    return {**{key: node for key, node in items.items() if key not in joined}, **joined}


def _prepend(items: Items, operation: Operation, _removed: list[Node]) -> Items:
    joined = _joined(items, operation)
    return {**joined, **{key: node for key, node in items.items() if key not in joined}}


def _remove(items: Items, operation: Operation, removed: list[Node]) -> Items:
    for key, node in operation.items:
        taken = items.get(key)
        if taken is not None:
            removed.append(Removal(operation.layer, _path_of(node), (taken,)))
    gone = {key for key, _ in operation.items}
    return {key: node for key, node in items.items() if key not in gone}


def _joined(items: Items, operation: Operation) -> Items:
    return {key: merge(items[key], node) if key in items else node for key, node in operation.items}


def _path_of(node: Node) -> Path:
    return node.path


_APPLY: dict[Edit, Callable[[Items, Operation, list[Node]], Items]] = {
    "upsert": _upsert,
    "append": _append,
    "prepend": _prepend,
    "remove": _remove,
}


def find_vain_removals(tree: Branch) -> Iterator[tuple[Layer, Path]]:
    """Find the removals, keys and list items, that had nothing to remove; ``tree`` is composed and not settled."""
    if isinstance(tree.entries, Unopened):
        return
    for node in tree.entries.values():
        if _is_vain(node) and not in_json_schema(node.path):
            yield node.layer, node.path
        elif isinstance(node, Branch):
            yield from find_vain_removals(node)
        elif isinstance(node, Listing):
            yield from _find_vain_item_removals(node)


def _find_vain_item_removals(listing: Listing) -> Iterator[tuple[Layer, Path]]:
    items: Items = {}
    for operation in listing.operations:
        if operation.edit == "remove":
            yield from (
                (operation.layer, _path_of(node)) for key, node in operation.items if key not in items
            )
        items = _APPLY[operation.edit](items, operation, [])
