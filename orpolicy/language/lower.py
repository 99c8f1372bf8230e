"""A preset → the request that OpenRouter understands: one table, and a few honest exceptions.

===========================  ============================================================================
of a preset                  in the request
===========================  ============================================================================
the rows of ``BODY``         the body's keys, in the table's order, under their own names
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
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from attrs import evolve, fields, frozen

from orpolicy.language.building import JSON_SCHEMAS
from orpolicy.language.lowered import BASE_URLS, Lowered
from orpolicy.language.model import Attribution, MaxPrice, Percentiles, Preset, Provider, Reasoning, Sort

if TYPE_CHECKING:
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


@frozen
class Row:
    """One key of the body and how its value is written."""

    key: str
    write: Callable[[Any], Any]


def lower(preset: Preset) -> Lowered:
    """Write a preset as a request body with its keys in canonical order."""
    folded: dict[Path, Path] = {}
    provider = _fold_route(preset, folded)
    plugins = _fold_transforms(preset, folded)
    given = {"provider": provider, "plugins": plugins} if folded else {}
    body: dict[str, Any] = {}
    for key, value in _list_set(preset, _BODY_KEYS, given):
        body[key] = value if type(value) in _PLAIN else _WRITERS[key](value)
    return Lowered(
        body, dict(_write_headers(preset)), BASE_URLS[preset.region], preset.system, preset.max_cost, folded
    )


def _list_set(value: Any, names: Sequence[str], given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """List the attributes of one of our typed values that somebody set; ``given`` ones go before its own."""
    values = {**vars(value), **given} if given else vars(value)
    for name in names:
        found = values[name]
        if found is not None:
            yield name, found


@cache
def _names_of(kind: type) -> tuple[str, ...]:
    return tuple(attribute.name for attribute in fields(kind))


def order_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """Put the keys of a body in canonical order; messages, and whatever else the table lacks, come last."""
    ordered = {row.key: body[row.key] for row in BODY if row.key in body}
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


def order_keys(path: Path, keys: Iterable[str]) -> list[str]:
    """Put the keys of a mapping at a path of the body in the order in which they are sent."""
    names = tuple(part for part in path if isinstance(part, str))
    if any(names[: len(root)] == root for root in JSON_SCHEMAS):
        return list(keys)
    return _sort_keys(names, keys)


def _sort_keys(names: Path, keys: Iterable[str]) -> list[str]:
    known = _known_orders().get(names, _LEADING)
    last = len(known)
    return sorted(keys, key=lambda key: (known.get(key, last), key))


_LEADING = {"type": 0, "id": 1, "name": 2}


@cache
def _known_orders() -> Mapping[Path, Mapping[str, int]]:
    top = (*(row.key for row in BODY), *FOLDED, *SIDE)
    typed = {
        ("provider",): Provider,
        ("provider", "sort"): Sort,
        ("provider", "max_price"): MaxPrice,
        ("provider", "preferred_min_throughput"): Percentiles,
        ("provider", "preferred_max_latency"): Percentiles,
        ("reasoning",): Reasoning,
        ("attribution",): Attribution,
    }
    names = {path: tuple(attribute.name for attribute in fields(kind)) for path, kind in typed.items()}
    return {path: {key: place for place, key in enumerate(keys)} for path, keys in {(): top, **names}.items()}


def _write_ordered(value: Any, path: Path) -> Any:
    """Write a value as JSON with the keys of its mappings in canonical order; ``path`` holds no list numbers."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list or kind is tuple:
        return [item if type(item) in _PLAIN else _write_ordered(item, path) for item in value]
    if (kind is dict or isinstance(value, Mapping)) and path not in JSON_SCHEMAS:
        return {
            key: item if type(item) in _PLAIN else _write_ordered(item, (*path, key))
            for key in _sort_keys(path, value)
            for item in (value[key],)
        }
    return write_json(value)


def _write_object(value: Any) -> dict[str, Any]:
    """Write one of our typed values, leaving out what nobody set."""
    kind: type = type(value)
    return {key: write_json(item) for key, item in _list_set(value, _names_of(kind), {})}


def _write_provider(provider: Provider) -> dict[str, Any]:
    return {
        key: item if type(item) in _PLAIN else _write_preference(key, item)
        for key, item in _list_set(provider, _names_of(Provider), {})
    }


def _write_preference(key: str, value: Any) -> Any:
    if isinstance(value, MaxPrice):
        return {name: write_price(amount) for name, amount in _list_set(value, _names_of(MaxPrice), {})}
    if isinstance(value, Sort | Percentiles):
        return _write_object(value)
    return _write_ordered(value, ("provider", key))


def _fold_route(preset: Preset, moved: dict[Path, Path]) -> Provider | None:
    """Put the deprecated ``route`` where its successor stands, unless that is set itself (fact 18)."""
    provider = preset.provider
    if preset.route is None:
        return provider
    provider = provider or Provider()
    sort = provider.sort if isinstance(provider.sort, Sort) else Sort(by=provider.sort)
    if sort.partition is not None:
        return provider
    moved["provider", "sort", "partition"] = ("route",)
    if isinstance(provider.sort, str):
        moved["provider", "sort", "by"] = ("provider", "sort")
    partition = {"fallback": "model", "sort": "none"}[preset.route]
    return evolve(provider, sort=evolve(sort, partition=partition))


def _fold_transforms(preset: Preset, moved: dict[Path, Path]) -> tuple[Any, ...] | None:
    """Write the deprecated ``transforms`` as the plugin that took its place, unless that is listed itself."""
    plugins = preset.plugins
    if preset.transforms is None or any(plugin["id"] == "context-compression" for plugin in plugins or ()):
        return plugins
    plugin: dict[str, Any] = {"id": "context-compression"}
    if not preset.transforms:
        plugin["enabled"] = False
    moved["plugins", len(plugins or ())] = ("transforms",)
    return (*(plugins or ()), plugin)


def _write_headers(preset: Preset) -> Iterator[tuple[str, str]]:
    who = preset.attribution
    if who is not None:
        if who.referer is not None:
            yield "HTTP-Referer", who.referer
        if who.title is not None:
            yield "X-OpenRouter-Title", who.title
        if who.categories:
            yield "X-OpenRouter-Categories", ",".join(who.categories)
    if preset.cache_enabled is not None:
        yield "X-OpenRouter-Cache", "true" if preset.cache_enabled else "false"
    if preset.cache_ttl_seconds is not None:
        yield "X-OpenRouter-Cache-TTL", str(preset.cache_ttl_seconds)
    if preset.anthropic_beta:
        yield "x-anthropic-beta", ",".join(preset.anthropic_beta)


def _rows(*keys: str) -> tuple[Row, ...]:
    return tuple(Row(key, partial(_write_ordered, path=(key,))) for key in keys)


BODY: tuple[Row, ...] = (
    *_rows("model", "models", "preset"),
    Row("provider", _write_provider),
    *_rows("service_tier", "speed"),
    *_rows("temperature", "top_p", "top_k", "min_p", "top_a"),
    *_rows("frequency_penalty", "presence_penalty", "repetition_penalty"),
    *_rows("seed", "stop", "logit_bias", "logprobs", "top_logprobs"),
    *_rows("max_completion_tokens", "max_tokens"),
    Row("reasoning", _write_object),
    *_rows("reasoning_effort", "include_reasoning", "thinking", "verbosity"),
    *_rows("response_format", "structured_outputs"),
    *_rows("tools", "tool_choice", "parallel_tool_calls", "max_tool_calls"),
    *_rows("stop_server_tools_when", "deferred_tools"),
    *_rows("plugins", "web_search_options", "x_search_filter"),
    *_rows("modalities", "audio", "image_config", "prediction"),
    *_rows("cache_control", "prompt_cache_key", "prompt_cache_options"),
    *_rows("session_id", "user", "metadata", "trace", "usage", "stream_options", "debug"),
)
"""Every key of the body, in canonical order."""

_BODY_KEYS = tuple(row.key for row in BODY)
_WRITERS = {row.key: row.write for row in BODY}
