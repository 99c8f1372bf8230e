"""Which line did it: the places behind a difference between two requests, read off the provenance of both.

.. code-block:: text

    it is there now         who set it, on the new side: a preset, a base, an overlay, a policy
    it is there no more     who removed it, on the new side; else where it stood, on the old one

A lock holds no lines: a side that was read from one names nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orpolicy.errors import UsageError
from orpolicy.language.source import to_pointer
from orpolicy.review.changes import Cause

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from orpolicy.language.explain import Explanation
    from orpolicy.language.source import Location, Path
    from orpolicy.review.diff_body import Edit
    from orpolicy.review.effects import Effect

HEADERS: Mapping[str, Path] = {
    "HTTP-Referer": ("attribution", "referer"),
    "X-OpenRouter-Title": ("attribution", "title"),
    "X-OpenRouter-Categories": ("attribution", "categories"),
    "X-OpenRouter-Cache": ("cache_enabled",),
    "X-OpenRouter-Cache-TTL": ("cache_ttl_seconds",),
    "x-anthropic-beta": ("anthropic_beta",),
}
"""Header → the key of a preset that stands for it."""


def find_causes(edit: Edit, old: Effect, new: Effect) -> tuple[Cause, ...]:
    """Name the lines that made a difference."""
    if edit.new_path is not None:
        return tuple(Cause("set", "new", place) for place in _find_authors(new, edit.new_path))
    if edit.old_path is None:
        return ()
    before = _find_authors(old, edit.old_path)
    remover = _find_remover(edit, new, edit.old_path, {place.file for place in before})
    if remover is not None:
        return (Cause("removed", "new", remover),)
    return tuple(Cause("was set", "old", place) for place in before)


def join_causes(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Name each cause once, in the order in which they were found."""
    return tuple(dict.fromkeys(causes))


def _explain(effect: Effect, path: Path) -> tuple[Explanation, ...]:
    if path[0] == "headers":
        path = HEADERS.get(str(path[1]), path)
    elif path[0] == "region":
        path = path[:1]
    try:
        return effect.explain(to_pointer(path))
    except UsageError:  # nothing stands there, nor ever did
        return ()


def _find_authors(effect: Effect, path: Path) -> tuple[Location, ...]:
    """Find the places that say a value: the first one in each file."""
    first: dict[str, Location] = {}
    for place in _locate(_explain(effect, path)):
        first[place.file] = min(place, first.get(place.file, place))
    return tuple(first[file] for file in sorted(first))


def _locate(explanations: Iterable[Explanation]) -> Iterator[Location]:
    for explanation in explanations:
        if explanation.winner.value is not None and explanation.winner.location is not None:
            yield explanation.winner.location


def _find_remover(edit: Edit, new: Effect, path: Path, before: Collection[str]) -> Location | None:
    """Find who took out what is there no more: by a removal, or by a list that took another's place.

    A list in one of the files that said the item ``before`` took no other's place: it lost an item.
    """
    if edit.item is None:
        found = [one for one in _explain(new, path) if one.winner.value is None]
        return found[0].winner.location if found else None
    listed = path[:-1]
    for explanation in _explain(new, (*listed, "-")):
        if any(_equals(loser.value, edit.item) for loser in explanation.losers):
            return explanation.winner.location
    whole = [one for one in _explain(new, listed) if one.pointer == to_pointer(listed) and one.losers]
    place = whole[0].winner.location if whole else None
    return None if place is None or place.file in before else place


def _equals(one: Any, other: Any) -> bool:
    return bool(one == other)
