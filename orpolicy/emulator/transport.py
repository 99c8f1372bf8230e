"""The emulator inside a process: an httpx transport for ``httpx.Client`` and ``httpx.AsyncClient`` alike.

.. code-block:: python

    with httpx.Client(transport=EmulatorTransport(), base_url="https://openrouter.ai/api/v1") as client:
        client.post("/chat/completions", json={"model": "openai/gpt-4o-mini", "messages": [...]})

No socket is opened. A wait that is longer than the client's read timeout becomes that timeout at once, so that a test
of a stall takes no time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx

from orpolicy.emulator.local import Emulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from orpolicy.emulator.serving import World
    from orpolicy.emulator.streams import Answer, Chunk
    from orpolicy.routing.catalog import Catalog


class EmulatorTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answer requests from a catalogue instead of the network.

    Takes what an ``Emulator`` takes, or an emulator. Safe to share between threads and tasks.
    """

    needs_key = False

    def __init__(
        self, catalog: Catalog | None = None, *, emulator: Emulator | None = None, **options: Any
    ) -> None:
        """Make a transport to an emulator, by default to one of its own with these ``options``."""
        self.emulator = emulator or Emulator(catalog, **options)

    @property
    def world(self) -> World:
        """What the emulator is made of."""
        return self.emulator.world

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
        region = request.url.host.partition(".")[0]
        return self.emulator.answer(
            method=request.method,
            path=request.url.path,
            headers={name.lower(): value for name, value in request.headers.items()},
            content=content,
            query=dict(request.url.params),
            region=region if region in ("eu", "us") else None,
        )

    @staticmethod
    def _respond(request: httpx.Request, answer: Answer) -> httpx.Response:
        if answer.failure == "refuse":
            raise httpx.ConnectError("[simulated] connection refused", request=request)
        if answer.failure == "reset":
            raise httpx.RemoteProtocolError(
                "[simulated] server disconnected without sending a response", request=request
            )
        headers = answer.all_headers
        if answer.chunks is not None:
            return httpx.Response(answer.status, headers=headers, stream=_Stream(request, answer.chunks))
        return httpx.Response(answer.status, headers=headers, content=answer.content)


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
