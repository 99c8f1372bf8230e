"""Which way a change goes: tightened, loosened, or neither, read off one table.

====================================================  =========  ==================================================
what changes                                          concern    is looser
====================================================  =========  ==================================================
``provider.zdr``                                      privacy    without ``true``
``provider.data_collection``                          privacy    without ``deny``
``provider.only``, the region; a policy's ``allow``   privacy    with more in it, and loosest where it is not set
``provider.ignore``; a policy's ``deny``              privacy    with less in it
what sends data to the web                            privacy    with more of it
OpenRouter's response cache                           privacy    switched on: it keeps answers (fact 71)
``provider.max_price``, ``max_cost``, token limits    cost       the higher it is, and loosest where it is not set
conditions that stop server tools                     cost       with fewer of them
the worst case of a call, prices                      cost       the higher it is, and loosest where it is unknown
``provider.quantizations``, a policy's models         route      as ``only`` and ``ignore``
``provider.require_parameters``                       route      without ``true``
``provider.enforce_distillable_text``                 route      without ``true``
``provider.allow_fallbacks``                          route      without ``false``
``provider.order``                                    route      as ``only``, where nothing falls back from it
who may serve                                         route      the more may
models, order, sort                                   route      neither way: who may serve tells
everything else                                       other      neither way
====================================================  =========  ==================================================

A row measures how loose a value is, or whether a list admits an item, and a change is judged by comparing two measures.
So a change and its reverse are judged as mirrors of each other, whatever the rows say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from orpolicy.language.globs import contains
from orpolicy.language.policy import QUANTIZATIONS, SWITCHES
from orpolicy.language.slugs import covers, denies

if TYPE_CHECKING:
    from orpolicy.language.source import Path


class Way(StrEnum):
    """Which way a change goes."""

    TIGHTENED = "tightened"
    NEUTRAL = "neutral"
    LOOSENED = "loosened"


class Concern(StrEnum):
    """Whom a change concerns, the gravest first."""

    PRIVACY = "privacy"
    COST = "cost"
    ROUTE = "route"
    OTHER = "other"


def compare(old: Any, new: Any) -> Way:
    """Judge a change by how loose both sides are; what compares as more is looser."""
    if old == new:
        return Way.NEUTRAL
    return Way.LOOSENED if new > old else Way.TIGHTENED


Measure: TypeAlias = Callable[[Any], Any]
"""How loose a value is; ``None`` stands for one that is not set."""

Admits: TypeAlias = Callable[[Any, Any], bool]
"""Whether a list, or none, lets an item in."""


def _indifferent(_: Any) -> int:
    return 0


def _overlook(_: Any, __: Any) -> bool:
    return True


@frozen
class Row:
    """How changes of one field are judged: as a whole, and item by item where it is a list."""

    concern: Concern
    measure: Measure = _indifferent
    admits: Admits = _overlook

    def judge(self, old: Any, new: Any) -> Way:
        """Judge a value that took another's place."""
        return compare(self.measure(old), self.measure(new))

    def judge_item(self, old: Any, new: Any, item: Any) -> Way:
        """Judge what became of an item that only one of two lists holds."""
        return compare(self.admits(old, item), self.admits(new, item))


def _unless(demanded: Any) -> Measure:
    """Measure a switch that demands something in one position only."""
    return lambda value: value != demanded


def measure_ceiling(value: Any) -> Decimal:
    """Measure a ceiling: none is the highest."""
    return Decimal("Infinity") if value is None else Decimal(str(value))


def _is_missing(value: Any) -> bool:
    """Measure a list that restricts something: no list is the loosest."""
    return value is None


def _allowing(inside: Callable[[Any, Any], bool]) -> Admits:
    return lambda allowed, item: allowed is None or any(inside(broad, item) for broad in allowed)


def _denying(inside: Callable[[Any, Any], bool]) -> Admits:
    return lambda denied, item: not any(inside(broad, item) for broad in denied or ())


def _equals(one: Any, other: Any) -> bool:
    return bool(one == other)


def _covers_format(broad: str, narrow: str) -> bool:
    formats = QUANTIZATIONS.get(narrow, frozenset((narrow,)))
    return formats <= QUANTIZATIONS.get(broad, frozenset((broad,)))


def _allowed(concern: Concern, inside: Callable[[Any, Any], bool]) -> Row:
    return Row(concern, _is_missing, _allowing(inside))


def _denied(concern: Concern, inside: Callable[[Any, Any], bool]) -> Row:
    return Row(concern, _is_missing, _denying(inside))


_CEILING = Row(Concern.COST, measure_ceiling)
_NEUTRAL_ROUTE = Row(Concern.ROUTE)
_OTHER = Row(Concern.OTHER)

OFFERED = Row(Concern.PRIVACY, admits=lambda offered, item: item in offered)
"""What may receive data besides who serves the call."""

PRICE = Row(Concern.COST, measure_ceiling)
"""What is paid, or what a call costs at most; ``None`` where nobody knows."""

REACH = Row(Concern.ROUTE, {"excluded": 0, "unknown": 1, "eligible": 2}.__getitem__)
"""Whether an endpoint may serve."""

SERVED = Row(Concern.ROUTE, lambda code: code is None)
"""Whether anybody may serve: OpenRouter's availability code where nobody may."""

BOUND_ORDER: Path = ("provider", "order", "-")
"""Stands for an ``order`` outside of which nobody serves, as nothing falls back (facts 12 and 13)."""

TABLE: Mapping[Path, Row] = {
    ("provider", "zdr"): Row(Concern.PRIVACY, _unless(SWITCHES["zdr"])),
    ("provider", "data_collection"): Row(Concern.PRIVACY, _unless(SWITCHES["data_collection"])),
    ("provider", "only"): _allowed(Concern.PRIVACY, covers),
    ("provider", "ignore"): _denied(Concern.PRIVACY, covers),
    ("region",): _allowed(Concern.PRIVACY, _equals),
    ("headers", "X-OpenRouter-Cache"): Row(Concern.PRIVACY, lambda value: value == "true"),
    ("provider", "max_price"): _CEILING,
    ("max_cost",): _CEILING,
    ("max_tokens",): _CEILING,
    ("max_completion_tokens",): _CEILING,
    ("max_tool_calls",): _CEILING,
    ("stop_server_tools_when",): _denied(Concern.COST, _equals),
    ("provider", "quantizations"): _allowed(Concern.ROUTE, _covers_format),
    ("provider", "require_parameters"): Row(Concern.ROUTE, _unless(SWITCHES["require_parameters"])),
    ("provider", "enforce_distillable_text"): Row(Concern.ROUTE, _unless(demanded=True)),
    ("provider", "allow_fallbacks"): Row(Concern.ROUTE, _unless(SWITCHES["allow_fallbacks"])),
    BOUND_ORDER: _allowed(Concern.ROUTE, covers),
    **dict.fromkeys(
        (("provider",), ("model",), ("models",), ("preset",), ("service_tier",), ("speed",)), _NEUTRAL_ROUTE
    ),
    ("policy", "zdr"): Row(Concern.PRIVACY, _unless(SWITCHES["zdr"])),
    ("policy", "data_collection"): Row(Concern.PRIVACY, _unless(SWITCHES["data_collection"])),
    ("policy", "providers.allow"): _allowed(Concern.PRIVACY, covers),
    ("policy", "providers.deny"): _denied(Concern.PRIVACY, denies),
    ("policy", "regions"): _allowed(Concern.PRIVACY, _equals),
    ("policy", "models.allow"): _allowed(Concern.ROUTE, contains),
    ("policy", "models.deny"): _denied(Concern.ROUTE, contains),
    ("policy", "plugins.allow"): _allowed(Concern.PRIVACY, contains),
    ("policy", "plugins.deny"): _denied(Concern.PRIVACY, contains),
    ("policy", "tools.allow"): _allowed(Concern.PRIVACY, contains),
    ("policy", "tools.deny"): _denied(Concern.PRIVACY, contains),
    ("policy", "quantizations"): _allowed(Concern.ROUTE, _equals),
    ("policy", "require_parameters"): Row(Concern.ROUTE, _unless(SWITCHES["require_parameters"])),
    ("policy", "allow_fallbacks"): Row(Concern.ROUTE, _unless(SWITCHES["allow_fallbacks"])),
    ("policy", "max_price"): _CEILING,
    ("policy", "max_cost"): _CEILING,
    ("policy", "max_tokens"): _CEILING,
    ("policy", "require"): _denied(Concern.OTHER, _equals),
}
"""Field → how it is judged; what lies below a field is judged like it."""


def find_row(path: Path) -> Row:
    """Find the row of a field: its own, or that of the nearest field around it."""
    rows = (TABLE.get(path[:depth]) for depth in range(len(path), 0, -1))
    return next((row for row in rows if row is not None), _OTHER)
