"""What an argument may be, and under which names files appear in reports."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("targets", "checked"),
    [
        ([], 3),
        (["fast"], 1),
        (["fast", "base"], 2),
        (["orpolicy/private"], 1),
        (["presets/fast.yaml"], 1),
        (["./presets/../presets/fast.yaml"], 1),
        (["presets/fast.yaml", "presets/base.yaml"], 2),
        (["presets"], 3),
        (["."], 3),
        (["presets/support"], 1),
        (["presets/support", "presets/fast.yaml", "fast"], 2),
        (["orpolicy.yaml"], 3),
        (["presets/support/team.policy.yaml"], 3),
        (["orpolicy.yaml", "presets/fast.yaml"], 3),
        (["../loose/alone.yaml"], 1),
        (["../loose"], 1),
        (["../loose", "fast"], 2),
        (["fast", "orpolicy.yaml"], 3),
    ],
)
def test_a_target_names_presets(targets: list[str], checked: int, run: Run, project: Path) -> None:
    result = run("check", *targets)
    assert result.output == f"{checked} preset{'s' if checked > 1 else ''} checked: no findings\n"
    assert result.exit_code == 0


def test_a_file_of_a_project_is_composed_in_it(run: Run, project: Path) -> None:
    expected = run("compile", "support/triage", "-e", "prod").stdout
    assert json.loads(expected) == {"model": "openai/gpt-5-mini", "max_tokens": 200}
    assert run("compile", "presets/support/triage.yaml", "-e", "prod").stdout == expected
    assert run("compile", str(project / "presets/support/triage.yaml"), "-e", "prod").stdout == expected


def test_standard_input_may_extend_the_presets_of_the_project(run: Run, project: Path) -> None:
    result = run("compile", "-", input="extends: fast\ntemperature: 0\n")
    assert json.loads(result.stdout) == {"model": "openai/gpt-5-mini", "max_tokens": 100, "temperature": 0}


def test_standard_input_outside_a_project_may_extend_built_in_presets(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("compile", "-", input="extends: orpolicy/private\nmodel: openai/gpt-5\n")
    assert json.loads(result.stdout)["provider"]["zdr"] is True


def test_standard_input_and_names_are_checked_together(run: Run, project: Path) -> None:
    result = run("check", "fast", "-", input="modle: x\n")
    assert "<stdin>:1:1: error: unknown key 'modle'" in result.stdout
    assert "  1 | modle: x\n" in result.stdout
    assert "2 presets checked: 1 error\n" in result.stderr


@pytest.mark.parametrize("folder", ["presets/support", "presets", ".."])
def test_files_are_named_as_they_are_reached(
    folder: str, run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "presets/fast.yaml").write_text("modle: a\n")
    monkeypatch.chdir(folder)
    result = run("check", "--project", str(project), "--output-format", "json")
    [found] = [one for one in json.loads(result.stdout) if one["code"] == "unknown-key"]
    assert Path(found["file"]).resolve() == project / "presets/fast.yaml"
    assert not Path(found["file"]).is_absolute()
    assert " 1 | modle: a\n" in run("check", "--project", str(project)).stdout


def test_related_places_and_origins_are_named_alike(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "presets/twice.yaml").write_text("model: a/b\nmodel: c/d\n")
    monkeypatch.chdir(project / "presets")
    assert "note: first written here: twice.yaml:1:1" in run("check", "twice").stdout
    explained = run("explain", "fast", "/max_tokens", "-e", "prod").stdout
    assert "set by fast[prod], fast.yaml:3:" in explained
    assert "over 100 of base, base.yaml:2:13" in explained
    assert next(row["file"] for row in json.loads(run("list", "--json").stdout)) == "base.yaml"


def test_a_folder_named_presets_makes_a_project_of_its_parent(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "orpolicy.yaml").unlink()
    monkeypatch.chdir("/")
    result = run("compile", str(project / "presets/support/triage.yaml"))
    assert json.loads(result.stdout) == {"model": "openai/gpt-5-mini", "max_tokens": 100}


def test_a_folder_with_a_project_is_that_project(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert run("check", str(project)).output == "3 presets checked: no findings\n"
    assert run("list", "--project", str(project)).stdout.splitlines()[0] == "base            (mixin)"


def test_a_folder_around_projects_is_those_projects(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = project.parent / "orpolicy" / "presets"  # called as the package is
    other.mkdir(parents=True)
    (other / "odd.yaml").write_text("modle: openai/gpt-5\n")
    monkeypatch.chdir(project.parent)
    result = run("check", ".")
    assert result.stdout.startswith("orpolicy/presets/odd.yaml:1:1: error: unknown key 'modle'")
    assert "  1 | modle: openai/gpt-5\n" in result.stdout
    assert result.stderr.startswith("4 presets checked: 1 error\n")


def test_the_prefix_of_a_built_in_preset_may_be_left_out_without_a_project(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("compile", "support/triage").stdout == run("compile", "orpolicy/support/triage").stdout != ""
    assert run("list").stdout == run("list", "--all").stdout != ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "fsat"], "there is no preset and no file 'fsat'; did you mean 'fast'?"),
        (["check", "qqqq"], "there is no preset and no file 'qqqq'; 'orpolicy list' names all presets"),
        (["check", "qqqq.yaml"], "there is no preset and no file 'qqqq.yaml'"),
        (["compile", "../empty"], "'../empty' holds no presets"),
        (["compile", "../none"], "'../none' holds no presets"),
        (["explain", "presets"], "'presets' holds 3 presets; name one of them"),
        (["run", "presets", "x"], "'presets' holds 3 presets; name one of them"),
        (["check", "-e", "pord"], "there is no environment 'pord'; did you mean 'prod'?"),
        (["explain", "fast", "/max_tokns"], "'fast' has nothing at /max_tokns; did you mean '/max_tokens'?"),
        (["explain", "fast", "/provider/zdr"], "'fast' has nothing at /provider/zdr"),
        (
            ["run", "fast", "Hello"],
            "no API key: set OPENROUTER_API_KEY, or ask the built-in OpenRouter with --offline",
        ),
    ],
)
def test_what_is_not_there_is_said(
    arguments: list[str], said: str, run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.parent / "empty").mkdir()
    (project.parent / "none" / "presets").mkdir(parents=True)
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    result = run(*arguments)
    assert result.stderr == f"Error: {said}\n"
    assert result.exit_code == 2


def test_a_project_that_is_no_folder_is_wrong_usage(run: Run, project: Path) -> None:
    assert run("check", "--project", "nowhere").exit_code == 2
    assert run("check", "--project", "orpolicy.yaml").exit_code == 2


def complete(run: Run, line: str) -> list[str]:
    """Name what the shell would offer at the end of a line."""
    words = line.split(" ")
    environment = {
        "_ORPOLICY_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    return run(env=environment).output.splitlines()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("orpolicy check fa", ["plain,fast"]),
        ("orpolicy explain support/", ["plain,support/triage"]),
        ("orpolicy compile orpolicy/pri", ["plain,orpolicy/private"]),
        ("orpolicy compile fast -e p", ["plain,prod"]),
        ("orpolicy check ../lo", ["file,../lo"]),
    ],
)
def test_names_of_the_project_are_completed(line: str, offered: list[str], run: Run, project: Path) -> None:
    assert complete(run, line) == offered


def test_branches_and_tags_are_completed(run: Run, project: Path) -> None:
    assert complete(run, "orpolicy diff ma") == ["file,ma"]  # no repository, no names
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["commit", "-q", "--allow-empty", "-m", "x"],
        ["tag", "v1"],
    ):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=project, check=True)
    assert complete(run, "orpolicy diff ma") == ["plain,main"]
    assert complete(run, "orpolicy diff main v") == ["plain,v1"]
    assert complete(run, "orpolicy diff v1...m") == ["plain,v1...main"]


@pytest.mark.parametrize("name", ["orpolicy/private", "orpolicy/support/triage", "orpolicy/zdr-only"])
def test_what_is_built_in_can_be_read(name: str, run: Run, project: Path) -> None:
    shown = run("list", "--show", name)
    assert shown.exit_code == 0
    assert "\ndescription: " in shown.stdout
    missed = run("list", "--show", name[:-1])
    assert (missed.exit_code, missed.stderr) == (
        2,
        f"Error: nothing built in is called '{name[:-1]}'; did you mean '{name}'?\n",
    )


def test_the_library_is_listed_by_kind_for_programs_as_well(run: Run, project: Path) -> None:
    rows = json.loads(run("list", "--builtin", "--json").stdout)
    assert [row["kind"] for row in rows] == sorted(
        (row["kind"] for row in rows), key=["mixin", "preset", "policy"].index
    )
    assert {
        "name": "orpolicy/zdr-only",
        "kind": "policy",
        "description": "Only endpoints with zero data retention",
    } in rows
    assert all(row["description"] for row in rows)
