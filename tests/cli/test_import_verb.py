"""``orpolicy import``: where the preset goes, and what a run is worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Run

BODY = '{"model": "openai/gpt-5-mini", "max_tokens": 100, "temperature": 0.5}'


def test_standard_input_is_imported_and_compiles_back(run: Run, project: Path) -> None:
    result = run("import", "-", input=BODY)
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(run("compile", "-", input=result.stdout).stdout) == json.loads(BODY)


def test_a_preset_on_top_of_a_base_compiles_back(run: Run, project: Path) -> None:
    result = run("import", "-", "--extends", "fast", input=BODY)
    assert result.stdout == "extends: fast\ntemperature: 0.5\n"
    assert json.loads(run("compile", "-", input=result.stdout).stdout) == json.loads(BODY)


def test_a_new_file_is_written_with_its_folders_and_never_over_another(run: Run, project: Path) -> None:
    result = run("import", "-", "-o", "presets/new/one.yaml", input=BODY)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "presets/new/one.yaml written\n")
    assert json.loads(run("compile", "new/one").stdout) == json.loads(BODY)
    again = run("import", "-", "-o", "presets/new/one.yaml", input=BODY)
    assert (again.exit_code, again.stderr) == (
        2,
        "Error: 'presets/new/one.yaml' is there already; an import writes a new file\n",
    )


def test_findings_name_the_file_that_was_written(run: Run, project: Path) -> None:
    result = run("import", "-", "-o", "presets/new.yaml", input='{"modle": "x"}')
    assert result.exit_code == 1
    assert "presets/new.yaml:1:1: error: unknown key 'modle'" in result.stderr
    assert Path("presets/new.yaml").read_text() == "modle: x\n"


def test_defaults_lie_below_a_preset_of_the_project_and_below_no_other_file(run: Run, project: Path) -> None:
    (project / "orpolicy.yaml").write_text("defaults: {temperature: 0.5}\n")
    assert "temperature" not in run("import", "-", input=BODY).stdout
    inside = run("import", "-", "-o", "presets/new.yaml", input=BODY)
    outside = run("import", "-", "-o", "../loose/new.yaml", input=BODY)
    assert ("'defaults'" in inside.stderr, "'defaults'" in outside.stderr) == (True, False)
    assert "temperature: 0.5" in (project.parent / "loose" / "new.yaml").read_text()


def test_a_base_that_does_not_compile_is_shown(run: Run, project: Path) -> None:
    (project / "presets/base.yaml").write_text("abstract: true\nmodle: x\n")
    result = run("import", "-", "--extends", "fast", input=BODY)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "presets/base.yaml:2:1: error: unknown key 'modle'" in result.stderr


def test_bytes_that_are_no_text_are_a_finding(run: Run, project: Path) -> None:
    Path("body.json").write_bytes(b'{"model": "\xff"}')
    result = run("import", "body.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("body.json:1:12: error: byte 0xff is not valid UTF-8")
    assert run("import", "-", input=b"x" * (1 << 21)).exit_code == 1
