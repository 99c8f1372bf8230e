"""``orpolicy lock`` and ``check --locked``: what is written, what is said, and how a run ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import orpolicy
from orpolicy.routing.snapshot import demonstration, write_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.conftest import Run


def test_a_lock_is_written_once_and_left_alone_while_it_is_current(run: Run, project: Path) -> None:
    first = run("lock")
    assert (first.exit_code, first.stdout) == (0, "")
    assert first.stderr == "orpolicy.lock written: 2 presets, 4 compiled\n"
    before = (project / "orpolicy.lock").stat()
    second = run("lock")
    assert (second.exit_code, second.stderr) == (0, "orpolicy.lock is current: 2 presets, 4 compiled\n")
    assert (project / "orpolicy.lock").stat() == before


def test_a_lock_with_a_catalogue_counts_the_facts_that_it_rests_on(run: Run, project: Path) -> None:
    (project / "catalog.json").write_text(write_snapshot(demonstration()))
    assert run("lock").stderr == "orpolicy.lock written: 2 presets, 4 compiled, 1 model, 2 endpoints\n"


def test_a_lock_is_written_at_the_root_wherever_one_stands(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "presets" / "support")
    assert run("lock").exit_code == 0
    monkeypatch.chdir(project.parent)
    assert run("lock", "--project", "project").stderr.startswith("orpolicy.lock is current")
    lock = orpolicy.load(project / "orpolicy.lock")
    assert lock.preset("fast", "prod").body["max_tokens"] == 200


def test_a_project_with_errors_is_not_locked(run: Run, project: Path) -> None:
    run("lock")
    before = (project / "orpolicy.lock").read_bytes()
    (project / "presets/fast.yaml").write_text("model: openai/gpt-5-mini:free\ntemperature: 9\n")
    result = run("lock")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (
        "presets/fast.yaml:2:14: error: 'temperature' must be at most 2, not 9 [out-of-range]"
        in result.stderr
    )
    assert result.stderr.endswith("orpolicy.lock was not written\n")
    assert (project / "orpolicy.lock").read_bytes() == before


def test_a_lock_that_is_not_current_is_a_finding_of_both_verbs(run: Run, project: Path) -> None:
    assert run("check", "--locked").exit_code == 1
    run("lock")
    assert run("check", "--locked").exit_code == 0
    assert (run("lock", "--check").exit_code, run("lock", "--check").stderr) == (
        0,
        "orpolicy.lock is current\n",
    )
    (project / "presets/base.yaml").write_text("abstract: true\nmax_tokens: 101\n")
    assert run("check").exit_code == 0
    checked = run("check", "--locked", "--output-format", "concise")
    assert (checked.exit_code, checked.stdout) == (
        1,
        (
            "presets/fast.yaml:1:1: error: the lock holds another request of 'fast' "
            "(write the lock again and review what changed in it: 'orpolicy lock') [lock-outdated]\n"
            "presets/support/triage.yaml:1:1: error: the lock holds another request of 'support/triage' "
            "(write the lock again and review what changed in it: 'orpolicy lock') [lock-outdated]\n"
        ),
    )
    before = (project / "orpolicy.lock").read_bytes()
    locked = run("lock", "--check")
    assert locked.exit_code == 1
    assert locked.stderr.count("[lock-outdated]") == 2
    assert locked.stderr.endswith("orpolicy.lock is not current\n")
    assert (project / "orpolicy.lock").read_bytes() == before


def test_only_the_presets_that_are_asked_for_are_held_against_the_lock(run: Run, project: Path) -> None:
    run("lock")
    (project / "presets/support/triage.yaml").write_text("extends: fast\nseed: 1\n")
    assert run("check", "fast", "--locked").exit_code == 0
    assert run("check", "support/triage", "--locked").exit_code == 1


def test_a_broken_lock_is_one_finding_and_no_traceback(run: Run, project: Path) -> None:
    for content in (b"{", b"\xff", b"<<<<<<< HEAD\n{", b'{"format": "orpolicy-lock", "version": 9}'):
        (project / "orpolicy.lock").write_bytes(content)
        result = run("check", "--locked", "--output-format", "json")
        assert result.exit_code == 1
        [found] = json.loads(result.stdout)
        assert (found["code"], found["file"]) == ("lock-unreadable", "orpolicy.lock")
        assert run("lock").exit_code == 0


def test_what_stands_in_the_place_of_a_lock_is_a_failure_in_one_line(run: Run, project: Path) -> None:
    (project / "orpolicy.lock").mkdir()
    result = run("lock")
    assert (result.exit_code, result.stderr) == (3, "Error: 'orpolicy.lock' is a folder: remove it\n")
    assert run("check", "--locked").exit_code == 1


def test_what_is_no_project_has_no_lock(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("check", "../loose/alone.yaml", "--locked")
    assert result.exit_code == 2
    assert "a file outside any has no lock" in result.stderr
    monkeypatch.chdir(project.parent / "loose")
    result = run("lock")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no project here" in result.stderr


def test_advice_of_the_catalogue_keeps_nobody_from_locking(run: Run, project: Path) -> None:
    (project / "catalog.json").write_text(write_snapshot(demonstration()))
    (project / "orpolicy.yaml").write_text("environments: [dev, prod]\nrules: {stale-catalog: error}\n")
    assert run("check").exit_code == 1
    assert run("lock").exit_code == 0
