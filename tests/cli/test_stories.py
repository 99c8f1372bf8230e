"""Stories of a change, told by ``orpolicy diff`` in a real repository: the whole output in every format.

``tests/cases/stories/NN-NAME`` holds a project before and after (``old``, ``new``) and what is said about it: ``text.out``
of the working tree against HEAD, ``markdown.out`` and perhaps ``json.out`` of two commits. ``ORPOLICY_UPDATE=1`` rewrites
them; a new story gets the first two.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from orpolicy.cli.verbs import command

STORIES = Path(__file__).resolve().parents[1] / "cases" / "stories"
NAMES = sorted(folder.name for folder in STORIES.iterdir() if folder.is_dir())
COMMANDS = {
    "text.out": ["diff", "--exit-code"],
    "markdown.out": ["diff", "HEAD~1", "HEAD", "--format", "markdown", "--fail-on", "loosened"],
    "json.out": ["diff", "HEAD~1", "HEAD", "--format", "json"],
}
SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, env={**os.environ, **SETTINGS}
    )


def lay(source: Path, folder: Path) -> None:
    """Make a folder hold the files of another, and a catalogue."""
    for entry in folder.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    # git takes a file of the same size and time for unchanged, so that times are not copied
    shutil.copytree(source, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    if not (folder / "catalog.json").exists():
        shutil.copy(STORIES / "catalog.json", folder)


def run(arguments: list[str]) -> str:
    result = CliRunner().invoke(command, arguments, prog_name="orpolicy")
    said = re.sub(r"\(([0-9a-f]{7})\)", "(a1b2c3d)", result.output)
    return f"$ orpolicy {' '.join(arguments)}\n{said}[exit {result.exit_code}]\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_story_is_told_as_it_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = STORIES / name
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q", "-b", "main")
    lay(story / "old", tmp_path)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "before")
    lay(story / "new", tmp_path)
    told = {"text.out": run(COMMANDS["text.out"])}
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "after", "--allow-empty")
    for file in ("markdown.out", "json.out"):
        if file == "markdown.out" or (story / file).exists():
            told[file] = run(COMMANDS[file])
    for file, text in told.items():
        if os.environ.get("ORPOLICY_UPDATE"):
            (story / file).write_text(text, encoding="utf-8")
        else:
            assert text == (story / file).read_text(encoding="utf-8")
