"""What is shipped is what is in the tree: no module, schema, preset or page is forgotten, and nothing else comes along."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import orpolicy

WHEEL = {"orpolicy": "orpolicy", "schemas": "orpolicy/schemas", "presets": "orpolicy/presets"}
"""Folder of the tree → folder of the wheel."""

SDIST = ("docs", "orpolicy", "presets", "schemas", "tests")
SDIST_FILES = {
    ".gitignore",
    ".pre-commit-hooks.yaml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "PKG-INFO",
    "README.md",
    "action.yml",
    "pyproject.toml",
}

SUFFIXES = {
    "orpolicy": {".json", ".md", ".py", ".typed", ".yaml"},
    "schemas": {".json"},
    "presets": {".yaml", ".md"},
}
"""What may lie in a shipped folder: code in the package only, for code beside data breaks editable installs."""


def tree(folder: Path) -> set[str]:
    """Name the files below a folder, relative to it, caches left out."""
    return {
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and not {"__pycache__", "node_modules"} & set(file.parts)
    }


@pytest.fixture(scope="session")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist from the tree and the wheel from the sdist; return the folder that holds both."""
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    [file] = built.glob("*.whl")
    return file


def test_the_wheel_holds_the_tree_and_nothing_else(wheel: Path, root: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == {f"{to}/{name}" for folder, to in WHEEL.items() for name in tree(root / folder)}


def test_the_wheel_is_named_and_licensed(wheel: Path) -> None:
    assert wheel.name == f"orpolicy-{orpolicy.__version__}-py3-none-any.whl"
    names = {name.partition("/")[2] for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" in name}
    assert names == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


def test_the_sdist_holds_the_tree_and_nothing_else(built: Path, root: Path) -> None:
    [file] = built.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names == SDIST_FILES | {f"{folder}/{name}" for folder in SDIST for name in tree(root / folder)}


@pytest.mark.parametrize("folder", sorted(SUFFIXES))
def test_a_shipped_folder_holds_only_its_kind_of_file(folder: str, root: Path) -> None:
    files = tree(root / folder)
    assert files
    assert {Path(name).suffix for name in files} <= SUFFIXES[folder]


def test_a_zipped_wheel_finds_its_data(wheel: Path, root: Path, tmp_path: Path) -> None:
    program = """
import orpolicy
from orpolicy.language.rules import RULES, read_page
from orpolicy.resources import builtin_presets, read_schema, schema_kinds

print(orpolicy.__file__)
print(*sorted(read_schema(kind)["$schema"] for kind in schema_kinds()))
print(all(read_page(code).text for code in RULES))
print(*sorted(entry.name for entry in builtin_presets().iterdir()))
"""
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    place, schemas, pages, presets = done.stdout.splitlines()
    assert place.startswith(str(wheel))
    assert schemas.split() == ["https://json-schema.org/draft/2020-12/schema"] * len(tree(root / "schemas"))
    assert pages == "True"
    assert presets.split() == sorted({name.partition("/")[0] for name in tree(root / "presets")})
