"""The table of faults: each with its stated outcome, sync and async, plain and streamed, over a socket.

Nothing hangs, and nothing is left behind: no answer on its way, no connection in use, none open once the client is closed.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from attrs import evolve, field, frozen

from orpolicy.client import refusals
from orpolicy.client.client import AsyncClient, Client
from orpolicy.client.flow import Retry
from orpolicy.client.refusals import StreamError, Unreachable
from orpolicy.emulator.faults import KINDS, Fault
from orpolicy.emulator.server import Server, listen, url_of
from orpolicy.emulator.wounds import write_odd_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG = 60.0
"""Seconds that a server keeps silent: far beyond the client's patience."""
PATIENCE = 0.4
NO_TLS = False
"""Reading the certificates takes longer than a call."""

BOUND = 180.0
"""Seconds within which every call is over."""


@frozen
class Row:
    """A fault, what becomes of a call and of a stream (``None``: the whole reply), and the client's read time-out."""

    fault: Fault
    chat: type[Exception] | None = None
    stream: type[Exception] | None = None
    timeout: float = 10.0
    name: str = field()

    @name.default
    def _name(self) -> str:
        return self.fault.kind


def both(fault: Fault, outcome: type[Exception] | None, **more: Any) -> Row:
    return Row(fault, outcome, outcome, **more)


ROWS = [
    both(Fault("reset"), Unreachable),
    Row(Fault("cut", after=2), Unreachable, StreamError),
    both(Fault("slow", seconds=0.1), None),
    both(Fault("slow", seconds=LONG), Unreachable, timeout=PATIENCE, name="slower than the time-out"),
    Row(Fault("stall", after=2, seconds=LONG), Unreachable, StreamError, timeout=PATIENCE),
    *(
        both(Fault("status", status=status), kind, name=str(status))
        for status, kind in refusals.BY_STATUS.items()
    ),
    both(Fault("error_body", status=502), refusals.BadGateway, name="200 with an error"),
    both(Fault("error_after_content", status=502, after=2), refusals.BadGateway),
    both(Fault("html", status=502), refusals.BadGateway),
    both(Fault("html", status=200), refusals.UnreadableAnswer, name="html with 200"),
    both(Fault("empty"), refusals.UnreadableAnswer),
    Row(Fault("truncated", after=2), refusals.UnreadableAnswer, StreamError),
    both(Fault("undone"), None),
    both(Fault("text"), None),
    both(Fault("split"), None),
    both(Fault("large"), None, timeout=BOUND),
    both(Fault("many"), None, timeout=BOUND),
    both(Fault("comments"), None),
    both(Fault("crlf"), None),
]


@frozen
class Asked:
    body: dict[str, Any]
    headers: dict[str, str]
    base_url: str = "https://openrouter.ai/api/v1"
    preset: str = "test"


class Preset:
    """The least that a preset has to be."""

    @staticmethod
    def request(messages: Any, **overrides: Any) -> Asked:
        said = [{"role": "user", "content": messages}]
        return Asked({"model": "openai/gpt-4o-mini", "messages": said, **overrides}, {})


@frozen
class Outcome:
    """A reply's text or the error, and the pieces of a stream."""

    text: str = ""
    error: Exception | None = None


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


def send(url: str, row: Row, *, stream: bool, **settings: Any) -> Outcome:
    settings = {"retry": Retry(attempts=1), **settings}
    with httpx.Client(timeout=row.timeout, verify=NO_TLS) as http:
        client = Client("none", base_url=url, http=http, **settings)
        try:
            if not stream:
                return Outcome(client.chat(Preset, "Hello").text)
            with client.stream(Preset, "Hello") as found:
                text = "".join(found.text)
                return Outcome(text) if text == found.reply().text else Outcome("the reply is not its pieces")
        except refusals.ClientError as exc:
            return Outcome(error=exc)
        finally:
            check_pool(http)


async def send_async(url: str, row: Row, *, stream: bool, **settings: Any) -> Outcome:
    settings = {"retry": Retry(attempts=1), **settings}
    async with httpx.AsyncClient(timeout=row.timeout, verify=NO_TLS) as http:
        client = AsyncClient("none", base_url=url, http=http, **settings)
        try:
            if not stream:
                return Outcome((await client.chat(Preset, "Hello")).text)
            async with client.stream(Preset, "Hello") as found:
                text = "".join([piece async for piece in found.text])
                whole = (await found.reply()).text
                return Outcome(text) if text == whole else Outcome("the reply is not its pieces")
        except refusals.ClientError as exc:
            return Outcome(error=exc)
        finally:
            check_pool(http)


def check_pool(http: Any) -> None:
    """See that no connection is left in use."""
    connections = http._transport._pool.connections
    assert all(connection.is_idle() or connection.is_closed() for connection in connections)


def act(url: str, row: Row, *, use_async: bool, stream: bool, **settings: Any) -> Outcome:
    """Send within the bound, in a thread that may hang without hanging the tests."""
    work: Callable[[], Outcome]
    if use_async:
        work = lambda: asyncio.run(send_async(url, row, stream=stream, **settings))  # noqa: E731 - two ways to one thing
    else:
        work = lambda: send(url, row, stream=stream, **settings)  # noqa: E731 - as above
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(work).result(BOUND)
    finally:
        pool.shutdown(wait=False)


def is_deserted(server: Server) -> bool:
    """Tell whether nothing is left of any client, after a moment."""
    end = time.monotonic() + 3
    while (server.open_answers or server.open_connections) and time.monotonic() < end:
        time.sleep(0.005)
    return not (server.open_answers or server.open_connections)


def test_the_table_has_every_kind_of_fault() -> None:
    assert {row.fault.kind for row in ROWS} == {*KINDS} - {"refuse"}
    assert {row.name for row in ROWS} >= {"429", "500", "502", "503", "524", "529"}


@pytest.mark.parametrize("stream", [False, True], ids=["chat", "stream"])
@pytest.mark.parametrize("use_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("row", ROWS, ids=[row.name.replace(" ", "-") for row in ROWS])
def test_each_fault_has_its_outcome(server: Server, row: Row, *, use_async: bool, stream: bool) -> None:
    server.emulator.script(row.fault)
    found = act(server.url, row, use_async=use_async, stream=stream)
    expected = row.stream if stream else row.chat
    if expected is None:
        assert found.error is None
        assert found.text == (write_odd_text(row.fault) or found.text)
        assert found.text
    else:
        assert type(found.error) is expected, found
    assert is_deserted(server)


@pytest.mark.parametrize("stream", [False, True], ids=["chat", "stream"])
@pytest.mark.parametrize("use_async", [False, True], ids=["sync", "async"])
def test_a_connection_that_is_refused_is_unreachable(*, use_async: bool, stream: bool) -> None:
    with listen() as closed:
        url = url_of(closed)
    found = act(url, both(Fault("refuse"), Unreachable), use_async=use_async, stream=stream)
    assert type(found.error) is Unreachable
    assert found.error.retryable


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("stream", [False, True], ids=["chat", "stream"])
@pytest.mark.parametrize("use_async", [False, True], ids=["sync", "async"])
def test_both_forms_of_retry_after_are_waited_for(
    server: Server, form: str, *, use_async: bool, stream: bool
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    fault = Fault("status", status=429, retry_after=30 if form == "seconds" else date, requests=(1,))
    server.emulator.script(fault)
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    found = act(
        server.url,
        both(fault, None),
        use_async=use_async,
        stream=stream,
        retry=Retry(attempts=2, base=0.0),
        sleep=note if use_async else waited.append,
    )
    assert found.text.startswith("[simulated]")
    (seconds,) = waited
    assert 25 < seconds <= 32  # seconds of whole numbers, and the clock of the other side
    assert is_deserted(server)


@pytest.mark.parametrize("stream", [False, True], ids=["chat", "stream"])
@pytest.mark.parametrize("use_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("kind", ["reset", "slow", "status", "error_body", "html"])
def test_what_passes_is_tried_again(server: Server, kind: Any, *, use_async: bool, stream: bool) -> None:
    fault = Fault(kind, requests=(1,), seconds=LONG if kind == "slow" else 0)
    server.emulator.script(fault)
    row = evolve(both(fault, None), timeout=PATIENCE if kind == "slow" else 5)
    found = act(server.url, row, use_async=use_async, stream=stream, retry=Retry(attempts=2, base=0.0))
    assert found.text.startswith("[simulated]"), found
    assert is_deserted(server)


def test_a_stream_that_is_left_closes_its_connection(server: Server) -> None:
    server.emulator.script(Fault("stall", after=1, seconds=LONG))
    with httpx.Client(verify=NO_TLS) as http:
        with Client("none", base_url=server.url, http=http).stream(Preset, "Hello") as stream:
            next(iter(stream))
        check_pool(http)
        assert is_deserted(server)


def test_a_cancelled_stream_closes_its_connection(server: Server) -> None:
    server.emulator.script(Fault("stall", after=1, seconds=LONG))

    async def run() -> None:
        heard = asyncio.Event()

        async def listen_on(http: httpx.AsyncClient) -> None:
            async with AsyncClient("none", base_url=server.url, http=http).stream(Preset, "Hello") as stream:
                async for _ in stream:
                    heard.set()

        async with httpx.AsyncClient(verify=NO_TLS) as http:
            task = asyncio.create_task(listen_on(http))
            await asyncio.wait_for(heard.wait(), BOUND)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            check_pool(http)
            assert is_deserted(server)

    asyncio.run(run())
