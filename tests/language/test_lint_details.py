"""The finer points of single rules: what they let pass, where they point, which of two rules speaks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from orpolicy.language.diagnostics import Finding, Severity
from orpolicy.language.document import read_document
from orpolicy.language.lint import lint
from orpolicy.language.rules import RULES
from orpolicy.language.slugs import ModelId, covers, is_provider_slug, meant_provider, read_model
from orpolicy.language.source import Source

if TYPE_CHECKING:
    from pathlib import Path


def judge(text: str) -> list[Finding]:
    document = read_document(Source("preset.yaml", text)).document
    assert document is not None
    return [finding for finding in lint(document.data) if RULES[finding.code].severity is not Severity.OFF]


def places(text: str) -> list[tuple[str, str, str]]:
    return [(found.code, "/".join(map(str, found.path)), found.anchor) for found in judge(text)]


SOUND = {
    "a base slug goes with a variant in the other list": """
        model: m/m
        provider: {only: [google-vertex/us-east5], order: [google-vertex]}""",
    "a listed alias may lack a tilde if it is a model of its own": "model: openai/gpt-chat-latest",
    "a documentation's ellipsis is a model like any other": "model: openai/...",
    "a matching sort beside a suffix": "{model: 'm/m:nitro', provider: {sort: throughput}}",
    "a partition without a criterion": "{models: [m/m, m/n], provider: {sort: {partition: none}}}",
    "a router stands for several models": "{model: openrouter/auto, provider: {sort: {by: price, partition: none}}}",
    "a seed says that a single provider is meant": """
        model: m/m
        seed: 7
        provider: {order: [azure], allow_fallbacks: false}""",
    "a second model takes over from a single provider": """
        models: [m/m, n/n]
        provider: {order: [azure], allow_fallbacks: false}""",
    "a router finds another provider": "{model: openrouter/auto, provider: {only: [azure], allow_fallbacks: false}}",
    "a slow but possible latency": "{model: m/m, provider: {preferred_max_latency: 90}}",
    "thresholds in the order of percentiles": """
        model: m/m
        provider: {preferred_max_latency: {p50: 1, p99: 5}, preferred_min_throughput: {p50: 100, p90: 50}}""",
    "free endpoints of a router": "{model: openrouter/auto, provider: {max_price: {prompt: 0}}}",
    "a ceiling per request": "{model: m/m, provider: {max_price: {request: 0.0001}}}",
    "collection denied twice": "{model: m/m, provider: {zdr: true, data_collection: deny}}",
    "a plugin that is switched off": "{model: m/m, provider: {zdr: true}, plugins: [{id: web, enabled: false}]}",
    "a provider in its region": "{model: m/m, region: eu, provider: {only: [azure/eu, google-vertex/europe]}}",
    "one endpoint in the region is enough": "{model: m/m, region: eu, provider: {only: [azure/us, azure/eu]}}",
    "a slug whose suffix is no region": "{model: m/m, region: eu, provider: {only: [deepinfra/turbo]}}",
    "a speed that agrees with its tier": "{model: m/m, speed: fast, service_tier: priority}",
    "a speed beside a tier that says nothing": "{model: m/m, speed: fast, service_tier: auto}",
    "a tier slug of the chosen tier": "{model: m/m, service_tier: flex, provider: {only: [openai/flex]}}",
    "a default tier pins a suffix's sorting": "{model: 'm/m:nitro', service_tier: default}",
    "sampling is read by a fallback": "{models: [anthropic/claude-sonnet-5, openai/gpt-4o], temperature: 0.5}",
    "a fast sibling has the same version": "{model: anthropic/claude-opus-5-fast, reasoning: {enabled: false, effort: high}}",
    "an effort that agrees with the verbosity": """
        model: anthropic/claude-4.6-opus
        verbosity: high
        reasoning: {effort: high}""",
    "a verbosity on another vendor's model": "{model: openai/gpt-5.2, verbosity: low, reasoning: {effort: high}}",
    "an effort that agrees with its short form": "{model: m/m, reasoning_effort: low, reasoning: {effort: low}}",
    "a budget below the limit": "{model: google/gemini-2.5-pro, max_tokens: 2000, reasoning: {max_tokens: 1500}}",
    "a budget of zero": "{model: google/gemini-2.5-pro, max_tokens: 100, reasoning: {max_tokens: 0}}",
    "a budget that becomes an effort": "{model: openai/gpt-5.2, max_tokens: 900, reasoning: {max_tokens: 2000}}",
    "an adaptive effort under a low limit": "{model: anthropic/claude-opus-4.6, max_tokens: 900, reasoning: {effort: low}}",
    "no reasoning under a low limit": "{model: anthropic/claude-3.7-sonnet, max_tokens: 900, reasoning: {effort: none}}",
    "reasoning switched off twice": "{model: m/m, reasoning: {enabled: false, effort: none}}",
    "healing of plain JSON": "{model: m/m, response_format: {type: json_object}, plugins: [{id: response-healing}]}",
    "a lenient schema": "{model: m/m, response_format: {type: json_schema, json_schema: {name: a}}}",
    "a schema of every draft": """
        model: m/m
        tools:
          - type: function
            function:
              name: f
              parameters:
                type: [object, "null"]
                properties: {a: true, b: {enum: [1, null], items: [{type: string}]}}
                required: [a]
                $defs: {c: {anyOf: [{type: integer}, {not: {type: number}}]}}
                additionalProperties: false
                default: null""",
    "a pattern may allow what is required": """
        model: m/m
        response_format:
          type: json_schema
          json_schema:
            name: a
            schema: {required: [ab], patternProperties: {^a: {}}, additionalProperties: false}""",
    "fusion brings its tool along": "{model: openrouter/fusion, tool_choice: required, max_tool_calls: 3}",
    "the fusion plugin does, too": "{model: m/m, tool_choice: required, plugins: [{id: fusion}]}",
    "a choice of nothing in particular": "{model: m/m, tool_choice: auto}",
    "a part of a preset chooses among its user's tools": "tool_choice: {type: function, function: {name: f}}",
    "a server tool chosen under its other name": """
        model: m/m
        tools: [{type: openrouter:web_search}]
        tool_choice: {type: web_search_preview}""",
    "an advisor and a subagent of one name": """
        model: m/m
        tools:
          - {type: openrouter:advisor, parameters: {name: a}}
          - {type: openrouter:subagent, parameters: {name: a}}
          - {type: openrouter:advisor}""",
    "OpenRouter's own search loads deferred tools": """
        model: anthropic/claude-sonnet-4.5
        deferred_tools: {protocol: v1}
        tools: [{type: function, function: {name: f, defer_loading: true}}]""",
    "a stop condition for a tool under its short name": """
        model: m/m
        tools: [{type: openrouter:web_search}]
        stop_server_tools_when: [{type: has_tool_call, tool_name: web_search}]""",
    "Google goes to Exa by itself": """
        model: google/gemini-3-flash-preview
        tools: [{type: openrouter:web_search, parameters: {excluded_domains: [a.example]}}]""",
    "a native search that falls back to Exa reads Exa's settings": """
        model: openrouter/auto
        tools: [{type: openrouter:web_search, parameters: {engine: native, max_results: 3}}]""",
    "Claude counts its searches": """
        model: anthropic/claude-sonnet-4.5
        tools: [{type: openrouter:web_search, parameters: {engine: native, max_uses: 3}}]""",
    "an old OpenAI model is searched for by Exa": """
        model: openai/gpt-4o
        tools: [{type: openrouter:web_search, parameters: {excluded_domains: [a.example]}}]""",
    "both lists, with an engine that is settled by nobody": """
        tools: [{type: openrouter:web_search, parameters: {allowed_domains: [a.b], excluded_domains: [c.d]}}]""",
    "a subagent with tools and a limit": """
        model: m/m
        tools:
          - type: openrouter:subagent
            parameters: {max_tool_calls: 3, tools: [{type: openrouter:datetime}]}""",
    "both lists of a fetch": """
        model: m/m
        tools:
          - type: openrouter:web_fetch
            parameters: {engine: openrouter, max_uses: 50, allowed_domains: [a.b], blocked_domains: [c.d]}""",
    "posts on X beside a native search": """
        model: x-ai/grok-4.1-fast
        tools: [{type: openrouter:web_search, parameters: {x_search: {from_date: "2025-01-01"}}}]""",
    "a location that a native search may read": """
        model: anthropic/claude-sonnet-4.5
        tools: [{type: openrouter:web_search, parameters: {user_location: {city: Oslo}}}]""",
    "a budget that is clamped for one model only": """
        models: [anthropic/claude-3.7-sonnet, google/gemini-2.5-pro]
        reasoning: {max_tokens: 500}""",
    "options for streams": "{model: m/m, stream_options: {}}",
    "a budget and no limit": "{model: anthropic/claude-3.7-sonnet, reasoning: {max_tokens: 2000}}",
    "a filter for X with web search options": """
        model: x-ai/grok-4.1-fast
        web_search_options: {search_context_size: low}
        x_search_filter: {from_date: "2025-01-01"}""",
    "a wildcard in front": "{model: openrouter/auto, plugins: [{id: auto-router, allowed_models: ['*claude*', '*']}]}",
    "exclusions that leave something": """
        model: openrouter/auto
        plugins: [{id: auto-router, excluded_models: ["openai/*", "*/*-mini"]}]""",
    "a router's plugin that is switched off": "{model: m/m, plugins: [{id: pareto-router, enabled: false}]}",
    "a router with a suffix": "{model: 'openrouter/pareto-code:nitro', plugins: [{id: pareto-router}]}",
    "a part of a preset configures its user's router": "plugins: [{id: auto-router}]",
    "a cache without a lifetime": "{model: m/m, cache_enabled: true}",
    "automatic caching by a router": "{model: openrouter/auto, cache_control: {type: ephemeral}}",
    "a version that cannot be read counts as new": "{model: '~openai/gpt-latest', prompt_cache_options: {mode: explicit}}",
    "a local app with a title": "{model: m/m, attribution: {referer: 'http://localhost:3000', title: A}}",
    "attribution by address": "{model: m/m, attribution: {referer: 'https://a.example'}}",
    "debugging switched off": "{model: m/m, debug: {echo_upstream_body: false}}",
    "thinking as a listed edition": "model: qwen/qwen-plus:thinking",
    "free models all the way": "{model: 'm/m:free', models: [openrouter/free]}",
    "a paid model may fall back to a free one": "{model: m/m, models: ['m/n:free']}",
}


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_this_is_sound(text):
    assert places(text) == []


UNSOUND = {
    "an alias without its tilde": ("model: openai/gpt-latest", ["bad-model-alias model value"]),
    "aliases inside tools": (
        """
        model: m/m
        tools:
          - type: openrouter:fusion
            parameters: {model: ~openai/gpt-5.2, analysis_models: [anthropic/claude-opus-latest]}""",
        [
            "bad-model-alias tools/0/parameters/model value",
            "bad-model-alias tools/0/parameters/analysis_models/0 value",
        ],
    ),
    "aliases inside a plugin": (
        "{model: openrouter/fusion, plugins: [{id: fusion, model: openai/gpt-latest}]}",
        ["bad-model-alias plugins/0/model value"],
    ),
    "a hosted preset behind a model": ("model: m/m@preset/x", ["nested-preset model value"]),
    "a hosted preset's provider is lost, which says it all": (
        "{model: m/m, preset: x, provider: {sort: price}}",
        ["preset-provider-shadowed provider key"],
    ),
    "two editions of one model": ("model: m/m:free:extended", ["variant-conflict model value"]),
    "a suffix against a sort in full": (
        "{model: 'm/m:floor', provider: {sort: {by: latency}}}",
        ["nitro-with-price-sort provider/sort/by value"],
    ),
    "an order decides over sort and suffix": (
        "{model: 'm/m:nitro', provider: {order: [azure], sort: price}}",
        ["sort-without-effect provider/sort key", "variant-without-effect provider/order key"],
    ),
    "a tier against an endpoint's": (
        "{model: m/m, service_tier: priority, provider: {order: [openai/flex]}}",
        ["tier-conflict service_tier value"],
    ),
    "a default tier against an endpoint's": (
        "{model: m/m, service_tier: default, provider: {only: [openai/priority]}}",
        ["tier-conflict service_tier value"],
    ),
    "a speed against a tier": (
        "{model: m/m, speed: standard, service_tier: fast}",
        ["tier-conflict speed value"],
    ),
    "a tier's endpoint is not covered by its base": (
        "{model: m/m, provider: {only: [openai], order: [openai/priority]}}",
        ["order-outside-only provider/order/0 value"],
    ),
    "the later list is taken for the mistake": (
        "{model: m/m, provider: {ignore: [azure], only: [azure]}}",
        ["only-all-ignored provider/only/0 value"],
    ),
    "an exclusion of the base takes its variants along": (
        "{model: m/m, provider: {order: [azure/eu, openai], ignore: [azure]}}",
        ["order-ignored provider/ignore/0 value"],
    ),
    "a name that is no slug is one mistake": (
        "{model: m/m, provider: {only: [Anthropic], order: [anthropic]}}",
        ["provider-display-name provider/only/0 value"],
    ),
    "a wrong spelling is no slug": (
        "{model: m/m, provider: {order: [bedrock]}}",
        ["provider-display-name provider/order/0 value"],
    ),
    "in an unordered list the broad slug may come second": (
        "{model: m/m, provider: {only: [azure/eu, azure]}}",
        ["redundant-provider provider/only/0 value"],
    ),
    "a provider listed twice": (
        "{model: m/m, provider: {ignore: [azure, azure]}}",
        ["redundant-provider provider/ignore/1 value"],
    ),
    "lists that allow nothing": (
        "{model: m/m, provider: {only: [], quantizations: []}}",
        ["nothing-allowed provider/only value", "nothing-allowed provider/quantizations value"],
    ),
    "two ceilings per token are one mistake": (
        "{model: m/m, provider: {max_price: {completion: '0.000002', prompt: 0.00000025}}}",
        ["per-token-price provider/max_price/prompt value"],
    ),
    "a router's ceiling per token": (
        "{model: openrouter/pareto-code, plugins: [{id: pareto-router, max_price: 0.000002}]}",
        ["per-token-price plugins/0/max_price value"],
    ),
    "a latency in milliseconds as a single number": (
        "{model: m/m, provider: {preferred_max_latency: 500}}",
        ["latency-in-milliseconds provider/preferred_max_latency value"],
    ),
    "a loose cutoff for throughput": (
        "{model: m/m, provider: {preferred_min_throughput: {p50: 10, p90: 50}}}",
        ["percentile-without-effect provider/preferred_min_throughput/p90 value"],
    ),
    "a quantisation listed twice": (
        "{model: m/m, provider: {quantizations: [int8, int8]}}",
        ["redundant-quantization provider/quantizations/1 value"],
    ),
    "models that are not distilled": (
        "{model: m/m, provider: {enforce_distillable_text: false}}",
        ["false-without-effect provider/enforce_distillable_text key"],
    ),
    "a web plugin under zero retention": (
        "{model: m/m, provider: {zdr: true}, plugins: [{id: web-fetch}]}",
        ["zdr-with-web-plugin plugins/0/id value"],
    ),
    "log probabilities nobody asked for": (
        "{model: m/m, top_logprobs: 5}",
        ["top-logprobs-without-logprobs top_logprobs key"],
    ),
    "an effort's short form against a budget": (
        "{model: m/m, reasoning: {max_tokens: 2000}, reasoning_effort: low}",
        ["effort-with-budget reasoning_effort key"],
    ),
    "the later effort is taken for the mistake": (
        "{model: m/m, reasoning: {effort: high}, reasoning_effort: low}",
        ["reasoning-effort-conflict reasoning_effort key"],
    ),
    "an effort whose smallest budget is the limit": (
        "{model: anthropic/claude-3.7-sonnet, max_tokens: 1024, reasoning_effort: low}",
        ["reasoning-budget-above-limit reasoning_effort value"],
    ),
    "a small budget is raised to the limit": (
        "{model: anthropic/claude-3.7-sonnet, max_completion_tokens: 1000, reasoning: {max_tokens: 200}}",
        ["reasoning-budget-above-limit reasoning/max_tokens value"],
    ),
    "a large budget is lowered below the limit": (
        "{model: anthropic/claude-3.7-sonnet, max_tokens: 150000, reasoning: {max_tokens: 200000}}",
        ["reasoning-budget-clamped reasoning/max_tokens value"],
    ),
    "Opus 5 counts the verbosity as an effort": (
        "{model: anthropic/claude-opus-5, verbosity: max, reasoning: {effort: none}}",
        ["disabled-reasoning-at-high-effort verbosity value"],
    ),
    "reasoning on, at no effort": (
        "{model: m/m, reasoning: {enabled: true, effort: none}}",
        ["reasoning-contradiction reasoning/effort value"],
    ),
    "schemas of the wrong kind": (
        """
        model: m/m
        tools:
          - type: function
            function:
              name: f
              parameters:
                type: [object, int]
                properties: {a: {required: true}, b: text, c: {enum: []}}
                additionalProperties: "false"
                anyOf: []
                $defs: [a]""",
        [
            "invalid-tool-schema tools/0/function/parameters/type/1 value",
            "invalid-tool-schema tools/0/function/parameters/anyOf value",
            "invalid-tool-schema tools/0/function/parameters/$defs value",
            "invalid-tool-schema tools/0/function/parameters/additionalProperties value",
            "invalid-tool-schema tools/0/function/parameters/properties/c/enum value",
            "invalid-tool-schema tools/0/function/parameters/properties/b value",
            "invalid-tool-schema tools/0/function/parameters/properties/a/required value",
        ],
    ),
    "a required name that is not allowed": (
        """
        model: m/m
        response_format:
          type: json_schema
          json_schema: {name: a, schema: {properties: {a: {}}, required: [a, b], additionalProperties: false}}""",
        ["invalid-json-schema response_format/json_schema/schema/required/1 value"],
    ),
    "a server tool that is not there": (
        "{model: m/m, tools: [{type: openrouter:datetime}], tool_choice: {type: web_search}}",
        ["unknown-tool-choice tool_choice/type value"],
    ),
    "one search under two names": (
        "{model: m/m, tools: [{type: web_search}, {type: openrouter:web_search}]}",
        ["duplicate-server-tool tools/1/type value"],
    ),
    "names that differ by spaces": (
        """
        model: m/m
        tools:
          - {type: openrouter:subagent, parameters: {name: a}}
          - {type: openrouter:subagent, parameters: {name: "a "}}""",
        ["agent-name-clash tools/1/parameters/name value"],
    ),
    "a stop condition without a tool": (
        "{model: m/m, stop_server_tools_when: [{type: step_count_is, step_count: 3}]}",
        ["limit-without-server-tools stop_server_tools_when key"],
    ),
    "a stop condition for another tool": (
        """
        model: m/m
        tools: [{type: openrouter:web_search}]
        stop_server_tools_when: [{type: has_tool_call, tool_name: web_fetch}]""",
        ["stop-condition-never-met stop_server_tools_when/0/tool_name value"],
    ),
    "a mode of another engine, where none is named": (
        "{model: m/m, tools: [{type: web_search, mode: turbo}]}",
        ["search-mode-ignored tools/0/mode value"],
    ),
    "a mode where there is none": (
        "{model: m/m, tools: [{type: openrouter:web_search, parameters: {engine: firecrawl, mode: fast}}]}",
        ["search-mode-ignored tools/0/parameters/mode value"],
    ),
    "characters take the place of a size": (
        """
        model: m/m
        tools: [{type: openrouter:web_search, parameters: {search_context_size: low, max_characters: 900}}]""",
        ["search-setting-ignored tools/0/parameters/search_context_size key"],
    ),
    "a count of searches that only Claude reads": (
        "{model: openai/o3, tools: [{type: openrouter:web_search, parameters: {engine: native, max_uses: 3}}]}",
        ["search-setting-ignored tools/0/parameters/max_uses key"],
    ),
    "Perplexity prefers the allowed domains": (
        """
        model: m/m
        tools:
          - type: openrouter:web_search
            parameters: {engine: perplexity, allowed_domains: [a.b], excluded_domains: [c.d]}""",
        ["domain-filter-ignored tools/0/parameters/excluded_domains key"],
    ),
    "Claude's own search takes one list": (
        """
        model: anthropic/claude-sonnet-4.5
        tools: [{type: openrouter:web_search, parameters: {allowed_domains: [a.b], excluded_domains: [c.d]}}]""",
        ["domain-filter-ignored tools/0/parameters/excluded_domains key"],
    ),
    "Grok's own search, insisted on, takes one list": (
        """
        model: x-ai/grok-4.1-fast
        tools:
          - type: openrouter:web_search
            parameters: {engine: native, excluded_domains: [c.d], allowed_domains: [a.b]}""",
        ["domain-lists-exclusive tools/0/parameters/allowed_domains key"],
    ),
    "a filter for X inside a search": (
        """
        model: x-ai/grok-4.1-fast
        tools:
          - type: openrouter:web_search
            parameters: {x_search: {allowed_x_handles: [a], excluded_x_handles: [b]}}""",
        ["x-handles-exclusive tools/0/parameters/x_search/excluded_x_handles key"],
    ),
    "posts on X, for a model that cannot search them": (
        "{model: m/m, tools: [{type: openrouter:web_search, parameters: {x_search: {}}}]}",
        ["x-search-filter-without-effect tools/0/parameters/x_search key"],
    ),
    "posts on X, with an engine that cannot search them": (
        "{model: x-ai/grok-4.1-fast, tools: [{type: openrouter:web_search, parameters: {engine: exa, x_search: {}}}]}",
        ["x-search-filter-without-effect tools/0/parameters/x_search key"],
    ),
    "a location that Exa does not read": (
        "{model: m/m, tools: [{type: openrouter:web_search, parameters: {user_location: {city: Oslo}}}]}",
        ["search-setting-ignored tools/0/parameters/user_location key"],
    ),
    "a domain on both lists of a search": (
        """
        model: m/m
        tools:
          - type: openrouter:web_search
            parameters: {engine: exa, excluded_domains: [c.d, a.b], allowed_domains: [e.f, a.b]}""",
        ["domain-allowed-and-excluded tools/0/parameters/allowed_domains/1 value"],
    ),
    "a native fetch truncates nothing": (
        "{model: m/m, tools: [{type: openrouter:web_fetch, parameters: {engine: native, max_content_tokens: 900}}]}",
        ["search-setting-ignored tools/0/parameters/max_content_tokens key"],
    ),
    "a domain on both lists of a fetch": (
        "{model: m/m, plugins: [{id: web-fetch, allowed_domains: [a.b], blocked_domains: [a.b]}]}",
        ["domain-allowed-and-excluded plugins/0/blocked_domains/0 value"],
    ),
    "a limit for a subagent without tools": (
        "{model: m/m, tools: [{type: openrouter:subagent, parameters: {max_tool_calls: 3}}]}",
        ["limit-without-server-tools tools/0/parameters/max_tool_calls key"],
    ),
    "a filter for X without a search": (
        "{model: x-ai/grok-4.1-fast, x_search_filter: {allowed_x_handles: [a]}}",
        ["x-search-filter-without-effect x_search_filter key"],
    ),
    "the settings of an auto router without one": (
        "{model: m/m, plugins: [{id: auto-router}]}",
        ["router-plugin-without-router plugins/0/id value"],
    ),
    "everything is excluded": (
        "{model: openrouter/auto, plugins: [{id: auto-router, excluded_models: [openai/gpt-4o, '*/*']}]}",
        ["router-excludes-everything plugins/0/excluded_models/1 value"],
    ),
    "a pattern that matches nothing excludes nothing": (
        "{model: openrouter/auto, plugins: [{id: auto-router, excluded_models: [gpt-4o]}]}",
        ["bad-model-pattern plugins/0/excluded_models/0 value"],
    ),
    "a panel whose members would call a panel": (
        "{model: openrouter/fusion, plugins: [{id: fusion, tools: [{type: openrouter:fusion}]}]}",
        ["nested-fusion plugins/0/tools/0/type value"],
    ),
    "a lifetime for a cache that is switched off": (
        "{model: m/m, cache_enabled: false, cache_ttl_seconds: 60}",
        ["cache-ttl-without-cache cache_ttl_seconds key"],
    ),
    "a local app without a title": (
        "{model: m/m, attribution: {referer: 'http://localhost:3000'}}",
        ["attribution-without-effect attribution/referer value"],
    ),
    "explicit caching before GPT-5.6": (
        "{model: openai/o4-mini, prompt_cache_options: {mode: explicit}}",
        ["prompt-cache-options-unsupported prompt_cache_options key"],
    ),
    "transforms": ("{model: m/m, transforms: []}", ["deprecated transforms key"]),
    "thinking Claude": ("model: anthropic/claude-3.7-sonnet:thinking", ["deprecated model value"]),
    "usage": ("{model: m/m, usage: {include: true}}", ["deprecated usage/include key"]),
    "an old PDF engine": (
        "{model: m/m, plugins: [{id: file-parser, pdf: {engine: pdf-text}}]}",
        ["deprecated plugins/0/pdf/engine value"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), UNSOUND.values(), ids=UNSOUND)
def test_this_is_unsound(text, expected):
    assert sorted(" ".join(place) for place in places(text)) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("{model: m/m, provider: {max_price: {prompt: 0.00000025}}}", "per-token-price", "0.25"),
        ("{model: m/m, provider: {preferred_max_latency: 2500}}", "latency-in-milliseconds", "2.5"),
        ("{model: m/m, provider: {preferred_min_throughput: 6000}}", "throughput-per-minute", "100"),
        (
            "{model: m/m, provider: {order: [Google AI Studio]}}",
            "provider-display-name",
            "'google-ai-studio'",
        ),
        ("{models: [m/m], route: sort}", "deprecated", "{partition: none}"),
        ("{model: m/m, transforms: []}", "deprecated", "enabled: false"),
        ("{model: m/m, include_reasoning: false}", "deprecated", "exclude: true"),
        (
            "{model: openrouter/auto, plugins: [{id: auto-router, allowed_models: [claude-*]}]}",
            "bad-model-pattern",
            "'*/claude-*'",
        ),
        (
            "{model: m/m, response_format: {type: json_schema, json_schema: {name: a, schema: {type: dict}}}}",
            "invalid-json-schema",
            "'object'",
        ),
    ],
)
def test_a_hint_names_what_was_meant(text, code, hint):
    found = {finding.code: finding.hint for finding in judge(text)}
    assert hint in found[code]


def test_of_two_settings_a_finding_shows_the_other_one():
    (finding,) = judge("{model: m/m, provider: {order: [azure], sort: price}}")
    assert finding.related == (("the order is set here", ("provider", "order")),)


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("openai/gpt-5.2", ModelId("openai", "gpt-5.2")),
        ("~anthropic/claude-sonnet-latest", ModelId("anthropic", "claude-sonnet-latest", alias=True)),
        ("m/m:free:online", ModelId("m", "m", variants=("free", "online"))),
        ("m/m:nitro@preset/x", ModelId("m", "m", variants=("nitro",), hosted="x")),
        ("@preset/x", None),
    ],
)
def test_a_model_id_is_taken_apart(text, model):
    assert read_model(text) == model


@pytest.mark.parametrize(
    ("text", "claude"),
    [
        ("anthropic/claude-opus-4.7-fast", ("opus", (4, 7))),
        ("anthropic/claude-4.7-opus", ("opus", (4, 7))),
        ("anthropic/claude-opus-4-6", ("opus", (4, 6))),
        ("anthropic/claude-opus-4-20250514", ("opus", (4, 0))),
        ("anthropic/claude-3-haiku", ("haiku", (3, 0))),
        ("anthropic/claude-3-5-sonnet", ("sonnet", (3, 5))),
        ("anthropic/claude-sonnet-5", ("sonnet", (5, 0))),
        ("~anthropic/claude-sonnet-latest", None),
        ("openrouter/claude-sonnet-5", None),
    ],
)
def test_the_version_of_a_claude_is_read_in_every_spelling(text, claude):
    assert read_model(text).claude == claude


@pytest.mark.parametrize(
    ("text", "gpt"),
    [
        ("openai/gpt-5.6-sol", (5, 6)),
        ("openai/gpt-4o", (4, 0)),
        ("openai/o3-pro", (0, 0)),
        ("openai/gpt-oss-120b", None),
        ("m/gpt-5", None),
    ],
)
def test_the_version_of_a_gpt_is_read_where_it_has_one(text, gpt):
    assert read_model(text).gpt == gpt


@pytest.mark.parametrize(
    ("broad", "narrow", "expected"),
    [
        ("google-vertex", "google-vertex/us-east5", True),
        ("google-vertex", "google-vertex/flex", False),
        ("google-vertex/global", "google-vertex/global/priority", False),
        ("openai/flex", "openai/flex", True),
        ("deepinfra", "deepinfra-x", False),
        ("deepinfra/turbo", "deepinfra", False),
    ],
)
def test_a_base_slug_covers_everything_but_tiers(broad, narrow, expected):
    assert covers(broad, narrow) is expected


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Amazon Bedrock", "amazon-bedrock"),
        ("Google", "google-vertex"),
        ("Z.AI", "z-ai"),
        ("Mancer 2", "mancer"),
        ("Io Net", "io-net"),
        ("Together", "together"),
        ("vertex/us-east5", "google-vertex/us-east5"),
    ],
)
def test_a_display_name_leads_to_its_slug(name, slug):
    assert not is_provider_slug(name)
    assert is_provider_slug(slug)
    assert meant_provider(name) == slug


def test_every_real_provider_has_a_slug_that_its_name_leads_to(shared: Path):
    catalog = json.loads((shared / "catalog" / "providers.json").read_text(encoding="utf-8"))
    slugs = {provider["name"]: provider["slug"] for provider in catalog["data"]}
    assert all(map(is_provider_slug, slugs.values()))
    guesses = {name: meant_provider(name) for name in slugs}
    assert guesses == slugs
