"""Policies beside the catalogue: what they allow or deny, and nobody offers."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.globs import matches
from orpolicy.routing.resolve import DYNAMIC_SUFFIXES, resolve_provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.language.source import Path
    from orpolicy.routing.catalog import Catalog

_SIDES = ("allow", "deny")


def lint_policy(data: Mapping[str, Any], catalog: Catalog) -> Iterator[Finding]:
    """Yield the patterns and slugs of a policy that match nothing in a complete catalogue; paths lead into the policy."""
    if not (catalog.complete and catalog.models):
        return
    for side in _SIDES:
        for index, glob in enumerate((data.get("models") or {}).get(side, ())):
            if not _names_model(catalog, glob):
                close = get_close_matches(glob, catalog.by_id, n=1, cutoff=0.75)
                yield _say_nothing(("models", side, index), f"'{glob}' matches no listed model", close)
        for index, slug in enumerate((data.get("providers") or {}).get(side, ())):
            if not _names_provider(catalog, slug):
                found = resolve_provider(catalog, slug)
                close = [found.written_well] if found.written_well else list(found.suggestions[:1])
                yield _say_nothing(("providers", side, index), f"'{slug}' is no provider's slug", close)


def _say_nothing(path: Path, what: str, close: list[str]) -> Finding:
    effect = "allows" if path[1] == "allow" else "denies"
    hint = f"did you mean '{close[0]}'?" if close else "correct it, or remove it"
    return Finding("policy-matches-nothing", path, f"{what}: it {effect} nothing", hint)


def _names_model(catalog: Catalog, glob: str) -> bool:
    """Tell whether a pattern matches a listed id, as it is or with a suffix that works on any model (fact 43)."""
    suffixes = ("", *(f":{suffix}" for suffix in DYNAMIC_SUFFIXES)) if ":" in glob else ("",)
    names = (*catalog.by_id, *catalog.by_canonical_slug)
    return any(matches(glob, name + suffix) for suffix in suffixes for name in names)


def _names_provider(catalog: Catalog, slug: str) -> bool:
    """Tell whether a slug names a provider or one of its tags; tags of models that nobody asked about are not known."""
    if resolve_provider(catalog, slug).exact:
        return True
    base, slash, _ = slug.partition("/")
    known = all(model.endpoints is not None for model in catalog.models)
    return bool(slash) and not known and resolve_provider(catalog, base).exact
