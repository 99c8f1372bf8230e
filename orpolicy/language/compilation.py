"""What a compilation gives: one preset in one environment, read-only, with the author of every value."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import define, field

from orpolicy.errors import UsageError
from orpolicy.language.lowered import REGIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.language.explain import Explanation
    from orpolicy.language.lowered import Lowered
    from orpolicy.language.model import Preset, Usd
    from orpolicy.language.request import Messages, Outline, Request
    from orpolicy.language.restrict import Restricted
    from orpolicy.language.source import Location, Path
    from orpolicy.language.trees import Branch
    from orpolicy.language.values import FrozenDict


@define(frozen=True, slots=False, eq=False)
class Compilation:
    """A preset compiled for an environment: everything a request needs but its messages.

    ``max_cost`` is USD per request. ``body`` holds no messages and no system prompt; it cannot be changed. ``tree`` is
    what came of the passes, ``composed`` what the layers said before them, which a call's own values go over.
    """

    name: str
    environment: str | None
    lowered: Lowered = field(repr=False)
    restricted: Restricted = field(repr=False)
    override: Callable[[Mapping[str, Any]], Lowered] = field(repr=False)
    composed: Branch = field(repr=False)

    @property
    def tree(self) -> Branch:
        """What came of the passes, with the author of every value."""
        return self.restricted.tree

    @cached_property
    def preset(self) -> Preset:
        """The preset as typed values."""
        from orpolicy.language.model import structure  # noqa: PLC0415 - compiling needs no types

        return structure(self.restricted.data)

    @cached_property
    def body(self) -> FrozenDict:
        """The request body in canonical key order, without messages."""
        from orpolicy.language.values import freeze  # noqa: PLC0415 - a check looks at no body

        body: FrozenDict = freeze(self.lowered.body)
        return body

    @property
    def system(self) -> str | None:
        """The system prompt, which becomes the first message."""
        return self.lowered.system

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that the preset asks for; never a key."""
        from orpolicy.language.values import FrozenDict  # noqa: PLC0415 - as above

        return FrozenDict(self.lowered.headers)

    @property
    def base_url(self) -> str:
        """The URL of the API in the preset's region."""
        return self.lowered.base_url

    @property
    def region(self) -> str | None:
        """The region whose API is called: ``eu``, ``us``, or none in particular."""
        return REGIONS[self.lowered.base_url]

    @property
    def max_cost(self) -> Usd | None:
        """The ceiling on one request, in USD."""
        return self.lowered.max_cost

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of all that is sent: equal digests, equal requests."""
        from orpolicy.language.values import digest  # noqa: PLC0415 - as above

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
        outline = self._outline_of(self.override(overrides)) if overrides else self._outline
        return outline.request(messages)

    @cached_property
    def _outline(self) -> Outline:
        return self._outline_of(self.lowered)

    def _outline_of(self, lowered: Lowered) -> Outline:
        from orpolicy.language.request import Outline  # noqa: PLC0415 - a check sends nothing

        return Outline(lowered, self.name)

    def origin(self, path: Path) -> Location | None:
        """Return where a value of the body was written; for a path that is not there, its nearest ancestor's key."""
        from orpolicy.language.trees import locate  # noqa: PLC0415 - a call needs no places

        return locate(self.tree, self.trace(path))

    def explain(self, pointer: str = "") -> tuple[Explanation, ...]:
        """Say of each leaf at and below a JSON pointer who set it and who was overruled, in the body's order.

        Raises:
            UsageError: the pointer is malformed, or leads to nothing.
        """
        from orpolicy.language.explain import explain_node  # noqa: PLC0415 - a call needs no explanation
        from orpolicy.language.source import from_pointer  # noqa: PLC0415 - as above

        try:
            path = from_pointer(pointer)
        except ValueError as error:
            raise UsageError(str(error)) from error
        explanations = tuple(explain_node(self.tree, self.trace(path)))
        if not explanations:
            raise UsageError(f"'{self.name}' has nothing at {pointer or '/'}")
        return explanations

    def trace(self, path: Path) -> Path:
        """Turn a path of the body into the preset's, where lowering moved it; what lies below came of one value."""
        if not self.lowered.moved:
            return path
        moved = (self.lowered.moved.get(path[:depth]) for depth in range(len(path), 0, -1))
        return next((place for place in moved if place is not None), path)
