"""The face of the package: short, sorted, complete, and typed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import orpolicy

if TYPE_CHECKING:
    from pathlib import Path


def test_the_face_is_sorted_and_short() -> None:
    assert orpolicy.__all__ == sorted(orpolicy.__all__)
    assert len(orpolicy.__all__) <= 25


@pytest.mark.parametrize("name", orpolicy.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(orpolicy, name).__doc__


def test_public_names_are_all_and_only_those_listed() -> None:
    homes = {name for names in orpolicy._HOMES.values() for name in names}
    assert homes == set(orpolicy.__all__)
    assert set(orpolicy.__all__) <= set(dir(orpolicy))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Polcy'"):
        _ = orpolicy.Polcy


def test_the_interface_means_to_a_type_checker_what_the_documentation_says(root: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "tests/typing/api.py"]
    checked = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert checked.returncode == 0, checked.stdout
