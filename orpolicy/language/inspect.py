"""What is wrong with one document: its shape, and scalars that other readers take for something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Diagnostic, Finding, Related, Severity
from orpolicy.language.rules import RULES
from orpolicy.language.schema import check_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orpolicy.language.document import Document
    from orpolicy.language.source import Location, Path
    from orpolicy.language.walk import Ambiguity


def inspect_document(kind: str, document: Document) -> tuple[Diagnostic, ...]:
    """Report what is wrong with a document's shape, and its scalars that other readers take for something else."""
    findings = check_shape(kind, document.data, strict_integers=document.has_whole_decimals)
    if not findings and not document.ambiguities:
        return ()
    ambiguous = list(_find_ambiguous(kind, document, findings))
    if ambiguous:
        retyped = _find_retyped(kind, document, ambiguous)
        paths = {found.path for found in ambiguous}
        findings = [finding for finding in findings if finding.path not in paths]
        findings.extend(_explain_ambiguity(found, rejected=found.path in retyped) for found in ambiguous)
    return tuple([diagnose(finding, document.locate) for finding in findings])


def _find_ambiguous(kind: str, document: Document, findings: list[Finding]) -> Iterator[Ambiguity]:
    """Leave out what stands at or below another mistake, and ``off`` under ``rules``, where it is a word of ours."""
    wrong = {finding.path for finding in findings if finding.code != "integer-as-decimal"}
    for found in document.ambiguities:
        ours = kind == "project" and found.path[0] == "rules"
        if not ours and not any(found.path[:depth] in wrong for depth in range(1, len(found.path) + 1)):
            yield found


def diagnose(
    finding: Finding, locate: Callable[[Path, Any], Location], severity: Severity | None = None
) -> Diagnostic:
    """Put a finding at its place in a text."""
    related = tuple(Related(message, locate(path, "value")) for message, path in finding.related)
    place = locate(finding.path, finding.anchor)
    return Diagnostic(
        finding.code, severity or RULES[finding.code].severity, finding.message, place, finding.hint, related
    )


_KINDS_1_1 = {
    "bool": ("a boolean", True),
    "int": ("a number", 1),
    "float": ("a number", 1),
    "null": ("null", None),
    "timestamp": ("a date", None),
    "str": ("text", "text"),
}
"""Kinds of YAML 1.1: how they are called, and a value to try in the place of one."""


def _find_retyped(kind: str, document: Document, ambiguous: Sequence[Ambiguity]) -> set[Path]:
    """Find the scalars that other readers would hand on as something that the schema rejects."""
    stand_ins = {found.path: _KINDS_1_1[found.kind][1] for found in ambiguous if found.anchor == "value"}
    trial = check_shape(kind, _replace(document.data, (), stand_ins))
    dates = {found.path for found in ambiguous if found.kind == "timestamp"}
    return dates | {finding.path for finding in trial if finding.path in stand_ins}


def _explain_ambiguity(ambiguity: Ambiguity, *, rejected: bool) -> Finding:
    """Say how other readers take a scalar; where the schema would then reject it, that is an error."""
    name = _KINDS_1_1[ambiguity.kind][0]
    code = "yaml-retyped" if rejected and ambiguity.anchor == "value" else "yaml-ambiguous"
    message = f"'{ambiguity.text}' is {'a number' if ambiguity.kind == 'str' else 'text'} here, and {name} to a YAML 1.1 reader"
    hint = "write the number plainly" if ambiguity.kind == "str" else f'put it in quotes: "{ambiguity.text}"'
    return Finding(code, ambiguity.path, message, hint, ambiguity.anchor)


def _replace(data: Any, path: Path, stand_ins: Mapping[Path, Any]) -> Any:
    if path in stand_ins:
        return stand_ins[path]
    if isinstance(data, list):
        return [_replace(item, (*path, index), stand_ins) for index, item in enumerate(data)]
    if isinstance(data, dict):
        return {key: _replace(item, (*path, key), stand_ins) for key, item in data.items()}
    return data
