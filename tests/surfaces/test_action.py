"""The action for GitHub: its shape judged by others, and its own steps run in a shell as a runner does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable

WORKFLOW = """
on: pull_request
permissions:
  contents: read
jobs:
  presets:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: presets
        uses: ./action
        with:
{inputs}
      - env:
          BODY: ${{{{ steps.presets.outputs.diff }}}}
        run: echo "$BODY"
"""

EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")


@pytest.fixture(scope="module")
def action(root: Path) -> Any:
    return yaml.safe_load((root / "action.yml").read_text(encoding="utf-8"))


@define
class Runner:
    """Runs the ``run`` steps of an action one after the other, with what expressions in ``env`` stand for."""

    folder: Path
    known: dict[str, str]
    summary: str = ""
    codes: list[int] = field(factory=list)

    def run(self, step: dict[str, Any]) -> None:
        """Run one step in bash with the options of a runner, and take over its outputs."""
        output, summary = self.folder / "output", self.folder / "summary"
        for file in (output, summary):
            file.write_text("")
        environment = {
            "PATH": os.environ["PATH"],
            "RUNNER_TEMP": str(self.folder),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            **{name: self.evaluate(value) for name, value in step["env"].items()},
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder / "checkout",
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=60,
        )
        self.codes.append(done.returncode)
        self.summary += summary.read_text()
        for name, value in read_outputs(output.read_text()).items():
            self.known[f"steps.{step['id']}.outputs.{name}"] = value

    def evaluate(self, text: str) -> str:
        """Put values in the place of expressions; what a skipped step would have given is empty."""
        return EXPRESSION.sub(lambda match: self.known.get(match[1], ""), text)


def read_outputs(text: str) -> dict[str, str]:
    """Read a step's outputs in both of their forms."""
    lines = iter(text.splitlines())
    found = {}
    for line in lines:
        if (block := re.fullmatch(r"([\w-]+)<<(.+)", line)) is not None:
            found[block[1]] = "\n".join(iter(lines.__next__, block[2]))
        else:
            name, _, found_value = line.partition("=")
            found[name] = found_value
    return found


STUB = """#!/usr/bin/env bash
if [ "$1" != diff ]; then exec {orpolicy} "$@"; fi
printf '%s\\n' "$*"
exit "${{DIFF_CODE:-0}}"
"""


@pytest.fixture
def play(action: Any, tmp_path: Path) -> Callable[..., Runner]:
    """Run the steps with a preset's text and inputs; ``orpolicy diff`` is replaced by one that says how it was called."""

    def play(preset: str, code: int = 0, **inputs: str) -> Runner:
        checkout = tmp_path / "checkout"
        (checkout / "llm" / "presets").mkdir(parents=True)
        (checkout / "llm" / "presets" / "a.yaml").write_text(preset)
        stub = tmp_path / "orpolicy-stub"
        text = STUB.format(orpolicy=Path(sys.executable).parent / "orpolicy")
        stub.write_text(text.replace("${DIFF_CODE:-0}", str(code)))
        stub.chmod(0o755)
        for line in ("git init --quiet", "git add --all"):
            subprocess.run(line.split(), cwd=checkout, check=True, timeout=30)
        given = {f"inputs.{name}": str(value["default"]) for name, value in action["inputs"].items()}
        given |= {"inputs.project": "llm", "inputs.against": ""}
        given |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        runner = Runner(tmp_path, given | {"steps.install.outputs.command": str(stub)})
        for step in action["runs"]["steps"]:
            if "run" in step and step.get("id") != "install":
                if step.get("if") == "inputs.against != ''" and not runner.known["inputs.against"]:
                    continue
                runner.run(step)
        return runner

    return play


def test_a_project_without_a_finding_passes(play: Callable[..., Runner], tmp_path: Path) -> None:
    runner = play("model: openai/gpt-5-mini\n")
    assert runner.codes == [0, 0]
    assert runner.known["steps.check.outputs.sarif"] == str(tmp_path / "orpolicy.sarif")
    assert (tmp_path / "orpolicy.sarif").is_file()


def test_a_finding_is_an_annotation_and_fails_at_the_end(
    play: Callable[..., Runner], capfd: pytest.CaptureFixture[str]
) -> None:
    runner = play("modle: openai/gpt-5-mini\n")
    assert runner.codes == [0, 1]
    assert "::error file=llm/presets/a.yaml,line=1" in capfd.readouterr().out


def commit(folder: Path) -> str:
    name = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    subprocess.run(["git", *name, "commit", "-qm", "x"], cwd=folder, check=True, timeout=30)
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()


@pytest.fixture
def upstream(tmp_path: Path) -> tuple[Path, str]:
    """A repository elsewhere, and a commit of it that a shallow clone of another lacks."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "a").write_text("")
    for line in ("git init --quiet", "git add --all", "git config uploadpack.allowAnySHA1InWant true"):
        subprocess.run(line.split(), cwd=folder, check=True, timeout=30)
    return folder, commit(folder)


@pytest.mark.parametrize(("code", "fail_on"), [(0, ""), (1, "privacy")])
def test_the_difference_goes_into_the_summary_and_an_output(
    code: int, fail_on: str, play: Callable[..., Runner], upstream: tuple[Path, str], tmp_path: Path
) -> None:
    folder, revision = upstream
    template = tmp_path / "template"
    template.mkdir()
    (template / "config").write_text(f'[remote "origin"]\n\turl = {folder.as_uri()}\n')
    os.environ["GIT_TEMPLATE_DIR"] = str(template)
    try:
        runner = play("model: openai/gpt-5-mini\n", code, against=revision, fail_on=fail_on)
    finally:
        del os.environ["GIT_TEMPLATE_DIR"]
    wanted = "diff --project llm --format markdown" + (f" --fail-on {fail_on}" if fail_on else "")
    assert runner.summary == f"{wanted} -- {revision}\n"
    assert runner.known["steps.diff.outputs.body"].strip() == runner.summary.strip()
    assert Path(runner.known["steps.diff.outputs.file"]).read_text() == runner.summary
    assert runner.codes == [0, 0, code]


@pytest.mark.parametrize(
    "value", ["$(touch broken)", "`touch broken`", "'; touch broken; '", '"; touch broken; "']
)
def test_an_input_is_never_a_command(value: str, play: Callable[..., Runner], tmp_path: Path) -> None:
    play("model: openai/gpt-5-mini\n", project=value, locked=value, against="")
    assert not (tmp_path / "checkout" / "broken").exists()


def test_no_expression_stands_in_a_script(action: Any) -> None:
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert len(scripts) == 4
    assert not [script for script in scripts if "${{" in script]


def test_the_action_has_the_shape_of_one(
    root: Path, check_shape: Callable[[Path, str], str], tmp_path: Path
) -> None:
    assert check_shape(root / "action.yml", "vendor.github-actions") == ""
    broken = tmp_path / "action.yml"
    broken.write_text((root / "action.yml").read_text().replace("using: composite", "using: shell"))
    assert check_shape(broken, "vendor.github-actions") != ""


def test_a_workflow_that_uses_the_action_passes_the_linter(
    action: Any, root: Path, lint_workflow: Callable[[Path], list[Any]], tmp_path: Path
) -> None:
    shutil.copytree(root / ".github", tmp_path / ".github")
    file = tmp_path / ".github" / "workflows" / "presets.yml"
    file.write_text(WORKFLOW.format(inputs="\n".join(f"          {name}: x" for name in action["inputs"])))
    assert lint_workflow(file) == []
    file.write_text(file.read_text().replace('"$BODY"', "${{ github.event.pull_request.title }}"))
    assert [found["kind"] for found in lint_workflow(file)] == ["expression"]


def test_our_own_workflow_passes_the_linter_and_its_schema(
    root: Path, lint_workflow: Callable[[Path], list[Any]], check_shape: Callable[[Path, str], str]
) -> None:
    for file in (root / ".github" / "workflows").iterdir():
        assert lint_workflow(file) == []
        assert check_shape(file, "vendor.github-workflows") == ""


def test_every_output_of_the_action_is_one_of_its_steps(action: Any, root: Path) -> None:
    text = (root / "action.yml").read_text()
    for output in action["outputs"].values():
        [reference] = EXPRESSION.findall(output["value"])
        _, step, _, name = reference.split(".")
        assert step in {one.get("id") for one in action["runs"]["steps"]}
        assert f'echo "{name}=' in text or f'echo "{name}<<' in text
