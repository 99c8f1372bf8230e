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

from typing import TYPE_CHECKING, Any

from attrs import evolve

from orpolicy.language.trees import Branch, Listing, Unopened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.language.source import Path
    from orpolicy.language.trees import Node, Strategies


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
