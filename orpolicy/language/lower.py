"""A preset → the request that OpenRouter understands: one table, and a few honest exceptions.

===========================  ============================================================================
of a preset                  in the request
===========================  ============================================================================
the keys of ``BODY``         the body's keys, in the table's order, under their own names
``provider.max_price``       decimal strings, as OpenRouter's OpenAPI types them (fact 26)
``route``                    ``provider.sort.partition``, its documented successor (fact 18)
``transforms``               the ``context-compression`` plugin (fact 96)
``system``                   the first message, at request time
``attribution``, ``cache_*`` headers
``anthropic_beta``           the ``x-anthropic-beta`` header
``region``                   the base URL (fact 73)
``max_cost``                 kept beside the body: a ceiling that is enforced before anything is sent
``description``, ``slug``    not sent
===========================  ============================================================================

Keys are written in one order at every depth, so that files which say the same are the same bytes: that of the table, that of
our own values, and below them ``type``, ``id`` and ``name`` first, the others by the alphabet. Only JSON Schemas keep the
order of their author, in which models write their answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from orpolicy.language.building import JSON_SCHEMAS
from orpolicy.language.lowered import BASE_URLS, Lowered

if TYPE_CHECKING:
    from orpolicy.language.model import Usd
    from orpolicy.language.source import Path

SIDE: tuple[str, ...] = (
    "description",
    "slug",
    "system",
    "region",
    "max_cost",
    "attribution",
    "cache_enabled",
    "cache_ttl_seconds",
    "anthropic_beta",
)
"""Attributes that do not travel in the body."""

FOLDED: tuple[str, ...] = ("route", "transforms")
"""Deprecated attributes that OpenRouter documents as exact aliases; they are folded into their successors."""


def lower(data: Mapping[str, Any]) -> Lowered:
    """Write the data of a composed preset, valid by the schema, as a request body with its keys in canonical order."""
    moved: dict[Path, Path] = {}
    folded = data if data.keys().isdisjoint(FOLDED) else _fold(data, moved)
    body: dict[str, Any] = {}
    for key in _choose_keys(tuple(folded)):
        value = folded[key]
        body[key] = value if type(value) in _PLAIN else _write_ordered(value, (key,))
    headers, ceiling = dict(_write_headers(data)), data.get("max_cost")
    max_cost = None if ceiling is None else cast("Usd", Decimal(ceiling))
    return Lowered(body, headers, BASE_URLS[data.get("region")], data.get("system"), max_cost, moved)


@lru_cache(maxsize=4096)
def _choose_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Choose the keys of the body among these, in canonical order."""
    return tuple(key for key in _sort_keys((), keys) if key in BODY)


def order_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """Put the keys of a body in canonical order; messages, and whatever else the table lacks, come last."""
    ordered = {key: body[key] for key in BODY if key in body}
    return ordered | {key: value for key, value in body.items() if key not in ordered}


def write_price(amount: Decimal) -> str:
    """Write an amount as the shortest plain decimal: ``1.50`` becomes ``"1.5"``, ``1E+2`` becomes ``"100"``."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def write_json(value: Any) -> Any:
    """Write a value as JSON: tuples as lists, decimals as numbers; the result shares nothing with the input.

    A decimal without a fraction becomes an integer, so that ``1``, ``1.0`` and ``1e0`` are the same bytes.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict or isinstance(value, Mapping):
        return {key: item if type(item) in _PLAIN else write_json(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [item if type(item) in _PLAIN else write_json(item) for item in value]
    if kind is Decimal:
        return int(value) if value == value.to_integral_value() else float(value)
    return value


_PLAIN = frozenset((str, int, bool))
"""Types that need no writing; asked for first, as nearly all values are of one of them."""


def order_keys(path: Path, keys: Iterable[str]) -> Sequence[str]:
    """Put the keys of a mapping at a path of the body in the order in which they are sent."""
    names = tuple(part for part in path if isinstance(part, str))
    if any(names[: len(root)] == root for root in JSON_SCHEMAS):
        return tuple(keys)
    return _sort_keys(names, tuple(keys))


@lru_cache(maxsize=4096)
def _sort_keys(names: Path, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Sort keys; presets have the same few sets of them again and again."""
    known = _ORDERS.get(names, _LEADING)
    last = len(known)
    return tuple(sorted(keys, key=lambda key: (known.get(key, last), key)))


_LEADING = {"type": 0, "id": 1, "name": 2}


def _write_ordered(value: Any, path: Path) -> Any:
    """Write a value as JSON with the keys of its mappings in canonical order; ``path`` holds no list numbers."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list or kind is tuple:
        return [item if type(item) in _PLAIN else _write_ordered(item, path) for item in value]
    if kind is dict or isinstance(value, Mapping):
        if path in _WRITERS:
            return _WRITERS[path](value)
        return {
            key: item if type(item) in _PLAIN else _write_ordered(item, (*path, key))
            for key in _sort_keys(path, tuple(value))
            for item in (value[key],)
        }
    return write_json(value)


def _write_prices(prices: Mapping[str, Any]) -> dict[str, str]:
    return {name: write_price(Decimal(prices[name])) for name in _sort_keys(_MAX_PRICE, tuple(prices))}


_MAX_PRICE = ("provider", "max_price")

_WRITERS: Mapping[Path, Callable[[Any], Any]] = {
    **dict.fromkeys(JSON_SCHEMAS, write_json),
    _MAX_PRICE: _write_prices,
}
"""Mappings that are not written as the others are, by their path."""


def _fold(data: Mapping[str, Any], moved: dict[Path, Path]) -> dict[str, Any]:
    """Put what deprecated keys say where their successors stand."""
    folded = {"provider": _fold_route(data, moved), "plugins": _fold_transforms(data, moved)}
    return {**data, **{key: value for key, value in folded.items() if value is not None}}


def _fold_route(data: Mapping[str, Any], moved: dict[Path, Path]) -> Mapping[str, Any] | None:
    """Put the deprecated ``route`` where its successor stands, unless that is set itself (fact 18)."""
    provider: Mapping[str, Any] = data.get("provider", {})
    said = provider.get("sort")
    sort = said if isinstance(said, Mapping) else {} if said is None else {"by": said}
    if "route" not in data or "partition" in sort:
        return data.get("provider")
    moved["provider", "sort", "partition"] = ("route",)
    if isinstance(said, str):
        moved["provider", "sort", "by"] = ("provider", "sort")
    partition = {"fallback": "model", "sort": "none"}[data["route"]]
    return {**provider, "sort": {**sort, "partition": partition}}


def _fold_transforms(data: Mapping[str, Any], moved: dict[Path, Path]) -> Sequence[Any] | None:
    """Write the deprecated ``transforms`` as the plugin that took its place, unless that is listed itself."""
    plugins: Sequence[Any] | None = data.get("plugins")
    if "transforms" not in data or any(plugin["id"] == "context-compression" for plugin in plugins or ()):
        return plugins
    plugin: dict[str, Any] = {"id": "context-compression"}
    if not data["transforms"]:
        plugin["enabled"] = False
    moved["plugins", len(plugins or ())] = ("transforms",)
    return (*(plugins or ()), plugin)


def _write_headers(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    who = data.get("attribution", {})
    if "referer" in who:
        yield "HTTP-Referer", who["referer"]
    if "title" in who:
        yield "X-OpenRouter-Title", who["title"]
    if who.get("categories"):
        yield "X-OpenRouter-Categories", ",".join(who["categories"])
    if "cache_enabled" in data:
        yield "X-OpenRouter-Cache", "true" if data["cache_enabled"] else "false"
    if "cache_ttl_seconds" in data:
        yield "X-OpenRouter-Cache-TTL", str(int(data["cache_ttl_seconds"]))
    if data.get("anthropic_beta"):
        yield "x-anthropic-beta", ",".join(data["anthropic_beta"])


BODY: tuple[str, ...] = (
    *("model", "models", "preset"),
    "provider",
    *("service_tier", "speed"),
    *("temperature", "top_p", "top_k", "min_p", "top_a"),
    *("frequency_penalty", "presence_penalty", "repetition_penalty"),
    *("seed", "stop", "logit_bias", "logprobs", "top_logprobs"),
    *("max_completion_tokens", "max_tokens"),
    *("reasoning", "reasoning_effort", "include_reasoning", "thinking", "verbosity"),
    *("response_format", "structured_outputs"),
    *("tools", "tool_choice", "parallel_tool_calls", "max_tool_calls"),
    *("stop_server_tools_when", "deferred_tools"),
    *("plugins", "web_search_options", "x_search_filter"),
    *("modalities", "audio", "image_config", "prediction"),
    *("cache_control", "prompt_cache_key", "prompt_cache_options"),
    *("session_id", "user", "metadata", "trace", "usage", "stream_options", "debug"),
)
"""Every key of the body, in canonical order."""

_PERCENTILES = ("p50", "p75", "p90", "p99")

INNER: Mapping[Path, tuple[str, ...]] = {
    ("provider",): (
        *("order", "only", "ignore", "allow_fallbacks", "sort", "require_parameters"),
        *("data_collection", "zdr", "enforce_distillable_text", "quantizations", "max_price"),
        *("preferred_min_throughput", "preferred_max_latency", "options"),
    ),
    ("provider", "sort"): ("by", "partition"),
    _MAX_PRICE: ("prompt", "completion", "request", "image", "audio"),
    ("provider", "preferred_min_throughput"): _PERCENTILES,
    ("provider", "preferred_max_latency"): _PERCENTILES,
    ("reasoning",): ("effort", "summary", "max_tokens", "enabled", "exclude"),
    ("attribution",): ("referer", "title", "categories"),
}
"""The keys of our own values, in canonical order."""

_ORDERS: Mapping[Path, Mapping[str, int]] = {
    path: {key: place for place, key in enumerate(keys)}
    for path, keys in {(): (*BODY, *FOLDED, *SIDE), **INNER}.items()
}
