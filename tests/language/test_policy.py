"""The laws of policies, each under its name; what leaves a compilation is judged by a predicate of its own."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from judge import escapes

from orpolicy.errors import CompileError, PolicyViolation
from orpolicy.language.checker import check
from orpolicy.language.compiler import Compiler
from orpolicy.language.document import read_document
from orpolicy.language.files import Memory
from orpolicy.language.globs import contains, matches, overlap
from orpolicy.language.policy import (
    EMPTY,
    Policy,
    find_bounds,
    find_contradictions,
    meet,
    read_policy,
    select,
)
from orpolicy.language.rules import FAMILIES
from orpolicy.language.source import Source
from orpolicy.language.workspace import Workspace

MODELS = [
    "anthropic/claude-opus-4.1",
    "anthropic/claude-haiku-4.5:nitro",
    "openai/gpt-5-mini",
    "google/gemma-3:free",
]
MODEL_GLOBS = ["anthropic/*", "openai/gpt-5*", "*:free", "*", "google/*", "anthropic/claude-opus-4.1"]
PROVIDERS = [
    "anthropic",
    "google-vertex",
    "google-vertex/us-east5",
    "google-vertex/flex",
    "deepinfra/turbo",
    "deepinfra",
]
SLUGS = [slug for slug in PROVIDERS if not slug.endswith("/flex")]
QUANTIZATIONS = ["fp8", "mxfp8", "fp4", "nvfp4", "bf16", "unknown"]
PLUGINS = ["web", "response-healing", "file-parser"]
TOOLS = ["function:search", "function:refund", "openrouter:web_search", "openrouter:datetime"]
prices = st.sampled_from(["0.5", "1", "2.25", "10"])


def some(values: list[str], least: int = 1) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=3, unique=True)


def lists(allow: list[str], deny: list[str] | None = None) -> st.SearchStrategy[dict[str, list[str]]]:
    return st.fixed_dictionaries({}, optional={"allow": some(allow), "deny": some(deny or allow)}).filter(
        bool
    )


def one_tool(name: str) -> dict[str, Any]:
    if name.startswith("function:"):
        return {"type": "function", "function": {"name": name.removeprefix("function:")}}
    return {"type": name}


def few(
    choices: dict[str, st.SearchStrategy[Any]], least: int, most: int
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a mapping with a few of many keys: with all of them, hardly any preset would go with a policy."""
    keys = st.lists(st.sampled_from(sorted(choices)), min_size=least, max_size=most, unique=True)
    return keys.flatmap(lambda chosen: st.fixed_dictionaries({key: choices[key] for key in chosen}))


policies = few(
    {
        "models": lists(MODEL_GLOBS),
        "providers": lists(SLUGS),
        "quantizations": lists(QUANTIZATIONS),
        "zdr": st.booleans(),
        "data_collection": st.sampled_from(["deny", "allow"]),
        "require_parameters": st.booleans(),
        "allow_fallbacks": st.booleans(),
        "max_price": st.dictionaries(st.sampled_from(["prompt", "completion"]), prices, min_size=1),
        "max_cost": prices,
        "max_tokens": st.sampled_from([100, 500, 4000]),
        "plugins": lists(PLUGINS),
        "tools": lists([*TOOLS, "function:*"]),
        "regions": some(["eu", "us"]),
        "require": some(["user", "max_tokens", "region"]),
    },
    least=1,
    most=3,
)

presets = few(
    {
        "model": st.sampled_from(MODELS),
        "models": some(MODELS),
        "region": st.sampled_from(["eu", "us"]),
        "max_cost": prices,
        "max_tokens": st.sampled_from([50, 400, 5000]),
        "user": st.just("u"),
        "service_tier": st.sampled_from(["flex", "priority"]),
        "plugins": st.lists(
            st.fixed_dictionaries({"id": st.sampled_from(PLUGINS)}, optional={"enabled": st.booleans()}),
            min_size=1,
            max_size=2,
            unique_by=lambda plugin: plugin["id"],
        ),
        "tools": some(TOOLS).map(lambda names: [one_tool(name) for name in names]),
        "provider": few(
            {
                "only": some(PROVIDERS),
                "order": some(PROVIDERS),
                "ignore": some(PROVIDERS),
                "quantizations": some(QUANTIZATIONS),
                "zdr": st.booleans(),
                "data_collection": st.sampled_from(["deny", "allow"]),
                "require_parameters": st.booleans(),
                "allow_fallbacks": st.booleans(),
                "max_price": st.dictionaries(st.sampled_from(["prompt", "completion"]), prices, min_size=1),
            },
            least=1,
            most=2,
        ),
    },
    least=0,
    most=4,
).map(lambda preset: {"model": MODELS[0], **preset})


def policy_of(data: dict[str, Any], name: str = "p") -> Policy:
    document = read_document(Source(name, json.dumps(data))).document
    assert document is not None
    return read_policy(name, document, "").policy


def compiler(preset: dict[str, Any], *policies: dict[str, Any]) -> Compiler:
    files = {f"presets/p{index}.policy.yaml": json.dumps(policy) for index, policy in enumerate(policies)}
    files["orpolicy.yaml"] = json.dumps({"rules": dict.fromkeys(MEANING, "off")})
    return Compiler(
        Workspace(Memory({**files, "presets/it.yaml": json.dumps(preset or {"description": "nothing"})}))
    )


def compile_(preset: dict[str, Any], *policies: dict[str, Any]) -> Any:
    """Compile a preset under policies; ``None`` where they forbid it."""
    try:
        return compiler(preset, *policies).compile("it")
    except PolicyViolation:
        return None


def satisfies(request: Any, policy: dict[str, Any], max_cost: Any = None) -> bool:
    return escapes(request, policy, max_cost) == []


MEANING = [code for family in ("meaning", "catalogue") for code in FAMILIES[family]]
three = st.tuples(policies, policies, policies)


@given(three)
def test_meet_is_commutative_associative_and_idempotent_with_the_empty_policy_as_identity(data: Any) -> None:
    a, b, c = (policy_of(said, name) for said, name in zip(data, "abc", strict=True))
    assert find_bounds(meet(a, b)) == find_bounds(meet(b, a))
    assert find_bounds(meet(meet(a, b), c)) == find_bounds(meet(a, meet(b, c)))
    assert find_bounds(meet(a, a)) == find_bounds(a)
    assert find_bounds(meet(a, EMPTY)) == find_bounds(a)


@given(policies)
def test_bounds_do_not_depend_on_the_file_in_which_a_statement_stands(data: dict[str, Any]) -> None:
    whole = policy_of(data)
    parts = [policy_of({key: value}, f"part-{key}") for key, value in data.items()]
    assert find_bounds(meet(*parts)) == find_bounds(whole)


@given(presets, st.lists(policies, min_size=1, max_size=3))
def test_nothing_escapes_what_is_sent_satisfies_every_policy(
    preset: dict[str, Any], said: list[dict[str, Any]]
) -> None:
    compiled = compile_(preset, *said)
    assume(compiled is not None)
    for policy in said:
        assert satisfies(compiled.request("hi"), policy, compiled.max_cost), policy


@given(presets, policies, presets)
def test_nothing_escapes_call_time_overrides_included(
    preset: dict[str, Any], policy: dict[str, Any], overrides: dict[str, Any]
) -> None:
    compiled = compile_(preset, policy)
    assume(compiled is not None and overrides)
    try:
        request = compiled.request("hi", **overrides)
    except CompileError:
        return
    lowered = compiled.override(overrides)
    assert satisfies(request, policy, lowered.max_cost), policy


@given(presets, policies, st.data())
def test_what_satisfies_a_policy_is_left_as_it_is_by_every_weaker_one(
    preset: dict[str, Any], policy: dict[str, Any], data: st.DataObject
) -> None:
    compiled = compile_(preset, policy)
    assume(compiled is not None)
    keys = data.draw(st.sets(st.sampled_from(sorted(policy)), min_size=1))
    weaker = {key: policy[key] for key in keys}
    again = compile_(spell_out(compiled), weaker)
    assert again is not None
    assert again.lowered.body == compiled.lowered.body


@given(presets, policies)
def test_restrict_is_idempotent(preset: dict[str, Any], policy: dict[str, Any]) -> None:
    once, twice = compile_(preset, policy), compile_(preset, policy, policy)
    assert (once is None) == (twice is None)
    if once is not None:
        assert twice.lowered.body == once.lowered.body
        again = compile_(spell_out(once), policy)
        assert again is not None
        assert again.lowered.body == once.lowered.body


@given(presets, policies, policies)
def test_restrict_is_monotone_a_further_policy_never_gives_anything_back(
    preset: dict[str, Any], policy: dict[str, Any], further: dict[str, Any]
) -> None:
    both = compile_(preset, policy, further)
    if both is not None:
        assert satisfies(both.request("hi"), policy, both.max_cost)
        # Only a key that is required and that the further policy fills in can be missing without it.
        assert {finding.code for finding in check(compiler(preset, policy)).errors} <= {"policy-require"}


@given(presets, three)
def test_restrict_does_not_depend_on_the_order_or_the_number_of_files(
    preset: dict[str, Any], said: Any
) -> None:
    bodies = {
        json.dumps(compiled.lowered.body) if (compiled := compile_(preset, *order)) else None
        for order in (said, said[::-1], (said[1], said[2], said[0], said[1]))
    }
    assert len(bodies) == 1
    split = [{key: value} for policy in said for key, value in policy.items()]
    compiled = compile_(preset, *split)
    assert {json.dumps(compiled.lowered.body) if compiled else None} == bodies


@given(presets, policies)
def test_every_value_that_a_policy_sets_has_its_line_as_origin(
    preset: dict[str, Any], policy: dict[str, Any]
) -> None:
    compiled = compile_(preset, policy)
    assume(compiled is not None)
    for explanation in compiled.explain() if compiled.body else ():
        assert explanation.winner.location is not None
        assert explanation.winner.location.file in ("presets/it.yaml", "presets/p0.policy.yaml")


def spell_out(compiled: Any) -> dict[str, Any]:
    """Write a compiled preset as one without layers."""
    data = dict(compiled.lowered.body)
    if compiled.max_cost is not None:
        data["max_cost"] = str(compiled.max_cost)
    for region in ("eu", "us"):
        if f"//{region}." in compiled.base_url:
            data["region"] = region
    return data


@pytest.mark.parametrize(
    ("policies", "nothing"),
    [
        ([{"providers": {"allow": ["a"]}}, {"providers": {"allow": ["b"]}}], "no provider"),
        ([{"providers": {"allow": ["a/x"], "deny": ["a"]}}], "no provider"),
        (
            [{"quantizations": {"allow": ["fp8"]}}, {"quantizations": {"deny": ["mxfp8", "fp8"]}}],
            "no quantisation",
        ),
        ([{"regions": ["eu"]}, {"regions": ["us"]}], "no region"),
        ([{"models": {"allow": ["anthropic/*"]}}, {"models": {"allow": ["openai/*"]}}], "no model"),
        ([{"models": {"allow": ["anthropic/*"], "deny": ["*"]}}], "no model"),
    ],
)
def test_emptiness_is_proved_of_the_policies_themselves(policies: list[dict[str, Any]], nothing: str) -> None:
    policy = meet(*(policy_of(data, f"p{index}") for index, data in enumerate(policies)))
    found = dict(find_contradictions(policy))
    assert list(found) == [nothing]
    assert len(found[nothing]) >= len(policies)


@given(three)
def test_what_is_empty_stays_empty_under_further_policies(data: Any) -> None:
    a, b, c = (policy_of(said, name) for said, name in zip(data, "abc", strict=True))
    assert {what for what, _ in find_contradictions(meet(a, b))} <= {
        what for what, _ in find_contradictions(meet(a, b, c))
    }


@given(st.lists(st.text("ab*", max_size=5), min_size=1, max_size=3))
def test_patterns_overlap_exactly_where_some_text_matches_all(globs: list[str]) -> None:
    texts = [""]
    for _ in range(7):
        texts += [text + letter for text in texts for letter in "ab" if len(text) == len(texts[-1])]
    witness = any(all(fnmatchcase(text, glob) for glob in globs) for text in texts)
    assert overlap(globs) or not witness
    if sum(len(glob.replace("*", "")) for glob in globs) <= 6:
        assert overlap(globs) == witness


@given(st.text("ab*", max_size=5), st.text("ab*", max_size=5), st.text("ab", max_size=5))
def test_a_pattern_that_contains_another_matches_all_it_matches(wide: str, narrow: str, text: str) -> None:
    if contains(wide, narrow) and matches(narrow, text):
        assert matches(wide, text)


def test_the_list_of_a_thousand_subsets_of_allow_lists_is_order_free() -> None:
    lists_ = [["a"], ["a/x", "b"], ["a", "b/y"]]
    results = set()
    for size in range(1, 4):
        for chosen in combinations(lists_, size):
            forward = meet(*(policy_of({"providers": {"allow": said}}, str(said)) for said in chosen))
            backward = meet(*(policy_of({"providers": {"allow": said}}, str(said)) for said in chosen[::-1]))
            assert find_bounds(forward).providers_allow == find_bounds(backward).providers_allow
            results.add(find_bounds(forward).providers_allow)
    assert frozenset({"a/x"}) in results


def test_an_equal_policy_in_another_file_keeps_its_own_places() -> None:
    def read(text: str) -> Policy:
        document = read_document(Source("p.policy.yaml", text)).document
        assert document is not None
        return read_policy("p", document, "").policy

    first, second = (
        read("regions: []\nmodels: {deny: [x/*]}"),
        read("# later\nregions: []\nmodels: {deny: [x/*]}"),
    )
    assert first == second
    for number, policy in enumerate((first, second), start=1):
        [(_, [blamed])] = find_contradictions(policy)
        assert blamed.location is not None
        assert blamed.location.span.start.line == number
        [denied] = select(policy, "models.deny")
        assert denied.location is not None
        assert denied.location.span.start.line == number + 1
