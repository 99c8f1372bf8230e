"""The files that the page about CI shows, judged by those who read them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from orpolicy.resources import schema_kinds

if TYPE_CHECKING:
    from collections.abc import Callable

FENCE = re.compile(r"^```(?:yaml (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "ci.md").read_text(encoding="utf-8")


@pytest.fixture
def shown(page: str, tmp_path: Path) -> Callable[[str], Path]:
    """Write a file that the page shows, and return its path."""

    def write(name: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dict(FENCE.findall(page))[name], encoding="utf-8")
        return file

    return write


def test_the_workflow_passes_its_linter_and_its_schema(
    shown: Callable[[str], Path],
    lint_workflow: Callable[[Path], list[Any]],
    check_shape: Callable[[Path, str], str],
) -> None:
    file = shown(".github/workflows/presets.yml")
    assert lint_workflow(file) == []
    assert check_shape(file, "vendor.github-workflows") == ""


def test_the_workflow_gives_inputs_and_takes_outputs_that_the_action_has(
    shown: Callable[[str], Path], root: Path, page: str
) -> None:
    action = yaml.safe_load((root / "action.yml").read_text(encoding="utf-8"))
    text = shown(".github/workflows/presets.yml").read_text()
    [given] = [step["with"] for step in yaml.safe_load(text)["jobs"]["presets"]["steps"] if "with" in step]
    assert given.keys() <= action["inputs"].keys()
    assert set(re.findall(r"steps\.presets\.outputs\.([\w-]+)", text)) <= action["outputs"].keys()
    table = page.partition("| input |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(action["inputs"])


def test_the_pipeline_has_the_shape_of_one(
    shown: Callable[[str], Path], check_shape: Callable[[Path, str], str]
) -> None:
    assert check_shape(shown(".gitlab-ci.yml"), "vendor.gitlab-ci") == ""


def test_pre_commit_accepts_the_configuration_and_finds_its_hooks(
    shown: Callable[[str], Path], root: Path
) -> None:
    file = shown(".pre-commit-config.yaml")
    hooks = root / ".pre-commit-hooks.yaml"
    for command in (["validate-config", file], ["validate-manifest", hooks]):
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout
    [repository] = yaml.safe_load(file.read_text())["repos"]
    assert repository["hooks"] == [{"id": hook["id"]} for hook in yaml.safe_load(hooks.read_text())]


def test_the_commands_of_the_page_run_one_after_the_other(page: str, tmp_path: Path) -> None:
    scripts = [text for name, text in FENCE.findall(page) if not name]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    check = re.findall(r"^`(check-jsonschema [^`]+)`", page, re.MULTILINE)
    done = subprocess.run(
        ["bash", "-ec", "\n".join([*scripts, *check])],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(check) == 1
    assert {file.name for file in tmp_path.iterdir()} >= {"orpolicy.sarif", "orpolicy.xml", "orpolicy.yaml"}
    assert len(list((tmp_path / ".orpolicy").iterdir())) == len(schema_kinds())
