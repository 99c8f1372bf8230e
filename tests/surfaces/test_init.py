"""``orpolicy init``: a project that passes its own checks, never written over anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner, Result
from language_server import LanguageServer

import orpolicy
from orpolicy.cli.verbs import command
from orpolicy.resources import schema_kinds, schema_text

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = {
    "orpolicy.yaml",
    "presets/answers.test.yaml",
    "presets/answers.yaml",
    "presets/base.yaml",
    "presets/team.policy.yaml",
}
EDITORS = {f".orpolicy/{kind}.schema.json" for kind in schema_kinds()}
SERVERS = {".github/workflows/orpolicy.yml", ".pre-commit-config.yaml"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, prog_name="orpolicy")


def files(folder: Path) -> dict[str, bytes]:
    found = (file for file in folder.rglob("*") if file.is_file() and ".git/" not in file.as_posix())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which ``init`` has just been run."""
    folder = tmp_path / "a project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert run("init").exit_code == 0
    return folder


def test_a_new_project_is_written_and_what_comes_next_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("init", "new folder")
    assert result.exit_code == 0
    assert set(result.stdout.splitlines()) == {f"new folder/{name}" for name in PROJECT | EDITORS | SERVERS}
    assert result.stdout.isascii()
    assert "\nNext:\n  cd 'new folder'\n  orpolicy check " in result.stderr
    assert files(tmp_path / "new folder").keys() == PROJECT | EDITORS | SERVERS


@pytest.mark.parametrize("verb", ["check", "test"])
def test_what_is_written_has_no_finding(verb: str, project: Path) -> None:
    result = run(verb, "--output-format", "json")
    assert (result.exit_code, result.stdout) == (0, "[]\n"), result.output


def test_the_preset_answers_without_a_key(project: Path) -> None:
    result = run("run", "answers", "Where is my order?", "-e", "prod", "--offline")
    assert result.exit_code == 0
    assert result.stdout.startswith("[simulated]")


def test_the_test_that_is_written_can_fail(project: Path) -> None:
    base = project / "presets/base.yaml"
    base.write_text(base.read_text().replace("max_tokens: 1000", "max_tokens: 1001"))
    result = run("test")
    assert result.exit_code == 1
    assert "'an answer is short' fails" in result.stdout


def test_the_policy_that_is_written_is_in_force(project: Path) -> None:
    answers = project / "presets/answers.yaml"
    answers.write_text(answers.read_text().replace("claude-haiku-4.5", "claude-haiku-4.5:free"))
    assert "[policy-conflict]" in run("check").stdout


def test_a_second_run_changes_nothing_and_names_what_it_left(project: Path) -> None:
    before = files(project)
    result = run("init")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "'.' holds a project already: its presets stay as they are" in result.stderr
    assert {line.partition(": ")[2] for line in result.stderr.splitlines() if line.startswith("left")} == (
        EDITORS | SERVERS
    )
    assert "Next:" not in result.stderr
    assert files(project) == before


def test_what_is_missing_is_written_beside_what_is_there(project: Path) -> None:
    (project / ".pre-commit-config.yaml").write_text("repos: []\n")
    (project / ".orpolicy/preset.schema.json").unlink()
    result = run("init")
    assert result.stdout == ".orpolicy/preset.schema.json\n"
    assert (project / ".pre-commit-config.yaml").read_text() == "repos: []\n"


@pytest.mark.parametrize("name", ["orpolicy.yaml", "presets/mine.yaml", "presets/deep/mine.yml"])
def test_a_project_that_is_there_gets_no_examples(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("{}\n")
    assert run("init", str(tmp_path)).exit_code == 0
    assert files(tmp_path).keys() == {name} | EDITORS | SERVERS


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / ".pre-commit-config.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    result = run("init", str(tmp_path / "project"))
    assert result.exit_code == 0
    assert ".pre-commit-config.yaml" in result.stderr
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_below_the_root_of_a_repository_there_are_no_files_for_ci(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    result = run("init", str(tmp_path / "llm"))
    assert result.exit_code == 0
    assert f"no files for CI: they would be read in '{tmp_path}' only" in result.stderr
    assert files(tmp_path / "llm").keys() == PROJECT | EDITORS
    assert run("init", str(tmp_path)).stdout.count(".github/workflows") == 1


def test_a_file_in_the_way_is_wrong_usage_or_a_failure_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run("init", str(tmp_path / "file")).exit_code == 2
    (tmp_path / "presets").write_text("")
    result = run("init", str(tmp_path))
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1] == f"Error: {tmp_path / 'presets'}: File exists"


def test_the_workflow_passes_its_linter_and_its_schema(
    project: Path, lint_workflow: Callable[[Path], list[object]], check_shape: Callable[[Path, str], str]
) -> None:
    file = project / ".github/workflows/orpolicy.yml"
    assert lint_workflow(file) == []
    assert check_shape(file, "vendor.github-workflows") == ""
    assert f"orpolicy=={orpolicy.__version__}" in file.read_text()


def test_the_commands_of_the_workflow_run(project: Path) -> None:
    workflow = yaml.safe_load((project / ".github/workflows/orpolicy.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["presets"]["steps"] if "run" in step]
    for line in steps[1:3]:
        name, *arguments = line.split()
        assert name == "orpolicy"
        assert run(*arguments).exit_code == 0


def test_the_hooks_run(project: Path, tmp_path: Path) -> None:
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "hooks"),
    }
    for line in ("git init --quiet", "git add --all", f"{sys.executable} -m pre_commit run --all-files"):
        done = subprocess.run(
            line.split(),
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Passed") == 2


@pytest.mark.parametrize("name", sorted(PROJECT))
def test_an_editor_finds_the_schema_of_every_file_and_nothing_wrong(
    name: str, project: Path, judges: Path
) -> None:
    file = project / name
    text = file.read_text()
    program = judges / "yaml-language-server" / "bin" / "yaml-language-server"
    with LanguageServer(["node", str(program), "--stdio"], project) as server:
        uri = server.open(file, text)
        assert server.diagnostics[uri] == []
        broken = server.open(file.with_name(f"broken-{file.name}"), f"{text}no_such_key: 1\n")
        assert [found["message"] for found in server.diagnostics[broken]] == [
            "Property no_such_key is not allowed."
        ]


def test_the_schemas_are_those_of_the_package(project: Path) -> None:
    for kind in schema_kinds():
        assert (project / f".orpolicy/{kind}.schema.json").read_text() == schema_text(kind)


@pytest.mark.parametrize("name", ["presets", ".github", ".orpolicy"])
def test_no_link_to_a_folder_takes_a_file_out_of_the_project(name: str, tmp_path: Path) -> None:
    outside, project = tmp_path / "outside", tmp_path / "project"
    outside.mkdir()
    project.mkdir()
    (project / name).symlink_to(outside)
    done = run("init", str(project))
    assert done.exit_code == 0
    assert f"left out: {project.as_posix()}/{name}/" in done.stderr
    assert list(outside.iterdir()) == []


def test_a_link_to_a_folder_inside_the_project_is_followed(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "presets").symlink_to("here")
    assert run("init", str(tmp_path)).exit_code == 0
    assert (tmp_path / "here" / "answers.yaml").is_file()


@pytest.mark.parametrize("name", ["", "presets", ".orpolicy"])
def test_links_in_a_circle_end_in_one_line(name: str, tmp_path: Path) -> None:
    circle = tmp_path / "project" / name
    circle.parent.mkdir(exist_ok=True)
    circle.symlink_to(circle)
    done = run("init", str(tmp_path / "project"))
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (3, f"Error: {circle}: File exists")
