"""A command line in-process, and a project to use it in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from catalogs import NOW
from click.testing import CliRunner, Result

from orpolicy.cli.verbs import command
from orpolicy.routing.answers import read_folder

if TYPE_CHECKING:
    from pathlib import Path

    from orpolicy.routing.catalog import Catalog

Run = Callable[..., Result]

FILES = {
    "orpolicy.yaml": "environments: [dev, prod]\n",
    "presets/base.yaml": "abstract: true\nmax_tokens: 100\n",
    "presets/fast.yaml": "extends: base\nmodel: openai/gpt-5-mini\nenvironments: {prod: {max_tokens: 200}}\n",
    "presets/support/triage.yaml": "extends: fast\ndescription: Sort\n",
    "presets/support/team.policy.yaml": 'models: {deny: ["*:free"]}\n',
}


@pytest.fixture
def run() -> Run:
    """Run ``orpolicy`` with these arguments and return what came of it."""

    def invoke(*arguments: str, **options: object) -> Result:
        return CliRunner().invoke(command, arguments, prog_name="orpolicy", **options)  # type: ignore[arg-type]

    return invoke


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as the working directory, with a file beside it that belongs to none."""
    folder = tmp_path / "project"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose" / "alone.yaml").write_text("model: openai/gpt-5\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def real_catalog(shared: Path) -> Catalog:
    """The complete catalogue of 22 August 2026."""
    return read_folder(shared / "catalog", time=NOW)
