"""Presets and projects with the output that they must give: the whole output and the exit code of each command.

``tests/cases/ok`` and ``err`` hold single presets, ``tests/cases/projects`` whole folders. ``NAME.out`` (``session.out``
in a project) is a transcript: commands after ``$``, what they print on both streams, and their exit code.
``ORPOLICY_UPDATE=1`` rewrites the transcripts; a new preset gets one from the commands of its folder.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from orpolicy.cli.verbs import command

CASES = Path(__file__).resolve().parents[1] / "cases"
COMMANDS = {
    "ok": ["orpolicy check {0}", "orpolicy compile {0} --pretty"],
    "err": ["orpolicy check {0}"],
}
PRESETS = sorted((*CASES.glob("ok/*.yaml"), *CASES.glob("err/*.yaml")))
PROJECTS = sorted(CASES.glob("projects/*/session.out"))


def transcribe(lines: list[str]) -> str:
    """Run commands in-process and write down what they print and how they end."""
    written = []
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "orpolicy"
        result = CliRunner().invoke(command, arguments, prog_name=program)
        written.append(f"$ {line}\n{result.output}[exit {result.exit_code}]\n")
    return "\n".join(written)


def compare(transcript: Path, default: list[str]) -> None:
    expected = transcript.read_text(encoding="utf-8") if transcript.exists() else ""
    actual = transcribe(re.findall(r"^\$ (.*)$", expected, flags=re.MULTILINE) or default)
    if os.environ.get("ORPOLICY_UPDATE"):
        transcript.write_text(actual, encoding="utf-8")
    else:
        assert actual == expected


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_preset_gives_its_output(preset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(preset.parent)
    compare(preset.with_suffix(".out"), [line.format(preset.name) for line in COMMANDS[preset.parent.name]])


@pytest.mark.parametrize("session", PROJECTS, ids=lambda path: path.parent.name)
def test_a_project_gives_its_output(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(session.parent)
    compare(session, [])


def test_every_transcript_belongs_to_a_preset() -> None:
    transcripts = {path.with_suffix(".yaml") for folder in COMMANDS for path in CASES.glob(f"{folder}/*.out")}
    assert transcripts == set(PRESETS)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_is_in_the_folder_of_its_outcome(preset: Path) -> None:
    first = preset.with_suffix(".out").read_text(encoding="utf-8").partition("[exit ")[2]
    assert first.startswith("0" if preset.parent.name == "ok" else "1")
