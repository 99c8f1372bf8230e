"""A streamed reply: chunks while they arrive, the reply at the end.

``Listening`` is the part that knows no socket: bytes in, chunks out, until ``[DONE]``. An error chunk raises the
``ApiError`` it stands for (fact 148); bytes that break off, stall or make no sense raise ``StreamError``. Whatever came
before stays at hand as ``partial``. ``Stream`` and ``AsyncStream`` only move bytes.

After ``[DONE]`` one more read lets the connection go back to the pool; without it each stream would pay a TLS handshake.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Self, TypeVar

import httpx
from attrs import frozen

from orpolicy.client.answers import UNREADABLE, Answer, decode_json, find_error
from orpolicy.client.chunks import Chunk, read_chunk
from orpolicy.client.refusals import StreamError
from orpolicy.client.replies import Reply, first_choice, read_reply
from orpolicy.client.sse import DONE, Splitter
from orpolicy.client.transcript import Transcript
from orpolicy.errors import ClientError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator

    from orpolicy.client.turns import Turn

T = TypeVar("T")


class Listening:
    """Turn the bytes of one stream into chunks and keep the transcript."""

    def __init__(self, answer: Answer, *, now: Callable[[], float], veil: Callable[[str], str]) -> None:
        self.done = False
        self.failure: ClientError | None = None
        self._answer = answer
        self._now = now
        self._veil = veil
        self._splitter = Splitter()
        self._transcript = Transcript()
        self._whole: Reply | None = None

    def hear(self, piece: bytes) -> Iterator[Chunk]:
        """Yield the chunks that ``piece`` completes; raise ``ApiError`` or ``StreamError``."""
        try:
            for data in self._splitter.feed(piece):
                if data == DONE:
                    self.done = True
                    return
                yield self._chunk(data)
        except ClientError as exc:
            self.failure = exc
            raise

    def end(self) -> None:
        """Note that the bytes are over; raise ``StreamError`` where the completion is not."""
        if not self.done and self._transcript.finish_reason is None:
            self.failure = StreamError("the stream ended before the completion did")
            raise self.failure
        self.done = True

    def reply(self, *, partial: bool = False) -> Reply:
        """Return the assembled reply; raise what went wrong, or ``StreamError`` where more is to come."""
        if not partial and self.failure is not None:
            raise self.failure
        if not partial and not self.done:
            raise StreamError("the stream was closed before its end; `partial` holds what had arrived")
        if not self.done:
            return self._assemble()
        if self._whole is None:
            self._whole = self._assemble()
        return self._whole

    def _assemble(self) -> Reply:
        return read_reply(self._transcript.document(), self._answer.headers)

    def _chunk(self, data: str) -> Chunk:
        try:
            document = decode_json(data)
        except UNREADABLE as exc:
            raise StreamError("an event of the stream is not valid JSON") from exc
        if not isinstance(document, dict):
            raise StreamError("an event of the stream is not a chunk")
        choice = first_choice(document)
        self._transcript.add(document, choice)
        if "error" in document or "error" in choice:
            error = find_error(document)
            if error is not None:
                from orpolicy.client.faults import read_error  # noqa: PLC0415 - most streams hold none

                raise read_error(self._answer, error, document, now=self._now(), veil=self._veil)
        return read_chunk(document, choice)


def broken(exc: httpx.RequestError) -> StreamError:
    """Say how the bytes of a stream stopped coming."""
    if isinstance(exc, httpx.TimeoutException):
        return StreamError("the stream stalled: no byte came within the time-out")
    return StreamError(f"the stream broke off ({type(exc).__name__})")


@frozen
class Opened:
    """An event stream whose first bytes have come: what ``Answer.opened`` holds."""

    first: bytes
    rest: Iterator[bytes]
    response: httpx.Response


@frozen
class AsyncOpened:
    """The same for async."""

    first: bytes
    rest: AsyncIterator[bytes]
    response: httpx.Response


def _entered(value: T | None) -> T:
    if value is None:
        raise UsageError("a stream is a context manager: `with client.stream(…) as stream:`")
    return value


class _Streamed:
    """What both kinds of stream share: listening starts when the stream is entered."""

    def __init__(self, *, now: Callable[[], float], turn: Turn) -> None:
        self._now = now
        self._turn = turn
        self._listening: Listening | None = None

    @property
    def partial(self) -> Reply:
        """The reply as far as it has arrived, also after a failure."""
        return self._heard.reply(partial=True)

    @property
    def _heard(self) -> Listening:
        return _entered(self._listening)

    def _listen(self, answer: Answer, kind: type[T]) -> T:
        if not isinstance(answer.opened, kind):
            raise StreamError("the answer is a whole body, not a stream of events")
        self._listening = Listening(answer, now=self._now, veil=self._turn.wire.veil)
        return answer.opened

    def _leave(self) -> None:
        """Book what came of a stream that was left early; a failed one is booked as a failure."""
        if self._listening is not None and self._listening.failure is None:
            self._turn.book(self._listening.reply(partial=True).usage)
        self._turn.__exit__()


class Stream(_Streamed):
    """A streamed reply: a context manager and an iterator of chunks. Leaving it early closes the connection."""

    def __init__(self, start: Callable[[], Answer], *, now: Callable[[], float], turn: Turn) -> None:
        super().__init__(now=now, turn=turn)
        self._start = start
        self._chunks: Generator[Chunk] | None = None

    def __enter__(self) -> Self:
        self._turn.__enter__()
        try:
            self._opened = self._listen(self._start(), Opened)
        except BaseException:
            self._turn.__exit__()
            raise
        self._chunks = self._run(self._heard, self._opened)
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            _entered(self._chunks).close()
        finally:
            self._leave()
            self._opened.response.close()

    def __iter__(self) -> Iterator[Chunk]:
        """Go on with the chunks; raise ``ApiError`` or ``StreamError`` where the stream fails."""
        return _entered(self._chunks)

    @property
    def text(self) -> Iterator[str]:
        """The pieces of text alone."""
        return (chunk.text for chunk in self if chunk.text)

    def reply(self) -> Reply:
        """Read what is left and return the whole reply."""
        for _ in self:
            pass
        return self._heard.reply()

    def _run(self, heard: Listening, opened: Opened) -> Generator[Chunk]:
        try:
            for piece in chain((opened.first,), opened.rest):
                yield from heard.hear(piece)
                if heard.done:
                    next(opened.rest, None)
                    break
        except httpx.RequestError as exc:
            if not heard.done:
                heard.failure = broken(exc)
                raise heard.failure from exc
        heard.end()
        self._turn.settle(heard.reply())


class AsyncStream(_Streamed):
    """The same for async: ``async with``, ``async for``, ``await stream.reply()``."""

    def __init__(
        self, start: Callable[[], Awaitable[Answer]], *, now: Callable[[], float], turn: Turn
    ) -> None:
        super().__init__(now=now, turn=turn)
        self._start = start
        self._chunks: AsyncGenerator[Chunk] | None = None

    async def __aenter__(self) -> Self:
        self._turn.__enter__()
        try:
            self._opened = self._listen(await self._start(), AsyncOpened)
        except BaseException:
            self._turn.__exit__()
            raise
        self._chunks = self._run(self._heard, self._opened)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            await _entered(self._chunks).aclose()
        finally:
            self._leave()
            await self._opened.response.aclose()

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Go on with the chunks; raise ``ApiError`` or ``StreamError`` where the stream fails."""
        return _entered(self._chunks)

    @property
    def text(self) -> AsyncIterator[str]:
        """The pieces of text alone."""
        return (chunk.text async for chunk in self if chunk.text)

    async def reply(self) -> Reply:
        """Read what is left and return the whole reply."""
        async for _ in self:
            pass
        return self._heard.reply()

    async def _run(self, heard: Listening, opened: AsyncOpened) -> AsyncGenerator[Chunk]:
        try:
            piece: bytes | None = opened.first
            while piece is not None:
                for chunk in heard.hear(piece):
                    yield chunk
                piece = await anext(opened.rest, None)
                if heard.done:
                    break
        except httpx.RequestError as exc:
            if not heard.done:
                heard.failure = broken(exc)
                raise heard.failure from exc
        heard.end()
        self._turn.settle(heard.reply())
