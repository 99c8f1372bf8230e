"""What a written name stands for: a model, an alias, a variant, a provider or a tag; and what was meant on a miss.

.. code-block:: text

    anthropic/claude-sonnet-4.5             a model's id
    anthropic/claude-4.5-sonnet-20250929    its dated slug
    ~anthropic/claude-sonnet-latest         an alias, followed to its target (fact 52)
    openai/gpt-5-mini:free                  a static variant is a model of its own (fact 43)
    openai/gpt-5-mini:free:online           dynamic suffixes are taken off from the right (facts 43, 49)
    Anthropic: Claude Sonnet 4.5            a display name: understood, but not what OpenRouter takes
    google-vertex                           a provider's slug, or the first part of a tag
    google-vertex/us-east5                  a tag
    Google                                  a provider's display name (fact 23)

Models and providers are two name spaces: ``openai/flex`` is a tag and ``openai/gpt-5`` a model.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.routing.catalog import Catalog, Model, Provider

DYNAMIC_SUFFIXES = frozenset({"nitro", "floor", "exacto", "online"})
"""Suffixes that work on any model (fact 43)."""

MOST_NAMES = 4096
"""As many names are remembered with what they stand for; presets repeat a few, and clients may ask for any."""

Kind = Literal["model", "provider"]


@frozen
class Resolution:
    """What a name stands for.

    ``exact`` says that OpenRouter takes this spelling; otherwise ``written_well`` is the spelling it takes. ``model`` is
    the model that serves (an alias's target), ``listed`` the entry of the catalogue that was named, ``suffixes`` the
    dynamic suffixes. ``provider`` and ``tag`` are set for providers and their tags. ``suggestions`` is non-empty only on
    a miss.
    """

    name: str
    exact: bool = False
    written_well: str | None = None
    model: Model | None = None
    listed: Model | None = None
    suffixes: tuple[str, ...] = ()
    provider: Provider | None = None
    tag: str | None = None
    suggestions: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the name stands for anything."""
        return self.listed is not None or self.provider is not None or self.tag is not None


def resolve(catalog: Catalog, name: str, kind: Kind = "model") -> Resolution:
    """Find out what a name stands for, among models or among providers and their tags."""
    return resolve_model(catalog, name) if kind == "model" else resolve_provider(catalog, name)


def split_suffixes(name: str) -> tuple[str, tuple[str, ...]]:
    """Take the dynamic suffixes off a model's name: ``x:free:nitro`` becomes ``x:free`` and ``("nitro",)``."""
    suffixes: list[str] = []
    while True:
        rest, colon, last = name.rpartition(":")
        if not colon or last not in DYNAMIC_SUFFIXES:
            return name, tuple(reversed(suffixes))
        name = rest
        suffixes.append(last)


def resolve_model(catalog: Catalog, name: str) -> Resolution:
    """Find the model that a name stands for."""
    known = catalog.memory
    resolution: Resolution | None = known.get(name)
    if resolution is None:
        if len(known) >= MOST_NAMES:
            known.clear()
        resolution = known[name] = _resolve_model(catalog, name)
    return resolution


def _resolve_model(catalog: Catalog, name: str) -> Resolution:
    base, suffixes = split_suffixes(name)
    listed = catalog.by_id.get(base) or catalog.by_canonical_slug.get(base)
    if listed:
        target = catalog.by_id.get(listed.alias_of) if listed.alias_of else listed
        return Resolution(name, exact=True, written_well=name, model=target, listed=listed, suffixes=suffixes)
    folded = base.casefold().strip()
    for model in catalog.models:
        if folded in (model.id.casefold(), model.name.casefold()):
            target = catalog.by_id.get(model.alias_of) if model.alias_of else model
            right = ":".join((model.id, *suffixes))
            return Resolution(name, written_well=right, model=target, listed=model, suffixes=suffixes)
    return Resolution(name, suffixes=suffixes, suggestions=_closest_model(base, catalog))


def resolve_provider(catalog: Catalog, name: str) -> Resolution:
    """Find the provider or the tag that an entry of ``order``, ``only`` or ``ignore`` stands for."""
    provider = catalog.by_slug.get(name)
    if provider or name in catalog.prefixes:
        return Resolution(
            name, exact=True, written_well=name, provider=provider, tag=None if provider else name
        )
    if name in catalog.tags:
        provider = catalog.by_slug.get(name.partition("/")[0])
        return Resolution(name, exact=True, written_well=name, provider=provider, tag=name)
    folded = name.casefold().strip()
    for candidate in catalog.providers:
        if folded in (candidate.name.casefold(), candidate.slug):
            return Resolution(name, written_well=candidate.slug, provider=candidate)
    known = [*catalog.by_slug, *catalog.tags]
    close = _closest(folded, known)
    names = {provider.name.casefold(): provider.slug for provider in catalog.providers}
    return Resolution(name, suggestions=close or tuple(names[found] for found in _closest(folded, names)))


def _closest_model(name: str, catalog: Catalog) -> tuple[str, ...]:
    """Suggest models: the one without a variant, the same name at another author, then the closest spellings."""
    plain_name = name.partition(":")[0]
    if plain_name != name and plain_name in catalog.by_id:
        return (plain_name,)
    if "/" not in name:
        elsewhere = tuple(model.id for model in catalog.models if model.id.partition("/")[2] == name)
        if elsewhere:
            return elsewhere
    return _closest(name.casefold(), catalog.by_id)


def _closest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    return tuple(get_close_matches(name, list(known), n=3, cutoff=0.75))
