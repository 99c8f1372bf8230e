"""What can drift away from a lock, how grave it is, and what is said of it.

.. code-block:: text

    breaking     a call fails, or does what its author forbade or did not see: preset-unserved, model-removed,
                 model-unserved, zdr-lost, capability-lost, ceiling-exceeded
    attention    a person must look, soon: model-leaving, model-replaced, alias-moved, endpoint-removed,
                 endpoint-excluded, endpoint-unclear, price-up, worst-case-up, worst-case-unknown, limit-lowered,
                 quantization-changed, candidates-gone; and what can no longer be told: model-unknown, zdr-unknown
    news         nothing has to be done: preset-served, price-down, worst-case-down, zdr-gained, capability-gained,
                 limit-raised, endpoint-added, candidates-added

A title and an id depend on kind and subject alone, never on numbers, days or presets: the same drift has the same title
next week. Texts from the catalogue are as they came; whoever shows them makes them harmless.
"""

from __future__ import annotations

import hashlib
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.routing.prices import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

Subject = tuple[str, ...]
"""A preset, a pattern, a model, or a model and the tag of one of its endpoints."""

EVERY_ENDPOINT: Subject = ("every endpoint",)
"""The subject of a fact that a whole catalogue lacks."""


class Severity(StrEnum):
    """How grave a drift is, the gravest first."""

    BREAKING = "breaking"
    ATTENTION = "attention"
    NEWS = "news"


class Kind(StrEnum):
    """What happened."""

    PRESET_UNSERVED = "preset-unserved"
    MODEL_REMOVED = "model-removed"
    MODEL_UNSERVED = "model-unserved"
    ZDR_LOST = "zdr-lost"
    CAPABILITY_LOST = "capability-lost"
    CEILING_EXCEEDED = "ceiling-exceeded"
    MODEL_LEAVING = "model-leaving"
    MODEL_REPLACED = "model-replaced"
    ALIAS_MOVED = "alias-moved"
    ENDPOINT_REMOVED = "endpoint-removed"
    ENDPOINT_EXCLUDED = "endpoint-excluded"
    ENDPOINT_UNCLEAR = "endpoint-unclear"
    PRICE_UP = "price-up"
    WORST_CASE_UP = "worst-case-up"
    WORST_CASE_UNKNOWN = "worst-case-unknown"
    LIMIT_LOWERED = "limit-lowered"
    QUANTIZATION_CHANGED = "quantization-changed"
    CANDIDATES_GONE = "candidates-gone"
    MODEL_UNKNOWN = "model-unknown"
    ZDR_UNKNOWN = "zdr-unknown"
    PRESET_SERVED = "preset-served"
    PRICE_DOWN = "price-down"
    WORST_CASE_DOWN = "worst-case-down"
    ZDR_GAINED = "zdr-gained"
    CAPABILITY_GAINED = "capability-gained"
    LIMIT_RAISED = "limit-raised"
    ENDPOINT_ADDED = "endpoint-added"
    CANDIDATES_ADDED = "candidates-added"


KINDS: dict[Kind, tuple[Severity, str]] = {
    Kind.PRESET_UNSERVED: (Severity.BREAKING, "Nobody may serve the preset"),
    Kind.MODEL_REMOVED: (Severity.BREAKING, "Model removed"),
    Kind.MODEL_UNSERVED: (Severity.BREAKING, "Model without endpoints"),
    Kind.ZDR_LOST: (Severity.BREAKING, "Zero retention lost"),
    Kind.CAPABILITY_LOST: (Severity.BREAKING, "Parameter no longer supported"),
    Kind.CEILING_EXCEEDED: (Severity.BREAKING, "Worst case above max_cost"),
    Kind.MODEL_LEAVING: (Severity.ATTENTION, "Model leaves"),
    Kind.MODEL_REPLACED: (Severity.ATTENTION, "Another model behind the same id"),
    Kind.ALIAS_MOVED: (Severity.ATTENTION, "Alias resolves elsewhere"),
    Kind.ENDPOINT_REMOVED: (Severity.ATTENTION, "Endpoint removed"),
    Kind.ENDPOINT_EXCLUDED: (Severity.ATTENTION, "Endpoint may no longer serve"),
    Kind.ENDPOINT_UNCLEAR: (Severity.ATTENTION, "Endpoint in doubt"),
    Kind.PRICE_UP: (Severity.ATTENTION, "Price up"),
    Kind.WORST_CASE_UP: (Severity.ATTENTION, "Worst case up"),
    Kind.WORST_CASE_UNKNOWN: (Severity.ATTENTION, "Worst case no longer known"),
    Kind.LIMIT_LOWERED: (Severity.ATTENTION, "Limit lowered"),
    Kind.QUANTIZATION_CHANGED: (Severity.ATTENTION, "Quantisation changed"),
    Kind.CANDIDATES_GONE: (Severity.ATTENTION, "Fewer models under a pattern"),
    Kind.MODEL_UNKNOWN: (Severity.ATTENTION, "Model not in the fresh catalogue"),
    Kind.ZDR_UNKNOWN: (Severity.ATTENTION, "Zero retention no longer known"),
    Kind.PRESET_SERVED: (Severity.NEWS, "Preset served again"),
    Kind.PRICE_DOWN: (Severity.NEWS, "Price down"),
    Kind.WORST_CASE_DOWN: (Severity.NEWS, "Worst case down"),
    Kind.ZDR_GAINED: (Severity.NEWS, "Zero retention gained"),
    Kind.CAPABILITY_GAINED: (Severity.NEWS, "Parameter supported now"),
    Kind.LIMIT_RAISED: (Severity.NEWS, "Limit raised"),
    Kind.ENDPOINT_ADDED: (Severity.NEWS, "New endpoint may serve"),
    Kind.CANDIDATES_ADDED: (Severity.NEWS, "New models under a pattern"),
}
"""Every kind's severity, and the first words of its title."""

_PLACE = {kind: place for place, kind in enumerate(KINDS)}


BEYOND = 10**9
"""Per cent; a catalogue may state any number."""


@frozen
class Change:
    """A value before and after; a number has a ``unit``, ``None`` is what was not there."""

    field: str
    before: Decimal | str | None
    after: Decimal | str | None
    unit: str = ""

    @property
    def percent(self) -> Decimal | None:
        """By how many per cent a number rose, with one decimal; ``None`` where that is no number, or beyond all measure."""
        if not (isinstance(self.before, Decimal) and isinstance(self.after, Decimal) and self.before):
            return None
        share = (self.after - self.before) / self.before * 100
        return share.quantize(Decimal("0.1"), ROUND_HALF_UP) if abs(share) < BEYOND else None

    def to_json(self) -> dict[str, Any]:
        """Return the change as plain data; numbers are decimal strings."""
        return {
            "field": self.field,
            "before": write_value(self.before),
            "after": write_value(self.after),
            "unit": self.unit or None,
            "percent": None if self.percent is None else plain(self.percent),
        }


def write_value(value: Decimal | str | None) -> str | None:
    """Write a value of a change as text."""
    return plain(value) if isinstance(value, Decimal) else value


@frozen
class Concern:
    """A preset in an environment (``None`` for none) that a drift touches; ``note`` says how, if it is not plain."""

    preset: str
    environment: str | None = None
    note: str = ""

    @property
    def sort_key(self) -> tuple[str, str, str]:
        """Order by name, no environment first."""
        return self.preset, self.environment or "", self.note

    def to_json(self) -> dict[str, Any]:
        """Return the concern as plain data."""
        return {"preset": self.preset, "environment": self.environment, "note": self.note or None}


@frozen
class Drift:
    """One thing that is no longer as it was locked, whom it concerns, and the values that changed."""

    kind: Kind
    subject: Subject
    concerns: tuple[Concern, ...]
    changes: tuple[Change, ...] = ()
    note: str = ""

    @property
    def severity(self) -> Severity:
        """How grave it is."""
        return KINDS[self.kind][0]

    @property
    def phrase(self) -> str:
        """What happened, in words."""
        return KINDS[self.kind][1]

    @property
    def title(self) -> str:
        """What happened to whom: the same for the same kind and subject, whatever the numbers."""
        return f"{self.phrase}: {' at '.join(self.subject)}"

    @property
    def id(self) -> str:
        """A name for this kind and subject that does not change: the kind, and a digest of the subject."""
        digest = hashlib.sha256("\0".join(self.subject).encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self.kind}-{digest[:12]}"

    @property
    def sort_key(self) -> tuple[int, Subject]:
        """Order by severity, kind and subject."""
        return _PLACE[self.kind], self.subject


def merge_drift(seen: Iterable[Drift]) -> tuple[Drift, ...]:
    """Make one drift of all that are of one kind and subject, and sort them, the gravest first."""
    found: dict[tuple[Kind, Subject], list[Drift]] = {}
    for one in seen:
        found.setdefault((one.kind, one.subject), []).append(one)
    merged = (
        Drift(
            kind,
            subject,
            tuple(sorted({c for one in group for c in one.concerns}, key=lambda c: c.sort_key)),
            tuple(dict.fromkeys(change for one in group for change in one.changes)),
            next((one.note for one in group if one.note), ""),
        )
        for (kind, subject), group in found.items()
    )
    return tuple(sorted(merged, key=lambda one: one.sort_key))
