"""``orpolicy test``: what is tried by which argument, what is said where, and how a run ends."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from catalogs import CATALOG

from orpolicy.routing.snapshot import write_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

TRIAGE = """scenarios:
  - name: OpenAI or Azure
    expect: {eligible_within: [openai, azure]}
  - name: short answers
    environments: [dev, prod]
    expect:
      body: {/max_tokens: 100}
"""
NOTE = "Demonstration data of 22 August 2026: a small selection to try orpolicy with. Models, prices and limits have changed since.\n"


@pytest.fixture
def suite(project: Path) -> Path:
    file = project / "presets/support/triage.test.yaml"
    file.write_text(TRIAGE)
    return file


def test_all_scenarios_are_tried_and_the_failing_one_is_shown(run: Run, suite: Path) -> None:
    result = run("test", "--demo")
    assert result.exit_code == 1
    assert result.stderr == f"{NOTE}2 scenarios, 1 passed, 1 failed\n"
    assert result.stdout == (
        "presets/support/triage.test.yaml:7:27: error: 'short answers' fails in prod: /max_tokens is the number 200, where"
        " the number 100 is expected [scenario-failed]\n"
        "  7 |       body: {/max_tokens: 100}\n"
        "    |                           ^^^\n"
        "    help: 'orpolicy explain support/triage -e prod' shows who set what\n"
        "    note: it is set here: presets/fast.yaml:3:35\n"
        "  3 | environments: {prod: {max_tokens: 200}}\n"
        "    |                                   ^^^\n"
    )


@pytest.mark.parametrize(
    ("targets", "tried"),
    [
        (["support/triage"], 2),
        (["presets/support/triage.yaml"], 2),
        (["presets/support/triage.test.yaml"], 2),
        (["presets/support/triage.test.yaml", "support/triage"], 2),
        (["presets/support"], 2),
        (["presets"], 3),
        ([], 3),
        (["fast"], 1),
        (["presets/other.test.yaml"], 1),
        (["orpolicy.yaml"], 3),
    ],
)
def test_a_target_is_a_preset_a_file_or_a_folder(
    run: Run, suite: Path, targets: list[str], tried: int
) -> None:
    other = suite.parents[1] / "other.test.yaml"
    other.write_text("preset: fast\nscenarios: [{name: x, expect: {reachable: true}}]\n")
    assert f"{tried} scenario{'s' if tried > 1 else ''}, " in run("test", *targets, "--demo").stderr


@pytest.mark.parametrize("targets", [["fast"], ["base"], ["presets/fast.yaml"], ["../loose"], ["-"]])
def test_where_nothing_is_to_be_tried_that_is_wrong_usage(run: Run, suite: Path, targets: list[str]) -> None:
    result = run("test", *targets, input="model: openai/gpt-5\n")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: there are no scenarios here")


def test_files_are_named_as_they_are_reached(run: Run, suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(suite.parent)
    result = run("test", "--demo", "--output-format", "concise")
    assert result.stdout.startswith("triage.test.yaml:7:27: error: ")
    found = json.loads(run("test", "triage.test.yaml", "--demo", "--output-format", "json").stdout)
    assert [(one["code"], one["file"], one["related"][0]["file"]) for one in found] == [
        ("scenario-failed", "triage.test.yaml", "../fast.yaml")
    ]


def test_the_projects_own_snapshot_is_asked(run: Run, suite: Path, project: Path) -> None:
    suite.write_text(TRIAGE.replace("[dev, prod]", "[dev]"))
    missing = run("test")
    assert missing.exit_code == 1
    assert "'eligible_within' needs a catalogue, and there is none" in missing.stdout
    assert "help: 'orpolicy catalog pull' writes a snapshot" in missing.stdout
    assert missing.stderr == "2 scenarios, 1 passed, 1 failed\n"
    (project / "catalog.json").write_text(write_snapshot(CATALOG))
    assert run("test").exit_code == 0
    (project / "catalog.json").write_text('{"time":')
    broken = run("test")
    assert (broken.exit_code, broken.stdout) == (3, "")
    assert "catalog.json" in broken.stderr


def test_a_broken_file_is_not_tried_and_the_others_are(run: Run, suite: Path, project: Path) -> None:
    (project / "presets/fast.test.yaml").write_text("scenarios:\n  - {name: x, expct: {zdr: true}}\n")
    result = run("test", "--demo", "--output-format", "concise")
    assert result.exit_code == 1
    assert "presets/fast.test.yaml:2:15: error: unknown key 'expct' (did you mean 'expect'?)" in result.stdout
    assert result.stderr.endswith("2 scenarios, 1 passed, 1 failed\n")
    alone = run("test", "fast")
    assert (alone.exit_code, alone.stderr) == (1, "no scenario was tried: 1 error\n")


def test_check_reads_scenario_files_too(run: Run, suite: Path) -> None:
    suite.write_text("scenarios:\n  - {name: x, expect: {nevr: [azure]}}\n")
    for targets in ([], ["presets/support/triage.test.yaml"], ["presets/support"]):
        result = run("check", *targets, "--output-format", "concise")
        assert (result.exit_code, result.stdout) == (
            1,
            "presets/support/triage.test.yaml:2:24: error: unknown key 'nevr' (did you mean 'never'?) [unknown-key]\n",
        )
    assert run("check", "support/triage").exit_code == 0
    assert run("check", "presets/support/triage.test.yaml").stderr.startswith(
        "0 presets and 1 scenario file checked"
    )


def test_files_outside_any_project_stand_beside_their_preset(run: Run, tmp_path: Path, project: Path) -> None:
    (tmp_path / "loose/alone.test.yaml").write_text(
        "scenarios:\n  - {name: own, expect: {body: {/model: openai/gpt-5}}}\n"
        "  - {name: shipped, preset: orpolicy/private, expect: {error: abstract-preset}}\n"
    )
    for target in ("../loose/alone.test.yaml", "../loose"):
        result = run("test", target)
        assert (result.exit_code, result.output) == (0, "2 scenarios, 2 passed, 0 failed\n")
    assert (
        run("check", "../loose/alone.test.yaml").output
        == "0 presets and 1 scenario file checked: no findings\n"
    )
    assert run("check", "../loose").output == "1 preset and 1 scenario file checked: no findings\n"


def test_a_folder_called_like_a_scenario_file_is_a_folder(run: Run, suite: Path) -> None:
    folder = suite.parent / "odd.test.yaml"
    folder.mkdir()
    assert run("test", str(folder)).exit_code == 2
    (folder / "a.test.yaml").write_text("preset: fast\nscenarios: [{name: x, expect: {compiles: true}}]\n")
    assert run("test", str(folder)).output == "1 scenario, 1 passed, 0 failed\n"


def test_a_scenario_file_elsewhere_in_the_project_is_read_by_its_path(run: Run, project: Path) -> None:
    (project / "fast.test.yaml").write_text("scenarios: [{name: x, expect: {compiles: true}}]\n")
    assert run("test", "fast.test.yaml").output == "1 scenario, 1 passed, 0 failed\n"
    result = run("check", "--output-format", "concise")
    assert "fast.test.yaml:1:1: error: nothing reads 'fast.test.yaml'" in result.stdout


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "yaml-root"),
        (b"- name: x\n", "yaml-root"),
        (b"scenarios: [\n", "yaml-syntax"),
        (b"scenarios: \xff\n", "yaml-encoding"),
        (b"scenarios: " + b"[" * 100 + b"]" * 100, "yaml-limit"),
        (b"#" * (2**20 + 1), "yaml-limit"),
        (b"scenarios: 5\n", "wrong-type"),
        (b"scenarios: [x]\n", "wrong-type"),
        (b"scenarios: [{name: x, prompt_tokens: '5', expect: {zdr: true}}]\n", "wrong-type"),
        (b"scenarios: [{name: x, prompt_tokens: -5, expect: {zdr: true}}]\n", "out-of-range"),
        (b"scenarios: [{name: x, expect: {worst_cost: .nan}}]\n", "yaml-number"),
        (b"scenarios: [{name: x, expect: {zdr: false}}]\n", "bad-value"),
        (b"scenarios: [{name: x, expect: {never: [deepsek]}}]\n", "scenario-unknown-name"),
        (b"scenarios: [{name: x, expect: {body: {temperature: 1}}}]\n", "bad-value"),
        (b"scenarios: [{name: sk-or-v1-0123456789abcdef, expect: {zdr: true}}]\n", "secret-in-file"),
    ],
)
def test_bad_input_is_a_finding(run: Run, suite: Path, raw: bytes, code: str) -> None:
    suite.write_bytes(raw)
    result = run("test", "support/triage", "--demo", "--output-format", "json")
    assert result.exit_code == 1
    assert code in {one["code"] for one in json.loads(result.stdout)}
    assert "sk-or-v1" not in result.output


def test_links_out_of_the_project_and_pipes_are_findings(run: Run, suite: Path) -> None:
    suite.unlink()
    suite.symlink_to("/etc/hostname")
    pipe = suite.with_name("pipe.test.yaml")
    os.mkfifo(pipe)
    for file in (suite, pipe):
        result = run("test", str(file), "--output-format", "concise")
        assert result.exit_code == 1
        assert "[unreadable-file]" in result.stdout


def test_names_cannot_steer_a_terminal(run: Run, suite: Path) -> None:
    suite.write_text('scenarios: [{name: "a\\e[31m", expect: {compiles: false}}]\n')
    assert "\x1b" not in run("test").output


@pytest.mark.parametrize("target", [[], ["support/triage"], ["presets/support"]])
def test_a_file_without_a_scenario_fails_by_whatever_name_it_is_tried(
    run: Run, suite: Path, target: list[str]
) -> None:
    suite.write_text("scenarios: []\n")
    result = run("test", *target)
    assert result.exit_code == 1
    assert "this file tries nothing: it holds no scenario [scenario-without-assertion]" in result.stdout
