"""Every rule has its page, and the page's examples behave as the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from catalogs import CATALOG, NOW

from orpolicy.disk import Library
from orpolicy.errors import CompileError
from orpolicy.inspection import Inspection
from orpolicy.language.checker import check
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.rules import FAMILIES, RULES, read_page
from orpolicy.language.suites import load_suite
from orpolicy.language.workspace import Workspace
from orpolicy.project import Project
from orpolicy.review.lock_check import check_lock
from orpolicy.review.scenarios import run_suites
from orpolicy.routing.snapshot import read_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from orpolicy.language.diagnostics import Report
    from orpolicy.routing.catalog import Catalog

NOT_IN_A_TEXT = {
    "unreadable-file": "a file that cannot be read has no text to show",
    "misnamed-file": "names of files are looked at on disk",
}
"""Rules whose page has no failing example, with the reason."""


COMPILED = {"abstract-preset"}
"""Rules about compiling one preset rather than about the files."""


def try_scenarios(workspace: Workspace, catalog: Catalog | None) -> set[str]:
    """Name the rules that scenario files break, before and while they are tried."""
    loaded = [load_suite(workspace, file) for file in workspace.suite_files]
    verdicts = run_suites(Project(workspace), [one.value for one in loaded], catalog)
    diagnostics = [*(found for one in loaded for found in one.diagnostics)]
    return {found.code for found in (*diagnostics, *(found for one in verdicts for found in one.diagnostics))}


def found(files: dict[str, str], *, compiled: bool = False, with_catalog: bool = False) -> set[str]:
    rules = "".join(f"  {code}: warning\n" for code, rule in RULES.items() if rule.severity == "off")
    switched_on = {"orpolicy.yaml": f"rules:\n{rules}"} if rules and "orpolicy.yaml" not in files else {}
    workspace = Workspace(Memory({**switched_on, **files}), Workspace(Library()))
    if with_catalog:
        return {diagnostic.code for diagnostic in check_with_catalog(workspace, files.get("catalog.json"))}
    if not compiled:
        return {diagnostic.code for diagnostic in Project(workspace).check()}
    try:
        Compiler(workspace).compile("example")
    except CompileError as error:
        return {diagnostic.code for diagnostic in error.report}
    return set()


def check_with_catalog(workspace: Workspace, snapshot: str | None) -> Report:
    """Check as a project with a snapshot does: the example's own, or the demonstration catalogue."""
    inspection = Inspection(read_snapshot(snapshot) if snapshot else CATALOG, NOW)
    further = [*inspection.inspect_age(workspace), *inspection.inspect_policies(workspace)]
    return check(Compiler(workspace), None, None, inspection.inspect, further)


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
    if RULES[code].family == "scenarios":
        catalog = None if code == "scenario-without-catalog" else CATALOG
        for files, expected in ((page.fails, {code}), (page.passes, set())):
            workspace = Workspace(Memory(files), Workspace(Library()))
            assert try_scenarios(workspace, catalog) == expected
        return
    if RULES[code].family == "lock":
        for files, expected in ((page.fails, {code}), (page.passes, set())):
            assert {
                one.code for one in check_lock(Project(Workspace(Memory(files), Workspace(Library()))))
            } == expected
        return
    how = {"compiled": code in COMPILED, "with_catalog": RULES[code].family == "catalogue"}
    if code not in NOT_IN_A_TEXT:
        assert code in found(page.fails, **how)
    assert page.passes
    assert code not in found(page.passes, **how)


@pytest.mark.parametrize("code", FAMILIES["catalogue"])
def test_with_a_catalogue_the_failing_example_breaks_that_rule_and_no_other(code: str) -> None:
    page = read_page(code)
    own = {name for name, rule in RULES.items() if rule.severity != "off"} | {code}
    assert found(page.fails, with_catalog=True) & own == {code}
    assert found(page.passes, with_catalog=True) & own == set()
