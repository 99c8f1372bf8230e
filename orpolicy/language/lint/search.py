"""Web search: engines and what each of them makes of the settings.

=============  ===================================  ====================  ========================
engine         modes                                both domain lists     ignores
=============  ===================================  ====================  ========================
``exa``        instant … deep-reasoning             yes                   user_location
``parallel``   turbo, fast, basic, advanced         no                    user_location
``firecrawl``  none                                 no                    sizes, user_location
``perplexity`` none                                 the allowed list wins user_location
``native``     none                                 by provider           sizes, max_results
=============  ===================================  ====================  ========================

Without an engine the provider's own search is used where it has one, else Exa; Google's takes no domains. The deprecated
plugin says ``include_domains`` and ``exclude_domains`` where the tool says ``allowed_domains`` and ``excluded_domains``.
Sources: guides/features/server-tools/web-search.mdx, guides/features/plugins/web-search.mdx (fact 107).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset
from orpolicy.language.lint.filters import check_handles, check_overlap, say_exclusive
from orpolicy.language.slugs import SEARCH_TOOLS, ModelId

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.language.source import Path

_EXA_MODES = ("instant", "fast", "auto", "deep-lite", "deep", "deep-reasoning")
_PARALLEL_MODES = ("turbo", "fast", "basic", "advanced")
_MODES: dict[str | None, tuple[str, ...]] = {
    "exa": _EXA_MODES,
    "parallel": _PARALLEL_MODES,
    "auto": _EXA_MODES,
    None: _EXA_MODES,
}
_IGNORES: dict[str | None, tuple[str, ...]] = {
    "native": ("max_results", "search_context_size", "max_characters"),
    "firecrawl": ("search_context_size", "max_characters", "user_location"),
    "exa": ("user_location",),
    "parallel": ("user_location",),
    "perplexity": ("user_location",),
}
_ONE_LIST_ONLY = ("firecrawl", "parallel")
_ONE_LIST_NATIVELY = ("anthropic", "x-ai")
_NATIVE_O_SERIES = ("o3", "o3-pro", "o4-mini")
MOST_PERPLEXITY_RESULTS = 20
MOST_XAI_DOMAINS = 5


@frozen
class Search:
    """The settings of one web search, where they stand, and what its two domain lists are called."""

    path: Path
    settings: Mapping[str, Any]
    allowed: str = "allowed_domains"
    excluded: str = "excluded_domains"

    @property
    def engine(self) -> str | None:
        """The engine that is asked for, if one is."""
        engine: str | None = self.settings.get("engine")
        return engine

    @property
    def native(self) -> bool:
        """Whether the provider's own search is insisted on."""
        return self.engine == "native"

    @property
    def unsettled(self) -> bool:
        """Whether the engine depends on the model."""
        return self.engine in (None, "auto")


def _searches_of_tools(preset: Preset) -> Iterator[Search]:
    for index, tool in enumerate(preset["tools"]):
        if tool["type"] in SEARCH_TOOLS:
            if tool.get("parameters"):
                yield Search(("tools", index, "parameters"), tool["parameters"])
            if tool["type"] != "openrouter:web_search":
                yield Search(("tools", index), tool)


def _searches_of_plugins(preset: Preset) -> Iterator[Search]:
    for index, plugin in enumerate(preset["plugins"]):
        if plugin["id"] == "web" and plugin.get("enabled") is not False:
            yield Search(("plugins", index), plugin, "include_domains", "exclude_domains")


def check_tools(preset: Preset) -> Findings:
    """Report settings of the web search tool that its engine does not honour."""
    for search in _searches_of_tools(preset):
        yield from _check_search(search, preset.models)


def check_plugins(preset: Preset) -> Findings:
    """Report settings of the deprecated web plugin that its engine does not honour."""
    for search in _searches_of_plugins(preset):
        yield from _check_search(search, preset.models)


def _check_search(search: Search, models: Sequence[ModelId]) -> Findings:
    yield from _check_mode(search)
    yield from _check_ignored_settings(search, models)
    yield from _check_results(search)
    yield from _check_domains(search, models)
    yield from _check_native(search, models)
    yield from _check_posts(search, models)


def _check_mode(search: Search) -> Findings:
    mode, modes = search.settings.get("mode"), _MODES.get(search.engine, ())
    if mode is not None and mode not in modes:
        engine = f"engine '{search.engine}'" if search.engine else "the default engine"
        message = f"{engine} knows no mode '{mode}', which is ignored"
        hint = f"its modes: {', '.join(modes)}" if modes else "drop it: the engine has no modes"
        yield Finding("search-mode-ignored", (*search.path, "mode"), message, hint)


def _check_ignored_settings(search: Search, models: Sequence[ModelId]) -> Findings:
    engine, settings = _settle_engine(search, models), search.settings
    ignored = _IGNORES.get(engine, ())
    if engine == "native" and not any(model.author == "anthropic" or model.router for model in models):
        ignored = (*ignored, "max_uses")
    for key in ignored:
        if key in settings:
            message = f"engine '{engine}' ignores '{key}'"
            hint = "drop it, or change the engine"
            yield Finding("search-setting-ignored", (*search.path, key), message, hint, anchor="key")
    if "max_characters" in settings and "search_context_size" in settings and "max_characters" not in ignored:
        message = "'search_context_size' is ignored while 'max_characters' is set"
        related = (("the number of characters", (*search.path, "max_characters")),)
        path = (*search.path, "search_context_size")
        hint = "keep one of the two"
        yield Finding("search-setting-ignored", path, message, hint, anchor="key", related=related)


def _settle_engine(search: Search, models: Sequence[ModelId]) -> str | None:
    """Return the engine that will be used: where no model searches by itself, Exa; where one may, it is open."""
    if not (search.native or search.unsettled):
        return search.engine
    if models and not any(_has_native_search(model) or model.router or model.alias for model in models):
        return "exa"
    return "native" if search.native and any(map(_has_native_search, models)) else None


def _check_results(search: Search) -> Findings:
    if search.engine == "perplexity" and search.settings.get("max_results", 0) > MOST_PERPLEXITY_RESULTS:
        message = f"Perplexity returns {MOST_PERPLEXITY_RESULTS} results at most: the number is clamped"
        path = (*search.path, "max_results")
        yield Finding("search-results-clamped", path, message, f"write {MOST_PERPLEXITY_RESULTS}")


def _check_domains(search: Search, models: Sequence[ModelId]) -> Findings:
    lists = [key for key in (search.allowed, search.excluded) if search.settings.get(key)]
    if not lists:
        return
    natively = [
        model for model in models if _has_native_search(model) and (search.native or search.unsettled)
    ]
    authors = {model.author for model in natively}
    if search.native and "google" in authors:
        message = "Google's own search takes no domains: the request is answered with 400"
        hint = "use engine 'exa', or leave the engine open"
        yield Finding("google-search-with-domains", (*search.path, lists[0]), message, hint, anchor="key")
    elif len(lists) == 2:
        yield from _check_both_lists(search, authors)
    elif lists == [search.excluded] and authors == {"openai"}:
        yield _say_excluded_ignored(search, "OpenAI's own search ignores it", ())
    if "x-ai" in authors:
        for key in lists:
            if len(search.settings[key]) > MOST_XAI_DOMAINS:
                message = f"SpaceXAI's own search takes {MOST_XAI_DOMAINS} domains at most"
                yield Finding(
                    "too-many-domains", (*search.path, key, MOST_XAI_DOMAINS), message, "remove some"
                )


def _check_both_lists(search: Search, authors: set[str]) -> Findings:
    related = (("the other list", (*search.path, search.allowed)),)
    one_only = sorted(authors.intersection(_ONE_LIST_NATIVELY))
    if search.engine in _ONE_LIST_ONLY or (search.native and one_only):
        message = f"engine '{search.engine}' takes '{search.allowed}' or '{search.excluded}', not both"
        lists = (search.allowed, search.excluded)
        yield say_exclusive("domain-lists-exclusive", search.path, search.settings, lists, message)
    elif search.engine == "perplexity":
        yield _say_excluded_ignored(search, f"with engine 'perplexity' '{search.allowed}' wins", related)
    elif one_only:
        yield _say_excluded_ignored(
            search, f"the own search of {one_only[0]}'s models takes one list only", related
        )
    elif authors == {"openai"}:
        yield _say_excluded_ignored(search, "OpenAI's own search ignores it", related)
    else:
        yield from check_overlap(search.path, search.settings, search.allowed, search.excluded)


def _say_excluded_ignored(search: Search, why: str, related: tuple[tuple[str, Path], ...]) -> Finding:
    message = f"'{search.excluded}' is not honoured: {why}"
    path = (*search.path, search.excluded)
    return Finding("domain-filter-ignored", path, message, "use engine 'exa'", anchor="key", related=related)


def _check_native(search: Search, models: Sequence[ModelId]) -> Findings:
    if search.native and _settle_engine(search, models) == "exa":
        message = f"{models[0].author}/{models[0].slug} has no search of its own"
        path = (*search.path, "engine")
        yield Finding("native-search-unsupported", path, message, "use engine 'exa', or drop it")


def _check_posts(search: Search, models: Sequence[ModelId]) -> Findings:
    if "x_search" not in search.settings:
        return
    path = (*search.path, "x_search")
    yield from check_handles(path, search.settings["x_search"])
    natively = search.native or search.unsettled
    if models and not (natively and any(model.author == "x-ai" or model.router for model in models)):
        message = "X is searched by the own search of SpaceXAI's models only"
        yield Finding("x-search-filter-without-effect", path, message, "drop it", anchor="key")


def _has_native_search(model: ModelId) -> bool:
    """Tell whether a model's provider is documented to search by itself."""
    if model.author == "openai":
        return (
            model.alias or (model.gpt is not None and model.gpt >= (4, 1)) or model.slug in _NATIVE_O_SERIES
        )
    if model.author == "anthropic":
        return model.alias or (model.claude is not None and model.claude[1] >= (3, 5))
    if model.author == "google":
        return model.alias or model.slug.startswith("gemini-3")
    return model.author in {"perplexity", "x-ai"}


_OF_SEARCHES = (
    "search-mode-ignored",
    "search-setting-ignored",
    "search-results-clamped",
    "google-search-with-domains",
    "domain-lists-exclusive",
    "domain-filter-ignored",
    "too-many-domains",
    "native-search-unsupported",
    "x-handles-exclusive",
    "x-dates-reversed",
    "x-search-filter-without-effect",
    "domain-allowed-and-excluded",
)

CHECKS = (
    Check(_OF_SEARCHES, ("tools", "openrouter:web_search"), check_tools),
    Check(_OF_SEARCHES, ("plugins", "web"), check_plugins),
)
