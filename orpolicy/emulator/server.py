"""The emulator on a real socket, by uvicorn: for clients in any language, and for what only a socket can do wrong.

.. code-block:: python

    with Server() as server:
        openai.OpenAI(base_url=server.url, api_key="none")

A fault that breaks a connection resets it (RST): no HTTP layer could mistake that for an end. A wait ends when the client
goes away. ``refuse`` resets as well, for a server that runs cannot refuse.

Needs the extra ``serve``. It speaks plain HTTP, takes any key, and is made for tests: give it the loopback only.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

import uvicorn
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from orpolicy.emulator.local import Emulator
from orpolicy.errors import OrpolicyError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from orpolicy.emulator.streams import Answer

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
"""Seconds within which a server starts or ends."""

_FLIGHT = 0.02
"""Seconds for bytes to arrive before a reset, which would overtake them."""

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER without a wait: closing discards what is unsent and resets the connection."""


class _Protocol(H11Protocol):
    """HTTP/1.1 that lets the application reach its connection, in order to break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's signature
        self.app_state = {**self.app_state, "connection": transport}
        # asyncio leaves it out for sockets that it did not open itself, and every answer would wait 40 ms for an ACK
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class App:
    """An ASGI application that answers by an emulator; ``open`` counts the answers on their way."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self.open += 1
        try:
            await self._respond(scope, receive, send)
        finally:
            self.open -= 1

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = self.emulator.answer(
            method=request.method,
            path=request.url.path,
            headers=dict(request.headers),
            content=await request.body(),
            query=dict(request.query_params),
        )
        connection = request.state.connection
        if answer.failure:
            _reset(connection)
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        response: Response
        if answer.chunks is None and not answer.delay:
            response = Response(answer.content, answer.status, answer.all_headers)
        else:
            response = StreamingResponse(_pump(answer, connection), answer.status, answer.all_headers)
        await response(scope, receive, send)


async def _pump(answer: Answer, connection: asyncio.Transport) -> AsyncIterator[bytes]:
    """Yield the bytes of an answer with their delays; end by a reset where they break."""
    if answer.chunks is None:
        await asyncio.sleep(answer.delay)
        yield answer.content
        return
    for chunk in answer.chunks:
        if chunk.delay:
            await asyncio.sleep(chunk.delay)
        if chunk.failure:
            await asyncio.sleep(_FLIGHT)
            _reset(connection)
            await asyncio.sleep(PATIENCE)  # until the loss of the connection cancels it
        yield chunk.data


def _reset(connection: asyncio.Transport) -> None:
    connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.abort()


def listen(port: int = 0, host: str = LOOPBACK) -> socket.socket:
    """Open a socket, on a free port where ``port`` is 0; raise ``UsageError`` where the system will not."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as exc:
        raise UsageError(f"cannot listen on {host}, port {port}: {exc.strerror or exc}") from exc


def url_of(listening: socket.socket) -> str:
    """Return the base URL that clients of a socket are given."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": LOOPBACK, "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - a comparison
    return f"http://{shown}:{port}/api/v1"


def serve(emulator: Emulator, listening: socket.socket) -> None:
    """Serve until a signal ends it; ``KeyboardInterrupt`` follows Ctrl-C once everything is closed."""
    _make(App(emulator)).run(sockets=[listening])


class Server:
    """A server in a thread of its own, on the loopback: a context manager; ``url`` is what clients are given."""

    def __init__(self, emulator: Emulator | None = None, *, port: int = 0) -> None:
        """Make a server of an emulator, on a free port where ``port`` is 0."""
        self.emulator = emulator or Emulator()
        self._app = App(self.emulator)
        self._port = port

    def __enter__(self) -> Self:
        self._socket = listen(self._port)
        self.url = url_of(self._socket)
        self._server = _make(self._app)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(PATIENCE * 200)):
            if self._server.started or not self._thread.is_alive():
                break
            waited.wait(0.005)
        if not self._server.started:
            raise OrpolicyError("the server did not start")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self._socket.close()

    @property
    def open_answers(self) -> int:
        """How many answers are on their way."""
        return self._app.open

    @property
    def open_connections(self) -> int:
        """How many connections clients hold open."""
        return len(self._server.server_state.connections)


def _make(app: Any) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
