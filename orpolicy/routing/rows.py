"""One line of JSON for every provider, model and endpoint: the content of a snapshot, and what its digest is about.

Rows are sorted, keys come in one order, what is empty is left out and a price is a decimal string in USD per unit, so
that equal catalogues have equal texts and a pull changes only the lines of what changed. Uptime percentages change with
every pull and are left out: ``status`` says what they come down to.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from orpolicy.errors import CatalogError
from orpolicy.routing.offers import Endpoint, Model, Provider
from orpolicy.routing.prices import ROUTER_PRICE, ZERO, Override, Prices, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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


CONDITIONS = ("min_prompt_tokens", "utc_start", "utc_end")
_NOT_RATES = {"discount", "overrides", *CONDITIONS}


def read_prices(row: Mapping[str, Any], *, router: bool = False) -> Prices:
    """Read prices as the API and the snapshot write them.

    Raises:
        CatalogError: a price is no decimal, or negative where only a router's may be (``"-1"``).
    """
    rates = _read_rates(row, router=router)
    overrides = tuple(
        Override(_read_rates(entry, router=router), *(_read_condition(entry, key) for key in CONDITIONS))
        for entry in row.get("overrides") or ()
    )
    discount = read_decimal(row.get("discount") or 0, "discount")
    if discount >= 1:
        raise CatalogError(f"a discount of {discount} would leave no price: it is a fraction below 1")
    return Prices(rates, discount, overrides)


def _read_rates(row: Mapping[str, Any], *, router: bool) -> dict[str, Decimal]:
    rates = {
        kind: read_decimal(rate, kind)
        for kind, rate in row.items()
        if kind not in _NOT_RATES and rate is not None
    }
    for kind, rate in rates.items():
        if rate < ZERO and not (router and rate == ROUTER_PRICE):
            raise CatalogError(f"the price {kind!r} is negative ({rate}), which only a router's may be (-1)")
    return rates


def _read_condition(entry: Mapping[str, Any], key: str) -> int | None:
    value = entry.get(key)
    return None if value is None else int(read_decimal(value, key))


def read_decimal(value: object, what: str) -> Decimal:
    """Read a decimal from a JSON number or a numeric string.

    Raises:
        CatalogError: it is neither, or not finite.
    """
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise CatalogError(f"{what} is not a number: {value!r}")
    return number


def read_provider(row: Mapping[str, Any]) -> Provider:
    """Read a provider from the API or a snapshot."""
    datacenters = row.get("datacenters")
    return Provider(
        slug=row["slug"],
        name=row["name"],
        headquarters=row.get("headquarters"),
        datacenters=None if datacenters is None else tuple(datacenters),
    )


def read_model(row: Mapping[str, Any], endpoints: tuple[Endpoint, ...] | None) -> Model:
    """Read a model from a snapshot's row."""
    return Model(
        id=row["id"],
        name=row["name"],
        canonical_slug=row.get("canonical_slug", ""),
        alias_of=row.get("alias_of"),
        created=row.get("created", 0),
        expires=date.fromisoformat(row["expires"]) if "expires" in row else None,
        context_length=row.get("context_length"),
        max_completion_tokens=row.get("max_completion_tokens"),
        moderated=row.get("moderated", False),
        input_modalities=tuple(row.get("input", ())),
        output_modalities=tuple(row.get("output", ())),
        tokenizer=row.get("tokenizer", ""),
        hugging_face_id=row.get("hugging_face_id"),
        prices=read_prices(row["prices"], router=True),
        parameters=frozenset(row.get("parameters", ())),
        reasoning=row.get("reasoning"),
        endpoints=None if row.get("endpoints_unknown") else endpoints,
    )


def read_endpoint(row: Mapping[str, Any]) -> Endpoint:
    """Read an endpoint from a snapshot's row."""
    return Endpoint(
        model=row["model"],
        tag=row["tag"],
        provider=row["provider"],
        served_as=row.get("served_as", row["model"]),
        quantization=row.get("quantization", "unknown"),
        service_tier=row.get("service_tier"),
        context_length=row["context_length"],
        max_completion_tokens=row.get("max_completion_tokens"),
        max_prompt_tokens=row.get("max_prompt_tokens"),
        prices=read_prices(row["prices"]),
        zdr=row.get("zdr"),
        status=row.get("status", 0),
        implicit_caching=row.get("implicit_caching", False),
        latency=read_percentiles(row.get("latency")),
        throughput=read_percentiles(row.get("throughput")),
        parameters=frozenset(row.get("parameters", ())),
    )


def read_percentiles(row: Mapping[str, Any] | None) -> Mapping[str, Decimal] | None:
    """Read percentile → value; ``None`` and an empty object both say that nothing is known."""
    return (
        {name: read_decimal(value, name) for name, value in row.items() if value is not None} if row else None
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
