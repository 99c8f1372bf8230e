"""The catalogue: which models there are, which endpoints serve them, at what price, under which limits.

.. code-block:: text

    Catalog                   a moment in time, from one source, with a digest of its content
    ├── Provider              a company: slug ``google-vertex``, display name ``Google``
    └── Model                 an id one may write into a body, an alias, or a router
        └── Endpoint          a model at a provider: tag ``google-vertex/us-east5``, prices, limits, parameters

A catalogue that is not ``complete`` says nothing about a model that it lacks, and one without models says nothing at
all.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.routing.offers import Endpoint, Model, Provider
from orpolicy.routing.prices import Override, Prices
from orpolicy.routing.rows import write_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

__all__ = ["Catalog", "Endpoint", "Model", "Override", "Prices", "Provider"]


FRESH_DAYS = 30
"""A catalogue that is older than this many days deserves a warning."""


def _sort_models(models: Iterable[Model]) -> tuple[Model, ...]:
    return tuple(sorted(models, key=lambda model: model.id))


def _sort_providers(providers: Iterable[Provider]) -> tuple[Provider, ...]:
    return tuple(sorted(providers, key=lambda provider: provider.slug))


@frozen
class Catalog:
    """Models, endpoints and providers at one moment.

    ``complete`` says that every model of OpenRouter is listed; ``note`` labels a catalogue that is not the real one.
    """

    models: tuple[Model, ...] = field(default=(), converter=_sort_models)
    providers: tuple[Provider, ...] = field(default=(), converter=_sort_providers)
    time: datetime | None = None
    source: str = ""
    complete: bool = True
    note: str = ""

    @cached_property
    def by_id(self) -> Mapping[str, Model]:
        """Every model by its id."""
        return {model.id: model for model in self.models}

    @cached_property
    def memory(self) -> dict[str, Any]:
        """What names were found to stand for: looking for one that is not listed compares it with all that are."""
        return {}

    @cached_property
    def by_canonical_slug(self) -> Mapping[str, Model]:
        """Every model by its dated slug; of several that share one, the model without a variant."""
        found: dict[str, Model] = {}
        for model in sorted(self.models, key=lambda model: (model.variant is not None, model.id)):
            found.setdefault(model.canonical_slug, model)
        return found

    @cached_property
    def by_slug(self) -> Mapping[str, Provider]:
        """Every provider by its slug."""
        return {provider.slug: provider for provider in self.providers}

    @cached_property
    def by_name(self) -> Mapping[str, Provider]:
        """Every provider by its display name."""
        return {provider.name: provider for provider in self.providers}

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All endpoints, in the order of their models."""
        return tuple(endpoint for model in self.models for endpoint in model.endpoints or ())

    @cached_property
    def tags(self) -> frozenset[str]:
        """All tags of all endpoints."""
        return frozenset(endpoint.tag for endpoint in self.endpoints)

    @cached_property
    def prefixes(self) -> frozenset[str]:
        """The first parts of all tags: mostly provider slugs, but not always (``sambanova-turbo``)."""
        return frozenset(endpoint.prefix for endpoint in self.endpoints)

    @property
    def zdr(self) -> Iterator[tuple[str, str]]:
        """Yield model and tag of every endpoint that is known to retain nothing (fact 72)."""
        return ((endpoint.model, endpoint.tag) for endpoint in self.endpoints if endpoint.zdr)

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` over models, endpoints and providers; time and source do not count."""
        return digest_text(write_content(self.providers, self.models))

    def describe_age(self, now: datetime) -> str | None:
        """Say that the catalogue is old, or of unknown age, or return ``None`` where it is fresh enough."""
        if self.time is None:
            return "the catalogue does not say how old it is"
        days = (now - self.time).days
        return (
            f"the catalogue is {days} days old: prices and endpoints have changed"
            if days > FRESH_DAYS
            else None
        )

    def provider_slug(self, endpoint: Endpoint) -> str:
        """Return the slug of an endpoint's provider, which is not always the first part of its tag."""
        provider = self.by_name.get(endpoint.provider)
        return provider.slug if provider else endpoint.prefix


def digest_text(content: str) -> str:
    """Return ``sha256:…`` of the rows of a snapshot."""
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()
