"""What scenarios may expect of a route, each a function from a value and an outcome to failures.

.. code-block:: text

    reachable           somebody may serve it, or nobody may            what follows supposes that somebody may,
    availability        why nobody may                                  unless one of these two says otherwise
    first               attempt 1 is this, and nothing unknown may come before it
    eligible_includes   each entry has an eligible endpoint
    eligible_within     every endpoint that serves, perhaps or for certain, is covered by an entry
    models              the same for models
    never               no endpoint that serves, perhaps or for certain, is covered by an entry
    zdr                 every endpoint that serves, perhaps or for certain, retains nothing
    worst_cost          the bound over all of these, in USD

*Perhaps* counts against whoever promises: what nobody can know offline fails all but what it cannot touch. A model that
OpenRouter would only step over touches none of the promises.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Related
from orpolicy.review.naming import is_either, is_endpoint, is_model
from orpolicy.review.outcomes import (
    Failure,
    Outcome,
    join_names,
    name_attempt,
    name_unknown,
    say_unknown,
    where,
    where_excluded,
    where_models,
)
from orpolicy.routing.prices import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orpolicy.language.source import Path
    from orpolicy.routing.router import Attempt, Unknown


def report_nobody(key: str, outcome: Outcome) -> Iterator[Failure]:
    """Yield that nobody may serve it, with what is to blame."""
    availability = outcome.routed.availability
    if availability is None:
        return
    words = f" ({', '.join(availability.excluded_by)})" if availability.excluded_by else ""
    related = tuple(
        Related("this is to blame", because.location) for because in availability.blame if because.location
    )
    message = f"nobody may serve it: OpenRouter would answer {availability.code}{words}"
    yield Failure((key,), message, related or where_models(outcome))


def _report_somebody(key: str, outcome: Outcome) -> Iterator[Failure]:
    """Yield that somebody may serve it, or perhaps may."""
    route = outcome.routed
    if route.attempts:
        named = join_names([attempt.endpoint.tag for attempt in route.attempts])
        yield Failure((key,), f"{named} may serve it", where_models(outcome))
    elif route.unknown:
        yield Failure((key,), say_unknown(route.unknown, "whether anybody may serve it"))


def _judge_reachable(expected: Any, outcome: Outcome) -> Iterator[Failure]:
    if not expected or not outcome.routed.attempts:
        yield from _report_somebody("reachable", outcome)
    if expected:
        yield from report_nobody("reachable", outcome)


def _judge_availability(expected: str, outcome: Outcome) -> Iterator[Failure]:
    availability = outcome.routed.availability
    if availability is None:
        yield from _report_somebody("availability", outcome)
    elif availability.code != expected:
        yield from report_nobody("availability", outcome)


def _judge_first(expected: str, outcome: Outcome) -> Iterator[Failure]:
    route = outcome.routed
    path: Path = ("first",)
    catalog = route.catalog
    if not route.attempts:
        yield from report_nobody("first", outcome)
    elif not is_either(expected, (first := route.attempts[0]).model, first.endpoint, catalog):
        related = outcome.relate("the order is set here", _order_path(outcome.body))
        message = f"{name_attempt(first)} is tried first, not '{expected}'"
        yield Failure(path, message, related or where(outcome, first.model))
        return
    unclear = [
        entry for entry in route.unknown if not is_either(expected, entry.model, entry.endpoint, catalog)
    ]
    if unclear or (route.unknown and not route.attempts):
        what = f"whether '{expected}' is tried first"
        yield Failure(
            path, say_unknown(unclear or route.unknown, what), where(outcome, route.unknown[0].model)
        )


def _order_path(body: Mapping[str, Any]) -> Path:
    provider = body.get("provider") or {}
    key = next((key for key in ("order", "sort") if provider.get(key)), None)
    return ("provider", key) if key else ("model",) if body.get("model") else ("models", 0)


def _judge_includes(expected: Sequence[str], outcome: Outcome) -> Iterator[Failure]:
    route = outcome.routed
    for index, entry in enumerate(expected):
        if any(is_endpoint(entry, attempt.endpoint, route.catalog) for attempt in route.attempts):
            continue
        path: Path = ("eligible_includes", index)
        perhaps = [
            one
            for one in route.unknown
            if one.endpoint is None or is_endpoint(entry, one.endpoint, route.catalog)
        ]
        excluded = [one for one in route.excluded if is_endpoint(entry, one.endpoint, route.catalog)]
        if perhaps:
            yield Failure(path, say_unknown(perhaps, f"whether '{entry}' may serve it"))
        elif excluded:
            words = ", ".join(dict.fromkeys(word for one in excluded for word in one.excluded_by))
            message = f"'{entry}' may not serve it: {words}"
            yield Failure(path, message, where_excluded(excluded) or where_models(outcome))
        else:
            message = f"'{entry}' serves none of the preset's models"
            yield Failure(path, message, where_models(outcome))


def _judge_within(expected: Sequence[str], outcome: Outcome) -> Iterator[Failure]:
    catalog = outcome.routed.catalog

    def is_astray(one: Attempt | Unknown) -> bool:
        return one.endpoint is None or not any(
            is_endpoint(entry, one.endpoint, catalog) for entry in expected
        )

    yield from _forbid(("eligible_within",), "outside of this list", is_astray, outcome)


def _judge_models(expected: Sequence[str], outcome: Outcome) -> Iterator[Failure]:
    catalog = outcome.routed.catalog

    def is_astray(one: Attempt | Unknown) -> bool:
        elsewhere = one.endpoint is None and not _ELSEWHERE.isdisjoint(getattr(one, "needs", ()))
        return elsewhere or not any(is_model(entry, one.model, catalog) for entry in expected)

    yield from _forbid(("models",), "with a model outside of this list", is_astray, outcome)


_ELSEWHERE = frozenset({"router", "hosted_preset", "account_default_model"})
"""Needs of names that stand for other models."""


def _judge_never(expected: Sequence[str], outcome: Outcome) -> Iterator[Failure]:
    catalog = outcome.routed.catalog
    for index, entry in enumerate(expected):

        def is_named(one: Attempt | Unknown, entry: str = entry) -> bool:
            return one.endpoint is None or is_either(entry, one.model, one.endpoint, catalog)

        yield from _forbid(("never", index), f"although '{entry}' never should", is_named, outcome)


def _judge_zdr(_: Any, outcome: Outcome) -> Iterator[Failure]:
    def may_retain(one: Attempt | Unknown) -> bool:
        return one.endpoint is None or one.endpoint.zdr is not True

    demanded = (outcome.body.get("provider") or {}).get("zdr")
    related = () if demanded else outcome.relate("zero retention is not demanded here", ("provider", "zdr"))
    yield from _forbid(("zdr",), "and is not known to retain nothing", may_retain, outcome, related)


def _forbid(
    path: Path,
    why: str,
    is_forbidden: Callable[[Attempt | Unknown], bool],
    outcome: Outcome,
    related: tuple[Related, ...] = (),
) -> Iterator[Failure]:
    """Yield a failure for whoever is forbidden and may serve, and another for whoever may perhaps."""
    route = outcome.routed
    certain = [attempt for attempt in route.attempts if is_forbidden(attempt)]
    if certain:
        named = join_names([name_attempt(attempt) for attempt in certain])
        yield Failure(path, f"{named} may serve it, {why}", related or where(outcome, certain[0].model))
    perhaps = [entry for entry in route.unknown if entry.needs != ("model",) and is_forbidden(entry)]
    if perhaps:
        places = related or where(outcome, perhaps[0].model)
        yield Failure(
            path, say_unknown(perhaps, f"whether {name_unknown(perhaps)} may serve it, {why}"), places
        )


def _judge_cost(expected: Any, outcome: Outcome) -> Iterator[Failure]:
    bound, route = outcome.bound, outcome.routed
    if bound is None or (route.availability is not None and bound.usd is None):
        return
    limit = Decimal(str(expected))
    keys = ("max_completion_tokens", "max_tokens")
    set_by = next(((key,) for key in keys if outcome.body.get(key) is not None), None)
    if bound.usd is None:
        yield Failure(("worst_cost",), f"nothing bounds what it costs: {bound.reason}", where_models(outcome))
    elif bound.usd > limit:
        fare = bound.fare.model if bound.fare else ""
        related = where(outcome, fare)
        if set_by:
            related += outcome.relate("the length of the answer is set here", set_by)
        yield Failure(("worst_cost",), f"{bound}, more than ${plain(limit)}", related)


PROMISES: Mapping[str, Callable[[Any, Outcome], Iterator[Failure]]] = {
    "reachable": _judge_reachable,
    "availability": _judge_availability,
    "first": _judge_first,
    "models": _judge_models,
    "eligible_within": _judge_within,
    "eligible_includes": _judge_includes,
    "never": _judge_never,
    "zdr": _judge_zdr,
    "worst_cost": _judge_cost,
}
"""Expectations about a route, with what judges them."""
