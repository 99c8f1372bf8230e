"""A file of faults, as YAML or JSON: what ``orpolicy serve --faults`` reads.

.. code-block:: yaml

    faults:
      - {kind: status, status: 429, retry_after: 2, every: 20}
      - {kind: cut, after: 3, requests: [7, 8]}
      - {kind: status, status: 503, provider: anthropic}

Keys and kinds are those of ``Fault``. Every mistake is named with its place.
"""

from __future__ import annotations

from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.emulator.faults import KINDS, Fault
from orpolicy.errors import UsageError
from orpolicy.language.diagnostics import Diagnostic
from orpolicy.language.document import Document, decode, read_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path as File

    from orpolicy.language.source import Path
    from orpolicy.language.walk import Anchor

    Mistake = tuple[Path, Anchor, str]


@frozen
class _Check:
    """What a value has to be, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


def _is_count(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_seconds(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool) and value >= 0


_TEXT = _Check("a text", lambda value: isinstance(value, str))
_COUNT = _Check("a whole number from 1", _is_count)
_CHECKS = {
    "kind": _Check(f"one of {', '.join(KINDS)}", lambda value: value in KINDS),
    "status": _Check("an HTTP status from 400 to 599", lambda value: _is_count(value, 400) and value < 600),
    "retry_after": _Check(
        "a whole number of seconds or a date", lambda value: _is_count(value, 0) or isinstance(value, str)
    ),
    "requests": _Check(
        "a list of whole numbers from 1", lambda value: isinstance(value, list) and all(map(_is_count, value))
    ),
    "every": _COUNT,
    "after": _Check("a whole number from 0", lambda value: _is_count(value, 0)),
    "size": _COUNT,
    "seconds": _Check("a number of seconds from 0", _is_seconds),
    **dict.fromkeys(("model", "provider", "text", "message"), _TEXT),
}


def read_faults(file: File) -> tuple[Fault, ...]:
    """Read a file of faults; raise ``UsageError`` that names every mistake, ``OSError`` where it cannot be read."""
    source = decode(str(file), file.read_bytes())
    if isinstance(source, Diagnostic):
        raise UsageError(_say(source))
    reading = read_document(source)
    if reading.document is None or reading.diagnostics:
        raise UsageError("\n".join(map(_say, reading.diagnostics)))
    document = reading.document
    mistakes = [f"{document.locate(path, anchor)}: {what}" for path, anchor, what in _find_mistakes(document)]
    if mistakes:
        raise UsageError("\n".join(mistakes))
    rows: Any = document.data["faults"]
    return tuple(map(_make, rows))


def _say(found: Diagnostic) -> str:
    return f"{found.location}: {found.message}"


def _find_mistakes(document: Document) -> Iterator[Mistake]:
    yield from (
        ((key,), "key", f"there is no key '{key}' here; the only one is 'faults'")
        for key in document.data
        if key != "faults"
    )
    rows = document.data.get("faults")
    if not isinstance(rows, list):
        yield ("faults",) if "faults" in document.data else (), "value", "'faults' must be a list of faults"
        return
    for place, row in enumerate(rows):
        yield from _find_mistakes_of(row, ("faults", place))


def _find_mistakes_of(row: Any, path: Path) -> Iterator[Mistake]:
    if not isinstance(row, dict):
        yield path, "value", "a fault is a mapping: {kind: status, status: 429}"
        return
    if "kind" not in row:
        yield path, "value", f"'kind' is missing: {_CHECKS['kind'].words}"
    for key, value in row.items():
        check = _CHECKS.get(key)
        if check is None:
            close = get_close_matches(key, _CHECKS, 1)
            meant = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(_CHECKS)}"
            yield (*path, key), "key", f"a fault has no '{key}'; {meant}"
        elif not check.holds(value):
            yield (*path, key), "value", f"'{key}' must be {check.words}"


def _make(row: dict[str, Any]) -> Fault:
    given = dict(row)
    if "requests" in given:
        given["requests"] = tuple(given["requests"])
    if "seconds" in given:
        given["seconds"] = float(given["seconds"])
    return Fault(**given)
