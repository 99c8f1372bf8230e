"""A tree on its way through the passes that narrow it, and the contradictions found on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from orpolicy.language.trees import Branch, Leaf, Node, Removal, find_node, locate, put, to_data
from orpolicy.language.trees import Sequence as Listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.language.policy import Bounds, Policy, Statement
    from orpolicy.language.source import Location, Path


@frozen
class Conflict:
    """A demand that a preset contradicts: the place in the preset, and the statements that forbid it."""

    code: str
    path: Path
    place: Location | None
    message: str
    statements: tuple[Statement, ...]
    hint: str | None = None


@define
class Work:
    """A tree on its way through the passes."""

    tree: Branch
    policy: Policy
    bounds: Bounds
    conflicts: list[Conflict] = field(factory=list)

    def get(self, path: Path) -> Any:
        """Return the data at a path; ``None`` where nothing is said."""
        node, rest = find_node(self.tree, path)
        if rest or isinstance(node, Removal):
            return None
        return to_data(node)

    def named_models(self) -> list[tuple[Path, str]]:
        """List the models to try, in order, with their paths."""
        first: str | None = self.get(("model",))
        named: list[tuple[Path, str]] = [] if first is None else [(("model",), first)]
        named.extend((("models", index), name) for index, name in enumerate(self.get(("models",)) or ()))
        return named

    def fill(self, path: Path, value: Any, statement: Statement, place: Path | None = None) -> None:
        """Say something in the policy's name; whatever stood there is shadowed."""
        leaf = Leaf(value, statement.layer, statement.path if place is None else place)
        self.tree = put(self.tree, path, leaf)

    def fill_list(self, path: Path, items: Sequence[Node], statement: Statement) -> None:
        """Write a list whose items know their own authors; one that the preset has stays the preset's."""
        said, rest = find_node(self.tree, path)
        if isinstance(said, Listed) and not rest:
            self.tree = put(self.tree, path, evolve(said, items=tuple(items)), shadow=False)
        else:
            self.tree = put(self.tree, path, Listed(tuple(items), statement.layer, statement.path))

    def item(self, path: Path) -> Node:
        """Return the node of a list's item."""
        node, _ = find_node(self.tree, path)
        return node

    def require(
        self, key: str, message: str, statements: Sequence[Statement], hint: str | None = None
    ) -> None:
        """Keep a demand for a key that nobody sets; it belongs to the preset as a whole."""
        place = locate(self.tree, ())
        self.conflicts.append(Conflict("policy-require", (key,), place, message, tuple(statements), hint))

    def report(
        self,
        path: Path,
        message: str,
        statements: Sequence[Statement],
        hint: str | None = None,
        anchor: str = "value",
    ) -> None:
        """Keep a contradiction, at the place that the path has now: later passes may move what stands there."""
        place = locate(self.tree, path, key=anchor == "key")
        self.conflicts.append(Conflict("policy-conflict", path, place, message, tuple(statements), hint))
