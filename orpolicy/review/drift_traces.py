"""Where a model's name led when it was locked, and where it leads today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.language.slugs import PRESET_MARK
from orpolicy.routing.resolve import split_suffixes

if TYPE_CHECKING:
    from orpolicy.routing.catalog import Catalog, Model


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
