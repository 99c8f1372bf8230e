"""What is wrong with one document: its shape, and scalars that other readers take for something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Diagnostic, Finding, Related, Severity
from orpolicy.language.rules import RULES
from orpolicy.language.schema import check_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orpolicy.language.document import Ambiguity, Document
    from orpolicy.language.source import Location, Path


def inspect_document(kind: str, document: Document) -> Iterable[Diagnostic]:
    """Report what is wrong with a document's shape, and its scalars that other readers take for something else."""
    findings = check_shape(kind, document.data, strict_integers=document.has_whole_decimals)
    places = {finding.path for finding in findings}
    for ambiguity in document.ambiguities:
        if ambiguity.path not in places:
            findings.append(_explain_ambiguity(kind, document, ambiguity))
    for finding in findings:
        yield diagnose(finding, document.locate)


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


def _explain_ambiguity(kind: str, document: Document, ambiguity: Ambiguity) -> Finding:
    """Say how other readers take a scalar; where the schema would then reject it, that is an error."""
    name, stand_in = _KINDS_1_1[ambiguity.kind]
    trial = _replace(document.data, ambiguity.path, stand_in)
    rejected = ambiguity.kind == "timestamp" or any(
        finding.path == ambiguity.path for finding in check_shape(kind, trial)
    )
    code = "yaml-retyped" if rejected else "yaml-ambiguous"
    message = f"'{ambiguity.text}' is {'a number' if ambiguity.kind == 'str' else 'text'} here, and {name} to a YAML 1.1 reader"
    hint = "write the number plainly" if ambiguity.kind == "str" else f'put it in quotes: "{ambiguity.text}"'
    return Finding(code, ambiguity.path, message, hint)


def _replace(data: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    if isinstance(data, list):
        return [
            _replace(item, path[1:], value) if index == path[0] else item for index, item in enumerate(data)
        ]
    return {key: _replace(item, path[1:], value) if key == path[0] else item for key, item in data.items()}
