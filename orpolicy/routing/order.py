"""The order in which eligible endpoints are tried.

.. code-block:: text

    most significant first
    flex only            without the others, if ``service_tier: flex`` finds any (fact 61)
    thresholds           who misses one goes to the end, across models (facts 33 to 35)
    model                ``model``, then ``models`` (fact 38); one group where ``partition: none`` (facts 17, 18)
    soft parameters      who supports tools, response_format, verbosity, if any of the model's does (fact 5)
    order                the listed ones, as listed (fact 12)
    priority             the tier before the rest, if ``service_tier: priority`` (fact 60)
    outage               after the healthy ones, where load is balanced (facts 1, 2)
    sort                 price, throughput or latency (facts 14 to 16, 44, 45, 48); else price

Every eligible endpoint has a place. One that would be reached only if others did not exist is a *reserve* and says why:
behind a soft parameter, behind flex, or behind the first where fallbacks are off (fact 13).

The default order is OpenRouter's, not a contract: it changed between versions of its documentation. The share of first
attempts, by the inverse square of the price as documented on 22 August 2026 (facts 1, 2), is an annotation.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from orpolicy.routing.constraints import SOFT_PARAMETERS
from orpolicy.routing.eligibility import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orpolicy.routing.constraints import Constraints
    from orpolicy.routing.offers import Endpoint
    from orpolicy.routing.prices import Prices

SORT_OF_SUFFIX = {"nitro": "throughput", "floor": "price", "exacto": "exacto"}
"""Suffix → sort (facts 44, 45, 48)."""

THOUSAND = 1000


@frozen
class Candidate:
    """An eligible endpoint on its way to a place in the order; ``group`` is the position of its model."""

    model: str
    endpoint: Endpoint
    slug: str
    group: int
    suffixes: tuple[str, ...]
    prices: Prices
    reserve: str | None = None


@frozen
class Preferences:
    """What a body says about order: ``sort`` (explicit), ``partition``, thresholds, and token counts to weigh prices."""

    sort: str | None
    partition: str
    max_latency: Mapping[str, Decimal] = field(factory=dict)
    min_throughput: Mapping[str, Decimal] = field(factory=dict)
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def read_preferences(
    body: Mapping[str, Any], prompt_tokens: int | None = None, completion_tokens: int | None = None
) -> Preferences:
    """Read what a body says about order."""
    provider: Mapping[str, Any] = body.get("provider") or {}
    sort = provider.get("sort")
    by, partition = (sort.get("by"), sort.get("partition")) if isinstance(sort, Mapping) else (sort, None)
    if partition is None and body.get("route") == "sort":  # fact 18
        partition = "none"
    return Preferences(
        sort=by,
        partition=partition or "model",
        max_latency=_cutoffs(provider.get("preferred_max_latency")),
        min_throughput=_cutoffs(provider.get("preferred_min_throughput")),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )


def _cutoffs(value: Any) -> Mapping[str, Decimal]:
    """Read a threshold: a number is about the median (fact 31)."""
    if value is None:
        return {}
    cutoffs = value if isinstance(value, Mapping) else {"p50": value}
    return {percentile: Decimal(str(cutoff)) for percentile, cutoff in cutoffs.items() if cutoff is not None}


@frozen
class Ranking:
    """The candidates in order, their shares, what the order rests on, and what of it is not known.

    ``weights`` are the shares of first attempts, candidate by candidate; there are none where load is not balanced.
    """

    candidates: tuple[Candidate, ...]
    weights: tuple[float, ...]
    basis: str
    notes: tuple[str, ...]


def rank(candidates: Sequence[Candidate], constraints: Constraints, preferences: Preferences) -> Ranking:
    """Put candidates in the order in which they are tried, with reserves and weights."""
    ordered = arrange(candidates, constraints, preferences)
    if not constraints.fallbacks and not constraints.order:
        ordered = _stop_after_first(ordered, preferences)
    basis = _basis(ordered, constraints, preferences)
    weights = _weigh(ordered, preferences) if basis == "default" else ()
    return Ranking(tuple(ordered), weights, basis, tuple(_notes(ordered, basis, preferences)))


def arrange(
    candidates: Sequence[Candidate], constraints: Constraints, preferences: Preferences
) -> list[Candidate]:
    """Put candidates in the order in which they are tried, those behind the others marked."""
    if len(candidates) < 2:
        return list(candidates)
    held = _hold_back(candidates, constraints)
    kinds = {candidate.suffixes for candidate in held}
    groups = {suffixes: _read_group(suffixes, constraints, preferences) for suffixes in kinds}
    key = partial(_sort_key, groups=groups, constraints=constraints, preferences=preferences)
    return sorted(held, key=key)


@frozen
class _Group:
    """What the suffixes of a model decide: what sorts its candidates, and the tiers that it admits."""

    sort: str | None
    metric: Callable[[Endpoint], Decimal] | None
    balanced: bool
    tiers: frozenset[str]


def _read_group(suffixes: tuple[str, ...], constraints: Constraints, preferences: Preferences) -> _Group:
    sort = sort_of(suffixes, constraints, preferences)
    balanced = sort is None and not constraints.order
    return _Group(sort, _METRICS.get(sort or ""), balanced, constraints.tiers_of(suffixes))


def sort_of(suffixes: tuple[str, ...], constraints: Constraints, preferences: Preferences) -> str | None:
    """Name what sorts a model's candidates: an explicit sort beats a suffix, ``order`` beats both (facts 14, 48)."""
    if constraints.order:
        return None
    if preferences.sort:
        return preferences.sort
    of_suffix = [SORT_OF_SUFFIX[suffix] for suffix in suffixes if suffix in SORT_OF_SUFFIX]
    if of_suffix:
        return of_suffix[-1]
    return {"priority": "throughput", "fast": "throughput", "flex": "price"}.get(
        constraints.service_tier or ""
    )


def _sort_key(
    candidate: Candidate,
    groups: Mapping[tuple[str, ...], _Group],
    constraints: Constraints,
    preferences: Preferences,
) -> tuple[Any, ...]:
    endpoint, group = candidate.endpoint, groups[candidate.suffixes]
    apart = preferences.partition == "none" and not constraints.order
    return (
        candidate.reserve == FLEX_ONLY,
        misses_threshold(endpoint, preferences) is True,
        0 if apart else candidate.group,
        candidate.reserve is not None,
        _place_in_order(candidate, constraints, group.tiers) if constraints.order else 0,
        _tier_rank(endpoint, constraints, preferences),
        group.balanced and endpoint.status < 0,
        group.metric(endpoint) if group.metric else 0,
        blended_price(candidate.prices, preferences),
        candidate.group,
        endpoint.tag,
    )


def _median_throughput(endpoint: Endpoint) -> Decimal:
    return -endpoint.throughput.get("p50", Decimal(0)) if endpoint.throughput else Decimal(1)


def _median_latency(endpoint: Endpoint) -> Decimal:
    return endpoint.latency.get("p50", _NEVER) if endpoint.latency else _NEVER


_NEVER = Decimal("Infinity")
_METRICS: dict[str, Callable[[Endpoint], Decimal]] = {
    "throughput": _median_throughput,
    "latency": _median_latency,
}
"""Sort → a number that is smaller for the better endpoint; price, the last resort of every order, is not among them."""


def blended_price(prices: Prices, preferences: Preferences) -> Decimal:
    """Return what sorts by price: the cost of the call where both token counts are known, else prompt plus completion."""
    if preferences.prompt_tokens is None or preferences.completion_tokens is None:
        return prices.per_million_tokens
    return (
        prices.prompt * preferences.prompt_tokens
        + prices.completion * preferences.completion_tokens
        + prices.request
    )


def _place_in_order(candidate: Candidate, constraints: Constraints, tiers: frozenset[str]) -> int:
    covers = candidate.endpoint.tier in tiers
    for place, entry in enumerate(constraints.order):
        if matches(entry.text, candidate.endpoint, candidate.slug, covers_tier=covers):
            return place
    return len(constraints.order)


def _tier_rank(endpoint: Endpoint, constraints: Constraints, preferences: Preferences) -> bool:
    """Put the priority tier first (fact 60), unless an explicit sort ranks the pool."""
    asks = constraints.service_tier in ("priority", "fast", "ultrafast")
    return asks and preferences.sort is None and endpoint.tier not in constraints.tiers_of(())


def misses_threshold(endpoint: Endpoint, preferences: Preferences) -> bool | None:
    """Tell whether an endpoint misses a threshold (facts 31 to 33); ``None`` where its statistics are not known.

    Latency is in seconds in a body and in milliseconds in the catalogue.
    """
    if not preferences.max_latency and not preferences.min_throughput:
        return False
    checks = [
        (endpoint.latency or {}).get(percentile, None if endpoint.latency is None else _NEVER)
        for percentile in preferences.max_latency
    ]
    slow = [
        None if seen is None else seen > cutoff * THOUSAND
        for seen, cutoff in zip(checks, preferences.max_latency.values(), strict=True)
    ]
    for percentile, cutoff in preferences.min_throughput.items():
        seen = None if endpoint.throughput is None else endpoint.throughput.get(percentile, Decimal(0))
        slow.append(None if seen is None else seen < cutoff)
    return True if True in slow else None if None in slow else False


FLEX_ONLY = "service_tier flex uses flex endpoints only, while there is one (fact 61)"
FIRST_ONLY = "allow_fallbacks is false: tried only in place of the one before it (fact 13)"


def _hold_back(candidates: Sequence[Candidate], constraints: Constraints) -> list[Candidate]:
    """Mark the reserves behind flex and behind the soft parameters."""
    flex = constraints.service_tier == "flex" and any(c.endpoint.tier == "flex" for c in candidates)
    soft = [name for name, _ in constraints.parameters if name in SOFT_PARAMETERS]
    if not flex and not soft:
        return list(candidates)
    preferred: dict[int, list[str]] = {}
    for name in soft:
        for group in {c.group for c in candidates if name in c.endpoint.parameters}:
            preferred.setdefault(group, []).append(name)
    held = []
    for candidate in candidates:
        lacking = [
            name for name in preferred.get(candidate.group, ()) if name not in candidate.endpoint.parameters
        ]
        reserve = None
        if flex and candidate.endpoint.tier != "flex":
            reserve = FLEX_ONLY
        elif lacking:
            reserve = f"others support {', '.join(lacking)} and are preferred (fact 5)"
        held.append(evolve(candidate, reserve=reserve) if reserve else candidate)
    return held


def _stop_after_first(ordered: Iterable[Candidate], preferences: Preferences) -> list[Candidate]:
    """Hold back all but the first of every group (fact 13)."""
    seen: set[int] = set()
    stopped = []
    for candidate in ordered:
        group = 0 if preferences.partition == "none" else candidate.group
        first = group not in seen
        seen.add(group)
        stopped.append(candidate if first or candidate.reserve else evolve(candidate, reserve=FIRST_ONLY))
    return stopped


def _basis(ordered: Sequence[Candidate], constraints: Constraints, preferences: Preferences) -> str:
    if constraints.order:
        return "order"
    sort = sort_of(ordered[0].suffixes, constraints, preferences) if ordered else None
    if sort is None and any(name in ("tools", "tool_choice") for name, _ in constraints.parameters):
        return "auto-exacto"  # facts 55, 56
    return sort or "default"


def _weigh(ordered: Sequence[Candidate], preferences: Preferences) -> tuple[float, ...]:
    """Return the share of first attempts inside each group: inverse square of the price among the healthy (fact 1)."""
    drawn = [c for c in ordered if c.endpoint.status >= 0 and (c.reserve in (None, FIRST_ONLY))]
    groups: dict[int, list[tuple[int, Decimal]]] = {}
    for candidate in drawn:
        price = blended_price(candidate.prices, preferences)
        groups.setdefault(candidate.group, []).append((id(candidate), price))
    shares: dict[int, float] = {}
    for members in groups.values():
        free = [key for key, price in members if price == 0]
        raw = dict.fromkeys(free, 1.0) if free else {key: float(1 / price**2) for key, price in members}
        total = sum(raw.values())
        shares |= {key: round(value / total, 4) for key, value in raw.items()}
    return tuple(shares.get(id(c), 0.0) for c in ordered)


def _notes(ordered: Sequence[Candidate], basis: str, preferences: Preferences) -> list[str]:
    """Say what of the order is not known."""
    notes = []
    if basis in ("throughput", "latency") and any(getattr(c.endpoint, basis) is None for c in ordered):
        notes.append(
            f"the catalogue holds no {basis} statistics for some endpoints: their order by {basis} is unknown"
        )
    if basis == "exacto":
        notes.append("the quality signals behind exacto are not public: the order is unknown (fact 48)")
    if basis == "default":
        notes.append(
            "the default order is not a contract; weights follow the inverse square of the price, as documented on "
            "2026-08-22 (facts 1, 2)"
        )
    thresholds = preferences.max_latency or preferences.min_throughput
    if thresholds and any(misses_threshold(c.endpoint, preferences) is None for c in ordered):
        notes.append("the catalogue holds no statistics to compare the performance thresholds with (fact 32)")
    return notes
