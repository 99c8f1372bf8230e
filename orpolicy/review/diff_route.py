"""What a changed request, or a changed catalogue, comes to: who may serve now, in which order, at what price.

Where one side has no catalogue, only the models that are asked for are compared; nobody knows their endpoints. A lock pins
no order of attempts (their ``basis`` is empty then), so that order is compared only where both sides know theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from orpolicy.review.changes import Cause, Change, Side
from orpolicy.review.classes import PRICE, REACH, SERVED, Concern, Way
from orpolicy.review.diff_causes import join_causes
from orpolicy.review.diff_reasons import Pair, compare_prices
from orpolicy.routing.prices import plain
from orpolicy.routing.router import requested_models

if TYPE_CHECKING:
    from orpolicy.review.effects import Effect, Reached
    from orpolicy.routing.cost import Bound

Place: TypeAlias = tuple[str, str | None]
"""A model and the tag of an endpoint, ``None`` for whichever serves it."""

Reasons: TypeAlias = Mapping[Place, tuple[Cause, ...]]
"""Why each endpoint came or went."""

_COSTLY = (
    *(("max_tokens",), ("max_completion_tokens",), ("web_search_options",)),
    *(("modalities",), ("cache_control",), ("prompt_cache_options",)),
)
"""Fields that bear on the worst case besides those that choose who may serve."""

_WHOLE_PART = 2
"""The length of a path that leads to a tool or plugin as a whole."""


def compare_routes(pair: Pair) -> Iterator[Change]:
    """Yield what changed about who serves and what it costs."""
    old, new = pair.old.reached, pair.new.reached
    for name, before, after in pair.find_aliases():
        causes = pair.explain_aliases()
        yield Change("route", "alias", name, before, after, concern=Concern.ROUTE, causes=causes)
    if old is not None and new is not None:
        yield from _compare_availability(pair, old, new)
    reasons = dict(_explain_all(pair))
    yield from _compare_reach(pair, reasons)
    if old is not None and new is not None:
        yield from _compare_order(pair, old, new)
        yield from _compare_costs(pair, old, new, reasons)


def _compare_availability(pair: Pair, old: Reached, new: Reached) -> Iterator[Change]:
    before, after = old.availability, new.availability
    if (before is None) == (after is None):
        return
    codes = (before.code if before else None, after.code if after else None)
    words = tuple(
        f"excluded by {', '.join(side.excluded_by)}" if side and side.excluded_by else None
        for side in (before, after)
    )
    blame = [because for side in (after, before) if side for because in side.blame]
    found = pair.find_edits(because.path for because in blame) or pair.find_edits()
    yield Change(
        "route",
        "availability",
        "availability",
        *codes,
        way=SERVED.judge(*codes),
        concern=Concern.ROUTE,
        notes=(words[0], words[1]),
        causes=found or (() if pair.same_catalog else (Cause("catalogue"),)),
    )


def _read_states(effect: Effect, *, models_only: bool) -> dict[Place, str]:
    if effect.reached is None or models_only:
        return dict.fromkeys(((name, None) for name in requested_models(effect.body) or ("",)), "unknown")
    states: dict[Place, str] = {}
    for unknown in effect.reached.unknown:
        states[unknown.model, unknown.endpoint.tag if unknown.endpoint else None] = "unknown"
    for attempt in effect.reached.attempts:
        states[attempt.model, attempt.endpoint.tag] = "eligible"
    return states


def _read_both(pair: Pair) -> Iterator[tuple[Place, str, str]]:
    blind = pair.old.reached is None or pair.new.reached is None
    before, after = (_read_states(effect, models_only=blind) for effect in (pair.old, pair.new))
    for place in sorted({*before, *after}, key=str):
        states = before.get(place, "excluded"), after.get(place, "excluded")
        if states[0] != states[1]:
            yield place, *states


def _explain_all(pair: Pair) -> Iterator[tuple[Place, tuple[Cause, ...]]]:
    for place, before, after in _read_both(pair):
        side: Side = "old" if REACH.judge(before, after) is Way.LOOSENED else "new"
        yield place, pair.explain_absence(*place, side)


def _compare_reach(pair: Pair, reasons: Reasons) -> Iterator[Change]:
    """Yield one change for all endpoints of a model that came or went together, for the same reason."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    needs = tuple(_read_needs(effect) for effect in (pair.old, pair.new))
    for place, before, after in _read_both(pair):
        notes = needs[0].get(place), needs[1].get(place)
        group = groups.setdefault((place[0], before, after, notes, reasons[place]), [])
        group += [] if place[1] is None else [place[1]]
    for (model, before, after, notes, causes), tags in groups.items():
        way = REACH.judge(before, after)
        yield Change("route", "reach", model, before, after, tags or None, way, Concern.ROUTE, notes, causes)


def _read_needs(effect: Effect) -> dict[Place, str]:
    """Map what nobody knows offline to what would have to be known."""
    unknown = () if effect.reached is None else effect.reached.unknown
    return {
        (one.model, one.endpoint.tag if one.endpoint else None): f"needs {', '.join(one.needs)}"
        for one in unknown
    }


def _compare_order(pair: Pair, old: Reached, new: Reached) -> Iterator[Change]:
    """Yield that another one is asked first, and that those who stay change places."""
    if not (old.basis and new.basis and old.attempts and new.attempts):
        return
    before, after = (
        list(dict.fromkeys(f"{attempt.model} at {attempt.endpoint.tag}" for attempt in side.attempts))
        for side in (old, new)
    )
    kept = [name for name in before if name in after], [name for name in after if name in before]
    causes = pair.find_edits() or (() if pair.same_catalog else (Cause("catalogue"),))
    if before[0] != after[0]:
        yield Change("route", "first", "first", before[0], after[0], concern=Concern.ROUTE, causes=causes)
    if kept[0] != kept[1] and (kept[0][1:] != kept[1][1:] or before[0] == after[0]):
        yield Change("route", "order", "order", kept[0], kept[1], concern=Concern.ROUTE, causes=causes)


def _compare_costs(pair: Pair, old: Reached, new: Reached, reasons: Reasons) -> Iterator[Change]:
    if old.availability is None and new.availability is None and old.worst.usd != new.worst.usd:
        was, now = (None if side.worst.usd is None else plain(side.worst.usd) for side in (old, new))
        yield Change(
            "cost",
            "worst",
            "worst case",
            was,
            now,
            way=PRICE.judge(was, now),
            concern=Concern.COST,
            notes=(_say_bound(old.worst), _say_bound(new.worst)),
            causes=_explain_worst(pair, old.worst, new.worst, reasons),
        )
    if pair.same_catalog:
        return
    before = {(attempt.model, attempt.endpoint.tag): attempt.endpoint for attempt in old.attempts}
    after = {(attempt.model, attempt.endpoint.tag): attempt.endpoint for attempt in new.attempts}
    for place in sorted(before.keys() & after.keys()):
        for kind, first, then in compare_prices(before[place], after[place]):
            yield Change(
                "cost",
                "price",
                " at ".join(place),
                plain(first),
                plain(then),
                kind,
                PRICE.judge(first, then),
                Concern.COST,
                causes=(Cause("catalogue"),),
            )


def _say_bound(bound: Bound) -> str | None:
    if bound.usd is None or bound.fare is None:
        return bound.reason
    tokens = f"{bound.prompt_tokens:,} + {bound.completion_tokens:,} tokens"
    return f"{tokens} at {bound.fare.model} {bound.fare.tag}"


def _explain_worst(pair: Pair, old: Bound, new: Bound, reasons: Reasons) -> tuple[Cause, ...]:
    """Name what moved the worst case: who came or went, then fields that bear on it, then prices."""
    fares = [bound.fare for bound in (old, new) if bound.fare is not None]
    moved = join_causes(cause for fare in fares for cause in reasons.get((fare.model, fare.tag), ()))
    return (
        join_causes((*moved, *_find_limits(pair, old, new)))
        or join_causes(cause for fare in fares for cause in pair.explain_facts(fare.model, fare.tag))
        or pair.find_edits()
        or (Cause("catalogue"),)
    )


def _find_limits(pair: Pair, old: Bound, new: Bound) -> tuple[Cause, ...]:
    """Name the edits that bear on the worst case: limits, and tools and plugins that came, went or were switched."""
    same_tokens = (old.prompt_tokens, old.completion_tokens) == (new.prompt_tokens, new.completion_tokens)
    same_place = old.fare is not None and new.fare is not None and old.fare.tag == new.fare.tag
    if same_tokens and same_place and not pair.same_catalog:
        return ()
    parts = [edit.path for edit, _ in pair.edits if edit.path[0] in ("tools", "plugins")]
    switched = [path for path in parts if len(path) == _WHOLE_PART or path[-1] == "enabled"]
    return pair.find_edits((*_COSTLY, *switched))
