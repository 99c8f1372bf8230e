"""``orpolicy route``: what it reads, what it warns of, how it ends; whole outputs are in ``cases/projects/routes``."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from catalogs import CATALOG, NOW

from orpolicy.cli.tables import say_ranges
from orpolicy.project import load
from orpolicy.routing.resolve import resolve_model
from orpolicy.routing.snapshot import write_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from orpolicy.routing.catalog import Catalog

    Run = Callable[..., Result]

SNAPSHOT = evolve(CATALOG, note="")
TRIAGE = """\
model: anthropic/claude-haiku-4.5
max_tokens: 1000
provider:
  ignore: [azure]
environments:
  prod:
    provider: {zdr: true}
"""


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("orpolicy.project", "orpolicy.cli.snapshots"):
        monkeypatch.setattr(f"{module}.read_clock", lambda: NOW)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a snapshot, as the working directory."""
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets/triage.yaml").write_text(TRIAGE)
    (tmp_path / "catalog.json").write_text(write_snapshot(SNAPSHOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_project_s_own_snapshot_is_looked_at(folder: Path, run: Run) -> None:
    result = run("route", "triage", "-e", "prod", "--prompt-tokens", "2000", "--completion-tokens", "1000")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.splitlines()[0] == "triage in prod, by the catalogue of 2026-08-22"
    assert "    anthropic/claude-haiku-4.5  anthropic" in result.stdout
    assert "data_policy:zdr: /provider/zdr at presets/triage.yaml:7:21" in result.stdout
    assert "worst case: $0.0077 for 2,000 + 1,000 tokens at " in result.stdout


def test_files_are_named_as_they_are_reached_from_the_working_directory(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "presets")
    shown = run("route", "triage", "-e", "prod").stdout
    assert "/provider/zdr at triage.yaml:7:21" in shown
    report = json.loads(run("route", "triage", "-e", "prod", "--json").stdout)
    assert {because["file"] for entry in report["excluded"] for because in entry["because"]} == {
        "triage.yaml"
    }


def test_json_is_the_route_as_documented(folder: Path, run: Run) -> None:
    result = run("route", "triage", "-e", "prod", "--json", "--down", "google-vertex")
    report = json.loads(result.stdout)
    assert list(report) == [
        "preset",
        "environment",
        "catalog",
        "attempts",
        "excluded",
        "unknown",
        "availability",
    ]
    assert (report["preset"], report["environment"]) == ("triage", "prod")
    assert report["catalog"] == {"time": "2026-08-22T00:00:00Z", "digest": SNAPSHOT.digest}
    first = report["attempts"][0]
    assert list(first) == [
        "rank",
        "model",
        "tag",
        "provider",
        "prompt",
        "completion",
        "zdr",
        "quantization",
        "context_length",
        "weight",
    ]
    assert (first["tag"], first["prompt"], first["completion"]) == ("amazon-bedrock/global", "1", "5")
    down = next(entry for entry in report["excluded"] if entry["tag"] == "google-vertex/global")
    assert down["because"] == [{"field": "/provider/ignore/-", "file": None, "line": None, "column": None}]
    library = load(folder).preset("triage", "prod").route(down=["google-vertex"])
    assert report == library.to_json("triage", "prod")


def test_all_is_one_line_a_preset_and_environment_and_the_same_as_json(folder: Path, run: Run) -> None:
    (folder / "presets/mixin.yaml").write_text("abstract: true\ntemperature: 1\n")
    result = run("route", "--all", "--prompt-tokens", "2000", "--completion-tokens", "1000")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()[1:]] == [
        ["triage", "-", "4", "0", "0", "1/5", "$0.0077", "amazon-bedrock,", "anthropic,", "google-vertex"],
        ["triage", "prod", "3", "1", "0", "1/5", "$0.0077", "amazon-bedrock,", "google-vertex"],
    ]
    rows = json.loads(run("route", "--all", "-e", "prod", "--json", "--prompt-tokens", "2000").stdout)
    assert [(row["preset"], row["environment"], row["eligible"], row["worst_case"]) for row in rows] == [
        ("triage", "prod", 3, "0.0077")
    ]
    assert rows[0]["cheapest"]["tag"] == "amazon-bedrock/global"
    assert rows[0]["problem"] is None


def test_a_project_without_presets_has_no_routes(folder: Path, run: Run) -> None:
    (folder / "presets/triage.yaml").unlink()
    result = run("route", "--all")
    assert (result.exit_code, result.stderr) == (2, "Error: there are no presets here to route\n")


@pytest.mark.parametrize(("spelling", "slug"), [("Google", "google-vertex"), ("anthropic", "anthropic")])
def test_a_provider_that_is_down_is_named_in_any_spelling(
    folder: Path, run: Run, spelling: str, slug: str
) -> None:
    named = run("route", "triage", "--json", "--down", spelling).stdout
    assert named == run("route", "triage", "--json", "--down", slug).stdout
    assert slug not in {attempt["tag"].partition("/")[0] for attempt in json.loads(named)["attempts"]}


def test_when_the_last_provider_is_down_nobody_may_serve_it(folder: Path, run: Run) -> None:
    down = ("--down", "anthropic", "--down", "amazon-bedrock", "--down", "google-vertex")
    result = run("route", "triage", *down)
    assert result.exit_code == 1
    assert "nobody may serve it: OpenRouter would answer no_endpoints" in result.stdout
    assert "  to blame: --down\n" in result.stdout


def test_a_preset_from_standard_input_has_a_route(folder: Path, run: Run) -> None:
    result = run("route", "-", input="model: openai/gpt-4o-mini\nprovider: {only: [azure]}\n")
    assert result.exit_code == 0
    assert "/provider/only at <stdin>:2:18" in result.stdout


def test_a_misspelled_model_is_said_with_what_was_meant(folder: Path, run: Run) -> None:
    result = run("route", "-", input="model: openai/gpt-4o-mimi\n")
    assert result.exit_code == 1
    assert "OpenRouter would answer model_not_found" in result.stdout
    assert "did you mean: openai/gpt-4o-mini" in result.stdout


# The snapshot


def test_another_snapshot_or_a_folder_of_answers_may_be_looked_at(
    folder: Path, run: Run, shared: Path
) -> None:
    (folder / "other.json").write_text(write_snapshot(evolve(SNAPSHOT, time=NOW)))
    assert "by the catalogue of 2026-08-23" in run("route", "triage", "--catalog", "other.json").stdout
    result = run("route", "triage", "--catalog", str(shared / "catalog"))
    assert "by a catalogue of unknown age" in result.stdout
    assert result.stderr.startswith("Warning: the catalogue does not say how old it is; pull a fresh one")


def test_an_old_snapshot_is_a_warning_with_its_age(folder: Path, run: Run) -> None:
    (folder / "catalog.json").write_text(write_snapshot(evolve(SNAPSHOT, time=NOW - timedelta(days=31))))
    result = run("route", "triage")
    assert result.exit_code == 0
    assert result.stderr == (
        "Warning: the catalogue is 31 days old: prices and endpoints have changed; "
        "pull a fresh one with 'orpolicy catalog pull'\n"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (write_snapshot(SNAPSHOT)[:5000], "catalog.json is truncated"),
        ("{}", "catalog.json is no catalogue snapshot"),
        (
            write_snapshot(SNAPSHOT).replace('"prompt":"0.000001"', '"prompt":"-0.1"', 1),
            "model anthropic/claude-haiku-4.5: the price 'prompt' is negative (-0.1)",
        ),
        (write_snapshot(SNAPSHOT).replace("64000", "65000", 1), "catalog.json does not match its digest"),
        ("\x00", "catalog.json is not JSON"),
    ],
    ids=["truncated", "another file", "negative price", "edited by hand", "garbage"],
)
@pytest.mark.parametrize(
    "verb", [("route", "triage"), ("check",), ("check", "--locked"), ("catalog", "show")]
)
def test_a_broken_snapshot_is_a_failure_that_says_what_to_do(
    folder: Path, run: Run, verb: tuple[str, ...], text: str, said: str
) -> None:
    (folder / "catalog.json").write_text(text)
    result = run(*verb)
    if verb[0] == "check":  # which says all else as well
        assert result.exit_code == 1
        assert result.stdout.startswith("catalog.json:1:1: error: ")
        assert "[unreadable-file]" in result.stdout
        assert result.stderr.startswith("1 preset checked: ")
    else:
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr.startswith("Error: ")
    assert said in result.output


def test_without_a_snapshot_it_is_said_how_to_get_one(folder: Path, run: Run) -> None:
    (folder / "catalog.json").unlink()
    result = run("route", "triage")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'orpolicy catalog pull' makes one" in result.stderr
    assert run("route", "triage", "--demo").exit_code == 0


def test_a_check_with_a_snapshot_points_at_the_line(folder: Path, run: Run) -> None:
    (folder / "presets/triage.yaml").write_text(TRIAGE.replace("[azure]", "[antropic]"))
    result = run("check", "--output-format", "concise")
    assert result.exit_code == 1
    assert result.stdout == (
        "presets/triage.yaml:4:12: error: OpenRouter lists no provider 'antropic' (catalogue of 2026-08-22): it "
        "excludes nobody (did you mean 'anthropic'?) [unknown-provider]\n"
    )


# Every name


def test_every_model_variant_and_alias_of_the_real_catalogue_has_a_route(
    real_catalog: Catalog, folder: Path, run: Run
) -> None:
    names = [model.id for model in real_catalog.models]
    assert len(names) == 422
    for number, name in enumerate(names):
        suffix = ("", ":nitro", ":floor", ":exacto")[number % 4]
        (folder / f"presets/m{number:03}.yaml").write_text(f'model: "{name}{suffix}"\n')
    (folder / "catalog.json").write_text(write_snapshot(real_catalog))
    rows = json.loads(run("route", "--all", "--json", "-e", "prod").stdout)
    assert len(rows) == 423
    silent = [
        row["preset"]
        for row in rows
        if not (row["eligible"] or row["unknown"]) and row["problem"] != "nobody may serve it: no_endpoints"
    ]
    assert silent == []
    for row in rows:
        if row["preset"] != "triage":
            model = resolve_model(real_catalog, names[int(row["preset"][1:])]).model
            assert model is not None
            assert row["eligible"] + row["excluded"] == len(model.endpoints or ())


@pytest.mark.parametrize(
    ("numbers", "shown"), [([1], "1"), ([2, 3, 4], "2-4"), ([1, 3, 4, 7], "1, 3-4, 7"), ([], "")]
)
def test_ranks_are_written_as_ranges(numbers: list[int], shown: str) -> None:
    assert say_ranges(numbers) == shown
