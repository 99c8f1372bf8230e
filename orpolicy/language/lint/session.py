"""What surrounds a call: caches, sessions, attribution, beta features, debugging.

Sources: guides/features/response-caching.mdx, guides/best-practices/prompt-caching.mdx, app-attribution.mdx,
guides/routing/provider-selection.mdx ("Provider-Specific Headers"), api_reference/errors-and-debugging.mdx (facts 90, 117-123).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset

if TYPE_CHECKING:
    from orpolicy.language.slugs import ModelId

_BETAS = ("interleaved-thinking-2025-05-14", "structured-outputs-2025-11-13")
_EXPLICIT_CACHE_SINCE = (5, 6)
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


def check_cache_ttl(preset: Preset) -> Findings:
    """Report a lifetime for a response cache that is not on (fact 90)."""
    if preset.get("cache_enabled") is not True:
        related = (
            (("the cache is switched off here", ("cache_enabled",)),) if "cache_enabled" in preset else ()
        )
        message = "'cache_ttl_seconds' has no effect unless the response cache is on"
        path = ("cache_ttl_seconds",)
        yield Finding(
            "cache-ttl-without-cache",
            path,
            message,
            "add 'cache_enabled: true'",
            anchor="key",
            related=related,
        )


def check_cache_control(preset: Preset) -> Findings:
    """Report automatic prompt caching on models that do not have it (fact 122)."""
    models = preset.models
    if models and not any(
        model.author == "anthropic" or model.router or _caches_explicitly(model) for model in models
    ):
        message = f"automatic caching by a top-level 'cache_control' is Claude's; {models[0].author}/{models[0].slug} has none"
        hint = "drop it: most other models cache by themselves"
        yield Finding("cache-control-without-claude", ("cache_control",), message, hint, anchor="key")


def check_prompt_cache_options(preset: Preset) -> Findings:
    """Report explicit prompt caching on models to which it is not sent (fact 123)."""
    models = preset.models
    if models and not any(model.router or _caches_explicitly(model) for model in models):
        message = "'prompt_cache_options' is for OpenAI's GPT-5.6 and newer; it is not sent to the models named here"
        path = ("prompt_cache_options",)
        yield Finding("prompt-cache-options-unsupported", path, message, "drop it", anchor="key")


def _caches_explicitly(model: ModelId) -> bool:
    """Tell whether a model may know OpenAI's explicit caching; a version that cannot be read counts as new."""
    return model.author == "openai" and (model.gpt is None or model.gpt >= _EXPLICIT_CACHE_SINCE)


def check_session_with_order(preset: Preset) -> Findings:
    """Report a session that does not stick: an order takes the place of sticky routing (fact 117)."""
    if preset.get("provider", {}).get("order"):
        message = "with a provider order, 'session_id' no longer keeps a conversation on one provider; it only groups calls"
        related = (("the order is set here", ("provider", "order")),)
        hint = "use 'only' instead of 'order' to keep both"
        yield Finding("session-with-order", ("session_id",), message, hint, anchor="key", related=related)


def check_beta_models(preset: Preset) -> Findings:
    """Report beta features of Claude where no Claude is named."""
    models = preset.models
    if models and not any(model.author == "anthropic" or model.router for model in models):
        message = "beta features are passed on to Claude only, and none is named"
        yield Finding("beta-without-claude", ("anthropic_beta",), message, "drop it", anchor="key")


def check_beta_names(preset: Preset) -> Findings:
    """Report beta features that OpenRouter does not list as passed on."""
    for index, name in enumerate(preset["anthropic_beta"]):
        if name not in _BETAS:
            message = f"'{name}' is not among the beta features that OpenRouter passes on"
            yield Finding(
                "unknown-beta", ("anthropic_beta", index), message, f"there are {', '.join(_BETAS)}"
            )


def check_attribution(preset: Preset) -> Findings:
    """Report attribution that attributes nothing: the referer is what counts, and a local one needs a title."""
    attribution = preset["attribution"]
    referer = attribution.get("referer")
    for key in ("title", "categories"):
        if key in attribution and referer is None:
            message = f"'{key}' alone attributes nothing: an app is known by its 'referer'"
            path = ("attribution", key)
            yield Finding("attribution-without-effect", path, message, "add 'referer'", anchor="key")
            return
    if referer and referer.partition("://")[2].startswith(_LOCAL) and "title" not in attribution:
        message = "a local address is not tracked without a title"
        yield Finding("attribution-without-effect", ("attribution", "referer"), message, "add 'title'")


def check_debug(preset: Preset) -> Findings:
    """Report a switch that shows what is sent upstream: not for production, says OpenRouter (fact 136)."""
    if preset["debug"].get("echo_upstream_body") is True:
        message = (
            "answers would carry the request as it is sent upstream, including what was not meant to be seen"
        )
        path = ("debug", "echo_upstream_body")
        yield Finding(
            "debug-in-preset", path, message, "drop it, or keep it in a development environment", anchor="key"
        )


def check_time_zone(preset: Preset) -> Findings:
    """Report a time zone that the IANA database does not know."""
    for index, tool in enumerate(preset["tools"]):
        name = (
            (tool.get("parameters") or {}).get("timezone") if tool["type"] == "openrouter:datetime" else None
        )
        if name is not None and not _is_time_zone(name):
            path = ("tools", index, "parameters", "timezone")
            yield Finding(
                "unknown-time-zone",
                path,
                f"there is no time zone '{name}'",
                "write a name such as 'Europe/London'",
            )


def _is_time_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - few presets name a time zone

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


CHECKS = (
    Check("cache-ttl-without-cache", ("cache_ttl_seconds",), check_cache_ttl),
    Check("cache-control-without-claude", ("cache_control",), check_cache_control),
    Check("prompt-cache-options-unsupported", ("prompt_cache_options",), check_prompt_cache_options),
    Check("session-with-order", ("session_id",), check_session_with_order),
    Check("beta-without-claude", ("anthropic_beta",), check_beta_models),
    Check("unknown-beta", ("anthropic_beta",), check_beta_names),
    Check("attribution-without-effect", ("attribution",), check_attribution),
    Check("debug-in-preset", ("debug",), check_debug),
    Check("unknown-time-zone", ("tools", "openrouter:datetime"), check_time_zone),
)
