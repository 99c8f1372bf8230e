"""Streams over a scripted wire: every chunk arrives, every way to fail is told apart, and nothing is tried twice."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orpolicy.client import refusals
from orpolicy.client.client import AsyncClient, Client
from orpolicy.client.refusals import StreamError, Unreachable, UnreadableAnswer
from orpolicy.errors import UsageError

TOP = {"id": "gen-1", "object": "chat.completion.chunk", "model": "openai/gpt-5-mini", "provider": "OpenAI"}


def event(document: Any) -> bytes:
    data = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return f"data: {data}\n\n".encode()


def delta(finish_reason: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", **fields}, "finish_reason": finish_reason}
    return event({**TOP, "choices": [choice]})


COMMENT = b": OPENROUTER PROCESSING\n\n"
USAGE = event(
    {
        **TOP,
        "choices": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "cost": 0.00031},
        "openrouter_metadata": {"strategy": "direct"},
    }
)
DONE = event("[DONE]")
WHOLE = [
    COMMENT,
    delta(reasoning="Hm. "),
    delta(content="Hel"),
    COMMENT,
    delta(content="lo"),
    delta("stop", content=""),
    USAGE,
    DONE,
]


def streamed(*pieces: bytes | Exception, status: int = 200, kind: str = "text/event-stream", **headers: str):
    def answer(talk, _request):
        stream = talk.bytes(list(pieces))
        answer.streams.append(stream)
        return httpx.Response(status, stream=stream, headers={"content-type": kind, **headers})

    answer.streams = []
    return answer


def test_a_stream_gives_chunks_and_then_the_reply(talk) -> None:
    answer = streamed(*WHOLE, **{"x-generation-id": "gen-2"})
    heard = talk.listen(answer)
    assert heard.error is None
    assert [chunk.text for chunk in heard.chunks] == ["", "Hel", "lo", "", ""]
    assert [chunk.reasoning for chunk in heard.chunks] == ["Hm. ", "", "", "", ""]
    assert [chunk.finish_reason for chunk in heard.chunks] == [None, None, None, "stop", None]
    assert [chunk.usage is not None for chunk in heard.chunks] == [False, False, False, False, True]
    reply = heard.reply
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("Hello", "Hm. ", "stop")
    assert (reply.id, reply.model, reply.provider) == ("gen-2", "openai/gpt-5-mini", "OpenAI")
    assert (reply.usage.cost, reply.usage.total_tokens) == (Decimal("0.00031"), 5)
    assert reply.metadata == {"strategy": "direct"}
    assert reply.message == {"role": "assistant", "content": "Hello", "reasoning": "Hm. "}
    assert answer.streams[0].closed


def test_a_stream_is_asked_for(talk) -> None:
    talk.listen(streamed(*WHOLE))
    assert talk.sent == [
        {
            "model": "openai/gpt-5-mini",
            "temperature": 0.2,
            "messages": [{"role": "user", "content": "Hello there"}],
            "stream": True,
        }
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(data=st.data())
def test_the_cut_of_the_network_changes_no_chunk(talk, data) -> None:
    raw = b"".join([COMMENT, delta(content="Füße \u2028 und mehr"), delta("stop"), USAGE, DONE])
    cuts = sorted(data.draw(st.lists(st.integers(1, len(raw) - 1), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True) if a < b]
    heard = talk.listen(streamed(*pieces))
    assert (heard.text, heard.reply.text) == ("Füße \u2028 und mehr", "Füße \u2028 und mehr")
    assert len(heard.chunks) == 3


def test_tool_calls_come_in_pieces(talk) -> None:
    calls = [
        [{"index": 0, "id": "c1", "type": "function", "function": {"name": "refund", "arguments": ""}}],
        [{"index": 0, "function": {"arguments": '{"amount"'}}],
        [{"index": 1, "id": "c2", "type": "function", "function": {"name": "close", "arguments": "{}"}}],
        [{"index": 0, "function": {"arguments": ": 5}"}}],
    ]
    heard = talk.listen(streamed(*[delta(tool_calls=call) for call in calls], delta("tool_calls"), DONE))
    first, second = heard.reply.tool_calls
    assert (first.id, first.name, first.parsed()) == ("c1", "refund", {"amount": 5})
    assert (second.id, second.name, second.parsed()) == ("c2", "close", {})
    assert [chunk.tool_calls[0].index for chunk in heard.chunks[:4]] == [0, 0, 1, 0]


def test_an_error_after_content_is_that_error_and_what_came_stays(talk) -> None:
    error = {
        **TOP,
        "error": {
            "code": 502,
            "message": "Provider disconnected",
            "metadata": {"error_type": "provider_unavailable", "provider_name": "Azure"},
        },
    }
    error["choices"] = [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]
    heard = talk.listen(streamed(delta(content="Hel"), event(error), DONE))
    assert type(heard.error) is refusals.BadGateway
    assert (heard.error.provider, heard.error.error_type) == ("Azure", "provider_unavailable")
    assert heard.text == "Hel"
    assert (heard.partial.text, heard.partial.finish_reason) == ("Hel", "error")
    assert len(talk.requests) == 1, "never again after the first streamed byte"


def test_content_that_shares_its_bytes_with_an_error_is_still_heard(talk) -> None:
    heard = talk.listen(
        streamed(delta(content="Hel") + event({"error": {"code": "server_error", "message": "no"}}))
    )
    assert type(heard.error) is refusals.InternalServerError
    assert heard.text == "Hel"


def test_a_failed_stream_stays_failed(stub) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=delta(content="Hel") + event("{"))

    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as http,
        Client("sk-1", http=http).stream(stub(), "x") as stream,
    ):
        for _ in range(2):
            with pytest.raises(StreamError, match="not valid JSON"):
                stream.reply()
        assert list(stream) == []


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([delta(content="Hel"), httpx.ReadError("reset")], r"broke off \(ReadError\)"),
        ([delta(content="Hel"), httpx.RemoteProtocolError("cut")], r"broke off \(RemoteProtocolError\)"),
        ([delta(content="Hel"), httpx.ReadTimeout("slow")], "stalled: no byte came"),
        ([delta(content="Hel")], "ended before the completion did"),
        ([delta(content="Hel"), b'data: {"choices": [{"delta": {"cont'], "ended before the completion did"),
        ([delta(content="Hel"), event("{")], "not valid JSON"),
        ([delta(content="Hel"), event("[]")], "is not a chunk"),
        ([delta(content="Hel"), event('{"cost": NaN}')], "not valid JSON"),
        ([delta(content="Hel"), b"data: \xff\n\n"], "not UTF-8"),
        ([delta(content="Hel"), b"data: " + b"x" * (16 * 1024 * 1024 + 1)], "larger than 16,777,216 bytes"),
    ],
)
def test_a_stream_that_breaks_says_how_and_is_not_tried_again(talk, pieces, reason) -> None:
    answer = streamed(*pieces)
    heard = talk.listen(answer)
    assert type(heard.error) is StreamError
    assert heard.error.args[0]
    with pytest.raises(StreamError, match=reason):
        raise heard.error
    assert (heard.text, heard.partial.text) == ("Hel", "Hel")
    assert len(talk.requests) == 1
    assert answer.streams[0].closed


def test_even_a_comment_is_a_streamed_byte(talk) -> None:
    heard = talk.listen(streamed(COMMENT, httpx.ReadError("reset")), streamed(*WHOLE))
    assert isinstance(heard.error, StreamError)
    assert len(talk.requests) == 1


def test_before_the_first_byte_the_attempt_is_repeated(talk) -> None:
    broken = streamed(httpx.ReadError("reset"))
    heard = talk.listen(httpx.ConnectError("x"), httpx.Response(503), broken, streamed(*WHOLE), retry=None)
    assert isinstance(heard.error, Unreachable), "three attempts are the default"
    assert broken.streams[0].closed
    talk.requests.clear()
    assert talk.listen(httpx.Response(503), broken, streamed(*WHOLE)).reply.text == "Hello"


def test_a_refused_stream_is_an_api_error(talk) -> None:
    body = {
        "error": {
            "code": 404,
            "message": "none",
            "availability": {"code": "no_endpoints", "retryable": False},
        }
    }
    heard = talk.listen(httpx.Response(404, json=body))
    assert type(heard.error) is refusals.NotFound
    assert heard.error.availability.code == "no_endpoints"


def test_an_error_in_http_200_before_the_stream_is_tried_again(talk) -> None:
    inside = httpx.Response(200, json={"error": {"code": 429, "message": "slow down"}})
    assert talk.listen(inside, streamed(*WHOLE)).reply.text == "Hello"


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (httpx.Response(200, html="<p>Sign in"), UnreadableAnswer, "HTML page"),
        (
            httpx.Response(200, content=b"", headers={"content-type": "text/event-stream"}),
            UnreadableAnswer,
            "body is empty",
        ),
        (httpx.Response(200, json={"choices": []}), StreamError, "not a stream of events"),
    ],
)
def test_an_answer_that_is_no_stream_says_so(talk, answer, kind, reason) -> None:
    heard = talk.listen(answer)
    assert type(heard.error) is kind
    assert reason in str(heard.error)


@pytest.mark.parametrize("pieces", [WHOLE[:-1], [*WHOLE, delta(content="after the end")], [b"".join(WHOLE)]])
def test_the_end_mark_may_be_missing_and_nothing_after_it_counts(talk, pieces) -> None:
    assert talk.listen(streamed(*pieces)).reply.text == "Hello"


def test_a_connection_that_fails_after_the_end_mark_harms_nothing(talk) -> None:
    assert talk.listen(streamed(*WHOLE, httpx.ReadError("reset"))).reply.text == "Hello"


def test_after_the_end_mark_there_is_one_read_and_no_more(talk) -> None:
    answer = streamed(*WHOLE, COMMENT, COMMENT, COMMENT)
    assert talk.listen(answer).reply.text == "Hello"
    assert answer.streams[0].read == len(WHOLE) + 1


def test_leaving_early_closes_the_connection(talk) -> None:
    answer = streamed(*WHOLE)
    heard = talk.listen(answer, stop_after=2)
    assert (len(heard.chunks), heard.partial.text) == (2, "Hel")
    assert answer.streams[0].closed
    assert answer.streams[0].read < len(WHOLE)


def test_a_stream_goes_on_after_a_break_and_is_over_after_its_end(stub) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"".join(WHOLE))

    transport = httpx.MockTransport(answer)
    with httpx.Client(transport=transport) as http:
        with Client("sk-1", http=http).stream(stub(), "x") as stream:
            for text in stream.text:
                assert text == "Hel"
                break
            assert "".join(stream.text) == "lo"
            assert stream.reply().text == "Hello"
        with Client("sk-1", http=http).stream(stub(), "x") as stream:
            next(iter(stream))
        with pytest.raises(StreamError, match="closed before its end"):
            stream.reply()

    async def run() -> None:
        async with httpx.AsyncClient(transport=transport) as http:
            async with AsyncClient("sk-1", http=http).stream(stub(), "x") as stream:
                async for text in stream.text:
                    assert text == "Hel"
                    break
                assert "".join([text async for text in stream.text]) == "lo"
                assert (await stream.reply()).text == "Hello"
            async with AsyncClient("sk-1", http=http).stream(stub(), "x") as stream:
                await anext(aiter(stream))
            with pytest.raises(StreamError, match="closed before its end"):
                await stream.reply()

    asyncio.run(run())


def test_a_stream_must_be_entered(talk) -> None:
    stream = talk.client((streamed(*WHOLE),)).stream(talk.stub(), "x")
    with pytest.raises(UsageError, match="context manager"):
        iter(stream) if talk.kind == "sync" else aiter(stream)
    with pytest.raises(UsageError, match="context manager"):
        _ = stream.partial
    assert talk.requests == []


@pytest.mark.parametrize(
    "pieces", [[], [COMMENT], [delta(content="Hel")]], ids=["silent", "comment", "content"]
)
def test_a_cancelled_stream_closes_its_connection(pieces, stub, stub_bytes) -> None:
    class Stalling(stub_bytes):
        async def __aiter__(self):
            for piece in self.pieces:
                yield piece
            reached.set()
            await asyncio.sleep(60)

    stalled, reached = Stalling(pieces), asyncio.Event()

    async def listen() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=stalled))
        client = AsyncClient("sk-1", http=httpx.AsyncClient(transport=transport))
        async with client.stream(stub(), "x") as stream:
            await stream.reply()

    async def run() -> None:
        task = asyncio.create_task(listen())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert stalled.closed


def test_an_error_in_a_stream_does_not_tell_the_prompt(talk) -> None:
    prompt = "My card number is 4111 1111 1111 1111"
    error = event({"error": {"code": 400, "message": f"cannot handle {prompt}"}})
    heard = talk.listen(streamed(delta(content="x"), error), messages=prompt)
    assert "4111" not in str(heard.error)
    assert "4111" not in repr(heard.error)
