"""Scripted faults: each with its stated outcome, for plain and streamed answers, sync and async."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from orpolicy.emulator.faults import KINDS, Fault
from orpolicy.emulator.server import Server
from orpolicy.emulator.transport import EmulatorTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BASE = "https://openrouter.ai/api/v1"
HEADERS = {"X-OpenRouter-Metadata": "enabled"}


def send(fault: Fault, body: dict[str, Any], *, use_async: bool, timeout: float = 5.0) -> Any:
    """Send a body; return status, headers and bytes received, or the error and the bytes received before it."""
    transport = EmulatorTransport(faults=[fault])
    received = bytearray()

    def send_sync() -> Any:
        with (
            httpx.Client(transport=transport, base_url=BASE, timeout=timeout) as client,
            client.stream("POST", "/chat/completions", json=body, headers=HEADERS) as reply,
        ):
            for chunk in reply.iter_bytes():
                received.extend(chunk)
            return reply.status_code, dict(reply.headers), bytes(received)

    async def send_async() -> Any:
        async with (
            httpx.AsyncClient(transport=transport, base_url=BASE, timeout=timeout) as client,
            client.stream("POST", "/chat/completions", json=body, headers=HEADERS) as reply,
        ):
            async for chunk in reply.aiter_bytes():
                received.extend(chunk)
            return reply.status_code, dict(reply.headers), bytes(received)

    try:
        return asyncio.run(send_async()) if use_async else send_sync()
    except httpx.HTTPError as exc:
        return type(exc), bytes(received)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def use_async(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=[False, True], ids=["chat", "stream"])
def body(request: pytest.FixtureRequest, ask: Any) -> dict[str, Any]:
    return dict(ask(stream=request.param))


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (400, "invalid_request"),
        (401, "authentication"),
        (402, "payment_required"),
        (403, "permission_denied"),
        (404, "not_found"),
        (408, "timeout"),
        (413, "payload_too_large"),
        (422, "unprocessable"),
        (429, "rate_limit_exceeded"),
        (500, "server"),
        (502, "provider_unavailable"),
        (503, "provider_overloaded"),
        (524, "timeout"),
        (529, "provider_overloaded"),
    ],
)
def test_every_documented_status(
    status: int, error_type: str, body: dict[str, Any], *, use_async: bool
) -> None:
    fault = Fault("status", status=status, retry_after=7, message="details")
    code, headers, content = send(fault, body, use_async=use_async)
    error = json.loads(content)["error"]
    assert (code, error["code"], error["metadata"]["error_type"]) == (status, status, error_type)
    assert headers["retry-after"] == "7"
    assert ("details" in error["message"]) == (status != 500)


def test_retry_after_may_be_a_date(body: dict[str, Any], *, use_async: bool) -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    _, headers, _ = send(Fault("status", status=429, retry_after=date), body, use_async=use_async)
    assert headers["retry-after"] == date


def test_an_error_in_a_body_of_200(body: dict[str, Any], *, use_async: bool) -> None:
    code, _, content = send(Fault("error_body", status=502), body, use_async=use_async)
    assert code == 200
    assert json.loads(content)["error"]["code"] == 502


def test_an_error_after_content(body: dict[str, Any], *, use_async: bool) -> None:
    code, _, content = send(Fault("error_after_content", status=429, after=2), body, use_async=use_async)
    assert code == 200
    text = content.decode()
    if body["stream"]:
        events = [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]
        assert "[DONE]" not in text
        assert events[-1]["error"]["metadata"]["error_type"] == "rate_limit_exceeded"
        assert events[-1]["choices"][0]["finish_reason"] == "error"
        assert [event["choices"][0]["delta"]["content"] for event in events[:-1]] == [
            "[simulated]",
            " openai/gpt-4o-mini",
        ]
    else:
        choice = json.loads(text)["choices"][0]
        assert choice["error"]["code"] == 429
        assert choice["finish_reason"] == "error"
        assert choice["message"]["content"] == "[simulated] openai/gpt-4o-mini"


def test_a_connection_that_breaks_inside_the_answer(body: dict[str, Any], *, use_async: bool) -> None:
    error, received = send(Fault("cut", after=2), body, use_async=use_async)
    assert error is httpx.RemoteProtocolError
    assert received
    assert b"[DONE]" not in received


@pytest.mark.parametrize(
    ("kind", "error"), [("refuse", httpx.ConnectError), ("reset", httpx.RemoteProtocolError)]
)
def test_a_connection_that_fails_before_the_answer(
    kind: Any, error: type[Exception], body: dict[str, Any], *, use_async: bool
) -> None:
    assert send(Fault(kind), body, use_async=use_async) == (error, b"")


@pytest.mark.parametrize("kind", ["stall", "slow"])
def test_a_wait_beyond_the_read_timeout_is_that_timeout_at_once(
    kind: Any, body: dict[str, Any], *, use_async: bool
) -> None:
    start = time.perf_counter()
    error, _ = send(Fault(kind, seconds=60), body, use_async=use_async, timeout=0.5)
    assert error is httpx.ReadTimeout
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("kind", ["stall", "slow"])
def test_a_short_wait_is_only_a_wait(kind: Any, body: dict[str, Any], *, use_async: bool) -> None:
    code, _, content = send(Fault(kind, seconds=0.01), body, use_async=use_async)
    assert code == 200
    assert b"[simulated]" in content


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("refuse", "reset")])
def test_the_bytes_are_the_same_in_this_process_and_over_a_socket(
    server: Server, kind: Any, body: dict[str, Any]
) -> None:
    fault = Fault(kind, after=2, size=5000 if kind in ("large", "many") else None)
    server.emulator.script(fault)

    def receive(client: httpx.Client) -> tuple[Any, ...]:
        received = b""
        with client.stream("POST", "/chat/completions", json=body) as reply:
            try:
                for piece in reply.iter_bytes():
                    received += piece
            except httpx.HTTPError:
                received += b" and a failure"
        kept = {"content-type", "cache-control", "retry-after"}
        text = re.sub(rb"gen-[0-9a-f]+", b"gen", received)  # made of the number of the request
        return reply.status_code, {name: value for name, value in reply.headers.items() if name in kept}, text

    with (
        httpx.Client(transport=EmulatorTransport(faults=[fault]), base_url=BASE) as inside,
        httpx.Client(base_url=server.url, verify=False) as outside,
    ):
        assert receive(inside) == receive(outside)


# Faults of providers


def test_a_provider_that_fails_hands_over(connect: Callable[..., httpx.Client], ask: Any) -> None:
    client = connect(Fault("status", status=503, provider="azure"))
    reply = client.post("/chat/completions", json=ask(), headers=HEADERS).json()
    assert reply["provider"] == "OpenAI"
    found = reply["openrouter_metadata"]
    assert found["attempt"] == 2
    assert [entry["status"] for entry in found["attempts"]] == [503, 200]


def test_without_fallbacks_it_does_not(connect: Callable[..., httpx.Client], ask: Any) -> None:
    client = connect(Fault("status", status=503, provider="azure"))
    reply = client.post("/chat/completions", json=ask(provider={"allow_fallbacks": False}))
    assert reply.status_code == 503


@pytest.mark.parametrize(
    ("status", "code", "http"), [(429, "capacity_exhausted", 429), (502, "temporarily_unavailable", 503)]
)
def test_when_all_providers_fail_the_error_is_retryable(
    connect: Callable[..., httpx.Client], ask: Any, status: int, code: str, http: int
) -> None:
    faults = [
        Fault("status", status=status, provider="azure", retry_after=40),
        Fault("status", status=status, provider="openai", retry_after=9),
    ]
    reply = connect(*faults).post("/chat/completions", json=ask(), headers=HEADERS)
    error = reply.json()["error"]
    assert reply.status_code == http
    assert error["availability"]["code"] == code
    assert error["availability"]["retryable"] is True
    assert error["availability"]["retry_after"] == 9
    assert reply.headers["retry-after"] == "9"
    assert [entry["status"] for entry in error["metadata"]["previous_errors"]] == [status, status]
    assert reply.json()["openrouter_metadata"]["strategy"] == "direct"


def test_any_other_error_of_a_provider_goes_to_the_next_model(
    connect: Callable[..., httpx.Client], ask: Any
) -> None:
    client = connect(Fault("status", status=400, provider="azure"))
    body = ask(models=["openai/gpt-4o-mini", "anthropic/claude-haiku-4.5"])
    reply = client.post("/chat/completions", json=body, headers=HEADERS).json()
    assert reply["model"] == "anthropic/claude-haiku-4.5"
    assert reply["openrouter_metadata"]["strategy"] == "fallback"
    assert client.post("/chat/completions", json=ask()).status_code == 400


def test_a_fault_may_concern_some_requests_only(connect: Callable[..., httpx.Client], ask: Any) -> None:
    client = connect(Fault("status", status=429, requests=(1, 3)))
    statuses = [client.post("/chat/completions", json=ask()).status_code for _ in range(4)]
    assert statuses == [429, 200, 429, 200]


def test_a_fault_may_concern_one_model_only(connect: Callable[..., httpx.Client], ask: Any) -> None:
    client = connect(Fault("status", status=500, model="anthropic/claude-haiku-4.5"))
    assert client.post("/chat/completions", json=ask()).status_code == 200
    assert client.post("/chat/completions", json=ask(model="anthropic/claude-haiku-4.5")).status_code == 500


def test_a_provider_may_break_a_stream(connect: Callable[..., httpx.Client], ask: Any) -> None:
    client = connect(Fault("error_after_content", status=502, provider="azure"))
    text = client.post("/chat/completions", json=ask(stream=True)).text
    assert '"finish_reason":"error"' in text
    assert "[DONE]" not in text


def test_a_masked_error_carries_no_metadata(connect: Callable[..., httpx.Client], ask: Any) -> None:
    reply = connect(Fault("status", status=500)).post("/chat/completions", json=ask(), headers=HEADERS)
    assert "openrouter_metadata" not in reply.json()


def test_what_failed_is_not_billed(connect: Callable[..., httpx.Client], ask: Any) -> None:
    client = connect(Fault("status", status=503, requests=(1,)), Fault("error_body", requests=(2,)))
    for _ in range(2):
        client.post("/chat/completions", json=ask())
    assert client.get("/credits").json()["data"]["total_usage"] == 0
