"""Names that stand for nothing: models that are not listed, are leaving or gone; providers and patterns alike.

A catalogue that does not list every model denies none, and so do its rules. A model may be private (fact 74): then its
line says ``# orpolicy: ignore[unknown-model]``. Sources: facts 23, 43, 51, 52, 54, 99 and 141.
"""

from __future__ import annotations

import re
from datetime import timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Finding
from orpolicy.language.slugs import PRESET_MARK, is_provider_slug
from orpolicy.routing.lint.view import LISTS, Findings, View, list_names
from orpolicy.routing.mentions import mentioned_models, mentioned_patterns
from orpolicy.routing.resolve import resolve_model, resolve_provider, split_suffixes

if TYPE_CHECKING:
    from datetime import date

    from orpolicy.language.source import Path
    from orpolicy.routing.catalog import Catalog, Model

NOTICE = timedelta(days=366)
"""A model that leaves later than this has a date that means nothing: some carry the year 2098."""

PULL = "if it is new, pull a fresh catalogue: 'orpolicy catalog pull'"


def check_models(view: View) -> Findings:
    """Report models that are not listed, and those that are leaving or should be gone."""
    for path, name in mentioned_models(view.body):
        base = name.partition(PRESET_MARK)[0]
        if not base:
            continue
        found = resolve_model(view.catalog, base)
        if found.exact and found.listed:
            yield from _check_life(view, path, name, found.listed)
        elif view.catalog.complete and view.catalog.models:
            other = _find_spelling(view.catalog, base)
            if other:
                message = f"'{base}' is not listed: OpenRouter may know it as another name of '{other}', or not at all"
                yield Finding("unlisted-alias", path, message, f"write '{other}'")
            else:
                suggestions = (found.written_well,) if found.written_well else found.suggestions
                yield _say_unknown(view.catalog, path, base, suggestions)


def _find_spelling(catalog: Catalog, name: str) -> str | None:
    """Find the model whose id, or dated slug, has the same parts in another order: OpenRouter knows such names (fact 54)."""
    base, suffixes = split_suffixes(name)
    plain, _, variant = base.partition(":")
    parts = _split(plain)
    for model in catalog.models:
        same_variant = (model.variant or "") == variant
        if same_variant and parts in (_split(model.id.partition(":")[0]), _split(model.canonical_slug)):
            return ":".join((model.id, *suffixes))
    return None


@lru_cache(maxsize=4096)
def _split(name: str) -> tuple[str, ...]:
    """Return the parts of a name in a fixed order, its author first, without a date: ``claude-opus-4.6``."""
    author, _, slug = name.casefold().partition("/")
    return (author, *sorted(part for part in re.split(r"[-.]", slug) if not re.fullmatch(r"\d{8}", part)))


def _say_unknown(catalog: Catalog, path: Path, name: str, suggestions: tuple[str, ...]) -> Finding:
    base, _, variant = name.partition(":")
    if variant and base in catalog.by_id:
        variants = [model.id for model in catalog.models if model.id.startswith(f"{base}:")]
        others = f"; there is {list_names(variants)}" if variants else ""
        price = ", which is billed: free variants come and go" if variant == "free" else ""
        return Finding(
            "unknown-model", path, f"'{base}' has no variant ':{variant}'", f"write '{base}'{price}{others}"
        )
    hint = f"did you mean {' or '.join(f'{close!r}' for close in suggestions[:2])}?" if suggestions else PULL
    message = f"OpenRouter lists no model '{name}'{_as_of(catalog)}"
    return Finding("unknown-model", path, message, hint)


def _as_of(catalog: Catalog) -> str:
    return f" (catalogue of {catalog.time:%Y-%m-%d})" if catalog.time else ""


def _check_life(view: View, path: Path, name: str, model: Model) -> Findings:
    today = view.now.date()
    if model.expires is None or model.alias_of or model.expires - today > NOTICE:
        return
    closest = _find_successor(view.catalog, model, today)
    hint = f"move to a model that stays, such as '{closest}'" if closest else "move to another model"
    if model.expires > today:
        days = (model.expires - today).days
        message = f"'{name}' leaves OpenRouter on {model.expires}, in {days} day{'s' if days > 1 else ''}"
        yield Finding("expiring-model", path, message, hint)
    elif model.endpoints != ():  # else nobody serves it, and another rule says so
        message = f"'{name}' was to leave OpenRouter on {model.expires}"
        yield Finding("deprecated-model", path, message, hint)


def _find_successor(catalog: Catalog, model: Model, today: date) -> str | None:
    """Find a model of the same author and variant that is not older, is served, and stays."""
    author = model.id.partition("/")[0] + "/"
    stay = [
        other.id
        for other in catalog.models
        if other.id.startswith(author)
        and other.variant == model.variant
        and other.created >= model.created
        and other.endpoints != ()
        and (other.expires is None or other.expires - today > NOTICE)
    ]
    return next(iter(get_close_matches(model.id, stay, n=1)), None)


def check_providers(view: View) -> Findings:
    """Report slugs that are no provider's (fact 23); what has not even the shape of a slug is reported without us."""
    for key in LISTS:
        for index, slug in enumerate(view.providers.get(key) or ()):
            if is_provider_slug(slug) and view.is_stranger(slug):
                message = f"OpenRouter lists no provider '{slug}'{_as_of(view.catalog)}"
                if key == "ignore":
                    message += ": it excludes nobody"
                hint = suggest_provider(view.catalog, slug, [model for _, model in view.named])
                yield Finding("unknown-provider", ("provider", key, index), message, hint)


def suggest_provider(catalog: Catalog, slug: str, models: list[str]) -> str:
    """Say what to write instead of a slug that is no provider's."""
    base, slash, rest = slug.partition("/")
    found = resolve_provider(catalog, base)
    close = (found.written_well,) if found.written_well else found.suggestions
    if close:
        return f"did you mean '{close[0] + slash + rest}'?"
    served = (resolve_model(catalog, name).model for name in models)
    tags = [endpoint.tag for model in served if model for endpoint in model.endpoints or ()]
    author = any(model.id.startswith(f"{base}/") for model in catalog.models)
    lead = f"'{base}' is an author of models; " if author else ""
    return f"{lead}the model's providers are {list_names(tags)}" if tags else PULL


def check_patterns(view: View) -> Findings:
    """Report patterns of routers that match no listed model (fact 99)."""
    if not (view.catalog.complete and view.catalog.models):
        return
    for path, pattern in mentioned_patterns(view.body):
        known = any(fnmatchcase(model.id, pattern) for model in view.catalog.models)
        if not known and not view.is_reported(path, "bad-model-pattern"):
            close = get_close_matches(pattern, view.catalog.by_id, n=1, cutoff=0.75)
            hint = f"did you mean '{close[0]}'?" if close else "correct it, or remove it"
            yield Finding("pattern-matches-nothing", path, f"'{pattern}' matches no listed model", hint)
