"""Comments that silence a rule: ``# orpolicy: ignore[rule]`` on the line of a finding or on the line above it.

Only warnings, and errors about meaning, can be silenced: what cannot be compiled, and what a policy forbids, cannot be
wished away in a comment. A comment that silences nothing is reported itself.
"""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.language.diagnostics import Diagnostic, Severity
from orpolicy.language.rules import RULES
from orpolicy.language.source import Location, Position
from orpolicy.language.suggest import find_similar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from orpolicy.language.document import Document

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*orpolicy:\s*ignore\[([^\]\n]*)\]")


@frozen
class Suppression:
    """One code in one comment; it covers its own line, or the next one where it stands alone."""

    code: str
    line: int
    place: Location


def may_suppress(code: str) -> bool:
    """Tell whether a comment, or a project's ``rules``, may silence this rule."""
    rule = RULES.get(code)
    return rule is not None and (
        rule.severity is not Severity.ERROR or rule.family in ("meaning", "catalogue")
    )


def holds_comments(document: Document) -> bool:
    """Tell whether a document may hold suppressing comments."""
    return "orpolicy:" in document.source.text


def find_suppressions(document: Document) -> tuple[Suppression, ...]:
    """Find the suppressing comments of a document; a look-alike inside a value is none."""
    return tuple(_scan(document)) if holds_comments(document) else ()


def _scan(document: Document) -> Iterator[Suppression]:
    for number, line in enumerate(document.source.lines, start=1):
        for comment in _COMMENT.finditer(line):
            if document.holds_value_at(Position(number, comment.start() + 1)):
                continue
            alone = not line[: comment.start()].strip()
            for code in re.finditer(r"[^\s,]+", comment[1]):
                start = comment.start(1) + code.start() + 1
                place = document.source.locate(
                    Position(number, start), Position(number, start + len(code[0]))
                )
                yield Suppression(code[0], number + 1 if alone else number, place)


def suppress(
    diagnostics: Iterable[Diagnostic],
    find_comments: Callable[[str], Iterable[Suppression]],
    asked: Mapping[str, Iterable[Suppression]] = MappingProxyType({}),
    unchecked: Sequence[str] = (),
) -> Iterator[Diagnostic]:
    """Drop the findings that comments in their own files silence, and report the comments that silence nothing.

    ``find_comments`` leads from a file's name to its comments. ``asked`` are those of the files whose findings are all
    there: only of those it is known which comments silence nothing. ``unchecked`` are the families of rules that were not
    looked at: nobody knows what their comments silence.
    """
    found = list(diagnostics)
    files = {diagnostic.location.file for diagnostic in found} - asked.keys()
    comments = {**asked, **{file: find_comments(file) for file in files}}
    wanted: dict[tuple[str, int, str], Suppression] = {}
    for file, suppressions in comments.items():
        for suppression in suppressions:
            wanted[file, suppression.line, suppression.code] = suppression
    used = set()
    for diagnostic in found:
        key = (diagnostic.location.file, diagnostic.location.span.start.line, diagnostic.code)
        if key in wanted and may_suppress(diagnostic.code):
            used.add(key)
        else:
            yield diagnostic
    for key, suppression in wanted.items():
        rule = RULES.get(suppression.code)
        if key not in used and key[0] in asked and not (rule and rule.family in unchecked):
            yield _report_unused(suppression)


def _report_unused(suppression: Suppression) -> Diagnostic:
    code = suppression.code
    if code not in RULES:
        severity = RULES["unknown-rule"].severity
        return Diagnostic(
            "unknown-rule", severity, f"there is no rule '{code}'", suppression.place, _suggest(code)
        )
    message = f"this comment silences no finding of '{code}'"
    hint = "remove it" if may_suppress(code) else f"'{code}' cannot be silenced: correct what it reports"
    return Diagnostic(
        "unused-suppression", RULES["unused-suppression"].severity, message, suppression.place, hint
    )


@cache
def _suggest(code: str) -> str:
    similar = find_similar(code, RULES)
    return f"did you mean '{similar}'?" if similar else "'orpolicy rule' lists all rules"
