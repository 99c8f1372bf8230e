"""What the README shows is what happens: its files are written, its commands run, their real output compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve, frozen

FENCE = re.compile(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)


@frozen
class Block:
    """A fenced block: its language, what follows it on the fence (a file name), and its text."""

    language: str
    name: str
    text: str


def blocks(page: Path, *languages: str) -> list[Block]:
    found = [Block(*groups) for groups in FENCE.findall(page.read_text(encoding="utf-8"))]
    return [block for block in found if not languages or block.language in languages]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as a reader would: in a shell, with our command on the path, no key and no terminal."""
    hidden = {"OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "ORPOLICY_UPDATE", "PYTEST_ADDOPTS", "PYTHONPATH"}
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


def play(block: Block, folder: Path) -> str:
    """Do what a block says and return the text that it should have."""
    if block.language == "yaml":
        file = folder / block.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
    elif block.language == "python":
        (folder / "program.py").write_text(block.text, encoding="utf-8")
        done = shell("python program.py", folder)
        assert done.returncode == 0, done.stdout
    elif block.language == "console":
        lines = re.findall(r"^\$ (.*)$", block.text, flags=re.MULTILINE)
        return "".join(f"$ {line}\n{shell(line, folder).stdout}" for line in lines)
    return block.text


@pytest.mark.parametrize("page", ["README.md", "docs/language.md", "docs/policies.md", "docs/scenarios.md"])
def test_what_a_page_shows_is_what_happens(page: str, root: Path, tmp_path: Path) -> None:
    shown = blocks(root / page)
    played = [evolve(block, text=play(block, tmp_path)) for block in shown]
    if os.environ.get("ORPOLICY_UPDATE"):
        text = (root / page).read_text(encoding="utf-8")
        for before, after in zip(shown, played, strict=True):
            text = text.replace(f"```console\n{before.text}```", f"```console\n{after.text}```")
        (root / page).write_text(text, encoding="utf-8")
    else:
        assert played == shown


@pytest.mark.parametrize("page", ["README.md", "docs/language.md", "docs/policies.md", "docs/scenarios.md"])
def test_a_page_shows_no_other_kind_of_block(page: str, root: Path) -> None:
    text = (root / page).read_text(encoding="utf-8")
    assert {block.language for block in blocks(root / page)} <= {"console", "python", "sh", "yaml"}
    assert text.count("```") == 2 * len(blocks(root / page))


def test_the_fresh_machine_commands_are_one_to_run_and_one_to_test(root: Path) -> None:
    first, second = (block.text.strip() for block in blocks(root / "README.md", "sh"))
    assert first.endswith('orpolicy run support/triage "My card was charged twice" --offline')
    assert second.endswith(".venv/bin/pytest")


@pytest.mark.skipif(
    "CI" not in os.environ, reason="installs the package and its dependencies; set CI=true to run it"
)
def test_a_fresh_machine_runs_the_shipped_preset(root: Path, tmp_path: Path) -> None:
    clone = tmp_path / "orpolicy"
    ignored = shutil.ignore_patterns(
        ".venv", ".git", ".*_cache", ".hypothesis", "__pycache__", "node_modules"
    )
    shutil.copytree(root, clone, ignore=ignored)
    done = shell(blocks(root / "README.md", "sh")[0].text, clone)
    assert done.returncode == 0, done.stdout
    assert "simulated" in done.stdout
