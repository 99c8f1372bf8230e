"""Shipped data is found, and what is not shipped is named together with what is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from orpolicy import resources
from orpolicy.errors import UsageError
from orpolicy.resources import builtin_presets, read_schema, schema_kinds, schema_text

if TYPE_CHECKING:
    from pathlib import Path


def test_every_schema_file_is_a_kind(root: Path) -> None:
    files = {file.name for file in (root / "schemas").iterdir()}
    assert {f"{kind}.schema.json" for kind in schema_kinds()} == files


@pytest.mark.parametrize("kind", schema_kinds())
def test_a_schema_is_read_as_it_is_written(kind: str) -> None:
    assert read_schema(kind) == json.loads(schema_text(kind))
    assert read_schema(kind) is not read_schema(kind)


@pytest.mark.parametrize("kind", ["prest", "", "../pyproject", "preset.schema.json"])
def test_an_unknown_kind_is_refused_with_those_that_exist(kind: str) -> None:
    with pytest.raises(UsageError, match="preset, project"):
        schema_text(kind)


def test_the_builtin_presets_are_those_of_the_repository(root: Path) -> None:
    found = {entry.name for entry in builtin_presets().iterdir()}
    assert found == {entry.name for entry in (root / "presets").iterdir()}


def test_data_is_asked_of_the_import_system_where_there_is_no_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "archive.whl" / "orpolicy")
    monkeypatch.setattr("importlib.resources.files", lambda _: root)
    resources._find_folder.cache_clear()
    assert schema_kinds() == ("policy", "preset", "project", "test")
    resources._find_folder.cache_clear()
