"""``orpolicy catalog``: pulls from files and over a wire, failures that leave the old snapshot, what a model looks like."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from catalogs import NOW

from orpolicy.emulator.transport import EmulatorTransport
from orpolicy.routing import pull as network
from orpolicy.routing.snapshot import read_snapshot, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from orpolicy.routing.catalog import Catalog

    Run = Callable[..., Result]

HAIKU = "anthropic/claude-haiku-4.5"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orpolicy.cli.snapshots.read_clock", lambda: NOW)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as the working directory."""
    home = tmp_path / "project"
    (home / "presets").mkdir(parents=True)
    (home / "presets/triage.yaml").write_text(
        f"model: {HAIKU}:nitro\nenvironments: {{prod: {{models: [~anthropic/claude-opus-latest]}}}}\n"
    )
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def answers(tmp_path: Path, shared: Path) -> Path:
    """The API's answers about a few models, in files."""
    target = tmp_path / "answers"
    (target / "endpoints").mkdir(parents=True)
    for name in ("models.json", "providers.json", "zdr.json"):
        shutil.copy(shared / "catalog" / name, target)
    for name in ("anthropic__claude-haiku-4.5", "anthropic__claude-opus-5", "openai__gpt-5-mini"):
        shutil.copy(shared / "catalog/endpoints" / f"{name}.json", target / "endpoints")
    moment = datetime(2026, 8, 22, 23, 1, tzinfo=UTC).timestamp()
    os.utime(target / "models.json", (moment, moment))
    return target


def read(path: Path) -> Catalog:
    return read_snapshot(path.read_text())


def test_a_pull_from_files_keeps_what_the_presets_can_name(folder: Path, answers: Path, run: Run) -> None:
    result = run("catalog", "pull", "--from", str(answers))
    assert (result.exit_code, result.stdout) == (0, "")
    made = read(folder / "catalog.json")
    asked = {model.id for model in made.models if model.endpoints}
    assert asked == {HAIKU, "anthropic/claude-opus-5"}
    assert made.time == datetime(2026, 8, 22, 23, 1, tzinfo=UTC)
    assert len(made.models) == 422
    assert result.stderr == (
        f"catalog.json: 422 models, {len(made.endpoints)} endpoints of 2 of them, 103 providers\n"
    )
    assert made.source == "answers"


def test_the_time_of_the_files_may_be_said(folder: Path, answers: Path, run: Run) -> None:
    assert run("catalog", "pull", "--from", str(answers), "--time", "2026-08-20").exit_code == 0
    assert read(folder / "catalog.json").time == datetime(2026, 8, 20, tzinfo=UTC)
    alone = run("catalog", "pull", "--time", "2026-08-20")
    assert (alone.exit_code, alone.stderr) == (
        2,
        "Error: --time goes with --from: a pull over the network knows its time\n",
    )


def test_a_pull_of_everything_asks_about_every_model(
    folder: Path, shared: Path, run: Run, real_catalog: Any
) -> None:
    result = run("catalog", "pull", "--from", str(shared / "catalog"), "--all", "-o", "all.json")
    assert result.exit_code == 0
    assert (
        result.stderr.splitlines()[-1] == "all.json: 422 models, 1204 endpoints of 422 of them, 103 providers"
    )
    assert read(folder / "all.json").digest == real_catalog.digest
    assert not (folder / "catalog.json").exists()
    assert run("check").exit_code == 0


def test_the_project_says_where_its_snapshot_lies(folder: Path, answers: Path, run: Run) -> None:
    (folder / "orpolicy.yaml").write_text("catalog: data/models.json\n")
    assert run("catalog", "pull", "--from", str(answers)).exit_code == 0
    assert read(folder / "data/models.json").models


def test_an_equal_pull_gives_an_equal_file(folder: Path, answers: Path, run: Run) -> None:
    run("catalog", "pull", "--from", str(answers))
    first = (folder / "catalog.json").read_bytes()
    run("catalog", "pull", "--from", str(answers))
    assert (folder / "catalog.json").read_bytes() == first


def test_models_that_are_not_listed_are_warned_of(folder: Path, answers: Path, run: Run) -> None:
    (folder / "presets/typo.yaml").write_text("model: antropic/claude\n")
    result = run("catalog", "pull", "--from", str(answers))
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: OpenRouter lists no model antropic/claude\n")


def test_a_model_that_was_answered_for_by_another_is_warned_of(folder: Path, shared: Path, run: Run) -> None:
    (folder / "presets/triage.yaml").write_text("model: google/gemini-2.5-pro-preview\n")
    result = run("catalog", "pull", "--from", str(shared / "catalog"), "--time", "2026-08-22")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == (
        "Warning: the endpoints of google/gemini-2.5-pro-preview are those of google/gemini-2.5-pro"
    )


def test_a_project_that_names_no_model_has_nothing_to_pull(folder: Path, answers: Path, run: Run) -> None:
    (folder / "presets/triage.yaml").write_text("temperature: 1\nabstract: true\n")
    result = run("catalog", "pull", "--from", str(answers))
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: no preset here names a model; --all asks about every model\n",
    )


# Broken input: a clear failure, and the old snapshot as it was


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("models.json", '{"data": [', "answers/models.json is truncated"),
        ("models.json", '{"error": {"code": 500}}', "models: the answer has no list 'data'"),
        ("models.json", '{"data": [{"name": "A"}]}', "models: "),
        ("models.json", '{"data": [7]}', "models: "),
        ("zdr.json", '{"data": [{"tag": "t"}]}', "endpoints/zdr: the field 'model_id' is missing"),
        ("providers.json", None, "there is no catalogue at"),
        ("endpoints/anthropic__claude-haiku-4.5.json", "<html>", "claude-haiku-4.5.json is not JSON"),
    ],
)
def test_a_pull_that_fails_leaves_the_old_snapshot(  # noqa: PLR0917 - a case, and where it happens
    folder: Path, answers: Path, run: Run, file: str, text: str | None, said: str
) -> None:
    (folder / "catalog.json").write_text("old")
    if text is None:
        (answers / file).unlink()
    else:
        (answers / file).write_text(text)
    result = run("catalog", "pull", "--from", str(answers))
    assert result.exit_code == 3
    assert said in result.stderr
    assert [path.name for path in folder.iterdir()] == ["presets", "catalog.json"]
    assert (folder / "catalog.json").read_text() == "old"


def test_a_negative_price_is_no_price(folder: Path, answers: Path, run: Run) -> None:
    file = answers / "endpoints/anthropic__claude-haiku-4.5.json"
    data = json.loads(file.read_text())
    data["data"]["endpoints"][0]["pricing"]["completion"] = "-0.000005"
    file.write_text(json.dumps(data))
    result = run("catalog", "pull", "--from", str(answers))
    assert result.exit_code == 3
    assert "the price 'completion' is negative (-0.000005)" in result.stderr
    assert not (folder / "catalog.json").exists()


# Over a wire


def serve(monkeypatch: pytest.MonkeyPatch, transport: httpx.BaseTransport) -> None:
    """Let pulls reach a transport instead of the network, without waiting."""

    def pull(names: Any, **options: Any) -> network.Pulled:
        seen.append(options.pop("key", None))
        with httpx.Client(transport=transport, base_url=network.BASE_URL) as client:
            source = network.Source(client, sleep=lambda _: None, now=lambda: NOW)
            return genuine(names, source=source, **options)

    genuine = network.pull
    monkeypatch.setattr(network, "pull", pull)


seen: list[str | None] = []


def test_a_pull_over_the_wire_asks_about_what_the_presets_can_name(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, EmulatorTransport())
    (folder / "presets/triage.yaml").write_text(f"model: {HAIKU}\nmodels: [openai/gpt-4o-mini]\n")
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-secret")
    result = run("catalog", "pull")
    assert result.exit_code == 0
    made = read(folder / "catalog.json")
    assert {model.id for model in made.models if model.endpoints} == {HAIKU, "openai/gpt-4o-mini"}
    assert made.time == NOW
    assert seen.pop() == "sk-or-v1-secret"
    assert "secret" not in result.output + (folder / "catalog.json").read_text()


def test_a_failure_in_the_middle_leaves_the_old_snapshot(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = EmulatorTransport()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("gpt-4o-mini/endpoints"):
            return httpx.Response(500, json={"error": {"code": 500, "message": "Internal Server Error"}})
        return emulator.handle_request(request)

    serve(monkeypatch, httpx.MockTransport(answer))
    (folder / "catalog.json").write_text("old")
    (folder / "presets/triage.yaml").write_text(f"model: {HAIKU}\nmodels: [openai/gpt-4o-mini]\n")
    result = run("catalog", "pull")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "Error: GET /models/openai/gpt-4o-mini/endpoints failed 5 times, the last time with status 500\n"
    )
    assert (folder / "catalog.json").read_text() == "old"


def test_a_terminal_shows_how_far_a_pull_is(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, EmulatorTransport())
    monkeypatch.setattr("orpolicy.cli.catalog.watches", lambda: True)
    (folder / "presets/triage.yaml").write_text(f"model: {HAIKU}\n")
    result = run("catalog", "pull")
    assert result.exit_code == 0
    assert "models" in result.stderr
    assert result.stdout == ""


# Looking at it


def test_a_model_is_shown_with_its_prices_for_long_prompts_and_hours(
    folder: Path, run: Run, real_catalog: Catalog
) -> None:
    (folder / "catalog.json").write_text(write_snapshot(real_catalog))
    shown = run("catalog", "show", "google/gemini-2.5-pro").stdout
    assert "  google-vertex/global above 200,000 prompt tokens: prompt 2.5, completion 15\n" in shown
    timed = next(e for e in real_catalog.endpoints for override in e.prices.overrides if override.timed)
    assert " UTC: prompt " in run("catalog", "show", timed.model).stdout


def test_every_model_of_the_real_catalogue_can_be_shown(
    folder: Path, run: Run, real_catalog: Catalog
) -> None:
    (folder / "catalog.json").write_text(write_snapshot(real_catalog))
    for model in real_catalog.models[::40]:
        assert run("catalog", "show", model.id).exit_code == 0
        as_json = json.loads(run("catalog", "show", model.id, "--json").stdout)
        assert as_json["id"] == model.id
    nobody = run("catalog", "show", "allenai/olmo-3-32b-think").stdout
    assert nobody.endswith("nobody serves it\n")


def test_endpoints_that_were_not_asked_for_are_not_missing(folder: Path, answers: Path, run: Run) -> None:
    run("catalog", "pull", "--from", str(answers))
    shown = run("catalog", "show", "openai/gpt-5-mini").stdout
    assert "endpoints: not in this catalogue; 'orpolicy catalog pull' asks for those" in shown
    assert json.loads(run("catalog", "show", "openai/gpt-5-mini", "--json").stdout)["endpoints"] is None


def test_a_summary_is_for_people(folder: Path, run: Run) -> None:
    result = run("catalog", "show", "--demo", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: --json shows a model: name one" in result.stderr
