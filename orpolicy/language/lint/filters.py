"""Lists of what the web tools may read: domains of a search or a fetch, handles and dates of posts on X.

Sources: guides/features/server-tools/web-fetch.mdx, guides/features/plugins/web-search.mdx ("X Search Filters").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset, later_key
from orpolicy.language.slugs import SEARCH_TOOLS, ModelId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.language.source import Path

MOST_FETCHES = 50
"""Pages a request; a limit of OpenRouter's own and of providers' fetching."""


def say_exclusive(
    code: str, path: Path, settings: Mapping[str, Any], keys: tuple[str, str], message: str
) -> Finding:
    """Point at the key, of two that exclude each other, that is written later."""
    later = later_key(settings, *keys)
    related = (("the other list", (*path, keys[0] if later == keys[1] else keys[1])),)
    return Finding(code, (*path, later), message, "keep one of the two", anchor="key", related=related)


def check_x_filter(preset: Preset) -> Findings:
    """Report a filter for posts on X that is dropped, or that nothing reads."""
    yield from check_handles(("x_search_filter",), preset["x_search_filter"])
    models = preset.models
    if models and not any(model.author == "x-ai" or model.router for model in models):
        message = "only SpaceXAI's models search X, and none is named"
    elif models and not _searches_the_web(preset, models):
        message = "the filter belongs to web search, which is not enabled"
    else:
        return
    yield Finding("x-search-filter-without-effect", ("x_search_filter",), message, "drop it", anchor="key")


def _searches_the_web(preset: Preset, models: Sequence[ModelId]) -> bool:
    return (
        "web_search_options" in preset
        or any(tool["type"] in SEARCH_TOOLS for tool in preset.get("tools", ()))
        or any(
            plugin["id"] == "web" and plugin.get("enabled") is not False
            for plugin in preset.get("plugins", ())
        )
        or any("online" in model.variants for model in models)
    )


def check_handles(path: Path, settings: Mapping[str, Any] | None) -> Findings:
    """Report a filter that contradicts itself."""
    if not settings:
        return
    if settings.get("allowed_x_handles") and settings.get("excluded_x_handles"):
        message = "'allowed_x_handles' and 'excluded_x_handles' exclude each other: the whole filter is dropped silently"
        yield say_exclusive(
            "x-handles-exclusive", path, settings, ("allowed_x_handles", "excluded_x_handles"), message
        )
    if (settings.get("from_date") or "") > (settings.get("to_date") or "9999"):
        message = "the range of dates ends before it begins"
        related = (("it begins here", (*path, "from_date")),)
        yield Finding("x-dates-reversed", (*path, "to_date"), message, "swap the two", related=related)


def check_overlap(path: Path, settings: Mapping[str, Any], allowed: str, excluded: str) -> Findings:
    """Report a domain that is allowed and excluded at once."""
    lists = {key: settings.get(key) or () for key in (allowed, excluded)}
    for domain in lists[allowed]:
        if domain in lists[excluded]:
            later = later_key(settings, allowed, excluded)
            earlier = excluded if later == allowed else allowed
            related = (("the other one", (*path, earlier, lists[earlier].index(domain))),)
            place = (*path, later, lists[later].index(domain))
            message = f"'{domain}' is allowed and excluded at once"
            hint = "remove it from one of the lists"
            yield Finding("domain-allowed-and-excluded", place, message, hint, related=related)
            return


def check_fetch_tools(preset: Preset) -> Findings:
    """Report settings of the fetch tool that contradict each other, or that its engine does not honour."""
    for index, tool in enumerate(preset["tools"]):
        settings = tool.get("parameters") if tool["type"] == "openrouter:web_fetch" else None
        if settings:
            yield from _check_fetch(("tools", index, "parameters"), settings)


def check_fetch_plugins(preset: Preset) -> Findings:
    """Report the same for the plugin."""
    for index, plugin in enumerate(preset["plugins"]):
        if plugin["id"] == "web-fetch":
            yield from _check_fetch(("plugins", index), plugin)


def _check_fetch(path: Path, settings: Mapping[str, Any]) -> Findings:
    yield from check_overlap(path, settings, "allowed_domains", "blocked_domains")
    engine = settings.get("engine")
    if engine in ("native", "openrouter") and settings.get("max_uses", 0) > MOST_FETCHES:
        message = f"engine '{engine}' fetches {MOST_FETCHES} pages a request at most"
        yield Finding(
            "fetches-capped", (*path, "max_uses"), message, f"write {MOST_FETCHES}, or change the engine"
        )
    if engine == "native" and "max_content_tokens" in settings:
        message = "engine 'native' ignores 'max_content_tokens'"
        hint = "drop it, or change the engine"
        yield Finding("search-setting-ignored", (*path, "max_content_tokens"), message, hint, anchor="key")


_OF_X = ("x-handles-exclusive", "x-dates-reversed", "x-search-filter-without-effect")
_OF_FETCHES = ("domain-allowed-and-excluded", "fetches-capped", "search-setting-ignored")

CHECKS = (
    Check(_OF_X, ("x_search_filter",), check_x_filter),
    Check(_OF_FETCHES, ("tools", "openrouter:web_fetch"), check_fetch_tools),
    Check(_OF_FETCHES, ("plugins", "web-fetch"), check_fetch_plugins),
)
