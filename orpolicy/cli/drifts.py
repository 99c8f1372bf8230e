"""Drift as text: for people, for programs, and as Markdown that becomes an issue.

.. code-block:: text

    text        one line a drift with what changed and whom it concerns, below its severity
    json        {"format": "orpolicy-drift", "version": 1, …, "items": […]}: each item with its id, title and Markdown
    markdown    a section a drift: a title that stays the same, a hidden id, a table, the presets

Names come from a catalogue that anybody may write into. In Markdown they stand in code spans only, where a mention, a
link or a tag is plain text, without backticks and pipes; control characters are shown as symbols; everything has a most
length.
"""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.cli.snippet import visible
from orpolicy.review.drift_kinds import Change, Severity, write_value
from orpolicy.routing.prices import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from orpolicy.review.drift_kinds import Concern, Drift
    from orpolicy.routing.catalog import Catalog

MOST_NAMES = 20
"""Presets, and changes, that one drift lists; the rest is counted."""

MOST_TEXT = 120
"""The most characters of one name."""

MOST_TITLE = 200
"""The most characters of a title: an issue of GitHub's takes 256."""

MOST_MARKDOWN = 60_000
"""The most characters of a page: an issue of GitHub's takes 65,536."""


@frozen
class Report:
    """All drift, between which lock and which catalogue; ``lock`` and ``source`` are what people call them."""

    found: tuple[Drift, ...]
    lock: str
    source: str
    locked: Catalog | None
    fresh: Catalog

    def summarise(self) -> str:
        """Count what drifted, in one line."""
        numbers = [f"{number} {severity}" for severity, number in self.counts.items() if number]
        what = ", ".join(numbers) if numbers else "no drift"
        return f"{self.lock} against {self.source}: {what}"

    @property
    def counts(self) -> dict[Severity, int]:
        """How many drifts there are of each severity."""
        return {severity: sum(one.severity is severity for one in self.found) for severity in Severity}


def write_title(drift: Drift) -> str:
    """Return a drift's title on one harmless line; one that is too long is cut, and ends with the drift's id."""
    title = visible(drift.title)
    return title if len(title) <= MOST_TITLE else f"{_cut(title, MOST_TITLE - len(drift.id) - 1)} {drift.id}"


def _cut(text: str, most: int = MOST_TEXT) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def render_text(report: Report) -> Iterator[str]:
    """Yield the lines for people; none where nothing drifted."""
    for severity, group in groupby(report.found, key=lambda one: one.severity):
        yield f"{severity}"
        for drift in group:
            yield f"  {write_title(drift)}"
            lines = [drift.note, *_limit([*map(_describe, drift.changes)], _say_more)]
            yield from (f"    {_cut(visible(line), 2 * MOST_TEXT)}" for line in lines if line)
            for note, names in _group(drift.concerns):
                listed = visible(", ".join(_limit([*map(_name, names)], _say_more)))
                yield f"    in {listed}{': ' if note else ''}{_cut(visible(note))}"


def _describe(change: Change) -> str:
    """Say what a value was and is: ``prompt: 1 → 1.2 USD per million tokens (+20 %)``."""
    before, after = write_value(change.before), write_value(change.after)
    if before is None or after is None:
        values = (f"+ {after}" if change.field == "model" else after) if before is None else f"- {before}"
        return f"{change.field}: {values}{' ' if change.unit else ''}{change.unit}"
    parts = (f"{change.field}: {before} → {after}", change.unit, _say_percent(change))
    return " ".join(part for part in parts if part)


def _say_percent(change: Change) -> str:
    """Say by how much a number rose, in brackets; nothing where that says nothing."""
    percent = change.percent
    return f"({'+' if percent > 0 else ''}{plain(percent)} %)" if percent else ""


def _name(concern: Concern) -> str:
    return concern.preset if concern.environment is None else f"{concern.preset} [{concern.environment}]"


def _group(concerns: Iterable[Concern]) -> Iterator[tuple[str, list[Concern]]]:
    """Yield what is said of presets, and the presets of which it is said."""
    groups: dict[str, list[Concern]] = {}
    for concern in concerns:
        groups.setdefault(concern.note, []).append(concern)
    yield from groups.items()


def _limit(lines: Sequence[str], say_more: Callable[[int], str]) -> list[str]:
    """Keep as many lines as one drift may have, and count the others."""
    more = len(lines) - MOST_NAMES
    return [*lines[:MOST_NAMES], say_more(more)] if more > 0 else [*lines]


def _say_more(number: int) -> str:
    return f"and {number} more"


def render_json(report: Report) -> str:
    """Return the report for programs; numbers are decimal strings."""
    return json.dumps(
        {
            "format": "orpolicy-drift",
            "version": 1,
            "lock": report.lock,
            "locked_catalog": {"digest": report.locked.digest if report.locked else None},
            "catalog": _catalog_to_json(report.fresh),
            "summary": {str(severity): number for severity, number in report.counts.items()},
            "items": [*map(_to_json, report.found)],
        },
        indent=2,
    )


def _catalog_to_json(catalog: Catalog) -> Mapping[str, Any]:
    time = catalog.time.isoformat().replace("+00:00", "Z") if catalog.time else None
    return {"time": time, "digest": catalog.digest, "complete": catalog.complete}


def _to_json(drift: Drift) -> Mapping[str, Any]:
    return {
        "id": drift.id,
        "kind": drift.kind,
        "severity": drift.severity,
        "title": write_title(drift),
        "subject": list(drift.subject),
        "presets": [concern.to_json() for concern in drift.concerns],
        "changes": [change.to_json() for change in drift.changes],
        "note": drift.note or None,
        "markdown": "\n".join(_write_body(drift)) + "\n",
    }


def render_markdown(report: Report) -> Iterator[str]:
    """Yield the lines of a page with a section a drift, the gravest first, as many as an issue can hold."""
    numbers = [f"**{number} {severity}**" for severity, number in report.counts.items() if number]
    what = ", ".join(numbers) if numbers else "no drift"
    yield f"{code(report.lock)} against {report.source}: {what}."
    size = 0
    for number, drift in enumerate(report.found):
        section = ["", f"## {_write_heading(drift)}", "", *_write_body(drift)]
        size += sum(len(line) + 1 for line in section)
        if size > MOST_MARKDOWN - 1000:
            yield ""
            yield f"And {len(report.found) - number} more: `orpolicy drift --format json` lists all."
            return
        yield from section


def _write_heading(drift: Drift) -> str:
    return f"{drift.phrase}: {' at '.join(map(code, drift.subject))}"


def _write_body(drift: Drift) -> Iterator[str]:
    """Yield a section without its heading."""
    yield f"<!-- orpolicy-drift: {drift.id} -->"
    yield f"**{drift.severity}**" + (f", {code(drift.note)}" if drift.note else "")
    if drift.changes:
        yield ""
        yield "| what | before | after | |"
        yield "|---|---|---|---|"
        yield from _limit([*map(_write_row, drift.changes)], lambda more: f"| {_say_more(more)} | | | |")
    yield ""
    for note, names in _group(drift.concerns):
        listed = ", ".join(_limit([*map(_write_name, names)], _say_more))
        yield f"- {listed}{': ' if note else ''}{code(note) if note else ''}"


def _write_row(change: Change) -> str:
    values = (write_value(value) for value in (change.before, change.after))
    cells = [code(change.field), *("" if value is None else code(value) for value in values)]
    unit = " ".join(part for part in (change.unit, _say_percent(change)) if part)
    return "| " + " | ".join([*cells, unit]) + " |"


def _write_name(concern: Concern) -> str:
    name = code(concern.preset)
    return name if concern.environment is None else f"{name} in {code(concern.environment)}"


def code(text: str) -> str:
    """Write any text as a code span that nothing inside can leave, also in a cell of a table."""
    harmless = _cut(visible(text)).replace("`", "'").replace("|", "\N{BROKEN BAR}")
    return f"`{harmless}`" if harmless.strip() else "` `"
