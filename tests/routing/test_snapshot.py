"""The snapshot: one file that round-trips, that a diff can read, and that is refused when it is broken."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from orpolicy.errors import CatalogError
from orpolicy.routing import snapshot
from orpolicy.routing.answers import assemble, load_catalog
from orpolicy.routing.snapshot import demonstration, read_snapshot, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orpolicy.routing.catalog import Catalog, Endpoint

MODEL = {
    "id": "m/a",
    "name": "M: A",
    "created": 1,
    "context_length": 1000,
    "architecture": {"input_modalities": ["text"], "output_modalities": ["text"], "tokenizer": "Other"},
    "pricing": {"prompt": "0.000001", "completion": "0.000002"},
    "top_provider": {"max_completion_tokens": None, "is_moderated": False},
    "supported_parameters": [],
    "expiration_date": None,
}
ENDPOINT = {
    "model_id": "m/a",
    "tag": "together",
    "provider_name": "Together",
    "context_length": 1000,
    "quantization": None,
    "pricing": {"prompt": "0.000001", "completion": "0.000002", "discount": 0},
    "supported_parameters": ["max_tokens"],
}


def answers(model: dict[str, Any] | None = None, endpoint: dict[str, Any] | None = None) -> Catalog:
    """Assemble a catalogue of one model and one endpoint, with these fields replaced."""
    rows = {"m/a": {"data": {"endpoints": [ENDPOINT | (endpoint or {})]}}}
    providers = {"data": [{"slug": "together", "name": "Together"}]}
    return assemble({"data": [MODEL | (model or {})]}, providers, {"data": []}, rows)


def test_the_whole_real_catalogue_round_trips(real: Catalog) -> None:
    assert (len(real.models), len(real.endpoints)) == (422, 1204)
    stamped = evolve(
        real, time=datetime(2026, 8, 22, 23, 1, tzinfo=UTC), source="https://openrouter.ai/api/v1"
    )
    text = write_snapshot(stamped)
    again = read_snapshot(text)
    assert again == stamped
    assert again.digest == stamped.digest == real.digest
    assert write_snapshot(again) == text


def test_a_snapshot_has_one_line_for_every_row(real: Catalog) -> None:
    lines = write_snapshot(real).splitlines()
    rows = [json.loads(line.rstrip(",")) for line in lines if line.startswith("{") and len(line) > 1]
    assert len(rows) == len(real.models) + len(real.endpoints) + len(real.providers)


def test_equal_catalogues_have_equal_texts_whatever_order_they_came_in(real: Catalog) -> None:
    models = list(real.models)
    random.Random(1).shuffle(models)
    assert write_snapshot(evolve(real, models=models)) == write_snapshot(real)


def test_time_and_source_do_not_change_the_digest(real: Catalog) -> None:
    later = evolve(real, time=datetime(2027, 1, 1, tzinfo=UTC), source="elsewhere")
    assert later.digest == real.digest
    assert write_snapshot(later) != write_snapshot(real)


def test_unknown_endpoints_stay_unknown(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog([endpoint("m/a", "together")], {"m/b": {"endpoints": None}, "m/c": {}})
    again = read_snapshot(write_snapshot(made))
    assert again.by_id["m/b"].endpoints is None
    assert again.by_id["m/c"].endpoints == ()
    assert again == made


def test_a_snapshot_that_somebody_formatted_still_reads(real: Catalog) -> None:
    text = json.dumps(json.loads(write_snapshot(real)), indent=2)
    assert read_snapshot(text) == real


def test_a_snapshot_that_somebody_edited_is_refused() -> None:
    text = write_snapshot(answers()).replace('"0.000002"', '"0.000003"', 1)
    with pytest.raises(CatalogError, match="does not match its digest"):
        read_snapshot(text)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], "truncated|not JSON"),
        (lambda _: "", "truncated"),
        (lambda text: text[:-3], "truncated"),
        (lambda text: text.replace('"models"', "models"), r"not JSON: .* at line \d+, column \d+"),
        (lambda _: "[]", "no catalogue snapshot"),
        (lambda _: '{"data": []}', "no catalogue snapshot"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "version 2, this program reads 1"),
        (
            lambda text: text.replace('"tag":"together",', ""),
            "endpoint None of m/a: the field 'tag' is missing",
        ),
        (lambda text: text.replace('"models": [', '"modes": ['), "the field 'models' is missing"),
        (lambda text: "[" * 100_000 + text, "nested too deeply"),
    ],
)
def test_a_broken_snapshot_is_a_clear_error(damage: Callable[[str], str], message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        read_snapshot(damage(write_snapshot(answers())), "catalog.json")


def test_every_truncation_is_an_error() -> None:
    text = write_snapshot(answers())
    for end in range(len(text.rstrip())):
        with pytest.raises(CatalogError):
            read_snapshot(text[:end])


@pytest.mark.parametrize(
    ("model", "endpoint", "message"),
    [
        (
            {},
            {"pricing": {"prompt": "-0.1", "completion": "0"}},
            "endpoint together: the price 'prompt' is negative",
        ),
        ({}, {"pricing": {"prompt": "-1", "completion": "-1"}}, "which only a router's may be"),
        ({"pricing": {"prompt": "-2", "completion": "0"}}, {}, "model m/a: the price 'prompt' is negative"),
        ({}, {"pricing": {"prompt": "free", "completion": "0"}}, "prompt is not a number.*: 'free'"),
        ({}, {"pricing": {"prompt": "NaN", "completion": "0"}}, "prompt is not a number"),
        (
            {},
            {"pricing": {"prompt": "1", "completion": "0", "discount": 1}},
            "discount of 1 would leave no price",
        ),
        ({}, {"context_length": None}, "endpoint together: "),
        ({"architecture": None}, {}, "model m/a: "),
        ({"expiration_date": "soon"}, {}, "model m/a: "),
    ],
)
def test_impossible_answers_are_clear_errors(
    model: dict[str, Any], endpoint: dict[str, Any], message: str
) -> None:
    with pytest.raises(CatalogError, match=message):
        answers(model, endpoint)


@pytest.mark.parametrize("answer", [{"error": {"code": 500}}, [], None, {"data": {}}])
def test_an_answer_that_is_no_list_is_a_clear_error(answer: Any) -> None:
    with pytest.raises(CatalogError, match="models: the answer has no list 'data'"):
        assemble(answer, {"data": []}, None, {})


def test_a_router_may_have_no_price_of_its_own() -> None:
    made = answers({"pricing": {"prompt": "-1", "completion": "-1"}})
    assert made.by_id["m/a"].is_router


def test_a_folder_and_its_snapshot_load_alike(shared: Path, real: Catalog, tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(write_snapshot(real), encoding="utf-8")
    assert load_catalog(shared / "catalog") == load_catalog(file)


def test_a_missing_catalogue_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="orpolicy catalog pull"):
        load_catalog(tmp_path / "catalog.json")
    with pytest.raises(CatalogError, match="no catalogue at"):
        load_catalog(tmp_path)


def test_an_unreadable_catalogue_is_a_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogError, match="cannot be read"):
        load_catalog(file)


def test_the_demonstration_says_what_it_is() -> None:
    demo = demonstration()
    assert "Demonstration data of 22 August 2026" in demo.note
    assert demo.time == datetime(2026, 8, 22, tzinfo=UTC)
    assert not demo.complete
    assert 8 <= len(demo.models) <= 12
    assert 25 <= len(demo.endpoints) <= 40
    assert {"free"} <= {model.variant for model in demo.models}
    assert any(model.alias_of for model in demo.models)
    assert demo.by_id["openrouter/auto"].is_router
    assert {endpoint.tier for endpoint in demo.endpoints} == {None, "flex", "priority"}
    assert {endpoint.zdr for endpoint in demo.endpoints} == {True, False}
    assert {endpoint.provider for endpoint in demo.endpoints} == set(demo.by_name)


def test_the_demonstration_is_a_part_of_the_real_catalogue(real: Catalog) -> None:
    assert all(
        endpoint in (real.by_id[endpoint.model].endpoints or ()) for endpoint in demonstration().endpoints
    )


def test_a_file_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MAX_BYTES", 10**6)
    file = tmp_path / "catalog.json"
    file.symlink_to("/dev/zero")
    with pytest.raises(CatalogError, match="larger than 0 MiB, as no catalogue is"):
        load_catalog(file)


def test_a_snapshot_is_read_from_a_checkout_with_other_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_bytes(write_snapshot(demonstration()).replace("\n", "\r\n").encode())
    assert load_catalog(file) == demonstration()
