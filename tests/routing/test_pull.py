"""Pulling a catalogue: whole or not at all, patient with passing failures, and never touching the old file early."""

from __future__ import annotations

import pathlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from attrs import evolve

from orpolicy.emulator.transport import EmulatorTransport
from orpolicy.errors import CatalogError
from orpolicy.routing import pull as pulling
from orpolicy.routing.pull import Source, pull, replace_snapshot
from orpolicy.routing.snapshot import demonstration, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orpolicy.routing.catalog import Catalog

NOW = datetime(2026, 9, 1, 12, 0, 0, 5, tzinfo=UTC)


class Scripted(httpx.BaseTransport):
    """The emulator's API, with answers replaced: a path maps to what each of its requests gets."""

    def __init__(self, script: dict[str, list[Any]] | None = None) -> None:
        self.inner = EmulatorTransport()
        self.script = script or {}
        self.paths: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        self.paths.append(path)
        if self.script.get(path):
            answer = self.script[path].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer  # type: ignore[no-any-return]  # the script holds responses
        return self.inner.handle_request(request)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def source(waits: list[float]) -> Callable[..., Source]:
    """``source(script)``: a source over scripted answers that does not really wait."""

    def make(script: dict[str, list[Any]] | None = None) -> Source:
        client = httpx.Client(transport=Scripted(script), base_url=pulling.BASE_URL)
        return Source(client, sleep=waits.append, now=lambda: NOW)

    return make


def test_a_whole_pull_is_the_whole_catalogue(source: Callable[..., Source]) -> None:
    seen: list[tuple[int, int]] = []
    pulled = pull(source=source(), progress=lambda done, total: seen.append((done, total)))
    demo = demonstration()
    assert [e.tag for e in pulled.catalog.endpoints] == [e.tag for e in demo.endpoints]
    assert all(model.endpoints is not None for model in pulled.catalog.models)
    assert pulled.catalog.time == NOW.replace(microsecond=0)
    assert pulled.catalog.source == pulling.BASE_URL
    assert pulled.catalog.complete
    assert pulled.warnings == ()
    assert seen == [(number, 11) for number in range(1, 12)]


def test_a_pull_for_presets_asks_for_their_models_and_alias_targets_only(
    source: Callable[..., Source],
) -> None:
    where = source()
    pulled = pull(["~anthropic/claude-haiku-latest", "openai/gpt-4o-mini:nitro", "m/none"], source=where)
    known = {model.id for model in pulled.catalog.models if model.endpoints is not None}
    assert known == {"~anthropic/claude-haiku-latest", "anthropic/claude-haiku-4.5", "openai/gpt-4o-mini"}
    assert len(pulled.catalog.models) == len(demonstration().models)
    assert pulled.warnings == ("OpenRouter lists no model m/none",)
    paths = where.client._transport.paths  # type: ignore[attr-defined]  # the scripted transport
    assert sum(path.endswith("/endpoints") for path in paths) == 3


def test_passing_failures_are_repeated_after_the_time_the_server_names(
    source: Callable[..., Source], waits: list[float]
) -> None:
    script = {
        "/models": [httpx.Response(429, headers={"retry-after": "3"}), httpx.ConnectError("no route")],
        "/providers": [httpx.Response(500), httpx.Response(503)],
    }
    assert pull(["openai/gpt-4o-mini"], source=source(script)).catalog.models
    assert waits[0] == 3
    assert len(waits) == 4
    assert all(0 <= wait <= pulling.LONGEST_WAIT for wait in waits)


def test_a_failure_for_good_ends_the_pull(source: Callable[..., Source]) -> None:
    path = "/models/openai/gpt-4o-mini/endpoints"
    with pytest.raises(CatalogError, match=rf"GET {path} failed 5 times, the last time with status 500"):
        pull(["openai/gpt-4o-mini"], source=source({path: [httpx.Response(500)] * 5}))
    with pytest.raises(CatalogError, match="failed 5 times, the last time with ConnectError: no route"):
        pull(source=source({"/models": [httpx.ConnectError("no route")] * 5}))


def test_a_refusal_is_not_repeated(source: Callable[..., Source], waits: list[float]) -> None:
    with pytest.raises(CatalogError, match="GET /models answered with status 401"):
        pull(source=source({"/models": [httpx.Response(401)]}))
    assert waits == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (httpx.Response(200, text='{"data": [{"id"'), "GET /models is truncated|GET /models is not JSON"),
        (httpx.Response(200, text="<html>"), "GET /models is not JSON"),
        (httpx.Response(200, json={"error": {"code": 500}}), "no list 'data'"),
        (httpx.Response(200, json={"data": []}), "an empty one"),
    ],
)
def test_an_answer_of_another_shape_is_a_clear_error(
    source: Callable[..., Source], answer: httpx.Response, message: str
) -> None:
    with pytest.raises(CatalogError, match=message):
        pull(source=source({"/models": [answer]}))


def test_a_model_that_is_gone_has_unknown_endpoints_and_a_warning(source: Callable[..., Source]) -> None:
    path = "/models/openai/gpt-4o-mini/endpoints"
    pulled = pull(["openai/gpt-4o-mini"], source=source({path: [httpx.Response(404)]}))
    assert pulled.catalog.by_id["openai/gpt-4o-mini"].endpoints is None
    assert pulled.warnings == ("openai/gpt-4o-mini is listed, but its endpoints are not found",)


def test_an_answer_for_another_model_is_a_warning(source: Callable[..., Source]) -> None:
    with httpx.Client(transport=EmulatorTransport(), base_url=pulling.BASE_URL) as other:
        answer = other.get("/models/openai/gpt-5-mini/endpoints")
    script = {"/models/openai/gpt-4o-mini/endpoints": [httpx.Response(200, content=answer.content)]}
    pulled = pull(["openai/gpt-4o-mini"], source=source(script))
    assert pulled.warnings == ("the endpoints of openai/gpt-4o-mini are those of openai/gpt-5-mini",)


def test_all_pages_are_read(source: Callable[..., Source]) -> None:
    with httpx.Client(transport=EmulatorTransport(), base_url=pulling.BASE_URL) as other:
        rows = other.get("/models").json()["data"]
    first = httpx.Response(200, json={"data": rows[:4], "links": {"next": "/api/v1/models/page2"}})
    second = httpx.Response(200, json={"data": rows[4:], "links": {"next": None}})
    pulled = pull([], source=source({"/models": [first], "/models/page2": [second]}))
    assert len(pulled.catalog.models) == len(rows)


def test_a_key_is_sent_and_the_client_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    class Client(httpx.Client):
        def __init__(self, **options: Any) -> None:
            seen.update(options, client=self)
            super().__init__(**options, transport=EmulatorTransport())

    monkeypatch.setattr(httpx, "Client", Client)
    assert pull([], key="sk-or-test").catalog.models
    assert seen["headers"] == {"Authorization": "Bearer sk-or-test"}
    assert seen["client"].is_closed


def test_the_snapshot_is_replaced_whole(tmp_path: Path, source: Callable[..., Source]) -> None:
    file = tmp_path / "data" / "catalog.json"
    replace_snapshot(demonstration(), file)
    pulled = pull(source=source()).catalog
    replace_snapshot(pulled, file)
    assert read_snapshot(file.read_text(encoding="utf-8")) == pulled
    assert [entry.name for entry in file.parent.iterdir()] == ["catalog.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "catalog.json"
    file.write_text("old", encoding="utf-8")

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pathlib.Path, "replace", fail)
    with pytest.raises(CatalogError, match="disk full"):
        replace_snapshot(demonstration(), file)
    assert file.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["catalog.json"]


def test_an_old_catalogue_says_so() -> None:
    demo: Catalog = demonstration()
    assert demo.time
    assert demo.describe_age(demo.time + timedelta(days=30)) is None
    assert demo.describe_age(demo.time + timedelta(days=31)) == (
        "the catalogue is 31 days old: prices and endpoints have changed"
    )
    assert evolve(demo, time=None).describe_age(NOW) == "the catalogue does not say how old it is"
