"""The filter for posts on X, at the top level or inside a web search, and lists that exclude each other.

Source: guides/features/plugins/web-search.mdx ("X Search Filters").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset, later_key
from orpolicy.language.lint.slugs import SEARCH_TOOLS, ModelId
from orpolicy.language.source import Path


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


CHECKS = (
    Check(
        ("x-handles-exclusive", "x-dates-reversed", "x-search-filter-without-effect"),
        ("x_search_filter",),
        check_x_filter,
    ),
)
