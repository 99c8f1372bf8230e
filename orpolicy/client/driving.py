"""Carry the orders of a control flow to httpx, and the answers back: once for sync, once for async."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import httpx

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from orpolicy.client.answers import Answer
    from orpolicy.client.refusals import Unreachable

T = TypeVar("T")


def drive(
    steps: Generator[float, Answer, T], send: Callable[[], Answer], sleep: Callable[[float], object]
) -> T:
    """Run a flow to its end: wait as it says, send, and hand it what came back."""
    try:
        after = next(steps)
        while True:
            if after:
                sleep(after)
            try:
                answer = send()
            except httpx.RequestError as exc:
                after = steps.throw(_unreachable(exc))
            else:
                after = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def drive_async(
    steps: Generator[float, Answer, T],
    send: Callable[[], Awaitable[Answer]],
    sleep: Callable[[float], Awaitable[object]],
) -> T:
    """Do the same for async."""
    try:
        after = next(steps)
        while True:
            if after:
                await sleep(after)
            try:
                answer = await send()
            except httpx.RequestError as exc:
                after = steps.throw(_unreachable(exc))
            else:
                after = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _unreachable(exc: httpx.RequestError) -> Unreachable:
    """Say what the network did; an answer that broke off counts, too: nothing of it has been used yet."""
    from orpolicy.client.refusals import Unreachable  # noqa: PLC0415 - most calls arrive

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


def is_stream(response: httpx.Response) -> bool:
    """Tell a stream of events from a body: proxies lose the content type more often than they invent one."""
    kind = response.headers.get("content-type", "")
    return response.status_code < 300 and "json" not in kind and "html" not in kind
