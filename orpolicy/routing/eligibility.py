"""The filter stage: may this endpoint serve this body? Eligible, excluded, or unknown; one endpoint at a time.

.. code-block:: text

    no reason, no need        eligible
    a reason                  excluded, whatever else is unknown
    no reason, but a need     unknown until somebody says what is needed

Reasons are told in OpenRouter's own ``excluded_by`` words (fact 142). A verdict depends on the endpoint and the body
alone, never on the other endpoints: removing one changes no other's verdict, and adding a constraint can only add
reasons and needs. One thing looks like a constraint and is not: a tier slug in ``only`` or ``order`` also *admits* the
tier (facts 59, 62).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from orpolicy.routing.prices import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orpolicy.language.source import Path
    from orpolicy.routing.constraints import Constraints, Entry
    from orpolicy.routing.offers import Endpoint

    Findings = Sequence["Reason | str"]

Word = Literal[
    "geo",
    "data_region",
    "data_policy:zdr",
    "data_policy:training",
    "max_price",
    "context_length",
    "require_parameters",
    "quantization",
    "allowed_providers",
]
"""OpenRouter's vocabulary for why an endpoint was filtered out (fact 142)."""

TIER_NOT_ASKED_FOR: Path = ("service_tier",)
"""The constraint of an endpoint that nobody asked for: it is the absence of a ``service_tier``."""


@frozen
class Reason:
    """Why an endpoint is excluded: the word, the constraint to lift, and the fields that say so.

    ``instead`` are fields that could be dropped together in place of the constraint: the parameters behind
    ``require_parameters``.
    """

    word: Word
    constraint: Path
    because: tuple[Path, ...]
    instead: tuple[Path, ...] = ()


NOT_IN_ORDER = Reason(
    "allowed_providers",
    ("provider", "allow_fallbacks"),
    (("provider", "allow_fallbacks"), ("provider", "order")),
)
"""The reason of an endpoint that an ``order`` without fallbacks leaves out."""


@lru_cache(maxsize=1024)
def _blame(word: Word, constraint: Path) -> Reason:
    """Return the reason whose constraint is the field that says so; it is the same for all endpoints."""
    return Reason(word, constraint, (constraint,))


@frozen
class Verdict:
    """What is known about an endpoint and a body."""

    reasons: tuple[Reason, ...] = ()
    needs: tuple[str, ...] = ()


def judge(
    endpoint: Endpoint, slug: str, constraints: Constraints, tiers: frozenset[str], context_length: int
) -> Verdict:
    """Judge one endpoint.

    Args:
        endpoint: the endpoint.
        slug: its provider's slug, which is not always the first part of its tag.
        constraints: those of the body.
        tiers: the service tiers that the body admits without naming their slugs.
        context_length: that of the model, in tokens, which decides about compression.
    """
    findings: list[Reason | str] = []
    if endpoint.tier is not None:
        findings += _judge_tier(endpoint, slug, constraints, tiers)
    if constraints.only or constraints.ignore or constraints.order:
        findings += _judge_lists(endpoint, slug, constraints, covers_tier=endpoint.tier in tiers)
    if constraints.caps:
        findings += _judge_prices(endpoint, constraints)
    if constraints.completion or constraints.prompt_tokens is not None:
        findings += _judge_lengths(endpoint, constraints, context_length)
    if constraints.quantizations is not None or constraints.zdr or constraints.require_parameters:
        findings += _judge_qualities(endpoint, constraints)
    if not findings:
        return Verdict((), constraints.needs) if constraints.needs else ELIGIBLE
    return _sum_up(findings, constraints.needs)


def _sum_up(findings: Findings, further: tuple[str, ...]) -> Verdict:
    """Part reasons and needs, each of them once; they are few, and comparing them is cheaper than hashing."""
    reasons: list[Reason] = []
    needs: list[str] = []
    for found in findings:
        if isinstance(found, str):
            if found not in needs:
                needs.append(found)
        elif found not in reasons:
            reasons.append(found)
    return Verdict(tuple(reasons), (*needs, *further))


ELIGIBLE = Verdict()


def matches(text: str, endpoint: Endpoint, slug: str, *, covers_tier: bool) -> bool | None:
    """Tell whether an entry of a list of providers means this endpoint; ``None`` where nobody knows.

    A full slug means its endpoint; a base slug every region and variant (fact 21), but a service tier only where it was
    admitted otherwise (fact 22). Whether a display name means anything is told differently by different sources
    (fact 23).
    """
    if text == endpoint.tag:
        return True
    if endpoint.tier and text in _tier_slugs(endpoint, slug):
        return True
    if not endpoint.tier or covers_tier:
        if text in (endpoint.prefix, slug) or (endpoint.tier and text == endpoint.stem):
            return True
        if text.casefold() == endpoint.provider.casefold():
            return None
    return False


def _named_by(
    entries: Iterable[Entry], endpoint: Endpoint, slug: str, *, covers_tier: bool
) -> tuple[list[Path], bool]:
    """Return the paths of the entries that mean this endpoint, and whether another one perhaps does."""
    named, unclear = [], False
    for entry in entries:
        match = matches(entry.text, endpoint, slug, covers_tier=covers_tier)
        if match:
            named.append(entry.path)
        unclear = unclear or match is None
    return named, unclear


def _tier_slugs(endpoint: Endpoint, slug: str) -> set[str]:
    """Name an endpoint's tier in all accepted ways: ``fast`` is ``priority``, and a region may be left out (fact 22)."""
    tiers = {endpoint.tier, "fast"} if endpoint.tier == "priority" else {endpoint.tier}
    return {f"{stem}/{tier}" for stem in (endpoint.stem, endpoint.prefix, slug) for tier in tiers}


def _judge_tier(endpoint: Endpoint, slug: str, constraints: Constraints, tiers: frozenset[str]) -> Findings:
    """Leave out a tier that nobody asked for (facts 22, 59)."""
    if endpoint.tier in tiers:
        return ()
    listed = (*constraints.only, *constraints.order)
    if listed:
        slugs = {endpoint.tag} | _tier_slugs(endpoint, slug)
        if any(entry.text in slugs for entry in listed):  # fact 62
            return ()
    return (_blame("allowed_providers", TIER_NOT_ASKED_FOR),)


def _judge_lists(endpoint: Endpoint, slug: str, constraints: Constraints, *, covers_tier: bool) -> Findings:
    """Apply ``only`` (fact 19), ``ignore`` (fact 20), and ``order`` where it is the end of the list (facts 12, 13)."""
    found: list[Reason | str] = []
    if constraints.only:
        named, unclear = _named_by(constraints.only, endpoint, slug, covers_tier=covers_tier)
        if not named:
            found.append("provider_slug" if unclear else _blame("allowed_providers", ("provider", "only")))
    if constraints.ignore:
        named, unclear = _named_by(
            constraints.ignore, endpoint, slug, covers_tier=False
        )  # never a tier: fact 22
        if named:
            found.append(Reason("allowed_providers", ("provider", "ignore"), tuple(named)))
        elif unclear:
            found.append("provider_slug")
    if constraints.order and not constraints.fallbacks:
        named, unclear = _named_by(constraints.order, endpoint, slug, covers_tier=covers_tier)
        if not named:
            found.append("provider_slug" if unclear else NOT_IN_ORDER)
    return found


def _judge_prices(endpoint: Endpoint, constraints: Constraints) -> Findings:
    """Apply ``max_price`` to the price for this prompt at this time (facts 25, 26)."""
    found: list[Reason | str] = []
    if not endpoint.prices.overrides:
        rates = endpoint.prices.rates
        for cap in constraints.caps:
            if rates.get(cap.kind, ZERO) > cap.most:
                found.append(_blame("max_price", cap.path))  # noqa: PERF401 - seldom more than one
        return found
    possible = endpoint.prices.possible(constraints.prompt_tokens, constraints.when)
    for cap in constraints.caps:
        above = [prices.rates.get(cap.kind, ZERO) > cap.most for prices in possible]
        if all(above):
            found.append(_blame("max_price", cap.path))
        elif any(above):
            found.append("utc_time")
    return found


def _judge_lengths(endpoint: Endpoint, constraints: Constraints, context_length: int) -> Findings:
    """Leave out who cannot answer at the wanted length (fact 4) or cannot read the prompt (facts 96, 142)."""
    prompt, completion = constraints.prompt_tokens, constraints.completion
    too_long: Findings = ()
    if completion and completion[0] > endpoint.completion_limit:
        too_long = (_blame("context_length", completion[1]),)
    if prompt is None:
        return too_long
    room = endpoint.context_length
    if endpoint.max_prompt_tokens is not None:
        room = min(room, endpoint.max_prompt_tokens)
    wanted = completion[0] if completion else 0
    if prompt > room:
        path: Path = ("messages",)
    elif completion and prompt + wanted > endpoint.context_length:
        path = completion[1]
    else:
        return too_long
    if constraints.compresses(context_length):
        return (*too_long, "context_compression")
    return (*too_long, _blame("context_length", path))


def _judge_qualities(endpoint: Endpoint, constraints: Constraints) -> Findings:
    """Apply ``quantizations`` (fact 24), ``zdr`` (facts 66, 72) and ``require_parameters`` (fact 6)."""
    found: list[Reason | str] = []
    if constraints.quantizations is not None and endpoint.quantization not in constraints.quantizations:
        found.append(_blame("quantization", ("provider", "quantizations")))
    if constraints.zdr and endpoint.zdr is not True:
        unknown = endpoint.zdr is None
        found.append("data_policy:zdr" if unknown else _blame("data_policy:zdr", ("provider", "zdr")))
    if constraints.require_parameters and not constraints.parameter_names <= endpoint.parameters:
        missing = [path for name, path in constraints.parameters if name not in endpoint.parameters]
        found.append(_miss_parameters(tuple(dict.fromkeys(missing))))
    return found


@lru_cache(maxsize=1024)
def _miss_parameters(fields: tuple[Path, ...]) -> Reason:
    path: Path = ("provider", "require_parameters")
    return Reason("require_parameters", path, (path, *fields), instead=fields)
