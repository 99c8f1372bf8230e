"""The real catalogue, and small ones written down in tests."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from orpolicy.routing.answers import read_folder
from orpolicy.routing.catalog import Catalog, Endpoint, Model, Override, Prices, Provider

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = {
    "google-vertex": "Google",
    "amazon-bedrock": "Amazon Bedrock",
    "openai": "OpenAI",
    "anthropic": "Anthropic",
}


@pytest.fixture(scope="session")
def real(shared: Path) -> Catalog:
    """The complete catalogue of 22 August 2026."""
    return read_folder(shared / "catalog")


def per_token(amount: object) -> Decimal:
    return Decimal(str(amount)) / 1_000_000


def make_prices(prompt: object = 1, completion: object = 1, **more: Any) -> Prices:
    """Make prices of USD per million tokens; ``overrides`` are mappings with conditions and prices."""
    rates = {"prompt": per_token(prompt), "completion": per_token(completion)}
    rates |= {kind: Decimal(str(rate)) for kind, rate in more.get("rates", {}).items()}
    overrides = []
    for entry in more.get("overrides", ()):
        conditions = {
            key: entry[key] for key in ("min_prompt_tokens", "utc_start", "utc_end") if key in entry
        }
        replaced = {key: per_token(value) for key, value in entry.items() if key in ("prompt", "completion")}
        overrides.append(Override(replaced, **conditions))
    return Prices(rates, Decimal(str(more.get("discount", 0))), tuple(overrides))


def make_endpoint(model: str, tag: str, prompt: object = 1, completion: object = 1, **more: Any) -> Endpoint:
    """Make an endpoint; prices are USD per million tokens."""
    priced = {key: more.pop(key) for key in ("rates", "overrides", "discount") if key in more}
    prices = make_prices(prompt, completion, **priced)
    prefix = tag.partition("/")[0]
    statistics = {
        name: {p: Decimal(str(v)) for p, v in more.pop(name).items()}
        for name in ("latency", "throughput")
        if name in more
    }
    parameters = frozenset(more.pop("parameters", ("max_tokens", "temperature", "tools", "tool_choice")))
    defaults = {
        "provider": NAMES.get(prefix, prefix.title()),
        "context_length": 100_000,
        "zdr": False,
        "served_as": model,
    }
    return Endpoint(
        model=model, tag=tag, prices=prices, parameters=parameters, **{**defaults, **statistics, **more}
    )


def make_catalog(
    endpoints: list[Endpoint], models: dict[str, dict[str, Any]] | None = None, **more: Any
) -> Catalog:
    """Make a catalogue of endpoints; ``models`` adds models without any, and fields of models."""
    extra = dict(models or {})
    ids = dict.fromkeys([*(endpoint.model for endpoint in endpoints), *extra])
    made = []
    for name in ids:
        fields = dict(extra.get(name, {}))
        own = tuple(endpoint for endpoint in endpoints if endpoint.model == name)
        prices = fields.pop("prices", None) or make_prices()
        made.append(
            Model(
                **{
                    "id": name,
                    "name": name,
                    "canonical_slug": name,
                    "prices": prices,
                    "context_length": 100_000,
                    "endpoints": own,
                    **fields,
                }
            )
        )
    slugs = dict.fromkeys(endpoint.prefix for endpoint in endpoints)
    providers = [Provider(slug, NAMES.get(slug, slug.title())) for slug in slugs]
    return Catalog(models=made, providers=more.pop("providers", providers), **more)


@pytest.fixture(scope="session")
def endpoint() -> Callable[..., Endpoint]:
    """``endpoint(model, tag, prompt, completion, …)``, prices in USD per million tokens."""
    return make_endpoint


@pytest.fixture(scope="session")
def catalog() -> Callable[..., Catalog]:
    """``catalog([endpoint, …], models={…})``."""
    return make_catalog
