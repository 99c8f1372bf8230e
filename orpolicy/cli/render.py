"""The formats in which a command reports its findings, as pure functions from a report to text.

.. code-block:: text

    full      for people: place, message, the source line with carets, help, and every related place
    concise   one line a finding, for editors and grep
    json      a list of objects, for programs; 1-based, columns in characters
    github    workflow annotations, shown by GitHub beside the lines of a pull request

The larger ones, ``sarif`` and ``junit``, have modules of their own, and :mod:`orpolicy.cli.formats` has the table.

All take a :class:`View`: the report, the texts its places lie in, and whether colour is wanted. Nothing here prints.
Text from files is made visible before it is shown (see :mod:`orpolicy.cli.snippet`), credentials are starred out
wherever they stand, and the line of a finding about one is not quoted at all.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.cli.snippet import Excerpt, Row, visible
from orpolicy.language.diagnostics import Diagnostic, Report, Severity
from orpolicy.language.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orpolicy.language.source import Location, Source

SECRET_RULES = frozenset({"secret-in-file"})
"""Rules whose findings quote no source line, because the line is the secret."""

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.OFF: "blue"}
NOTE_COLOUR = "cyan"
HELP_COLOUR = "green"


@frozen
class View:
    """A report and what it takes to show it.

    ``find_source`` returns the text of a file that a place names; ``list_checked`` lists the files that were looked at,
    with a finding or without.
    """

    report: Report
    find_source: Callable[[str], Source | None]
    color: bool = False
    list_checked: Callable[[], Iterable[str]] = tuple
    _excerpts: dict[str, Excerpt | None] = field(factory=dict, init=False)

    @cached_property
    def secret_lines(self) -> frozenset[tuple[str, int]]:
        """The lines that hold a credential: no finding quotes them, whatever it is about."""
        return frozenset(
            (found.location.file, line)
            for found in self.report
            if found.code in SECRET_RULES
            for line in range(found.location.span.start.line, found.location.span.end.line + 1)
        )

    def rows(self, location: Location) -> list[Row]:
        """Return the rows of source that show a place; none where its text is not at hand or is secret."""
        if location.file not in self._excerpts:
            source = self.find_source(location.file)
            self._excerpts[location.file] = Excerpt.of(source) if source else None
        excerpt = self._excerpts[location.file]
        rows = list(excerpt.rows(location.span)) if excerpt else []
        return [] if any((location.file, row.number) in self.secret_lines for row in rows) else rows

    def paint(self, text: str, colour: str | None, *, bold: bool = True) -> str:
        """Colour a text where colour is wanted."""
        if not self.color:
            return text
        import click  # noqa: PLC0415 - only a terminal pays for it

        return click.style(text, fg=colour, bold=bold)


def render_full(view: View) -> str:
    """Write findings for people, a blank line between two."""
    return "\n".join("".join(line + "\n" for line in _full(view, found)) for found in view.report)


def render_concise(view: View) -> str:
    """Write one line a finding, its hint included."""
    return "".join(_headline(view, found, hint=found.hint) + "\n" for found in view.report)


def render_json(view: View) -> str:
    """Write a JSON list of findings, in ASCII so that no terminal's encoding matters."""
    return redact(json.dumps([_as_object(found) for found in view.report], indent=2)) + "\n"


def render_github(view: View) -> str:
    """Write workflow commands of GitHub Actions, one a finding."""
    return "".join(_annotation(found) + "\n" for found in view.report)


def count(number: int, noun: str) -> str:
    """Say a number of things: ``1 error``, ``2 errors``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def summarise(report: Report) -> str:
    """Say how many errors and warnings a report holds; ``no findings`` where it holds none."""
    kinds = {"error": len(report.errors), "warning": len(report.warnings)}
    return ", ".join(count(number, noun) for noun, number in kinds.items() if number) or "no findings"


def _full(view: View, found: Diagnostic) -> Iterator[str]:
    places = [view.rows(found.location)] + [view.rows(other.location) for other in found.related]
    width = max((len(str(row.number)) for rows in places for row in rows if row.number), default=1)
    yield _headline(view, found)
    yield from _snippet(view, places[0], width, COLOURS[found.severity])
    if found.hint:
        yield from _indented(
            view, "help", HELP_COLOUR, [visible(line) for line in found.hint.split("\n")], width
        )
    for other, rows in zip(found.related, places[1:], strict=True):
        place = visible(str(other.location))
        yield from _indented(view, "note", NOTE_COLOUR, [f"{visible(other.message)}: {place}"], width)
        yield from _snippet(view, rows, width, NOTE_COLOUR)


def _headline(view: View, found: Diagnostic, hint: str | None = None) -> str:
    place = view.paint(visible(str(found.location)), None)
    severity = view.paint(found.severity, COLOURS[found.severity])
    code = view.paint(f"[{found.code}]", None, bold=False)
    more = f" ({visible(hint)})" if hint else ""
    return f"{place}: {severity}: {visible(found.message)}{more} {code}"


def _snippet(view: View, rows: list[Row], width: int, colour: str) -> Iterator[str]:
    for row in rows:
        if row.number is None:
            yield f"  {'...':>{width}}"
            continue
        yield f"  {view.paint(f'{row.number:>{width}} |', 'blue')} {row.text}".rstrip()
        yield f"  {view.paint(' ' * width + ' |', 'blue')} {view.paint(row.carets, colour)}"


def _indented(view: View, label: str, colour: str, lines: list[str], width: int) -> Iterator[str]:
    first, *rest = lines
    yield f"  {' ' * width} {view.paint(label + ':', colour)} {first}"
    for line in rest:
        yield f"  {' ' * (width + len(label) + 2)} {line}".rstrip()


def _as_object(found: Diagnostic) -> dict[str, Any]:
    return {
        "code": found.code,
        "severity": found.severity.value,
        "message": found.message,
        **_place(found.location),
        "hint": found.hint,
        "related": [{"message": other.message, **_place(other.location)} for other in found.related],
    }


def _place(location: Location) -> dict[str, Any]:
    start, end = location.span.start, location.span.end
    return {
        "file": location.file,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    }


def _annotation(found: Diagnostic) -> str:
    """Write one annotation; GitHub takes columns only where a span stays on one line."""
    start, end = found.location.span.start, found.location.span.end
    properties: dict[str, object] = {"file": found.location.file, "line": start.line, "endLine": end.line}
    if start.line == end.line:
        properties |= {"col": start.column, "endColumn": end.column}
    properties["title"] = found.code
    notes = [f"{other.message}: {other.location}" for other in found.related]
    text = "\n".join([found.message, *([f"help: {found.hint}"] if found.hint else []), *notes])
    listed = ",".join(f"{key}={_escape_property(str(value))}" for key, value in properties.items())
    return f"::{found.severity} {listed}::{_escape_data(text)}"


def _escape_data(text: str) -> str:
    """Escape what GitHub's runner reads as syntax; other control characters become visible."""
    lines = text.replace("%", "%25").replace("\r", "%0D").split("\n")
    return "%0A".join(map(visible, lines))


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
