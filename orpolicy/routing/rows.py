"""One line of JSON for every provider, model and endpoint: the content of a snapshot, and what its digest is about.

Rows are sorted, keys come in one order, what is empty is left out and a price is a decimal string in USD per unit, so
that equal catalogues have equal texts and a pull changes only the lines of what changed. Uptime percentages change with
every pull and are left out: ``status`` says what they come down to.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orpolicy.errors import CatalogError
from orpolicy.routing.fields import (
    read_clock,
    read_count,
    read_day,
    read_decimal,
    read_facts,
    read_fields,
    read_flag,
    read_list,
    read_mapping,
    read_text,
    read_texts,
    read_whole,
)
from orpolicy.routing.offers import Endpoint, Model, Provider
from orpolicy.routing.prices import ROUTER_PRICE, ZERO, Override, Prices, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from orpolicy.routing.fields import Reader

Row = dict[str, Any]


def write_content(providers: Iterable[Provider], models: Sequence[Model]) -> str:
    """Return the JSON members ``providers``, ``models`` and ``endpoints``, one row a line."""
    endpoints = (endpoint for model in models for endpoint in model.endpoints or ())
    parts = (
        ("providers", map(_provider_row, providers)),
        ("models", map(_model_row, models)),
        ("endpoints", map(_endpoint_row, endpoints)),
    )
    return ",\n".join(_write_member(name, rows) for name, rows in parts)


def _write_member(name: str, rows: Iterable[Row]) -> str:
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    return f'"{name}": [\n' + ",\n".join(lines) + "\n]" if lines else f'"{name}": []'


def _without_empty(row: Row) -> Row:
    return {key: value for key, value in row.items() if value not in (None, [], "")}


def _provider_row(provider: Provider) -> Row:
    return {
        "slug": provider.slug,
        "name": provider.name,
        **({"headquarters": provider.headquarters} if provider.headquarters is not None else {}),
        **({"datacenters": list(provider.datacenters)} if provider.datacenters is not None else {}),
    }


def _model_row(model: Model) -> Row:
    return _without_empty(
        {
            "id": model.id,
            "name": model.name,
            "canonical_slug": model.canonical_slug,
            "alias_of": model.alias_of,
            "created": model.created,
            "expires": model.expires.isoformat() if model.expires else None,
            "context_length": model.context_length,
            "max_completion_tokens": model.max_completion_tokens,
            "moderated": model.moderated or None,
            "input": list(model.input_modalities),
            "output": list(model.output_modalities),
            "tokenizer": model.tokenizer,
            "hugging_face_id": model.hugging_face_id,
            "prices": _write_prices(model.prices),
            "parameters": sorted(model.parameters),
            "reasoning": dict(model.reasoning) if model.reasoning is not None else None,
            "endpoints_unknown": model.endpoints is None or None,
        }
    )


def _endpoint_row(endpoint: Endpoint) -> Row:
    return _without_empty(
        {
            "model": endpoint.model,
            "tag": endpoint.tag,
            "provider": endpoint.provider,
            "served_as": endpoint.served_as if endpoint.served_as != endpoint.model else None,
            "quantization": endpoint.quantization,
            "service_tier": endpoint.service_tier,
            "context_length": endpoint.context_length,
            "max_completion_tokens": endpoint.max_completion_tokens,
            "max_prompt_tokens": endpoint.max_prompt_tokens,
            "prices": _write_prices(endpoint.prices),
            "zdr": endpoint.zdr,
            "status": endpoint.status or None,
            "implicit_caching": endpoint.implicit_caching or None,
            "latency": _write_rates(endpoint.latency) if endpoint.latency else None,
            "throughput": _write_rates(endpoint.throughput) if endpoint.throughput else None,
            "parameters": sorted(endpoint.parameters),
        }
    )


def _write_rates(rates: Mapping[str, Decimal]) -> Row:
    return {kind: plain(rate) for kind, rate in rates.items()}


def _write_prices(prices: Prices) -> Row:
    row: Row = _write_rates(prices.rates)
    if prices.discount:
        row["discount"] = plain(prices.discount)
    if prices.overrides:
        row["overrides"] = [
            {key: getattr(override, key) for key in CONDITIONS if getattr(override, key) is not None}
            | _write_rates(override.rates)
            for override in prices.overrides
        ]
    return row


CONDITIONS: Mapping[str, Reader] = {
    "min_prompt_tokens": read_count,
    "utc_start": read_clock,
    "utc_end": read_clock,
}
_NOT_RATES = {"discount", "overrides", *CONDITIONS}


def read_prices(row: Any, *, router: bool = False) -> Prices:
    """Read prices as the API and the snapshot write them.

    Raises:
        CatalogError: a price is no decimal, or negative where only a router's may be (``"-1"``).
    """
    rates = _read_rates(row, router=router)
    overrides = tuple(
        Override(_read_rates(entry, router=router), **read_fields(entry, CONDITIONS))
        for entry in read_list(row.get("overrides") or [], "overrides")
    )
    discount = read_decimal(row.get("discount") or 0, "discount")
    if discount >= 1:
        raise CatalogError(f"a discount of {discount} would leave no price: it is a fraction below 1")
    return Prices(rates, discount, overrides)


def _read_rates(row: Any, *, router: bool) -> dict[str, Decimal]:
    rates = {
        kind: read_decimal(rate, kind)
        for kind, rate in read_mapping(row, "a price list").items()
        if kind not in _NOT_RATES and rate is not None
    }
    for kind, rate in rates.items():
        if rate < ZERO and not (router and rate == ROUTER_PRICE):
            raise CatalogError(f"the price {kind!r} is negative ({rate}), which only a router's may be (-1)")
    return rates


def read_percentiles(row: Any, what: str) -> Mapping[str, Decimal] | None:
    """Read percentile → value; an empty mapping says that nothing is known."""
    percentiles = read_mapping(row, what).items()
    return {name: read_decimal(value, name) for name, value in percentiles if value is not None} or None


PROVIDER: Mapping[str, Reader] = {
    "slug": read_text,
    "name": read_text,
    "headquarters": read_text,
    "datacenters": read_texts,
}
_MODEL: Mapping[str, Reader] = {
    "id": read_text,
    "name": read_text,
    "canonical_slug": read_text,
    "alias_of": read_text,
    "created": read_count,
    "expires": read_day,
    "context_length": read_count,
    "max_completion_tokens": read_count,
    "moderated": read_flag,
    "input": read_texts,
    "output": read_texts,
    "tokenizer": read_text,
    "hugging_face_id": read_text,
    "prices": lambda value, _: read_prices(value, router=True),
    "parameters": read_texts,
    "reasoning": read_facts,
    "endpoints_unknown": read_flag,
}
_ENDPOINT: Mapping[str, Reader] = {
    "model": read_text,
    "tag": read_text,
    "provider": read_text,
    "served_as": read_text,
    "quantization": read_text,
    "service_tier": read_text,
    "context_length": read_count,
    "max_completion_tokens": read_count,
    "max_prompt_tokens": read_count,
    "prices": lambda value, _: read_prices(value),
    "zdr": read_flag,
    "status": read_whole,
    "implicit_caching": read_flag,
    "latency": read_percentiles,
    "throughput": read_percentiles,
    "parameters": read_texts,
}


def read_provider(row: Any) -> Provider:
    """Read a provider from the API or a snapshot."""
    fields = read_fields(row, PROVIDER)
    return Provider(fields["slug"], fields["name"], fields.get("headquarters"), fields.get("datacenters"))


def read_model(row: Any, endpoints: Mapping[str, Sequence[Endpoint]]) -> Model:
    """Read a model from a snapshot's row; ``endpoints`` are those of all models."""
    fields = read_fields(row, _MODEL)
    return Model(
        id=fields["id"],
        name=fields["name"],
        canonical_slug=fields.get("canonical_slug", ""),
        alias_of=fields.get("alias_of"),
        created=fields.get("created", 0),
        expires=fields.get("expires"),
        context_length=fields.get("context_length"),
        max_completion_tokens=fields.get("max_completion_tokens"),
        moderated=fields.get("moderated", False),
        input_modalities=fields.get("input", ()),
        output_modalities=fields.get("output", ()),
        tokenizer=fields.get("tokenizer", ""),
        hugging_face_id=fields.get("hugging_face_id"),
        prices=fields["prices"],
        parameters=frozenset(fields.get("parameters", ())),
        reasoning=fields.get("reasoning"),
        endpoints=None if fields.get("endpoints_unknown") else tuple(endpoints.get(fields["id"], ())),
    )


def read_endpoint(row: Any) -> Endpoint:
    """Read an endpoint from a snapshot's row."""
    fields = read_fields(row, _ENDPOINT)
    return Endpoint(
        model=fields["model"],
        tag=fields["tag"],
        provider=fields["provider"],
        served_as=fields.get("served_as", fields["model"]),
        quantization=fields.get("quantization", "unknown"),
        service_tier=fields.get("service_tier"),
        context_length=fields["context_length"],
        max_completion_tokens=fields.get("max_completion_tokens"),
        max_prompt_tokens=fields.get("max_prompt_tokens"),
        prices=fields["prices"],
        zdr=fields.get("zdr"),
        status=fields.get("status", 0),
        implicit_caching=fields.get("implicit_caching", False),
        latency=fields.get("latency"),
        throughput=fields.get("throughput"),
        parameters=frozenset(fields.get("parameters", ())),
    )


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Say of a failure inside what was being read.

    Raises:
        CatalogError: a field is missing or of a wrong kind.
    """
    try:
        yield
    except KeyError as exc:
        raise CatalogError(f"{what}: the field {exc} is missing") from exc
    except (CatalogError, TypeError, ValueError, AttributeError) as exc:
        raise CatalogError(f"{what}: {exc}") from exc
