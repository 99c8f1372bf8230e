"""Who set a value, and who was overruled: read off the tree that composition and policies made.

.. code-block:: text

    a value               its author, and the authors of what stood in its place, strongest first
    a list                the same for the whole where it replaced something, and each item by itself
    a mapping             key by key; as a whole only where it replaced something of another kind
    what was taken out    the author of the removal, over what it took out; an item of a list as ``…/-``

The order is that of the body; what is not sent comes after it. Nothing is told but what lies at or below the path.

The walk goes down a *stack*: all that was said in one place, strongest first. A step into a key takes from each what it
says of that key, where a removal speaks of all keys: what lies below it is gone, and still to be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import evolve, frozen

from orpolicy.language.lower import order_keys
from orpolicy.language.settle import settle
from orpolicy.language.source import Location, Path, to_pointer
from orpolicy.language.trees import Branch, Leaf, Listing, Node, Removal, to_data
from orpolicy.language.trees import Sequence as Listed
from orpolicy.language.values import thaw


@frozen
class Author:
    """Who says a value: a layer, a place in a file, and the value; ``None`` stands for a removal."""

    layer: str
    location: Location | None
    value: Any

    def to_json(self) -> dict[str, Any]:
        """Return the author as JSON."""
        place = self.location
        return {
            "layer": self.layer,
            "file": None if place is None else place.file,
            "line": None if place is None else place.span.start.line,
            "column": None if place is None else place.span.start.column,
            "value": self.value,
        }


@frozen
class Explanation:
    """One leaf of a body: its pointer, the author who won, and those who lost, strongest first.

    A leaf that was removed has a ``winner`` whose value is ``None``.
    """

    pointer: str
    winner: Author
    losers: tuple[Author, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as JSON."""
        losers = [author.to_json() for author in self.losers]
        return {"pointer": self.pointer, "winner": self.winner.to_json(), "losers": losers}


def explain_node(tree: Branch, path: Path) -> Iterator[Explanation]:
    """Explain what lies at and below a path of a settled tree, or lay there; nothing, where nothing ever did."""
    stack = _stack(tree)
    for depth, part in enumerate(path):
        top = stack[0]
        if isinstance(top, Leaf):
            yield from _explain_part(stack, path[:depth], path[depth:])
            return
        if isinstance(top, Listed) and path[depth:] == ("-",):
            yield from _explain_removed(top, path[:depth])
            return
        if isinstance(top, Listed):
            inside = isinstance(part, int) and part < len(top.items)
            stack = _stack(top.items[int(part)]) if inside else ()
        else:
            stack = _step_into(stack, str(part))
        if not stack or (isinstance(top, Branch) and not _tells(top, str(part), stack)):
            return
    yield from _explain(stack, path)


Stack: TypeAlias = tuple[Node, ...]
"""What was said in one place, strongest first; what a node itself shadows follows it."""


def _stack(node: Node) -> Stack:
    return (node, *node.shadowed)


def _step_into(stack: Stack, key: str) -> Stack:
    found: list[Node] = []
    for node in stack:
        if isinstance(node, Removal):
            found.append(node)
        elif isinstance(node, Branch) and key in node.entries:
            found += _stack(node.entries[key])
    return tuple(found)


def _tells(top: Branch, key: str, stack: Stack) -> bool:
    """Tell whether a key is there, or was taken out; else it only stood in something that was replaced as a whole."""
    return key in top.entries or isinstance(stack[0], Removal)


def _explain(stack: Stack, path: Path) -> Iterator[Explanation]:
    top, rest = stack[0], stack[1:]
    losers = _name_losers(rest)
    same_kind = isinstance(top, Branch) and all(isinstance(node, Branch | Removal) for node in rest)
    if (losers and not same_kind) or _is_leaf(top, path):
        value = None if isinstance(top, Removal) else thaw(to_data(top))
        yield Explanation(to_pointer(path), evolve(_name_author(top), value=value), losers)
    if isinstance(top, Branch):
        below = (key for node in rest if isinstance(node, Branch) for key in node.entries)
        for key in order_keys(path, dict.fromkeys((*top.entries, *below))):
            inner = _step_into(stack, key)
            if _tells(top, key, inner):
                yield from _explain(inner, (*path, key))
    elif isinstance(top, Listed):
        for index, item in enumerate(top.items):
            yield from _explain(_stack(item), (*path, index))
        yield from _explain_removed(top, path)


def _is_leaf(node: Node, path: Path) -> bool:
    """Tell whether nothing of a body lies below: a scalar, or a list or mapping of nothing."""
    if isinstance(node, Branch):
        return bool(path) and all(isinstance(entry, Removal) for entry in node.entries.values())
    return isinstance(node, Leaf) or (isinstance(node, Listed) and not node.items)


def _explain_removed(listed: Listed, path: Path) -> Iterator[Explanation]:
    for removal in listed.removed:
        yield from _explain(_stack(removal), (*path, "-"))


def _explain_part(stack: Stack, path: Path, rest: Path) -> Iterator[Explanation]:
    """Explain a part of a value that is merged as a whole."""
    if _reaches(show(stack[0]), rest):
        winner, *losers = (
            Author(node.layer.name, node.layer.locate(node.path + rest), _descend(show(node), rest))
            for node in stack
            if _reaches(show(node), rest)
        )
        yield Explanation(to_pointer(path + rest), winner, tuple(losers))


def _name_losers(nodes: Sequence[Node]) -> tuple[Author, ...]:
    """Name the authors of nodes, but for the removals at the end, which had nothing below them to remove."""
    last = max((place for place, node in enumerate(nodes) if not isinstance(node, Removal)), default=-1)
    return tuple(map(_name_author, nodes[: last + 1]))


def _name_author(node: Node) -> Author:
    return Author(node.layer.name, node.layer.locate(node.path), show(node))


def show(node: Node) -> Any:
    """Return the data of any node, settled or not, as far as its layers say them."""
    match node:
        case Leaf():
            return thaw(node.value)
        case Branch():
            return {key: show(entry) for key, entry in node.entries.items()}
        case Listed():
            return [show(item) for item in node.items]
        case Listing():
            return show(settle(Branch({"": node}, node.layer)).entries[""])
        case _:
            return None


def _reaches(value: Any, rest: Path) -> bool:
    """Tell whether a path leads somewhere inside a value."""
    for part in rest:
        if isinstance(value, Mapping) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return False
    return True


def _descend(value: Any, rest: Path) -> Any:
    for part in rest:
        value = value[part]
    return value
