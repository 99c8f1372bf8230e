"""Findings as a JUnit report, which GitLab, Jenkins and most other CI servers show as tests.

.. code-block:: text

    testsuites
      testsuite name="orpolicy"
        testcase name="presets/fast.yaml"             a file without an error passed
        testcase name="presets/slow.yaml"
          failure message="unknown key 'modle' …"     its errors, all in one text
          system-out                                  its warnings

A file is one test case, so that its name stays the same from run to run; its errors share one ``failure``, because
servers show the first one only. XML has no place for most control characters: they become visible symbols, and what
XML can hold in no form at all becomes U+FFFD.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from attrs import evolve

from orpolicy.cli.render import count, render_full
from orpolicy.cli.snippet import visible
from orpolicy.language.diagnostics import Report, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orpolicy.cli.render import View
    from orpolicy.language.diagnostics import Diagnostic

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, not even escaped (section 2.2)."""


def render_junit(view: View) -> str:
    """Write a JUnit report: one test case for every file that was checked, and for every other one with a finding."""
    by_file: dict[str, list[Diagnostic]] = {file: [] for file in view.list_checked()}
    for file, found in groupby(view.report, lambda one: one.location.file):
        by_file.setdefault(file, []).extend(found)
    cases = [_write_case(view, file, found) for file, found in sorted(by_file.items())]
    failures = sum(case.find("failure") is not None for case in cases)
    counts = {"name": "orpolicy", "tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    suites = ET.Element("testsuites", counts)
    ET.SubElement(suites, "testsuite", counts | {"skipped": "0"}).extend(cases)
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _write_case(view: View, file: str, found: Iterable[Diagnostic]) -> ET.Element:
    report = Report(tuple(found))
    case = ET.Element("testcase", {"classname": "orpolicy", "name": _clean(visible(file))})
    if report.errors:
        first, *others = report.errors
        more = f" (and {count(len(others), 'more error')})" if others else ""
        said = {"type": first.code, "message": _clean(visible(first.message) + more)}
        ET.SubElement(case, "failure", said).text = _show(view, report, Severity.ERROR)
    if report.warnings:
        ET.SubElement(case, "system-out").text = _show(view, report, Severity.WARNING)
    return case


def _show(view: View, report: Report, severity: Severity) -> str:
    """Show the findings of one severity as on a terminal, without its colours."""
    chosen = Report(tuple(one for one in report if one.severity is severity))
    return _clean("\n" + render_full(evolve(view, report=chosen, color=False)))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
