"""Clients at work together: shared between threads and tasks, cancelled in the middle, left without a leak."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from attrs import define, field

from orpolicy.client.client import AsyncClient, Client
from orpolicy.compiled import Compiled
from orpolicy.errors import ClientError, UsageError
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace


class Upset(Exception):
    """What the caller's own code may raise."""


CHUNK = b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\n'


@define
class Peer:
    """A server on loopback that answers each prompt with itself, or streams without end."""

    url: str = ""
    open: int = 0
    hung_up: threading.Event = field(factory=threading.Event)
    leaving: threading.Event = field(factory=threading.Event)

    def serve(self, handler: Any) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        if body.get("stream"):
            handler.send_response(200)
            handler.send_header("content-type", "text/event-stream")
            handler.send_header("connection", "close")
            handler.end_headers()
            self.trickle(handler)
            return
        said = body["messages"][-1]["content"]
        choice = {"finish_reason": "stop", "message": {"content": said}}
        answer = json.dumps({"choices": [choice], "usage": {"cost": 0.1}}).encode()
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def trickle(self, handler: Any) -> None:
        try:
            while not self.leaving.wait(0.01):
                handler.wfile.write(CHUNK)
                handler.wfile.flush()
        except OSError:
            self.hung_up.set()


@pytest.fixture
def peer():
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            peer.serve(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        peer.url = f"http://127.0.0.1:{listening.server_port}/api/v1"
        yield peer
        peer.leaving.set()
        listening.shutdown()
        thread.join()


def test_threads_share_a_client_and_each_gets_its_own_answer(peer, stub) -> None:
    with Client("sk-1", base_url=peer.url) as client, ThreadPoolExecutor(8) as pool:
        said = [f"prompt {number}" for number in range(80)]
        assert [reply.text for reply in pool.map(lambda text: client.chat(stub(), text), said)] == said
    assert client.ledger.total.calls == 80
    assert client.ledger.spent == Decimal("8.0")


def test_tasks_share_a_client_and_each_gets_its_own_answer(peer, stub) -> None:
    async def run() -> None:
        async with AsyncClient("sk-1", base_url=peer.url) as client:
            said = [f"prompt {number}" for number in range(80)]
            replies = await asyncio.gather(*(client.chat(stub(), text) for text in said))
            assert [reply.text for reply in replies] == said
            assert client.ledger.spent == Decimal("8.0")

    asyncio.run(run())


def pool_of(client: Any) -> list[Any]:
    return client._http._transport._pool.connections


@pytest.mark.parametrize("where", ["while reading", "while waiting"])
def test_a_cancelled_stream_closes_its_connection(peer, stub, where) -> None:
    async def run() -> None:
        started = asyncio.Event()
        async with AsyncClient("sk-1", base_url=peer.url) as client:

            async def listen() -> None:
                async with client.stream(stub(), "Hello") as stream:
                    async for _ in stream:
                        started.set()
                        if where == "while waiting":
                            await asyncio.Event().wait()

            task = asyncio.create_task(listen())
            await asyncio.wait_for(started.wait(), 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert pool_of(client) == []
            assert await asyncio.to_thread(peer.hung_up.wait, 5)
            assert (client.ledger.total.calls, client.ledger.total.unpriced) == (1, 1)
            assert (await client.chat(stub(), "still there")).text == "still there"

    asyncio.run(run())


def test_a_time_limit_of_the_caller_ends_a_stream(peer, stub) -> None:
    async def run() -> None:
        async with AsyncClient("sk-1", base_url=peer.url) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2), client.stream(stub(), "Hello") as stream:
                    await stream.reply()
            assert pool_of(client) == []
        assert await asyncio.to_thread(peer.hung_up.wait, 5)

    asyncio.run(run())


def test_leaving_a_with_block_by_an_error_leaks_nothing(peer, stub) -> None:
    with Client("sk-1", base_url=peer.url) as client:
        with suppress(Upset), client.stream(stub(), "Hello") as stream:
            next(iter(stream))
            raise Upset
        assert pool_of(client) == []
        assert peer.hung_up.wait(5)
        client.chat(stub(), "Hello")
        assert len(pool_of(client)) == 1
    assert client._http.is_closed


def test_leaving_an_async_with_block_by_an_error_leaks_nothing(peer, stub) -> None:
    async def run() -> None:
        async with AsyncClient("sk-1", base_url=peer.url) as client:
            with suppress(Upset):
                async with client.stream(stub(), "Hello") as stream:
                    await anext(aiter(stream))
                    raise Upset
            assert pool_of(client) == []
        assert client._http.is_closed
        assert await asyncio.to_thread(peer.hung_up.wait, 5)

    asyncio.run(run())


def compiled() -> Compiled:
    files = Memory({"presets/triage.yaml": "model: m/m\nregion: eu\nattribution: {title: Support}\n"})
    return Compiled.of(Compiler(Workspace(files)).compile("triage"), None)


def finish(call: Any, *arguments: Any) -> Any:
    """Call what may be a coroutine function."""
    outcome = call(*arguments)

    async def run() -> Any:
        return await outcome

    return asyncio.run(run()) if inspect.isawaitable(outcome) else outcome


def test_a_request_in_another_skin_goes_to_its_endpoint_and_into_the_ledger(talk) -> None:
    document = {"output": [], "usage": {"input_tokens": 3, "output_tokens": 4, "cost": 0.5}}
    client = talk.client((httpx.Response(200, json=document),))
    found = finish(client.send, compiled().request("Hello", skin="responses"))
    assert found["output"] == []
    (request,) = talk.requests
    assert str(request.url) == "https://eu.openrouter.ai/api/v1/responses"
    assert request.headers["x-openrouter-title"] == "Support"
    account = client.ledger.presets["triage"]
    assert (account.prompt_tokens, account.completion_tokens, account.cost) == (3, 4, Decimal("0.5"))


def test_an_error_in_another_skin_is_an_error_and_a_failure_in_the_ledger(talk) -> None:
    client = talk.client((httpx.Response(400, json={"error": {"code": 400, "message": "My secret prompt"}}),))
    with pytest.raises(ClientError) as caught:
        finish(client.send, compiled().request("My secret prompt", skin="responses"))
    assert "secret" not in str(caught.value)
    assert client.ledger.total.failures == 1


def test_a_reply_is_one_of_chat_completions(talk) -> None:
    with pytest.raises(UsageError, match="give a request in another skin to `send`"):
        talk.chat(httpx.Response(200, json={}), preset=compiled(), overrides={"skin": "responses"})
    assert talk.requests == []
