"""Rules that need the catalogue: what they say, where, and when they keep silent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from catalogs import CATALOG, NOW, bodies, catalogs
from hypothesis import given, settings

from orpolicy.disk import Library
from orpolicy.errors import CatalogError
from orpolicy.inspection import Inspection, list_models
from orpolicy.language.checker import check as check_all
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.lint import lint as lint_language
from orpolicy.language.rules import RULES
from orpolicy.language.workspace import Workspace
from orpolicy.project import Project, load
from orpolicy.routing.catalog import Catalog
from orpolicy.routing.lint import lint, lint_policy
from orpolicy.routing.mentions import mentioned_models, mentioned_patterns
from orpolicy.routing.router import route
from orpolicy.routing.snapshot import demonstration, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orpolicy.language.diagnostics import Diagnostic, Finding
    from orpolicy.routing.catalog import Endpoint

HAIKU, MINI, OSS = "anthropic/claude-haiku-4.5", "openai/gpt-4o-mini", "openai/gpt-oss-120b"
NOBODY = {"unreachable", "price-below-every-endpoint", "completion-limit"}
"""Rules that say: every request would be refused."""


def judge(body: dict[str, Any], catalog: Catalog = CATALOG, **more: Any) -> list[Finding]:
    found = lint(body, catalog, now=more.pop("now", NOW), **more)
    return [finding for finding in found if finding.code != "single-endpoint"]


def only_one(body: dict[str, Any], catalog: Catalog = CATALOG, **more: Any) -> Finding:
    (finding,) = judge(body, catalog, **more)
    return finding


# One mistake is one finding, at its place, with what to write instead


@pytest.mark.parametrize(
    ("body", "code", "path", "hint"),
    [
        ({"model": "antropic/claude-haiku-4.5"}, "unknown-model", "model", f"did you mean '{HAIKU}'"),
        ({"model": "gpt-4o-mini"}, "unknown-model", "model", f"did you mean '{MINI}'?"),
        ({"model": "nobody/nothing"}, "unknown-model", "model", "'orpolicy catalog pull'"),
        ({"model": "OpenAI/GPT-4o-mini:nitro"}, "unlisted-alias", "model", f"write '{MINI}:nitro'"),
        ({"model": f"{MINI}:free"}, "unknown-model", "model", f"write '{MINI}', which is billed"),
        ({"model": "google/gemma-4-31b-it:free:nitro"}, None, None, None),
        ({"model": "google/gemma-4-31b-it"}, "unknown-model", "model", "'google/gemma-4-31b-it:free'"),
        ({"model": "anthropic/claude-4.5-haiku"}, "unlisted-alias", "model", f"write '{HAIKU}'"),
        ({"model": "anthropic/claude-4.5-haiku-20251001"}, None, None, None),
        ({"model": "Anthropic: Claude Haiku 4.5"}, "unknown-model", "model", f"did you mean '{HAIKU}'"),
        ({"model": f"{HAIKU}@preset/x"}, None, None, None),
        (
            {"model": "antropic/claude-haiku-4.5@preset/x"},
            "unknown-model",
            "model",
            f"did you mean '{HAIKU}'",
        ),
        ({"model": "@preset/x"}, None, None, None),
        ({"models": [HAIKU, "openai/gpt-4o-mimi"]}, "unknown-model", "models/1", f"did you mean '{MINI}'"),
        (
            {"model": HAIKU, "tools": [{"type": "openrouter:advisor", "parameters": {"model": "a/b"}}]},
            "unknown-model",
            "tools/0/parameters/model",
            "catalog pull",
        ),
        (
            {"model": HAIKU, "plugins": [{"id": "fusion", "analysis_models": [HAIKU, "a/b"]}]},
            "unknown-model",
            "plugins/0/analysis_models/1",
            "catalog pull",
        ),
        (
            {"model": "openrouter/auto", "plugins": [{"id": "auto-router", "allowed_models": ["opnai/*"]}]},
            "pattern-matches-nothing",
            "plugins/0/allowed_models/0",
            "correct it, or remove it",
        ),
        (
            {"model": HAIKU, "provider": {"order": ["antropic"]}},
            "unknown-provider",
            "provider/order/0",
            "did you mean 'anthropic'?",
        ),
        (
            {"model": HAIKU, "provider": {"ignore": ["antropic/fast"]}},
            "unknown-provider",
            "provider/ignore/0",
            "did you mean 'anthropic/fast'?",
        ),
        (
            {"model": OSS, "provider": {"only": ["meta-llama"]}},
            "unknown-provider",
            "provider/only/0",
            "'meta-llama' is an author of models; the model's providers are amazon-bedrock, cerebras/fp16",
        ),
        (
            {"model": HAIKU, "provider": {"only": ["deepinfra"]}},
            "unreachable",
            "provider/only",
            "its providers are amazon-bedrock/global, anthropic, google-vertex/global, amazon-bedrock/eu-west-1",
        ),
        (
            {"model": HAIKU, "provider": {"order": ["groq"], "allow_fallbacks": False}},
            "unreachable",
            "provider/allow_fallbacks",
            "list one of its providers in 'order' (",
        ),
        (
            {"model": HAIKU, "provider": {"only": ["anthropic"], "zdr": True}},
            "unreachable",
            "provider/zdr",
            "or change 'only': amazon-bedrock/eu-west-1, amazon-bedrock/global, google-vertex/global could serve",
        ),
        (
            {"model": "deepseek/deepseek-v3.2", "provider": {"quantizations": ["bf16"]}},
            "unreachable",
            "provider/quantizations",
            "its endpoints have fp4, fp8, unknown",
        ),
        (
            {"model": MINI, "provider": {"ignore": ["azure", "openai"]}},
            "unreachable",
            "provider/ignore",
            "without 'ignore' these could serve: azure, openai",
        ),
        (
            {"model": HAIKU, "seed": 1, "provider": {"require_parameters": True}},
            "unreachable",
            "seed",
            "drop the parameter, or name a model whose endpoints support it",
        ),
        (
            {"model": HAIKU, "max_completion_tokens": 9, "provider": {"require_parameters": True}},
            "unreachable",
            "max_completion_tokens",
            "write 'max_tokens', which is supported",
        ),
        (
            {"model": "anthropic/claude-sonnet-4.5", "provider": {"max_price": {"prompt": "2.5"}}},
            "price-below-every-endpoint",
            "provider/max_price/prompt",
            "write at least 'prompt: 3', or name a cheaper model",
        ),
        (
            {"model": MINI, "provider": {"max_price": {"prompt": "0.1", "completion": "0.5"}}},
            "price-below-every-endpoint",
            "provider/max_price/prompt",
            "write at least 'prompt: 0.15', 'completion: 0.6'",
        ),
        ({"model": HAIKU, "max_tokens": 64_001}, "completion-limit", "max_tokens", "write at most 64000"),
        (
            {"model": OSS, "max_completion_tokens": 131_072},
            "context-too-small",
            "max_completion_tokens",
            "write less than 131072",
        ),
        (
            {"models": [HAIKU, MINI], "provider": {"only": ["anthropic"]}},
            "unreachable-model",
            "models/1",
            "remove it; its providers are azure, openai",
        ),
        (
            {"model": "deepseek/deepseek-v3.2", "provider": {"order": ["groq", "novita"]}},
            "provider-serves-no-model",
            "provider/order/0",
            "there is novita/fp8, streamlake/fp8, ",
        ),
        (
            {"model": "deepseek/deepseek-v3.2", "provider": {"only": ["novita/fp4", "friendli"]}},
            "provider-serves-no-model",
            "provider/only/0",
            "there is novita/fp8",
        ),
        (
            {"model": "deepseek/deepseek-v3.2", "provider": {"ignore": ["novita/fp4"]}},
            "provider-serves-no-model",
            "provider/ignore/0",
            "there is novita/fp8",
        ),
        ({"model": "deepseek/deepseek-v3.2", "provider": {"ignore": ["groq"]}}, None, None, None),
        ({"model": HAIKU, "seed": 1}, "unsupported-parameter", "seed", "drop it, or name a model"),
        (
            {"model": "anthropic/claude-haiku-4.5", "service_tier": "flex"},
            "unserved-tier",
            "service_tier",
            "name a model that is sold at it",
        ),
        ({"model": "openai/gpt-5-mini", "service_tier": "flex"}, None, None, None),
        (
            {"model": "google/gemini-3-flash-preview"},
            "expiring-model",
            "model",
            "move to another model",
        ),
        (
            {"model": "meta-llama/llama-3.3-70b-instruct"},
            "deprecated-model",
            "model",
            "move to another model",
        ),
        ({"model": "deepseek/deepseek-v3.2"}, None, None, None),
    ],
    ids=str,
)
def test_a_mistake_is_one_finding_that_says_what_to_write_instead(
    body: dict[str, Any], code: str | None, path: str | None, hint: str | None
) -> None:
    found = judge(body)
    if code is None:
        assert found == []
        return
    (finding,) = found
    assert finding.code == code
    assert "/".join(map(str, finding.path)) == path
    assert hint is not None
    assert finding.hint is not None
    assert hint in finding.hint


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "a/b"}, "OpenRouter lists no model 'a/b' (catalogue of 2026-08-22)"),
        ({"model": f"{MINI}:free"}, f"'{MINI}' has no variant ':free'"),
        (
            {"model": HAIKU, "provider": {"only": ["anthropic"], "zdr": True}},
            (
                "no endpoint may serve this: OpenRouter would answer 404 privacy_restricted, "
                "excluded by data_policy:zdr, allowed_providers"
            ),
        ),
        (
            {"model": HAIKU, "provider": {"ignore": ["nobody"]}},
            "OpenRouter lists no provider 'nobody' (catalogue of 2026-08-22): it excludes nobody",
        ),
        (
            {"model": MINI, "provider": {"max_price": {"prompt": "0.1"}}},
            "no endpoint is this cheap: 'azure' asks the least, 0.15 USD per million prompt tokens",
        ),
        (
            {"model": HAIKU, "max_tokens": 99_999},
            "no endpoint answers with 99,999 tokens: the most is 64,000",
        ),
        (
            {"model": "google/gemini-3-flash-preview"},
            "'google/gemini-3-flash-preview' leaves OpenRouter on 2026-10-31, in 69 days",
        ),
        (
            {"model": "meta-llama/llama-3.3-70b-instruct"},
            "'meta-llama/llama-3.3-70b-instruct' was to leave OpenRouter on 2026-08-01",
        ),
        (
            {"model": HAIKU, "seed": 1, "provider": {"require_parameters": True}},
            "parameters are required, and no endpoint supports 'seed'",
        ),
        ({"model": HAIKU, "seed": 1}, f"no endpoint of '{HAIKU}' supports 'seed': it is ignored"),
    ],
    ids=str,
)
def test_what_is_said(body: dict[str, Any], message: str) -> None:
    assert only_one(body).message == message


def test_the_places_beside_a_finding_are_those_of_the_other_halves() -> None:
    required = only_one({"model": HAIKU, "seed": 1, "provider": {"require_parameters": True}})
    assert required.related == (("required here", ("provider", "require_parameters")),)
    caps = only_one({"model": MINI, "provider": {"max_price": {"prompt": "0.1", "completion": "0.5"}}})
    assert caps.related == (("together with this ceiling", ("provider", "max_price", "completion")),)
    lone = only_one({"models": [HAIKU, MINI], "provider": {"only": ["anthropic"]}})
    assert lone.related == (("this excludes it", ("provider", "only")),)


def test_several_constraints_to_lift_together_are_all_named(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/a", "openai", quantization="fp8")])
    body = {"model": "m/a", "provider": {"zdr": True, "quantizations": ["bf16"], "ignore": ["azure"]}}
    finding = next(found for found in judge(body, evolve(made, complete=False)))
    assert finding.path == ("provider", "quantizations")
    assert finding.related == (("together with this", ("provider", "zdr")),)


# The finer points of single rules


def test_a_model_that_nobody_serves_is_unreachable(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/b", "openai")], {"m/a": {}})
    alone = only_one({"model": "m/a"}, made)
    assert (alone.code, alone.message) == (
        "unreachable",
        "'m/a' has no endpoint: OpenRouter would answer 404 no_endpoints",
    )
    first = only_one({"model": "m/a", "models": ["m/b"]}, made)
    assert (first.code, first.path, first.message) == (
        "unreachable-model",
        ("model",),
        "'m/a' can never answer: it has no endpoint",
    )


def test_a_model_that_is_gone_is_reported_once(catalog: Callable[..., Catalog]) -> None:
    made = catalog([], {"m/a": {"expires": NOW.date() - timedelta(days=1)}}, time=NOW)
    finding = only_one({"model": "m/a"}, made)
    assert (finding.code, "model_deprecated" in finding.message) == ("unreachable", True)


def test_an_alias_moves_on_by_itself(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    soon = NOW.date() + timedelta(days=5)
    made = catalog([endpoint("m/a", "openai")], {"m/a": {"expires": soon}, "~m/a-latest": {"expires": soon}})
    models = [evolve(m, alias_of="m/a") if m.id == "~m/a-latest" else m for m in made.models]
    made = evolve(made, models=models)
    assert [finding.code for finding in judge({"model": "m/a"}, made)] == ["expiring-model"]
    assert judge({"model": "~m/a-latest"}, made) == []


@pytest.mark.parametrize(("days", "said"), [(-1, 1), (0, 1), (1, 1), (366, 1), (367, 0), (26_000, 0)])
def test_a_date_counts_within_a_year(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint], days: int, said: int
) -> None:
    made = catalog([endpoint("m/a", "openai")], {"m/a": {"expires": NOW.date() + timedelta(days=days)}})
    codes = [finding.code for finding in judge({"model": "m/a"}, made)]
    assert codes == (["deprecated-model" if days <= 0 else "expiring-model"] if said else [])


def test_a_successor_is_newer_served_and_stays(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    names = ("m/fast-1", "m/fast-2", "m/fast-3", "m/fast-0")
    fields = {
        "m/fast-1": {"expires": NOW.date(), "created": 10},
        "m/fast-2": {"created": 20},
        "m/fast-3": {"created": 30, "expires": NOW.date() + timedelta(days=9)},
        "m/fast-0": {"created": 5},
        "m/fast-4": {"created": 40},
    }
    made = catalog([endpoint(name, "openai") for name in names], fields)
    hint = "move to a model that stays, such as 'm/fast-2'"
    assert only_one({"model": "m/fast-1"}, made).hint == hint


def test_a_tier_that_nobody_asked_for_is_the_last_resort(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    finding = only_one({"model": "m/a"}, catalog([endpoint("m/a", "openai/flex")]))
    assert finding.path == ("model",)
    assert finding.hint == "what is left is sold by service tier only: ask for it with 'service_tier'"


def test_a_long_system_prompt_takes_the_context(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/a", "a", context_length=10_000)], {"m/a": {"context_length": 10_000}})
    finding = only_one({"model": "m/a"}, made, system="word " * 10_000)
    assert (finding.code, finding.path) == ("context-too-small", ("system",))
    assert "at least 10,001 tokens" in finding.message
    beside = only_one({"model": "m/a", "max_tokens": 6000}, made, system="word " * 5000)
    assert "beside an answer of 6,000" in beside.message
    assert judge({"model": "m/a", "max_tokens": 4000}, made, system="word " * 5000) == []
    limited = catalog([endpoint("m/a", "a", max_prompt_tokens=3000)], {"m/a": {"context_length": 100_000}})
    assert only_one({"model": "m/a"}, limited, system="word " * 3000).code == "context-too-small"
    assert judge({"model": "m/a"}, limited, system="word " * 2999) == []


def test_a_prompt_that_would_be_compressed_is_not_too_long(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/a", "a", context_length=8000)], {"m/a": {"context_length": 8000}})
    assert judge({"model": "m/a"}, made, system="word " * 9000) == []


@pytest.mark.parametrize(
    ("body", "parameters", "said"),
    [
        ({"max_completion_tokens": 5}, ["max_tokens"], []),
        ({"reasoning_effort": "low"}, ["reasoning"], []),
        ({"reasoning": {"effort": "none"}}, [], []),
        ({"reasoning": {"enabled": False}}, [], []),
        ({"reasoning": {"effort": "low"}}, [], ["reasoning"]),
        ({"response_format": {"type": "text"}}, [], []),
        (
            {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required"},
            [],
            ["tools"],
        ),
        ({"parallel_tool_calls": True}, ["tools"], []),
        ({"logprobs": True, "top_logprobs": 2}, [], ["logprobs"]),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, [], ["response_format"]),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            ["response_format"],
            ["response_format"],
        ),
    ],
    ids=str,
)
def test_a_parameter_is_reported_where_nobody_supports_it_in_any_spelling(
    catalog: Callable[..., Catalog],
    endpoint: Callable[..., Endpoint],
    body: dict[str, Any],
    parameters: list[str],
    said: list[str],
) -> None:
    made = catalog([endpoint("m/a", "a", parameters=parameters)])
    found = judge({"model": "m/a", **body}, made)
    assert [finding.path[0] for finding in found if finding.code == "unsupported-parameter"] == said


def test_a_chain_that_is_free_by_the_catalogue_alone_is_recognised(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/gift", "a", 0, 0), endpoint("m/paid", "a"), endpoint("m/tip", "a", 0, 0)])
    finding = only_one({"models": ["m/gift", "m/tip", "m/paid:nitro"]}, made)
    assert (finding.code, finding.path) == ("free-with-paid-fallback", ("models", 2))
    assert judge({"models": ["m/gift", "m/tip"]}, made) == []
    assert judge({"models": ["m/paid", "m/gift"]}, made) == []


def test_a_single_endpoint_is_advice_and_off_by_default() -> None:
    def codes(body: dict[str, Any]) -> list[str]:
        return [finding.code for finding in lint(body, CATALOG, now=NOW)]

    assert codes({"model": "google/gemma-4-31b-it:free"}) == ["single-endpoint"]
    assert codes({"model": MINI}) == []
    assert RULES["single-endpoint"].severity == "off"
    alone = {"model": MINI, "provider": {"only": ["openai"], "allow_fallbacks": False}}
    assert codes(alone) == [], "another rule says it already"


# Silence: what rules without a catalogue say already, and what nobody knows


@pytest.mark.parametrize(
    "body",
    [
        {"model": MINI, "provider": {"max_price": {"prompt": "0.00000015"}}},
        {"model": MINI, "provider": {"max_price": {"prompt": "0"}}},
        {"model": MINI, "provider": {"only": ["Amazon Bedrock"]}},
        {"models": [HAIKU, MINI], "provider": {"only": ["Amazon Bedrock", "anthropic"]}},
    ],
    ids=str,
)
def test_what_is_reported_without_a_catalogue_is_not_reported_twice(body: dict[str, Any]) -> None:
    assert judge(body) == []


@pytest.mark.parametrize(
    "body",
    [
        {"model": "a/b"},
        {"models": ["a/b", MINI], "provider": {"only": ["azure"]}},
        {"model": "anthropic/claude-4.5-haiku"},
        {"model": MINI, "provider": {"order": ["nobody"], "ignore": ["nobody"]}},
        {"model": "openrouter/auto", "plugins": [{"id": "auto-router", "allowed_models": ["a/*"]}]},
        {"model": "openrouter/auto", "provider": {"order": ["groq"]}, "seed": 4, "service_tier": "flex"},
        {"model": MINI, "provider": {"data_collection": "deny"}},
        {"provider": {"only": ["groq"]}, "seed": 4},
    ],
    ids=str,
)
def test_an_incomplete_catalogue_denies_nothing(body: dict[str, Any]) -> None:
    silent = (
        {"provider-serves-no-model"}
        if "order" in body.get("provider", {}) and body["model"] == MINI
        else set()
    )
    assert {finding.code for finding in judge(body, demonstration())} <= silent
    assert judge(body, Catalog()) == []


def test_models_whose_endpoints_nobody_asked_for_are_not_missing() -> None:
    asked = evolve(
        CATALOG, models=[evolve(m, endpoints=None) if m.id == HAIKU else m for m in CATALOG.models]
    )
    body = {"model": HAIKU, "seed": 1, "provider": {"only": ["groq"], "zdr": True}, "max_tokens": 10**6}
    assert judge(body, asked) == []
    assert judge({"models": [HAIKU, MINI], "provider": {"only": ["openai"]}}, asked) == []


def test_in_a_region_nobody_knows_who_serves() -> None:
    assert judge({"model": HAIKU}, region="eu") == []
    assert only_one({"model": HAIKU, "provider": {"only": ["groq"]}}, region="eu").code == "unreachable"


# Laws


@settings(max_examples=150)
@given(catalogs, bodies())
def test_exactly_one_finding_says_that_nobody_may_serve_and_none_without_reason(
    catalog: Catalog, body: dict[str, Any]
) -> None:
    found = judge(body, catalog)
    said = [finding.code for finding in found if finding.code in NOBODY]
    availability = route(body, catalog).availability
    named = availability is not None and availability.code not in ("model_not_found", "free_variant_ended")
    misnamed = "Together" in str(body.get("provider"))
    silent = misnamed or any(code in {"per-token-price", "zero-price-ceiling"} for code in _language(body))
    assert len(said) == 1 if named and not silent else len(said) <= named


def _language(body: dict[str, Any]) -> list[str]:
    return [finding.code for finding in lint_language(body)]


@settings(max_examples=150)
@given(catalogs, bodies())
def test_findings_point_into_the_body(catalog: Catalog, body: dict[str, Any]) -> None:
    for finding in judge(body, catalog):
        for path in (finding.path, *(path for _, path in finding.related)):
            place: Any = body
            for part in path:
                place = place[part]


@settings(max_examples=150)
@given(catalogs, bodies())
def test_an_error_of_reach_means_that_every_request_is_refused(
    catalog: Catalog, body: dict[str, Any]
) -> None:
    if {"unreachable", "price-below-every-endpoint", "completion-limit", "context-too-small"} & {
        finding.code for finding in judge(body, catalog)
    }:
        assert route(body, catalog, prompt_tokens=1).availability is not None


def test_every_rule_of_the_family_is_a_finding_of_ours(real: Catalog) -> None:
    body = {"model": HAIKU, "provider": {"order": ["groq"]}, "seed": 1, "service_tier": "flex"}
    for code in {finding.code for finding in judge(body, real)}:
        assert RULES[code].family == "catalogue"


def test_no_model_of_the_real_catalogue_is_unknown(real: Catalog) -> None:
    moment = datetime(2026, 8, 22, tzinfo=UTC)
    wrong = {}
    for model in real.models:
        codes = {finding.code for finding in lint({"model": model.id}, real, now=moment)}
        wrong[model.id] = codes - {"single-endpoint", "expiring-model"}
    assert {name: codes for name, codes in wrong.items() if codes} == {
        "allenai/olmo-3-32b-think": {"unreachable"}
    }


# Policies


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ({"models": {"allow": ["anthropic/*", "*"], "deny": ["*:free", "*:nitro"]}}, []),
        ({"models": {"allow": ["antropic/*"]}}, [("models", "allow", 0)]),
        (
            {"models": {"deny": ["openai/gpt-9", "openai/gpt-4o-mimi"]}},
            [("models", "deny", 0), ("models", "deny", 1)],
        ),
        (
            {"providers": {"allow": ["anthropic", "google-vertex/us-east5"], "deny": ["nobody"]}},
            [("providers", "deny", 0)],
        ),
        ({"providers": {"allow": ["google-vertex/mars"]}}, [("providers", "allow", 0)]),
        ({"zdr": True}, []),
    ],
    ids=str,
)
def test_a_policy_is_told_what_it_names_in_vain(policy: dict[str, Any], found: list[Any]) -> None:
    assert [finding.path for finding in lint_policy(policy, CATALOG)] == found
    assert list(lint_policy(policy, demonstration())) == []


def test_a_policy_is_told_what_was_meant() -> None:
    policy = {"models": {"deny": ["openai/gpt-4o-mimi"]}, "providers": {"allow": ["Anthropic"]}}
    said = {finding.message: finding.hint for finding in lint_policy(policy, CATALOG)}
    assert said == {
        "'openai/gpt-4o-mimi' matches no listed model: it denies nothing": f"did you mean '{MINI}'?",
        "'Anthropic' is no provider's slug: it allows nothing": "did you mean 'anthropic'?",
    }


def test_tags_that_nobody_asked_for_may_be_there() -> None:
    asked = evolve(CATALOG, models=[evolve(m, endpoints=None) if m.id == MINI else m for m in CATALOG.models])
    policy = {"providers": {"allow": ["azure/mars", "nobody/mars"]}}
    assert [finding.path for finding in lint_policy(policy, asked)] == [("providers", "allow", 1)]


# In a project


def check(
    files: dict[str, Any], catalog: Catalog = CATALOG, now: datetime = NOW, **more: Any
) -> list[Diagnostic]:
    texts = {name: text if isinstance(text, str) else json.dumps(text) for name, text in files.items()}
    workspace = Workspace(Memory(texts), Workspace(Library()))
    inspection = Inspection(catalog, now)
    further = [*inspection.inspect_age(workspace), *inspection.inspect_policies(workspace)]
    return list(check_all(Compiler(workspace), more.get("names"), None, inspection.inspect, further))


def places(found: list[Diagnostic]) -> list[tuple[str, str]]:
    return [(diagnostic.code, str(diagnostic.location)) for diagnostic in found]


def test_findings_stand_at_the_lines_of_their_authors() -> None:
    files = {
        "presets/base.yaml": "abstract: true\nprovider:\n  zdr: true\n",
        "presets/it.yaml": f"extends: base\nmodel: {HAIKU}\nprovider:\n  only: [anthropic]\n",
    }
    (finding,) = check(files)
    assert (finding.code, str(finding.location)) == ("unreachable", "presets/base.yaml:3:8")


def test_a_policy_that_leaves_nobody_is_where_the_finding_stands() -> None:
    files = {
        "presets/it.yaml": f"model: {HAIKU}\nprovider:\n  only: [anthropic]\n",
        "presets/org.policy.yaml": "zdr: true\n",
    }
    assert places(check(files)) == [("unreachable", "presets/org.policy.yaml:1:6")]


def test_lists_of_policies_and_bases_may_name_providers_of_other_models() -> None:
    files = {
        "presets/it.yaml": f"model: {HAIKU}\n",
        "presets/org.policy.yaml": "providers: {allow: [anthropic, groq, nobody]}\n",
    }
    assert places(check(files)) == [("policy-matches-nothing", "presets/org.policy.yaml:1:38")]
    base = "abstract: true\nprovider: {order: [anthropic, groq]}\n"
    extending = {"presets/base.yaml": base, "presets/it.yaml": f"extends: base\nmodel: {HAIKU}\n"}
    assert check(extending) == []
    typo = {**extending, "presets/base.yaml": base.replace("groq", "grok")}
    assert places(check(typo)) == [("unknown-provider", "presets/base.yaml:2:31")]


def test_the_library_s_own_policies_are_not_ours_to_correct() -> None:
    catalog = evolve(CATALOG, models=[m for m in CATALOG.models if not m.id.startswith("google/")])
    files = {"orpolicy.yaml": "policies: [orpolicy/no-free-models]\n", "presets/it.yaml": f"model: {HAIKU}\n"}
    assert check(files, catalog) == []


def test_an_overlay_is_named_with_its_environment() -> None:
    text = f"model: {HAIKU}\nenvironments:\n  prod:\n    provider: {{only: [groq]}}\n"
    (finding,) = check({"presets/it.yaml": text})
    assert finding.message.endswith("(in 'prod')")
    assert str(finding.location) == "presets/it.yaml:4:22"


def test_the_system_prompt_has_its_place() -> None:
    text = f"model: {OSS}\nsystem: {'word ' * 140_000}\n"
    assert places(check({"presets/it.yaml": text})) == [("context-too-small", "presets/it.yaml:2:9")]


def test_a_stage_with_errors_stops_the_next() -> None:
    text = "model: a/b\nprovider: {only: [azure], ignore: [azure]}\n"
    assert [diagnostic.code for diagnostic in check({"presets/it.yaml": text})] == ["only-all-ignored"]


def test_comments_and_the_project_silence_rules_of_the_catalogue() -> None:
    silenced = "# orpolicy: ignore[unknown-model]\nmodel: a/private\n"
    assert check({"presets/it.yaml": silenced}) == []
    settings = {
        "rules": {"unknown-model": "warning", "policy-matches-nothing": "off", "stale-catalog": "off"}
    }
    files = {
        "orpolicy.yaml": settings,
        "presets/it.yaml": "model: a/b\n",
        "presets/org.policy.yaml": {"models": {"deny": ["b/*"]}},
    }
    found = check(files, now=NOW + timedelta(days=400))
    assert [(diagnostic.code, diagnostic.severity) for diagnostic in found] == [("unknown-model", "warning")]


def test_without_a_catalogue_its_comments_are_not_called_useless() -> None:
    workspace = Workspace(Memory({"presets/it.yaml": "# orpolicy: ignore[unknown-model]\nmodel: a/b\n"}))
    assert list(check_all(Compiler(workspace))) == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets/it.yaml").write_text("model: antropic/claude-haiku-4.5\n")
    (tmp_path / "catalog.json").write_text(write_snapshot(CATALOG))
    return tmp_path


def test_a_project_with_a_snapshot_is_checked_against_it(project: Path) -> None:
    found = load(project).check(now=NOW)
    assert places(list(found)) == [("unknown-model", "presets/it.yaml:1:8")]
    (project / "catalog.json").unlink()
    assert list(load(project).check(now=NOW)) == []


def test_an_old_snapshot_is_reported_at_the_line_of_its_time(project: Path) -> None:
    (old, _) = load(project).check(["it"], now=NOW + timedelta(days=40))
    lines = (project / "catalog.json").read_text().splitlines()
    assert (old.code, str(old.location)) == ("stale-catalog", "catalog.json:6:1")
    assert lines[5].startswith('"time"')
    assert old.message == "the catalogue is 41 days old: prices and endpoints have changed"


def test_the_clock_decides_where_nobody_says_the_time(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orpolicy.project.read_clock", lambda: NOW + timedelta(days=100))
    codes = [diagnostic.code for diagnostic in load(project).check()]
    assert codes == ["stale-catalog", "unknown-model"]


def test_a_folder_of_answers_is_of_unknown_age(project: Path) -> None:
    (project / "orpolicy.yaml").write_text("catalog: answers\n")
    (project / "answers").mkdir()
    for name in ("models.json", "providers.json"):
        (project / "answers" / name).write_text('{"data": []}')
    (old,) = load(project).check(now=NOW)
    assert (old.code, str(old.location)) == ("stale-catalog", "answers:1:1")
    assert old.message == "the catalogue does not say how old it is"


# Which models a project names


def test_models_are_found_wherever_they_are_named() -> None:
    data = {
        "model": "a/1",
        "models": {"append": ["a/2"], "prepend": ["a/3"], "remove": ["a/4"]},
        "environments": {"prod": {"model": "a/5"}},
        "plugins": [{"id": "fusion", "analysis_models": ["a/6"], "model": "a/7"}],
        "tools": [
            {"type": "openrouter:subagent", "parameters": {"model": "a/8"}},
            {"type": "openrouter:image_generation", "parameters": {"model": "x/1"}},
            {"type": "function", "function": {"parameters": {"properties": {"model": "x/2"}}}},
        ],
        "metadata": {"model": "x/3"},
        "defaults": {"model": "a/9"},
    }
    assert sorted(name for _, name in mentioned_models(data)) == [
        f"a/{number}" for number in (1, 2, 3, 5, 6, 7, 8, 9)
    ]
    router = {"plugins": [{"id": "auto-router", "allowed_models": ["a/*"], "excluded_models": ["b/*"]}]}
    assert [pattern for _, pattern in mentioned_patterns(router)] == ["a/*", "b/*"]


def test_a_project_names_what_any_layer_of_any_preset_names() -> None:
    files = {
        "orpolicy.yaml": "defaults: {model: a/default}\n",
        "presets/base.yaml": "abstract: true\nmodels: [a/base]\n",
        "presets/it.yaml": "extends: base\nmodel: a/it@preset/x\nenvironments: {prod: {model: a/prod}}\n",
        "presets/broken.yaml": "model: a/broken\nextends: nowhere\n",
        "presets/hosted.yaml": "model: '@preset/x'\n",
    }
    names = list_models(Workspace(Memory(files), Workspace(Library())))
    assert names == ("a/base", "a/broken", "a/default", "a/it", "a/prod")


# The library's own view of it


def test_a_compiled_preset_knows_its_route_and_its_worst_case(project: Path) -> None:
    (project / "presets/it.yaml").write_text(
        f"model: {HAIKU}\nmax_tokens: 1000\nprovider: {{ignore: [azure]}}\n"
    )
    preset = load(project).preset("it")
    answer = preset.route(prompt_tokens=2000, down=["anthropic"])
    assert {entry.endpoint.tag for entry in answer.excluded} == {"anthropic"}
    assert preset.worst_case(2000).usd == Decimal("0.0077")
    assert preset.worst_case(2000, 10).usd == Decimal("0.002255")
    assert preset.worst_case(2000, down=["amazon-bedrock"]).usd == Decimal("0.007")
    assert preset.worst_case().prompt_tokens == 200_000


def test_without_a_catalogue_there_is_no_route(project: Path) -> None:
    (project / "catalog.json").unlink()
    preset = load(project).preset("it")
    with pytest.raises(CatalogError, match="'orpolicy catalog pull' makes one"):
        preset.route()
    assert preset.route(catalog=CATALOG).availability is not None


def test_the_origin_of_a_reason_is_a_place_in_the_project(project: Path) -> None:
    (project / "presets/it.yaml").write_text(f"model: {HAIKU}\nprovider: {{ignore: [anthropic]}}\n")
    answer = Project(load(project).workspace, project).preset("it").route()
    (because,) = answer.excluded[0].because
    assert str(because.location) == "presets/it.yaml:2:21"
