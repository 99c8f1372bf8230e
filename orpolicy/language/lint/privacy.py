"""Where data may go: settings that promise less than they seem to, or contradict each other.

``zdr`` restricts the endpoints that serve inference and nothing else: no plugin, no tool, not OpenRouter's own response
cache; it adds to the account's settings and never lifts them (facts 66-71). Sources: guides/features/zdr.mdx,
guides/features/response-caching.mdx, guides/routing/provider-selection.mdx, guides/features/sovereign-ai.mdx.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset
from orpolicy.language.slugs import WEB_TOOLS

if TYPE_CHECKING:
    from orpolicy.language.source import Path

_WEB_PLUGINS = ("web", "web-fetch")
_REGION_OF_SUFFIX = re.compile(r"(?:.*/)?(eu|us)(?:rope)?(?:-[a-z0-9-]+)?\Z")


def check_zdr_false(preset: Preset) -> Findings:
    """Report a ``zdr: false``, which lifts nothing (facts 66 and 67)."""
    yield from _check_false(preset, "zdr", "it cannot lift what the account or a guardrail demands")


def check_distillable_false(preset: Preset) -> Findings:
    """Report an ``enforce_distillable_text: false``, which does nothing (fact 29)."""
    yield from _check_false(preset, "enforce_distillable_text", "models are not filtered either way")


def _check_false(preset: Preset, key: str, why: str) -> Findings:
    if preset["provider"][key] is False:
        message = f"'{key}: false' is the same as leaving it out: {why}"
        path = ("provider", key)
        yield Finding(
            "false-without-effect", path, message, "drop it; 'null' removes an inherited value", anchor="key"
        )


def check_collection_allowed(preset: Preset) -> Findings:
    """Report that data collection is allowed where zero retention rules it out."""
    provider = preset["provider"]
    if provider["data_collection"] == "allow" and provider.get("zdr") is True:
        message = "collection is allowed here, but 'zdr: true' admits no endpoint that keeps anything"
        related = (("zero retention is demanded here", ("provider", "zdr")),)
        path = ("provider", "data_collection")
        yield Finding("collection-allowed-under-zdr", path, message, "deny it, or drop it", related=related)


def check_web_under_zdr(preset: Preset) -> Findings:
    """Report web plugins and tools where zero retention is demanded: it does not reach them (fact 70)."""
    if preset["provider"]["zdr"] is not True:
        return
    for index, plugin in enumerate(preset.get("plugins", ())):
        if plugin["id"] in _WEB_PLUGINS and plugin.get("enabled") is not False:
            yield _say_web(("plugins", index, "id"), f"plugin '{plugin['id']}'")
    for index, tool in enumerate(preset.get("tools", ())):
        if tool["type"] in WEB_TOOLS:
            yield _say_web(("tools", index, "type"), f"tool '{tool['type']}'")


def _say_web(path: Path, name: str) -> Finding:
    message = (
        f"'zdr: true' does not reach the {name}: it may be run by others, who may keep what they are sent"
    )
    related = (("zero retention is demanded here", ("provider", "zdr")),)
    hint = "check who runs it, then suppress this rule here, or drop it"
    return Finding("zdr-with-web-plugin", path, message, hint, related=related)


def check_cache_under_zdr(preset: Preset) -> Findings:
    """Report a response cache where zero retention is demanded: only the account's setting turns it off (fact 71)."""
    if preset["cache_enabled"] is True and preset.get("provider", {}).get("zdr") is True:
        message = "OpenRouter's response cache stores answers although 'zdr: true' is set: a request's zdr does not reach it"
        related = (("zero retention is demanded here", ("provider", "zdr")),)
        yield Finding(
            "zdr-with-response-cache",
            ("cache_enabled",),
            message,
            "drop the cache",
            anchor="key",
            related=related,
        )


def check_region(preset: Preset) -> Findings:
    """Report that only endpoints of another region are allowed (fact 73)."""
    only = preset["provider"]["only"]
    region = preset.get("region")
    if not region or not only:
        return
    regions = [
        found[1] if "/" in slug and (found := _REGION_OF_SUFFIX.match(slug)) else None for slug in only
    ]
    if all(found is not None and found != region for found in regions):
        message = f"nothing is left to serve the request: '{only[0]}' is not in the region '{region}'"
        related = (("the region is chosen here", ("region",)),)
        hint = f"allow an endpoint in '{region}', or the provider's base slug"
        yield Finding("region-conflict", ("provider", "only", 0), message, hint, related=related)


CHECKS = (
    Check("false-without-effect", ("provider", "zdr"), check_zdr_false),
    Check("false-without-effect", ("provider", "enforce_distillable_text"), check_distillable_false),
    Check("collection-allowed-under-zdr", ("provider", "data_collection"), check_collection_allowed),
    Check("zdr-with-web-plugin", ("provider", "zdr"), check_web_under_zdr),
    Check("zdr-with-response-cache", ("cache_enabled",), check_cache_under_zdr),
    Check("region-conflict", ("provider", "only"), check_region),
)
