"""The fixtures for applications: an emulator of its own for each test, in this process or on a socket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from orpolicy.emulator.faults import Fault
from orpolicy.emulator.server import Server, listen, url_of
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from orpolicy.emulator.transport import EmulatorTransport

pytest_plugins = ["orpolicy.emulator.testing"]

BODY = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize("_time", [1, 2])
def test_each_test_has_an_emulator_of_its_own(
    openrouter: EmulatorTransport, openrouter_server: Server, _time: int
) -> None:
    for made in (
        httpx.Client(transport=openrouter, base_url="https://openrouter.ai/api/v1"),
        httpx.Client(base_url=openrouter_server.url),
    ):
        with made as http:
            assert http.get("/credits").json()["data"]["total_usage"] == 0
            http.post("/chat/completions", json=BODY).raise_for_status()
            assert http.get("/credits").json()["data"]["total_usage"] > 0
    assert len(openrouter_server.emulator.records) == 1
    assert openrouter_server.emulator.requests == 3


def test_a_script_counts_requests_from_its_own_start(openrouter: EmulatorTransport, ask: Any) -> None:
    with httpx.Client(transport=openrouter, base_url="https://openrouter.ai/api/v1") as http:

        def statuses() -> list[int]:
            return [http.post("/chat/completions", json=ask()).status_code for _ in range(4)]

        openrouter.emulator.script(Fault("status", status=429, requests=(1,)))
        assert statuses() == [429, 200, 200, 200]
        openrouter.emulator.script(Fault("status", status=503, every=2))
        assert statuses() == [200, 503, 200, 503]
        openrouter.emulator.script()
        assert statuses() == [200] * 4
        assert len(openrouter.emulator.records) == 9


def test_threads_share_an_emulator(openrouter: EmulatorTransport) -> None:
    with (
        httpx.Client(transport=openrouter, base_url="https://openrouter.ai/api/v1") as http,
        ThreadPoolExecutor(8) as pool,
    ):
        replies = list(pool.map(lambda _: http.post("/chat/completions", json=BODY).json()["id"], range(64)))
    assert len(set(replies)) == 64 == len(openrouter.emulator.records)


def test_a_server_ends_with_its_block_also_while_it_answers() -> None:
    with Server() as server, httpx.Client(timeout=5) as http:
        server.emulator.script(Fault("stall", after=1, seconds=60))
        with http.stream("POST", server.url + "/chat/completions", json=BODY | {"stream": True}) as reply:
            next(reply.iter_bytes())
            server.__exit__()
            assert not server._thread.is_alive()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "/models")


def test_a_port_in_use_is_said() -> None:
    with listen() as taken, pytest.raises(UsageError, match=r"cannot listen on 127\.0\.0\.1, port \d+: "):
        Server(port=taken.getsockname()[1]).__enter__()


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")],
)
def test_the_url_is_one_that_a_client_here_can_reach(host: str, url: str) -> None:
    try:
        opened = listen(host=host)
    except UsageError:
        pytest.skip(f"this machine has no {host}")
    with opened:
        assert url_of(opened).startswith(url)
        assert url_of(opened).endswith("/api/v1")
