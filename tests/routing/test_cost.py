"""The worst case of a call: its laws, its examples, and that the emulator never bills more."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.emulator.chat import complete
from orpolicy.emulator.reports import Call
from orpolicy.emulator.serving import World
from orpolicy.errors import CostCeilingExceeded
from orpolicy.routing.ceiling import hold_ceiling
from orpolicy.routing.cost import reach, worst_case
from orpolicy.routing.router import route
from orpolicy.routing.snapshot import demonstration
from orpolicy.routing.tokens import prompt_bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.routing.catalog import Catalog, Endpoint

HELLO = [{"role": "user", "content": "Hello"}]
IMAGE = [
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}]}
]
BODIES = st.fixed_dictionaries(
    {
        "models": st.lists(
            st.sampled_from([m.id for m in demonstration().models if m.endpoints]),
            min_size=1,
            max_size=3,
            unique=True,
        ),
        "messages": st.lists(
            st.fixed_dictionaries(
                {"role": st.sampled_from(["user", "system"]), "content": st.text(max_size=200)}
            ),
            min_size=1,
            max_size=3,
        ),
    },
    optional={
        "max_tokens": st.integers(1, 5000),
        "max_completion_tokens": st.integers(1, 5000),
        "tools": st.just(
            [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
        ),
        "tool_choice": st.sampled_from(["auto", "required"]),
        "service_tier": st.sampled_from(["flex", "priority"]),
        "provider": st.fixed_dictionaries(
            {},
            optional={
                "zdr": st.booleans(),
                "data_collection": st.just("deny"),
                "sort": st.sampled_from(["price", "throughput"]),
                "allow_fallbacks": st.booleans(),
                "max_price": st.fixed_dictionaries({"prompt": st.sampled_from(["0.2", "1", "3"])}),
            },
        ),
    },
)
NUMBERS = count(1)


def bill(body: dict[str, Any], catalog: Catalog) -> Decimal | None:
    """Return what the emulator bills for a body, or ``None`` where it refuses."""
    call = Call("POST", "/chat/completions", {}, body, next(NUMBERS), {})
    answer = complete(call, World(catalog))
    return answer.body["usage"]["cost"] if answer.status == 200 else None


@given(BODIES)
def test_the_emulator_never_bills_more_than_the_bound(body: dict[str, Any]) -> None:
    billed = bill(body, demonstration())
    bound = worst_case(body, demonstration())
    if billed is not None:
        assert bound.usd is not None
        assert billed <= bound.usd


@settings(max_examples=60)
@given(BODIES, st.data())
def test_the_bound_holds_on_the_real_catalogue(
    real: Catalog, body: dict[str, Any], data: st.DataObject
) -> None:
    served = [model.id for model in real.models if model.endpoints]
    body = body | {
        "models": data.draw(st.lists(st.sampled_from(served), min_size=1, max_size=2, unique=True))
    }
    billed, bound = bill(body, real), worst_case(body, real)
    if billed is not None and bound.usd is not None:
        assert billed <= bound.usd


@given(BODIES, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**5))
def test_more_tokens_never_cost_less(body: dict[str, Any], a: int, b: int, c: int, d: int) -> None:
    found = reach(body, demonstration())
    less = found.bound(min(a, b), min(c, d)).usd
    more = found.bound(max(a, b), max(c, d)).usd
    assert (less is None) == (more is None)
    assert less is None or more is None or less <= more


@given(BODIES, st.integers(0, 10**5))
def test_no_attempt_costs_more_than_the_bound(body: dict[str, Any], tokens: int) -> None:
    bound = worst_case(body, demonstration(), prompt_tokens=tokens, completion_tokens=1000)
    for attempt in route(body, demonstration(), prompt_tokens=tokens).attempts:
        limits = [n for key in ("max_tokens", "max_completion_tokens") if (n := body.get(key))]
        completion = min([1000, attempt.endpoint.completion_limit, max(limits, default=1000)])
        prices = attempt.endpoint.prices.at(tokens)
        assert bound.usd is not None
        assert prices.prompt * tokens + prices.completion * completion <= bound.usd


@given(BODIES)
def test_a_ceiling_in_the_provider_never_raises_the_bound(body: dict[str, Any]) -> None:
    provider = body.get("provider", {})
    bare = body | {"provider": {key: value for key, value in provider.items() if key != "max_price"}}
    capped = body | {"provider": bare["provider"] | {"max_price": {"completion": "2"}}}
    low, high = worst_case(capped, demonstration()).usd, worst_case(bare, demonstration()).usd
    assert low is None or high is None or low <= high


@given(
    st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": st.text()}), min_size=1, max_size=4)
)
def test_the_prompt_bound_is_at_least_the_bytes_of_the_text(messages: list[dict[str, Any]]) -> None:
    bound = prompt_bound({"messages": messages})
    assert bound is not None
    assert bound >= sum(len(message["content"].encode("utf-8", "replace")) for message in messages)


def test_the_prompt_bound_counts_tools_and_schemas() -> None:
    tool = {"type": "function", "function": {"name": "f" * 500}}
    schema = {"type": "json_schema", "json_schema": {"name": "s" * 700}}
    bare = prompt_bound({"messages": HELLO})
    assert bare is not None
    with_tool = prompt_bound({"messages": HELLO, "tools": [tool]})
    with_schema = prompt_bound({"messages": HELLO, "response_format": schema})
    assert with_tool is not None
    assert with_schema is not None
    assert with_tool - bare > 500 + 1000
    assert with_schema - bare > 700
    assert prompt_bound({"messages": HELLO, "prediction": {"content": "p" * 300}}) > bare + 300  # type: ignore[operator]


def test_the_sum_is_shown(catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]) -> None:
    made = catalog(
        [endpoint("m/a", "cheap", 1, 2), endpoint("m/b", "dear", "2.5", 10, rates={"request": "0.001"})]
    )
    body = {"models": ["m/a", "m/b"], "max_tokens": 1000}
    bound = worst_case(body, made, prompt_tokens=2000)
    assert bound.usd == Decimal("0.016")
    assert str(bound) == (
        "worst case: $0.016 for 2,000 + 1,000 tokens at m/b dear ($2.5 and $10 per million + $0.001 a request)"
    )


def test_long_context_prices_count_for_prompts_that_may_be_long(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    long = {"min_prompt_tokens": 1000, "prompt": 6, "completion": 20}
    made = catalog([endpoint("m/a", "a", 3, 15, overrides=[long])])
    body = {"model": "m/a", "max_tokens": 100}
    assert worst_case(body, made, prompt_tokens=1000).usd == Decimal("0.0045")
    assert worst_case(body, made, prompt_tokens=1001).usd == Decimal("0.008006")


def test_the_dearest_hour_counts(catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]) -> None:
    peak = {"utc_start": 800, "utc_end": 1000, "prompt": 9}
    made = catalog([endpoint("m/a", "a", 3, 0, overrides=[peak])])
    assert worst_case({"model": "m/a", "max_tokens": 1}, made, prompt_tokens=1_000).usd == Decimal("0.009")


def test_cache_writes_count_where_they_are_asked_for(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    writes = {"input_cache_write": "0.00000375", "input_cache_write_1h": "0.000006"}
    made = catalog([endpoint("m/a", "a", 3, 0, rates=writes)])
    body = {"model": "m/a", "max_tokens": 1}

    def usd(**more: Any) -> Decimal | None:
        return worst_case({**body, **more}, made, prompt_tokens=1000).usd

    assert usd() == Decimal("0.003")
    assert usd(cache_control={"type": "ephemeral"}) == Decimal("0.00375")
    part = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert worst_case(
        {**body, "messages": [{"role": "user", "content": [part]}]}, made, prompt_tokens=1000
    ).usd == (Decimal("0.006"))


def test_a_reach_made_before_the_messages_counts_their_cache_writes(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/a", "a", 3, 0, rates={"input_cache_write": "0.00000375"})])
    found = reach({"model": "m/a", "max_tokens": 1}, made)
    part = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    body = {"model": "m/a", "max_tokens": 1, "messages": [{"role": "user", "content": [part]}]}
    assert worst_case(body, found, prompt_tokens=1000).usd == Decimal("0.00375")
    assert worst_case(body, found, prompt_tokens=1000) == worst_case(body, made, prompt_tokens=1000)


def test_implicit_cache_writes_count_unasked(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog(
        [endpoint("m/a", "a", 1, 0, rates={"input_cache_write": "0.000002"}, implicit_caching=True)]
    )
    assert worst_case({"model": "m/a", "max_tokens": 1}, made, prompt_tokens=1000).usd == Decimal("0.002")


def test_without_a_limit_the_endpoint_limits(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    limited = endpoint("m/a", "a", 0, 1, max_completion_tokens=5000)
    assert worst_case({"model": "m/a"}, catalog([limited]), prompt_tokens=0).usd == Decimal("0.005")
    unlimited = endpoint("m/a", "a", 0, 1, context_length=8000)
    assert worst_case({"model": "m/a"}, catalog([unlimited]), prompt_tokens=0).usd == Decimal("0.008")


def test_a_discounted_endpoint_costs_what_is_listed(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/a", "a", 2, 0, discount="0.5")])
    assert worst_case({"model": "m/a", "max_tokens": 1}, made, prompt_tokens=1_000_000).usd == Decimal("0.2")


def test_media_need_a_count_and_images_their_price(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/a", "a", 1, 0, rates={"image": "0.01", "audio": "0.000005"})])
    body = {"model": "m/a", "max_tokens": 1, "messages": IMAGE}
    assert worst_case(body, made).reason == "the prompt holds more than text, and nobody counted its tokens"
    assert worst_case(body, made, prompt_tokens=1000).usd == Decimal("0.015")
    assert worst_case({**body, "messages": HELLO}, made, prompt_tokens=1000).usd == Decimal("0.001")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"tools": [{"type": "openrouter:web_search"}]}, "the server tool openrouter:web_search"),
        ({"plugins": [{"id": "web"}]}, "the plugin web costs extra"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"model": "openai/gpt-4o-mini:online"}, "the suffix :online"),
        ({"modalities": ["text", "audio"]}, "images and audio in the answer"),
        ({"model": "openrouter/auto"}, r"the prices of openrouter/auto are not known \(router\)"),
        ({"model": "m/nowhere"}, r"the prices of m/nowhere are not known \(catalog\)"),
        ({"model": None}, "the account's default model"),
        ({"provider": {"only": ["nobody"]}}, "no endpoint may serve it"),
    ],
)
def test_what_costs_extra_has_no_bound_and_a_reason(more: dict[str, Any], reason: str) -> None:
    body = {"model": "openai/gpt-4o-mini", "messages": HELLO, "max_tokens": 10, **more}
    bound = worst_case(body, demonstration())
    assert bound.usd is None
    assert re.search(reason, bound.reason or "")
    assert str(bound).startswith("worst case: unknown (")


def test_free_plugins_and_plugins_that_are_off_cost_nothing() -> None:
    plugins = [{"id": "response-healing"}, {"id": "web", "enabled": False}]
    body = {"model": "openai/gpt-4o-mini", "messages": HELLO, "max_tokens": 10, "plugins": plugins}
    assert worst_case(body, demonstration()).usd is not None


def test_a_model_that_draws_has_no_bound_unless_asked_for_text(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/a", "a")], {"m/a": {"output_modalities": ("text", "image")}})
    body = {"model": "m/a", "max_tokens": 10, "messages": HELLO}
    assert worst_case(body, made).reason == "m/a may answer with images or audio"
    assert worst_case(body | {"modalities": ["text"]}, made).usd is not None


def test_one_reach_serves_all_calls_of_a_preset() -> None:
    preset = {"model": "anthropic/claude-sonnet-4.5", "max_tokens": 500}
    found = reach(preset, demonstration())
    body = preset | {"messages": HELLO}
    assert worst_case(body, found) == worst_case(body, demonstration())


# The ceiling


def test_a_ceiling_above_the_worst_case_sends_the_body_as_it_is() -> None:
    body = {"model": "openai/gpt-4o-mini", "messages": HELLO, "max_tokens": 100}
    assert hold_ceiling(body, Decimal(1), demonstration()) == body


def test_a_ceiling_below_the_worst_case_refuses_and_shows_the_sum() -> None:
    body = {"model": "openai/gpt-4o-mini", "messages": HELLO, "max_tokens": 10_000}
    with pytest.raises(
        CostCeilingExceeded, match=r"worst case: \$0\.0\d+ for .* above max_cost \$0\.0001"
    ) as caught:
        hold_ceiling(body, Decimal("0.0001"), demonstration())
    assert caught.value.worst == worst_case(body, demonstration()).usd
    assert caught.value.ceiling == Decimal("0.0001")


def test_a_token_counter_tightens_the_bound() -> None:
    body = {
        "model": "openai/gpt-4o-mini",
        "messages": [{"role": "user", "content": "x" * 10_000}],
        "max_tokens": 10,
    }
    ceiling = Decimal("0.0005")
    with pytest.raises(CostCeilingExceeded):
        hold_ceiling(body, ceiling, demonstration())
    assert hold_ceiling(body, ceiling, demonstration(), token_counter=lambda _: 1250) == body


@given(
    BODIES,
    st.decimals(Decimal("0.0001"), Decimal(10), places=4),
    st.fixed_dictionaries(
        {}, optional={kind: st.sampled_from(["0.1", "1", "30"]) for kind in ("prompt", "completion")}
    ),
)
def test_without_a_catalogue_the_prices_in_the_request_keep_the_ceiling(
    body: dict[str, Any], ceiling: Decimal, caps: dict[str, str]
) -> None:
    body = {**body, "max_tokens": body.get("max_tokens", 100), "provider": {"max_price": caps}}
    sent = hold_ceiling(body, ceiling)
    prices = sent["provider"]["max_price"]
    prompt, completion = prompt_bound(body), max(body["max_tokens"], body.get("max_completion_tokens", 0))
    assert prompt is not None
    assert Decimal(prices["prompt"]) * prompt + Decimal(prices["completion"]) * completion <= ceiling * 10**6
    assert prices["request"] == "0"
    assert all(Decimal(prices[kind]) <= Decimal(cap) for kind, cap in caps.items())
    billed = bill(sent, demonstration())
    assert billed is None or billed <= ceiling


def test_a_generous_ceiling_uses_its_budget_for_both_prices() -> None:
    body = {"model": "m/a", "messages": HELLO, "max_tokens": 1000}
    prices = hold_ceiling(body, Decimal("0.05"))["provider"]["max_price"]
    assert abs(Decimal(prices["completion"]) - 5 * Decimal(prices["prompt"])) < Decimal("0.0001")
    prompt = prompt_bound(body)
    assert prompt is not None
    assert Decimal(prices["prompt"]) * prompt + Decimal(prices["completion"]) * 1000 > 49_900


def test_server_tools_are_stopped_at_a_share_of_the_ceiling() -> None:
    tools = [{"type": "openrouter:web_search"}]
    steps = {"type": "step_count_is", "step_count": 3}
    body = {"model": "openai/gpt-4o-mini", "messages": HELLO, "max_tokens": 100, "tools": tools}
    sent = hold_ceiling(body | {"stop_server_tools_when": [steps]}, Decimal("0.3"), demonstration())
    stop = {"type": "max_cost", "max_cost_in_dollars": Decimal("0.1")}
    assert sent["stop_server_tools_when"] == [steps, stop]
    prices = sent["provider"]["max_price"]
    prompt = prompt_bound(body)
    assert prompt is not None
    assert Decimal(prices["prompt"]) * prompt + Decimal(prices["completion"]) * 100 <= Decimal("0.1") * 10**6
    assert "stop_server_tools_when" not in body


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"max_tokens": None}, "the answer has no limit"),
        ({"plugins": [{"id": "web"}]}, "the plugin web costs extra"),
        ({"plugins": [{"id": "web"}], "tools": [{"type": "openrouter:datetime"}]}, "costs extra|server tool"),
        ({"messages": IMAGE}, "more than text"),
        ({"cache_control": {"type": "ephemeral"}}, "cache writes"),
        ({"modalities": ["image"]}, "images and audio in the answer"),
    ],
)
def test_where_nothing_holds_the_ceiling_the_call_is_refused(more: dict[str, Any], reason: str) -> None:
    body = {"model": "m/a", "messages": HELLO, "max_tokens": 10, **more}
    with pytest.raises(CostCeilingExceeded, match=reason) as caught:
        hold_ceiling(body, Decimal(1))
    assert caught.value.worst is None


def test_the_body_is_never_changed() -> None:
    body = {"model": "m/a", "messages": HELLO, "max_tokens": 10, "provider": {"max_price": {"prompt": "1"}}}
    before = json.dumps(body)
    hold_ceiling(body, Decimal("0.01"))
    assert json.dumps(body) == before


def test_a_price_that_falls_for_long_prompts_keeps_its_endpoint_in_reach(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    cheap_later = {"min_prompt_tokens": 1000, "prompt": 1}
    made = catalog([endpoint("m/a", "a", 3, 1, overrides=[cheap_later]), endpoint("m/a", "b", 9, 9)])
    body = {"model": "m/a", "max_tokens": 1, "provider": {"max_price": {"prompt": 2}}}
    assert [fare.tag for fare in reach(body, made).fares] == ["a"]
    assert [fare.tag for fare in reach(evolve_body(body), made).fares] == ["a", "b"]


def evolve_body(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != "provider"}


def test_excluded_endpoints_do_not_count(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    dear = endpoint("m/a", "dear", 100, 100)
    made = catalog([endpoint("m/a", "a", 1, 1), dear, evolve(dear, tag="openai/priority")])
    body = {"model": "m/a", "max_tokens": 1, "provider": {"ignore": ["dear"]}}
    assert [fare.tag for fare in reach(body, made).fares] == ["a"]
    assert [fare.tag for fare in reach(body | {"service_tier": "priority"}, made).fares] == [
        "openai/priority",
        "a",
    ]
