"""The hooks for pre-commit, run by pre-commit itself in a repository that has just been made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from orpolicy.cli.verbs import VERBS

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """
repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: orpolicy-check
      - id: orpolicy-lock
"""

GIT = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def call(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would, apart from their git configuration and their cache of hooks."""
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PYTEST", "COV_"))
    }
    return subprocess.run(
        command,
        cwd=folder,
        env={**inherited, **GIT, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )


def git(folder: Path, *arguments: str) -> str:
    done = call(folder, "git", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


def copy_tree(root: Path, target: Path) -> str:
    """Commit the working tree as it is into a repository of its own; return the commit."""
    listed = call(root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed.returncode:
        pytest.skip("this is no checkout, and pre-commit takes hooks from a repository")
    wanted = (
        "orpolicy/",
        "presets/",
        "schemas/",
        ".pre-commit-hooks.yaml",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    )
    for name in listed.stdout.split("\0"):
        if name.startswith(wanted) and (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, target / name)
    git(target, "init", "--quiet")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message", "The tree as it is")
    return git(target, "rev-parse", "HEAD").strip()


@pytest.mark.skipif(
    "CI" not in os.environ, reason="installs the package and its dependencies; set CI=true to run it"
)
def test_the_hooks_stop_a_mistake_and_keep_the_lock_current(root: Path, tmp_path: Path) -> None:
    source, project = tmp_path / "source", tmp_path / "project"
    source.mkdir()
    (project / "presets").mkdir(parents=True)
    revision = copy_tree(root, source)
    (project / ".pre-commit-config.yaml").write_text(
        CONFIGURATION.format(repository=source, revision=revision)
    )
    preset = project / "presets" / "a.yaml"
    preset.write_text("modle: openai/gpt-5-mini\n")
    git(project, "init", "--quiet")

    def commit() -> subprocess.CompletedProcess[str]:
        git(project, "add", "--all")
        command = (sys.executable, "-m", "pre_commit", "run", "--color=never")
        return call(project, *command, PRE_COMMIT_HOME=str(tmp_path / "hooks"))

    refused = commit()
    assert refused.returncode == 1
    assert "presets/a.yaml:1:1: error: unknown key 'modle'" in refused.stdout

    preset.write_text("model: openai/gpt-5-mini\n")
    locked = call(project, sys.executable, "-m", "orpolicy", "lock")
    assert locked.returncode == 0, locked.stdout
    accepted = commit()
    assert accepted.returncode == 0, accepted.stdout
    assert accepted.stdout.count("Passed") == 2

    preset.write_text("model: openai/gpt-5\n")
    stale = commit()
    assert stale.returncode == 1, stale.stdout
    assert "files were modified by this hook" in stale.stdout
    assert "openai/gpt-5" in (project / "orpolicy.lock").read_text()
    assert commit().returncode == 0


def test_every_hook_calls_a_verb_that_there_is(root: Path) -> None:
    hooks = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == [f"orpolicy-{hook['entry'].split()[1]}" for hook in hooks]
    assert {hook["entry"].split()[1] for hook in hooks} <= set(VERBS)
