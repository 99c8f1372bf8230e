"""What is factored out of a body comes back when it is laid over its base, exactly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import presets

from orpolicy.language.building import build_layer
from orpolicy.language.decompile_factor import factor, is_same
from orpolicy.language.merge import merge_layers
from orpolicy.language.schema import check_shape, merge_strategies
from orpolicy.language.settle import settle
from orpolicy.language.trees import Layer, to_data

PLUGINS = [
    {"id": "web"},
    {"id": "web", "max_results": 3},
    {"id": "web", "max_results": 3, "engine": "exa"},
    {"id": "moderation"},
    {"id": "response-healing", "enabled": False},
    {"id": "file-parser", "pdf": {"engine": "native"}},
    {"id": "file-parser", "pdf": {}},
]
TOOLS = [
    *(
        {"type": "function", "function": {"name": name, **more}}
        for name in "ab"
        for more in ({}, {"description": "x"}, {"description": "y", "parameters": {"type": "object"}})
    ),
    *(
        {"type": "openrouter:advisor", "parameters": {"name": name, "model": model}}
        for name in "uv"
        for model in ("a/b", "c/d")
    ),
    {"type": "openrouter:advisor"},
    {"type": "openrouter:datetime", "parameters": {"timezone": "UTC"}},
    {"type": "openrouter:datetime"},
]
LETTERS = st.lists(st.sampled_from("abcdef"), max_size=6)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "plugins": st.lists(st.sampled_from(PLUGINS), max_size=5),
        "tools": st.lists(st.sampled_from(TOOLS), max_size=5),
        "stop": LETTERS | st.just("x"),
        "provider": st.fixed_dictionaries(
            {},
            optional={
                "order": LETTERS,
                "only": LETTERS,
                "zdr": st.booleans(),
                "sort": st.sampled_from(["price", {"by": "price"}, {"by": "latency", "partition": "none"}]),
            },
        ),
        "seed": st.integers(0, 2),
        "logprobs": st.booleans(),
        "metadata": st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy")),
        "response_format": st.dictionaries(st.sampled_from("ab"), st.sampled_from([0, False, 1, True, 1.5])),
    },
)


def compose(base: dict[str, Any], top: dict[str, Any]) -> Any:
    layers = [build_layer(data, Layer("layer"), merge_strategies()) for data in (base, top)]
    return to_data(settle(merge_layers(*layers)))


@settings(max_examples=400)
@given(BODIES, BODIES)
def test_what_is_factored_gives_the_body_back_over_its_base(
    body: dict[str, Any], base: dict[str, Any]
) -> None:
    assert is_same(compose(base, factor(body, base)), body)


@settings(max_examples=60)
@given(presets(), presets())
def test_the_same_holds_for_whole_presets(body: dict[str, Any], base: dict[str, Any]) -> None:
    assert is_same(compose(base, factor(body, base)), body)


@settings(max_examples=100)
@given(BODIES)
def test_nothing_is_left_to_say_over_the_same(body: dict[str, Any]) -> None:
    assert factor(body, body) == {}


@settings(max_examples=100)
@given(BODIES)
def test_everything_is_left_to_say_over_nothing(body: dict[str, Any]) -> None:
    assert factor(body, {}) == body


@settings(max_examples=100)
@given(LETTERS, LETTERS)
def test_a_list_of_texts_is_never_written_longer_than_it_is(body: list[str], base: list[str]) -> None:
    written = factor({"stop": body}, {"stop": base}).get("stop", [])
    assert len(json.dumps(written)) <= len(json.dumps(body))


@pytest.mark.parametrize(
    ("body", "base", "written"),
    [
        ([*"abcdefgh", "new"], [*"abcdefgh"], {"append": ["new"]}),
        (["new", *"abcdefgh"], [*"abcdefgh"], {"prepend": ["new"]}),
        ([*"bcdefgh"], [*"abcdefgh"], {"remove": ["a"]}),
        ([*"lbcdefghijk"], [*"abcdefghijkl"], {"remove": ["a"], "prepend": ["l"]}),
        ([*"ba"], [*"ab"], [*"ba"]),
        ([*"abcdefghh"], [*"abcdefgh"], [*"abcdefghh"]),
        ([], [*"abc"], []),
    ],
)
def test_lists_become_edits_only_where_that_is_shorter(
    body: list[str], base: list[str], written: Any
) -> None:
    factored = factor({"stop": body}, {"stop": base})
    assert factored == {"stop": written}
    assert compose({"stop": base}, factored) == {"stop": body}


@pytest.mark.parametrize(
    ("body", "base", "written"),
    [
        (
            [{"id": "web", "max_results": 5}],
            [{"id": "web", "max_results": 3}],
            [{"id": "web", "max_results": 5}],
        ),
        (
            [{"id": "web"}, {"id": "moderation"}, {"id": "fusion"}],
            [{"id": "web"}, {"id": "moderation"}],
            [{"id": "fusion"}],
        ),
        ([{"id": "web"}], [{"id": "web"}, {"id": "moderation"}], {"remove": ["moderation"]}),
        (
            [{"id": "moderation"}, {"id": "web"}],
            [{"id": "web"}, {"id": "moderation"}],
            {"append": [{"id": "web"}]},
        ),
        (
            [{"id": "web"}],
            [{"id": "web", "engine": "exa"}],
            {"remove": ["web"], "append": [{"id": "web"}]},
        ),
    ],
)
def test_plugins_say_only_what_changes(body: Any, base: Any, written: Any) -> None:
    factored = factor({"plugins": body}, {"plugins": base})
    assert factored == {"plugins": written}
    assert compose({"plugins": base}, factored) == {"plugins": body}
    assert check_shape("preset", factored) == []


def test_an_agent_is_removed_by_its_type_and_name() -> None:
    agents = [{"type": "openrouter:advisor", "parameters": {"name": name, "model": "a/b"}} for name in "uv"]
    factored = factor({"tools": agents[1:]}, {"tools": agents})
    assert factored == {"tools": {"remove": [{"type": "openrouter:advisor", "parameters": {"name": "u"}}]}}
    assert check_shape("preset", factored) == []


def test_true_is_no_number_and_whole_decimals_are() -> None:
    assert not is_same(True, 1)
    assert not is_same({"a": [False]}, {"a": [0]})
    assert is_same(1, 1.0)
    assert not is_same([1], [1, 2])
