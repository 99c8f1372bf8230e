"""The client: the only place of this package that sends anything.

.. code-block:: text

    preset.request(messages)  →  one HTTP request  →  flow.exchange  →  Reply, or a stream of chunks

The control flow stands in ``flow``; the two drivers at the end carry its orders to httpx and the answers back. An httpx
client that is passed in stays the caller's, with its transport, proxies, headers and time-outs; without one the client
owns one and closes it. Redirects are not followed, not even where the passed client would.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

import anyio
import httpx

from orpolicy.client.answers import Answer
from orpolicy.client.flow import Attempt, Retry, Send, Surroundings, exchange
from orpolicy.client.refusals import Unreachable
from orpolicy.client.replies import Reply, read_reply
from orpolicy.client.streams import AsyncOpened, AsyncStream, Opened, Stream
from orpolicy.client.wire import Preset, Wire, Wiring

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence

    Messages = str | Sequence[Mapping[str, Any]]

T = TypeVar("T")
Http = TypeVar("Http", httpx.Client, httpx.AsyncClient)

TIMEOUT: Final = httpx.Timeout(600.0, connect=10.0)
"""Seconds, where the caller brings no httpx client: a long completion is silent until it is whole."""


class _Base(ABC, Generic[Http]):
    """What both clients share.

    ``api_key`` and ``base_url`` default to ``OPENROUTER_API_KEY`` and ``OPENROUTER_BASE_URL``; ``timeout`` is in seconds;
    ``metadata`` asks for the routing report (fact 132); ``on_attempt`` is called after every attempt; ``surroundings``
    and ``sleep`` are for tests. Raises ``UsageError`` on a missing key or a bad address.
    """

    def __init__(  # noqa: PLR0913 - one keyword per setting, each with a default
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        http: Http | None = None,
        timeout: float | httpx.Timeout | None = None,
        retry: Retry | None = None,
        metadata: bool = False,
        on_attempt: Callable[[Attempt], object] | None = None,
        surroundings: Surroundings | None = None,
        sleep: Callable[[float], Any] | None = None,
    ) -> None:
        self._http: Http = http if http is not None else self._own()
        self._owned = http is None
        self._wiring = Wiring(
            self._http, api_key=api_key, base_url=base_url, timeout=timeout, metadata=metadata
        )
        self._retry = retry or Retry()
        self._on_attempt = on_attempt
        self._surroundings = surroundings or Surroundings()
        self._sleep = sleep or self._rest

    @abstractmethod
    def _own(self) -> Http: ...

    @abstractmethod
    def _rest(self, seconds: float) -> Any: ...

    def _wire(
        self, preset: Preset, messages: Messages, overrides: Mapping[str, Any], *, stream: bool
    ) -> Wire:
        return self._wiring.wire(preset.request(messages, **overrides), stream=stream)

    def _flow(self, wire: Wire) -> Generator[Send, Answer, tuple[Answer, dict[str, Any] | None]]:
        return exchange(self._retry, self._surroundings, veil=wire.veil, on_attempt=self._on_attempt)


class Client(_Base[httpx.Client]):
    """Send presets to OpenRouter; calls raise ``ClientError``, and whatever the preset's ``request`` raises."""

    def chat(self, preset: Preset, messages: Messages, **overrides: Any) -> Reply:
        """Send messages under a preset and return the reply."""
        return self._chat(self._wire(preset, messages, overrides, stream=False))

    def stream(self, preset: Preset, messages: Messages, **overrides: Any) -> Stream:
        """Return a stream of chunks; the request is sent when it is entered."""
        return self._stream(self._wire(preset, messages, overrides, stream=True))

    def close(self) -> None:
        """Close the connections, unless the httpx client was passed in."""
        if self._owned:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _own(self) -> httpx.Client:
        return httpx.Client(timeout=TIMEOUT)

    def _rest(self, seconds: float) -> None:
        time.sleep(seconds)

    def _chat(self, wire: Wire) -> Reply:
        answer, document = _drive(self._flow(wire), partial(self._send, wire), self._sleep)
        return read_reply(document or {}, answer.headers)

    def _stream(self, wire: Wire) -> Stream:
        return Stream(partial(self._start, wire), now=self._surroundings.now, veil=wire.veil)

    def _start(self, wire: Wire) -> Answer:
        answer, _ = _drive(self._flow(wire), partial(self._open, wire), self._sleep)
        return answer

    def _send(self, wire: Wire) -> Answer:
        response = self._http.send(wire.request, follow_redirects=False)
        return Answer(response.status_code, response.headers, response.content)

    def _open(self, wire: Wire) -> Answer:
        """Open a stream as far as its first bytes: until then the attempt may be repeated."""
        response = self._http.send(wire.request, stream=True, follow_redirects=False)
        status, headers = response.status_code, response.headers
        try:
            if not _is_stream(response):
                return Answer(status, headers, response.read())
            pieces = response.iter_bytes()
            first = next(pieces, None)
        except BaseException:
            response.close()
            raise
        if first is None:
            return Answer(status, headers, b"")
        return Answer(status, headers, opened=Opened(first, pieces, response))


class AsyncClient(_Base[httpx.AsyncClient]):
    """The same for async: ``await client.chat(…)``, ``async with client.stream(…)``."""

    async def chat(self, preset: Preset, messages: Messages, **overrides: Any) -> Reply:
        """Send messages under a preset and return the reply."""
        return await self._chat(self._wire(preset, messages, overrides, stream=False))

    def stream(self, preset: Preset, messages: Messages, **overrides: Any) -> AsyncStream:
        """Return a stream of chunks; the request is sent when it is entered."""
        return self._stream(self._wire(preset, messages, overrides, stream=True))

    async def aclose(self) -> None:
        """Close the connections, unless the httpx client was passed in."""
        if self._owned:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def _own(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=TIMEOUT)

    async def _rest(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def _chat(self, wire: Wire) -> Reply:
        answer, document = await _drive_async(self._flow(wire), partial(self._send, wire), self._sleep)
        return read_reply(document or {}, answer.headers)

    def _stream(self, wire: Wire) -> AsyncStream:
        return AsyncStream(partial(self._start, wire), now=self._surroundings.now, veil=wire.veil)

    async def _start(self, wire: Wire) -> Answer:
        answer, _ = await _drive_async(self._flow(wire), partial(self._open, wire), self._sleep)
        return answer

    async def _send(self, wire: Wire) -> Answer:
        response = await self._http.send(wire.request, follow_redirects=False)
        return Answer(response.status_code, response.headers, response.content)

    async def _open(self, wire: Wire) -> Answer:
        response = await self._http.send(wire.request, stream=True, follow_redirects=False)
        status, headers = response.status_code, response.headers
        try:
            if not _is_stream(response):
                return Answer(status, headers, await response.aread())
            pieces = response.aiter_bytes()
            first = await anext(pieces, None)
        except BaseException:
            await response.aclose()
            raise
        if first is None:
            return Answer(status, headers, b"")
        return Answer(status, headers, opened=AsyncOpened(first, pieces, response))


def _drive(
    steps: Generator[Send, Answer, T], send: Callable[[], Answer], sleep: Callable[[float], object]
) -> T:
    try:
        order = next(steps)
        while True:
            if order.after:
                sleep(order.after)
            try:
                answer = send()
            except httpx.RequestError as exc:
                order = steps.throw(_unreachable(exc))
            else:
                order = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def _drive_async(
    steps: Generator[Send, Answer, T],
    send: Callable[[], Awaitable[Answer]],
    sleep: Callable[[float], Awaitable[object]],
) -> T:
    try:
        order = next(steps)
        while True:
            if order.after:
                await sleep(order.after)
            try:
                answer = await send()
            except httpx.RequestError as exc:
                order = steps.throw(_unreachable(exc))
            else:
                order = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _unreachable(exc: httpx.RequestError) -> Unreachable:
    """Say what the network did; an answer that broke off counts, too: nothing of it has been used yet."""
    unconnected = isinstance(
        exc, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError
    )
    what = "connection to" if unconnected else "answer from"
    why = (
        f": {exc}" if isinstance(exc, httpx.ConnectError) and str(exc) else ""
    )  # the system's words, no values
    passing = isinstance(exc, httpx.NetworkError | httpx.TimeoutException | httpx.RemoteProtocolError)
    lost = Unreachable(f"no {what} {exc.request.url.host} ({type(exc).__name__}{why})", retryable=passing)
    lost.__cause__ = exc
    return lost


def _is_stream(response: httpx.Response) -> bool:
    """Tell a stream of events from a body: proxies lose the content type more often than they invent one."""
    kind = response.headers.get("content-type", "")
    return response.status_code < 300 and "json" not in kind and "html" not in kind
