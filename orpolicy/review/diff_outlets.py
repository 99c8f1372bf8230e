"""What else may receive what a call says: everything that reaches for the web, by whichever key it comes.

.. code-block:: text

    plugins: [{id: web}], [{id: web-fetch}]      unless switched off
    tools: [{type: openrouter:web_search}]       also those inside other tools and plugins
    plugin or tool 'fusion' without 'tools'      it searches and fetches where nothing is said
    model: …:online, web_search_options          a search by another name (fact 49)

Zero retention and the choice of providers do not reach these (fact 70), so that they are told apart from the endpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orpolicy.language.slugs import WEB_TOOLS, canonical_tool, read_model
from orpolicy.review.changes import Change
from orpolicy.review.classes import OFFERED
from orpolicy.routing.router import requested_models

if TYPE_CHECKING:
    from orpolicy.language.source import Path
    from orpolicy.review.diff_reasons import Pair

WEB_PLUGINS = ("web", "web-fetch")


def compare_outlets(pair: Pair) -> Iterator[Change]:
    """Yield what reaches for the web on one side only."""
    before, after = (dict(_find_outlets(effect.body)) for effect in (pair.old, pair.new))
    for kind, here, there in (("item-removed", before, after), ("item-added", after, before)):
        for name, path in sorted(here.items()):
            if name not in there:
                yield Change(
                    "body",
                    kind,
                    "web access",
                    item=name,
                    way=OFFERED.judge_item(before, after, name),
                    concern=OFFERED.concern,
                    causes=pair.find_edits((path,)),
                )


def _find_outlets(body: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for plugin in body.get("plugins") or ():
        if plugin.get("enabled") is not False:
            if plugin["id"] in WEB_PLUGINS:
                yield f"plugin {plugin['id']}", ("plugins", plugin["id"])
            if plugin["id"] == "fusion" and "tools" not in plugin:
                yield "tools of the plugin fusion", ("plugins", "fusion")
            yield from _find_tools(plugin.get("tools"), ("plugins", plugin["id"]))
    for tool in body.get("tools") or ():
        yield from _find_tools([tool], ("tools", str(tool.get("type"))))
    if body.get("web_search_options") is not None:
        yield "web_search_options", ("web_search_options",)
    for name in requested_models(body):
        model = read_model(name)
        if model is not None and "online" in model.variants:
            yield f"model {name}", ("models",)


def _find_tools(tools: Any, path: Path) -> Iterator[tuple[str, Path]]:
    for tool in tools if isinstance(tools, (list, tuple)) else ():
        kind = str(tool.get("type"))
        if kind in WEB_TOOLS:
            yield f"tool {canonical_tool(kind)}", path
        settings = tool.get("parameters")
        if isinstance(settings, Mapping):
            if kind == "openrouter:fusion" and "tools" not in settings:
                yield "tools of the tool openrouter:fusion", path
            yield from _find_tools(settings.get("tools"), path)
