"""Which models are tried, and in which company.

``model`` is tried first, then ``models`` in their order (facts 37-40); sources: guides/routing/model-fallbacks.mdx,
guides/routing/routers/latest-resolution.mdx, guides/features/presets.mdx, users' reports where the documentation is silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset
from orpolicy.language.slugs import PRESET_MARK, read_model

if TYPE_CHECKING:
    from orpolicy.language.source import Path

MAX_MODELS = 3
"""Longest ``models`` list that OpenRouter has been seen to accept; no document states it."""

_LATEST = frozenset(
    {
        "anthropic/claude-fable-latest",
        "anthropic/claude-haiku-latest",
        "anthropic/claude-opus-latest",
        "anthropic/claude-sonnet-latest",
        "deepseek/deepseek-v4-flash-latest",
        "google/gemini-flash-latest",
        "google/gemini-pro-latest",
        "moonshotai/kimi-latest",
        "openai/gpt-latest",
        "openai/gpt-mini-latest",
        "openai/gpt-sol-latest",
        "x-ai/grok-latest",
        "z-ai/glm-latest",
    }
)
"""Families that had an alias on 22 August 2026; a concrete model may end in ``-latest`` as well."""


def check_alias(preset: Preset) -> Findings:
    """Report a tilde on a concrete model, and an alias without one."""
    for path, text in preset.named:
        yield from _judge_alias(path, text)


def check_alias_in_tools(preset: Preset) -> Findings:
    """Report the same for the models of advisors, subagents and panels."""
    for index, tool in enumerate(preset["tools"]):
        yield from _judge_inner_models(("tools", index, "parameters"), tool.get("parameters"))


def check_alias_in_plugins(preset: Preset) -> Findings:
    """Report the same for the models of a panel set up by a plugin."""
    for index, plugin in enumerate(preset["plugins"]):
        if plugin["id"] == "fusion":
            yield from _judge_inner_models(("plugins", index), plugin)


def _judge_inner_models(path: Path, settings: Any) -> Findings:
    if not settings:
        return
    if isinstance(settings.get("model"), str):
        yield from _judge_alias((*path, "model"), settings["model"])
    for index, text in enumerate(settings.get("analysis_models") or ()):
        yield from _judge_alias((*path, "analysis_models", index), text)


def _judge_alias(path: Path, text: str) -> Findings:
    model = read_model(text)
    if model is None:
        return
    base = f"{model.author}/{model.slug}"
    if model.alias and not model.slug.endswith("-latest"):
        message = f"'{text}' is no alias: a tilde goes with '~author/family-latest' only"
        yield Finding("bad-model-alias", path, message, f"did you mean '{text.removeprefix('~')}'?")
    elif not model.alias and base in _LATEST:
        message = f"'{base}' is no model: the alias for the newest of a family is written with a tilde"
        yield Finding("bad-model-alias", path, message, f"did you mean '~{text}'?")


def check_floating_model(preset: Preset) -> Findings:
    """Report an alias, which moves to the next model by itself."""
    for path, text in preset.named:
        model = read_model(text)
        if model is not None and model.alias:
            message = f"'{text}' follows the newest model of its family, at that model's price"
            yield Finding(
                "floating-model", path, message, "name a concrete model to decide yourself when it changes"
            )


def check_duplicate_model(preset: Preset) -> Findings:
    """Report a model that is tried again after all its providers have failed."""
    first: dict[str, Path] = {}
    for path, text in preset.named:
        if text in first:
            related = (("first named here", first[text]),)
            yield Finding(
                "duplicate-model", path, f"'{text}' is tried already", "remove it here", related=related
            )
        else:
            first[text] = path


def check_too_many_models(preset: Preset) -> Findings:
    """Report the first model beyond what OpenRouter takes."""
    count = len(preset["models"])
    if count > MAX_MODELS:
        message = f"{count} models are listed, and OpenRouter refuses more than {MAX_MODELS}"
        yield Finding(
            "too-many-models", ("models", MAX_MODELS), message, "keep the ones you would want to pay for"
        )


def check_free_with_paid_fallback(preset: Preset) -> Findings:
    """Report a chain that starts for free and ends on the bill."""
    if not preset.models or not preset.models[0].free:
        return
    named = [(path, text, model) for path, text in preset.named if (model := read_model(text))]
    for path, text, model in named[1:]:
        if not model.free:
            message = f"the chain starts with a free model, but '{text}' is billed whenever it steps in"
            related = (("the free model", named[0][0]),)
            yield Finding(
                "free-with-paid-fallback",
                path,
                message,
                "end the chain with 'openrouter/free'",
                related=related,
            )
            return


def check_nested_preset(preset: Preset) -> Findings:
    """Report a preset on the server, which nobody sees who reads this file."""
    if "provider" in preset:
        return
    if "preset" in preset:
        message = (
            "this preset builds on one that lives on OpenRouter's server; what it adds cannot be checked here"
        )
        yield Finding(
            "nested-preset",
            ("preset",),
            message,
            "write its settings here, or extend a preset file",
            anchor="key",
        )
    for path, text in preset.named:
        if PRESET_MARK in text:
            message = f"'{text}' builds on a preset that lives on OpenRouter's server; what it adds cannot be checked here"
            yield Finding("nested-preset", path, message, "name a model, and extend a preset file")


def check_preset_provider_shadowed(preset: Preset) -> Findings:
    """Report a ``provider`` that replaces a hosted preset's: the merge there is shallow (fact 85)."""
    if preset.builds_on_hosted:
        message = "this 'provider' replaces the hosted preset's whole 'provider': its pins and privacy rules are lost"
        hint = "drop the reference to the hosted preset and write its settings here"
        yield Finding("preset-provider-shadowed", ("provider",), message, hint, anchor="key")


def check_server_tools_with_fallbacks(preset: Preset) -> Findings:
    """Report server tools beside several models, which OpenRouter has been seen to refuse."""
    if "tools" not in preset or len(preset["models"]) + ("model" in preset) < 2:
        return
    for index, tool in enumerate(preset.get("tools", ())):
        if tool["type"] != "function":
            message = "requests with server tools and fallback models have been answered with 400"
            related = (("a server tool", ("tools", index)),)
            hint = "use one model, or try the combination before you rely on it"
            yield Finding(
                "server-tools-with-fallbacks", ("models",), message, hint, anchor="key", related=related
            )
            return


CHECKS = (
    Check("bad-model-alias", (), check_alias, marked=True),
    Check("bad-model-alias", ("tools",), check_alias_in_tools),
    Check("bad-model-alias", ("plugins", "fusion"), check_alias_in_plugins),
    Check("floating-model", (), check_floating_model, marked=True),
    Check("duplicate-model", ("models",), check_duplicate_model),
    Check("too-many-models", ("models",), check_too_many_models),
    Check("free-with-paid-fallback", ("models",), check_free_with_paid_fallback, marked=True),
    Check("nested-preset", (), check_nested_preset, marked=True),
    Check("preset-provider-shadowed", ("provider",), check_preset_provider_shadowed, marked=True),
    Check("server-tools-with-fallbacks", ("models",), check_server_tools_with_fallbacks),
)
