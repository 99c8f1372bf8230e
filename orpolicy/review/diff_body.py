"""What differs between two requests, field by field, as each field is merged.

.. code-block:: text

    a mapping           key by key
    a set               items that joined it and items that left it (provider.only, stop_server_tools_when …)
    an ordered list     the same with their places, and items that moved (models, provider.order …)
    a keyed list        item by item under its key (plugins by id, tools by name), and items that moved
    anything else       the old value and the new one

What stands beside a body is compared like it: ``system``, ``region``, ``max_cost`` and ``headers``. Which items moved is
worked out for both directions at once, so that a comparison and its reverse name the same ones.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve, frozen

from orpolicy.language.building import IDENTITIES, in_json_schema
from orpolicy.language.lower import SIDE, order_keys
from orpolicy.language.lowered import REGIONS
from orpolicy.language.schema import merge_strategies
from orpolicy.language.source import to_pointer
from orpolicy.language.validators import load_schema, resolve
from orpolicy.language.values import canonical_json
from orpolicy.review.classes import BOUND_ORDER, Concern, Row, Way, find_row

if TYPE_CHECKING:
    from orpolicy.language.source import Path
    from orpolicy.review.effects import Effect

BESIDE = (*SIDE, "headers")
"""Fields that stand beside the body, which no JSON pointer into it names."""


@frozen
class Edit:
    """One difference; ``old_path`` and ``new_path`` lead to the value on each side, ``None`` where there is none.

    In ``path`` items of keyed lists stand under their keys. ``item`` is that of a list, whose places are ``old`` and ``new``.
    """

    path: Path
    kind: str
    old: Any
    new: Any
    way: Way
    concern: Concern
    old_path: Path | None
    new_path: Path | None
    item: Any = None

    @property
    def field(self) -> str:
        """How reports call the field."""
        pointer = to_pointer(self.path)
        return pointer.removeprefix("/") if self.path[0] in BESIDE else pointer


class _Absent:
    """The value of a key that is not there; JSON's ``null`` is another."""


ABSENT = _Absent()
Key: TypeAlias = tuple[Any, int]
"""What makes an item of a list itself, and the how-manieth of its like it is."""


@frozen
class Spot:
    """A place in both bodies: under its name, and where it lies in each."""

    path: Path
    old: Path
    new: Path

    def step(self, key: str) -> Spot:
        """Go into a key."""
        return Spot((*self.path, key), (*self.old, key), (*self.new, key))


def compare_requests(old: Effect, new: Effect) -> Iterator[Edit]:
    """Yield every difference between two requests, in the order in which a preset is written."""
    bound = all((side.body.get("provider") or {}).get("allow_fallbacks") is False for side in (old, new))
    for edit in _compare(Spot((), (), ()), _gather(old), _gather(new)):
        yield _judge_bound(edit, old, new) if bound and edit.path == ("provider", "order") else edit


def _gather(effect: Effect) -> dict[str, Any]:
    region = REGIONS.get(effect.base_url, effect.base_url)
    beside = {
        "system": effect.system,
        "region": None if region is None else [region],
        "max_cost": None if effect.max_cost is None else str(effect.max_cost),
        "headers": dict(effect.headers),
    }
    return {**effect.body, **{key: value for key, value in beside.items() if value is not None}}


def _judge_bound(edit: Edit, old: Effect, new: Effect) -> Edit:
    """Judge an ``order`` outside of which nobody serves as the list of allowed providers that it is."""
    row = find_row(BOUND_ORDER)
    before, after = (side.body["provider"].get("order") or None for side in (old, new))
    way = row.judge(before, after) if edit.item is None else row.judge_item(before, after, edit.item)
    return evolve(edit, way=way)


def _compare(spot: Spot, old: Any, new: Any) -> Iterator[Edit]:
    if old is not ABSENT and new is not ABSENT and canonical_json(old) == canonical_json(new):
        return
    sides = [side for side in (old, new) if side is not ABSENT]
    if all(isinstance(side, Mapping) for side in sides) and _opens(spot, old, new):
        yield from _compare_keys(spot, old, new)
    elif all(isinstance(side, Sequence) and not isinstance(side, str) for side in sides):
        strategy = merge_strategies().get(spot.path, "replace")
        if strategy != "replace" and any(sides):
            yield from _compare_keyed(spot, *_listed(old, new), IDENTITIES[strategy])
        elif len(sides) == 2 and all(sides):
            yield from _compare_items(spot, *_listed(old, new), ordered=not _is_set(spot.path))
        else:
            yield _replace(spot, old, new)
    else:
        yield _replace(spot, old, new)


def _opens(spot: Spot, old: Any, new: Any) -> bool:
    """Tell whether a mapping is told key by key; one that only one side has, where its keys stand for themselves."""
    if old is ABSENT or new is ABSENT:
        return spot.path in (("provider",), ("provider", "max_price"), ("headers",)) and bool(
            new if old is ABSENT else old
        )
    return True


def _listed(old: Any, new: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    return [] if old is ABSENT else old, [] if new is ABSENT else new


def _compare_keys(spot: Spot, old: Any, new: Any) -> Iterator[Edit]:
    before, after = ({} if side is ABSENT else side for side in (old, new))
    for key in order_keys(spot.path, sorted({*before, *after})):
        yield from _compare(spot.step(key), before.get(key, ABSENT), after.get(key, ABSENT))


def _replace(spot: Spot, old: Any, new: Any) -> Edit:
    row = find_row(spot.path)
    before, after = (None if side is ABSENT else side for side in (old, new))
    kind = "added" if old is ABSENT else "removed" if new is ABSENT else "changed"
    return Edit(
        spot.path,
        kind,
        before,
        after,
        row.judge(_unlist(before), _unlist(after)),
        row.concern,
        None if old is ABSENT else spot.old,
        None if new is ABSENT else spot.new,
    )


def _unlist(value: Any) -> Any:
    """Return nothing for an empty list, which restricts nothing (facts 19 to 24)."""
    return None if isinstance(value, Sequence) and not value else value


def _compare_items(spot: Spot, old: Sequence[Any], new: Sequence[Any], *, ordered: bool) -> Iterator[Edit]:
    row = find_row(spot.path)
    before, after = (_number(map(canonical_json, side)) for side in (old, new))
    for key, place in before.items():
        if key not in after:
            way = row.judge_item(old, new, old[place])
            seen = place + 1 if ordered else None
            yield _take(spot, "item-removed", row, way, old[place], (seen, None), (place, None))
    for key, place in after.items():
        if key not in before:
            way = row.judge_item(old, new, new[place])
            seen = place + 1 if ordered else None
            yield _take(spot, "item-added", row, way, new[place], (None, seen), (None, place))
    for key in _find_moved(before, after) if ordered else ():
        yield _move(spot, row, new[after[key]], before[key], after[key])


def _compare_keyed(
    spot: Spot, old: Sequence[Any], new: Sequence[Any], identify: Callable[[Any], Any]
) -> Iterator[Edit]:
    before, after = (_number(map(identify, side)) for side in (old, new))
    for key in (*before, *(key for key in after if key not in before)):
        here, there = before.get(key), after.get(key)
        inner = Spot((*spot.path, _name(key)), (*spot.old, here or 0), (*spot.new, there or 0))
        item = ABSENT if here is None else old[here]
        yield from _compare(inner, item, ABSENT if there is None else new[there])
    for key in _find_moved(before, after):
        yield _move(spot, find_row(spot.path), _name(key), before[key], after[key])


def _name(key: Key) -> str:
    identity, number = key
    name = "/".join(identity) if isinstance(identity, tuple) else str(identity)
    return name if number == 1 else f"{name} ({number})"


def _number(identities: Iterator[Any]) -> dict[Key, int]:
    places: dict[Key, int] = {}
    times: dict[Any, int] = {}
    for place, identity in enumerate(identities):
        times[identity] = times.get(identity, 0) + 1
        places[identity, times[identity]] = place
    return places


def _take(  # noqa: PLR0913, PLR0917 - what an edit of a list consists of
    spot: Spot,
    kind: str,
    row: Row,
    way: Way,
    item: Any,
    seen: tuple[int | None, int | None],
    places: tuple[int | None, int | None],
) -> Edit:
    old_path = None if places[0] is None else (*spot.old, places[0])
    new_path = None if places[1] is None else (*spot.new, places[1])
    return Edit(spot.path, kind, *seen, way, row.concern, old_path, new_path, item)


def _move(spot: Spot, row: Row, item: Any, here: int, there: int) -> Edit:
    return _take(spot, "item-moved", row, Way.NEUTRAL, item, (here + 1, there + 1), (here, there))


def _find_moved(old: Mapping[Key, int], new: Mapping[Key, int]) -> list[Key]:
    """Name the fewest items that have to move; of several choices the same one in either direction."""
    common = [[key for key in side if key in old and key in new] for side in (old, new)]
    one, other = sorted(common, key=canonical_json)
    place = {key: number for number, key in enumerate(other)}
    stay = set(_find_longest_rise([place[key] for key in one]))
    return sorted((key for key in one if place[key] not in stay), key=canonical_json)


def _find_longest_rise(numbers: Sequence[int]) -> list[int]:
    """Return a longest increasing subsequence of different numbers."""
    ends: list[int] = []
    chains: list[tuple[int, Any]] = []
    for number in numbers:
        length = bisect_left(ends, number)
        chain = (number, chains[length - 1] if length else None)
        ends[length : length + 1] = [number]
        chains[length : length + 1] = [chain]
    rise = []
    link = chains[-1] if chains else None
    while link is not None:
        rise.append(link[0])
        link = link[1]
    return rise[::-1]


def _is_set(path: Path) -> bool:
    outer, inner = _name_sets()
    return path[-1] in (outer if len(path) == 1 else inner) and not in_json_schema(path)


@cache
def _name_sets() -> tuple[frozenset[str], frozenset[str]]:
    """Read off the preset schema which lists are sets (``x-orpolicy-items``): at the top level, and by name below it."""
    root = load_schema("preset")
    inner: set[str] = set()
    waiting: list[Any] = list(root.values())
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            inner.update(_find_sets(root, node))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return frozenset({"region", *_find_sets(root, root)}), frozenset(inner)


def _find_sets(root: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[str]:
    properties = node.get("properties")
    for key, child in properties.items() if isinstance(properties, Mapping) else ():
        if resolve(root, child).get("x-orpolicy-items") == "set":
            yield key
