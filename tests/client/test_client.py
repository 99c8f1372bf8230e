"""Both clients over a scripted wire: what is sent, what comes back, what is never sent."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

import orpolicy.client
from orpolicy.client import refusals
from orpolicy.client.client import TIMEOUT, AsyncClient, Client
from orpolicy.client.flow import Retry
from orpolicy.client.refusals import ApiError, Unreachable, UnreadableAnswer
from orpolicy.client.wire import choose_endpoint
from orpolicy.errors import UsageError

PROMPT = "My card number is 4111 1111 1111 1111"
GOOD = {
    "id": "gen-1",
    "model": "openai/gpt-5-mini",
    "provider": "OpenAI",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Done."}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cost": 0.00012345678901234567},
}


def ok(document: Any = GOOD, **headers: str) -> httpx.Response:
    return httpx.Response(200, json=document, headers=headers)


def refused(
    status: int, message: str = "no", headers: dict[str, str] | None = None, **error: Any
) -> httpx.Response:
    return httpx.Response(
        status, json={"error": {"code": status, "message": message, **error}}, headers=headers
    )


def test_a_reply_is_typed_and_its_cost_exact(talk) -> None:
    reply = talk.chat(ok())
    assert (reply.text, reply.model, reply.provider, reply.id) == (
        "Done.",
        "openai/gpt-5-mini",
        "OpenAI",
        "gen-1",
    )
    assert reply.usage.cost == Decimal("0.00012345678901234567")


def test_the_body_is_sent_as_it_stands(talk) -> None:
    preset = talk.stub(
        {
            "models": ["b/b", "a/a"],
            "temperature": Decimal("0.7"),
            "provider": {"zdr": True, "max_price": {"prompt": "1"}},
        }
    )
    talk.chat(ok(), preset=preset, messages="snow \u2028 ☃", overrides={"seed": 7})
    (request,) = talk.requests
    assert request.content.decode() == (
        '{"models":["b/b","a/a"],"temperature":0.7,"provider":{"zdr":true,"max_price":{"prompt":"1"}},"seed":7,'
        '"messages":[{"role":"user","content":"snow \u2028 ☃"}]}'
    )
    assert (request.method, str(request.url)) == ("POST", "https://openrouter.ai/api/v1/chat/completions")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(request.content))
    assert request.headers["authorization"] == f"Bearer {talk.key}"


def test_a_retry_sends_the_same_bytes(talk) -> None:
    talk.chat(refused(503), httpx.ConnectError("x"), ok())
    assert len({request.content for request in talk.requests}) == 1
    assert len(talk.requests) == 3


def test_the_preset_s_headers_go_along_and_the_key_wins(talk) -> None:
    preset = talk.stub(
        headers={
            "X-OpenRouter-Title": "Support",
            "X-OpenRouter-Cache": "true",
            "Authorization": "Bearer other",
        }
    )
    talk.chat(ok(), preset=preset, metadata=True)
    headers = talk.requests[0].headers
    assert (headers["x-openrouter-title"], headers["x-openrouter-cache"]) == ("Support", "true")
    assert headers["x-openrouter-metadata"] == "enabled"
    assert headers["authorization"] == f"Bearer {talk.key}"


def test_the_routing_report_is_asked_for_only_on_demand(talk) -> None:
    talk.chat(ok())
    assert "x-openrouter-metadata" not in talk.requests[0].headers


def test_key_and_address_come_from_the_environment(talk, monkeypatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", " sk-from-env\n")
    monkeypatch.setenv("OPENROUTER_BASE_URL", "http://localhost:8080/api/v1/")
    talk.chat(ok(), api_key=None)
    assert talk.requests[0].headers["authorization"] == "Bearer sk-from-env"
    assert str(talk.requests[0].url) == "http://localhost:8080/api/v1/chat/completions"


def test_arguments_win_over_the_environment(talk, monkeypatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-from-env")
    monkeypatch.setenv("OPENROUTER_BASE_URL", "http://localhost:8080")
    talk.chat(ok(), base_url="https://gateway.example/v1")
    assert talk.requests[0].headers["authorization"] == f"Bearer {talk.key}"
    assert str(talk.requests[0].url) == "https://gateway.example/v1/chat/completions"


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_missing_key_is_said_before_anything_is_sent(talk, key) -> None:
    with pytest.raises(UsageError, match="no API key: set OPENROUTER_API_KEY"):
        talk.client(api_key=key)


@pytest.mark.parametrize("key", ["sk-or\nX-Evil: 1", "sk-ör", "sk or"])
def test_a_key_that_is_none_is_refused_without_repeating_it(talk, key) -> None:
    with pytest.raises(UsageError) as caught:
        talk.client(api_key=key)
    assert str(caught.value) == "the API key holds a character that no key has"


def test_an_emulator_s_transport_needs_no_key() -> None:
    class Emulator(httpx.MockTransport):
        needs_key = False

    with Client(http=httpx.Client(transport=Emulator(lambda _: ok()))) as client:
        assert client._wiring._key == "offline"


@pytest.mark.parametrize(
    "base_url",
    ["openrouter.ai/api/v1", "ftp://openrouter.ai", "https://", "https://host:port", "https://a\nb"],
)
def test_a_bad_address_is_said_before_anything_is_sent(talk, base_url) -> None:
    with pytest.raises(UsageError, match="base URL"):
        talk.client(base_url=base_url)


@pytest.mark.parametrize(
    ("base_url", "asked", "host"),
    [
        (None, "https://openrouter.ai/api/v1", "openrouter.ai"),
        (None, "https://eu.openrouter.ai/api/v1", "eu.openrouter.ai"),
        ("http://localhost:1/api/v1", "https://eu.openrouter.ai/api/v1", "localhost"),
        ("https://eu.openrouter.ai/api/v1", "https://eu.openrouter.ai/api/v1", "eu.openrouter.ai"),
        ("https://eu.openrouter.ai/api/v1", "https://openrouter.ai/api/v1", "eu.openrouter.ai"),
    ],
)
def test_the_address_is_the_client_s_or_else_the_preset_s(base_url, asked, host) -> None:
    assert choose_endpoint(base_url, asked).host == host


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [
        (None, "https://evil.example/api/v1"),
        (None, "https://openrouter.ai.evil.example/api/v1"),
        (None, "https://evilopenrouter.ai/api/v1"),
        (None, "http://openrouter.ai/api/v1"),
        ("https://openrouter.ai/api/v1", "https://eu.openrouter.ai/api/v1"),
        ("https://us.openrouter.ai/api/v1", "https://eu.openrouter.ai/api/v1"),
    ],
)
def test_the_key_goes_nowhere_else_and_no_region_is_undone(talk, base_url, asked) -> None:
    with pytest.raises(UsageError):
        talk.chat(ok(), preset=talk.stub(base_url=asked), base_url=base_url)
    assert talk.requests == []


def test_a_redirect_is_not_followed_even_where_the_passed_client_would(talk) -> None:
    away = httpx.Response(307, headers={"location": "https://evil.example/"})
    with pytest.raises(UnreadableAnswer) as caught:
        talk.chat(away, ok(), http_settings={"follow_redirects": True})
    assert caught.value.status == 307
    assert len(talk.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 524, 529])
def test_passing_errors_are_tried_again(talk, status) -> None:
    assert talk.chat(refused(status), ok()).text == "Done."
    assert talk.sleeps == [0.25]
    assert [attempt.status for attempt in talk.attempts] == [status, 200]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422])
def test_lasting_errors_are_not(talk, status) -> None:
    with pytest.raises(refusals.BY_STATUS[status]):
        talk.chat(refused(status), ok())
    assert len(talk.requests) == 1


def test_retry_after_is_honoured(talk) -> None:
    talk.chat(refused(429, headers={"Retry-After": "7"}), ok())
    assert talk.sleeps == [7.0]


def test_an_error_in_http_200_is_an_error(talk) -> None:
    error = {
        "error": {"code": 403, "message": "flagged", "metadata": {"error_type": "content_policy_violation"}}
    }
    with pytest.raises(refusals.Forbidden, match="403 Forbidden"):
        talk.chat(ok(error))


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("broken pipe"),
        httpx.PoolTimeout("full"),
        httpx.RemoteProtocolError("server disconnected"),
    ],
)
def test_a_failing_network_is_tried_again_and_then_unreachable(talk, fault) -> None:
    assert talk.chat(fault, ok()).text == "Done."
    with pytest.raises(Unreachable, match=r"openrouter\.ai") as caught:
        talk.chat(fault, retry=Retry(attempts=2))
    assert type(fault).__name__ in str(caught.value)
    assert isinstance(caught.value.__cause__, type(fault))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            httpx.ConnectError("Connection refused"),
            "no connection to openrouter.ai (ConnectError: Connection refused)",
        ),
        (httpx.ConnectError(""), "no connection to openrouter.ai (ConnectError)"),
        (httpx.ReadTimeout("slow"), "no answer from openrouter.ai (ReadTimeout)"),
        (
            httpx.LocalProtocolError("Illegal header value b'x'"),
            "no answer from openrouter.ai (LocalProtocolError)",
        ),
    ],
)
def test_unreachable_says_who_and_how(talk, fault, said) -> None:
    with pytest.raises(Unreachable) as caught:
        talk.chat(fault, retry=Retry(attempts=1))
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "fault", [httpx.UnsupportedProtocol("x"), httpx.DecodingError("bad gzip"), httpx.ProxyError("407")]
)
def test_what_no_retry_can_mend_is_not_retried(talk, fault) -> None:
    with pytest.raises(Unreachable):
        talk.chat(fault, ok())
    assert len(talk.requests) == 1


def test_a_body_cut_in_the_middle_is_tried_again(talk) -> None:
    def cut(_talk, _request):
        return httpx.Response(200, stream=talk.bytes([b'{"cho', httpx.RemoteProtocolError("incomplete")]))

    assert talk.chat(cut, ok()).text == "Done."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(200, content=b""), "the body is empty"),
        (httpx.Response(200, content=b"{"), "the body is not valid JSON"),
        (httpx.Response(200, html="<p>hello"), "the body is an HTML page, not JSON"),
        (httpx.Response(200, json={"object": "x"}), "the body holds no choice with a message"),
    ],
)
def test_an_answer_that_cannot_be_read_says_why(talk, answer, reason) -> None:
    with pytest.raises(UnreadableAnswer, match=reason):
        talk.chat(answer)


def test_no_error_and_no_repr_tells_the_key_or_the_prompt(talk, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    echo = refused(400, f"bad prompt {PROMPT!r} from Bearer {talk.key}")
    with pytest.raises(ApiError) as caught:
        talk.chat(echo, messages=[{"role": "user", "content": [{"type": "text", "text": PROMPT}]}])
    shown = [
        str(caught.value),
        repr(caught.value),
        *map(str, talk.attempts),
        repr(talk.client()),
        caplog.text,
    ]
    for text in shown:
        assert "4111" not in text
        assert talk.key not in text
        assert talk.key[6:] not in text
    assert "bad prompt" in str(caught.value)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([{"role": "user", "content": PROMPT, "x": {1, 2}}], "a value of type set"),
        ([{"role": "user", "content": PROMPT, "x": float("nan")}], "not JSON"),
        (PROMPT + "\ud83d", "half of a surrogate pair"),
    ],
)
def test_what_json_cannot_carry_is_said_without_the_prompt(talk, messages, reason) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        talk.chat(ok(), messages=messages)
    assert "4111" not in str(caught.value)
    assert talk.requests == []


def test_endless_nesting_is_said(talk) -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UsageError, match="nested too deeply"):
        talk.chat(ok(), messages=[{"role": "user", "content": deep}])


def test_what_the_preset_raises_comes_through(talk) -> None:
    class Forbidding:
        def request(self, messages: Any, **overrides: Any) -> Any:
            raise UsageError("not like this")

    with pytest.raises(UsageError, match="not like this"):
        talk.chat(ok(), preset=Forbidding())


def test_a_reply_s_message_can_be_sent_back(talk) -> None:
    message = {"role": "assistant", "content": None, "reasoning_details": [{"type": "x", "score": 0.5}]}
    reply = talk.chat(ok({"choices": [{"message": message}]}))
    talk.chat(ok(), messages=[{"role": "user", "content": "hi"}, reply.message])
    assert talk.sent[1]["messages"][1] == message


def test_a_passed_client_keeps_its_settings_and_stays_open(stub) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok()

    preset = stub()
    with httpx.Client(transport=httpx.MockTransport(answer), headers={"X-Team": "a"}, timeout=3) as http:
        with Client("sk-1", http=http) as client:
            client.chat(preset, "x")
        assert not http.is_closed
        Client("sk-1", http=http, timeout=9).chat(preset, "x")
    assert [request.headers["x-team"] for request in seen] == ["a", "a"]
    assert [request.extensions["timeout"]["read"] for request in seen] == [3, 9]


def test_an_own_client_has_patient_time_outs_and_is_closed() -> None:
    with Client("sk-1") as client:
        assert client._http.timeout == TIMEOUT
    assert client._http.is_closed

    async def run() -> AsyncClient:
        async with AsyncClient("sk-1") as client:
            assert client._http.timeout == TIMEOUT
        return client

    assert asyncio.run(run())._http.is_closed


def test_without_a_sleep_of_the_tests_the_wait_is_real(stub) -> None:
    answers = iter([refused(503), ok(), refused(503), ok()])
    preset = stub()
    transport = httpx.MockTransport(lambda _: next(answers))
    quick = Retry(base=0.001)
    with httpx.Client(transport=transport) as http:
        assert Client("sk-1", http=http, retry=quick).chat(preset, "x").text == "Done."

    async def run() -> str:
        async with httpx.AsyncClient(transport=transport) as http:
            return (await AsyncClient("sk-1", http=http, retry=quick).chat(preset, "x")).text

    assert asyncio.run(run()) == "Done."


@pytest.fixture
def server():
    """A real socket, for what a mock transport cannot show."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            connections.add(self.client_address)
            if body.get("stream"):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for data in ({"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}, None):
                    event = b"data: " + (json.dumps(data).encode() if data else b"[DONE]") + b"\n\n"
                    self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")
                return
            answer = json.dumps(GOOD).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: Any) -> None:
            pass

    connections: set[Any] = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/api/v1", connections
        httpd.shutdown()
        thread.join()


def test_calls_and_streams_share_one_connection(server, stub) -> None:
    base_url, connections = server
    with Client("sk-1", base_url=base_url) as client:
        assert client.chat(stub(), "x").text == "Done."
        for _ in range(3):
            with client.stream(stub(), "x") as stream:
                assert "".join(stream.text) == "hi"
        assert client.chat(stub(), "x").text == "Done."
    assert len(connections) == 1


def test_async_calls_and_streams_share_one_connection(server, stub) -> None:
    base_url, connections = server

    async def run() -> None:
        async with AsyncClient("sk-1", base_url=base_url) as client:
            assert (await client.chat(stub(), "x")).text == "Done."
            for _ in range(3):
                async with client.stream(stub(), "x") as stream:
                    assert "".join([text async for text in stream.text]) == "hi"

    asyncio.run(run())
    assert len(connections) == 1


def test_importing_the_wing_loads_nothing_heavy() -> None:
    script = "import sys, orpolicy.client; print(sorted({'httpx', 'anyio', 'openai', 'openrouter'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_of_the_wing_is_there() -> None:
    for name in orpolicy.client.__all__:
        assert getattr(orpolicy.client, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = orpolicy.client.nothing


def test_a_name_in_place_of_a_preset_is_wrong_usage() -> None:
    with (
        Client("key") as client,
        pytest.raises(UsageError, match=r"compile it first, orpolicy.load\(\).preset\('a'\)"),
    ):
        client.chat("a", "hi")  # type: ignore[call-overload]
