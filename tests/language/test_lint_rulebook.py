"""Every rule about meaning is what its page says: the first example breaks it, the second breaks none."""

from __future__ import annotations

import re

import pytest

from orpolicy.language.diagnostics import Severity
from orpolicy.language.document import Document, read_document
from orpolicy.language.lint import CHECKS, lint
from orpolicy.language.rules import FAMILIES, RULES, read_page
from orpolicy.language.source import Source

MEANING = list(FAMILIES["meaning"])
PAGES = [code for codes in FAMILIES.values() for code in codes]


def read(text: str) -> Document:
    reading = read_document(Source("presets/example.yaml", text))
    assert reading.document is not None, reading.diagnostics
    return reading.document


def judge(text: str, asked: str) -> list[str]:
    """The codes that a text yields: those on by default, and the one that is asked for."""
    found = [finding.code for finding in lint(read(text).data)]
    return [code for code in found if code == asked or RULES[code].severity is not Severity.OFF]


@pytest.mark.parametrize("code", MEANING)
def test_the_failing_example_breaks_that_rule_and_no_other(code):
    (text,) = read_page(code).fails.values()
    assert set(judge(text, code)) == {code}


@pytest.mark.parametrize("code", MEANING)
def test_the_passing_example_breaks_no_rule(code):
    (text,) = read_page(code).passes.values()
    assert judge(text, code) == []


@pytest.mark.parametrize("code", MEANING)
def test_a_finding_points_into_the_file_and_at_what_explains_it(code):
    (text,) = read_page(code).fails.values()
    data = read(text).data
    for finding in lint(data):
        for path in (finding.path, *(path for _, path in finding.related)):
            place = data
            for part in path:
                place = place[part]


def test_every_rule_is_checked_and_every_check_has_a_rule():
    checked = {code for check in CHECKS for code in check.codes}
    assert checked == set(MEANING)


def test_advice_for_nearly_every_preset_is_off_by_default():
    off = {code for code, severity in FAMILIES["meaning"].items() if severity is Severity.OFF}
    assert off == {"missing-max-tokens", "floating-model", "tool-choice-not-guaranteed"}


@pytest.mark.parametrize("code", PAGES)
def test_a_page_says_what_happens_and_where_that_is_written(code):
    page = read_page(code)
    assert page.text.startswith(f"# {code}\n\n")
    assert page.summary.endswith((".", ":"))
    assert page.source.endswith(".")
    assert page.passes
    headings = re.findall(r"^## (.*)$", page.text, flags=re.MULTILINE)
    assert headings == ["Fails", "Passes", "Source"]
