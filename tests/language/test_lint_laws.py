"""Laws of linting: it survives every valid preset, points into it, leaves it alone and does not depend on key order."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from strategies import presets

from orpolicy.language.lint import CHECKS, lint
from orpolicy.language.lint.check import Preset, list_triggers
from orpolicy.language.rules import FAMILIES

if TYPE_CHECKING:
    from random import Random

    from orpolicy.language.diagnostics import Finding

# Presets whose values collide: few slugs, few models, settings that exclude each other.

models = st.sampled_from(
    [
        "~openai/gpt-5.2",
        "@preset/mail",
        "anthropic/claude-3.7-sonnet:thinking",
        "anthropic/claude-4.7-opus",
        "anthropic/claude-opus-5",
        "anthropic/claude-sonnet-4.5",
        "anthropic/claude-sonnet-5",
        "google/gemini-3-flash-preview",
        "openai/gpt-4o:nitro",
        "openai/gpt-5.2:online:floor",
        "openai/gpt-5.6-sol",
        "openai/gpt-oss-20b:free",
        "openrouter/auto",
        "openrouter/fusion",
        "x-ai/grok-4.1-fast",
    ]
)
slugs = st.lists(
    st.sampled_from(
        [
            "OpenAI",
            "azure",
            "deepinfra",
            "deepinfra/fp8",
            "openai",
            "openai/priority",
            "google-vertex/us-east5",
        ]
    ),
    max_size=3,
)
some = st.sampled_from
switch = st.booleans()
searches = st.fixed_dictionaries(
    {},
    optional={
        "engine": some(["auto", "exa", "native", "parallel", "perplexity", "firecrawl"]),
        "mode": some(["turbo", "fast", "deep"]),
        "max_results": some([3, 25]),
        "max_uses": some([2]),
        "max_characters": some([1000]),
        "search_context_size": some(["low"]),
        "allowed_domains": some([[], ["a.example"], [f"{letter}.example" for letter in "abcdef"]]),
        "excluded_domains": some([[], ["b.example"]]),
    },
)
tools = st.one_of(
    st.fixed_dictionaries(
        {"type": some(["openrouter:web_search", "web_search"])}, optional={"parameters": searches}
    ),
    st.fixed_dictionaries(
        {"type": some(["openrouter:advisor", "openrouter:subagent"])},
        optional={
            "parameters": st.fixed_dictionaries({}, optional={"name": some(["a", " a "]), "stream": switch})
        },
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("function"),
            "function": st.fixed_dictionaries(
                {"name": some(["f", "g"])},
                optional={
                    "strict": switch,
                    "parameters": some([{}, {"type": "str"}, {"items": {"required": True}}]),
                },
            ),
        },
        optional={"defer_loading": switch},
    ),
    st.just({"type": "openrouter:bash"}),
    st.just({"type": "openrouter:datetime", "parameters": {"timezone": "Europe/Berln"}}),
)
plugins = st.one_of(
    st.fixed_dictionaries(
        {"id": st.just("web")}, optional={"enabled": switch, "engine": some(["native", "exa"])}
    ),
    st.fixed_dictionaries(
        {"id": some(["auto-router", "auto-beta-router"])},
        optional={
            "allowed_models": some([["openai/*"], ["openai/gpt-4o", "*"], ["gpt"]]),
            "excluded_models": some([["openai/*"], ["*"]]),
            "cost_quality_tradeoff": some([3]),
        },
    ),
    st.just({"id": "response-healing"}),
    st.just({"id": "pareto-router", "min_coding_score": 1, "max_price": Decimal("0.0000002")}),
)
collisions = st.fixed_dictionaries(
    {"model": models},
    optional={
        "models": st.lists(models, max_size=4),
        "provider": st.fixed_dictionaries(
            {},
            optional={
                "order": slugs,
                "only": slugs,
                "ignore": slugs,
                "sort": some(
                    ["price", "throughput", {"by": "price", "partition": "none"}, {"partition": "none"}]
                ),
                "allow_fallbacks": switch,
                "zdr": switch,
                "data_collection": some(["allow", "deny"]),
                "quantizations": st.lists(some(["fp8", "mxfp8", "bf16"]), max_size=3),
                "max_price": some([{"prompt": "0.0000003"}, {"completion": 0}, {}]),
                "preferred_max_latency": some([3000, {"p50": 5, "p99": Decimal("0.5")}]),
                "preferred_min_throughput": some([6000, {"p50": 5, "p90": 50}]),
            },
        ),
        "reasoning": st.fixed_dictionaries(
            {},
            optional={
                "enabled": switch,
                "effort": some(["none", "low", "xhigh"]),
                "max_tokens": some([0, 500, 2000, 200_000]),
            },
        ),
        "reasoning_effort": some(["none", "low", "xhigh"]),
        "verbosity": some(["low", "xhigh", "max"]),
        "max_tokens": some([1, 900, 2000]),
        "max_completion_tokens": some([1, 900, 2000]),
        "service_tier": some(["flex", "priority", "default"]),
        "speed": some(["fast", "standard"]),
        "tools": st.lists(tools, max_size=3),
        "plugins": st.lists(plugins, max_size=3),
        "tool_choice": some(
            ["auto", "required", {"type": "function", "function": {"name": "h"}}, {"type": "web_search"}]
        ),
        "max_tool_calls": some([3]),
        "stop_server_tools_when": some([[{"type": "has_tool_call", "tool_name": "h"}]]),
        "cache_enabled": switch,
        "cache_ttl_seconds": some([60]),
        "region": some(["eu", "us"]),
        "session_id": some(["s"]),
    },
)
anything = st.one_of(collisions, presets())


def resolve(data: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        data = data[part]
    return data


def reverse(value: Any) -> Any:
    """The same data with the keys of every mapping in the opposite order."""
    if isinstance(value, Mapping):
        return {key: reverse(value[key]) for key in reversed(list(value))}
    return [reverse(item) for item in value] if isinstance(value, list) else value


def shuffle(value: Any, dice: Random) -> Any:
    """The same data with the keys of every mapping in some order."""
    if isinstance(value, Mapping):
        keys = list(value)
        dice.shuffle(keys)
        return {key: shuffle(value[key], dice) for key in keys}
    return [shuffle(item, dice) for item in value] if isinstance(value, list) else value


@given(anything)
def test_every_finding_points_into_the_preset_and_belongs_to_a_rule(preset: dict[str, Any]):
    for finding in lint(preset):
        assert finding.code in FAMILIES["meaning"]
        assert finding.anchor in {"key", "value"}
        assert finding.message
        for path in (finding.path, *(path for _, path in finding.related)):
            resolve(preset, path)


@given(anything)
def test_linting_leaves_the_preset_alone_and_repeats_itself(preset: dict[str, Any]):
    before = copy.deepcopy(preset)
    first = list(lint(preset))
    assert preset == before
    assert list(lint(preset)) == first


@given(anything)
def test_no_finding_is_made_twice(preset: dict[str, Any]):
    found = list(lint(preset))
    assert len({(finding.code, finding.path, finding.message) for finding in found}) == len(found)


@given(collisions)
def test_what_is_found_does_not_depend_on_the_order_of_keys(preset: dict[str, Any]):
    def count(data: dict[str, Any]) -> Counter[str]:
        return Counter(finding.code for finding in lint(data))

    assert count(reverse(preset)) == count(preset)


@given(collisions, st.randoms(use_true_random=False))
def test_keys_in_any_order_break_the_same_rules(preset: dict[str, Any], dice: Random):
    assert Counter(map(_code, lint(shuffle(preset, dice)))) == Counter(map(_code, lint(preset)))


def _code(finding: Finding) -> str:
    return finding.code


@given(collisions)
def test_a_check_about_marked_names_is_silent_about_others(preset: dict[str, Any]):
    plain = {
        **preset,
        "model": "anthropic/claude-sonnet-4.5",
        "models": ["openai/gpt-5.2", "openrouter/auto"],
    }
    assert not Preset(plain).marked
    for check in CHECKS:
        if check.marked and is_awake(plain, *check.trigger):
            assert list(check.find(Preset(plain))) == []


@given(anything)
def test_linting_is_what_the_woken_checks_find_and_they_find_nothing_but_their_codes(preset: dict[str, Any]):
    woken: list[Finding] = []
    for check in CHECKS:
        if is_awake(preset, *check.trigger):
            found = list(check.find(Preset(preset)))
            assert {finding.code for finding in found} <= set(check.codes)
            woken += found
    assert Counter(map(repr, woken)) == Counter(map(repr, lint(preset)))


def is_awake(preset: dict[str, Any], key: str | None = None, inner: str | None = None) -> bool:
    return key is None or (key in preset and (inner is None or inner in list_triggers(key, preset[key])))


@given(anything)
def test_a_check_that_sleeps_would_have_found_nothing(preset: dict[str, Any]):
    for check in CHECKS:
        if (
            check.trigger[:1] in {("tools",), ("plugins",)}
            and check.trigger[0] in preset
            and not is_awake(preset, *check.trigger)
        ):
            assert list(check.find(Preset(preset))) == []
