"""What a compilation gives: one preset in one environment, read-only, with the author of every value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from orpolicy.errors import UsageError
from orpolicy.language.source import Location, Path, from_pointer, to_pointer
from orpolicy.language.trees import Branch, Layer, Leaf, Node, Removal, find_node, locate
from orpolicy.language.trees import Sequence as Listed
from orpolicy.language.values import FrozenDict, digest, freeze, thaw

if TYPE_CHECKING:
    from orpolicy.language.lower import Lowered
    from orpolicy.language.model import Preset, Usd


@frozen
class Request:
    """A request that is ready to be sent: the whole body, and headers without the key; ``max_cost`` is USD."""

    body: dict[str, Any] = field(repr=False)
    headers: Mapping[str, str]
    base_url: str
    preset: str
    max_cost: Usd | None = None


@frozen
class Author:
    """Who says a value: a layer, a place in a file, and the value; ``None`` stands for a removal."""

    layer: str
    location: Location | None
    value: Any


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
        return {
            "pointer": self.pointer,
            "winner": _author_to_json(self.winner),
            "losers": [_author_to_json(author) for author in self.losers],
        }


Messages = str | Sequence[Mapping[str, Any]]
"""A user's message, or a conversation in OpenRouter's form."""


@define(frozen=True, slots=False, eq=False)
class Compilation:
    """A preset compiled for an environment: everything a request needs but its messages.

    ``max_cost`` is USD per request. ``body`` holds no messages and no system prompt; it cannot be changed.
    """

    name: str
    environment: str | None
    preset: Preset = field(repr=False)
    lowered: Lowered = field(repr=False)
    tree: Branch = field(repr=False)
    override: Callable[[Mapping[str, Any]], Lowered] = field(repr=False)

    @cached_property
    def body(self) -> FrozenDict:
        """The request body in canonical key order, without messages."""
        body: FrozenDict = freeze(self.lowered.body)
        return body

    @property
    def system(self) -> str | None:
        """The system prompt, which becomes the first message."""
        return self.lowered.system

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that the preset asks for; never a key."""
        return FrozenDict(self.lowered.headers)

    @property
    def base_url(self) -> str:
        """The URL of the API in the preset's region."""
        return self.lowered.base_url

    @property
    def max_cost(self) -> Usd | None:
        """The ceiling on one request, in USD."""
        return self.lowered.max_cost

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of all that is sent: equal digests, equal requests."""
        lowered = self.lowered
        return digest(
            {
                "base_url": lowered.base_url,
                "body": lowered.body,
                "headers": lowered.headers,
                "max_cost": lowered.max_cost,
                "system": lowered.system,
            }
        )

    def request(self, messages: Messages, **overrides: Any) -> Request:
        """Join the body with messages; ``overrides`` are one more layer, checked like the others.

        Raises:
            CompileError: an override is not valid, or does not go with the preset.
            PolicyViolation: a policy forbids an override.
        """
        lowered = self.override(overrides) if overrides else self.lowered
        conversation = (
            [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
        )
        if lowered.system is not None:
            conversation.insert(0, {"role": "system", "content": lowered.system})
        body = thaw(lowered.body)
        body["messages"] = conversation
        return Request(body, FrozenDict(lowered.headers), lowered.base_url, self.name, lowered.max_cost)

    def origin(self, path: Path) -> Location | None:
        """Return where a value of the body was written; for a path that is not there, its nearest ancestor's key."""
        return locate(self.tree, self.trace(path))

    def explain(self, pointer: str = "") -> tuple[Explanation, ...]:
        """Say of each leaf at and below a JSON pointer who set it and who was overruled.

        Raises:
            UsageError: the pointer is malformed, or leads to nothing.
        """
        try:
            path = from_pointer(pointer)
        except ValueError as error:
            raise UsageError(str(error)) from error
        node, rest = find_node(self.tree, self.trace(path))
        if rest and not (isinstance(node, Leaf) and _reaches(node.value, rest)):
            raise UsageError(f"'{self.name}' has nothing at {pointer}")
        explanations = tuple(_explain(node, self.trace(path), rest))
        if not explanations:
            raise UsageError(f"'{self.name}' has nothing at {pointer or '/'}")
        return explanations

    def trace(self, path: Path) -> Path:
        """Turn a path of the body into the preset's, where lowering moved it; what lies below came of one value."""
        moved = (self.lowered.moved.get(path[:depth]) for depth in range(len(path), 0, -1))
        return next((place for place in moved if place is not None), path)


def _explain(node: Node, path: Path, rest: Path = ()) -> Iterator[Explanation]:
    if isinstance(node, Branch):
        yield from _explain_covered(node, path)
        for key, entry in node.entries.items():
            yield from _explain(entry, (*path, key))
    elif isinstance(node, Listed):
        yield from _explain_covered(node, path)
        for index, item in enumerate(node.items):
            yield from _explain(item, (*path, index))
        for removal in node.removed:
            yield from _explain(removal, (*path, "-"))
    elif isinstance(node, Leaf):
        value = _descend(node.value, rest)
        winner = Author(node.layer.name, node.layer.locate(node.path + rest), thaw(value))
        yield Explanation(to_pointer(path), winner, _losers(node.shadowed, rest))
    elif isinstance(node, Removal) and node.shadowed:
        winner = Author(node.layer.name, node.layer.locate(node.path), None)
        yield Explanation(to_pointer(path), winner, _losers(node.shadowed, rest))


def _explain_covered(node: Branch | Listed, path: Path) -> Iterator[Explanation]:
    """Explain a mapping or list that as a whole took the place of something else."""
    if node.shadowed:
        place = node.layer.locate(node.path)
        yield Explanation(
            to_pointer(path), Author(node.layer.name, place, show(node)), _losers(node.shadowed, ())
        )


def _losers(shadowed: Sequence[Node], rest: Path) -> tuple[Author, ...]:
    return tuple(
        Author(node.layer.name, node.layer.locate(node.path + rest), _descend(show(node), rest))
        for node in shadowed
    )


def show(node: Node) -> Any:
    """Return the data of any node, settled or not, as far as one layer says them."""
    match node:
        case Leaf():
            return thaw(node.value)
        case Branch():
            return {key: show(entry) for key, entry in node.entries.items()}
        case Listed():
            return [show(item) for item in node.items]
        case Removal():
            return None
        case _:
            return [show(item) for operation in node.operations for _, item in operation.items]


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
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _author_to_json(author: Author) -> dict[str, Any]:
    location = author.location
    return {
        "layer": author.layer,
        "file": None if location is None else location.file,
        "line": None if location is None else location.span.start.line,
        "column": None if location is None else location.span.start.column,
        "value": author.value,
    }


def layer_names(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Name layers, weakest first."""
    return tuple(layer.name for layer in layers)
