"""Projects on disk: names that nothing reads, and what lies outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import orpolicy

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name",
    [
        "orpolicy.yml",
        "ORPOLICY.yaml",
        "org.policy.yaml",
        "presets/org.policy.YAML",
        "presets/.org.policy.yaml",
        "presets/.policy.yaml",
        "presets/support/Triage.YML",
    ],
)
def test_a_file_that_looks_like_one_of_ours_and_is_not_read_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "presets" / "support").mkdir(parents=True)
    (tmp_path / "presets" / "a.yaml").write_text("model: openai/gpt-5-mini\n", encoding="utf-8")
    assert not orpolicy.load(tmp_path).check()
    (tmp_path / name).write_text("zdr: true\n", encoding="utf-8")
    (found,) = orpolicy.load(tmp_path).check()
    assert (found.code, str(found.location)) == ("misnamed-file", f"{name}:1:1")
    assert name in found.message


def test_no_project_at_all_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(orpolicy.UsageError, match="there is no project here"):
        orpolicy.load(tmp_path).check()


def test_a_snapshot_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "a.yaml").write_text("model: openai/gpt-5-mini\n", encoding="utf-8")
    (tmp_path / "orpolicy.yaml").write_text("catalog: prices.json\n", encoding="utf-8")
    (found,) = orpolicy.load(tmp_path).check()
    assert (found.code, str(found.location)) == ("missing-catalog", "orpolicy.yaml:1:10")


def test_an_overlay_of_a_built_in_preset_needs_no_project(tmp_path: Path) -> None:
    triage = orpolicy.load(tmp_path).preset("support/triage", "prod")
    assert triage.environment == "prod"
    assert triage.body["provider"]["max_price"]
