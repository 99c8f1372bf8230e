"""What calls may do now that they might not, or the other way round, though perhaps no body changed.

The policy in force binds the overrides of a call, so that it is compared demand by demand: switches, ceilings, lists. A
policy that says the same in other words, or in other files, is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from orpolicy.language.effective import to_json
from orpolicy.language.policy import PRICES, SWITCHES, Bounds, Policy, Statement, select
from orpolicy.review.changes import Cause, Change
from orpolicy.review.classes import Row, Way, find_row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orpolicy.language.source import Location

CEILINGS = (*(f"max_price.{key}" for key in PRICES), "max_cost", "max_tokens")
ALLOWED = ("providers.allow", "quantizations", "regions")
DENIED = ("models.deny", "providers.deny", "plugins.deny", "tools.deny", "require")
PATTERNS = ("models.allow", "plugins.allow", "tools.allow")
"""Demands of which every list has to be kept."""


def compare_policies(old: Policy, new: Policy) -> Iterator[Change]:
    """Yield every demand that only one of two policies makes, or makes otherwise."""
    if old == new:
        return
    before, after = old.bounds, new.bounds
    for change in _compare(before, after):
        yield evolve(change, causes=_find_causes(change, old, new))


def _compare(old: Bounds, new: Bounds) -> Iterator[Change]:
    for field in (*SWITCHES, *CEILINGS):
        before, after = _read(old, field), _read(new, field)
        if before != after:
            yield _replace(field, before, after)
    for field in (*ALLOWED, *DENIED):
        yield from _compare_sets(field, _read(old, field), _read(new, field))
    for field in PATTERNS:
        yield from _compare_patterns(field, _read(old, field), _read(new, field))


def _read(bounds: Bounds, field: str) -> Any:
    """Read a demand; ``None`` where nothing is demanded."""
    name, _, kind = field.partition(".")
    if name == "max_price":
        return bounds.max_price.get(kind)
    if field == "providers.allow":
        return bounds.providers_allow
    value = getattr(bounds, field.replace(".", "_"))
    return None if value is False and SWITCHES.get(field) is True else value


def _compare_sets(field: str, old: Collection[str] | None, new: Collection[str] | None) -> Iterator[Change]:
    if field in ALLOWED and (old is None) != (new is None):
        yield _replace(field, old, new)
        return
    row = _find_row(field)
    before, after = frozenset(old or ()), frozenset(new or ())
    for item in sorted(before - after):
        yield _take(field, "item-removed", row, row.judge_item(before, after, item), item)
    for item in sorted(after - before):
        yield _take(field, "item-added", row, row.judge_item(before, after, item), item)


def _compare_patterns(
    field: str, old: frozenset[frozenset[str]], new: frozenset[frozenset[str]]
) -> Iterator[Change]:
    """Compare lists of patterns: one with another item by item, else each list is a demand of its own."""
    gone, come = old - new, new - old
    if len(gone) == len(come) == 1:
        yield from _compare_sets(field, *gone, *come)
        return
    row = _find_row(field)
    for listed in sorted(map(sorted, gone)):
        yield Change("policy", "removed", field, old=listed, way=row.judge(listed, None), concern=row.concern)
    for listed in sorted(map(sorted, come)):
        yield Change("policy", "added", field, new=listed, way=row.judge(None, listed), concern=row.concern)


def _find_row(field: str) -> Row:
    return find_row(("policy", field.partition(".")[0] if field.startswith("max_") else field))


def _replace(field: str, old: Any, new: Any) -> Change:
    row = _find_row(field)
    kind = "added" if old is None else "removed" if new is None else "changed"
    way = row.judge(old, new)
    return Change("policy", kind, field, to_json(old), to_json(new), None, way, row.concern)


def _take(field: str, kind: str, row: Row, way: Way, item: str) -> Change:
    return Change("policy", kind, field, item=item, way=way, concern=row.concern)


def _find_causes(change: Change, old: Policy, new: Policy) -> tuple[Cause, ...]:
    """Name the lines that only one of the policies has: the new one's where something is demanded, else the old one's."""
    fresh = [Cause("set", "new", place) for place in _locate(new, change, old)]
    stale = [Cause("was set", "old", place) for place in _locate(old, change, new)]
    lifted = change.kind in ("removed", "item-removed") and change.way is not Way.TIGHTENED
    return tuple((stale or fresh) if lifted else (fresh or stale))


def _locate(policy: Policy, change: Change, other: Policy) -> list[Location]:
    """Find the lines that speak of a demand and that another policy lacks."""
    field = change.field
    names = ("quantizations.allow", "quantizations.deny") if field == "quantizations" else (field,)
    known = {_sign(statement) for statement in other}
    said = [one for name in names for one in select(policy, name) if _sign(one) not in known]
    if field in CEILINGS:
        said = said[:1]
    elif change.item is not None:
        said = [one for one in said if _says(one, change.item)] or said
    elif field in PATTERNS:
        wanted = change.new if change.old is None else change.old
        said = [one for one in said if to_json(one.value) == wanted] or said
    places = [place for one in said if (place := _place(one, change.item)) is not None]
    return list(dict.fromkeys(places))


def _sign(statement: Statement) -> tuple[str, Any, str]:
    """Return what a statement says and whose it is, wherever in its file it stands."""
    return statement.field, statement.value, statement.layer.name


def _says(statement: Statement, item: Any) -> bool:
    value = statement.value
    return item in value if isinstance(value, frozenset) else bool(value == item)


def _place(statement: Statement, item: Any) -> Location | None:
    """Return the place of an item in a statement's list, or that of the statement."""
    document = statement.layer.document
    value: Any = {} if document is None else document.data
    for part in statement.path:
        value = value[part] if document is not None else value
    if isinstance(value, list) and item in value:
        return statement.layer.locate((*statement.path, value.index(item)))
    return statement.location
