"""Where reports go, and in which colour."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orpolicy.cli.output import Destination, DestinationType, wants_color

if TYPE_CHECKING:
    from tests.cli.conftest import Run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "choice", "expected"),
    [
        (Terminal(), {}, None, True),
        (Terminal(), {"NO_COLOR": ""}, None, True),
        (Terminal(), {"NO_COLOR": "1"}, None, False),
        (Terminal(), {"NO_COLOR": "1"}, True, True),
        (Terminal(), {"TERM": "dumb"}, None, False),
        (Terminal(), {}, False, False),
        (io.StringIO(), {}, None, False),
        (io.StringIO(), {}, True, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    stream: io.StringIO,
    environment: dict[str, str],
    choice: bool | None,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_color(stream, choice) is expected


def test_a_report_goes_to_stdout_and_to_files(run: Run, project: Path) -> None:
    (project / "presets/fast.yaml").write_text("modle: x\n")
    plain = run("check", "fast").stdout
    result = run(
        "check",
        "fast",
        "--output-format",
        "concise",
        "--output-format",
        "json=a=b.json",
        "--output-format",
        "full=c",
    )
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "presets/fast.yaml:1:1: error: unknown key 'modle' (did you mean 'model'?)"
    )
    assert [found["code"] for found in json.loads((project / "a=b.json").read_text())] == ["unknown-key"]
    assert (project / "c").read_text() == plain


def test_a_report_to_files_alone_leaves_stdout_empty(run: Run, project: Path) -> None:
    result = run("check", "--output-format", "json=report.json")
    assert result.stdout == ""
    assert json.loads((project / "report.json").read_text()) == []


def test_colour_can_be_asked_for(run: Run, project: Path) -> None:
    (project / "presets/fast.yaml").write_text("modle: x\n")
    assert "\x1b[" in run("check", "fast", "--color").stdout
    assert "\x1b[" not in run("check", "fast", "--no-color").stdout


def test_a_destination_is_read_once() -> None:
    destination = Destination("json")
    assert DestinationType().convert(destination, None, None) is destination


@pytest.mark.parametrize("format_", ["json", "sarif", "junit"])
def test_a_report_that_cannot_be_written_is_a_failure_of_the_outside_world(
    format_: str, run: Run, project: Path
) -> None:
    result = run("check", "--output-format", f"{format_}=missing/report")
    assert result.exit_code == 3
    assert result.stderr == "Error: missing/report: No such file or directory\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_named_with_its_file(run: Run, project: Path) -> None:
    done = run("check", "--output-format", "json=/dev/full")
    assert (done.exit_code, done.stdout, done.stderr) == (
        3,
        "",
        "Error: /dev/full: No space left on device\n",
    )
