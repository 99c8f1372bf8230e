"""A snapshot, or an answer of the API, holds what a catalogue holds, or it is refused in one sentence."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from catalogs import NOW
from hypothesis import event, given, settings
from mutations import SCALARS, json_values, mutations

from orpolicy.disk import Library
from orpolicy.errors import CatalogError, OrpolicyError
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace
from orpolicy.project import Project
from orpolicy.review.effects import collect_effects
from orpolicy.routing.answers import assemble
from orpolicy.routing.snapshot import _digest_of_text, demonstration, read_snapshot, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.routing.catalog import Catalog

IDS = ("anthropic/claude-haiku-4.5", "openrouter/auto", "~anthropic/claude-haiku-latest")
DEMO = demonstration()
SMALL = evolve(DEMO, models=[model for model in DEMO.models if model.id in IDS], providers=DEMO.providers[:2])
ROWS: dict[str, Any] = json.loads(write_snapshot(SMALL))
FILES = {
    "presets/one.yaml": "model: anthropic/claude-haiku-4.5\nmax_cost: 1\nprovider: {sort: price, max_price: {prompt: 2}}\n",
    "presets/auto.yaml": "model: openrouter/auto\nplugins: [{id: auto-router, allowed_models: ['anthropic/*']}]\n",
    "presets/late.yaml": "model: ~anthropic/claude-haiku-latest\nprovider: {sort: latency, only: [anthropic], zdr: true}\n",
}
RUBBISH = [
    *(None, True, -1, 1475, 1.5, 2**63, 10**30, float("nan"), float("inf")),
    *("", "x", "1E+999999999", "9999-12-31T23:59:59-23:59", "2026-08-22", "\ud800", "x" * 5000),
    *([], [1], ["x"], [[]], {}, {"x": 1}, {"x": {}}, {"utc_start": 1475}, {"prompt": "1", "overrides": [7]}),
]


def sign(data: dict[str, Any]) -> str:
    """Write a snapshot with the digest that its rows have, whatever they are."""
    members = {**data, "digest": "@"}
    text = "{\n" + ",\n".join(f"{json.dumps(key)}: {_write(value)}" for key, value in members.items()) + "\n}"
    return text.replace('"@"', json.dumps(_digest_of_text(text)), 1)


def _write(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(json.dumps(row, default=float) for row in value) + "\n]"
    return json.dumps(value, default=float)


def use(catalog: Catalog) -> None:
    """Do with a catalogue all that is done with one."""
    write_snapshot(catalog).encode()
    catalog.describe_age(NOW)
    project = Project(Workspace(Memory(FILES), Workspace(Library())), given=catalog)
    project.check(now=NOW)
    collect_effects(project, "here")
    for name in project.names:
        for at in (None, NOW):
            project.preset(name).route(prompt_tokens=5, completion_tokens=3, at=at)


def judge(text: str) -> str:
    """Read a snapshot and use it; tell whether it was refused."""
    said = "used"
    try:
        use(read_snapshot(text))
    except OrpolicyError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 400
    assert "object" not in said, "Python's words"
    return said if said == "used" else "refused"


def places() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the members of the head, and every field of one row of each kind."""
    yield from ((key, (key,)) for key in ("time", "source", "complete", "providers", "models", "endpoints"))
    endpoint = max(range(len(ROWS["endpoints"])), key=lambda number: len(ROWS["endpoints"][number]))
    for kind, number in (("providers", 0), *(("models", n) for n in range(3)), ("endpoints", endpoint)):
        yield f"{kind}[{number}]", (kind, number)
        yield from ((f"{kind}[{number}].{key}", (kind, number, key)) for key in ROWS[kind][number])
    yield "prompt", ("endpoints", endpoint, "prices", "prompt")
    for key in ("overrides", "discount"):
        yield key, ("endpoints", endpoint, "prices", key)


def test_a_snapshot_signed_anew_is_used() -> None:
    assert judge(sign(ROWS)) == "used"


@pytest.mark.parametrize("place", [place for _, place in places()], ids=[name for name, _ in places()])
def test_a_field_of_any_other_kind_is_refused_or_does_no_harm(place: tuple[Any, ...]) -> None:
    verdicts = set()
    for rubbish in RUBBISH:
        data = copy.deepcopy(ROWS)
        holder: Any = data
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = rubbish
        verdicts.add(judge(sign(data)))
    assert "refused" in verdicts


@settings(max_examples=200)
@given(mutations(json_values(SCALARS).map(lambda _: ROWS), most=3))
def test_a_mutated_snapshot_is_refused_or_does_no_harm(data: Any) -> None:
    event(judge(sign(data)))


@pytest.mark.parametrize("number", ["1" * 5000, "NaN", "-Infinity"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    text = write_snapshot(SMALL).replace('"complete": ', f'"more": {number}, "complete": ')
    with pytest.raises(CatalogError, match="a number or a text that no catalogue holds"):
        read_snapshot(text)


@pytest.mark.parametrize("clock", [1475, 2401, -1, "12:00", 14.5])
def test_a_price_holds_at_times_of_the_day_only(clock: Any) -> None:
    data = copy.deepcopy(ROWS)
    data["endpoints"][0]["prices"]["overrides"] = [{"prompt": "1", "utc_start": clock, "utc_end": 2400}]
    with pytest.raises(CatalogError, match=r"endpoint .*: utc_start"):
        read_snapshot(sign(data))


def test_a_moment_without_a_zone_is_utc() -> None:
    catalog = read_snapshot(sign({**ROWS, "time": "2026-08-22T12:00:00"}))
    assert catalog.describe_age(NOW) is None
    assert '"time": "2026-08-22T12:00:00Z"' in write_snapshot(catalog)


MODEL = {
    "id": "m/a",
    "name": "M: A",
    "created": 1,
    "expiration_date": "2026-10-31",
    "alias_target": {"slug": "m/b"},
    "reasoning": {"mandatory": False, "share": 0.5},
    "context_length": 1000,
    "architecture": {"input_modalities": ["text"], "output_modalities": ["text"], "tokenizer": "Other"},
    "pricing": {"prompt": "0.000001", "completion": "0.000002"},
    "top_provider": {"max_completion_tokens": None, "is_moderated": False},
    "supported_parameters": [],
}
ENDPOINT = {
    "model_id": "m/a",
    "tag": "together",
    "provider_name": "Together",
    "context_length": 1000,
    "quantization": None,
    "status": 0,
    "latency_last_30m": {"p50": 0.25},
    "pricing": {"prompt": "0.000001", "completion": "0.000002", "discount": 0},
    "supported_parameters": ["max_tokens"],
}
ANSWERS: dict[str, Any] = {
    "models": {"data": [MODEL], "links": {"next": None}},
    "providers": {"data": [{"slug": "together", "name": "Together", "datacenters": ["US"]}]},
    "zdr": {"data": [{"model_id": "m/a", "tag": "together"}]},
    "endpoints": {"m/a": {"data": {"endpoints": [ENDPOINT]}}},
}


def read_answers(data: Any) -> Catalog | None:
    with suppress(CatalogError):
        return assemble(data["models"], data["providers"], data["zdr"], data["endpoints"])
    return None


def test_what_the_api_says_of_reasoning_goes_into_a_snapshot_and_comes_back() -> None:
    catalog = read_answers(ANSWERS)
    assert catalog is not None
    assert read_snapshot(write_snapshot(catalog)) == catalog


@settings(max_examples=200)
@given(mutations(json_values(SCALARS).map(lambda _: ANSWERS), most=2))
def test_a_mutated_answer_is_refused_or_does_no_harm(data: Any) -> None:
    if not {"models", "providers", "zdr", "endpoints"} <= data.keys() or not isinstance(
        data["endpoints"], dict
    ):
        return  # what is asked for is ours, what is answered is not
    catalog = read_answers(data)
    event("refused" if catalog is None else "read")
    if catalog is not None:
        use(catalog)
