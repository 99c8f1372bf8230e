"""Holding what a scenario expects against an outcome.

.. code-block:: text

    body                values of the compiled body; null: nothing there
    the rest            promises of the route (promises)

Where nobody may serve a preset, all that is expected of its route fails, once, unless the scenario expects just that: of nobody,
everything holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orpolicy.language.source import from_pointer
from orpolicy.language.values import canonical_json
from orpolicy.language.violations import describe
from orpolicy.review.outcomes import Failure, Outcome
from orpolicy.review.promises import PROMISES, report_nobody

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.language.source import Path

_LONGEST = 60
"""Characters of a list or a mapping that a message shows."""


def judge(expect: Mapping[str, Any], outcome: Outcome) -> Iterator[Failure]:
    """Yield what does not hold of an outcome, in the order of the expectations.

    Expectations about a route are judged where there is one.
    """
    judges = {"body": _judge_body, **(PROMISES if outcome.route else {})}
    if outcome.route and outcome.route.availability and not _expects_nobody(expect):
        first = needs_catalog(expect)
        yield from report_nobody(first, outcome) if first else ()
        judges = {"body": _judge_body}
    for key in expect:
        if key in judges:
            yield from judges[key](expect[key], outcome)


def needs_catalog(expect: Mapping[str, Any]) -> str | None:
    """Name the first expectation that only a catalogue can answer."""
    return next((key for key in expect if key in PROMISES), None)


def _expects_nobody(expect: Mapping[str, Any]) -> bool:
    return expect.get("reachable") is False or "availability" in expect


def _judge_body(expected: Mapping[str, Any], outcome: Outcome) -> Iterator[Failure]:
    for pointer, value in expected.items():
        path = from_pointer(pointer)
        found = _look_up(outcome.body, path)
        if _is_same(value, found, priced=path[:2] == ("provider", "max_price")):
            continue
        if found is None:
            message = f"the body has nothing at {pointer}, where {_show(value)} is expected"
            related = outcome.relate("this is what there is", path)
        else:
            wanted = "nothing" if value is None else _show(value)
            message = f"{pointer} is {_show(found)}, where {wanted} is expected"
            related = outcome.relate("it is set here", path)
        yield Failure(("body", pointer), message, related)


def _look_up(body: Any, path: Path) -> Any:
    """Return what stands at a path; ``None`` where nothing does, for no body holds a null."""
    for part in path:
        if isinstance(body, Mapping):
            body = body.get(str(part))
        elif isinstance(body, Sequence) and not isinstance(body, str) and isinstance(part, int):
            body = body[part] if part < len(body) else None
        else:
            return None
    return body


def _is_same(expected: Any, found: Any, *, priced: bool = False) -> bool:
    """Compare JSON: 1 and true differ, 0.20 and 0.2 do not; prices are texts in a body."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return expected.keys() == found.keys() and all(
            _is_same(value, found[key], priced=priced) for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(_is_same, expected, found))
    if _is_number(expected) and (_is_number(found) or (priced and isinstance(found, str))):
        return bool(Decimal(str(expected)) == Decimal(str(found)))
    return type(expected) is type(found) and bool(expected == found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _show(value: Any) -> str:
    if not isinstance(value, list | dict):
        return describe(Decimal(str(value)) if isinstance(value, float) else value)
    text = canonical_json(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
