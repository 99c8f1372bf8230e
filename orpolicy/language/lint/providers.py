"""Which providers are asked: ``order``, ``only`` and ``ignore``, and what they leave of each other.

A base slug matches all of a provider's endpoints except those of a service tier (facts 21 and 22); ``order`` and ``ignore``
work on what ``only`` leaves. Sources: guides/routing/provider-selection.mdx, facts 12-24.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset, later_key
from orpolicy.language.slugs import covers, is_provider_slug, meant_provider, overlap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LISTS = ("order", "only", "ignore")


def check_sort_without_effect(preset: Preset) -> Findings:
    """Report a sort that an order takes the place of (fact 14)."""
    provider = preset["provider"]
    if provider["order"] and "sort" in provider:
        message = "'sort' is ignored while 'order' is set"
        related = (("the order is set here", ("provider", "order")),)
        hint = "drop one of the two"
        yield Finding(
            "sort-without-effect", ("provider", "sort"), message, hint, anchor="key", related=related
        )


def check_order_outside_only(preset: Preset) -> Findings:
    """Report what is to be tried and not allowed (fact 19)."""
    provider = preset["provider"]
    only = provider.get("only")
    if not only or not _all_slugs(only):
        return
    for index, slug in enumerate(provider["order"]):
        if is_provider_slug(slug) and not any(overlap(slug, allowed) for allowed in only):
            message = f"'{slug}' can never be tried: 'only' does not allow it"
            related = (("the providers that are allowed", ("provider", "only")),)
            hint = f"add '{slug}' to 'only', or remove it here"
            yield Finding("order-outside-only", ("provider", "order", index), message, hint, related=related)


def check_order_ignored(preset: Preset) -> Findings:
    """Report what is to be tried and excluded."""
    provider = preset["provider"]
    order = provider["order"]
    for index, slug in enumerate(order):
        for place, ignored in enumerate(provider.get("ignore", ())):
            if covers(ignored, slug) and is_provider_slug(slug) and slug not in order[:index]:
                message = f"'{slug}' can never be tried: 'ignore' excludes it"
                places = {"order": index, "ignore": place}
                yield _say_clash("order-ignored", preset, message, places)
                break


def check_only_ignored(preset: Preset) -> Findings:
    """Report what is allowed and excluded at once; where that is everything, nothing can be served."""
    provider = preset["provider"]
    only, ignore = provider["only"], provider.get("ignore")
    if not ignore:
        return
    clashes = [
        {"only": index, "ignore": place}
        for index, allowed in enumerate(only)
        for place in [next((place for place, ignored in enumerate(ignore) if covers(ignored, allowed)), None)]
        if place is not None
    ]
    if not clashes:
        return
    slug = only[clashes[0]["only"]]
    if len(clashes) == len(only):
        message = f"nothing is left to serve the request: 'ignore' excludes all that 'only' allows ('{slug}')"
        yield _say_clash("only-all-ignored", preset, message, clashes[0])
    else:
        message = f"'{slug}' is allowed by 'only' and excluded by 'ignore': it is excluded"
        yield _say_clash("only-ignored", preset, message, clashes[0])


def _say_clash(code: str, preset: Preset, message: str, places: Mapping[str, int]) -> Finding:
    """Point at the item, of two that exclude each other, whose list is written later."""
    one, other = places
    later = later_key(preset["provider"], one, other)
    earlier = other if later == one else one
    related = (("the other one", ("provider", earlier, places[earlier])),)
    path = ("provider", later, places[later])
    return Finding(code, path, message, "remove it from one of the lists", related=related)


def check_ignore_without_effect(preset: Preset) -> Findings:
    """Report exclusions of what is not allowed anyway."""
    provider = preset["provider"]
    only, ignore = provider.get("only"), provider["ignore"]
    if not only or not ignore or not _all_slugs((*only, *ignore)):
        return
    if not any(overlap(ignored, allowed) for ignored in ignore for allowed in only):
        message = f"'ignore' has no effect: 'only' does not allow '{ignore[0]}' anyway"
        related = (("the providers that are allowed", ("provider", "only")),)
        path = ("provider", "ignore", 0)
        yield Finding("ignore-without-effect", path, message, "drop 'ignore'", related=related)


def check_redundant_provider(preset: Preset, key: str) -> Findings:
    """Report a slug that another one covers."""
    slugs = preset["provider"][key]
    if len(slugs) < 2 or ("/" not in "".join(slugs) and len(set(slugs)) == len(slugs)):
        return
    for index, slug in enumerate(slugs):
        for earlier, other in enumerate(slugs[:index] if key == "order" else slugs):
            if earlier != index and covers(other, slug) and (other != slug or earlier < index):
                yield _say_redundant(key, index, slug, earlier, other)
                break


def _say_redundant(key: str, index: int, slug: str, earlier: int, other: str) -> Finding:
    related = (("covered by this one", ("provider", key, earlier)),)
    path = ("provider", key, index)
    if slug == other:
        return Finding(
            "redundant-provider", path, f"'{slug}' is listed twice", "remove it here", related=related
        )
    message = f"'{slug}' adds nothing: '{other}' covers it"
    hint = f"put '{slug}' first, or drop it" if key == "order" else "keep the one you mean"
    return Finding("redundant-provider", path, message, hint, related=related)


def check_display_name(preset: Preset, key: str) -> Findings:
    """Report a name that is no slug and may match nothing (fact 23)."""
    for index, name in enumerate(preset["provider"][key]):
        if not is_provider_slug(name):
            message = f"'{name}' is not a provider slug"
            hint = f"did you mean '{meant_provider(name)}'?"
            yield Finding("provider-display-name", ("provider", key, index), message, hint)


def check_ignored_display_name(preset: Preset) -> Findings:
    """Report the same among exclusions, where it silently excludes nobody."""
    for index, name in enumerate(preset["provider"]["ignore"]):
        if not is_provider_slug(name):
            message = f"'{name}' is not a provider slug: it would exclude nobody"
            hint = f"did you mean '{meant_provider(name)}'?"
            yield Finding("ignored-display-name", ("provider", "ignore", index), message, hint)


def check_nothing_ordered(preset: Preset) -> Findings:
    """Report an empty order without fallbacks."""
    provider = preset["provider"]
    if provider["order"] == [] and provider.get("allow_fallbacks") is False:
        message = "no provider is listed, and others are not allowed: nothing is left to serve the request"
        related = (("others are not allowed", ("provider", "allow_fallbacks")),)
        yield Finding(
            "nothing-allowed", ("provider", "order"), message, "name at least one provider", related=related
        )


def check_nothing_allowed(preset: Preset, key: str, what: str) -> Findings:
    """Report an empty list: it allows nothing or, read otherwise, everything; neither can be meant."""
    if preset["provider"][key] == []:
        message = f"'{key}' allows nothing"
        hint = f"name at least one {what}, or drop the key; 'null' removes an inherited list"
        yield Finding("nothing-allowed", ("provider", key), message, hint)


def check_single_point(preset: Preset) -> Findings:
    """Report a single provider without any fallback; a pinned endpoint or a seed says that it is meant."""
    provider = preset["provider"]
    slugs: Sequence[str] = provider.get("order") or provider.get("only") or ()
    if provider["allow_fallbacks"] or len(slugs) != 1 or "/" in slugs[0] or "seed" in preset:
        return
    models = preset.models
    if len(models) > 1 or any(model.router for model in models):
        return
    message = (
        f"only '{slugs[0]}' may serve this preset: while it is down or limits your rate, every call fails"
    )
    hint = "allow fallbacks, list a second provider, or list another model under 'models'"
    path = ("provider", "allow_fallbacks")
    yield Finding("no-fallback-single-point", path, message, hint, anchor="key")


def check_partition(preset: Preset) -> Findings:
    """Report ranking across models where there is one (fact 17); routers stand for several."""
    sort = preset["provider"]["sort"]
    if isinstance(sort, str) or sort.get("partition") != "none":
        return
    models = preset.models
    if len(models) == 1 and not models[0].router and not models[0].hosted:
        message = "'partition: none' ranks the endpoints of several models together, and there is only one"
        path = ("provider", "sort", "partition")
        yield Finding("partition-without-models", path, message, "list more models, or drop it", anchor="key")


def check_options(preset: Preset) -> Findings:
    """Report settings for single providers, which other APIs take (facts 11 and 30)."""
    if preset["provider"]["options"]:
        message = (
            "'options' belongs to requests for images, speech, transcription and video; chat may refuse it"
        )
        yield Finding("options-of-another-api", ("provider", "options"), message, "drop it", anchor="key")


def _all_slugs(names: Sequence[str]) -> bool:
    return all(map(is_provider_slug, names))


CHECKS = (
    Check("sort-without-effect", ("provider", "order"), check_sort_without_effect),
    Check("order-outside-only", ("provider", "order"), check_order_outside_only),
    Check("order-ignored", ("provider", "order"), check_order_ignored),
    Check(("only-all-ignored", "only-ignored"), ("provider", "only"), check_only_ignored),
    Check("ignore-without-effect", ("provider", "ignore"), check_ignore_without_effect),
    *(
        Check("redundant-provider", ("provider", key), partial(check_redundant_provider, key=key))
        for key in _LISTS
    ),
    *(
        Check("provider-display-name", ("provider", key), partial(check_display_name, key=key))
        for key in ("order", "only")
    ),
    Check("ignored-display-name", ("provider", "ignore"), check_ignored_display_name),
    Check("nothing-allowed", ("provider", "order"), check_nothing_ordered),
    *(
        Check("nothing-allowed", ("provider", key), partial(check_nothing_allowed, key=key, what=what))
        for key, what in (("only", "provider"), ("quantizations", "quantisation"))
    ),
    Check("no-fallback-single-point", ("provider", "allow_fallbacks"), check_single_point),
    Check("options-of-another-api", ("provider", "options"), check_options),
    Check("partition-without-models", ("provider", "sort"), check_partition),
)
