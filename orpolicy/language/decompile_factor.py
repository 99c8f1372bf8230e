"""What a preset must say on top of a base, so that the two together are a given whole.

``merge(base, factor(whole, base))`` is ``whole``, and what the base says already is left out. A key that only the base has
becomes null. A list becomes an edit where that is shorter, and where edits can say it; a list that is merged by identity
(plugins, tools) names only what changes.

.. code-block:: text

    base        only: [a, b, c]        plugins: [{id: web, max_results: 3}, {id: moderation}]
    whole       only: [a, b, c, d]     plugins: [{id: web, max_results: 5}]
    factored    only: {append: [d]}    plugins: {remove: [moderation], append: [{id: web, max_results: 5}]}
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from orpolicy.language.building import IDENTITIES
from orpolicy.language.schema import merge_strategies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.language.source import Path

Edits: TypeAlias = dict[str, list[Any]]
Identity: TypeAlias = tuple[Hashable, int]
"""What tells an item apart, and its number among those that are alike in that."""


def factor(data: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to write on top of ``base`` to get ``data``; neither holds a null in a mapping."""
    return _factor(data, base, ())


def _factor(data: Mapping[str, Any], base: Mapping[str, Any], path: Path | None) -> dict[str, Any]:
    """Factor a mapping; ``path`` is ``None`` inside an item of a list, where lists are replaced whole."""
    written: dict[str, Any] = {}
    for key, value in data.items():
        place = None if path is None else (*path, key)
        if key not in base:
            written[key] = value
        elif not is_same(value, base[key]):
            written[key] = _factor_value(value, base[key], place)
    written.update(dict.fromkeys(key for key in base if key not in data))
    return written


def _factor_value(value: Any, base: Any, path: Path | None) -> Any:
    if isinstance(value, Mapping) and isinstance(base, Mapping):
        return _factor(value, base, path)
    if isinstance(value, list) and isinstance(base, list):
        strategy = None if path is None else merge_strategies().get(path)
        if strategy == "replace":
            return min(_edit_texts(value, base), key=_length, default=value)
        if strategy is not None:
            return _factor_keyed(value, base, strategy)
    return value


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON: numbers by their worth, and ``true`` is no number."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(isinstance(one, bool) is isinstance(other, bool) and one == other)


def _length(value: Any) -> int:
    return len(json.dumps(value, default=str))


def _edit_texts(value: list[Any], base: list[Any]) -> Iterator[Any]:
    """Yield the ways to turn a list of different texts into another: the list itself, then edits."""
    yield value
    if not all(isinstance(item, str) for item in (*value, *base)):
        return
    if len(set(value)) < len(value) or len(set(base)) < len(base):
        return
    for start, end in _find_runs(value, base):
        gone = [item for item in base if item not in value]
        yield _edits(gone, value[:start], value[end:])


def _find_runs(value: Sequence[Any], base: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a list, longest first, that the base has in the same order: they can stay where they are."""
    places = {item: place for place, item in enumerate(base)}
    for start in range(len(value)):
        end = start
        while (
            end < len(value)
            and value[end] in places
            and (end == start or places[value[end - 1]] < places[value[end]])
        ):
            end += 1
        if end > start:
            yield start, end


def _edits(remove: list[Any], prepend: list[Any], append: list[Any]) -> Edits:
    edits = {"remove": remove, "prepend": prepend, "append": append}
    return {edit: items for edit, items in edits.items() if items}


@frozen
class _Item:
    """An item of a list that is merged by identity, with what removes it and with its number among its equals."""

    value: Any
    name: Any
    identity: Identity


def _factor_keyed(value: list[Any], base: list[Any], strategy: str) -> Any:
    """Factor a list whose items are merged by identity, on the shortest of the ways that are exact."""
    if not all(_has_identity(item, strategy) for item in value):
        return value  # not valid, and said elsewhere
    wanted, given = _identify(value, strategy), _identify(base, strategy)
    known = {item.identity: item for item in given}
    ways: list[Any] = []
    if all(number == 1 for _, number in (item.identity for item in (*wanted, *given))):
        ways.extend(_merge_in_place(wanted, given, known))
        ways.extend(_move(wanted, given, known, run) for run in _find_unchanged(wanted, known))
    ways.append(_edits([item.name for item in given], [], value))
    return min(ways, key=_length)


def _has_identity(item: Any, strategy: str) -> bool:
    if not isinstance(item, Mapping):
        return False
    if any(not isinstance(item.get(key) or {}, Mapping) for key in ("function", "parameters")):
        return False
    identity = IDENTITIES[strategy](item)
    return isinstance(identity, str | tuple)


def _identify(items: list[Any], strategy: str) -> list[_Item]:
    times: dict[Hashable, int] = {}
    found = []
    for item in items:
        key = IDENTITIES[strategy](item)
        times[key] = times.get(key, 0) + 1
        name = _identifying(item, {}) if isinstance(key, tuple) else key
        found.append(_Item(item, name, (key, times[key])))
    return found


def _merge_in_place(
    wanted: list[_Item], given: list[_Item], known: Mapping[Identity, _Item]
) -> Iterator[list[Any]]:
    """Write the changed items in place of all: exact where none goes, the order stays, and new ones follow."""
    if [item.identity for item in wanted[: len(given)]] != [item.identity for item in given]:
        return
    changed = []
    for item in wanted:
        old = known.get(item.identity)
        if old is None:
            changed.append(item.value)
        elif not is_same(item.value, old.value):
            smaller = _factor_item(item, old)
            if smaller is None:
                return
            changed.append(smaller)
    yield changed


def _find_unchanged(wanted: list[_Item], known: Mapping[Identity, _Item]) -> Iterator[tuple[int, int]]:
    """Yield the stretches of items that may stay as they are, and the empty one."""
    places = {identity: place for place, identity in enumerate(known)}
    same = [
        item.identity if item.identity in known and is_same(item.value, known[item.identity].value) else None
        for item in wanted
    ]
    yield 0, 0
    yield from _find_runs(same, [identity if identity in same else object() for identity in places])


def _move(
    wanted: list[_Item], given: list[_Item], known: Mapping[Identity, _Item], run: tuple[int, int]
) -> Edits:
    """Keep a stretch, put everything else before or after it, and remove what must go or start afresh."""
    kept = {item.identity for item in wanted[run[0] : run[1]]}
    fresh: set[Identity] = set()
    written: dict[Identity, Any] = {}
    for item in wanted:
        old = known.get(item.identity)
        smaller = item.value if old is None else _factor_item(item, old)
        if smaller is None:
            fresh.add(item.identity)
        written[item.identity] = item.value if smaller is None else smaller
    stays = {item.identity for item in wanted} - fresh | kept
    return _edits(
        [item.name for item in given if item.identity not in stays],
        [written[item.identity] for item in wanted[: run[0]]],
        [written[item.identity] for item in wanted[run[1] :]],
    )


def _factor_item(item: _Item, old: _Item) -> Any:
    """Return what changes in an item, with what identifies it; ``None`` where something in it has to go."""
    if not isinstance(item.value, Mapping) or not isinstance(old.value, Mapping):
        return None
    smaller = _factor(item.value, old.value, None)
    if _holds_null(smaller):
        return None
    return _identifying(item.value, smaller)


def _holds_null(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and any(map(_holds_null, value.values())))


def _identifying(whole: Mapping[str, Any], smaller: Mapping[str, Any]) -> dict[str, Any]:
    """Put back the keys by which an item is told apart: ``id``, ``type``, a function's or an agent's name."""
    result = {**{key: whole[key] for key in ("id", "type") if key in whole}, **smaller}
    for key in ("function", "parameters"):
        inner = whole.get(key)
        if isinstance(inner, Mapping) and "name" in inner and whole.get("type") in _NAMED:
            result[key] = {"name": inner["name"], **result.get(key, {})}
    return result


_NAMED = ("function", "openrouter:advisor", "openrouter:subagent")
