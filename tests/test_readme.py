"""What the README shows is what happens: its files are written, its commands run, their real output compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import frozen

FENCE = re.compile(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)


@frozen
class Block:
    """A fenced block: its language, what follows it on the fence (a file name), and its text."""

    language: str
    name: str
    text: str


@frozen
class Command:
    """A command after ``$`` and the output that the README promises."""

    line: str
    output: str


def blocks(root: Path, language: str) -> list[Block]:
    text = (root / "README.md").read_text(encoding="utf-8")
    return [block for block in (Block(*found) for found in FENCE.findall(text)) if block.language == language]


def commands(text: str) -> list[Command]:
    """Split a console block at its prompts."""
    _, *parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    return [Command(*part.partition("\n")[::2]) for part in parts]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as a reader would: in a shell, with our command on the path, no key and no terminal."""
    hidden = {"OPENROUTER_API_KEY", "PYTEST_ADDOPTS", "PYTHONPATH"}
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """The files that the README shows, in a folder of their own."""
    for block in blocks(root, "yaml"):
        file = tmp_path / block.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
    return tmp_path


def test_every_command_of_the_readme_prints_what_it_shows(root: Path, project: Path) -> None:
    shown = [command for block in blocks(root, "console") for command in commands(block.text)]
    assert shown
    assert [Command(command.line, shell(command.line, project).stdout) for command in shown] == shown


def test_every_program_of_the_readme_runs(root: Path, project: Path) -> None:
    for block in blocks(root, "python"):
        (project / "program.py").write_text(block.text, encoding="utf-8")
        done = shell("python program.py", project)
        assert done.returncode == 0, done.stdout


def test_the_readme_shows_no_other_kind_of_block(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    assert {block[0] for block in FENCE.findall(text)} <= {"console", "python", "sh", "yaml"}
    assert text.count("```") == 2 * len(FENCE.findall(text))


def test_the_fresh_machine_commands_are_one_to_run_and_one_to_test(root: Path) -> None:
    first, second = (block.text.strip() for block in blocks(root, "sh"))
    assert first.endswith('orpolicy run support/triage "My card was charged twice" --offline')
    assert second.endswith(".venv/bin/pytest")


@pytest.mark.skipif(
    "CI" not in os.environ, reason="installs the package and its dependencies; set CI=true to run it"
)
def test_a_fresh_machine_runs_the_shipped_preset(root: Path, tmp_path: Path) -> None:
    clone = tmp_path / "orpolicy"
    ignored = shutil.ignore_patterns(".venv", ".git", ".*_cache", ".hypothesis", "__pycache__")
    shutil.copytree(root, clone, ignore=ignored)
    done = shell(blocks(root, "sh")[0].text, clone)
    assert done.returncode == 0, done.stdout
    assert "simulated" in done.stdout
