"""Holding models that somebody else chooses against a policy's lists: routers, aliases, tools that pick their own.

=============================  ========================================================================================
a preset says                  what may serve
=============================  ========================================================================================
``openrouter/auto``            what ``allowed_models`` of its plugin covers, less ``excluded_models``; without the
                               plugin any model (fact 99)
``openrouter/fusion``          the panel and the analyst that its plugin names (fact 102)
another router                 any model
``~author/family-latest``      a model of the author whose id holds the family's words (fact 52)
an advisor without ``model``   any model: the one that asks for advice chooses
=============================  ========================================================================================

A deny list has to be kept by all of these, so that the preset must exclude what is denied. An allow list that names a
router lets it in; where the list names other models besides, the router's choice has to be among them, as far as its
plugin can say so.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orpolicy.language.extras import ROUTER_LISTS, Part, find_models, find_plugins, find_tools
from orpolicy.language.globs import contains, overlap
from orpolicy.language.policy import Statement, select
from orpolicy.language.slugs import STATIC_VARIANTS, ModelId, read_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.language.narrowing import Work
    from orpolicy.language.source import Path

_PLUGIN_OF_ROUTER = {
    "auto": "auto-router",
    "auto-beta": "auto-beta-router",
    "fusion": "fusion",
    "fusion-flash": "fusion",
}

_NAMES_MODELS: Mapping[str, tuple[str, ...]] = {
    "fusion": ("analysis_models", "model"),
    "switchyard-router": ("judge_model",),
    "openrouter:advisor": ("model",),
    "openrouter:fusion": ("analysis_models",),
    "openrouter:image_generation": ("model",),
}
"""Plugins and tools that choose models themselves, unless all of these keys are there (OpenAPI, under their names)."""


def narrow_choices(work: Work) -> None:
    """Refuse what may turn into a model that a policy keeps out."""
    named = find_models(work)
    later = [name for _, name in named if _is_chosen_later(name)]
    if not (later or _brings_choosers(work.data)):
        return
    plugins = {part.kind: part for part in find_plugins(work)}
    for part in plugins.values():
        _judge_patterns(work, part)
    for part in (*plugins.values(), *find_tools(work)):
        _judge_own_choice(work, part)
    for path, name in named:
        model = read_model(name)
        if model is not None and model.router:
            _judge_router(work, path, name, model, plugins)
        if model is not None and model.alias:
            _judge_alias(work, path, name, model)


def _brings_choosers(data: Mapping[str, Any]) -> bool:
    """Tell whether there is a plugin that may choose a model or brings tools, or a tool that is no function."""
    for plugin in data.get("plugins") or ():
        if plugin["id"] in _CHOOSING_PLUGINS or "tools" in plugin:
            return True
    return not {tool["type"] for tool in data.get("tools") or ()} <= {"function"}


_CHOOSING_PLUGINS = ROUTER_LISTS.keys() | _NAMES_MODELS.keys()


@lru_cache(maxsize=4096)
def _is_chosen_later(name: str) -> bool:
    """Tell whether a name leaves the choice of a model to somebody else."""
    model = read_model(name)
    return model is not None and (model.router or model.alias)


def _judge_patterns(work: Work, part: Part) -> None:
    """Hold the patterns among which a router may choose against the lists."""
    excluded = part.settings.get("excluded_models") or ()
    for key in ROUTER_LISTS.get(part.kind, ()):
        for index, pattern in enumerate(part.settings.get(key) or ()):
            path = (*part.path[:-1], key, index)
            for said in _reaching(work, excluded):
                if overlap((said.value, pattern)):
                    message = f"'{pattern}' covers models that a policy forbids ('{said.value}')"
                    work.report(path, message, [said], f"add '{said.value}' to 'excluded_models'")
                    break
            for said in select(work.policy, "models.allow"):
                if not any(contains(glob, pattern) for glob in said.value):
                    allowed = ", ".join(sorted(said.value))
                    work.report(path, f"'{pattern}' covers more than the policy's models ({allowed})", [said])
                    break


def _judge_router(work: Work, path: Path, name: str, model: ModelId, plugins: Mapping[str, Part]) -> None:
    """Refuse a router whose choice the lists do not bound."""
    kind = _PLUGIN_OF_ROUTER.get(model.slug)
    plugin = None if kind is None else plugins.get(kind)
    settings: Mapping[str, Any] = {} if plugin is None else plugin.settings
    if settings.get("allowed_models") or (plugin is not None and kind == "fusion"):
        return  # what they list is judged where it is listed
    for said in _reaching(work, settings.get("excluded_models") or ()):
        message = f"the router '{name}' may choose a model that a policy forbids ('{said.value}')"
        excluding = f"add '{said.value}' to 'excluded_models' of the plugin '{kind}'"
        work.report(path, message, [said], excluding if kind in ROUTER_LISTS else _NAME_IT)
        return
    for said in select(work.policy, "models.allow") if kind is not None else ():
        others = [glob for glob in sorted(said.value) if not _concerns_routers(glob)]
        if others and not any(contains(glob, "*") for glob in others):
            message = (
                f"the router '{name}' may choose any model, and a policy lists them ({', '.join(others)})"
            )
            work.report(path, message, [said], f"list models in the plugin '{kind}'")
            return


_NAME_IT = "name the model itself"


def _reaching(work: Work, excluded: Any) -> Iterator[Statement]:
    """Yield what denies models that a router may choose, unless these are excluded."""
    for said in select(work.policy, "models.deny"):
        if not _concerns_routers(said.value) and not any(contains(glob, said.value) for glob in excluded):
            yield said


def _concerns_routers(glob: str) -> bool:
    """Tell whether a pattern covers routers only; no router chooses a router."""
    return glob.startswith("openrouter/")


def _judge_own_choice(work: Work, part: Part) -> None:
    """Refuse a plugin or a tool that chooses a model itself where a policy says which there may be."""
    missing = [key for key in _NAMES_MODELS.get(part.kind, ()) if not part.settings.get(key)]
    if not missing:
        return
    limiting = [said for said in select(work.policy, "models.deny") if not _concerns_routers(said.value)]
    limiting += [
        said
        for said in select(work.policy, "models.allow")
        if not any(contains(glob, "*") for glob in said.value)
    ]
    if limiting:
        message = f"{part.shown} chooses a model itself, and a policy limits models"
        work.report(part.path, message, limiting, "say which: " + ", ".join(missing))


def _judge_alias(work: Work, path: Path, name: str, model: ModelId) -> None:
    """Refuse an alias that may turn into a model that is denied."""
    for said in select(work.policy, "models.deny"):
        if _may_become(said.value, model):
            message = f"the alias '{name}' may turn into a model that a policy forbids ('{said.value}')"
            work.report(path, message, [said], _NAME_IT)
            return


def _may_become(glob: str, alias: ModelId) -> bool:
    """Tell whether a pattern covers a model that an alias may stand for some day.

    What an alias stands for holds all words of its family: ``~openai/gpt-mini-latest`` is some ``gpt-…-mini``. A pattern
    that leaves out such a word and names another one (``gpt-*-nano``) is about another family.
    """
    if ":" in glob and not STATIC_VARIANTS & set(alias.variants):
        return False
    if not overlap((glob, f"{alias.author}/*")):
        return False
    family = set(re.split(r"[-._]", alias.slug)) - {"latest"}
    slug = glob.partition(":")[0].rpartition("/")[2]
    words = {word for word in re.split(r"[-._]", slug) if "*" not in word}
    named = {word for word in words if not word.isdigit()}
    return family <= words or ("*" in slug and not named - family)
