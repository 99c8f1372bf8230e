"""Simulated completions: who serves, what it says, what it costs, what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from attrs import evolve

from orpolicy.emulator.transport import EmulatorTransport
from orpolicy.routing.snapshot import demonstration

if TYPE_CHECKING:
    from collections.abc import Callable


def chat(client: httpx.Client, body: dict[str, Any], **headers: str) -> httpx.Response:
    return client.post("/chat/completions", json=body, headers=headers)


def events(client: httpx.Client, body: dict[str, Any], **headers: str) -> list[Any]:
    """Return the parsed events of a stream, without comments and ``[DONE]``."""
    text = chat(client, body | {"stream": True}, **headers).text
    lines = [line for line in text.split("\n") if line]
    assert lines[0] == ": OPENROUTER PROCESSING"
    assert lines[-1] == "data: [DONE]"
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(line, parse_float=Decimal) for line in data[:-1]]


def test_a_completion_says_that_it_is_simulated_and_who_would_have_answered(
    client: httpx.Client, ask: Any
) -> None:
    reply = chat(client, ask(provider={"only": ["openai"]}))
    body = reply.json()
    assert reply.status_code == 200
    assert body["choices"][0]["message"]["content"] == (
        "[simulated] openai/gpt-4o-mini at OpenAI (openai) would have answered."
    )
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (body["model"], body["provider"]) == ("openai/gpt-4o-mini", "OpenAI")
    assert reply.headers["x-generation-id"] == body["id"]


def test_the_bill_is_exact_to_the_last_digit(client: httpx.Client, ask: Any) -> None:
    text = chat(client, ask(provider={"only": ["openai"]})).text
    usage = json.loads(text, parse_float=Decimal)["usage"]
    prices = next(
        e for e in demonstration().endpoints if e.model == "openai/gpt-4o-mini" and e.tag == "openai"
    ).prices
    cost = usage["prompt_tokens"] * prices.prompt + usage["completion_tokens"] * prices.completion
    assert usage["cost"] == cost
    assert f'"cost":{format(cost.normalize(), "f")}' in text
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_stream_carries_the_same_text_and_the_same_bill(ask: Any) -> None:
    def fresh() -> httpx.Client:
        return httpx.Client(transport=EmulatorTransport(), base_url="https://openrouter.ai/api/v1")

    with fresh() as one, fresh() as other:
        whole = json.loads(chat(one, ask()).text, parse_float=Decimal)
        parts = events(other, ask())
    assert (
        "".join(e["choices"][0]["delta"]["content"] for e in parts if e["choices"])
        == (whole["choices"][0]["message"]["content"])
    )
    assert parts[-1]["usage"] == whole["usage"]
    assert parts[-1]["choices"] == []
    assert [e["choices"][0]["finish_reason"] for e in parts if e["choices"]][-1] == "stop"
    assert len({e["id"] for e in parts}) == 1


def test_the_same_requests_get_the_same_answers_and_every_request_its_own_id(ask: Any) -> None:
    def run() -> list[str]:
        with httpx.Client(transport=EmulatorTransport(), base_url="https://openrouter.ai/api/v1") as client:
            return [chat(client, ask()).text for _ in range(3)]

    assert run() == run()
    assert len({json.loads(text)["id"] for text in run()}) == 3


def test_an_alias_answers_with_the_concrete_model(client: httpx.Client, ask: Any) -> None:
    assert (
        chat(client, ask(model="~anthropic/claude-haiku-latest")).json()["model"]
        == "anthropic/claude-haiku-4.5"
    )


@pytest.mark.parametrize("model", ["openrouter/auto", None])
def test_a_router_or_no_model_is_served_by_the_cheapest_that_may(
    client: httpx.Client, ask: Any, model: Any
) -> None:
    body = chat(client, ask(model=model, provider={"only": ["anthropic"]})).json()
    assert (body["model"], body["provider"]) == ("anthropic/claude-haiku-4.5", "Anthropic")


def test_what_nobody_knows_offline_is_taken_as_allowed_and_said(client: httpx.Client, ask: Any) -> None:
    text = chat(client, ask(provider={"data_collection": "deny"})).json()["choices"][0]["message"]["content"]
    assert "(assuming data_policy:training)" in text


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens"])
def test_a_completion_keeps_to_its_limit(client: httpx.Client, ask: Any, key: str) -> None:
    body = chat(client, ask(**{key: 3})).json()
    assert body["usage"]["completion_tokens"] == 3
    assert body["choices"][0]["finish_reason"] == "length"
    assert len(body["choices"][0]["message"]["content"]) == 12


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "look_up"}}])
def test_a_forced_function_is_called_with_arguments_of_its_schema(
    client: httpx.Client, ask: Any, choice: Any
) -> None:
    schema = {"type": "object", "properties": {"id": {"type": "integer", "minimum": 7}}, "required": ["id"]}
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": schema}}]
    body = ask(tools=tools, tool_choice=choice)
    answer = chat(client, body).json()["choices"][0]
    assert answer["finish_reason"] == "tool_calls"
    call = answer["message"]["tool_calls"][0]
    assert call["function"] == {"name": "look_up", "arguments": '{"id":7}'}
    pieces = [
        d
        for e in events(client, body)
        if e["choices"]
        for d in e["choices"][0]["delta"].get("tool_calls", ())
    ]
    assert "".join(piece["function"].get("arguments", "") for piece in pieces) == '{"id":7}'
    assert {piece["index"] for piece in pieces} == {0}


@pytest.mark.parametrize(
    "choice", ["auto", "none", {"type": "function", "function": {"name": "other"}}, None]
)
def test_a_function_that_is_not_forced_is_not_called(client: httpx.Client, ask: Any, choice: Any) -> None:
    tools = [{"type": "function", "function": {"name": "look_up"}}]
    answer = chat(client, ask(tools=tools, tool_choice=choice)).json()["choices"][0]
    assert "tool_calls" not in answer["message"]


def test_structured_output_is_an_instance_of_its_schema(client: httpx.Client, ask: Any) -> None:
    schema = {"type": "object", "properties": {"urgent": {"type": "boolean"}}, "required": ["urgent"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "ticket", "schema": schema}}
    content = chat(client, ask(response_format=wanted)).json()["choices"][0]["message"]["content"]
    assert json.loads(content) == {"urgent": False}


def test_json_mode_answers_with_json(client: httpx.Client, ask: Any) -> None:
    content = chat(client, ask(response_format={"type": "json_object"})).json()["choices"][0]["message"][
        "content"
    ]
    assert json.loads(content) == {"simulated": True}


@pytest.mark.parametrize("name", ["X-OpenRouter-Metadata", "X-OpenRouter-Experimental-Metadata"])
def test_metadata_comes_when_it_is_asked_for(client: httpx.Client, ask: Any, name: str) -> None:
    found = chat(client, ask(model="openai/gpt-4o-mini"), **{name: "Enabled"}).json()["openrouter_metadata"]
    assert found["requested"] == "openai/gpt-4o-mini"
    assert (found["strategy"], found["attempt"], found["is_byok"]) == ("direct", 1, False)
    assert [entry["selected"] for entry in found["endpoints"]["available"]] == [True, False]
    assert found["endpoints"]["total"] == 2
    assert events(client, ask(), **{name: "enabled"})[-1]["openrouter_metadata"]["attempt"] == 1


@pytest.mark.parametrize("value", ["", "yes", "disabled", "true"])
def test_metadata_does_not_come_otherwise(client: httpx.Client, ask: Any, value: str) -> None:
    assert "openrouter_metadata" not in chat(client, ask(), **{"X-OpenRouter-Metadata": value}).json()


@pytest.mark.parametrize(
    ("model", "strategy"),
    [
        ("~anthropic/claude-haiku-latest", "latest"),
        ("openrouter/auto", "auto"),
        ("openai/gpt-4o-mini:nitro", "direct"),
        ("anthropic/claude-4.5-haiku-20251001", "alias"),
    ],
)
def test_metadata_names_the_strategy(client: httpx.Client, ask: Any, model: str, strategy: str) -> None:
    reply = chat(client, ask(model=model), **{"X-OpenRouter-Metadata": "enabled"})
    assert reply.json()["openrouter_metadata"]["strategy"] == strategy


def test_a_service_tier_is_reported(client: httpx.Client, ask: Any) -> None:
    body = chat(client, ask(model="openai/gpt-5-mini", service_tier="flex")).json()
    assert body["service_tier"] == "flex"
    assert chat(client, ask()).json()["service_tier"] == "default"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"model": "openai/gpt-none"}, 400, "model_not_found"),
        ({"provider": {"ignore": ["openai", "azure"]}}, 404, "no_endpoints"),
        ({"provider": {"only": ["openai"], "zdr": True}}, 404, "privacy_restricted"),
        ({"provider": {"max_price": {"prompt": "0.01"}}}, 404, "constraint_filtered"),
        ({"max_tokens": 10**6}, 404, "constraint_filtered"),
    ],
)
def test_what_openrouter_refuses_is_refused_in_its_shape(
    client: httpx.Client, ask: Any, fields: dict[str, Any], status: int, code: str
) -> None:
    reply = chat(client, ask(**fields), **{"X-OpenRouter-Metadata": "enabled"})
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (status, status)
    assert error["availability"]["code"] == code
    assert error["availability"]["retryable"] is False
    assert error["availability"]["requested_models"] == [fields.get("model", "openai/gpt-4o-mini")]
    assert error["availability"]["docs_url"].endswith(f"#{code}")
    assert error["metadata"]["error_type"] == {400: "invalid_request", 404: "not_found"}[status]
    assert reply.json()["openrouter_metadata"]["attempt"] == 0
    assert "" not in error["availability"].values()


def test_a_hosted_preset_is_not_found(client: httpx.Client, ask: Any) -> None:
    reply = chat(client, ask(model="@preset/triage"))
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == "Preset not found: triage"


def test_a_free_variant_that_ended_names_the_paid_one(client: httpx.Client, ask: Any) -> None:
    with httpx.Client(
        transport=EmulatorTransport(evolve(demonstration(), complete=True)), base_url=str(client.base_url)
    ) as complete:
        found = chat(complete, ask(model="openai/gpt-4o-mini:free")).json()["error"]["availability"]
    assert (found["code"], found["fallback_models"]) == ("free_variant_ended", ["openai/gpt-4o-mini"])


def test_a_refusal_names_the_filters_and_the_constraint(client: httpx.Client, ask: Any) -> None:
    found = chat(client, ask(provider={"max_price": {"prompt": "0.01"}})).json()["error"]["availability"]
    assert found["excluded_by"] == ["max_price"]
    assert found["constraint"] == {"field": "max_price", "detail": "max_price removed every endpoint"}
    assert set(found["affected_providers"]) == {"azure", "openai"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot"}]}, "role"),
        ({"model": 3}, "model"),
        ({"models": ["a/a", "b/b", "c/c", "d/d"]}, "at most 3"),
        ({"provider": {"sortt": "price"}}, "'sortt'"),
        ({"provider": "openai"}, "provider must be an object"),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "high"}, "may not differ"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "at most 4"),
        ({"metadata": {str(n): "" for n in range(17)}}, "at most 16"),
        ({"top_logprobs": 3}, "logprobs"),
        ({"provider": {"max_price": {"prompt": "cheap"}}}, "max_price"),
    ],
)
def test_malformed_bodies_are_refused(
    client: httpx.Client, ask: Any, fields: dict[str, Any], words: str
) -> None:
    reply = chat(client, ask(**fields))
    assert reply.status_code == 400
    assert words in reply.json()["error"]["message"]
    assert reply.json()["error"]["metadata"] == {"error_type": "invalid_request"}


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b""])
def test_a_body_that_is_no_object_is_refused(client: httpx.Client, content: bytes) -> None:
    assert client.post("/chat/completions", content=content).status_code == 400


def test_a_key_can_be_required(connect: Callable[..., httpx.Client], ask: Any) -> None:
    client = connect(key="sk-or-test")
    assert chat(client, ask()).status_code == 401
    assert (
        chat(client, ask(), Authorization="Bearer wrong").json()["error"]["metadata"]["error_type"]
        == "authentication"
    )
    assert chat(client, ask(), Authorization="Bearer sk-or-test").status_code == 200


def test_a_regional_host_is_reported() -> None:
    with httpx.Client(transport=EmulatorTransport(), base_url="https://eu.openrouter.ai/api/v1") as client:
        body = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}
        reply = chat(client, body, **{"X-OpenRouter-Metadata": "enabled"}).json()
        assert reply["openrouter_metadata"]["region"] == "eu"
        assert client.get("/generation", params={"id": reply["id"]}).json()["data"]["data_region"] == "europe"
