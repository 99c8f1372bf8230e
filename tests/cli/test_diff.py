"""``orpolicy diff``: what it compares, in git as it is, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from click.testing import CliRunner

from orpolicy.cli.verbs import command
from orpolicy.routing.snapshot import write_snapshot
from tests.catalogs import CATALOG

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

MODEL = "openai/gpt-5-mini"
PRESET = f"model: {MODEL}\nmax_tokens: 100\nprovider:\n  zdr: true\n"
LOOSE = f"model: {MODEL}\nmax_tokens: 100\n"
SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **SETTINGS},
    )
    return done.stdout.strip()


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        file = folder / "presets" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def commit(folder: Path, message: str = "a change") -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one preset, committed on main; the working directory."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    write(folder, one=PRESET)
    commit(folder)
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["diff", *arguments], prog_name="orpolicy")


def changes(*arguments: str) -> set[tuple[str, str, str, str]]:
    """Name what changed: the preset, part, kind and field of every change."""
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    return {
        (delta["preset"], change["part"], change["kind"], change["field"])
        for delta in told["presets"]
        for change in delta["changes"]
    }


DROPPED = {("one", "body", "removed", "/provider/zdr")}
ADDED = {("two", "preset", "added", "preset")}


def test_a_clean_tree_differs_in_nothing(repository: Path) -> None:
    result = run("--exit-code")
    assert (result.exit_code, result.stdout) == (0, "no difference in effect\n")
    assert git(repository, "status", "--porcelain") == ""


def test_a_dirty_tree_an_untracked_preset_and_the_index_are_the_working_tree(repository: Path) -> None:
    write(repository, one=LOOSE)
    git(repository, "add", ".")
    write(repository, two=PRESET)
    assert changes() == DROPPED | ADDED


def test_nothing_is_checked_out_or_written(repository: Path) -> None:
    write(repository, one=LOOSE)
    commit(repository)
    before = {file: file.stat().st_mtime_ns for file in repository.rglob("*") if file.is_file()}
    assert changes("HEAD~1", "HEAD") == DROPPED
    assert {file: file.stat().st_mtime_ns for file in repository.rglob("*") if file.is_file()} == before


def test_one_argument_is_the_old_side(repository: Path) -> None:
    git(repository, "tag", "v1")
    write(repository, one=LOOSE)
    commit(repository)
    write(repository, two=PRESET)
    assert changes("v1") == DROPPED | ADDED
    assert changes("v1", "HEAD") == DROPPED
    assert changes("HEAD", "v1") == {("one", "body", "added", "/provider/zdr")}


def test_three_dots_are_what_a_branch_changed_since_it_left(repository: Path) -> None:
    git(repository, "checkout", "-qb", "feature")
    write(repository, one=LOOSE)
    commit(repository)
    git(repository, "checkout", "-q", "main")
    write(repository, two=PRESET)
    commit(repository)
    assert changes("main...feature") == DROPPED
    assert changes("...feature") == DROPPED
    assert changes("feature...") == ADDED
    assert "where feature left main" in run("main...feature").stdout
    result = run("main...feature", "main")
    assert (result.exit_code, result.stderr.count("names both sides")) == (2, 1)


def test_a_model_of_which_the_snapshot_has_no_endpoints_is_named(repository: Path) -> None:
    snapshot = evolve(
        CATALOG,
        models=tuple(
            evolve(model, endpoints=None) if model.id == MODEL else model for model in CATALOG.models
        ),
    )
    (repository / "catalog.json").write_text(write_snapshot(snapshot))
    result = run()
    assert (
        f"the working tree knows no endpoints of {MODEL}: 'orpolicy catalog pull' asks for them"
        in result.stderr
    )


def test_folders_and_locks_are_sides_too(repository: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(repository / "presets", old / "presets")
    assert CliRunner().invoke(command, ["lock"]).exit_code == 0
    write(repository, one=LOOSE, two=PRESET)
    assert changes("../old") == changes("orpolicy.lock") == changes("../old", ".") == DROPPED | ADDED
    assert changes("orpolicy.lock", "../old") == set()
    assert changes("orpolicy.lock", "HEAD") == set()


def test_a_lock_and_its_project_do_not_differ_over_a_catalogue(repository: Path) -> None:
    (repository / "catalog.json").write_text(write_snapshot(CATALOG), encoding="utf-8")
    write(
        repository,
        two="model: anthropic/claude-sonnet-4.5\nmax_tokens: 9\nprovider: {only: [azure, anthropic]}\n",
    )
    (repository / "presets/org.policy.yaml").write_text("max_tokens: 1000\n", encoding="utf-8")
    assert CliRunner().invoke(command, ["lock"]).exit_code == 0
    assert changes("orpolicy.lock") == set()
    write(repository, two="model: anthropic/claude-sonnet-4.5\nmax_tokens: 9\nprovider: {only: [azure]}\n")
    told = changes("orpolicy.lock")
    assert ("two", "body", "item-removed", "/provider/only") in told
    assert ("two", "route", "reach", "anthropic/claude-sonnet-4.5") in told
    assert "/provider/only" in run(".", "orpolicy.lock").stdout  # a lock knows fields, no lines


def test_a_name_that_is_a_revision_and_a_path_is_refused(repository: Path) -> None:
    (repository / "main").mkdir()
    result = run("main")
    assert result.exit_code == 2
    assert "write './main' for the path" in result.stderr
    assert changes("heads/main") == set()
    assert changes("./main") == {("one", "preset", "added", "preset")}


def test_a_preset_that_was_moved_is_renamed(repository: Path) -> None:
    (repository / "presets/support").mkdir()
    git(repository, "mv", "presets/one.yaml", "presets/support/first.yaml")
    assert changes() == {("support/first", "preset", "renamed", "preset")}
    assert "renamed from one" in run().stdout


def test_a_project_that_did_not_exist_has_no_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "README").write_text("nothing yet")
    commit(tmp_path)
    write(tmp_path, one=PRESET)
    monkeypatch.chdir(tmp_path)
    assert changes() == {("one", "preset", "added", "preset")}
    commit(tmp_path)
    assert changes("HEAD~1", "HEAD") == {("one", "preset", "added", "preset")}
    git(tmp_path, "rm", "-rq", "presets")
    assert changes() == {("one", "preset", "removed", "preset")}


def test_a_project_in_a_subfolder_is_compared_with_itself(repository: Path) -> None:
    write(repository / "apps" / "mail", two=PRESET)
    commit(repository)
    write(repository / "apps" / "mail", two=LOOSE)
    dropped = {("two", "body", "removed", "/provider/zdr")}
    assert changes("--project", "apps/mail") == dropped
    assert "was set at apps/mail/presets/two.yaml:4:8" in run("--project", "apps/mail").stdout
    os.chdir(repository / "apps" / "mail" / "presets")
    assert changes() == dropped
    assert "was set at two.yaml:4:8" in run().stdout
    os.chdir(repository)
    shutil.rmtree(repository / "apps")
    commit(repository)
    gone = {("two", "preset", "removed", "preset")}
    assert changes("HEAD~1", "HEAD", "--project", "apps/mail") == gone


def test_a_folder_with_spaces_and_other_alphabets_is_reached(repository: Path) -> None:
    project = repository / "mes préréglages" / "日本"
    write(project, **{"accueil été": PRESET})
    commit(repository)
    write(project, **{"accueil été": LOOSE})
    result = run("--project", str(project))
    assert "was set at mes préréglages/日本/presets/accueil été.yaml:4:8" in result.stdout


def test_a_worktree_is_a_working_tree(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    write(tmp_path / "tree", one=LOOSE)
    os.chdir(tmp_path / "tree")
    assert changes() == DROPPED
    assert changes("main") == DROPPED


def test_a_submodule_is_a_repository_of_its_own(repository: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "submodule", "add", "-q", str(repository), "inner")
    commit(outer)
    write(outer / "inner", one=LOOSE)
    os.chdir(outer / "inner")
    assert changes() == DROPPED
    os.chdir(outer)
    result = run("--project", "inner")
    assert result.exit_code == 0
    assert "/provider/zdr" in result.stdout


def test_a_shallow_clone_says_what_is_missing(repository: Path, tmp_path: Path) -> None:
    write(repository, one=LOOSE)
    commit(repository)
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    os.chdir(tmp_path / "shallow")
    assert changes() == set()
    result = run("HEAD~1")
    assert result.exit_code == 2
    assert "this clone is shallow" in result.stderr


def test_a_bare_repository_has_revisions_only(repository: Path, tmp_path: Path) -> None:
    write(repository / "apps", two=PRESET)
    commit(repository)
    write(repository, one=LOOSE)
    write(repository / "apps", two=LOOSE)
    commit(repository)
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    os.chdir(tmp_path / "bare.git")
    assert changes("HEAD~1", "HEAD") == DROPPED
    dropped = {("two", "body", "removed", "/provider/zdr")}
    assert changes("HEAD~1", "HEAD", "--project", "apps") == dropped
    assert "was set at apps/presets/two.yaml:4:8" in run("HEAD~1", "HEAD", "--project", "apps").stdout
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a bare repository has no working tree: name two revisions" in result.stderr


def test_without_a_repository_revisions_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write(tmp_path / "old", one=PRESET)
    write(tmp_path, one=LOOSE)
    monkeypatch.chdir(tmp_path)
    result = run()
    assert result.exit_code == 3
    assert "lies in no git repository" in result.stderr
    assert changes("./old") == DROPPED


def test_without_git_folders_are_compared_still(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "old", one=LOOSE)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run()
    assert result.exit_code == 3
    assert "no program 'git'" in result.stderr
    assert changes("../old", ".") == {("one", "body", "added", "/provider/zdr")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "there is no revision 'nowhere'"),
        (["./nowhere"], "there is no folder and no lock './nowhere'"),
        (["-e", "prod"], "there is no environment 'prod' on either side"),
        (["--preset", "onee"], "there is no preset 'onee' on either side; did you mean 'one'?"),
        (["--project", "nowhere"], "there is no folder"),
    ],
)
def test_names_that_mean_nothing_are_wrong_usage(repository: Path, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_folder_without_a_project_is_wrong_usage(repository: Path) -> None:
    git(repository, "rm", "-rq", "presets")
    commit(repository)
    result = run()
    assert result.exit_code == 2
    assert "there is no project here" in result.stderr


def test_presets_and_environments_can_be_chosen(repository: Path) -> None:
    overlay = "environments:\n  prod:\n    provider: {zdr: null}\n"
    write(repository, one=PRESET + overlay, two=PRESET)
    assert changes("-e", "prod") == DROPPED | ADDED
    assert changes("--preset", "two") == ADDED
    assert "one in prod\n" in run("-e", "prod").stdout


@pytest.mark.parametrize(
    ("before", "after", "fails"),
    [
        (PRESET, PRESET, ""),
        (PRESET, PRESET + "temperature: 0.2\n", "any exit-code"),
        (PRESET, LOOSE, "loosened privacy route any exit-code"),
        (LOOSE, PRESET, "route any exit-code"),
        (PRESET, PRESET.replace("100", "200"), "loosened cost any exit-code"),
        (PRESET.replace("100", "200"), PRESET, "any exit-code"),
        (PRESET, "modle: x\n", "loosened privacy cost route any exit-code"),
    ],
)
def test_the_exit_code_says_what_was_asked_for(repository: Path, before: str, after: str, fails: str) -> None:
    (repository / "catalog.json").write_text(write_snapshot(CATALOG), encoding="utf-8")
    write(repository, one=before)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "before", "--allow-empty")
    write(repository, one=after)
    failing = {
        name for name in ("loosened", "privacy", "cost", "route", "any") if run("--fail-on", name).exit_code
    }
    failing |= {"exit-code"} if run("--exit-code").exit_code else set()
    assert failing == set(fails.split())
    assert run().exit_code == 0


def test_each_side_is_routed_over_its_own_snapshot(repository: Path) -> None:
    result = run()
    assert "no snapshot of the catalogue on either side" in result.stderr
    (repository / "catalog.json").write_text(write_snapshot(CATALOG), encoding="utf-8")
    assert "no snapshot of the catalogue in HEAD" in run().stderr
    commit(repository)
    assert run().stderr == ""
    (repository / "catalog.json").write_text("{}", encoding="utf-8")
    broken = run()
    assert broken.exit_code == 3
    assert "catalog.json" in broken.stderr
    other = repository.parent / "other.json"
    other.write_text(write_snapshot(CATALOG), encoding="utf-8")
    assert run("--catalog", str(other)).stdout == "no difference in effect\n"


def test_colour_is_for_terminals(repository: Path) -> None:
    write(repository, one=LOOSE)
    assert "\x1b[" not in run().stdout
    assert "\x1b[31m" in run("--color").stdout
