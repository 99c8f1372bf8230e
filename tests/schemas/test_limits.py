"""Every limit of the preset schema has a source: a page of OpenRouter's documentation, its API description, or us.

Numbers in parentheses are rules of the fact sheet. That a count is at least 1, and a name not empty, needs no source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from strategies import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYWORDS = ("minimum", "maximum", "exclusiveMinimum", "maxLength", "minItems", "maxItems", "maxProperties")

WORKERS = [f"$defs/tool_{worker}/parameters" for worker in ("advisor", "subagent")]
ROUTERS = ["$defs/plugin_auto_router", "$defs/plugin_auto_beta_router"]
PERCENTILES = [
    f"$defs/{name}_cutoffs/{p}" for name in ("latency", "throughput") for p in ("p50", "p75", "p90", "p99")
]

LIMITS: list[tuple[dict[str, float], str, list[str]]] = [
    (
        {"minimum": 0, "maximum": 2},
        "api_reference/parameters.mdx (124)",
        ["temperature", "repetition_penalty"],
    ),
    ({"minimum": 0, "maximum": 1}, "api_reference/parameters.mdx (124)", ["top_p", "min_p", "top_a"]),
    ({"minimum": 0}, "api_reference/parameters.mdx (124)", ["top_k"]),
    (
        {"minimum": -2, "maximum": 2},
        "api_reference/parameters.mdx (124)",
        ["frequency_penalty", "presence_penalty"],
    ),
    ({"minimum": -100, "maximum": 100}, "api_reference/parameters.mdx (124)", ["logit_bias/*"]),
    ({"minimum": 0, "maximum": 20}, "api_reference/parameters.mdx (124)", ["top_logprobs"]),
    ({"maxItems": 4}, "the API description (126)", ["stop"]),
    ({"maxProperties": 16}, "the API description (126)", ["metadata"]),
    ({"maxLength": 64}, "the API description (126)", ["metadata/="]),
    ({"maxLength": 512}, "the API description (126)", ["metadata/*"]),
    ({"maxLength": 256}, "guides/best-practices/prompt-caching.mdx (118)", ["session_id"]),
    ({"minimum": 1, "maximum": 86400}, "guides/features/response-caching.mdx (90)", ["cache_ttl_seconds"]),
    (
        {"minimum": 0},
        "0 asks for no reasoning (53)",
        ["reasoning/max_tokens", "$defs/sub_reasoning/max_tokens"],
    ),
    ({"minimum": 1024}, "the smallest budget of Anthropic's models (129)", ["thinking/budget_tokens"]),
    ({"minimum": 1, "maximum": 30}, "guides/features/server-tools.mdx (103)", ["max_tool_calls"]),
    ({"minItems": 1}, "the API description", ["stop_server_tools_when"]),
    ({"minimum": 0}, "a sum of money", ["$defs/price", "$defs/stop_max_cost/max_cost_in_dollars"]),
    ({"minimum": 0}, "the API description", ["$defs/plugin_pareto_router/max_price"]),
    (
        {"minimum": 0, "maximum": 1},
        "the API description (100)",
        ["$defs/plugin_pareto_router/min_coding_score"],
    ),
    (
        {"exclusiveMinimum": 0},
        "a threshold of zero is met by all or by none (31)",
        ["provider/preferred_min_throughput", "provider/preferred_max_latency", *PERCENTILES],
    ),
    ({"maxItems": 2}, "app-attribution.mdx", ["attribution/categories"]),
    (
        {"maxItems": 20},
        "guides/features/plugins/web-search.mdx",
        [
            f"{place}/{key}_x_handles"
            for place in ("x_search_filter", "$defs/x_search")
            for key in ("allowed", "excluded")
        ],
    ),
    (
        {"minimum": 1, "maximum": 25},
        "guides/features/server-tools/web-search.mdx (107)",
        ["$defs/plugin_web/max_results", "$defs/web_search_parameters/max_results"],
    ),
    (
        {"minimum": 1, "maximum": 100_000},
        "guides/features/server-tools/web-search.mdx",
        ["$defs/web_search_parameters/max_characters"],
    ),
    (
        {"maxItems": 1024},
        "the API description",
        [
            *[f"{router}/{key}_models" for router in ROUTERS for key in ("allowed", "excluded")],
            *[f"$defs/plugin_jev_router/{key}" for key in ("models", "allowed_models", "excluded_models")],
        ],
    ),
    ({"maxLength": 1024}, "the API description", ["$defs/model_pattern"]),
    (
        {"minimum": 0, "maximum": 10},
        "the API description",
        [f"{router}/cost_quality_tradeoff" for router in ROUTERS],
    ),
    (
        {"minItems": 1, "maxItems": 8},
        "guides/features/plugins/fusion.mdx (102)",
        ["$defs/plugin_fusion/analysis_models", "$defs/tool_fusion/parameters/analysis_models"],
    ),
    (
        {"minimum": 1, "maximum": 16},
        "guides/features/plugins/fusion.mdx (102)",
        ["$defs/plugin_fusion/max_tool_calls", "$defs/tool_fusion/parameters/max_tool_calls"],
    ),
    (
        {"maxItems": 8},
        "the API description",
        ["$defs/plugin_fusion/tools", "$defs/tool_fusion/parameters/tools"],
    ),
    ({"minimum": 0.01, "maximum": 1}, "the SDK", ["$defs/plugin_alignment/threshold"]),
    ({"minimum": 0}, "the SDK", ["$defs/plugin_alignment/max_retries"]),
    ({"minimum": 0, "maximum": 1}, "a probability", ["$defs/armor_rule_object/threshold"]),
    ({"maxLength": 64}, "guides/features/server-tools/advisor.mdx", [f"{worker}/name" for worker in WORKERS]),
    (
        {"minimum": 1, "maximum": 25},
        "guides/features/server-tools.mdx (103, 106)",
        [f"{worker}/max_tool_calls" for worker in WORKERS],
    ),
    (
        {"minimum": 0, "maximum": 2},
        "guides/features/server-tools/advisor.mdx, subagent.mdx, fusion.mdx",
        [*[f"{worker}/temperature" for worker in WORKERS], "$defs/tool_fusion/parameters/temperature"],
    ),
    (
        {"minimum": 1, "maximum": 20},
        "guides/features/server-tools/search-models.mdx",
        ["$defs/tool_search_models/parameters/max_results"],
    ),
    (
        {"minimum": 1, "maximum": 2_592_000},
        "the API description",
        ["$defs/tool_bash/parameters/sleep_after_seconds"],
    ),
    ({"maxItems": 20}, "the SDK", ["$defs/container_file_ids"]),
    ({"maxLength": 40}, "the SDK; the API description says 20", ["$defs/container_id"]),
    ({"maxItems": 50}, "the SDK", ["$defs/network_hosts"]),
    ({"maxLength": 253}, "the longest host name there is", ["$defs/hostname"]),
    ({"maxLength": 64}, "a function's name (126), longer than any type", ["$defs/tool_removal"]),
    ({"maxLength": 300}, "ours: a sentence", ["description"]),
    (
        {"maxLength": 256},
        "ours: no longer than a file name may be",
        ["$defs/preset_name", "attribution/title"],
    ),
    ({"maxLength": 128}, "ours: longer than any slug", ["slug", "preset", "$defs/provider_slug"]),
    ({"maxLength": 512}, "ours: longer than any domain with a path", ["$defs/domain"]),
    ({"maxLength": 64}, "ours: longer than any handle", ["$defs/handle"]),
    ({"minItems": 1}, "ours: an empty list extends nothing", ["extends"]),
]

TABLE = {place: limits for limits, _, places in LIMITS for place in places}


def find_limits(node: Any, place: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the limits below a node by a short name of the place; list edits have limits of their own."""
    found = {key: node[key] for key in KEYWORDS if key in node}
    if set(found) - {"minimum"} or found.get("minimum", 1) != 1:
        yield place, found
    for keyword, step in (
        ("then", ""),
        ("else", ""),
        ("additionalProperties", "/*"),
        ("propertyNames", "/="),
    ):
        if isinstance(node.get(keyword), dict):
            yield from find_limits(node[keyword], place + step)
    for name, child in node.get("properties", {}).items():
        yield from find_limits(child, f"{place}/{name}".removeprefix("/"))
    for name, child in node.get("$defs", {}).items():
        if not name.startswith("edit_"):
            yield from find_limits(child, f"$defs/{name}")


FOUND = dict(find_limits(read_schema("preset"), ""))


@pytest.mark.parametrize("place", sorted(FOUND.keys() | TABLE.keys()))
def test_a_limit_is_the_documented_one(place):
    assert FOUND.get(place) == TABLE.get(place)


def test_no_place_has_two_sources():
    assert len(TABLE) == sum(len(places) for _, _, places in LIMITS)
