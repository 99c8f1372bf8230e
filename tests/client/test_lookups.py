"""The rest of the API: lists, the account, any other path, and messages with more than text."""

from __future__ import annotations

import asyncio
import inspect
from decimal import Decimal
from typing import Any

import httpx
import pytest

from orpolicy.client.client import Client
from orpolicy.client.refusals import NotFound, ServiceUnavailable, UnreadableAnswer
from orpolicy.emulator.transport import EmulatorTransport
from orpolicy.errors import UsageError
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace

API = "https://openrouter.ai/api/v1"


@pytest.fixture
def ask(talk):
    """Call a method of the client, whichever it is, over a scripted wire."""

    def call(
        method: str, *arguments: Any, script: tuple[Any, ...], settings: Any = None, **named: Any
    ) -> Any:
        outcome = getattr(talk.client(script, **settings or {}), method)(*arguments, **named)
        return asyncio.run(outcome) if inspect.isawaitable(outcome) else outcome

    return call


def data(text: str) -> httpx.Response:
    return httpx.Response(200, text=f'{{"data": {text}}}')


@pytest.mark.parametrize(
    ("call", "path", "body"),
    [
        (["models"], "/models", '[{"id": "a/b"}]'),
        (["providers"], "/providers", '[{"id": "a/b"}]'),
        (["zdr_endpoints"], "/endpoints/zdr", '[{"id": "a/b"}]'),
        (["endpoints", "a/b:free"], "/models/a/b:free/endpoints", '{"endpoints": [{"id": "a/b"}]}'),
    ],
)
def test_lists_come_as_they_are(talk, ask, call, path, body) -> None:
    assert ask(*call, script=(data(body),)) == ({"id": "a/b"},)
    (request,) = talk.requests
    assert (request.method, str(request.url), request.content) == ("GET", API + path, b"")
    assert request.headers["authorization"] == f"Bearer {talk.key}"


def test_money_is_exact(ask) -> None:
    credit = ask("credits", script=(data('{"total_credits": 100.1, "total_usage": 0.30000000000000000001}'),))
    assert credit.remaining == Decimal("99.79999999999999999999")
    key = ask("key", script=(data('{"label": "sk…", "limit": null, "usage": 0.1, "is_free_tier": true}'),))
    assert (key.limit, key.remaining, key.used, key.free_tier) == (None, None, Decimal("0.1"), True)


def test_a_generation_is_found_by_its_id(talk, ask) -> None:
    text = '{"id": "gen/1", "model": "m/m", "provider_name": "OpenAI", "total_cost": 0.0015, "tokens_prompt": 3, "native_tokens_completion": 4, "finish_reason": "stop"}'
    found = ask("generation", "gen/1&x", script=(data(text),))
    assert (found.cost, found.prompt_tokens, found.completion_tokens) == (Decimal("0.0015"), 3, 4)
    assert (found.model, found.provider, found.finish_reason) == ("m/m", "OpenAI", "stop")
    assert talk.requests[0].url.params["id"] == "gen/1&x"


@pytest.mark.parametrize("name", ["", "gpt-5", "a/b/c", "/b", "a/"])
def test_endpoints_are_those_of_a_model_s_id(talk, ask, name) -> None:
    with pytest.raises(UsageError, match="no model id"):
        ask("endpoints", name, script=(data("[]"),))
    assert talk.requests == []


@pytest.mark.parametrize(
    ("method", "body"), [("models", "{}"), ("key", "[]"), ("endpoints", '{"endpoints": 1}')]
)
def test_a_body_without_the_data_is_unreadable(ask, method, body) -> None:
    with pytest.raises(UnreadableAnswer, match="under `data`"):
        ask(method, *(["a/b"] if method == "endpoints" else []), script=(data(body),))


def test_errors_are_those_of_every_call(ask) -> None:
    missing = httpx.Response(404, json={"error": {"code": 404, "message": "no such generation"}})
    with pytest.raises(NotFound, match="no such generation"):
        ask("generation", "gen-1", script=(missing,))


def test_reading_is_retried(talk, ask) -> None:
    assert ask("models", script=(httpx.ConnectError("x"), httpx.Response(503), data("[]"))) == ()
    assert len(talk.requests) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_change_is_sent_once(talk, ask, method) -> None:
    with pytest.raises(ServiceUnavailable):
        ask("request", method, "/keys/1", json={"name": "ci"}, script=(httpx.Response(503), data("[]")))
    assert [request.content for request in talk.requests] == [b'{"name":"ci"}']


def test_any_path_can_be_asked(talk, ask) -> None:
    script = (httpx.Response(200, json={"data": {"a": 0.1}}),)
    found = ask("request", "get", "/presets", params={"limit": 2}, script=script)
    assert found == {"data": {"a": Decimal("0.1")}}
    assert str(talk.requests[0].url) == f"{API}/presets?limit=2"


def test_an_answer_without_content_is_none_to_read(ask) -> None:
    assert ask("request", "DELETE", "/keys/1", script=(httpx.Response(204),)) == {}


@pytest.mark.parametrize("path", ["models", "https://evil.example/x", "//evil.example/x", "/../../x", ""])
def test_the_key_goes_below_the_api_s_address_only(talk, ask, path) -> None:
    with pytest.raises(UsageError, match="one slash"):
        ask("request", "GET", path, script=(data("[]"),))
    assert talk.requests == []


def test_other_hosts_get_the_key_only_where_the_caller_says_so(talk, ask) -> None:
    ask("models", script=(data("[]"),), settings={"base_url": "https://eu.openrouter.ai/api/v1"})
    ask("models", script=(data("[]"),), settings={"base_url": "http://localhost:8080/api/v1"})
    assert [request.url.host for request in talk.requests] == ["eu.openrouter.ai", "localhost"]


PARTS = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
    {"type": "file", "file": {"filename": "bill.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
    {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
]


def test_images_files_and_tool_results_arrive_as_they_are(talk) -> None:
    preset = Compiler(Workspace(Memory({"presets/see.yaml": "model: m/m\nsystem: Be brief.\n"}))).compile(
        "see"
    )
    conversation = [
        {"role": "user", "content": PARTS},
        {
            "role": "assistant",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "42"},
    ]
    good = httpx.Response(200, json={"choices": [{"message": {"content": "A bill."}}]})
    assert talk.chat(good, preset=preset, messages=conversation).text == "A bill."
    (sent,) = talk.sent
    assert sent["messages"] == [{"role": "system", "content": "Be brief."}, *conversation]


def test_the_emulator_tells_what_it_billed() -> None:
    transport = EmulatorTransport()
    with httpx.Client(transport=transport) as http, Client("offline", http=http, audit="raise") as client:
        model = client.models()[0]["id"]
        offered = client.endpoints(model)
        preset = Compiler(Workspace(Memory({"presets/see.yaml": f"model: {model}\n"}))).compile("see")
        reply = client.chat(preset, "Hello")
        record = client.generation(reply.id)
        assert (record.cost, record.provider) == (reply.usage.cost, reply.provider)
        assert client.ledger.spent == reply.usage.cost > 0
        assert reply.provider in {row["provider_name"] for row in offered}
        assert reply.provider in {row["name"] for row in client.providers()}
        assert client.zdr_endpoints()
        assert client.key().used is not None
        assert client.credits().total >= 0
