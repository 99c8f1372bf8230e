"""Plugins: each works for some models or requests only, and says nothing elsewhere.

=================  =====================================
plugin             read by
=================  =====================================
auto-router        ``openrouter/auto``
auto-beta-router   ``openrouter/auto-beta``
pareto-router      ``openrouter/pareto-code``
=================  =====================================

Sources: guides/routing/routers/*.mdx, guides/features/plugins/fusion.mdx, the OpenAPI descriptions of the plugins
(facts 98-102).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.language.source import Path

_ROUTER_OF = {"auto-router": "auto", "auto-beta-router": "auto-beta", "pareto-router": "pareto-code"}
_OUTPUT_OF = {"custom_item": "Responses API", "claude_code_compatibility": "Messages API"}
_PLUGIN_OF = {router: plugin for plugin, router in _ROUTER_OF.items()}


def check_routers(preset: Preset, plugin_id: str) -> Findings:
    """Report a router's plugin where its router is not asked (fact 98)."""
    models = preset.models
    if not models or any(model.hosted for model in models):
        return
    named = {model.slug for model in models if model.router}
    for index, plugin in enumerate(preset["plugins"]):
        router = _ROUTER_OF[plugin_id]
        if plugin["id"] != plugin_id or router in named or plugin.get("enabled") is False:
            continue
        path: Path = ("plugins", index, "id")
        other = next((_PLUGIN_OF[name] for name in ("auto", "auto-beta") if name in named), None)
        if other is not None and router.startswith("auto"):
            message = (
                f"'openrouter/{_ROUTER_OF[other]}' reads the settings of '{other}', not of '{plugin['id']}'"
            )
            yield Finding("auto-router-id-mismatch", path, message, f"write 'id: {other}'")
        else:
            message = f"'{plugin['id']}' does nothing: it is read by 'openrouter/{router}' only"
            hint = f"use 'model: openrouter/{router}', or drop the plugin"
            yield Finding("router-plugin-without-router", path, message, hint)


def check_patterns(preset: Preset) -> Findings:
    """Report patterns that match no model, and exclusions that leave none (fact 99)."""
    for index, plugin in enumerate(preset["plugins"]):
        if "allowed_models" not in plugin and "excluded_models" not in plugin:
            continue
        well_formed = True
        for key in ("allowed_models", "excluded_models"):
            for place, pattern in enumerate(plugin.get(key) or ()):
                if "/" not in pattern and not pattern.startswith("*"):
                    well_formed = False
                    message = f"'{pattern}' matches no model: an id has the form 'author/slug'"
                    hint = f"did you mean '{_guess_pattern(pattern)}'?"
                    yield Finding("bad-model-pattern", ("plugins", index, key, place), message, hint)
        if well_formed:
            yield from _check_exclusions(index, plugin)


def _guess_pattern(pattern: str) -> str:
    return f"*/{pattern}" if "*" in pattern or "-" in pattern else f"{pattern}/*"


def _check_exclusions(index: int, plugin: Mapping[str, Any]) -> Findings:
    allowed, excluded = plugin.get("allowed_models") or ("*",), plugin.get("excluded_models") or ()
    covering = [_find_cover(pattern, excluded) for pattern in allowed]
    path: Path = ("plugins", index)
    if None not in covering:
        place = covering[0] or 0
        message = f"nothing is left to choose from: '{excluded[place]}' excludes what is allowed"
        hint = "exclude less, or allow more"
        yield Finding("router-excludes-everything", (*path, "excluded_models", place), message, hint)
        return
    for number, cover in enumerate(covering):
        if cover is not None:
            message = f"'{allowed[number]}' is never chosen: '{excluded[cover]}' excludes it"
            related = (("it is excluded here", (*path, "excluded_models", cover)),)
            place_of_pattern = (*path, "allowed_models", number)
            hint = "remove it from one of the lists"
            yield Finding("allowed-model-excluded", place_of_pattern, message, hint, related=related)


def _find_cover(pattern: str, excluded: Sequence[str]) -> int | None:
    """Find an exclusion that matches all that a pattern matches: its stars take in the pattern's."""
    return next((place for place, broad in enumerate(excluded) if _takes_in(broad, pattern)), None)


def _takes_in(broad: str, narrow: str) -> bool:
    return fnmatchcase(narrow, broad) or (broad == "*/*" and narrow == "*")


def check_pareto(preset: Preset) -> Findings:
    """Report a quality score that a price ceiling takes the place of."""
    for index, plugin in enumerate(preset["plugins"]):
        if plugin["id"] == "pareto-router" and "max_price" in plugin and "min_coding_score" in plugin:
            message = "'min_coding_score' is not used while 'max_price' is set"
            related = (("the price ceiling", ("plugins", index, "max_price")),)
            path = ("plugins", index, "min_coding_score")
            hint = "keep one of the two"
            yield Finding("pareto-score-without-effect", path, message, hint, anchor="key", related=related)


def check_fusion(preset: Preset) -> Findings:
    """Report a curated panel that an explicit one takes the place of (fact 102)."""
    for index, plugin in enumerate(preset["plugins"]):
        if plugin["id"] == "fusion" and "preset" in plugin and "analysis_models" in plugin:
            message = f"'analysis_models' takes the place of the panel of '{plugin['preset']}'"
            related = (("the explicit panel", ("plugins", index, "analysis_models")),)
            path = ("plugins", index, "preset")
            hint = "keep one of the two"
            yield Finding("fusion-preset-overridden", path, message, hint, anchor="key", related=related)


def check_fusion_in_plugins(preset: Preset) -> Findings:
    """Report a panel, set up by the plugin, whose members would call a panel: they cannot."""
    for index, plugin in enumerate(preset["plugins"]):
        yield from _check_panel_tools(("plugins", index, "tools"), plugin.get("tools"))


def check_fusion_in_tools(preset: Preset) -> Findings:
    """Report a panel, set up by the tool, whose members would call a panel: they cannot."""
    for index, tool in enumerate(preset["tools"]):
        if tool["type"] == "openrouter:fusion" and tool.get("parameters"):
            yield from _check_panel_tools(
                ("tools", index, "parameters", "tools"), tool["parameters"].get("tools")
            )


def _check_panel_tools(path: Path, tools: Any) -> Findings:
    for place, tool in enumerate(tools or ()):
        if tool["type"] == "openrouter:fusion":
            message = "the members of a panel cannot start another one: the tool is not passed on"
            yield Finding("nested-fusion", (*path, place, "type"), message, "remove it")


def check_retries(preset: Preset) -> Findings:
    """Report retries of turns that are never withheld."""
    for index, plugin in enumerate(preset["plugins"]):
        if plugin["id"] == "alignment" and "max_retries" in plugin and plugin.get("mode") != "enforce":
            message = "'max_retries' has no effect: in mode 'audit', the default, nothing is withheld and tried again"
            path = ("plugins", index, "max_retries")
            hint = "add 'mode: enforce', or drop it"
            yield Finding("retries-without-enforce", path, message, hint, anchor="key")


def check_armor_output(preset: Preset) -> Findings:
    """Report a form of answer that the chat API does not have."""
    for index, plugin in enumerate(preset["plugins"]):
        api = _OUTPUT_OF.get(plugin.get("output_mode", ""))
        if api is not None:
            message = f"the output mode '{plugin['output_mode']}' belongs to the {api}"
            path = ("plugins", index, "output_mode")
            yield Finding("output-mode-of-another-api", path, message, "write 'text', or drop it")


def check_duplicates(preset: Preset) -> Findings:
    """Report a plugin that is listed twice: it runs once."""
    first: dict[str, int] = {}
    for index, plugin in enumerate(preset["plugins"]):
        if plugin["id"] in first:
            related = (("the first one", ("plugins", first[plugin["id"]], "id")),)
            message = f"plugin '{plugin['id']}' is listed already"
            yield Finding(
                "duplicate-plugin",
                ("plugins", index, "id"),
                message,
                "merge the two entries",
                related=related,
            )
        first.setdefault(plugin["id"], index)


_OF_ROUTERS = ("router-plugin-without-router", "auto-router-id-mismatch")
_OF_PATTERNS = ("bad-model-pattern", "router-excludes-everything", "allowed-model-excluded")

CHECKS = (
    *(
        Check(_OF_ROUTERS, ("plugins", plugin), partial(check_routers, plugin_id=plugin))
        for plugin in _ROUTER_OF
    ),
    Check(_OF_PATTERNS, ("plugins",), check_patterns),
    Check("pareto-score-without-effect", ("plugins", "pareto-router"), check_pareto),
    Check("fusion-preset-overridden", ("plugins", "fusion"), check_fusion),
    Check("nested-fusion", ("plugins", "fusion"), check_fusion_in_plugins),
    Check("nested-fusion", ("tools", "openrouter:fusion"), check_fusion_in_tools),
    Check("retries-without-enforce", ("plugins", "alignment"), check_retries),
    Check("output-mode-of-another-api", ("plugins", "armor"), check_armor_output),
    Check("duplicate-plugin", ("plugins",), check_duplicates),
)
