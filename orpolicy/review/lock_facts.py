"""The facts of the catalogue that presets rest on, and no others: what is not here may change, and no lock is outdated.

.. code-block:: text

    names        each model as a preset writes it, the id of the one that serves, its dated slug
    globs        each pattern that allows models, and the ids that it covers
    whole        models with all their endpoints here: overrides of a preset with a ceiling may lead to any, and of a
                 model that no preset reaches they show that it has some
    providers    those of the endpoints
    models       those named, and those that aliases lead to
    endpoints    those that some preset reaches, for some prompt at some time

Kept are prices, limits, parameters, modalities, ZDR and expiry. Left out is what changes daily or tells nothing about
calls: times, statuses, latencies, display names, and what a model as a whole says of its endpoints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from orpolicy.language.globs import matches
from orpolicy.routing.catalog import Catalog, Endpoint, Model
from orpolicy.routing.cost import find_reachable
from orpolicy.routing.mentions import mentioned_models, mentioned_patterns
from orpolicy.routing.prices import Prices
from orpolicy.routing.resolve import resolve_model
from orpolicy.routing.router import requested_models

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orpolicy.language.policy import Policy
    from orpolicy.routing.resolve import Resolution


@frozen
class Resting:
    """What an effect asks of a catalogue: its body, the region of its API, its policy, and whether it has a ceiling."""

    body: Mapping[str, Any]
    region: str | None
    policy: Policy
    has_ceiling: bool


@frozen
class Facts:
    """Facts of a catalogue; ``catalog`` holds nothing else."""

    names: Mapping[str, Resolution]
    globs: Mapping[str, tuple[str, ...]]
    whole: tuple[str, ...]
    catalog: Catalog


def collect_facts(effects: Iterable[Resting], catalog: Catalog) -> Facts:
    """Collect the facts that effects rest on."""
    names: dict[str, Resolution] = {}
    globs: set[str] = set()
    whole: set[str] = set()
    kept: dict[str, dict[int, Endpoint]] = {}
    for effect in effects:
        own = {name: resolve_model(catalog, name) for name in _list_names(effect.body)}
        names |= own
        globs |= list_globs(effect)
        if effect.has_ceiling:
            tried = [own[name].model for name in requested_models(effect.body)]
            whole |= {model.id for model in tried if model is not None}
        for model, endpoint in find_reachable(effect.body, catalog, region=effect.region)[0]:
            kept.setdefault(model, {})[id(endpoint)] = endpoint
    whole |= set(_find_unreached(names.values(), kept))
    models = {
        model.id: _keep(model, kept.get(model.id, {}).values(), whole=model.id in whole)
        for resolution in names.values()
        for model in (resolution.listed, resolution.model)
        if model is not None
    }
    used = {endpoint.provider for model in models.values() for endpoint in model.endpoints or ()}
    providers = [
        evolve(provider, headquarters=None, datacenters=None)
        for provider in catalog.providers
        if provider.name in used
    ]
    return Facts(
        names=dict(sorted(names.items())),
        globs={glob: _expand(glob, catalog) for glob in sorted(globs)},
        whole=tuple(sorted(whole)),
        catalog=Catalog(models=models.values(), providers=providers, complete=False),
    )


def _find_unreached(named: Iterable[Resolution], kept: Mapping[str, Any]) -> Iterator[str]:
    """Name the models of which no endpoint is reached: without one, they would look like models that are gone."""
    for resolution in named:
        if resolution.model is not None and resolution.model.endpoints and resolution.model.id not in kept:
            yield resolution.model.id


def _list_names(body: Mapping[str, Any]) -> Iterator[str]:
    yield from requested_models(body)
    yield from (name for _, name in mentioned_models(body))


def list_globs(effect: Resting) -> set[str]:
    """Name the patterns by which an effect's policy, or its router, allows models."""
    allowed = {
        glob for statement in effect.policy if statement.field == "models.allow" for glob in statement.value
    }
    routers = {text for path, text in mentioned_patterns(effect.body) if "allowed_models" in path}
    return allowed | routers


def _expand(glob: str, catalog: Catalog) -> tuple[str, ...]:
    return tuple(model.id for model in catalog.models if matches(glob, model.id))


def _keep(model: Model, reached: Iterable[Endpoint], *, whole: bool) -> Model:
    """Keep of a model what calls depend on."""
    chosen = {id(endpoint) for endpoint in reached}
    endpoints = None
    if model.endpoints is not None:
        endpoints = [endpoint for endpoint in model.endpoints if whole or id(endpoint) in chosen]
    return Model(
        id=model.id,
        name=model.id,
        prices=model.prices if model.is_router else Prices({}),
        canonical_slug=model.canonical_slug,
        context_length=model.context_length,
        input_modalities=model.input_modalities,
        output_modalities=model.output_modalities,
        tokenizer=model.tokenizer if model.is_router else "",
        alias_of=model.alias_of,
        expires=model.expires,
        endpoints=None if endpoints is None else _sort(map(_keep_endpoint, endpoints)),
    )


def _keep_endpoint(endpoint: Endpoint) -> Endpoint:
    return evolve(endpoint, status=0, latency=None, throughput=None)


def _sort(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    return tuple(
        sorted(
            endpoints, key=lambda one: (one.tag, one.prices.prompt, one.prices.completion, one.context_length)
        )
    )
