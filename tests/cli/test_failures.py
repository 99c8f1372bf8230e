"""Every way for a run to end: one line on stderr, an exit code, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import click
import pytest

from orpolicy.cli import main, verbs
from orpolicy.cli.failures import exit_code_of
from orpolicy.errors import (
    CatalogError,
    ClientError,
    CompileError,
    CostCeilingExceeded,
    OrpolicyError,
    PolicyViolation,
    UsageError,
)
from orpolicy.language.diagnostics import Diagnostic, Report, Severity
from orpolicy.language.source import Location, Position, Span

if TYPE_CHECKING:
    from pathlib import Path

PLACE = Location("a.yaml", Span(Position(1, 1), Position(1, 2)))
REPORT = Report((Diagnostic("unknown-key", Severity.ERROR, "unknown key 'x'", PLACE),))


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (CompileError(REPORT), 1, "Error: a.yaml:1:1: unknown key 'x' [unknown-key]\n"),
        (PolicyViolation(REPORT), 1, "Error: a.yaml:1:1: unknown key 'x' [unknown-key]\n"),
        (CostCeilingExceeded("too dear", ceiling=Decimal(1)), 1, "Error: too dear\n"),
        (UsageError("no preset 'x'"), 2, "Error: no preset 'x'\n"),
        (CatalogError("broken"), 3, "Error: broken\n"),
        (ClientError("no answer"), 3, "Error: no answer\n"),
        (OrpolicyError("other"), 3, "Error: other\n"),
        (UsageError("red \x1b[31m, sk-or-v1-0123456789"), 2, "Error: red ␛[31m, *******************\n"),
        (UsageError("no 'a\n::error::b'"), 2, "Error: no 'a␊::error::b'\n"),
        (FileNotFoundError(2, "Not found", "a\n::error::b"), 3, "Error: a␊::error::b: Not found\n"),
        (PermissionError(13, "Permission denied", "a.yaml"), 3, "Error: a.yaml: Permission denied\n"),
        (OSError("odd"), 3, "Error: odd\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
    ],
)
def test_a_failure_ends_in_its_exit_code(
    failure: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        raise failure

    assert exit_code_of(run) == code
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(
    "failure", [KeyError("a secret"), RecursionError("a secret"), MemoryError("a secret")]
)
def test_a_bug_is_named_by_type_and_place_and_its_text_is_kept_back(
    failure: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        raise failure

    assert exit_code_of(run) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"Error: {type(failure).__name__} in cli/failures.py:")
    assert "secret" not in line


@pytest.mark.parametrize("failure", [click.UsageError("x"), click.exceptions.Exit(4)])
def test_what_click_can_say_itself_is_left_to_it(failure: Exception) -> None:
    def run() -> None:
        raise failure

    with pytest.raises(type(failure)):
        exit_code_of(run)


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1)])
def test_a_verb_that_ends_well_decides_itself(returned: int | None, code: int) -> None:
    assert exit_code_of(lambda: returned) == code


def test_a_closed_pipe_ends_the_run_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    def run() -> None:
        raise BrokenPipeError

    assert exit_code_of(run) == 141
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(os.name == "nt", reason="there are no POSIX pipes")
def test_a_reader_that_goes_away_is_no_failure_to_talk_about(tmp_path: Path) -> None:
    program = f"{sys.executable} -m orpolicy schema preset; echo $? >{tmp_path / 'code'}"
    done = subprocess.run(
        ["bash", "-c", f"({program}) | head -c 1"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stderr == ""
    assert (tmp_path / "code").read_text().strip() in {"0", "141"}


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_program_started_without_a_stream_ends_as_with_one(project: Path, streams: str) -> None:
    line = f"{sys.executable} -m orpolicy lock --check {streams}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (1, False)


def test_an_interrupt_before_a_verb_began_is_one_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["orpolicy", "check"])
    monkeypatch.setattr(verbs.command, "main", interrupt)
    with pytest.raises(SystemExit) as left:
        main.run()
    assert (left.value.code, capsys.readouterr().err) == (130, "interrupted\n")
