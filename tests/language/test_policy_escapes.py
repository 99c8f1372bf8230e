"""Ways around a policy, each tried and closed; what still leaves is held against the policy by a judge of its own."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attacks import MODEL, NARROWED, STOPPED, compiler
from hypothesis import assume, event, given
from hypothesis import strategies as st
from judge import escapes

from orpolicy.errors import CompileError, PolicyViolation, UsageError
from orpolicy.language.checker import check
from orpolicy.language.document import read_document
from orpolicy.language.slugs import meant_provider, read_model
from orpolicy.language.source import Source, from_pointer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("preset", "policy", "pointer"), STOPPED, ids=lambda said: json.dumps(said)[:60])
def test_a_way_around_is_stopped_at_its_own_place_in_a_file_and_in_a_call(
    preset: dict[str, Any], policy: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(PolicyViolation) as stopped:
        compiler(preset, policy).compile("it")
    errors = stopped.value.report.errors
    assert {error.code for error in errors} <= {"policy-conflict", "policy-require"}
    assert all(error.related for error in errors)
    document = read_document(Source("presets/it.yaml", json.dumps(preset))).document
    assert document is not None
    place = document.locate(from_pointer(pointer), "key" if pointer == "/preset" else "value")
    assert str(place) in [str(error.location) for error in errors]


@pytest.mark.parametrize(
    ("preset", "policy"),
    [
        row[:2] for row in STOPPED if row[2]
    ],  # without a place the preset lacks something, and a call leaves what it has
    ids=lambda said: json.dumps(said)[:60],
)
def test_what_a_file_may_not_say_no_call_may_say_either(
    preset: dict[str, Any], policy: dict[str, Any]
) -> None:
    allowed = {"region": "eu"} if "regions" in policy else {}
    for model in ("openai/gpt-5", "deepseek/r1", "anthropic/claude-haiku-4.5"):
        try:
            compiled = compiler({"model": model, **allowed}, policy).compile("it")
        except PolicyViolation:
            continue
        with pytest.raises(PolicyViolation):
            compiled.request("hi", **preset)
        return
    pytest.fail("no preset keeps this policy")


@pytest.mark.parametrize(
    ("preset", "policy", "call", "sent"), NARROWED, ids=lambda said: json.dumps(said)[:60]
)
def test_what_would_open_a_door_is_narrowed(
    preset: dict[str, Any], policy: dict[str, Any], call: dict[str, Any], sent: dict[str, Any]
) -> None:
    body = compiler(preset, policy).compile("it").request("hi", **call).body
    del body["messages"]
    assert body == sent


@pytest.mark.parametrize("key", ["extends", "abstract", "environments", "description", "slug"])
def test_what_belongs_into_a_file_is_refused_in_a_call(key: str) -> None:
    compiled = compiler(MODEL, {"zdr": True}).compile("it")
    with pytest.raises(UsageError, match=f"'{key}' belongs into a preset's file"):
        compiled.request("hi", **{key: "it"})


@pytest.mark.parametrize(
    "price",
    [
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("1E+2"),
        "1e9",
        "1e9 ",
        100,
        "100",
        "0x10",
        1e-320,
        "\u0661\u0660",
        True,
        -1,
    ],
)
def test_no_spelling_of_a_price_gets_above_the_ceiling(price: Any) -> None:
    for policy, said in (
        ({"max_price": {"prompt": 5}}, {"provider": {"max_price": {"prompt": price}}}),
        ({"max_cost": 5}, {"max_cost": price}),
    ):
        with pytest.raises(CompileError):
            compiler(MODEL, policy).compile("it").request("hi", **said)


@pytest.mark.parametrize(
    "text",
    [
        "provider:\n  # orpolicy: ignore[policy-conflict]\n  zdr: false\n",
        "provider: {zdr: false}  # orpolicy: ignore[policy-conflict]\n",
        "provider: {zdr: !!bool false}\n",
        "provider: {zdr: &no false}\nmetadata: {a: b}\n",
        "environments: {prod: {provider: {zdr: false}}}\n",
        "extends: loose\n",
    ],
)
@pytest.mark.parametrize("rules", ["{}", "{policy-conflict: 'off'}", "{policy-conflict: warning}"])
def test_no_comment_rule_overlay_or_base_lifts_a_policy(text: str, rules: str) -> None:
    files = {
        "orpolicy.yaml": f"environments: [prod]\nrules: {rules}\n",
        "presets/it.yaml": "model: openai/gpt-5\n" + text,
        "presets/loose.yaml": "abstract: true\nprovider: {zdr: false}\n",
    }
    project = compiler(MODEL, {"zdr": True}, files)
    with pytest.raises(CompileError):
        project.compile("it", "prod")
    assert check(project).errors


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"presets/team/it.yaml": "model: a/b\n", "presets/team/t.policy.yaml": "zdr: false\n"}, "team/it"),
        ({"presets/t.policy.yml": "allow_fallbacks: true\nzdr: false\n"}, "it"),
        ({"presets/org.policy.yml": "zdr: false\n"}, "it"),
        ({"presets/it.yml": "model: a/b\nprovider: {data_collection: allow}\n"}, "it"),
        ({}, "orpolicy/support/triage"),
        ({"presets/it.yaml": "extends: orpolicy/cheapest\nmodel: a/b\n"}, "it"),
    ],
)
def test_no_other_file_lifts_a_policy(files: dict[str, str], name: str) -> None:
    body = compiler(MODEL, {"zdr": True}, files).compile(name).body
    assert body["provider"]["zdr"] is True


@pytest.mark.parametrize(
    "text", ["zdr: treu\n", "zdr: true\nfoo: 1\n", "[", "applies_to: {environments: [x]}\nzdr: true\n"]
)
def test_a_policy_that_cannot_be_read_stops_every_preset(text: str) -> None:
    files = {"orpolicy.yaml": "environments: [prod]\n", "presets/other.policy.yaml": text}
    with pytest.raises(CompileError):
        compiler(MODEL, {"zdr": True}, files).compile("it")


def test_what_an_alias_stands_for_holds_the_words_of_its_family(shared: Path) -> None:
    models = json.loads((shared / "catalog" / "models.json").read_text(encoding="utf-8"))["data"]
    targets = {model["id"]: model["alias_target"]["slug"] for model in models if model.get("alias_target")}
    assert len(targets) > 10
    for name, target in targets.items():
        alias, meant = read_model(name), read_model(target)
        assert alias is not None
        assert meant is not None
        assert alias.author == meant.author
        assert not meant.variants
        assert set(alias.slug.split("-")) - {"latest"} <= set(meant.slug.split("-"))


def test_a_display_name_leads_to_its_slug(shared: Path) -> None:
    providers = json.loads((shared / "catalog" / "providers.json").read_text(encoding="utf-8"))["data"]
    assert {meant_provider(row["name"]): row["slug"] for row in providers} == {
        row["slug"]: row["slug"] for row in providers
    }


# Everything at once: presets, bases, overlays and calls that use every trick above, under policies over the same words.

NAMES = st.sampled_from(
    [
        "openai/gpt-5",
        "openai/gpt-5-mini:nitro",
        "anthropic/claude-haiku-4.5:online",
        "google/gemma-3:free",
        "deepseek/deepseek-r1:floor",
        "~anthropic/claude-opus-latest",
        "~openai/gpt-mini-latest",
        "openrouter/auto",
        "openrouter/fusion",
        "openai/gpt-5@preset/x",
    ]
)
GLOBS = [
    "anthropic/*",
    "openai/*",
    "openai/gpt-5",
    "*:free",
    "deepseek/*",
    "*/claude-opus*",
    "openrouter/*",
    "*",
]
SLUGS = [
    "anthropic",
    "DeepSeek",
    "deepseek",
    "google-vertex",
    "google-vertex/us-east5",
    "openai",
    "openai/priority",
]
DENIED = ["deepseek", "google-vertex", "google-vertex/us-east5", "openai"]
FORMATS = ["fp8", "mxfp8", "fp4", "bf16"]
PLUGINS = ["web", "fusion", "auto-router", "moderation"]
TOOLS = [
    "openrouter:web_search",
    "openrouter:datetime",
    "openrouter:advisor",
    "openrouter:fusion",
    "function:f",
]


def some(values: Any, least: int = 0) -> st.SearchStrategy[list[Any]]:
    drawn = values if isinstance(values, st.SearchStrategy) else st.sampled_from(values)
    return st.lists(drawn, min_size=least, max_size=2, unique_by=json.dumps)


def some_of(choices: dict[str, Any], least: int = 0, most: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    keys = st.lists(st.sampled_from(sorted(choices)), min_size=least, max_size=most, unique=True)
    return keys.flatmap(lambda chosen: st.fixed_dictionaries({key: choices[key] for key in chosen}))


def edited(values: Any) -> st.SearchStrategy[Any]:
    lists = some(values)
    return st.one_of(lists, st.none(), some_of({"append": lists, "prepend": lists, "remove": lists}, 1, 2))


inner_tools = some([{"type": "web_search"}, {"type": "openrouter:datetime"}])
tools = st.one_of(
    st.builds(lambda kind: {"type": kind}, st.sampled_from(["web_search_preview", *TOOLS[:4]])),
    st.just({"type": "function", "function": {"name": "f"}}),
    st.builds(lambda inner: {"type": "openrouter:advisor", "parameters": inner}, some_of({"model": NAMES})),
    st.builds(
        lambda inner: {"type": "openrouter:subagent", "parameters": inner},
        some_of({"model": NAMES, "tools": inner_tools}),
    ),
)
plugins = st.one_of(
    st.builds(lambda name: {"id": name}, st.sampled_from(PLUGINS)),
    st.just({"id": "web", "enabled": False}),
    st.builds(
        lambda inner: {"id": "auto-router", **inner},
        some_of({"allowed_models": some(GLOBS[:4]), "excluded_models": some(GLOBS, 1)}),
    ),
    st.builds(
        lambda inner: {"id": "fusion", **inner},
        some_of({"analysis_models": some(NAMES, 1), "model": NAMES, "tools": inner_tools}, 1),
    ),
)
prices = st.sampled_from([1, "2.5", "10", None])
layers = some_of(
    {
        "model": st.one_of(NAMES, st.none()),
        "models": edited(NAMES),
        "provider": st.one_of(
            st.none(),
            some_of(
                {
                    "only": edited(SLUGS),
                    "order": edited(SLUGS),
                    "ignore": edited(DENIED),
                    "quantizations": edited(FORMATS),
                    "zdr": st.sampled_from([True, None]),
                    "data_collection": st.sampled_from(["deny", None]),
                    "max_price": st.one_of(st.none(), some_of({"prompt": prices, "completion": prices})),
                }
            ),
        ),
        "service_tier": st.sampled_from(["flex", "priority", "default", None]),
        "speed": st.sampled_from(["fast", "standard"]),
        "region": st.sampled_from(["eu", None]),
        "max_tokens": st.sampled_from([100, 5000, None]),
        "max_completion_tokens": st.sampled_from([100, 5000]),
        "max_cost": prices,
        "transforms": st.sampled_from([["middle-out"], []]),
        "plugins": st.one_of(some(plugins), st.just({"remove": ["web"]})),
        "tools": some(tools),
    }
)
policies = some_of(
    {
        "models": some_of({"allow": some(GLOBS, 1), "deny": some(GLOBS[:6], 1)}, 1),
        "providers": some_of({"allow": some(DENIED, 1), "deny": some(DENIED, 1)}, 1),
        "quantizations": some_of({"allow": some(FORMATS, 1), "deny": some(FORMATS[1:3], 1)}, 1),
        "zdr": st.just(True),
        "data_collection": st.just("deny"),
        "max_price": st.fixed_dictionaries({"prompt": st.sampled_from([2, 5])}),
        "max_cost": st.sampled_from([2, 5]),
        "max_tokens": st.sampled_from([500, 9000]),
        "plugins": some_of({"allow": some(PLUGINS), "deny": some(PLUGINS, 1)}, 1),
        "tools": some_of({"allow": some([*TOOLS, "openrouter:*"]), "deny": some(TOOLS, 1)}, 1),
        "regions": st.just(["eu"]),
    },
    least=1,
    most=2,
)


@given(layers, layers, layers, policies)
def test_nothing_escapes_and_nothing_is_left_to_narrow_whatever_bases_overlays_and_calls_say(
    base: dict[str, Any], overlay: dict[str, Any], call: dict[str, Any], policy: dict[str, Any]
) -> None:
    preset = {"extends": "base", "model": "openai/gpt-5", "environments": {"prod": overlay}}
    files = {"presets/base.yaml": json.dumps({"abstract": True, **base})}
    try:
        compiled = compiler(preset, policy, files).compile("it", "prod")
        request = compiled.request("hi", **call)
    except CompileError as stopped:
        event(stopped.report.errors[0].code)
        assume(False)
    event("sent")
    assert escapes(request, policy, request.max_cost) == []
    assert compiler(spell_out(request), policy).compile("it").request("hi").body == request.body


def spell_out(request: Any) -> dict[str, Any]:
    """Write a request as a preset without layers."""
    data = {key: value for key, value in request.body.items() if key != "messages"}
    if request.max_cost is not None:
        data["max_cost"] = str(request.max_cost)
    if "//eu." in request.base_url:
        data["region"] = "eu"
    return data
