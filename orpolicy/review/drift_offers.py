"""What changed between two states of one endpoint, as far as a body cares.

.. code-block:: text

    price-up, price-down                 a rate, for any prompt length at any hour, in USD
    zdr-lost, zdr-gained, zdr-unknown    yes → no, no or not known → yes, yes → not known
    capability-lost, -gained             a parameter that the body uses
    limit-lowered, -raised               context, prompt; completion, where the body may want as much
    quantization-changed
    model-replaced                       the endpoint answers for another model than before

How fast an endpoint is, and whether it is up, changes by the minute and is no drift.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from orpolicy.review.drift_kinds import Change, Kind
from orpolicy.routing.constraints import read_constraints
from orpolicy.routing.prices import MILLION, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.routing.offers import Endpoint
    from orpolicy.routing.prices import Prices

_UNITS = {"request": "USD per request", "image": "USD per image", "web_search": "USD per search"}
_PER_MILLION = "USD per million tokens"

_INSTEAD = {
    "audio": "prompt",
    "image_token": "prompt",
    "input_audio_cache": "prompt",
    "input_cache_read": "prompt",
    "input_cache_write": "prompt",
    "input_cache_write_1h": "prompt",
    "audio_output": "completion",
    "image_output": "completion",
    "internal_reasoning": "completion",
}
"""The rate that holds where an endpoint states none of this kind; all others are zero then."""


@frozen
class Shift:
    """One kind of change, and the values behind it."""

    kind: Kind
    changes: tuple[Change, ...]


@frozen
class Wants:
    """What a body uses of an endpoint: parameters, and the most tokens of an answer (``None``: as many as there are)."""

    parameters: frozenset[str]
    completion: int | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Wants:
        """Read them from a body."""
        constraints = read_constraints(body)
        names = frozenset(name for name, _ in constraints.parameters)
        return cls(names, constraints.completion[0] if constraints.completion else None)


def settle(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint without what changes by the minute."""
    return evolve(endpoint, status=0, latency=None, throughput=None, implicit_caching=False)


def find_shifts(before: Endpoint, after: Endpoint, wants: Wants) -> Iterator[Shift]:
    """Yield what changed between two states of an endpoint, one shift a kind."""
    prices = list(compare_prices(before.prices, after.prices))
    gained = wants.parameters & after.parameters - before.parameters
    lost = wants.parameters & before.parameters - after.parameters
    limits = list(_compare_limits(before, after, wants))
    found = {
        Kind.PRICE_UP: [change for change in prices if _rose(change)],
        Kind.PRICE_DOWN: [change for change in prices if not _rose(change)],
        Kind.CAPABILITY_LOST: [Change(name, "supported", "not supported") for name in sorted(lost)],
        Kind.CAPABILITY_GAINED: [Change(name, "not supported", "supported") for name in sorted(gained)],
        Kind.LIMIT_LOWERED: [change for change in limits if not _rose(change)],
        Kind.LIMIT_RAISED: [change for change in limits if _rose(change)],
        Kind.QUANTIZATION_CHANGED: _compare_texts("quantization", before.quantization, after.quantization),
        Kind.MODEL_REPLACED: _compare_texts("served as", before.served_as, after.served_as),
    }
    zdr = _ZDR.get((before.zdr, after.zdr))
    if zdr is not None:
        found[zdr] = [Change("zero retention", SAID[before.zdr], SAID[after.zdr])]
    return (Shift(kind, tuple(changes)) for kind, changes in found.items() if changes)


_ZDR = {
    (True, False): Kind.ZDR_LOST,
    (True, None): Kind.ZDR_UNKNOWN,
    (False, True): Kind.ZDR_GAINED,
    (None, True): Kind.ZDR_GAINED,
}
"""From one to another; between *no* and *not known* nobody was promised anything."""

SAID = {True: "yes", False: "no", None: "not known"}


def _rose(change: Change) -> bool:
    return (change.after or ZERO) > (change.before or ZERO)  # type: ignore[operator]  # both are numbers here


def _compare_texts(field: str, before: str, after: str) -> list[Change]:
    return [Change(field, before, after)] if before and after and before != after else []


def _compare_limits(before: Endpoint, after: Endpoint, wants: Wants) -> Iterator[Change]:
    """Yield the limits that moved; a completion limit counts only up to what the body can ask for."""
    limits = {
        "context": (before.context_length, after.context_length),
        "prompt": (_prompt_limit(before), _prompt_limit(after)),
        "completion": (before.completion_limit, after.completion_limit),
    }
    told = {name: pair for name, pair in limits.items() if name == "context" or pair != limits["context"]}
    for name, (old, new) in told.items():
        wanted = wants.completion if name == "completion" else None
        if old != new and (wanted is None or min(old, new) < wanted):
            yield Change(name, Decimal(old), Decimal(new), "tokens")


def _prompt_limit(endpoint: Endpoint) -> int:
    limit = endpoint.max_prompt_tokens
    return endpoint.context_length if limit is None else min(limit, endpoint.context_length)


def compare_prices(before: Prices, after: Prices) -> Iterator[Change]:
    """Yield every rate that moved: under default conditions, then for long prompts and hours of the day (UTC).

    Both price lists are asked about every length and hour at which either changes, so that equal prices that are
    written otherwise are no change. A movement that several conditions share is told once.
    """
    told = set()
    kinds = dict.fromkeys(kind for prices in (before, after) for kind in _list_kinds(prices))
    for tokens in _list_lengths(before, after):
        for moment in _list_moments(before, after):
            old, new = before.at(tokens, moment), after.at(tokens, moment)
            for kind in kinds:
                movement = (kind, _rate(old, kind), _rate(new, kind))
                if movement[1] != movement[2] and movement not in told:
                    told.add(movement)
                    unit = _UNITS.get(kind, _PER_MILLION)
                    scale = 1 if kind in _UNITS else MILLION
                    field = kind + _describe_condition(tokens, moment)
                    yield Change(field, movement[1] * scale, movement[2] * scale, unit)


def _list_kinds(prices: Prices) -> Sequence[str]:
    return [*prices.rates, *(kind for override in prices.overrides for kind in override.rates)]


def _rate(prices: Prices, kind: str) -> Decimal:
    return prices.rates.get(kind, prices.rates.get(_INSTEAD.get(kind, ""), ZERO))


def _list_lengths(*prices: Prices) -> list[int]:
    """Name one prompt length of every range in which the same overrides apply."""
    edges = {o.min_prompt_tokens for p in prices for o in p.overrides if o.min_prompt_tokens is not None}
    return [0, *(edge + 1 for edge in sorted(edges))]


def _list_moments(*prices: Prices) -> list[datetime | None]:
    """Name the start of every stretch of the day in which the same windows are open."""
    edges = {
        (edge or 0) % 2400
        for p in prices
        for o in p.overrides
        if o.timed
        for edge in (o.utc_start, o.utc_end)
    }
    return [None, *(datetime(2000, 1, 1, edge // 100, min(edge % 100, 59)) for edge in sorted(edges))]  # noqa: DTZ001 - only hour and minute are read


def _describe_condition(tokens: int, moment: datetime | None) -> str:
    long = f" above {tokens - 1:,} prompt tokens" if tokens else ""
    return long + (f" from {moment:%H:%M} UTC" if moment else "")
