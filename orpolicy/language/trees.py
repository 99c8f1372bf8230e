"""Layers of settings as trees whose leaves remember where they were written.

.. code-block:: text

    Branch      a mapping, key by key; its entries may be Unopened: data that nobody has looked into yet
    Leaf        a value that is merged as a whole
    Removal     a key set to null
    Listing     a list as the operations that make it; ``settle`` turns it into a
    Sequence    settled list

Every node carries its layer and its path there, and the nodes that it took the place of (``shadowed``).
"""

from __future__ import annotations

from collections.abc import Mapping as MappingBase
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import define, evolve, field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from orpolicy.language.document import Document
    from orpolicy.language.source import Location, Path

Edit: TypeAlias = Literal["upsert", "append", "prepend", "remove"]


Strategies: TypeAlias = "Mapping[Path, str]"
"""Where lists stand and how they merge, as the schema declares: ``replace``, ``keyed:id`` or ``keyed:tool``."""


@frozen
class Layer:
    """One source of settings; ``root`` is where its data begin in the document."""

    name: str
    document: Document | None = field(default=None, eq=False, repr=False)
    root: Path = ()

    def locate(self, path: Path) -> Location | None:
        """Return the place of a path of this layer; ``None`` for what was written in no file."""
        return None if self.document is None else self.document.locate(self.root + path)

    def locate_key(self, path: Path) -> Location | None:
        """Return the place of the key at a path."""
        return None if self.document is None else self.document.locate(self.root + path, "key")


@frozen
class Leaf:
    """A value that is merged as a whole: a scalar, or an item of a list with all it holds."""

    value: Any
    layer: Layer
    path: Path
    shadowed: tuple[Node, ...] = ()


@frozen
class Branch:
    """A mapping; ``cleared`` where it replaces what lies below instead of joining it."""

    entries: Mapping[str, Node]
    layer: Layer
    path: Path = ()
    cleared: bool = False
    shadowed: tuple[Node, ...] = ()


@define(eq=False)
class Unopened(MappingBase[str, "Node"]):
    """The entries of a mapping as the data that they come to, made into nodes when somebody looks.

    Most of what presets say is never looked into: nobody asks where it stands. Only data that settling does not change
    may stay unopened: without nulls and without edits of lists. ``strategies`` are those of the whole layer.
    """

    data: Mapping[str, Any]
    _open: Callable[[], Mapping[str, Node]]
    strategies: Strategies
    _nodes: Mapping[str, Node] | None = None

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The entries as nodes."""
        if self._nodes is None:
            self._nodes = self._open()
        return self._nodes

    def __getitem__(self, key: str) -> Node:
        return self.nodes[key]

    def __contains__(self, key: object) -> bool:
        return key in self.data

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


@frozen
class Removal:
    """A key set to null: it removes what lies below."""

    layer: Layer
    path: Path
    shadowed: tuple[Node, ...] = ()


@frozen
class Operation:
    """One edit of a list: ``items`` pairs each item with its identity."""

    edit: Edit
    items: tuple[tuple[Hashable, Node], ...]
    layer: Layer
    path: Path


@frozen
class Listing:
    """A list as the operations that make it, weakest first."""

    operations: tuple[Operation, ...]
    layer: Layer
    path: Path
    cleared: bool = False
    shadowed: tuple[Node, ...] = ()


@frozen
class Sequence:
    """A settled list; ``removed`` holds the items that edits took out."""

    items: tuple[Node, ...]
    layer: Layer
    path: Path
    removed: tuple[Node, ...] = ()
    shadowed: tuple[Node, ...] = ()


Node: TypeAlias = "Leaf | Branch | Removal | Listing | Sequence"


def to_data(node: Node) -> Any:
    """Return the plain data of a settled tree, without what was removed."""
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, Branch):
        if isinstance(node.entries, Unopened):
            return node.entries.data
        return {key: to_data(entry) for key, entry in node.entries.items() if not isinstance(entry, Removal)}
    if isinstance(node, Sequence):
        return [to_data(item) for item in node.items]
    raise TypeError(f"a settled tree holds no {type(node).__name__} outside a mapping")


def find_node(tree: Node, path: Path) -> tuple[Node, Path]:
    """Walk down a settled tree; return the deepest node on the way and what is left of the path."""
    node = tree
    for depth, part in enumerate(path):
        if isinstance(node, Branch) and part in node.entries:
            node = node.entries[str(part)]
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            return node, path[depth:]
    return node, ()


def put(tree: Branch, path: Path, node: Node, *, shadow: bool = True) -> Branch:
    """Return a settled tree with a node at a path of keys; what stood there is shadowed by it, unless told otherwise."""
    key = str(path[0])
    below = tree.entries.get(key)
    if len(path) > 1:
        inner = below if isinstance(below, Branch) else Branch({}, node.layer, node.path)
        node = put(inner, path[1:], node, shadow=shadow)
        if below is not None and not isinstance(below, Branch):
            node = evolve(node, shadowed=(*node.shadowed, evolve(below, shadowed=()), *below.shadowed))
    elif below is not None and shadow:
        node = evolve(node, shadowed=(*node.shadowed, evolve(below, shadowed=()), *below.shadowed))
    return evolve(tree, entries={**tree.entries, key: node})


def author(tree: Node, path: Path) -> Layer:
    """Return the layer that says what stands at a path of a settled tree, or at its nearest ancestor."""
    return find_node(tree, path)[0].layer


def locate(tree: Node, path: Path, *, key: bool = False) -> Location | None:
    """Return where the value (or the key) at a path of a settled tree was written."""
    layer, place, anchor = find_place(tree, path, key=key)
    return layer.locate_key(place) if anchor == "key" else layer.locate(place)


def find_place(tree: Node, path: Path, *, key: bool = False) -> tuple[Layer, Path, Literal["key", "value"]]:
    """Find the layer that says what stands at a path of a settled tree, where in it, and which text there."""
    node, rest = find_node(tree, path)
    place = node.path + (rest if isinstance(node, Leaf) else ())
    if rest and not isinstance(node, Leaf):
        key = True  # the path is not there: point at the parent's key, as for a missing one
    return node.layer, place, "key" if key else "value"
