"""The emulator inside a process: an httpx transport for ``httpx.Client`` and ``httpx.AsyncClient`` alike.

.. code-block:: python

    with httpx.Client(transport=EmulatorTransport(), base_url="https://openrouter.ai/api/v1") as client:
        client.post("/chat/completions", json={"model": "openai/gpt-4o-mini", "messages": [...]})

No socket is opened. A wait that is longer than the client's read timeout becomes that timeout at once, so that a test
of a stall takes no time.
"""

from __future__ import annotations

import json
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from orpolicy.emulator.chat import answer_refusal
from orpolicy.emulator.refusals import refuse
from orpolicy.emulator.reports import Call
from orpolicy.emulator.respond import respond
from orpolicy.emulator.serving import World
from orpolicy.emulator.streams import Chunk
from orpolicy.emulator.wire import write_json
from orpolicy.routing.snapshot import demonstration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from datetime import datetime

    from orpolicy.emulator.faults import Fault
    from orpolicy.emulator.streams import Answer
    from orpolicy.routing.catalog import Catalog

JSON_TYPE = {"content-type": "application/json"}
STREAM_TYPE = {"content-type": "text/event-stream", "cache-control": "no-cache"}


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answer requests from a catalogue instead of the network.

    Safe to share between threads and tasks: it only counts requests and remembers its answers.
    """

    def __init__(
        self,
        catalog: Catalog | None = None,
        faults: Sequence[Fault] = (),
        *,
        key: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Make an emulator.

        Args:
            catalog: the models and endpoints; by default the demonstration catalogue.
            faults: what goes wrong, the first that fits strikes.
            key: the only API key that is let in; by default any, or none.
            at: the moment (UTC) at which the emulator pretends to be, for prices by time of day.
        """
        self.world = World(catalog or demonstration(), tuple(faults), at)
        self.records: dict[str, Mapping[str, Any]] = {}
        self._key = key
        self._numbers = count(1)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a synchronous client."""
        answer = self._answer(request, request.read())
        _wait(request, answer.delay)
        return self._respond(request, answer)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an asynchronous client."""
        answer = self._answer(request, await request.aread())
        await _wait_async(request, answer.delay)
        return self._respond(request, answer)

    def _answer(self, request: httpx.Request, content: bytes) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self._key is not None and headers.get("authorization") != f"Bearer {self._key}":
            return answer_refusal(refuse(401))
        body = None
        if content:
            try:
                body = json.loads(content)
            except ValueError:
                return answer_refusal(refuse(400, "Invalid JSON in the request body"))
        region = request.url.host.partition(".")[0]
        call = Call(
            request.method,
            request.url.path,
            headers,
            body,
            next(self._numbers),
            dict(request.url.params),
            region if region in ("eu", "us") else None,
        )
        answer = respond(call, self.world, self.records)
        if answer.record is not None:
            self.records[answer.record["id"]] = answer.record
        return answer

    @staticmethod
    def _respond(request: httpx.Request, answer: Answer) -> httpx.Response:
        if answer.failure == "refuse":
            raise httpx.ConnectError("[simulated] connection refused", request=request)
        if answer.failure == "reset":
            raise httpx.RemoteProtocolError(
                "[simulated] server disconnected without sending a response", request=request
            )
        if answer.chunks is not None:
            headers = {**STREAM_TYPE, **answer.headers}
            return httpx.Response(answer.status, headers=headers, stream=_Stream(request, answer.chunks))
        content = write_json(answer.body).encode()
        headers = {**JSON_TYPE, **answer.headers}
        if answer.failure == "cut":
            half = (Chunk(content[: len(content) // 2]), Chunk(failure="cut"))
            return httpx.Response(answer.status, headers=headers, stream=_Stream(request, half))
        return httpx.Response(answer.status, headers=headers, content=content)


class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The chunks of an answer, one after the other, with their delays and breaks."""

    def __init__(self, request: httpx.Request, chunks: Sequence[Chunk]) -> None:
        self._request = request
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            _wait(self._request, chunk.delay)
            yield self._sent(chunk)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            await _wait_async(self._request, chunk.delay)
            yield self._sent(chunk)

    def _sent(self, chunk: Chunk) -> bytes:
        if chunk.failure:
            raise httpx.RemoteProtocolError(
                "[simulated] peer closed connection without sending complete message body",
                request=self._request,
            )
        return chunk.data


def _wait(request: httpx.Request, seconds: float) -> None:
    if seconds:
        _check_patience(request, seconds)
        time.sleep(seconds)


async def _wait_async(request: httpx.Request, seconds: float) -> None:
    if seconds:
        _check_patience(request, seconds)
        import anyio  # noqa: PLC0415 - comes with httpx and is needed for this alone

        await anyio.sleep(seconds)


def _check_patience(request: httpx.Request, seconds: float) -> None:
    patience = request.extensions.get("timeout", {}).get("read")
    if patience is not None and seconds > patience:
        raise httpx.ReadTimeout("[simulated] the read operation timed out", request=request)
