"""A composed preset as frozen values: the typed view for those who ask for it.

Keys keep OpenRouter's own names and nesting. Only what orpolicy reasons about is typed in depth (routing, money,
reasoning budgets); tools, plugins and response formats stay JSON, as their shapes are the schema's business. Without slots,
a value of sixty attributes is made, and read, in half the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, NewType, TypeVar, Union, get_args, get_origin

import cattrs
from attrs import frozen
from cattrs.gen import make_dict_structure_fn

Usd = NewType("Usd", Decimal)
"""An amount in US dollars; per million tokens where a field says so."""

Json = Any
"""JSON with decimals for numbers that are not integers."""


@frozen(slots=False)
class MaxPrice:
    """Price ceilings: USD per million tokens, per request, per image and per audio unit (fact 25)."""

    prompt: Usd | None = None
    completion: Usd | None = None
    request: Usd | None = None
    image: Usd | None = None
    audio: Usd | None = None


@frozen(slots=False)
class Percentiles:
    """Cut-offs by percentile: seconds for a latency, tokens per second for a throughput (fact 31)."""

    p50: Decimal | None = None
    p75: Decimal | None = None
    p90: Decimal | None = None
    p99: Decimal | None = None


@frozen(slots=False)
class Sort:
    """How endpoints are ranked, and whether across models (fact 17)."""

    by: str | None = None
    partition: str | None = None


@frozen(slots=False)
class Provider:
    """Provider preferences: which endpoints may serve, and in which order (facts 11 to 36)."""

    order: tuple[str, ...] | None = None
    only: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    allow_fallbacks: bool | None = None
    sort: str | Sort | None = None
    require_parameters: bool | None = None
    data_collection: str | None = None
    zdr: bool | None = None
    enforce_distillable_text: bool | None = None
    quantizations: tuple[str, ...] | None = None
    max_price: MaxPrice | None = None
    preferred_min_throughput: Decimal | Percentiles | None = None
    preferred_max_latency: Decimal | Percentiles | None = None
    options: Mapping[str, Json] | None = None


@frozen(slots=False)
class Reasoning:
    """How much a model thinks before it answers; ``max_tokens`` is a budget in tokens (facts 127 to 129)."""

    effort: str | None = None
    summary: str | None = None
    max_tokens: int | None = None
    enabled: bool | None = None
    exclude: bool | None = None


@frozen(slots=False)
class Attribution:
    """Who sends: the headers by which OpenRouter attributes traffic to an application."""

    referer: str | None = None
    title: str | None = None
    categories: tuple[str, ...] | None = None


@frozen(slots=False)
class Preset:
    """A preset after composition; ``None`` stands for a key that nobody set."""

    description: str | None = None
    slug: str | None = None
    system: str | None = None
    region: str | None = None
    max_cost: Usd | None = None
    attribution: Attribution | None = None
    cache_enabled: bool | None = None
    cache_ttl_seconds: int | None = None
    anthropic_beta: tuple[str, ...] | None = None

    model: str | None = None
    models: tuple[str, ...] | None = None
    preset: str | None = None
    provider: Provider | None = None
    route: str | None = None
    service_tier: str | None = None
    speed: str | None = None
    temperature: Decimal | None = None
    top_p: Decimal | None = None
    top_k: int | None = None
    min_p: Decimal | None = None
    top_a: Decimal | None = None
    frequency_penalty: Decimal | None = None
    presence_penalty: Decimal | None = None
    repetition_penalty: Decimal | None = None
    seed: int | None = None
    stop: str | tuple[str, ...] | None = None
    logit_bias: Mapping[str, Json] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    reasoning: Reasoning | None = None
    reasoning_effort: str | None = None
    include_reasoning: bool | None = None
    thinking: Mapping[str, Json] | None = None
    verbosity: str | None = None
    response_format: Mapping[str, Json] | None = None
    structured_outputs: bool | None = None
    tools: tuple[Json, ...] | None = None
    tool_choice: Json | None = None
    parallel_tool_calls: bool | None = None
    max_tool_calls: int | None = None
    stop_server_tools_when: tuple[Json, ...] | None = None
    deferred_tools: Mapping[str, Json] | None = None
    plugins: tuple[Json, ...] | None = None
    transforms: tuple[str, ...] | None = None
    web_search_options: Mapping[str, Json] | None = None
    x_search_filter: Mapping[str, Json] | None = None
    modalities: tuple[str, ...] | None = None
    audio: Mapping[str, Json] | None = None
    image_config: Mapping[str, Json] | None = None
    prediction: Mapping[str, Json] | None = None
    cache_control: Mapping[str, Json] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Mapping[str, Json] | None = None
    session_id: str | None = None
    user: str | None = None
    metadata: Mapping[str, Json] | None = None
    trace: Mapping[str, Json] | None = None
    usage: Mapping[str, Json] | None = None
    stream_options: Mapping[str, Json] | None = None
    debug: Mapping[str, Json] | None = None


T = TypeVar("T")


def structure(data: Mapping[str, Any]) -> Preset:
    """Read composed data, already valid by the schema, as a ``Preset``."""
    return _structurer().structure(data, Preset)


@cache
def _structurer() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_structure_hook(Usd, lambda value, _: Decimal(value))
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    converter.register_structure_hook(int, lambda value, _: int(value))
    converter.register_structure_hook(str, _keep)
    converter.register_structure_hook(bool, _keep)
    converter.register_structure_hook_func(lambda kind: kind in (Json, Mapping[str, Json]), _keep)
    converter.register_structure_hook_func(_is_tuple, lambda value, _: tuple(value))
    converter.register_structure_hook_factory(_is_optional, partial(_choose_inner, converter))
    converter.register_structure_hook(str | tuple[str, ...] | None, _keep_text_or_tuple)
    converter.register_structure_hook(str | Sort | None, _choose_object(converter, Sort))
    converter.register_structure_hook(Decimal | Percentiles | None, _choose_object(converter, Percentiles))
    for cls in _CLASSES:
        hook: Any = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True)
        converter.register_structure_hook(cls, hook)
    return converter


_CLASSES: tuple[type, ...] = (MaxPrice, Percentiles, Sort, Provider, Reasoning, Attribution, Preset)
"""Inner ones first."""


def _keep(value: Any, _: Any) -> Any:
    return value


def _is_tuple(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is tuple


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and len(get_args(kind)) == 2 and NoneType in get_args(kind)


def _choose_inner(converter: cattrs.Converter, kind: Any) -> Any:
    """Structure a value that is there, whatever may be absent: composed data hold no null."""
    (inner,) = (arg for arg in get_args(kind) if arg is not NoneType)
    hook = converter.get_structure_hook(inner)
    return hook if hook is _keep else lambda value, _: hook(value, inner)


def _keep_text_or_tuple(value: Any, _: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _choose_object(converter: cattrs.Converter, cls: type[T]) -> Any:
    """Structure a mapping as ``cls`` and keep a scalar: the short form of the same setting."""

    def choose(value: Any, _: Any) -> Any:
        if isinstance(value, dict):
            return converter.structure(value, cls)
        return Decimal(value) if isinstance(value, int) else value

    return choose
