"""Where a model's name led when it was locked, where it leads today, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.language.slugs import PRESET_MARK
from orpolicy.review.drift_kinds import Change
from orpolicy.routing.resolve import split_suffixes

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.routing.catalog import Catalog, Model

NOTICE = timedelta(days=30)
"""A model that leaves sooner than this is named even where the lock knew its day."""

FAR_AWAY = timedelta(days=366)
"""A model that leaves later than this has a date that means nothing: some carry the year 2098."""


def strip_name(name: str) -> str:
    """Return a name without what only sorts (``:nitro``) and without a hosted preset."""
    return split_suffixes(name.partition(PRESET_MARK)[0])[0]


@frozen
class Trace:
    """A name with what it was listed as before and after, and the models that served and serve it.

    ``source`` and ``target`` are the aliases' ends, or what is listed itself; ``None`` where a catalogue does not hold
    them.
    """

    name: str
    before: Model | None
    after: Model | None
    source: Model | None
    target: Model | None

    @classmethod
    def of(cls, name: str, locked: Catalog | None, fresh: Catalog) -> Trace:
        """Follow a name through both catalogues."""
        (before, source), (after, target) = _follow(name, locked), _follow(name, fresh)
        return cls(name, before, after, source, target)

    @property
    def led_to(self) -> str:
        """The id of the model that served the name."""
        return _end_of(self.before)

    @property
    def leads_to(self) -> str:
        """The id of the model that serves it."""
        return _end_of(self.after)

    @property
    def kept(self) -> bool:
        """Whether it led, and leads, to the same."""
        return self.led_to == self.leads_to != ""


def _end_of(listed: Model | None) -> str:
    return "" if listed is None else listed.alias_of or listed.id


def _follow(name: str, catalog: Catalog | None) -> tuple[Model | None, Model | None]:
    if catalog is None:
        return None, None
    listed = catalog.by_id.get(name) or catalog.by_canonical_slug.get(name)
    if listed is None:
        return None, None
    return listed, catalog.by_id.get(listed.alias_of) if listed.alias_of else listed


def find_leaving(trace: Trace, now: datetime) -> tuple[str, Change, str] | None:
    """Return the model behind a name with its last day and the days left, where that day is new or near."""
    model, before = trace.target or trace.after, trace.source or trace.before
    if model is None or before is None or model.expires is None:
        return None
    left = model.expires - now.date()
    if left > FAR_AWAY or (left > NOTICE and model.expires == before.expires):
        return None
    known = before.expires.isoformat() if before.expires and before.expires != model.expires else None
    said = f"{left.days} day{'' if left.days == 1 else 's'} left" if left.days >= 0 else "the day has passed"
    return model.id, Change("leaves on", known, model.expires.isoformat()), said
