"""Every rule has its page, and the page's examples behave as the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orpolicy.errors import CompileError
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.rules import FAMILIES, RULES, read_page
from orpolicy.language.workspace import Workspace
from orpolicy.project import Library

if TYPE_CHECKING:
    from pathlib import Path

NOT_IN_A_TEXT = {"unreadable-file": "a file that cannot be read has no text to show"}
"""Rules whose page has no failing example, with the reason."""


COMPILED = {"abstract-preset"}
"""Rules about compiling one preset rather than about the files."""


def found(files: dict[str, str], *, compiled: bool = False) -> set[str]:
    rules = "".join(f"  {code}: warning\n" for code, rule in RULES.items() if rule.severity == "off")
    switched_on = {"orpolicy.yaml": f"rules:\n{rules}"} if rules and "orpolicy.yaml" not in files else {}
    workspace = Workspace(Memory({**switched_on, **files}), Workspace(Library()))
    if not compiled:
        return {diagnostic.code for diagnostic in Compiler(workspace).check()}
    try:
        Compiler(workspace).compile("example")
    except CompileError as error:
        return {diagnostic.code for diagnostic in error.report}
    return set()


def test_every_rule_has_a_page_and_every_page_a_rule(root: Path) -> None:
    pages = {page.stem for page in (root / "orpolicy" / "language" / "rulebook").glob("*.md")}
    assert pages == set(RULES)


def test_no_rule_stands_in_two_families() -> None:
    codes = [code for rows in FAMILIES.values() for code in rows]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", RULES)
def test_the_failing_example_fails_and_the_passing_one_passes(code: str) -> None:
    page = read_page(code)
    assert page.text.startswith(f"# {code}\n\n")
    assert page.source
    if code not in NOT_IN_A_TEXT:
        assert code in found(page.fails, compiled=code in COMPILED)
    assert page.passes
    assert code not in found(page.passes, compiled=code in COMPILED)
