"""The client: the only place of this package that sends anything.

.. code-block:: text

    preset.request(messages)  →  one HTTP request  →  flow.exchange  →  Reply, or a stream of chunks
                              ledger.admit ↗                  ↘ ledger, audit

The control flow stands in ``flow``; ``driving`` carries its orders to httpx and the answers back. An httpx client that
is passed in stays the caller's, with its transport, proxies, headers and time-outs; without one the client owns one and
closes it. Redirects are not followed, not even where the passed client would.

A ``Client`` may be shared between threads, an ``AsyncClient`` between the tasks of one event loop: settings are fixed when it
is made, connections come from httpx's pool, the ledger has a lock, and whatever belongs to one call lives in that call. A
stream belongs to the thread or task that entered it.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, overload

import httpx

from orpolicy.client.answers import Answer
from orpolicy.client.driving import drive, drive_async, is_stream
from orpolicy.client.flow import Retry, Surroundings, exchange
from orpolicy.client.ledger import Ledger
from orpolicy.client.lookups import AsyncLookups, Lookups
from orpolicy.client.replies import Reply, read_reply, read_usage
from orpolicy.client.turns import Turn
from orpolicy.client.wire import Preset, Sendable, Wire, Wiring
from orpolicy.errors import UsageError
from orpolicy.language.request import CHAT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from decimal import Decimal

    from orpolicy.client.attempts import Attempt
    from orpolicy.client.audit import Mode
    from orpolicy.client.streams import AsyncStream, Stream

    Messages = str | Sequence[Mapping[str, Any]]

T = TypeVar("T")
Http = TypeVar("Http", httpx.Client, httpx.AsyncClient)

TIMEOUT: Final = httpx.Timeout(600.0, connect=10.0)
"""Seconds, where the caller brings no httpx client: a long completion is silent until it is whole."""


class _Base(ABC, Generic[Http]):
    """What both clients share.

    ``api_key`` and ``base_url`` default to ``OPENROUTER_API_KEY`` and ``OPENROUTER_BASE_URL``; ``timeout`` is in seconds;
    ``metadata`` asks for the routing report (fact 132); ``audit`` compares with it who served a reply and whom the preset
    allows; ``budget`` is in USD, for the life of the client; ``on_attempt`` is called after every attempt; ``surroundings``
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
        audit: Mode | None = None,
        budget: Decimal | int | str | None = None,
        on_attempt: Callable[[Attempt], object] | None = None,
        surroundings: Surroundings | None = None,
        sleep: Callable[[float], Any] | None = None,
    ) -> None:
        self.ledger = Ledger(budget)
        self._audit = audit
        self._http: Http = http if http is not None else self._own()
        self._owned = http is None
        self._wiring = Wiring(
            self._http,
            api_key=api_key,
            base_url=base_url,
            timeout=timeout,
            metadata=metadata or audit is not None,
        )
        self._retry = retry or Retry()
        self._on_attempt = on_attempt
        self._surroundings = surroundings or Surroundings()
        self._sleep = sleep or self._rest

    @abstractmethod
    def _own(self) -> Http: ...

    @abstractmethod
    def _rest(self, seconds: float) -> Any: ...

    def _turn(
        self, preset: Preset, messages: Messages, overrides: Mapping[str, Any], *, stream: bool = False
    ) -> Turn:
        if isinstance(preset, str):
            hint = f"orpolicy.load().preset({preset!r})"
            raise UsageError(f"a client sends a compiled preset, not a name: compile it first, {hint}")
        asked = preset.request(messages, **overrides)
        if getattr(asked, "path", CHAT) != CHAT:
            raise UsageError(
                "replies are those of chat completions: give a request in another skin to `send`"
            )
        wire = self._wiring.wire(asked, stream=stream)
        return Turn(wire, self.ledger, self._audit, getattr(preset, "catalog", None))

    def _sending(self, request: Sendable) -> Turn:
        return Turn(self._wiring.wire(request, stream=False), self.ledger, None, None)

    def _flow(self, wire: Wire) -> Generator[float, Answer, tuple[Answer, dict[str, Any] | None]]:
        retry = self._retry if wire.repeatable else Retry(attempts=1)
        return exchange(retry, self._surroundings, veil=wire.veil, on_attempt=self._on_attempt)


class Client(_Base[httpx.Client], Lookups):
    """Send presets to OpenRouter; calls raise ``ClientError``, and whatever the preset's ``request`` raises."""

    @overload
    def chat(self, preset: Preset, messages: Messages, *, into: type[T], **overrides: Any) -> T: ...
    @overload
    def chat(self, preset: Preset, messages: Messages, *, into: None = None, **overrides: Any) -> Reply: ...
    def chat(
        self, preset: Preset, messages: Messages, *, into: type[T] | None = None, **overrides: Any
    ) -> T | Reply:
        """Send messages under a preset and return the reply, or what it says as an instance of an attrs class."""
        if into is None:
            return self._chat(self._turn(preset, messages, overrides))
        from orpolicy.client.structures import complete  # noqa: PLC0415 - most calls want text

        steps = complete(into, messages, overrides)
        try:
            said, asked = next(steps)
            while True:
                said, asked = steps.send(self._chat(self._turn(preset, said, asked)))
        except StopIteration as stop:
            value: T = stop.value
            return value

    def stream(self, preset: Preset, messages: Messages, **overrides: Any) -> Stream:
        """Return a stream of chunks; the request is sent when it is entered."""
        from orpolicy.client.streams import Stream  # noqa: PLC0415 - most calls want the whole

        turn = self._turn(preset, messages, overrides, stream=True)
        return Stream(partial(self._start, turn.wire), now=self._surroundings.now, turn=turn)

    def send(self, request: Sendable) -> Mapping[str, Any]:
        """Send a request that a preset made, in whatever skin, and return the JSON body; it stands in the ledger."""
        turn = self._sending(request)
        with turn as wire:
            document = drive(self._flow(wire), partial(self._send, wire), self._sleep)[1] or {}
            turn.book(read_usage(document.get("usage")))
            return document

    def request(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """Send a request to any path of the API and return the JSON body; raise ``ClientError``."""
        wire = self._wiring.call(method, path, params=params, json=json)
        return drive(self._flow(wire), partial(self._send, wire), self._sleep)[1]

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

    def _chat(self, turn: Turn) -> Reply:
        with turn as wire:
            answer, document = drive(self._flow(wire), partial(self._send, wire), self._sleep)
            return turn.settle(read_reply(document or {}, answer.headers))

    def _start(self, wire: Wire) -> Answer:
        return drive(self._flow(wire), partial(self._open, wire), self._sleep)[0]

    def _send(self, wire: Wire) -> Answer:
        response = self._http.send(wire.request, follow_redirects=False)
        return Answer(response.status_code, response.headers, response.content)

    def _open(self, wire: Wire) -> Answer:
        """Open a stream as far as its first bytes: until then the attempt may be repeated."""
        response = self._http.send(wire.request, stream=True, follow_redirects=False)
        status, headers = response.status_code, response.headers
        try:
            if not is_stream(response):
                return Answer(status, headers, response.read())
            pieces = response.iter_bytes()
            first = next(pieces, None)
        except BaseException:
            response.close()
            raise
        if first is None:
            return Answer(status, headers, b"")
        from orpolicy.client.streams import Opened  # noqa: PLC0415 - whoever opens one has it

        return Answer(status, headers, opened=Opened(first, pieces, response))


class AsyncClient(_Base[httpx.AsyncClient], AsyncLookups):
    """The same for async: ``await client.chat(…)``, ``async with client.stream(…)``."""

    @overload
    async def chat(self, preset: Preset, messages: Messages, *, into: type[T], **overrides: Any) -> T: ...
    @overload
    async def chat(
        self, preset: Preset, messages: Messages, *, into: None = None, **overrides: Any
    ) -> Reply: ...
    async def chat(
        self, preset: Preset, messages: Messages, *, into: type[T] | None = None, **overrides: Any
    ) -> T | Reply:
        """Send messages under a preset and return the reply, or what it says as an instance of an attrs class."""
        if into is None:
            return await self._chat(self._turn(preset, messages, overrides))
        from orpolicy.client.structures import complete  # noqa: PLC0415 - most calls want text

        steps = complete(into, messages, overrides)
        try:
            said, asked = next(steps)
            while True:
                said, asked = steps.send(await self._chat(self._turn(preset, said, asked)))
        except StopIteration as stop:
            value: T = stop.value
            return value

    def stream(self, preset: Preset, messages: Messages, **overrides: Any) -> AsyncStream:
        """Return a stream of chunks; the request is sent when it is entered."""
        from orpolicy.client.streams import AsyncStream  # noqa: PLC0415 - most calls want the whole

        turn = self._turn(preset, messages, overrides, stream=True)
        return AsyncStream(partial(self._start, turn.wire), now=self._surroundings.now, turn=turn)

    async def send(self, request: Sendable) -> Mapping[str, Any]:
        """Send a request that a preset made, in whatever skin, and return the JSON body; it stands in the ledger."""
        turn = self._sending(request)
        with turn as wire:
            document = (await drive_async(self._flow(wire), partial(self._send, wire), self._sleep))[1] or {}
            turn.book(read_usage(document.get("usage")))
            return document

    async def request(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """Send a request to any path of the API and return the JSON body; raise ``ClientError``."""
        wire = self._wiring.call(method, path, params=params, json=json)
        return (await drive_async(self._flow(wire), partial(self._send, wire), self._sleep))[1]

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
        import anyio  # noqa: PLC0415 - only who has to wait

        await anyio.sleep(seconds)

    async def _chat(self, turn: Turn) -> Reply:
        with turn as wire:
            answer, document = await drive_async(self._flow(wire), partial(self._send, wire), self._sleep)
            return turn.settle(read_reply(document or {}, answer.headers))

    async def _start(self, wire: Wire) -> Answer:
        return (await drive_async(self._flow(wire), partial(self._open, wire), self._sleep))[0]

    async def _send(self, wire: Wire) -> Answer:
        response = await self._http.send(wire.request, follow_redirects=False)
        return Answer(response.status_code, response.headers, response.content)

    async def _open(self, wire: Wire) -> Answer:
        response = await self._http.send(wire.request, stream=True, follow_redirects=False)
        status, headers = response.status_code, response.headers
        try:
            if not is_stream(response):
                return Answer(status, headers, await response.aread())
            pieces = response.aiter_bytes()
            first = await anext(pieces, None)
        except BaseException:
            await response.aclose()
            raise
        if first is None:
            return Answer(status, headers, b"")
        from orpolicy.client.streams import AsyncOpened  # noqa: PLC0415 - whoever opens one has it

        return Answer(status, headers, opened=AsyncOpened(first, pieces, response))
