"""Ways around a policy, as tables: presets that a policy stops, and presets and calls that it narrows."""

from __future__ import annotations

import json
from typing import Any

from orpolicy.disk import Library
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.rules import FAMILIES
from orpolicy.language.workspace import Workspace

MEANING = {code: "off" for family in ("meaning", "catalogue") for code in FAMILIES[family]}
MODEL = {"model": "openai/gpt-5"}


def compiler(preset: dict[str, Any], policy: dict[str, Any], files: dict[str, str] | None = None) -> Compiler:
    """Take a preset and a policy over it, with every rule about meaning switched off: policies stand alone."""
    texts = {
        "orpolicy.yaml": json.dumps({"rules": MEANING, "environments": ["prod"]}),
        "presets/it.yaml": json.dumps(preset, default=str),
        "presets/org.policy.yaml": json.dumps(policy),
    }
    return Compiler(Workspace(Memory({**texts, **(files or {})}), Workspace(Library())))


def provider(**settings_: Any) -> dict[str, Any]:
    return {**MODEL, "provider": settings_}


def tool(kind: str, **parameters: Any) -> dict[str, Any]:
    return {**MODEL, "tools": [{"type": kind, "parameters": parameters}]}


def plugin(name: str, **settings_: Any) -> dict[str, Any]:
    return {**MODEL, "plugins": [{"id": name, **settings_}]}


AUTO = {"model": "openrouter/auto"}
STOPPED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    # models that are not what they seem
    ({"model": "deepseek/r1:nitro"}, {"models": {"deny": ["deepseek/r1"]}}, "/model"),
    ({"model": "deepseek/r1:online:floor"}, {"models": {"deny": ["deepseek/r1"]}}, "/model"),
    ({"model": "deepseek/r1:free"}, {"models": {"allow": ["deepseek/r1"]}}, "/model"),
    ({**MODEL, "models": ["deepseek/r1:free"]}, {"models": {"deny": ["*:free"]}}, "/models/0"),
    ({"model": "@preset/anything"}, {"zdr": True}, "/model"),
    ({"model": "openai/gpt-5@preset/anything"}, {"zdr": True}, "/model"),
    ({**MODEL, "preset": "anything"}, {"zdr": True}, "/preset"),
    (tool("openrouter:subagent", model="@preset/anything"), {"zdr": True}, "/tools/0/parameters/model"),
    ({"models": []}, {"models": {"deny": ["deepseek/*"]}}, ""),
    ({"temperature": 0}, {"models": {"allow": ["openai/*"]}}, ""),
    # aliases and routers
    ({"model": "~openai/gpt-latest"}, {"models": {"allow": ["openai/gpt-5"]}}, "/model"),
    ({"model": "~openai/gpt-latest"}, {"models": {"deny": ["openai/gpt-5"]}}, "/model"),
    ({"model": "~openai/gpt-latest:nitro"}, {"models": {"deny": ["openai/gpt-*"]}}, "/model"),
    ({"model": "~openai/gpt-mini-latest"}, {"models": {"deny": ["*/gpt-5*"]}}, "/model"),
    (AUTO, {"models": {"deny": ["deepseek/*"]}}, "/model"),
    (AUTO, {"models": {"allow": ["openrouter/auto", "anthropic/*"]}}, "/model"),
    ({"model": "openrouter/free"}, {"models": {"deny": ["*:free"]}}, "/model"),
    ({"model": "openrouter/pareto-code:nitro"}, {"models": {"deny": ["deepseek/*"]}}, "/model"),
    ({"model": "openrouter/fusion"}, {"models": {"deny": ["deepseek/*"]}}, "/model"),
    (
        {**AUTO, "plugins": [{"id": "auto-router", "allowed_models": ["*/r1"]}]},
        {"models": {"deny": ["deepseek/*"]}},
        "/plugins/0/allowed_models/0",
    ),
    (
        {**AUTO, "plugins": [{"id": "auto-router", "allowed_models": ["*/claude-*"]}]},
        {"models": {"allow": ["openrouter/auto", "anthropic/*"]}},
        "/plugins/0/allowed_models/0",
    ),
    (
        {**AUTO, "plugins": [{"id": "auto-router", "excluded_models": ["deepseek/*"], "enabled": False}]},
        {"models": {"deny": ["deepseek/*"]}},
        "/model",
    ),
    # models inside plugins and tools
    (tool("openrouter:advisor"), {"models": {"allow": ["openai/*"]}}, "/tools/0/type"),
    (tool("openrouter:advisor", model="deepseek/r1"), {"models": {"allow": ["openai/*"]}}, "/tools/0/parameters/model"),
    (tool("openrouter:image_generation"), {"models": {"deny": ["google/*"]}}, "/tools/0/type"),
    (tool("openrouter:fusion"), {"models": {"allow": ["openai/*"]}}, "/tools/0/type"),
    (plugin("fusion", preset="general-high"), {"models": {"allow": ["openai/*"]}}, "/plugins/0/id"),
    (
        plugin("fusion", analysis_models=["openai/gpt-5", "x/y"], model="openai/gpt-5"),
        {"models": {"allow": ["openai/*"]}},
        "/plugins/0/analysis_models/1",
    ),
    (plugin("switchyard-router", judge_model="x/y"), {"models": {"allow": ["openai/*"]}}, "/plugins/0/judge_model"),
    (
        tool("openrouter:subagent", tools=[{"type": "openrouter:advisor", "parameters": {"model": None}}]),
        {"models": {"allow": ["openai/*"]}},
        "/tools/0/parameters/tools/0/type",
    ),
    (tool("openrouter:fusion", analysis_models=["x/y:online"]), {"plugins": {"deny": ["web"]}}, "/tools/0/parameters/analysis_models/0"),
    # providers
    (provider(only=["DeepSeek"]), {"providers": {"deny": ["deepseek"]}}, "/provider/only/0"),
    (provider(order=["DEEPSEEK"]), {"providers": {"deny": ["deepseek"]}}, "/provider/order/0"),
    (provider(only=["Deepseek/Fp8"]), {"providers": {"deny": ["deepseek"]}}, "/provider/only/0"),
    (provider(only=["google"]), {"providers": {"deny": ["google-vertex"]}}, "/provider/only/0"),
    (provider(only=["deepseek/x"]), {"providers": {"deny": ["deepseek"]}}, "/provider/only/0"),
    (provider(order=["deepseek/flex"]), {"providers": {"deny": ["deepseek"]}}, "/provider/order/0"),
    (provider(only=["Google"]), {"providers": {"allow": ["google-vertex"]}}, "/provider/only/0"),
    (provider(only=["openai/priority"]), {"providers": {"allow": ["openai"]}}, "/provider/only/0"),
    (provider(quantizations=["fp4"]), {"quantizations": {"deny": ["mxfp4", "nvfp4", "fp4"]}}, "/provider/quantizations/0"),
    # plugins and tools that come in by another door
    ({"model": "openai/gpt-5:online"}, {"plugins": {"deny": ["web"]}}, "/model"),
    ({**MODEL, "models": ["x/y:nitro:online"]}, {"plugins": {"allow": []}}, "/models/0"),
    (tool("openrouter:subagent", model="x/y:online"), {"plugins": {"deny": ["web"]}}, "/tools/0/parameters/model"),
    ({**MODEL, "transforms": ["middle-out"]}, {"plugins": {"deny": ["context-compression"]}}, "/transforms"),
    ({**MODEL, "tools": [{"type": "web_search"}]}, {"tools": {"deny": ["openrouter:web_search"]}}, "/tools/0/type"),
    ({**MODEL, "tools": [{"type": "web_search_preview"}]}, {"tools": {"deny": ["openrouter:*"]}}, "/tools/0/type"),
    (tool("openrouter:web_search"), {"tools": {"deny": ["web_search"]}}, "/tools/0/type"),
    (
        tool("openrouter:subagent", tools=[{"type": "openrouter:bash"}]),
        {"tools": {"deny": ["openrouter:bash"]}},
        "/tools/0/parameters/tools/0/type",
    ),
    (plugin("fusion", tools=[{"type": "web_search"}]), {"tools": {"deny": ["openrouter:web_*"]}}, "/plugins/0/tools/0/type"),
    (plugin("fusion"), {"tools": {"deny": ["openrouter:web_fetch"]}}, "/plugins/0/id"),
    (tool("openrouter:fusion"), {"tools": {"allow": ["openrouter:fusion"]}}, "/tools/0/type"),
    ({"model": "openrouter/fusion"}, {"tools": {"deny": ["openrouter:web_search"]}}, "/model"),
    # ceilings
    (provider(max_price={"prompt": "5.01"}), {"max_price": {"prompt": "5"}}, "/provider/max_price/prompt"),
    ({**MODEL, "max_completion_tokens": 11, "max_tokens": 5}, {"max_tokens": 10}, "/max_completion_tokens"),
    ({**MODEL, "region": "us"}, {"regions": ["eu"]}, "/region"),
    # keys that are there and say nothing
    ({**MODEL, "metadata": {}}, {"require": ["metadata"]}, ""),
    ({**MODEL, "plugins": []}, {"require": ["plugins"]}, ""),
]  # fmt: skip

NARROWED: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    # preset, policy, what a call says, what is sent of it
    (provider(only=[]), {"providers": {"allow": ["anthropic"]}}, {}, provider(only=["anthropic"])),
    (
        provider(only=["anthropic"]),
        {"providers": {"allow": ["anthropic"]}},
        {"provider": {"only": {"remove": ["anthropic"]}}},
        provider(only=["anthropic"]),
    ),
    (
        provider(only=["anthropic"]),
        {"providers": {"deny": ["deepseek"]}},
        {"provider": {"only": []}},
        provider(only=[], ignore=["deepseek"]),
    ),
    (MODEL, {"providers": {"allow": ["azure", "openai"], "deny": ["openai"]}}, {}, provider(only=["azure"])),
    (
        {**MODEL, "service_tier": "priority"},
        {"providers": {"allow": ["azure", "openai/priority"], "deny": ["openai"]}},
        {},
        {**provider(only=["azure"]), "service_tier": "priority"},
    ),
    (
        provider(only=["google-vertex"]),
        {"providers": {"allow": ["google-vertex/us", "google-vertex/eu"], "deny": ["google-vertex/eu"]}},
        {},
        provider(only=["google-vertex/us"]),
    ),
    (provider(quantizations=[]), {"quantizations": {"allow": ["bf16"]}}, {}, provider(quantizations=["bf16"])),
    (MODEL, {"zdr": True}, {"provider": None}, provider(zdr=True)),
    (MODEL, {"zdr": True}, {"provider": {"zdr": None}}, provider(zdr=True)),
    (
        provider(ignore=["deepseek"]),
        {"providers": {"deny": ["deepseek"]}},
        {"provider": {"ignore": {"remove": ["deepseek"]}}},
        provider(ignore=["deepseek"]),
    ),
    (MODEL, {"max_tokens": 5}, {"max_tokens": None}, {**MODEL, "max_tokens": 5}),
    (
        {**MODEL, "service_tier": "default", "speed": "fast"},
        {"providers": {"deny": ["openai"]}},
        {},
        {**provider(ignore=["openai", "openai/priority"]), "service_tier": "default", "speed": "fast"},
    ),
    (
        {"model": "x/y:nitro"},
        {"providers": {"deny": ["openai"]}},
        {"model": "x/y:floor"},
        {"model": "x/y:floor", "provider": {"ignore": ["openai", "openai/flex"]}},
    ),
    (plugin("web", enabled=False), {"plugins": {"deny": ["web"]}}, {}, plugin("web", enabled=False)),
    ({"model": "~openai/gpt-mini-latest"}, {"models": {"deny": ["openai/gpt-*-nano", "anthropic/*"]}}, {},
     {"model": "~openai/gpt-mini-latest"}),
    ({"model": "~anthropic/claude-haiku-latest"}, {"models": {"deny": ["anthropic/claude-opus-*", "*:free"]}}, {},
     {"model": "~anthropic/claude-haiku-latest"}),
    (AUTO, {"models": {"deny": ["openrouter/free"]}}, {}, AUTO),
    (tool("openrouter:advisor"), {"models": {"deny": ["openrouter/free"]}}, {}, tool("openrouter:advisor")),
    (
        {**AUTO, "plugins": [{"id": "auto-router", "allowed_models": ["openai/*"]}]},
        {"models": {"deny": ["anthropic/*"]}},
        {},
        {**AUTO, "plugins": [{"id": "auto-router", "allowed_models": ["openai/*"]}]},
    ),
    (AUTO, {"models": {"allow": ["openrouter/*"]}}, {}, AUTO),
    (AUTO, {"models": {"allow": ["*"]}}, {}, AUTO),
    (
        {**AUTO, "plugins": [{"id": "auto-router", "excluded_models": ["deepseek/*"]}]},
        {"models": {"deny": ["deepseek/r1"]}},
        {},
        {**AUTO, "plugins": [{"id": "auto-router", "excluded_models": ["deepseek/*"]}]},
    ),
    (
        {**AUTO, "plugins": [{"id": "auto-router", "allowed_models": ["anthropic/claude-*"]}]},
        {"models": {"allow": ["openrouter/auto", "anthropic/*"]}},
        {},
        {**AUTO, "plugins": [{"id": "auto-router", "allowed_models": ["anthropic/claude-*"]}]},
    ),
    (tool("openrouter:web_search"), {"tools": {"allow": ["web_search"]}}, {}, tool("openrouter:web_search")),
    (
        {"model": "openrouter/fusion", "plugins": [{"id": "fusion", "tools": []}]},
        {"tools": {"deny": ["openrouter:web_*"]}},
        {},
        {"model": "openrouter/fusion", "plugins": [{"id": "fusion", "tools": []}]},
    ),
]  # fmt: skip
