"""One harness for the sync and the async client: the tests say what happens on the wire, not which client they use."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from attrs import define, field, frozen

from orpolicy.client.client import AsyncClient, Client
from orpolicy.client.flow import Retry, Surroundings
from orpolicy.errors import OrpolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orpolicy.client.attempts import Attempt
    from orpolicy.client.replies import Chunk, Reply

KEY = "sk-or-v1-0123456789abcdef"


@frozen
class Asked:
    body: dict[str, Any]
    headers: dict[str, str]
    base_url: str


@frozen
class StubPreset:
    """The least that a compiled preset has to be."""

    body: dict[str, Any] = field(factory=lambda: {"model": "openai/gpt-5-mini", "temperature": 0.2})
    headers: dict[str, str] = field(factory=dict)
    base_url: str = "https://openrouter.ai/api/v1"
    system: str | None = None
    max_cost: Any = None

    def request(self, messages: Any, **overrides: Any) -> Asked:
        said = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
        first = [{"role": "system", "content": self.system}] if self.system is not None else []
        return Asked({**self.body, **overrides, "messages": first + said}, self.headers, self.base_url)


class Bytes(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives in pieces; an exception among them is raised in its place."""

    def __init__(self, pieces: list[bytes | Exception]) -> None:
        self.pieces = pieces
        self.read = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            self.read += 1
            yield piece

    async def __aiter__(self):
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


@define
class Heard:
    """What a stream gave: chunks, and the reply or the error at its end."""

    chunks: list[Chunk] = field(factory=list)
    reply: Reply | None = None
    partial: Reply | None = None
    error: OrpolicyError | None = None

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)


@define
class Talk:
    """A conversation over a scripted wire: each request takes the next answer of the script, the last one stays."""

    key = KEY
    stub = StubPreset
    bytes = Bytes

    kind: str
    requests: list[httpx.Request] = field(factory=list)
    sleeps: list[float] = field(factory=list)
    attempts: list[Attempt] = field(factory=list)
    time: float = 1000.0
    chance: float = 0.5

    def chat(self, *script: Any, preset: Any = None, messages: Any = "Hello there", **settings: Any) -> Reply:
        overrides = settings.pop("overrides", {})
        preset = preset or StubPreset()
        if self.kind == "sync":
            with self.client(script, **settings) as client:
                return client.chat(preset, messages, **overrides)

        async def run() -> Reply:
            async with self.client(script, **settings) as client:
                return await client.chat(preset, messages, **overrides)

        return asyncio.run(run())

    def listen(self, *script: Any, stop_after: int | None = None, **settings: Any) -> Heard:
        """Stream to the end, or leave after some chunks."""
        heard = Heard()
        preset = settings.pop("preset", None) or StubPreset()
        messages = settings.pop("messages", "Hello there")

        def leave() -> bool:
            return stop_after is not None and len(heard.chunks) >= stop_after

        def sync() -> None:
            with self.client(script, **settings) as client, client.stream(preset, messages) as stream:
                try:
                    for chunk in stream:
                        heard.chunks.append(chunk)
                        if leave():
                            return
                    heard.reply = stream.reply()
                finally:
                    heard.partial = stream.partial

        async def run() -> None:
            async with self.client(script, **settings) as client, client.stream(preset, messages) as stream:
                try:
                    async for chunk in stream:
                        heard.chunks.append(chunk)
                        if leave():
                            return
                    heard.reply = await stream.reply()
                finally:
                    heard.partial = stream.partial

        try:
            sync() if self.kind == "sync" else asyncio.run(run())
        except OrpolicyError as exc:
            heard.error = exc
        return heard

    def client(self, script: tuple[Any, ...] = (), **settings: Any) -> Any:
        transport = httpx.MockTransport(self._answers(script))
        http_settings = settings.pop("http_settings", {})
        settings = {
            "api_key": KEY,
            "retry": Retry(),
            "on_attempt": self.attempts.append,
            "surroundings": Surroundings(
                clock=lambda: self.time, now=lambda: self.time, random=lambda: self.chance
            ),
            **settings,
        }
        if self.kind == "sync":
            http = httpx.Client(transport=transport, **http_settings)
            return Client(http=http, sleep=self._sleep, **settings)
        return AsyncClient(
            http=httpx.AsyncClient(transport=transport, **http_settings), sleep=self._sleep_async, **settings
        )

    @property
    def sent(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    def _answers(self, script: tuple[Any, ...]) -> Callable[[httpx.Request], httpx.Response]:
        def answer(request: httpx.Request) -> httpx.Response:
            step = script[min(len(self.requests), len(script) - 1)]
            self.requests.append(request)
            if callable(step):
                step = step(self, request)
            if isinstance(step, Exception):
                raise step
            if hasattr(step, "_content"):  # a response can be read once: answer with a copy
                return httpx.Response(step.status_code, headers=step.headers, content=step.content)
            return step

        return answer

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds

    async def _sleep_async(self, seconds: float) -> None:
        self._sleep(seconds)


@pytest.fixture(params=["sync", "async"])
def talk(request: pytest.FixtureRequest) -> Talk:
    return Talk(request.param)


@pytest.fixture(scope="session")
def stub() -> type[StubPreset]:
    return StubPreset


@pytest.fixture(scope="session")
def stub_bytes() -> type[Bytes]:
    return Bytes


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    monkeypatch.delenv("OPENROUTER_BASE_URL", raising=False)
