"""``orpolicy policy show``: what is printed where, over a catalogue as well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from catalogs import CATALOG

from orpolicy.routing.snapshot import write_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


def test_what_governs_every_preset_is_printed_and_the_others_are_named(run: Run, project: Path) -> None:
    result = run("policy", "show")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        "no policy governs every preset\n"
        "'support/team' governs only some: below 'support/' (presets/support/team.policy.yaml)\n"
    )


def test_one_preset_is_asked_for_by_its_name(run: Run, project: Path) -> None:
    result = run("policy", "show", "--preset", "support/triage", "-e", "prod")
    assert result.output == (
        "models.deny: *:free\n    set by policy support/team, presets/support/team.policy.yaml:1:17\n"
    )
    assert run("policy", "show", "--preset", "fast").output == "no policy governs 'fast'\n"


def test_a_list_of_nothing_and_a_scope_are_said_in_words(run: Run, project: Path) -> None:
    (project / "presets/org.policy.yaml").write_text("plugins: {allow: []}\n")
    (project / "presets/some.policy.yaml").write_text(
        "applies_to: {presets: [fast, 'support/*'], environments: [dev]}\nzdr: true\n"
    )
    result = run("policy", "show")
    assert result.stdout.splitlines()[0] == "plugins.allow: none"
    assert "'some' governs only some: presets 'fast', 'support/*'; environments 'dev'" in result.stderr


def test_files_are_named_as_they_are_reached(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "presets")
    result = run("policy", "show", "--preset", "support/triage", "--json")
    found = json.loads(result.stdout)
    assert found["policies"] == [{"name": "support/team", "file": "support/team.policy.yaml"}]
    assert found["demands"][0]["set_by"][0]["file"] == "support/team.policy.yaml"
    assert "presets/support/" not in run("policy", "show").stderr


@pytest.mark.parametrize("complete", [True, False])
def test_a_guardrail_expands_patterns_over_a_catalogue_that_lists_every_model(
    run: Run, project: Path, complete: bool
) -> None:
    (project / "presets/org.policy.yaml").write_text('models: {allow: ["openai/*"], deny: ["*-mini"]}\n')
    (project / "catalog.json").write_text(write_snapshot(evolve(CATALOG, complete=complete)))
    result = run("policy", "show", "--guardrail")
    body = json.loads(result.stdout)
    assert body["name"] == "org"
    assert (
        "not in the guardrail: models.allow: patterns (openai/*) need a catalogue" in result.stderr
    ) is not complete
    if complete:
        assert body["allowed_models"]
        assert all(model.startswith("openai/") for model in body["allowed_models"])
        assert all(model.endswith("-mini") for model in body["ignored_models"])


def test_a_guardrail_never_lists_nothing(run: Run, project: Path) -> None:
    (project / "presets/org.policy.yaml").write_text('models: {allow: ["nobody/*"]}\n')
    (project / "catalog.json").write_text(write_snapshot(CATALOG))
    result = run("policy", "show", "--guardrail")
    assert json.loads(result.stdout) == {"name": "org"}
    assert "no known model is on every list" in result.stderr


def test_without_a_policy_there_is_no_guardrail(run: Run, project: Path) -> None:
    result = run("policy", "show", "--guardrail")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_broken_policy_is_shown_and_nothing_else(run: Run, project: Path) -> None:
    (project / "presets/org.policy.yaml").write_text("zdr: 5\n")
    result = run("policy", "show")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "presets/org.policy.yaml:1:6: error: 'zdr' must be true or false" in result.stderr
