"""A compiled preset as users hold it: what the language made of it, with the catalogue and other SDKs in reach."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, fields

from orpolicy.errors import CatalogError
from orpolicy.language.compilation import Compilation
from orpolicy.language.lowered import REGIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from orpolicy.language.request import Messages, Request
    from orpolicy.language.skins import Skin
    from orpolicy.language.source import Location, Path
    from orpolicy.routing.catalog import Catalog
    from orpolicy.routing.cost import Bound, Reach
    from orpolicy.routing.router import Route

ANY_LENGTH = 10**12
"""Tokens; more than any context, which then is the bound."""


@define(frozen=True, slots=False, eq=False)
class Compiled(Compilation):
    """A preset compiled for an environment, with what finds the project's snapshot of the catalogue."""

    find_catalog: Callable[[], Catalog | None] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, compilation: Compilation, find_catalog: Callable[[], Catalog | None] | None) -> Compiled:
        """Put a catalogue beside a compilation; it is read when something needs it."""
        values = {attribute.name: getattr(compilation, attribute.name) for attribute in fields(Compilation)}
        return cls(**values, find_catalog=find_catalog)

    @cached_property
    def catalog(self) -> Catalog | None:
        """The project's snapshot, where it has one.

        Raises:
            CatalogError: it cannot be read.
        """
        return None if self.find_catalog is None else self.find_catalog()

    def request(
        self,
        messages: Messages,
        *,
        token_counter: Callable[[Mapping[str, Any]], int] | None = None,
        skin: Skin = "chat",
        **overrides: Any,
    ) -> Request:
        """Join the body with messages; ``overrides`` are one more layer, checked like the others.

        ``max_cost`` is held: with a catalogue by adding up the worst case, without one by ceilings in the request.
        ``token_counter`` counts the prompt tokens of a body, where its bytes are too loose a bound. ``skin`` writes the
        request for another endpoint: ``"responses"`` or ``"messages"``; the request's ``path`` says which.

        Raises:
            CompileError: an override is not valid, or does not go with the preset.
            PolicyViolation: a policy forbids an override.
            CostCeilingExceeded: the worst case is above ``max_cost``, or nothing can bound it.
            SkinError: the other endpoint cannot carry something; it names what.
        """
        request = super().request(messages, **overrides)
        if request.max_cost is not None:
            request = self._hold(request, request.max_cost, token_counter, overridden=bool(overrides))
        if skin == "chat":
            return request
        from orpolicy.language.skins import PATHS, wear  # noqa: PLC0415 - most requests are chat completions

        return evolve(request, body=wear(request.body, skin), path=PATHS[skin])

    def _hold(
        self,
        request: Request,
        max_cost: Decimal,
        token_counter: Callable[[Mapping[str, Any]], int] | None,
        *,
        overridden: bool,
    ) -> Request:
        """Hold a request to its ``max_cost``."""
        from orpolicy.language.lower import order_body, write_json  # noqa: PLC0415 - most presets have no ceiling
        from orpolicy.routing.ceiling import hold_ceiling  # noqa: PLC0415 - as above

        over = self._judging_catalog if overridden else self._reach
        region = REGIONS[request.base_url]
        body = hold_ceiling(request.body, max_cost, over, token_counter=token_counter, region=region)
        return evolve(request, body=write_json(order_body(body)))

    def route(  # noqa: PLR0913 - what is known about the call, each by its name
        self,
        *,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        down: Sequence[str] = (),
        at: datetime | None = None,
        catalog: Catalog | None = None,
        origin: Callable[[Path], Location | None] | None = None,
    ) -> Route:
        """Find out which endpoints may serve the preset, which may not and why, and what nobody can know offline.

        Args:
            prompt_tokens: the length of the prompt; without it every prompt fits and base prices apply.
            completion_tokens: the expected length of the answer, which only weighs prices.
            down: providers or tags to treat as unavailable.
            at: the moment of the call (UTC), which decides about prices by time of day.
            catalog: another catalogue than the project's.
            origin: tells where a field was set; by default in the project's files.

        Raises:
            CatalogError: the project has no snapshot, and no catalogue is given.
        """
        from orpolicy.routing.router import route  # noqa: PLC0415 - a call needs no route

        return route(
            self.body,
            self._choose(catalog),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            down=down,
            region=self.region,
            at=at,
            origin=origin or self.origin,
        )

    def worst_case(
        self,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        *,
        down: Sequence[str] = (),
        catalog: Catalog | None = None,
    ) -> Bound:
        """Return the most that a call under this preset can cost, in USD, over all endpoints that it may reach.

        Args:
            prompt_tokens: the length of the prompt; without it the longest that each endpoint reads.
            completion_tokens: a limit of the answer besides those of the preset and of the endpoints.
            down: providers or tags to treat as unavailable.
            catalog: another catalogue than the project's.

        Raises:
            CatalogError: the project has no snapshot, and no catalogue is given.
        """
        from orpolicy.routing.cost import reach  # noqa: PLC0415 - most presets have no ceiling

        provider = self.body.get("provider") or {}
        ignoring = {**provider, "ignore": [*(provider.get("ignore") or ()), *down]} if down else provider
        body = {**self.body, "provider": ignoring} if ignoring else self.body
        found = reach(body, self._choose(catalog), region=self.region)
        return found.bound(ANY_LENGTH if prompt_tokens is None else prompt_tokens, completion_tokens)

    def _choose(self, catalog: Catalog | None) -> Catalog:
        chosen = catalog or self.catalog
        if chosen is None:
            raise CatalogError(
                f"there is no catalogue to route '{self.name}' over: 'orpolicy catalog pull' makes one"
            )
        return chosen

    def for_openai(
        self, messages: Messages | None = None, *, base_url: str | None = None, **overrides: Any
    ) -> dict[str, Any]:
        """Return keyword arguments for ``chat.completions.create`` of the ``openai`` package.

        Raises:
            AdapterError: something would not arrive; it names what.
        """
        from orpolicy.client.adapters import for_openai  # noqa: PLC0415 - loads the other package

        return for_openai(self, messages, base_url=base_url, **overrides)

    def for_openrouter(self, messages: Messages | None = None, **overrides: Any) -> dict[str, Any]:
        """Return keyword arguments for ``chat.send`` of the official ``openrouter`` package.

        Raises:
            AdapterError: something would not arrive; it names what.
        """
        from orpolicy.client.adapters import for_openrouter  # noqa: PLC0415 - loads the other package

        return for_openrouter(self, messages, **overrides)

    def for_litellm(self, messages: Messages | None = None, **overrides: Any) -> dict[str, Any]:
        """Return keyword arguments for ``litellm.completion``.

        Raises:
            AdapterError: something would not arrive; it names what.
        """
        from orpolicy.client.frameworks import for_litellm  # noqa: PLC0415 - a call needs no framework

        return for_litellm(self, messages, **overrides)

    def for_langchain(self) -> dict[str, Any]:
        """Return keyword arguments for ``ChatOpenRouter`` of the ``langchain-openrouter`` package.

        Raises:
            AdapterError: something would not arrive; it names what.
        """
        from orpolicy.client.frameworks import for_langchain  # noqa: PLC0415 - loads the other package

        return for_langchain(self)

    def for_pydantic_ai(self, *, base_url: str | None = None) -> dict[str, Any]:
        """Return keyword arguments for Pydantic AI's ``OpenAIChatModel`` or ``OpenRouterModel``, but for the provider.

        Raises:
            AdapterError: something would not arrive; it names what.
        """
        from orpolicy.client.frameworks import for_pydantic_ai  # noqa: PLC0415 - a call needs no framework

        return for_pydantic_ai(self, base_url=base_url)

    def for_instructor(
        self, messages: Messages | None = None, *, base_url: str | None = None, **overrides: Any
    ) -> dict[str, Any]:
        """Return keyword arguments for ``create`` of an instructor client made of an OpenAI client.

        Raises:
            AdapterError: something would not arrive; it names what.
        """
        from orpolicy.client.frameworks import for_instructor  # noqa: PLC0415 - loads the other package

        return for_instructor(self, messages, base_url=base_url, **overrides)

    def as_curl(self, messages: Messages = "Hello", **overrides: Any) -> str:
        """Return the whole call as a shell command; the key stays in ``$OPENROUTER_API_KEY``."""
        from orpolicy.client.frameworks import as_curl  # noqa: PLC0415 - a call needs no command line

        return as_curl(self, messages, **overrides)

    @cached_property
    def _reach(self) -> Reach:
        from orpolicy.routing.cost import reach  # noqa: PLC0415 - most presets have no ceiling

        return reach(self.lowered.body, self.catalog, region=self.region)

    @property
    def _judging_catalog(self) -> Catalog | None:
        """The catalogue that tells what a call may reach whose overrides lead elsewhere than the preset."""
        return self.catalog
