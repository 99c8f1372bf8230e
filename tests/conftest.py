"""Fixtures and settings that every wing's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

INSTALL_JUDGES = "npm install --prefix tests/judges"

settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci", parent=settings.get_profile("dev"), derandomize=True, print_blob=True, max_examples=50
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the shared folder of real catalogues and cases is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def judges() -> Path:
    """The tools of others that judge what is written, as npm packages; tests that need one skip where they are absent."""
    folder = ROOT / "tests" / "judges" / "node_modules"
    if not folder.is_dir():
        pytest.skip(f"the judges are not installed; {INSTALL_JUDGES!r} does it")
    return folder
