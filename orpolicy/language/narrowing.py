"""A tree on its way through the passes that narrow it, and the contradictions found on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from orpolicy.language.slugs import list_models
from orpolicy.language.trees import Branch, Leaf, Node, find_node, locate, put, to_data
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


@define(eq=False)
class Work:
    """A settled tree on its way through the passes.

    The passes read its ``data``, which is quick; edits reach the tree when somebody looks at it, as few do. No pass
    changes which models are named: ``models`` are all of them, once they were looked for.
    """

    settled: Branch
    policy: Policy
    bounds: Bounds
    conflicts: list[Conflict] = field(factory=list)
    models: tuple[tuple[Path, str], ...] | None = None
    data: dict[str, Any] = field(init=False)
    _waiting: list[tuple[Path, Node, bool]] = field(factory=list, init=False)
    _named_models: tuple[tuple[Path, str], ...] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.data = to_data(self.settled)

    @property
    def tree(self) -> Branch:
        """The tree as the passes have left it so far."""
        for path, node, shadow in self._waiting:
            self.settled = put(self.settled, path, node, shadow=shadow)
        self._waiting.clear()
        return self.settled

    def get(self, path: Path) -> Any:
        """Return the data at a path; ``None`` where nothing is said."""
        found: Any = self.data
        for part in path:
            if not isinstance(found, dict):
                return None
            found = found.get(part)
        return found

    @property
    def named_models(self) -> tuple[tuple[Path, str], ...]:
        """The models to try, in order, with their paths."""
        if self._named_models is None:
            self._named_models = tuple(list_models(self.data))
        return self._named_models

    def fill(self, path: Path, value: Any, statement: Statement, place: Path | None = None) -> None:
        """Say something in the policy's name; whatever stood there is shadowed."""
        self._put(path, Leaf(value, statement.layer, statement.path if place is None else place))

    def fill_list(self, path: Path, items: Sequence[Node], statement: Statement) -> None:
        """Write a list whose items know their own authors; one that the preset has stays the preset's."""
        written = Listed(tuple(items), statement.layer, statement.path)
        if self.get(path) is not None:
            said, rest = find_node(self.tree, path)
            if isinstance(said, Listed) and not rest:
                self._put(path, evolve(said, items=written.items), shadow=False)
                return
        self._put(path, written)

    def _put(self, path: Path, node: Node, *, shadow: bool = True) -> None:
        self._waiting.append((path, node, shadow))
        self.data = _replace(self.data, path, to_data(node))

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


def _replace(data: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return data with a value at a path of keys; what is given stays as it is."""
    *parents, last = path
    replaced: dict[Any, Any] = dict(data)
    inside = replaced
    for part in parents:
        said = inside.get(part)
        copied = dict(said) if isinstance(said, dict) else {}
        inside[part] = copied
        inside = copied
    inside[last] = value
    return replaced
