"""No policy ever adds an eligible endpoint: what the language narrows, judged by the router on random catalogues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from catalogs import IDS, LEVELS, SLUGS, TAGS, bodies, catalogs
from hypothesis import event, given, settings
from hypothesis import strategies as st

from orpolicy.errors import CompileError
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.rules import FAMILIES
from orpolicy.language.workspace import Workspace
from orpolicy.routing.router import route

if TYPE_CHECKING:
    from orpolicy.language.compilation import Compilation
    from orpolicy.routing.catalog import Catalog

QUIET = {code: "off" for code, severity in FAMILIES["meaning"].items() if severity != "off"}
prices = st.integers(0, 12).map(lambda tenths: tenths / 10)


def some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


def sides(allow: tuple[str, ...], deny: tuple[str, ...]) -> st.SearchStrategy[dict[str, list[str]]]:
    lists = {"allow": some(allow), "deny": some(deny)}
    keys = st.sampled_from([("allow",), ("deny",), ("allow", "deny")])
    return keys.flatmap(lambda chosen: st.fixed_dictionaries({key: lists[key] for key in chosen}))


CHOICES: dict[str, st.SearchStrategy[Any]] = {
    "models": sides(("m/*", *IDS), ("*:nitro", "m/c")),
    "providers": sides(TAGS, SLUGS),
    "quantizations": sides(LEVELS, LEVELS[1:]),
    "zdr": st.booleans(),
    "data_collection": st.sampled_from(["deny", "allow"]),
    "require_parameters": st.booleans(),
    "allow_fallbacks": st.booleans(),
    "max_price": st.dictionaries(st.sampled_from(["prompt", "completion"]), prices, min_size=1),
    "max_tokens": st.sampled_from([500, 5000, 60_000]),
}
policies = st.lists(st.sampled_from(sorted(CHOICES)), min_size=1, max_size=3, unique=True).flatmap(
    lambda keys: st.fixed_dictionaries({key: CHOICES[key] for key in keys})
)
presets = st.one_of(bodies(), bodies().map(lambda body: {"models": body["models"]}))


def compile_(preset: dict[str, Any], *governing: dict[str, Any]) -> Compilation | None:
    """Compile a preset under policies; ``None`` where they, or the schema, forbid it."""
    files = {f"presets/p{number}.policy.yaml": json.dumps(one) for number, one in enumerate(governing)}
    files["orpolicy.yaml"] = json.dumps({"rules": QUIET})
    files["presets/it.yaml"] = json.dumps(preset, default=float)
    try:
        return Compiler(Workspace(Memory(files))).compile("it")
    except CompileError:
        return None


def judge(body: Any, catalog: Catalog) -> tuple[set[int], set[int]]:
    """Return the endpoints that may serve a body, and those that may or perhaps may."""
    answer = route(body, catalog)
    may = {id(attempt.endpoint) for attempt in answer.attempts}
    return may, may | {id(entry.endpoint) for entry in answer.unknown if entry.endpoint}


@settings(max_examples=120)
@given(catalogs, presets, policies)
def test_no_policy_ever_adds_an_eligible_endpoint(
    catalog: Catalog, preset: dict[str, Any], policy: dict[str, Any]
) -> None:
    free, bound = compile_(preset), compile_(preset, policy)
    assert free is not None, "every preset compiles without a policy"
    event("forbidden" if bound is None else "narrowed" if bound.body != free.body else "left alone")
    if bound is not None:
        may, perhaps = judge(bound.body, catalog)
        may_freely, perhaps_freely = judge(free.body, catalog)
        assert may <= may_freely
        assert perhaps <= perhaps_freely


@settings(max_examples=60)
@given(catalogs, presets, policies, policies)
def test_a_further_policy_never_adds_an_eligible_endpoint(
    catalog: Catalog, preset: dict[str, Any], policy: dict[str, Any], further: dict[str, Any]
) -> None:
    # A lower ceiling on the answer is easier to serve: who answers with 500 tokens at most is out of reach under a
    # ceiling of 5,000 and within reach under one of 500.
    further.pop("max_tokens", None)
    one, both = compile_(preset, policy), compile_(preset, policy, further)
    if both is not None:
        assert one is not None, "what two policies permit, each of them permits"
        assert judge(both.body, catalog)[0] <= judge(one.body, catalog)[0]


@settings(max_examples=60)
@given(catalogs, presets, bodies(), policies)
def test_no_call_time_override_escapes_to_an_endpoint_that_the_policy_keeps_away(
    catalog: Catalog, preset: dict[str, Any], overrides: dict[str, Any], policy: dict[str, Any]
) -> None:
    bound = compile_(preset, policy)
    if bound is None:
        return
    plain = json.loads(json.dumps(overrides, default=float))
    try:
        narrowed = bound.request("Hello", **plain).body
    except CompileError:
        return
    free = compile_(preset)
    assert free is not None
    assert judge(narrowed, catalog)[0] <= judge(free.request("Hello", **plain).body, catalog)[0]
