"""What scenarios mean by a name: an endpoint, all of a provider's, a model's, or what fits a pattern.

.. code-block:: text

    azure            every endpoint of Azure: its regions, variants and service tiers
    azure/eu         this endpoint, and what is below it (azure/eu/priority)
    azure/*          what is written like this, but not azure itself
    openai/gpt-5     the model, wherever it is served

Unlike in ``provider.only``, a slug covers service tiers too: who says "never Azure" means all of it.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from attrs import define, field

from orpolicy.language.diagnostics import Finding
from orpolicy.language.globs import matches
from orpolicy.routing.resolve import resolve_model, resolve_provider, split_suffixes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.language.source import Path
    from orpolicy.language.suites import Scenario
    from orpolicy.routing.catalog import Catalog, Endpoint, Model


def is_endpoint(entry: str, endpoint: Endpoint, catalog: Catalog) -> bool:
    """Tell whether an entry means an endpoint."""
    slug = catalog.provider_slug(endpoint)
    if "*" in entry:
        return matches(entry, endpoint.tag) or matches(entry, slug)
    return entry in (endpoint.prefix, slug) or f"{endpoint.tag}/".startswith(f"{entry}/")


def is_model(entry: str, model: str, catalog: Catalog) -> bool:
    """Tell whether an entry means a model; an alias means its target."""
    if "*" in entry:
        return matches(entry, model)
    listed = _find_model(entry, catalog)
    return entry == model or (listed is not None and model in (listed.id, listed.alias_of))


def _find_model(entry: str, catalog: Catalog) -> Model | None:
    base = split_suffixes(entry)[0]
    return catalog.by_id.get(base) or catalog.by_canonical_slug.get(base)


def is_either(entry: str, model: str, endpoint: Endpoint | None, catalog: Catalog) -> bool:
    """Tell whether an entry means a model or the endpoint that serves it."""
    return is_model(entry, model, catalog) or (endpoint is not None and is_endpoint(entry, endpoint, catalog))


def names_endpoint(entry: str, catalog: Catalog) -> bool:
    """Tell whether an entry means anything among the catalogue's providers and endpoints."""
    if "*" in entry:
        return any(matches(entry, known) for known in (*catalog.by_slug, *catalog.tags))
    return entry in catalog.by_slug or any(is_endpoint(entry, one, catalog) for one in catalog.endpoints)


def names_model(entry: str, catalog: Catalog) -> bool:
    """Tell whether an entry means anything among the catalogue's models."""
    if "*" in entry:
        return any(matches(entry, model.id) for model in catalog.models)
    return _find_model(entry, catalog) is not None


def names_either(entry: str, catalog: Catalog) -> bool:
    """Tell whether an entry means anything in the catalogue."""
    return names_endpoint(entry, catalog) or names_model(entry, catalog)


_KNOWN = {
    # key → what its entries have to be among, and how that is called
    "eligible_within": (names_endpoint, "provider and no endpoint"),
    "eligible_includes": (names_endpoint, "provider and no endpoint"),
    "models": (names_model, "model"),
    "never": (names_either, "provider, no endpoint and no model"),
    "first": (names_either, "provider, no endpoint and no model"),
    "down": (names_endpoint, "provider and no endpoint"),
}


MOST_SUGGESTIONS = 200
"""Names for which others are looked up that are written like them: a file full of strangers must not keep us busy."""


@define
class Lexicon:
    """A catalogue that is asked about names, about each once."""

    catalog: Catalog
    _hints: dict[tuple[str, str], str | None] = field(factory=dict, init=False)

    def find_strangers(self, scenario: Scenario) -> Iterator[Finding]:
        """Yield names that mean nothing in the catalogue: what is said of them would hold for ever, or never."""
        named = {key: scenario.expect.get(key, ()) for key in _KNOWN} | {"down": scenario.down}
        for key, expected in named.items():
            path: Path = (*scenario.path, key) if key == "down" else (*scenario.path, "expect", key)
            entries = (
                {(): expected} if isinstance(expected, str) else {(n,): e for n, e in enumerate(expected)}
            )
            for place, entry in entries.items():
                hint = self._look_up(key, entry)
                if hint is not None:
                    message = f"the catalogue lists no {_KNOWN[key][1]} '{entry}'"
                    yield Finding("scenario-unknown-name", (*path, *place), message, hint or None)

    def _look_up(self, key: str, entry: str) -> str | None:
        """Return what helps with a name that means nothing, which may be an empty text; ``None`` for one that does."""
        if (key, entry) not in self._hints:
            busy = len(self._hints) > MOST_SUGGESTIONS
            known = _KNOWN[key][0](entry, self.catalog)
            self._hints[key, entry] = None if known else "" if busy else _suggest(entry, key, self.catalog)
        return self._hints[key, entry]


def _suggest(entry: str, key: str, catalog: Catalog) -> str:
    """Say what may have been meant by a name that the catalogue does not list."""
    if key not in ("models", "never", "first") and names_model(entry, catalog):
        return "that is a model; name it under 'models'"
    if key == "models" and names_endpoint(entry, catalog):
        return "that is a provider; name it under 'eligible_within'"
    close = None if "*" in entry else next(iter(_find_close(entry, key, catalog)), None)
    if close:
        return f"did you mean '{close}'?"
    return (
        "'orpolicy catalog show' lists what there is"
        if catalog.complete
        else "'orpolicy catalog pull --all' asks for every model"
    )


def _find_close(entry: str, key: str, catalog: Catalog) -> Sequence[str]:
    """Return names that are written like an entry, the closest first."""
    found: list[str] = []
    if key != "models":
        provider = resolve_provider(catalog, entry)
        found.extend((provider.written_well,) if provider.written_well else provider.suggestions)
    if key in ("models", "never", "first"):
        model = resolve_model(catalog, entry)
        found.extend((model.written_well,) if model.written_well else model.suggestions)
    return get_close_matches(entry, found, n=1, cutoff=0)
