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
"""Characters of a value that are shown."""

AROUND = 24
"""Characters that are shown around the place where two long texts differ."""

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


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"


def _say_pair(old: Any, new: Any) -> Phrase:
    """Write both values, of long ones the parts that differ with a little around them."""
    before, after = say_value(old), say_value(new)
    if old is None or new is None or max(len(before), len(after)) <= MOST_TEXT // 2:
        return (*_say_side(old, _cut(before)), " → ", *_say_side(new, _cut(after)))
    head, tail = _count_common(before, after), _count_common(before[::-1], after[::-1])
    shown = (_show_part(text, head, min(tail, len(text) - head)) for text in (before, after))
    return (Quote(next(shown)), " → ", Quote(next(shown)))


def _count_common(one: str, other: str) -> int:
    """Count the characters at the start that two texts share."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (here, there) in pairs if here != there), min(len(one), len(other)))


def _show_part(text: str, head: int, tail: int) -> str:
    """Cut what both sides have in common at both ends, but for some characters."""
    first, last = max(0, head - AROUND), min(len(text), len(text) - tail + AROUND)
    return ("…" if first else "") + _cut(text[first:last]) + ("…" if last < len(text) else "")


def _say_side(value: Any, text: str) -> Phrase:
    return (NOTHING,) if value is None else (Quote(text),)


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
    ("excluded", "eligible"): ("now reachable", "now reachable"),
    ("eligible", "excluded"): ("no longer reachable", "no longer reachable"),
    ("excluded", "unknown"): ("perhaps reachable now", "now asked for"),
    ("unknown", "excluded"): ("no longer reachable, as it perhaps was,", "no longer asked for"),
    ("unknown", "eligible"): ("certainly reachable now, not only perhaps,", "certainly reachable now"),
    ("eligible", "unknown"): ("only perhaps reachable now", "only perhaps reachable now"),
}


def _say_reach(change: Change) -> Phrase:
    endpoints, alone = _REACH[change.old, change.new]
    model: Phrase = (Quote(change.field),) if change.field else ("the account's default model",)
    need: Phrase = (" (", Quote(change.notes[1]), ")") if change.notes[1] else ()
    if change.item is None:
        return (*model, f": {alone}", *need)
    return (*model, f": {endpoints} at ", *_list(change.item, MOST_PLACES), *need)


def _list(names: Sequence[str], most: int) -> Phrase:
    listed: list[str | Quote] = []
    for name in names[:most]:
        listed += [", "] * bool(listed) + [Quote(name)]
    return (*listed, *((f" and {len(names) - most} more",) if len(names) > most else ()))


def _say_order(change: Change) -> Phrase:
    models = {name.partition(" at ")[0] for name in change.old}
    of = (" for ", Quote(*models)) if len(models) == 1 else ()
    old, new = (
        [name.partition(" at ")[2] if of else name for name in names] for names in (change.old, change.new)
    )
    return ("order of attempts", *of, ": ", *_list(old, MOST_PLACES), " → ", *_list(new, MOST_PLACES))


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


def _sum_up(new: Mapping[str, Any]) -> Phrase:
    if "findings" in new:
        return ("does not compile: ", *_list(new["findings"], MOST_NAMES))
    models = _list(new["models"], MOST_NAMES) if new["models"] else ("the account's default model",)
    said = []
    if new["endpoints"] is not None:
        perhaps = f" and perhaps {new['perhaps']} more" if new["perhaps"] else ""
        said.append(count(new["endpoints"], "endpoint") + perhaps)
        worst = new["worst_case"]
        said.append("worst case unknown" if worst is None else f"at most ${worst} a call")
    said.append("zero retention" if new["zdr"] else "no zero retention")
    said.append("no data collection" if new["data_collection"] == "deny" else "data collection allowed")
    return (*models, "; ", ", ".join(said))


_SAY: Mapping[tuple[str, str], Callable[[Change], Phrase]] = {
    ("route", "reach"): _say_reach,
    ("route", "first"): lambda change: ("asked first: ", Quote(change.old), " → ", Quote(change.new)),
    ("route", "order"): _say_order,
    ("route", "alias"): _say_alias,
    ("route", "availability"): _say_availability,
    ("cost", "worst"): _say_worst,
    ("cost", "price"): _say_price,
    ("preset", "added"): lambda change: ("a new preset: ", *_sum_up(change.new)),
    ("preset", "removed"): lambda _: ("removed",),
    ("preset", "renamed"): lambda change: ("renamed from ", Quote(change.old)),
    ("preset", "broken"): lambda change: ("no longer compiles: ", *_list(change.new["findings"], MOST_NAMES)),
    ("preset", "fixed"): lambda change: ("compiles again: ", *_sum_up(change.new)),
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
    counts = {
        f"loosened ({', '.join(concerns)}{more})": loosened,
        "tightened": len(_names(diff, Way.TIGHTENED)) - both,
        "neutral": len(_find_neutral(diff)),
        **_count_fates(diff),
        "unreachable": len(_find_unserved(diff)),
    }
    said = [f"{number} {word}" for word, number in counts.items() if number]
    if said:
        first, _, rest = said[0].partition(" ")
        said[0] = f"{count(int(first), 'preset')} {rest}"
    environments = [
        f"{count(len(names), 'environment')} {word}"
        for word, names in (("added", diff.environments_added), ("removed", diff.environments_removed))
        if names
    ]
    return ", ".join([*said, *environments]) or "no difference in effect"


def _names(diff: Diff, way: Way) -> set[str]:
    return {delta.preset for delta in diff.deltas if delta.goes(way)}


def _find_neutral(diff: Diff) -> set[str]:
    fated = {delta.preset for delta, change in diff if change.part == "preset"}
    changed = {delta.preset for delta in diff.deltas}
    return changed - fated - _names(diff, Way.LOOSENED) - _names(diff, Way.TIGHTENED)


def _find_unserved(diff: Diff) -> set[str]:
    """Name the presets that somebody might serve, and nobody may now."""
    return {
        delta.preset for delta, change in diff if change.kind == "availability" and change.new is not None
    }


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
