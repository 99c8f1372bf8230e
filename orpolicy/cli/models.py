"""A catalogue as text: what it holds, and a model with its endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orpolicy.cli.render import count
from orpolicy.cli.snapshots import name_catalog
from orpolicy.cli.snippet import visible
from orpolicy.cli.tables import align
from orpolicy.routing.prices import MILLION, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.routing.catalog import Catalog, Endpoint, Model, Override
    from orpolicy.routing.resolve import Resolution

_ZDR = {True: "yes", False: "no", None: "?"}
_PER_TOKEN = ("prompt", "completion")


def describe_catalog(catalog: Catalog) -> Iterator[str]:
    """Yield what a catalogue holds."""
    asked = [model for model in catalog.models if model.endpoints is not None]
    yield visible(f"{name_catalog(catalog)}{f', from {catalog.source}' if catalog.source else ''}")
    yield from align(
        [
            ["models", f"{len(catalog.models):,}" + ("" if catalog.complete else ", a selection")],
            ["endpoints", f"{len(catalog.endpoints):,} of {count(len(asked), 'model')}"],
            [
                "zero retention",
                count(sum(endpoint.zdr is True for endpoint in catalog.endpoints), "endpoint"),
            ],
            ["providers", f"{len(catalog.providers):,}"],
            ["digest", catalog.digest],
        ],
        indent="  ",
    )


def describe_model(found: Resolution) -> Iterator[str]:
    """Yield a model and its endpoints; an alias with those of its target."""
    listed, model = found.listed, found.model
    assert listed is not None  # noqa: S101 - a miss is not shown
    alias = f", an alias of {listed.alias_of}" if listed.alias_of else ""
    yield visible(f"{listed.id}: {listed.name}{alias}")
    yield from align(_facts(model or listed), indent="  ")
    yield ""
    if model is None or model.endpoints is None:
        yield "endpoints: not in this catalogue; 'orpolicy catalog pull' asks for those of the presets' models"
    elif not model.endpoints:
        yield "it depends on the request who serves" if model.is_router else "nobody serves it"
    else:
        yield from _describe_endpoints(model.endpoints)


def _facts(model: Model) -> list[list[str]]:
    facts = {
        "slug": model.canonical_slug,
        "context": f"{model.context_length:,}" if model.context_length else "",
        "reads": ", ".join(model.input_modalities),
        "writes": ", ".join(model.output_modalities),
        "leaves": model.expires.isoformat() if model.expires else "",
        "parameters": ", ".join(sorted(model.parameters)),
    }
    return [[name, fact] for name, fact in facts.items() if fact]


def _describe_endpoints(endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    titles = ["endpoint", "provider", "in", "out", "context", "answer", "quantization", "ZDR", "status"]
    yield from align(
        [titles, *map(_endpoint_cells, endpoints)], right=frozenset({2, 3, 4, 5, 8}), indent="  "
    )
    yield "  in and out in USD per million tokens; answer: the most tokens; status: below 0 after an outage"
    for endpoint in endpoints:
        for override in endpoint.prices.overrides:
            yield visible(f"  {endpoint.tag} {_describe_override(override)}")


def _endpoint_cells(endpoint: Endpoint) -> list[str]:
    return [
        endpoint.tag,
        endpoint.provider,
        plain(endpoint.prices.prompt_per_million),
        plain(endpoint.prices.completion_per_million),
        f"{endpoint.context_length:,}",
        f"{endpoint.completion_limit:,}",
        endpoint.quantization,
        _ZDR[endpoint.zdr],
        str(endpoint.status),
    ]


def _describe_override(override: Override) -> str:
    """Say when other prices apply: ``above 200,000 prompt tokens: prompt 6, completion 22.5``."""
    when = []
    if override.min_prompt_tokens is not None:
        when.append(f"above {override.min_prompt_tokens:,} prompt tokens")
    if override.timed:
        start, end = override.utc_start or 0, 2400 if override.utc_end is None else override.utc_end
        when.append(f"from {start // 100:02}:{start % 100:02} to {end // 100:02}:{end % 100:02} UTC")
    rates = [f"{kind} {plain(rate * MILLION)}" for kind, rate in override.rates.items() if kind in _PER_TOKEN]
    return f"{', '.join(when)}: {', '.join(rates) or 'other prices'}"


def model_to_json(found: Resolution) -> dict[str, Any]:
    """Return a model and its endpoints as plain data; prices are decimal strings in USD per million tokens."""
    listed, model = found.listed, found.model
    assert listed is not None  # noqa: S101 - a miss is not shown
    shown = model or listed
    endpoints = (
        None if model is None or model.endpoints is None else [*map(_endpoint_to_json, model.endpoints)]
    )
    return {
        "id": listed.id,
        "name": listed.name,
        "alias_of": listed.alias_of,
        "canonical_slug": shown.canonical_slug,
        "context_length": shown.context_length,
        "expires": shown.expires.isoformat() if shown.expires else None,
        "input_modalities": list(shown.input_modalities),
        "output_modalities": list(shown.output_modalities),
        "parameters": sorted(shown.parameters),
        "endpoints": endpoints,
    }


def _endpoint_to_json(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "tag": endpoint.tag,
        "provider": endpoint.provider,
        "prompt": plain(endpoint.prices.prompt_per_million),
        "completion": plain(endpoint.prices.completion_per_million),
        "context_length": endpoint.context_length,
        "max_completion_tokens": endpoint.max_completion_tokens,
        "quantization": endpoint.quantization,
        "zdr": endpoint.zdr,
        "status": endpoint.status,
        "parameters": sorted(endpoint.parameters),
    }
