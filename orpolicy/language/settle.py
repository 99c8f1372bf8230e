"""A composed tree made final: edits of lists applied, and what removes nothing found.

Edits are kept as they are written until all layers lie over one another (see :mod:`orpolicy.language.merge`). ``reopen``
goes back: a settled tree as one more layer's base.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from orpolicy.language.building import IDENTITIES, in_json_schema, number_items
from orpolicy.language.merge import merge
from orpolicy.language.trees import (
    Branch,
    Edit,
    Leaf,
    Listing,
    Node,
    Operation,
    Removal,
    Sequence,
    Unopened,
    to_data,
)

if TYPE_CHECKING:
    from orpolicy.language.source import Path
    from orpolicy.language.trees import Layer, Strategies


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
    identified = number_items((IDENTITIES[strategy](to_data(item)), item) for item in items)
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
