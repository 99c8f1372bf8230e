"""Who offers what: providers, models and the endpoints between them.

What is not known stays unknown: ``Model.endpoints`` is ``None`` where nobody asked for them, and ``Endpoint.zdr`` is
``None`` where the list of zero-retention endpoints cannot decide.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.language.slugs import TIERS
from orpolicy.routing.fares import make_fare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from orpolicy.routing.fares import Fare
    from orpolicy.routing.prices import Prices

_FAST_IS_PRIORITY = frozenset({"anthropic", "google-ai-studio", "google-vertex", "openai", "xai"})
"""Providers with a priority tier, whose tag ``/fast`` is that tier; elsewhere ``/fast`` is a kind of deployment
(fact 60, guides/features/service-tiers.mdx)."""


@frozen
class Provider:
    """A company that serves models."""

    slug: str
    name: str
    headquarters: str | None = None
    datacenters: tuple[str, ...] | None = None


@frozen
class Endpoint:
    """One model at one provider, as one tag; ``(model, tag)`` may occur twice.

    ``model`` is the id under which it is listed, ``served_as`` the id by which the endpoint calls itself: the two
    differ where OpenRouter answers for another model than asked. Limits are in tokens. ``status`` is OpenRouter's,
    below zero after an outage, ``service_tier`` the tier that the API says it sells, where it says so. ``latency`` (milliseconds) and ``throughput`` (tokens per second) map percentiles to
    values and are known only to those who pull with a key.
    """

    model: str
    tag: str
    provider: str
    prices: Prices
    context_length: int
    served_as: str = ""
    quantization: str = "unknown"
    max_completion_tokens: int | None = None
    max_prompt_tokens: int | None = None
    parameters: frozenset[str] = frozenset()
    zdr: bool | None = None
    status: int = 0
    implicit_caching: bool = False
    latency: Mapping[str, Decimal] | None = None
    throughput: Mapping[str, Decimal] | None = None
    service_tier: str | None = None
    prefix: str = field(init=False, eq=False)
    stem: str = field(init=False, eq=False)
    tier: str | None = field(init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Take the tag apart: ``google-vertex/global/priority`` is prefix, stem and tier."""
        stem, _, last = self.tag.rpartition("/")
        prefix = self.tag.partition("/")[0]
        tier = last if stem and last in TIERS else None
        if stem and last == "fast" and prefix in _FAST_IS_PRIORITY:
            tier = "priority"
        tier = self.service_tier or tier
        put = object.__setattr__
        put(self, "prefix", prefix)
        put(self, "stem", stem if tier and stem else self.tag)
        put(self, "tier", tier)

    @cached_property
    def fare(self) -> Fare:
        """All that it may charge, at its dearest."""
        return make_fare(
            self.prices,
            model=self.model,
            tag=self.tag,
            implicit_caching=self.implicit_caching,
            context_length=self.context_length,
            completion_limit=self.completion_limit,
        )

    @cached_property
    def completion_limit(self) -> int:
        """The most tokens that it can answer with."""
        limit = self.max_completion_tokens
        return self.context_length if limit is None else min(limit, self.context_length)


@frozen
class Model:
    """An id that a body may name. ``endpoints`` is ``None`` where they were not asked for.

    ``alias_of`` names the model that an alias stands for; ``expires`` is the day after which OpenRouter may remove the
    model (some carry a far-away day that means nothing).
    """

    id: str
    name: str
    prices: Prices
    canonical_slug: str = ""
    context_length: int | None = None
    created: int = 0
    parameters: frozenset[str] = frozenset()
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    tokenizer: str = "Other"
    alias_of: str | None = None
    expires: date | None = None
    hugging_face_id: str | None = None
    max_completion_tokens: int | None = None
    moderated: bool = False
    reasoning: Mapping[str, Any] | None = None
    endpoints: tuple[Endpoint, ...] | None = None

    @property
    def is_router(self) -> bool:
        """Whether it picks another model for every request (``openrouter/auto`` and its like)."""
        return self.alias_of is None and (
            self.prices.depends or (self.tokenizer == "Router" and not self.endpoints)
        )

    @property
    def variant(self) -> str | None:
        """The static variant at the end of the id: ``free``, ``batch``, ``thinking``, ``extended``."""
        return self.id.partition(":")[2] or None
