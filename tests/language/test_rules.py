"""The registry of rules; the pages and their examples are held to it elsewhere."""

from __future__ import annotations

import re

import pytest

from orpolicy.language.diagnostics import Severity
from orpolicy.language.rules import FAMILIES, RULES, read_page


@pytest.mark.parametrize("code", RULES)
def test_a_code_is_kebab_case(code: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)


def test_every_row_of_the_table_is_a_rule() -> None:
    rows = {
        code: (family, severity) for family, table in FAMILIES.items() for code, severity in table.items()
    }
    assert rows == {code: (rule.family, rule.severity) for code, rule in RULES.items()}
    assert all(rule.code == code for code, rule in RULES.items())


def test_a_syntax_error_is_an_error() -> None:
    assert set(FAMILIES["syntax"].values()) == {Severity.ERROR}


def test_an_unknown_rule_has_no_page() -> None:
    with pytest.raises(KeyError, match="nothing-of-the-kind"):
        read_page("nothing-of-the-kind")


def test_a_page_is_read_into_its_parts() -> None:
    page = read_page("unknown-key")
    assert page.code == "unknown-key"
    assert page.summary in page.text.replace("\n", " ")
    assert page.fails
    assert page.passes
    assert page.source
    assert all(text.endswith("\n") for text in (*page.fails.values(), *page.passes.values()))
