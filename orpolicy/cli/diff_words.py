"""The words of a diff: one sentence a change, told in parts so that every format can quote what files brought.

A ``Phrase`` is a text with values in it: names, values and notes that come from somebody's files or from the catalogue.
Formats show these each in their way and must trust none of them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from orpolicy.cli.render import count
from orpolicy.review.classes import Concern, Way
from orpolicy.review.diff_groups import Member, find_alarming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from orpolicy.review.changes import Change, Diff


@frozen
class Quote:
    """What a file or a catalogue says: to be shown, never to be obeyed."""

    text: str


Phrase: TypeAlias = "tuple[str | Quote, ...]"

MOST_TEXT = 120
"""Characters of a value that are shown; of two long texts, around the place where they begin to differ."""

MOST_NAMES = 3
"""Members and names that are listed before the rest is counted."""

MOST_PLACES = 8
"""Endpoints that are listed before the rest is counted."""

_BARE = re.compile(r"[\w./:~@*+-]+")
NOTHING = "not set"


def say_value(value: Any) -> str:
    """Write a value: names as they are, lists with commas, everything else as JSON."""
    if isinstance(value, str):
        return value if _BARE.fullmatch(value) and value != NOTHING else json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
        return ", ".join(map(say_value, value))
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, start: int = 0) -> str:
    """Cut a long text around a place."""
    if len(text) <= MOST_TEXT:
        return text
    first = max(0, min(start - MOST_TEXT // 3, len(text) - MOST_TEXT))
    head, tail = "…" if first else "", "…" if first + MOST_TEXT < len(text) else ""
    return head + text[first : first + MOST_TEXT] + tail


def _say_pair(old: Any, new: Any) -> Phrase:
    """Write both values, long ones around the place where they begin to differ."""
    before, after = say_value(old), say_value(new)
    pairs = enumerate(zip(before, after, strict=False))
    differ = next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))
    return (*_say_side(old, before, differ), " → ", *_say_side(new, after, differ))


def _say_side(value: Any, text: str, start: int) -> Phrase:
    return (NOTHING,) if value is None else (Quote(_cut(text, start)),)


def _quote(value: Any) -> Quote:
    return Quote(_cut(say_value(value)))


def _say_field(change: Change) -> Phrase:
    return ("the policy's " if change.part == "policy" else "", Quote(change.field))


def _say_replaced(change: Change) -> Phrase:
    return (*_say_field(change), ": ", *_say_pair(change.old, change.new))


def _say_place(change: Change) -> str:
    place = change.old if change.new is None else change.new
    return "" if place is None else f" in place {place}"


def _say_moved(change: Change) -> Phrase:
    moved = f" moved from place {change.old} to place {change.new}"
    return (*_say_field(change), ": ", _quote(change.item), moved)


_REACH: Mapping[tuple[str, str], tuple[str, str]] = {
    # from, to: of endpoints, of a model of which nobody knows the endpoints
    ("excluded", "eligible"): ("became reachable", "became reachable"),
    ("eligible", "excluded"): ("is no longer reachable", "is no longer reachable"),
    ("excluded", "unknown"): ("may be reachable now, nobody can know offline", "is asked for now"),
    ("unknown", "excluded"): ("can no longer be reached", "is no longer asked for"),
    ("unknown", "eligible"): ("is reachable for certain now", "is reachable for certain now"),
    ("eligible", "unknown"): ("is no longer reachable for certain", "is no longer reachable for certain"),
}


def _say_reach(change: Change) -> Phrase:
    endpoints, alone = _REACH[change.old, change.new]
    model: Phrase = (Quote(change.field),) if change.field else ("the account's default model",)
    if change.item is None:
        return (*model, f" {alone}")
    return (*model, f" {endpoints} at ", *_list(change.item, MOST_PLACES))


def _list(names: Sequence[str], most: int) -> Phrase:
    listed: list[str | Quote] = []
    for name in names[:most]:
        listed += [", "] * bool(listed) + [Quote(name)]
    return (*listed, *((f" and {len(names) - most} more",) if len(names) > most else ()))


def _say_order(change: Change) -> Phrase:
    return (
        *("order of attempts: ", *_list(change.old, MOST_PLACES)),
        *(" → ", *_list(change.new, MOST_PLACES)),
    )


def _say_alias(change: Change) -> Phrase:
    old, new = Quote(change.old), Quote(change.new)
    return (Quote(change.field), " stands for ", new, ", no longer for ", old)


def _say_availability(change: Change) -> Phrase:
    if change.new is None:
        return ("somebody may serve it again; OpenRouter would have answered ", Quote(change.old))
    note = change.notes[1]
    more: Phrase = (", ", Quote(note)) if note else ()
    return ("nobody may serve it: OpenRouter would answer ", Quote(change.new), *more)


def _say_worst(change: Change) -> Phrase:
    old, new = ("unknown" if amount is None else f"${amount}" for amount in (change.old, change.new))
    note = change.notes[0] if change.new is None and change.notes[1] is None else change.notes[1]
    more: Phrase = (" (", Quote(note), ")") if note else ()
    return (f"worst case of a call: {old} → {new}", *more)


def _say_price(change: Change) -> Phrase:
    unit = {"request": "a request", "image": "an image"}.get(change.item, "a million tokens")
    return (Quote(change.field), f": {change.item} price ${change.old} → ${change.new} {unit}")


def _say_added(change: Change) -> Phrase:
    new: Mapping[str, Any] = change.new
    if "findings" in new:
        return ("a new preset that does not compile: ", *_list(new["findings"], MOST_NAMES))
    models = _list(new["models"], MOST_NAMES) if new["models"] else ("the account's default model",)
    said = []
    if new["endpoints"] is not None:
        said.append(count(new["endpoints"], "endpoint"))
        worst = new["worst_case"]
        said.append("worst case unknown" if worst is None else f"at most ${worst} a call")
    said.append("zero retention" if new["zdr"] else "no zero retention")
    said.append("no data collection" if new["data_collection"] == "deny" else "data collection allowed")
    return ("a new preset: ", *models, "; ", ", ".join(said))


def _say_broken(change: Change) -> Phrase:
    return ("no longer compiles: ", *_list(change.new, MOST_NAMES))


_SAY: Mapping[tuple[str, str], Callable[[Change], Phrase]] = {
    ("route", "reach"): _say_reach,
    ("route", "first"): lambda change: ("asked first: ", *_say_pair(change.old, change.new)),
    ("route", "order"): _say_order,
    ("route", "alias"): _say_alias,
    ("route", "availability"): _say_availability,
    ("cost", "worst"): _say_worst,
    ("cost", "price"): _say_price,
    ("preset", "added"): _say_added,
    ("preset", "removed"): lambda _: ("removed",),
    ("preset", "renamed"): lambda change: ("renamed from ", Quote(change.old)),
    ("preset", "broken"): _say_broken,
    ("preset", "fixed"): lambda _: ("compiles again",),
}
_SAY_FIELD: Mapping[str, Callable[[Change], Phrase]] = {
    "item-added": lambda change: (*_say_field(change), ": + ", _quote(change.item), _say_place(change)),
    "item-removed": lambda change: (*_say_field(change), ": - ", _quote(change.item), _say_place(change)),
    "item-moved": _say_moved,
}


def say_change(change: Change) -> Phrase:
    """Say in a sentence what changed."""
    say = _SAY.get((change.part, change.kind)) or _SAY_FIELD.get(change.kind, _say_replaced)
    return say(change)


def say_members(members: Sequence[Member]) -> Phrase:
    """Name those who share changes; many by their number and the first of them, and where they do once for all."""
    if len(members) == 1:
        return _say_member(members[0])
    presets = count(len(members), "preset")
    if len({member.place for member in members}) > 1:
        return (f"{presets}: ", *list_members(members, MOST_NAMES))
    where, names = _say_where(members[0]), [member.preset for member in members]
    return (presets, *where, ": ", *_list(names, MOST_NAMES))


def list_members(members: Sequence[Member], most: int) -> Phrase:
    """List presets with where, and count those that are too many."""
    listed: list[str | Quote] = []
    for member in members[:most]:
        listed += [", "] * bool(listed) + [*_say_member(member)]
    return (*listed, *((f" and {len(members) - most} more",) if len(members) > most else ()))


def _say_member(member: Member) -> Phrase:
    return (Quote(member.preset), *_say_where(member))


def _say_where(member: Member) -> Phrase:
    where = f" {member.where}" if member.where else ""
    return (f"{where} ", *_list(member.environments, MOST_PLACES)) if member.environments else (where,)


def say_summary(diff: Diff) -> str:
    """Say how many presets changed which way."""
    loosened = diff.count(Way.LOOSENED)
    both = len(_names(diff, Way.LOOSENED) & _names(diff, Way.TIGHTENED))
    concerns = [
        f"{concern}: {number}" for concern in Concern if (number := diff.count(Way.LOOSENED, concern))
    ]
    more = f"; {both} also tightened" if both else ""
    tightened, neutral = len(_names(diff, Way.TIGHTENED)) - both, len(_find_neutral(diff))
    said = [
        f"{count(loosened, 'preset')} loosened ({', '.join(concerns)}{more})" if loosened else "",
        _count(tightened, "tightened", bare=bool(loosened)),
        _count(neutral, "neutral", bare=bool(loosened or tightened)),
        *(_count(number, word) for word, number in _count_fates(diff).items()),
    ]
    environments = [
        f"{count(len(names), 'environment')} {word}"
        for word, names in (("added", diff.environments_added), ("removed", diff.environments_removed))
        if names
    ]
    return ", ".join([*filter(None, said), *environments]) or "no difference in effect"


def _count(number: int, word: str, *, bare: bool = True) -> str:
    return "" if not number else f"{number} {word}" if bare else f"{count(number, 'preset')} {word}"


def _names(diff: Diff, way: Way) -> set[str]:
    return {delta.preset for delta in diff.deltas if delta.goes(way)}


def _find_neutral(diff: Diff) -> set[str]:
    fated = {delta.preset for delta, change in diff if change.part == "preset"}
    changed = {delta.preset for delta in diff.deltas}
    return changed - fated - _names(diff, Way.LOOSENED) - _names(diff, Way.TIGHTENED)


def _count_fates(diff: Diff) -> dict[str, int]:
    words = {
        "added": "added",
        "removed": "removed",
        "renamed": "renamed",
        "broken": "no longer compiling",
        "fixed": "compiling again",
    }
    return {
        word: len({delta.preset for delta, change in diff if (change.part, change.kind) == ("preset", kind)})
        for kind, word in words.items()
    }


def say_look(diff: Diff, most: int) -> Phrase:
    """Name what a reviewer has to look at; nothing, where there is nothing."""
    alarming = find_alarming(diff)
    return ("look at: ", *list_members(alarming, most)) if alarming else ()


def write(phrase: Iterable[str | Quote], quote: Callable[[str], str]) -> str:
    """Write a phrase; ``quote`` shows what was quoted."""
    return "".join(quote(part.text) if isinstance(part, Quote) else part for part in phrase)
