"""Suffixes of model ids and service tiers: what they mean together with ``provider``.

==========  =====================  ===================  ==========================================
suffix      sorts by               also admits          is switched off by
==========  =====================  ===================  ==========================================
``:nitro``  throughput             priority endpoints   ``provider.order``
``:floor``  price                  flex endpoints       ``provider.order``
``:exacto`` quality of tool calls  nothing              ``provider.order``, an explicit ``sort``
==========  =====================  ===================  ==========================================

Sources: guides/routing/model-variants/*.mdx, guides/features/service-tiers.mdx (facts 43-50 and 59-64).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset
from orpolicy.language.slugs import SORTING_VARIANTS, STATIC_VARIANTS, TIERS, VARIANTS, read_model

if TYPE_CHECKING:
    from orpolicy.language.source import Path

_TIER_OF = {"fast": "priority", "priority": "priority", "flex": "flex"}
_AGAINST = {"flex": "nitro", "priority": "floor"}
"""Service tier → the suffix that asks for the opposite."""


def check_unknown_variant(preset: Preset) -> Findings:
    """Report a suffix that does not exist: it makes an unknown model."""
    for path, text in preset.named:
        model = read_model(text)
        for variant in dict.fromkeys(model.variants) if model else ():
            if variant not in VARIANTS:
                known = ", ".join(f":{name}" for name in sorted(VARIANTS))
                yield Finding(
                    "unknown-variant", path, f"there is no variant ':{variant}'", f"known variants: {known}"
                )


def check_variant_conflict(preset: Preset) -> Findings:
    """Report two suffixes of one kind: a model is sorted in one way, and listed in one edition."""
    for path, text in preset.named:
        model = read_model(text)
        if model is None or len(model.variants) < 2:
            continue
        for group, purpose in (
            (SORTING_VARIANTS, "sort its providers"),
            (STATIC_VARIANTS, "name an edition of it"),
        ):
            of_group = [f":{variant}" for variant in model.variants if variant in group]
            if len(of_group) > 1:
                message = f"'{text}' has {len(of_group)} suffixes that {purpose}: {', '.join(of_group)}"
                yield Finding("variant-conflict", path, message, "keep one")


def check_variant_against_sort(preset: Preset) -> Findings:
    """Report a suffix that sorts one way where ``provider.sort`` sorts another."""
    provider = preset["provider"]
    if provider.get("order"):
        return
    by, path = _read_sort(provider["sort"])
    for model_path, variant in _sorting_variants(preset):
        wanted = SORTING_VARIANTS[variant]
        if by is None or by == wanted:
            continue
        related = (("the suffix", model_path),)
        if variant == "exacto":
            message = f"sorting by {by} takes the place of ':exacto', which has no effect"
            yield Finding(
                "exacto-without-effect", path, message, "drop the suffix, or the sort", related=related
            )
        else:
            message = f"':{variant}' sorts by {wanted}, and this sorts by {by}"
            hint = f"drop the sort, or the suffix in favour of 'sort: {wanted}'"
            yield Finding("nitro-with-price-sort", path, message, hint, related=related)
        return


def check_variant_without_effect(preset: Preset) -> Findings:
    """Report a suffix that an explicit order switches off, sorting and tier (fact 47)."""
    if not preset["provider"]["order"]:
        return
    for model_path, variant in _sorting_variants(preset):
        message = (
            f"an explicit order switches ':{variant}' off: neither its sorting nor its service tier applies"
        )
        hint = "drop the suffix, and name a tier's endpoint (such as 'openai/priority') in the order if you want it"
        related = (("the suffix", model_path),)
        path = ("provider", "order")
        yield Finding("variant-without-effect", path, message, hint, anchor="key", related=related)
        return


def check_tier_against_variant(preset: Preset) -> Findings:
    """Report the cheap tier with the fast suffix, or the other way round."""
    tier = _TIER_OF.get(preset["service_tier"])
    for model_path, variant in _sorting_variants(preset):
        if tier is not None and _AGAINST[tier] == variant:
            message = f"service tier '{preset['service_tier']}' and ':{variant}' ask for opposite things"
            related = (("the suffix", model_path),)
            yield Finding("tier-conflict", ("service_tier",), message, "keep one of the two", related=related)
            return


def check_tier_against_slugs(preset: Preset) -> Findings:
    """Report one tier in an endpoint's slug and another one as the request's tier."""
    tier = _TIER_OF.get(preset["service_tier"], preset["service_tier"])
    provider = preset.get("provider", {})
    if tier not in {*TIERS, "default"}:
        return
    for key in ("only", "order"):
        for index, slug in enumerate(provider.get(key, ())):
            named = slug.rpartition("/")[2]
            if named in TIERS and named != tier:
                message = f"service tier '{preset['service_tier']}' does not go with the endpoint '{slug}'"
                related = (("the endpoint", ("provider", key, index)),)
                yield Finding(
                    "tier-conflict", ("service_tier",), message, "keep one of the two", related=related
                )
                return


def check_speed_against_tier(preset: Preset) -> Findings:
    """Report two spellings of one wish that differ: both are passed on (fact 64)."""
    speed, tier = preset["speed"], preset.get("service_tier")
    if tier not in {*_TIER_OF, "default"} or (speed == "fast") == (_TIER_OF.get(tier) == "priority"):
        return
    message = f"speed '{speed}' and service tier '{tier}' contradict each other, and both are sent"
    related = (("the service tier", ("service_tier",)),)
    yield Finding("tier-conflict", ("speed",), message, "keep 'service_tier'", related=related)


def _read_sort(sort: object) -> tuple[str | None, Path]:
    if isinstance(sort, dict):
        return sort.get("by"), ("provider", "sort", "by")
    return str(sort), ("provider", "sort")


def _sorting_variants(preset: Preset) -> list[tuple[Path, str]]:
    return [
        (path, variant)
        for path, text in preset.named
        if ":" in text and (model := read_model(text))
        for variant in model.variants
        if variant in SORTING_VARIANTS
    ]


CHECKS = (
    Check("unknown-variant", (), check_unknown_variant, marked=True),
    Check("variant-conflict", (), check_variant_conflict, marked=True),
    Check(
        ("nitro-with-price-sort", "exacto-without-effect"),
        ("provider", "sort"),
        check_variant_against_sort,
        marked=True,
    ),
    Check("variant-without-effect", ("provider", "order"), check_variant_without_effect, marked=True),
    Check("tier-conflict", ("service_tier",), check_tier_against_variant, marked=True),
    Check("tier-conflict", ("service_tier",), check_tier_against_slugs),
    Check("tier-conflict", ("speed",), check_speed_against_tier),
)
