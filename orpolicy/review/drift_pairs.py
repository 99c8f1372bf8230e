"""Which endpoint of today is which endpoint of the lock, and how it stands with a body.

A tag names an endpoint, but two endpoints of a model may share one: those that are equal belong together, the others by
likeness. Rows that say the same twice count once. What changes by the minute takes no part in it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.review.drift_offers import settle
from orpolicy.routing.prices import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orpolicy.review.effects import Reached
    from orpolicy.routing.offers import Endpoint
    from orpolicy.routing.router import Route


class State(IntEnum):
    """Whether an endpoint may serve a body, from worse to better."""

    EXCLUDED = 0
    UNKNOWN = 1
    ELIGIBLE = 2


@frozen
class Standing:
    """An endpoint, whether it may serve, and the words for why not or what would decide."""

    endpoint: Endpoint
    state: State
    words: tuple[str, ...] = ()

    @property
    def sort_key(self) -> tuple[str, ...]:
        """Order by everything that does not change by the minute."""
        endpoint = self.endpoint
        rates = [f"{kind}={plain(rate)}" for kind, rate in sorted(endpoint.prices.rates.items())]
        limits = map(str, (endpoint.context_length, endpoint.completion_limit, endpoint.max_prompt_tokens))
        return (endpoint.tag, *rates, *limits, endpoint.quantization, str(endpoint.zdr), *sorted(endpoint.parameters))  # fmt: skip


def list_standings(answer: Route | Reached) -> dict[str, tuple[Standing, ...]]:
    """Map models to how each of their endpoints stands; a lock knows only those that may serve, or may perhaps."""
    found: dict[str, list[Standing]] = {}
    for attempt in answer.attempts:
        found.setdefault(attempt.model, []).append(Standing(settle(attempt.endpoint), State.ELIGIBLE))
    for entry in answer.unknown:
        if entry.endpoint is not None:
            standing = Standing(settle(entry.endpoint), State.UNKNOWN, entry.needs)
            found.setdefault(entry.model, []).append(standing)
    for excluded in getattr(answer, "excluded", ()):
        standing = Standing(settle(excluded.endpoint), State.EXCLUDED, excluded.excluded_by)
        found.setdefault(excluded.model, []).append(standing)
    return {model: tuple(_keep_best(standings)) for model, standings in found.items()}


def _keep_best(standings: Iterable[Standing]) -> Iterator[Standing]:
    """Yield each endpoint once, as the suffix that admits most has it."""
    best: list[Standing] = []
    for standing in sorted(standings, key=lambda one: (one.sort_key, -one.state)):
        if not any(standing.endpoint == other.endpoint for other in best):
            best.append(standing)
            yield standing


def pair_standings(
    olds: Iterable[Standing], news: Iterable[Standing]
) -> Iterator[tuple[Standing | None, Standing | None]]:
    """Yield what was with what is; ``None`` for what is gone and for what is new."""
    waiting = list(news)
    unequal = []
    for old in olds:
        equal = next((new for new in waiting if new.endpoint == old.endpoint), None)
        if equal is None:
            unequal.append(old)
        else:
            waiting.remove(equal)
            yield old, equal
    for old in unequal:
        namesakes = [new for new in waiting if new.endpoint.tag == old.endpoint.tag]
        closest = min(namesakes, key=lambda new: _distance(old, new), default=None)
        if closest is not None:
            waiting.remove(closest)
        yield old, closest
    yield from ((None, new) for new in waiting)


_FACTS = (
    "prices",
    "zdr",
    "quantization",
    "context_length",
    "max_completion_tokens",
    "max_prompt_tokens",
    "parameters",
    "served_as",
    "provider",
)


def _distance(old: Standing, new: Standing) -> tuple[int, tuple[str, ...]]:
    """Count the facts in which two endpoints differ; equally distant ones are told apart by their facts."""
    differing = sum(getattr(old.endpoint, fact) != getattr(new.endpoint, fact) for fact in _FACTS)
    return differing, new.sort_key
