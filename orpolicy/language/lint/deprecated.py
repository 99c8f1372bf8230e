"""Forms that OpenRouter still takes and no longer recommends, each with what takes its place.

==============================  =====================================================
form                            replacement
==============================  =====================================================
``route: fallback | sort``      ``provider.sort.partition: model | none``
``transforms``                  plugin ``context-compression``
``:online``, plugin ``web``     tool ``openrouter:web_search``
``:thinking`` on Claude         ``reasoning``
``cost_quality_tradeoff``       ``cost_tier``
``include_reasoning``           ``reasoning``, ``reasoning.exclude``
``usage.include``,              nothing: usage is always returned
``stream_options.…_usage``
PDF engine ``pdf-text``         ``cloudflare-ai``
==============================  =====================================================

``max_tokens`` alone is not among them: far more endpoints list it than its successor.
Sources: facts 18, 49, 50, 99, 126 and 151; guides/features/message-transforms.mdx, guides/overview/multimodal/pdfs.mdx,
guides/best-practices/reasoning-tokens.mdx, cookbook/administration/usage-accounting.mdx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset
from orpolicy.language.slugs import read_model

if TYPE_CHECKING:
    from orpolicy.language.source import Path

_PARTITION = {"fallback": "model", "sort": "none"}
_SEARCH_TOOL = "use 'tools: [{type: openrouter:web_search}]', which leaves it to the model when to search"


def check_route(preset: Preset) -> Findings:
    """Report ``route`` (fact 18)."""
    hint = f"use 'provider: {{sort: {{partition: {_PARTITION[preset['route']]}}}}}'"
    yield _say(("route",), "'route' is deprecated", hint)


def check_transforms(preset: Preset) -> Findings:
    """Report ``transforms``."""
    switch = "" if preset["transforms"] else ", enabled: false"
    yield _say(
        ("transforms",), "'transforms' is deprecated", f"use 'plugins: [{{id: context-compression{switch}}}]'"
    )


def check_variants(preset: Preset) -> Findings:
    """Report ``:online``, and ``:thinking`` on Claude (facts 49 and 50)."""
    for path, text in preset.named:
        model = read_model(text) if ":" in text else None
        if model is None:
            continue
        if "online" in model.variants:
            yield Finding("deprecated", path, "the suffix ':online' is deprecated", _SEARCH_TOOL)
        if "thinking" in model.variants and model.author == "anthropic":
            message = "Claude no longer has a variant ':thinking'"
            yield Finding("deprecated", path, message, "drop the suffix and use 'reasoning: {enabled: true}'")


def check_plugins(preset: Preset) -> Findings:
    """Report the web plugin and old settings of others; switching the plugin off is fine."""
    for index, plugin in enumerate(preset["plugins"]):
        path: Path = ("plugins", index)
        if plugin["id"] == "web" and plugin.get("enabled") is not False:
            yield Finding("deprecated", (*path, "id"), "the web plugin is deprecated", _SEARCH_TOOL)
        if "cost_quality_tradeoff" in plugin:
            wins = "; 'cost_tier' wins anyway" if "cost_tier" in plugin else ""
            message = f"'cost_quality_tradeoff' is deprecated{wins}"
            yield _say((*path, "cost_quality_tradeoff"), message, "use 'cost_tier: low' … 'max'")
        if plugin.get("pdf", {}).get("engine") == "pdf-text":
            message = "the PDF engine 'pdf-text' is deprecated; 'cloudflare-ai' is used in its place"
            yield Finding("deprecated", (*path, "pdf", "engine"), message, "write 'cloudflare-ai'")


def check_include_reasoning(preset: Preset) -> Findings:
    """Report ``include_reasoning``."""
    hint = "drop it" if preset["include_reasoning"] else "use 'reasoning: {exclude: true}'"
    yield _say(("include_reasoning",), "'include_reasoning' is deprecated", hint)


def check_usage(preset: Preset) -> Findings:
    """Report ``usage`` (fact 151)."""
    path = ("usage", "include") if "include" in preset["usage"] else ("usage",)
    yield _say(path, "'usage' has no effect any more: usage is always returned", "drop it")


def check_stream_options(preset: Preset) -> Findings:
    """Report ``stream_options.include_usage`` (fact 151)."""
    if "include_usage" in preset["stream_options"]:
        path = ("stream_options", "include_usage")
        yield _say(path, "'include_usage' has no effect any more: usage is always returned", "drop it")


def _say(path: Path, message: str, hint: str) -> Finding:
    return Finding("deprecated", path, message, hint, anchor="key")


CHECKS = (
    Check("deprecated", ("route",), check_route),
    Check("deprecated", ("transforms",), check_transforms),
    Check("deprecated", (), check_variants, marked=True),
    Check("deprecated", ("plugins",), check_plugins),
    Check("deprecated", ("include_reasoning",), check_include_reasoning),
    Check("deprecated", ("usage",), check_usage),
    Check("deprecated", ("stream_options",), check_stream_options),
)
