"""Findings as SARIF 2.1.0, the form in which code scanning takes them.

.. code-block:: text

    run
      tool.driver.rules     the rules that were broken, each with its page of the rulebook
      results               one a finding: rule, level, message, region, related places, fingerprint
      invocations           one, which says how many findings had to be left out

Lines and columns begin at 1, columns count characters, ends are exclusive: SARIF's terms are ours. Files are named
relative to the folder where the command ran, ``%SRCROOT%``, which an upload takes for the root of the repository.

A fingerprint tells whether a finding is the one of last time. It is made of the file, the rule and the text of the
line, blanks apart, so that it stays when lines above come and go; equal ones are numbered. Code scanning reads it
under the name ``primaryLocationLineHash`` and under no other.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orpolicy
from orpolicy.disk import Library
from orpolicy.language.diagnostics import Severity
from orpolicy.language.files import BUILTIN
from orpolicy.language.rules import RULES, read_page
from orpolicy.language.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.cli.render import View
    from orpolicy.language.diagnostics import Diagnostic
    from orpolicy.language.source import Location

MOST_RESULTS = 5_000
"""GitHub keeps this many results of an upload, and refuses one of more than five times as many."""

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

ROOT = "%SRCROOT%"
LIBRARY = "ORPOLICY"
BASES = {
    ROOT: {"description": {"text": "The folder in which the command ran."}},
    LIBRARY: {"description": {"text": "The presets and policies that ship with orpolicy."}},
}

LEVELS: dict[Severity, dict[str, Any]] = {
    Severity.ERROR: {"level": "error"},
    Severity.WARNING: {"level": "warning"},
    Severity.OFF: {"enabled": False},
}

LINE_BREAKS = ["\r\n", "\r", "\n", "\x85", "\u2028", "\u2029"]
"""What YAML counts as the end of a line, and our line numbers with it."""


def render_sarif(view: View) -> str:
    """Write a SARIF log of one run, in ASCII; errors go before warnings where not all findings have room."""
    found = (*view.report.errors, *view.report.warnings)
    kept = found[:MOST_RESULTS]
    codes = sorted({one.code for one in kept})
    run = {
        "tool": {
            "driver": {
                "name": "orpolicy",
                "version": orpolicy.__version__,
                "semanticVersion": orpolicy.__version__,
                "rules": [_describe_rule(code) for code in codes],
            }
        },
        "invocations": [_describe_run(len(found), len(kept))],
        "originalUriBaseIds": BASES,
        "columnKind": "unicodeCodePoints",
        "newlineSequences": LINE_BREAKS,
        "results": [
            _describe(one, codes.index(one.code), fingerprint)
            for one, fingerprint in zip(kept, _fingerprints(view, kept), strict=True)
        ],
    }
    return redact(json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)) + "\n"


def _describe_rule(code: str) -> dict[str, Any]:
    """Describe a rule by its page, whose title is its code."""
    rule, page = RULES[code], read_page(code)
    return {
        "id": code,
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": page.summary},
        "help": {"text": page.text, "markdown": page.text},
        "defaultConfiguration": LEVELS[rule.severity],
        "properties": {"tags": [rule.family]},
    }


def _describe_run(found: int, kept: int) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": True}
    if found > kept:
        text = f"{found} findings, of which the first {kept} are listed here, errors before warnings: code scanning keeps no more."
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": text}}]
    return invocation


def _describe(found: Diagnostic, rule: int, fingerprint: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": found.severity.value,
        "message": {"text": f"{found.message}\nhelp: {found.hint}" if found.hint else found.message},
        "locations": [{"physicalLocation": _place(found.location)}],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
    }
    if found.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": other.message}, "physicalLocation": _place(other.location)}
            for number, other in enumerate(found.related, start=1)
        ]
    return result


def _place(location: Location) -> dict[str, Any]:
    start, end = location.span.start, location.span.end
    region = {
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }
    return {"artifactLocation": _name_file(location.file), "region": region}


def _name_file(file: str) -> dict[str, Any]:
    """Name a file as a URI; what is no file, such as ``<stdin>``, is described and has no base."""
    uri = quote(file, errors="surrogateescape")
    if file.startswith("<"):
        return {"uri": uri, "description": {"text": file.strip("<>")}}
    if PurePosixPath(file).is_absolute():
        return {"uri": f"file://{uri}"}
    if file.startswith(BUILTIN) and Library().read(file) is not None:
        return {"uri": uri, "uriBaseId": LIBRARY}
    # a first part with a colon would read as a scheme; `quote` has escaped it
    return {"uri": uri, "uriBaseId": ROOT}


def _fingerprints(view: View, found: Iterable[Diagnostic]) -> Iterable[str]:
    seen: Counter[str] = Counter()
    for one in found:
        content = "\0".join((one.location.file, one.code, _identify(view, one)))
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        seen[digest] += 1
        yield f"{digest}:{seen[digest]}"


def _identify(view: View, found: Diagnostic) -> str:
    """Return what tells a finding from others of its rule in its file: its line, or what it says where there is none.

    The line of a credential counts as none, for a digest of it could be guessed.
    """
    rows = view.rows(found.location)
    return " ".join(rows[0].text.split()) if rows else found.message
