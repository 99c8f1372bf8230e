"""The table of rules in ``docs/routing.md``: every rule once, of one of two kinds, with code and a test that exist."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (implemented|unknown offline) \| (.+?) \| `(.+?)` \|$", re.MULTILINE)
CITATION = re.compile(r"\bfacts? ((?:\d+|, | and | to )+)")


def expand(text: str) -> Iterator[int]:
    """Yield the numbers of ``1, 2 and 5 to 7``."""
    for part in re.findall(r"\d+(?: to \d+)?", text):
        first, _, last = part.partition(" to ")
        yield from range(int(first), int(last or first) + 1)


@pytest.fixture(scope="module")
def document(root: Path) -> str:
    return (root / "docs/routing.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(document: str) -> dict[int, tuple[str, str, str]]:
    """Fact → state, where, shown by."""
    return {int(row[1]): (row[3], row[4], row[5]) for row in ROW.finditer(document)}


def test_every_rule_about_eligibility_or_order_has_one_row(
    document: str, rows: dict[int, tuple[str, str, str]]
) -> None:
    assert len(ROW.findall(document)) == len(rows)
    rest = set(expand(re.search(r"nor when: (.*?)\.\n", document, re.DOTALL)[1]))  # type: ignore[index]  # fails the test if absent
    assert set(rows) | rest == set(range(1, 75))
    assert not set(rows) & rest


def test_every_fact_cited_in_the_code_is_in_the_document(root: Path, document: str) -> None:
    tables = [line.split("|")[1] for line in document.splitlines() if line.startswith("| ")]
    known = {number for cell in tables for number in expand(cell)} | {11}
    cited = {
        number
        for wing in ("routing", "emulator")
        for file in (root / "orpolicy" / wing).glob("*.py")
        for found in CITATION.finditer(file.read_text(encoding="utf-8"))
        for number in expand(found[1])
    }
    assert cited - known == set()


def test_implemented_rules_name_modules_that_exist(root: Path, rows: dict[int, tuple[str, str, str]]) -> None:
    for state, where, _ in rows.values():
        if state == "implemented":
            for module in re.findall(r"`(.+?)`", where):
                folder = root / "orpolicy" / ("" if "/" in module else "routing")
                assert (folder / module).is_file(), module


def test_unknown_rules_give_their_reason(rows: dict[int, tuple[str, str, str]]) -> None:
    assert all(len(where) > 15 for state, where, _ in rows.values() if state == "unknown offline")


def test_every_rule_names_a_test_that_exists(root: Path, rows: dict[int, tuple[str, str, str]]) -> None:
    tests = root / "tests"
    for number, (state, _, shown) in rows.items():
        if shown.endswith(".json"):
            cases = json.loads((tests / "routing/cases" / shown).read_text(encoding="utf-8"))["cases"]
            if state == "implemented":
                assert any(number in case["facts"] for case in cases), (
                    f"no case of {shown} shows fact {number}"
                )
        else:
            file, _, name = shown.partition("::")
            found = next(tests.glob(f"*/{file}"))
            assert f"def {name}(" in found.read_text(encoding="utf-8"), shown


def test_every_case_names_a_rule_of_the_document(root: Path, document: str) -> None:
    tables = [line.split("|")[1] for line in document.splitlines() if line.startswith("| ")]
    known = {number for cell in tables for number in expand(cell)}
    for file in (root / "tests/routing/cases").glob("*.json"):
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
            assert set(case["facts"]) <= known, case["name"]
