"""What the schemas accept and reject: real configurations, partial layers, list edits, and one mistake at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml
from jsonschema import Draft202012Validator
from strategies import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

PRESET = Draft202012Validator(read_schema("preset"))
POLICY = Draft202012Validator(read_schema("policy"))
PROJECT = Draft202012Validator(read_schema("project"))
FAST = jsonschema_rs.Draft202012Validator(dict(read_schema("preset")))

SEARCH = {"type": "openrouter:web_search", "parameters": {"max_results": 3}}


def read_cases(shared, name: str) -> Iterator[dict[str, Any]]:
    for line in (shared / "cases" / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def first_error(validator: Draft202012Validator, instance: Any) -> tuple[tuple[Any, ...], str]:
    """Return the place and the keyword of the only mistake there is."""
    places = {(tuple(error.absolute_path), str(error.validator)) for error in validator.iter_errors(instance)}
    assert len(places) == 1, places
    return places.pop()


def load(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def is_finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def test_every_real_configuration_is_accepted(shared):
    rejected = {case["id"]: FAST.is_valid(case["config"]) for case in read_cases(shared, "presets.jsonl")}
    assert [name for name, valid in rejected.items() if not valid] == []
    assert len(rejected) > 50


MEANT_OTHERWISE = {
    # rejected by the API description, accepted here → why
    "invalid-113": "json_schema.name may come from another layer; x-orpolicy-required",
    "invalid-191": "prompt_cache_options.mode may come from another layer; x-orpolicy-required",
    "invalid-219": "null removes an inherited key",
}


def test_what_the_api_description_rejects_is_rejected_here_too(shared):
    accepted = set()
    for case in read_cases(shared, "invalid.jsonl"):
        document = load(case["yaml"])
        numbers_for_prices = "schema_note" in case
        if (
            case.get("openapi_rejects")
            and not numbers_for_prices
            and is_finite(document)
            and FAST.is_valid(document)
        ):
            accepted.add(case["id"])
    assert accepted == set(MEANT_OTHERWISE)


DOCUMENTED = {
    "reasoning.max_tokens",
    "reasoning.enabled",
    "include_reasoning",
    "preset",
    "max_tool_calls",
    "verbosity",
}
DOCUMENTED |= {"cache_ttl_seconds", "x_search_filter"}


def test_a_key_that_the_api_description_does_not_know_is_rejected_unless_a_guide_documents_it(shared):
    for case in read_cases(shared, "invalid.jsonl"):
        unknown = set(case.get("unknown_to_openapi", ())) - DOCUMENTED
        document = load(case["yaml"])
        if unknown and is_finite(document):
            assert not FAST.is_valid(document), case["id"]


ACCEPTED = [
    {},
    {"model": "openai/..."},
    {"model": "~anthropic/claude-opus-latest"},
    {"model": "openai/gpt-oss-20b:free:online"},
    {"model": "@preset/email-copywriter"},
    {"model": "openai/gpt-4@preset/email-copywriter"},
    {"extends": "orpolicy/private"},
    {"extends": ["support/base", "_mixins/cheap"], "abstract": True},
    {"provider": {"order": ["Amazon Bedrock", "Z.AI", "google-vertex/us-east5", "xai/zdr/priority"]}},
    {"provider": {"max_price": {"prompt": 0, "completion": "0.25", "request": 0.001}}},
    {"provider": {"sort": {"partition": "none"}}},
    {"provider": {"preferred_max_latency": {"p99": 5}, "preferred_min_throughput": 0.5}},
    {"provider": {"options": {"black-forest-labs": {"steps": 4, "nested": {"any": [None]}}}}},
    {"stop": "END"},
    {"stop": ["a", "b", "c", "d"]},
    {"system": "Be brief."},
    {"system": {"file": "../prompts/triage.md"}},
    {"metadata": {"team": "support"}, "trace": {"trace_id": "1", "team": {"any": "thing"}}},
    {"image_config": {"aspect_ratio": "16:9", "font_inputs": [{"text": "x"}]}},
    {
        "tools": [
            {"type": "web_search_preview", "parameters": {"max_results": 3}, "search_context_size": "low"}
        ]
    },
    {"tools": [{"type": "openrouter:subagent", "parameters": {"tools": [SEARCH]}}]},
    {"tools": [{"type": "openrouter:bash", "parameters": {"environment": {"type": "container_auto"}}}]},
    {
        "plugins": [
            {
                "id": "armor",
                "classifier_context": {
                    "v": 1,
                    "auto_mode": {"allow": ["a", {"id": "b", "instructions": "c"}]},
                },
            }
        ]
    },
    {"prediction": {"type": "content", "content": [{"type": "text", "text": "x"}]}},
    {"attribution": {"referer": "https://example.com/app", "title": "Desk", "categories": ["general-chat"]}},
]

PARTIAL = [
    {"provider": {"sort": {"partition": "none"}}},
    {"provider": None, "reasoning": {"effort": None}, "plugins": None},
    {"response_format": {"json_schema": {"strict": True}}},
    {"response_format": {"type": "json_schema"}},
    {"tool_choice": {"function": {"name": "get_weather"}}},
    {"cache_control": {"ttl": "1h"}},
    {"prompt_cache_options": {"ttl": "30m"}},
    {"prediction": {"content": "x"}},
    {"deferred_tools": {"search": {"max_results": 3}}},
    {"plugins": [{"id": "alignment", "mode": "audit"}]},
    {"provider": {"order": {"append": ["azure"], "prepend": ["openai"], "remove": ["novita"]}}},
    {"models": {"remove": ["openai/gpt-4o"]}},
    {"plugins": {"remove": ["web", {"id": "fusion"}], "append": [{"id": "response-healing"}]}},
    {
        "tools": {
            "remove": ["get_weather", "openrouter:datetime", {"type": "function", "function": {"name": "x"}}]
        }
    },
    {"stop": {"append": ["END"]}, "modalities": {"append": ["audio"]}},
    {"x_search_filter": {"allowed_x_handles": {"append": ["OpenRouterAI"]}}},
]


@pytest.mark.parametrize("config", ACCEPTED + PARTIAL, ids=lambda config: json.dumps(config)[:60])
def test_a_right_preset_is_accepted(config):
    assert list(PRESET.iter_errors(config)) == []
    assert FAST.is_valid(config)


@pytest.mark.parametrize("layer", PARTIAL, ids=lambda config: json.dumps(config)[:60])
def test_an_overlay_and_the_defaults_may_say_what_a_preset_may(layer):
    assert list(PRESET.iter_errors({"environments": {"prod": layer}})) == []
    assert list(PROJECT.iter_errors({"defaults": layer})) == []


REJECTED = [
    # what is wrong, where, and by which keyword
    ({"model": "gpt-4o"}, ("model",), "pattern"),
    ({"model": "openai/gpt 4o"}, ("model",), "pattern"),
    ({"model": "OpenAI/GPT-4o"}, ("model",), "pattern"),
    ({"model": "https://openrouter.ai/openai/gpt-4o"}, ("model",), "pattern"),
    ({"model": "openai/gpt-5.2:"}, ("model",), "pattern"),
    ({"models": ["openai/gpt-4o", "claude"]}, ("models", 1), "pattern"),
    ({"models": "openai/gpt-4o"}, ("models",), "type"),
    ({"extends": []}, ("extends",), "minItems"),
    ({"extends": ["a", "a"]}, ("extends",), "uniqueItems"),
    ({"extends": "../a"}, ("extends",), "pattern"),
    ({"slug": "Email Copywriter!"}, ("slug",), "pattern"),
    ({"description": "x" * 301}, ("description",), "maxLength"),
    ({"temperature": 2.1}, ("temperature",), "maximum"),
    ({"min_p": -0.1}, ("min_p",), "minimum"),
    ({"top_logprobs": 21}, ("top_logprobs",), "maximum"),
    ({"max_tokens": 0}, ("max_tokens",), "minimum"),
    ({"max_cost": -1}, ("max_cost",), "minimum"),
    ({"max_cost": "1e-3"}, ("max_cost",), "pattern"),
    ({"region": "asia"}, ("region",), "enum"),
    ({"stop": ["a", "b", "c", "d", "e"]}, ("stop",), "maxItems"),
    ({"session_id": "x" * 257}, ("session_id",), "maxLength"),
    ({"cache_ttl_seconds": 86401}, ("cache_ttl_seconds",), "maximum"),
    ({"metadata": {"x" * 65: "v"}}, ("metadata",), "maxLength"),
    ({"metadata": {"a": 1}}, ("metadata", "a"), "type"),
    ({"logit_bias": {"word": 1}}, ("logit_bias",), "pattern"),
    ({"system": {"path": "a", "file": "b"}}, ("system",), "additionalProperties"),
    ({"system": {"file": "/etc/passwd"}}, ("system", "file"), "pattern"),
    ({"provider": {"order": {"add": ["azure"]}}}, ("provider", "order"), "additionalProperties"),
    ({"provider": {"order": {}}}, ("provider", "order"), "minProperties"),
    ({"provider": {"order": {"append": []}}}, ("provider", "order", "append"), "minItems"),
    ({"provider": {"only": ["https://azure.com"]}}, ("provider", "only", 0), "pattern"),
    ({"provider": {"only": [""]}}, ("provider", "only", 0), "pattern"),
    ({"provider": {"max_price": {"prompt": "$1"}}}, ("provider", "max_price", "prompt"), "pattern"),
    (
        {"provider": {"preferred_max_latency": {"p95": 1}}},
        ("provider", "preferred_max_latency"),
        "additionalProperties",
    ),
    (
        {"provider": {"preferred_min_throughput": 0}},
        ("provider", "preferred_min_throughput"),
        "exclusiveMinimum",
    ),
    ({"provider": {"sort": {"by": "speed"}}}, ("provider", "sort", "by"), "enum"),
    ({"reasoning": {"effort": "ultra"}}, ("reasoning", "effort"), "enum"),
    ({"response_format": {"type": "json"}}, ("response_format", "type"), "enum"),
    ({"response_format": {"type": "text", "grammar": "x"}}, ("response_format",), "additionalProperties"),
    (
        {"response_format": {"json_schema": {"name": "a b"}}},
        ("response_format", "json_schema", "name"),
        "pattern",
    ),
    ({"tool_choice": "any"}, ("tool_choice",), "enum"),
    ({"tool_choice": {"type": "tool"}}, ("tool_choice", "type"), "enum"),
    ({"tool_choice": {"type": "function", "name": "x"}}, ("tool_choice",), "additionalProperties"),
    ({"tools": [{"function": {"name": "x"}}]}, ("tools", 0), "required"),
    ({"tools": [{"type": "openrouter:shell"}]}, ("tools", 0, "type"), "enum"),
    ({"tools": [{"type": "openrouter:tool_search"}]}, ("tools", 0, "type"), "enum"),
    ({"tools": [{"type": "openrouter:datetime", "timezone": "UTC"}]}, ("tools", 0), "additionalProperties"),
    (
        {"tools": [{"type": "function", "function": {"name": "a b"}}]},
        ("tools", 0, "function", "name"),
        "pattern",
    ),
    (
        {"tools": [{"type": "openrouter:subagent", "parameters": {"inherit_functions": True}}]},
        ("tools", 0, "parameters"),
        "additionalProperties",
    ),
    (
        {"tools": [{"type": "openrouter:subagent", "parameters": {"tools": [{"type": "function"}]}}]},
        ("tools", 0, "parameters", "tools", 0, "type"),
        "enum",
    ),
    (
        {
            "tools": [
                {
                    "type": "openrouter:subagent",
                    "parameters": {"tools": [{**SEARCH, "parameters": {"max_results": 26}}]},
                }
            ]
        },
        ("tools", 0, "parameters", "tools", 0, "parameters", "max_results"),
        "maximum",
    ),
    ({"plugins": [{"enabled": True}]}, ("plugins", 0), "required"),
    ({"plugins": [{"id": "web-search"}]}, ("plugins", 0, "id"), "enum"),
    ({"plugins": [{"id": "web", "max_result": 3}]}, ("plugins", 0), "additionalProperties"),
    ({"plugins": [{"id": "fusion", "analysis_models": []}]}, ("plugins", 0, "analysis_models"), "minItems"),
    (
        {"plugins": [{"id": "pareto-router", "min_coding_score": 66}]},
        ("plugins", 0, "min_coding_score"),
        "maximum",
    ),
    ({"plugins": {"remove": ["wep"]}}, ("plugins", "remove", 0), "enum"),
    ({"stop_server_tools_when": []}, ("stop_server_tools_when",), "minItems"),
    ({"stop_server_tools_when": [{"type": "max_cost"}]}, ("stop_server_tools_when", 0), "required"),
    ({"environments": {"prod": {"extends": "a"}}}, ("environments", "prod"), "additionalProperties"),
    ({"environments": {"prod": {"temprature": 1}}}, ("environments", "prod"), "additionalProperties"),
    ({"environments": {"prod": None}}, ("environments", "prod"), "type"),
    ({"environments": {"p r": {}}}, ("environments",), "pattern"),
    ({"attribution": {"categories": ["chatbots"]}}, ("attribution", "categories", 0), "enum"),
    ({"attribution": {"title": "Büro"}}, ("attribution", "title"), "pattern"),
    ({"anthropic_beta": ["a,b"]}, ("anthropic_beta", 0), "pattern"),
]


@pytest.mark.parametrize(("config", "path", "keyword"), REJECTED, ids=lambda value: json.dumps(value)[:60])
def test_one_mistake_is_one_error_at_its_place(config, path, keyword):
    assert first_error(PRESET, config) == (path, keyword)
    assert not FAST.is_valid(config)


POLICY_EXAMPLE = """
description: What production may reach
applies_to: {presets: ["support/*"], environments: [prod]}
models: {allow: ["anthropic/*", "openai/gpt-5*"], deny: ["*:free"]}
providers: {allow: [anthropic, amazon-bedrock, google-vertex/us-east5], deny: [deepseek]}
quantizations: {allow: [fp8, bf16, fp16, fp32]}
zdr: true
data_collection: deny
require_parameters: true
allow_fallbacks: false
max_price: {prompt: 5, completion: "25"}
max_cost: 0.50
max_tokens: 8192
plugins: {deny: [web, "*-router"]}
tools: {allow: ["function:*", "function:get_weather", "openrouter:web_search", "openrouter:*"]}
regions: [eu]
require: [max_completion_tokens, user]
"""


def test_a_policy_may_say_everything_at_once():
    policy = yaml.safe_load(POLICY_EXAMPLE)
    assert list(POLICY.iter_errors(policy)) == []
    assert policy.keys() == read_schema("policy")["properties"].keys()


@pytest.mark.parametrize(
    ("policy", "path", "keyword"),
    [
        ({}, (), "minProperties"),
        ({"description": "x"}, (), "minProperties"),
        ({"description": "x", "applies_to": {"presets": ["a"]}}, (), "minProperties"),
        ({"applies_to": {}, "zdr": True}, ("applies_to",), "minProperties"),
        ({"zdr": 1}, ("zdr",), "type"),
        ({"zdr": None}, ("zdr",), "type"),
        ({"models": ["anthropic/*"]}, ("models",), "type"),
        ({"models": {"allow": []}}, ("models", "allow"), "minItems"),
        ({"providers": {"deny": ["Amazon Bedrock"]}}, ("providers", "deny", 0), "pattern"),
        ({"plugins": {"deny": ["web-search"]}}, ("plugins", "deny", 0), "enum"),
        ({"tools": {"allow": ["openrouter:websearch"]}}, ("tools", "allow", 0), "enum"),
        ({"tools": {"allow": ["function:a b"]}}, ("tools", "allow", 0), "pattern"),
        ({"regions": ["global"]}, ("regions", 0), "enum"),
        ({"require": ["temprature"]}, ("require", 0), "enum"),
        ({"require": ["description"]}, ("require", 0), "enum"),
        ({"max_price": {"prompt": -1}}, ("max_price", "prompt"), "minimum"),
        ({"max_prise": {"prompt": 1}}, (), "additionalProperties"),
    ],
)
def test_a_wrong_policy_is_rejected_at_its_place(policy, path, keyword):
    assert first_error(POLICY, policy) == (path, keyword)


def test_an_empty_allow_list_forbids_all_plugins_and_tools():
    assert POLICY.is_valid({"plugins": {"allow": []}, "tools": {"allow": []}})


def test_a_project_may_say_everything_at_once():
    project = {
        "presets": "config/presets",
        "policies": ["orpolicy/zdr-only", "no-training"],
        "catalog": "catalog.json",
        "environments": ["dev", "prod"],
        "defaults": {"provider": {"data_collection": "deny"}, "attribution": {"title": "Desk"}},
        "rules": {"missing-max-tokens": "error", "deprecated": "off", "unknown-model": "warning"},
    }
    assert list(PROJECT.iter_errors(project)) == []
    assert project.keys() == read_schema("project")["properties"].keys()
    assert PROJECT.is_valid({})


@pytest.mark.parametrize(
    ("project", "path", "keyword"),
    [
        ({"preset": "x"}, (), "additionalProperties"),
        ({"presets": "/abs"}, ("presets",), "pattern"),
        ({"environments": ["prod", "prod"]}, ("environments",), "uniqueItems"),
        ({"defaults": {"extends": "a"}}, ("defaults",), "additionalProperties"),
        ({"defaults": {"temperature": 3}}, ("defaults", "temperature"), "maximum"),
        ({"rules": {"Unknown_Model": "off"}}, ("rules",), "pattern"),
        ({"rules": {"deprecated": "info"}}, ("rules", "deprecated"), "enum"),
    ],
)
def test_a_wrong_project_is_rejected_at_its_place(project, path, keyword):
    assert first_error(PROJECT, project) == (path, keyword)
