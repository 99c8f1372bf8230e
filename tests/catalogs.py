"""Catalogues for tests: random ones with bodies to route over them, and the demonstration at a moment that does not move."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from attrs import evolve
from hypothesis import strategies as st

from orpolicy.routing.catalog import Catalog, Endpoint, Model, Override, Prices, Provider
from orpolicy.routing.snapshot import demonstration

if TYPE_CHECKING:
    from orpolicy.language.source import Path

NOW = datetime(2026, 8, 23, tzinfo=UTC)
LEAVING = {
    "google/gemini-3-flash-preview": date(2026, 10, 31),
    "meta-llama/llama-3.3-70b-instruct": date(2026, 8, 1),
    "deepseek/deepseek-v3.2": date(2098, 12, 31),
}
"""Models that leave, have left, or carry a day that means nothing."""

CATALOG = evolve(
    demonstration(),
    complete=True,
    models=[evolve(model, expires=LEAVING.get(model.id)) for model in demonstration().models],
)
"""As if it listed every model, so that it may deny the others."""

SLUGS = ("anthropic", "google-vertex", "openai", "together")
TAGS = (*SLUGS, "google-vertex/us", "google-vertex/eu", "together/fp8", "openai/flex", "openai/priority")
UNTIERED = tuple(tag for tag in TAGS if not tag.endswith(("/flex", "/priority")))
PARAMETERS = ("max_tokens", "temperature", "tools", "response_format", "top_k", "verbosity")
LEVELS = ("unknown", "fp8", "mxfp8", "fp4", "bf16")
IDS = ("m/a", "m/b", "m/c")


def make_prices(dice: Random) -> Prices:
    def rates() -> dict[str, Decimal]:
        return {kind: Decimal(dice.randint(0, 12)) / 10_000_000 for kind in ("prompt", "completion")}

    match dice.randint(0, 3):
        case 0:
            overrides = (Override(rates(), min_prompt_tokens=dice.choice([10, 5000])),)
        case 1:
            overrides = (Override(rates(), utc_start=dice.choice([0, 800]), utc_end=1400),)
        case _:
            overrides = ()
    return Prices(rates(), overrides=overrides)


def make_statistics(dice: Random) -> dict[str, Decimal] | None:
    median = dice.randint(1, 200)
    return dice.choice([None, {"p50": Decimal(median), "p90": Decimal(median * 2)}])


def make_endpoint(dice: Random, model: str) -> Endpoint:
    tag = dice.choice(TAGS)
    return Endpoint(
        model=model,
        tag=tag,
        provider=tag.partition("/")[0].title(),
        prices=make_prices(dice),
        context_length=dice.choice([4000, 8192, 100_000]),
        max_completion_tokens=dice.choice([None, 1000, 50_000]),
        quantization=dice.choice(LEVELS),
        parameters=frozenset(dice.sample(PARAMETERS, dice.randint(0, len(PARAMETERS)))),
        zdr=dice.choice([True, False, None]),
        status=dice.choice([0, 0, -2]),
        latency=make_statistics(dice),
        throughput=make_statistics(dice),
    )


def make_catalog(seed: int) -> Catalog:
    dice = Random(seed)
    models = [
        Model(
            id=name,
            name=name,
            prices=Prices({}),
            context_length=dice.choice([8192, 100_000]),
            endpoints=tuple(make_endpoint(dice, name) for _ in range(dice.randint(0, 6))),
        )
        for name in dice.sample(IDS, dice.randint(1, 3))
    ]
    return Catalog(models=models, providers=[Provider(slug, slug.title()) for slug in SLUGS])


catalogs = st.integers(0, 2**32).map(make_catalog)
"""Made from a seed: drawing every field would cost ten times the tests themselves."""

lists_of_providers = st.lists(st.sampled_from([*UNTIERED, "Together"]), min_size=1, max_size=3, unique=True)
CONSTRAINTS: dict[Path, st.SearchStrategy[Any]] = {
    ("provider", "only"): lists_of_providers,
    ("provider", "ignore"): lists_of_providers,
    ("provider", "quantizations"): st.lists(st.sampled_from(LEVELS), min_size=1, max_size=2, unique=True),
    ("provider", "max_price", "prompt"): st.integers(0, 12).map(lambda tenths: str(Decimal(tenths) / 10)),
    ("provider", "max_price", "completion"): st.integers(0, 12).map(lambda tenths: str(Decimal(tenths) / 10)),
    ("provider", "zdr"): st.just(True),
    ("provider", "require_parameters"): st.just(True),
    ("provider", "data_collection"): st.just("deny"),
    ("max_tokens",): st.sampled_from([500, 5000, 60_000]),
}
SETTINGS: dict[Path, st.SearchStrategy[Any]] = {
    ("provider", "order"): st.lists(st.sampled_from(TAGS), min_size=1, max_size=3, unique=True),
    ("provider", "allow_fallbacks"): st.booleans(),
    ("provider", "sort"): st.sampled_from(
        ["price", "throughput", "latency", "exacto", {"by": "price", "partition": "none"}]
    ),
    ("provider", "preferred_max_latency"): st.sampled_from(
        [Decimal("0.1"), {"p50": 1, "p90": Decimal("0.2")}]
    ),
    ("provider", "preferred_min_throughput"): st.integers(1, 200),
    ("service_tier",): st.sampled_from(["flex", "priority", "fast", "default"]),
    ("tools",): st.just([{"type": "function", "function": {"name": "look"}}]),
    ("top_k",): st.just(3),
    ("verbosity",): st.just("low"),
}


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    suffix = draw(st.sampled_from(["", "", ":nitro", ":floor", ":exacto"]))
    names = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True))
    body: dict[str, Any] = {"models": [name + suffix for name in names]}
    for path, values in (CONSTRAINTS | SETTINGS).items():
        if draw(st.integers(0, 3)) == 0:
            body = with_value(body, path, draw(values))
    return body


def with_value(body: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    body = copy.deepcopy(body)
    inner = body
    for part in path[:-1]:
        inner = inner.setdefault(part, {})
    inner[path[-1]] = value
    return body


def without(body: dict[str, Any], paths: Any) -> dict[str, Any]:
    body = copy.deepcopy(body)
    for path in paths:
        inner = body
        for part in path[:-1]:
            inner = inner.get(part, {})
        inner.pop(path[-1], None)
    return body
