"""check-jsonschema with our schemas says the same about a file's shape as we do: real files, and broken ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import strategies
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mutations import mutations
from strategies import SCHEMAS, to_json

from orpolicy.language.document import read_document
from orpolicy.language.schema import check_shape
from orpolicy.language.source import Source

ROOT = Path(__file__).resolve().parents[2]

REAL = {
    "project": ["tests/cases/**/orpolicy.yaml", "orpolicy/cli/templates/orpolicy.yaml"],
    "policy": [
        "presets/**/*.policy.yaml",
        "tests/cases/**/*.policy.yaml",
        "orpolicy/cli/templates/*.policy.yaml",
    ],
    "preset": [
        "presets/*/*.yaml",
        "presets/*.yaml",
        "tests/cases/**/*.yaml",
        "orpolicy/cli/templates/answers.yaml",
        "orpolicy/cli/templates/base.yaml",
    ],
}
"""Kind → where its files are; a file belongs to the first kind that names it."""

INSTANCES = {
    "preset": strategies.presets(environments=["prod"], files=True),
    "policy": strategies.policies(),
    "project": strategies.projects(),
}


def rejected(kind: str, files: list[Path]) -> set[Path]:
    """Name the files that check-jsonschema finds wrong; a file that it cannot read is an error of the test."""
    command = ["--schemafile", str(SCHEMAS / f"{kind}.schema.json"), "--output-format", "json", "--verbose"]
    result = CliRunner().invoke(check_jsonschema, [*command, *map(str, files)])
    report = json.loads(result.stdout)
    assert not report.get("parse_errors")
    return {Path(error["filename"]) for error in report.get("errors", ())}


def real_files(kind: str) -> dict[Path, Any]:
    """Map files of a kind to their data, those left out that are no YAML to us."""
    taken: set[Path] = set()
    found: dict[Path, Any] = {}
    for one, patterns in REAL.items():
        files = {file for pattern in patterns for file in ROOT.glob(pattern)} - taken
        files = {file for file in files if not file.name.endswith(".test.yaml")}
        taken |= files
        if one == kind:
            for file in sorted(files):
                reading = read_document(Source(file.name, file.read_text(encoding="utf-8")))
                if reading.document is not None and not reading.diagnostics:
                    found[file] = reading.document.data
    return found


@pytest.mark.parametrize(("kind", "least"), [("preset", 60), ("policy", 10), ("project", 8)])
def test_real_files_get_the_same_verdict(kind: str, least: int) -> None:
    files = real_files(kind)
    assert len(files) >= least
    assert rejected(kind, list(files)) == {file for file, data in files.items() if check_shape(kind, data)}


PAIR = re.compile(r"\\\\|(\\ud[89ab]..\\ud[c-f]..)")
"""An escaped backslash, or JSON's two escapes for one character, which YAML takes for two and nobody can print."""


def as_yaml(data: Any) -> str:
    def escape(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        character: str = json.loads('"' + found[1] + '"')
        return f"\\U{ord(character):08x}"

    return PAIR.sub(escape, json.dumps(data, allow_nan=False))


@pytest.mark.parametrize("kind", sorted(INSTANCES))
def test_broken_files_get_the_same_verdict(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp(kind)
    verdicts: list[bool] = []

    @settings(max_examples=4, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(many=st.lists(INSTANCES[kind] | mutations(INSTANCES[kind], most=2), min_size=12, max_size=20))
    def agree(many: list[Any]) -> None:
        files = {folder / f"{number}.yaml": to_json(data) for number, data in enumerate(many)}
        for file, data in files.items():
            file.write_text(as_yaml(data), encoding="utf-8")
        wrong = {file for file, data in files.items() if check_shape(kind, data)}
        assert rejected(kind, list(files)) == wrong
        verdicts.extend(file in wrong for file in files)

    agree()
    assert {True, False} == set(verdicts)
