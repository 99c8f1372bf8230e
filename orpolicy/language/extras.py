"""What a preset brings besides the models it names: plugins that run, tools that are offered, models that these call.

.. code-block:: text

    a preset says                       and thereby brings
    plugins: [{id: web}]                the plugin 'web', unless 'enabled: false'
    transforms: [middle-out]            the plugin 'context-compression' (fact 96)
    model: …:online                     the plugin 'web' (fact 49), also for a model inside a tool
    openrouter:fusion without 'tools'   web search and web fetch, inside (OpenAPI, FusionPlugin)
    openrouter:advisor without 'model'  any model: the calling model chooses (OpenAPI, AdvisorServerToolConfig)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.language.slugs import SEARCH_TOOLS, read_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.language.narrowing import Work
    from orpolicy.language.source import Path

ROUTER_LISTS: Mapping[str, tuple[str, ...]] = {
    "auto-router": ("allowed_models",),
    "auto-beta-router": ("allowed_models",),
    "jev-router": ("models", "allowed_models"),
}
"""Plugins that set up a router, and where they list the patterns of the models that it may choose (fact 99)."""

FUSION_TOOLS = ("openrouter:web_search", "openrouter:web_fetch")
"""What the models of a panel may use where nothing is said."""

_MODEL_KEYS = frozenset(("model", "models", "analysis_models", "judge_model"))
_COLLECTIONS = (dict, list)


@frozen
class Part:
    """A plugin that runs, or a tool that is offered: its kind, the place of that word, and its settings.

    ``names`` are those that a policy may call it by, ``inside`` tells that it comes with something else.
    """

    kind: str
    path: Path
    settings: Mapping[str, Any]
    names: tuple[str, ...]
    inside: str | None = None

    @property
    def shown(self) -> str:
        """How messages call it."""
        return f"'{self.names[0]}'" if self.inside is None else f"'{self.names[0]}' (inside {self.inside})"


def find_plugins(work: Work) -> Iterator[Part]:
    """Find the plugins that run: those listed and not switched off, and those that other settings stand for."""
    yield from _find_listed_plugins(work)
    if work.get(("transforms",)):
        yield Part("context-compression", ("transforms",), {}, ("context-compression",))
    for path, name in find_models(work):
        model = read_model(name)
        if model is not None and "online" in model.variants:
            yield Part("web", path, {}, ("web",))


def _find_listed_plugins(work: Work) -> Iterator[Part]:
    for index, plugin in enumerate(work.get(("plugins",)) or ()):
        if plugin.get("enabled") is not False:
            yield Part(plugin["id"], ("plugins", index, "id"), plugin, (plugin["id"],))


def find_tools(work: Work) -> Iterator[Part]:
    """Find the tools that are offered, to the model and to those that plugins and other tools call."""
    yield from _walk_tools(work.get(("tools",)) or [], ("tools",), None)
    fused = False
    for plugin in _find_listed_plugins(work):
        place = (*plugin.path[:-1], "tools")
        yield from _walk_tools(plugin.settings.get("tools", []), place, f"'{plugin.kind}'")
        if plugin.kind == "fusion":
            fused = True
            yield from _find_fusion_tools(plugin.settings, plugin.path)
    if not fused:
        for path, name in work.named_models:
            model = read_model(name)
            if model is not None and model.router and model.slug.startswith("fusion"):
                yield from _find_fusion_tools({}, path)


def _walk_tools(tools: Any, path: Path, inside: str | None) -> Iterator[Part]:
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        place, kind = (*path, index), tool["type"]
        if kind == "function":
            name = tool["function"]["name"]
            yield Part(kind, (*place, "function", "name"), {}, (f"function:{name}",), inside)
            continue
        settings = tool.get("parameters") or {}
        yield Part(kind, (*place, "type"), settings, _name_tool(kind), inside)
        yield from _walk_tools(settings.get("tools", []), (*place, "parameters", "tools"), f"'{kind}'")
        if kind == "openrouter:fusion":
            yield from _find_fusion_tools(settings, (*place, "type"))


def _find_fusion_tools(settings: Mapping[str, Any], path: Path) -> Iterator[Part]:
    if settings.get("tools") is None:
        for kind in FUSION_TOOLS:
            yield Part(kind, path, {}, _name_tool(kind), "'fusion', which does not list its 'tools'")


def _name_tool(kind: str) -> tuple[str, ...]:
    """Name a tool as it is written and in the other spellings of the same."""
    return (kind, *sorted(SEARCH_TOOLS - {kind})) if kind in SEARCH_TOOLS else (kind,)


def find_models(work: Work) -> tuple[tuple[Path, str], ...]:
    """Find all models with their paths: those to try, and those that plugins and server tools are told to call.

    Patterns of routers are none.
    """
    if work.models is None:
        found = list(work.named_models)
        for key in ("plugins", "tools"):
            if key in work.data:
                _collect_models(work.data[key], (key,), found)
        work.models = tuple(found)
    return work.models


def _collect_models(value: Any, path: Path, found: list[tuple[Path, str]]) -> None:
    """Walk the settings of plugins and tools; a function's own parameters and a router's patterns name no model."""
    if type(value) is list:
        for index, item in enumerate(value):
            if type(item) in _COLLECTIONS:
                _collect_models(item, (*path, index), found)
        return
    skipped = ("function", *ROUTER_LISTS.get(str(value.get("id")), ()))
    for key, item in value.items():
        if key in skipped:
            continue
        if key in _MODEL_KEYS:
            found.extend(_texts(item, (*path, key)))
        elif type(item) in _COLLECTIONS:
            _collect_models(item, (*path, key), found)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        yield from (((*path, index), item) for index, item in enumerate(value) if isinstance(item, str))
