"""The page for users who test their own application: its files are written and its tests run."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orpolicy.emulator.faults import KINDS
from orpolicy.emulator.scripts import read_faults

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = re.compile(r"^```\w+ (\S+)\n((?:.*\n)*?)```$", re.MULTILINE)


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "testing.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(page: str, tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    for name, text in BLOCK.findall(page):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_tests_of_the_page_pass(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("uvicorn")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-W", "error", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_the_file_of_faults_is_read(folder: Path) -> None:
    assert [fault.kind for fault in read_faults(folder / "faults.yaml")] == ["status", "cut", "status"]


def test_every_kind_of_fault_has_a_line(page: str) -> None:
    table = page.partition("| kind |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, flags=re.MULTILINE) == list(KINDS)
