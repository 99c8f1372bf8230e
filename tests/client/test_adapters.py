"""Other SDKs' arguments, proved by the bytes that the real SDKs put on the wire."""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from typing import Any

import httpx
import openai
import openrouter
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.client import rehearsal
from orpolicy.client.adapters import AdapterError, for_openai, for_openrouter
from orpolicy.client.rehearsal import differences
from orpolicy.errors import OrpolicyError, UsageError

MESSAGES = [{"role": "user", "content": "Hello there"}]
REPLY = {
    "id": "gen-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "system_fingerprint": None,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi."}}],
}


class Wire:
    """A transport for any flavour of httpx that keeps what arrives and answers with a completion."""

    def __init__(self, flavour: Any) -> None:
        self.flavour = flavour
        self.seen: list[Any] = []

    def handle_request(self, request: Any) -> Any:
        self.seen.append(request)
        return self.flavour.Response(200, json=REPLY)

    async def handle_async_request(self, request: Any) -> Any:
        return self.handle_request(request)

    def close(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.seen[-1].content)


OPENAI_FLAVOUR = sys.modules[openai.DefaultHttpxClient.__mro__[1].__module__.split(".")[0]]


@pytest.fixture(scope="module")
def openai_wire():
    wire = Wire(OPENAI_FLAVOUR)
    http = openai.DefaultHttpxClient(transport=wire)
    client = openai.OpenAI(api_key="sk-1", base_url="https://openrouter.ai/api/v1", http_client=http)
    return client.chat.completions.create, wire


@pytest.fixture(scope="module")
def openrouter_wire():
    wire = Wire(httpx)
    return openrouter.OpenRouter(api_key="sk-1", client=httpx.Client(transport=wire)).chat.send, wire


def configurations(shared: Any) -> list[tuple[str, dict[str, Any], list[str]]]:
    """Read the documented configurations as bodies, with the fields that the official SDK is known to lose."""
    found = []
    for line in (shared / "cases/presets.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        body = case["config"]
        ceilings = body.get("provider", {}).get("max_price", {})
        ceilings.update({key: str(value) for key, value in ceilings.items()})
        found.append((case["id"], body, case.get("sdk_1_3_84_lost", [])))
    assert len(found) == 77
    return found


def without_call(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in {"messages", "stream"}}


def test_openai_carries_every_documented_configuration(shared, stub, openai_wire) -> None:
    create, wire = openai_wire
    for name, body, _ in configurations(shared):
        create(**for_openai(stub(body)), messages=MESSAGES)
        assert without_call(wire.body) == body, name
        assert wire.body["messages"] == MESSAGES


def test_openrouter_carries_what_it_knows_and_names_the_rest(shared, stub, openrouter_wire) -> None:
    send, wire = openrouter_wire
    for name, body, lost in configurations(shared):
        incomplete = body.get("response_format") == {"type": "json_schema"}
        if lost or incomplete:
            with pytest.raises(AdapterError) as caught:
                for_openrouter(stub(body))
            pointers = (
                ["/response_format"] if incomplete else ["/" + field.replace(".", "/") for field in lost]
            )
            assert sorted(caught.value.pointers) == sorted(pointers), name
            assert all(pointer in str(caught.value) for pointer in pointers)
        else:
            send(**for_openrouter(stub(body)), messages=MESSAGES)
            assert without_call(wire.body) == body, name
            assert wire.body["messages"] == MESSAGES


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"provider": {"max_price": {"prompt": 1}, "zdr": True}}, ["/provider"]),
        ({"provider": {"data_collection": "denied", "zdr": True}}, ["/provider/data_collection"]),
        ({"provider": {"quantizations": ["fp9", "fp8"]}}, ["/provider/quantizations"]),
        ({"provider": {"allow_fallback": False, "order": ["x/y~z"]}}, ["/provider/allow_fallback"]),
        ({"provider": {"sort": "speed"}, "service_tier": "turbo"}, ["/provider/sort", "/service_tier"]),
        (
            {"tools": [{"type": "openrouter:advisor", "parameters": {"name": "a", "max_tool_calls": 3}}]},
            ["/tools/0/parameters/max_tool_calls"],
        ),
        ({"plugins": [{"id": "nope"}]}, ["/plugins"]),
        ({"max_tool_calls": 3, "verbosity": "low", "seed": 1}, ["/max_tool_calls", "/verbosity"]),
        ({"plugins": [{"id": "nope"}], "preset": "x"}, ["/preset", "/plugins"]),
    ],
)
def test_what_the_official_sdk_loses_is_named_field_by_field(stub, body, pointers) -> None:
    with pytest.raises(AdapterError) as caught:
        for_openrouter(stub({"model": "openai/gpt-5", **body}))
    assert list(caught.value.pointers) == pointers
    assert caught.value.sdk == "openrouter"


WORDS = st.sampled_from(["deny", "allow", "price", "fp8", "speed", "anthropic", "low", "1", "0.5"])
LEAVES = st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0]) | WORDS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "by",
                    "sort",
                    "order",
                    "zdr",
                    "max_price",
                    "prompt",
                    "effort",
                    "max_tokens",
                    "type",
                    "id",
                    "quantizations",
                    "data_collection",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
BODIES = st.dictionaries(
    st.sampled_from(
        [
            "provider",
            "reasoning",
            "models",
            "plugins",
            "tools",
            "temperature",
            "top_k",
            "stop",
            "service_tier",
            "verbosity",
            "metadata",
            "trace",
            "seed",
            "route",
        ]
    ),
    VALUES,
    max_size=4,
)


@settings(max_examples=30)
@given(body=BODIES)
def test_a_body_arrives_unchanged_or_its_losses_are_named(stub, body, openrouter_wire) -> None:
    send, wire = openrouter_wire
    lost: tuple[str, ...] = ()
    try:
        send(**for_openrouter(stub(body)), messages=MESSAGES)
    except AdapterError as exc:
        lost = exc.pointers
    assert {pointer.split("/")[1] for pointer in lost} <= set(body)
    assert lost or list(differences(body, without_call(wire.body))) == []


@settings(max_examples=30)
@given(body=BODIES)
def test_openai_carries_any_body(stub, body, openai_wire) -> None:
    create, wire = openai_wire
    create(**for_openai(stub(body)), messages=MESSAGES)
    assert list(differences(body, without_call(wire.body))) == []


@given(meant=VALUES, arrived=VALUES)
def test_values_without_differences_are_equal(meant, arrived) -> None:
    found = list(differences(meant, arrived))
    if json.dumps(meant, sort_keys=True) == json.dumps(arrived, sort_keys=True):
        assert found == []
    if not found:
        assert meant == arrived


@pytest.mark.parametrize(
    ("meant", "arrived", "found"),
    [
        ({"a": {"b": 1}}, {"a": {}}, [(("a", "b"), "is dropped")]),
        ({}, {"a": 1}, [(("a",), "is added")]),
        ([1, 2], [1], [((), "is changed")]),
        ([1, 2], [1, 3], [((1,), "is changed")]),
        (1, 1.0, []),
        (1, True, [((), "is changed")]),
        ("1", 1, [((), "is changed")]),
    ],
)
def test_differences_say_where_and_what(meant, arrived, found) -> None:
    assert list(differences(meant, arrived)) == found


HEADERS = {
    "HTTP-Referer": "https://example.com",
    "X-OpenRouter-Title": "Support",
    "X-OpenRouter-Cache": "true",
    "x-anthropic-beta": "b-1",
}


def test_headers_arrive_too(stub, openai_wire, openrouter_wire) -> None:
    compiled = stub(headers=HEADERS)
    for (call, wire), arguments in (
        (openai_wire, for_openai(compiled)),
        (openrouter_wire, for_openrouter(compiled)),
    ):
        call(**arguments, messages=MESSAGES)
        assert {name: wire.seen[-1].headers.get(name) for name in HEADERS} == HEADERS


def test_openrouter_fields_stand_in_the_extra_body_and_openai_s_do_not(stub) -> None:
    arguments = for_openai(
        stub({"model": "m/m", "temperature": 0.5, "provider": {"zdr": True}, "models": ["a/a"]})
    )
    assert arguments == {
        "model": "m/m",
        "temperature": 0.5,
        "extra_body": {"provider": {"zdr": True}, "models": ["a/a"]},
    }


def test_the_async_clients_carry_the_same(stub) -> None:
    compiled = stub(
        {"models": ["a/a", "b/b"], "provider": {"order": ["azure"], "max_price": {"prompt": "1"}}}, HEADERS
    )

    async def run() -> None:
        wire = Wire(OPENAI_FLAVOUR)
        http = openai.DefaultAsyncHttpxClient(transport=wire)
        client = openai.AsyncOpenAI(api_key="sk-1", base_url="https://openrouter.ai/api/v1", http_client=http)
        await client.chat.completions.create(**for_openai(compiled), messages=MESSAGES)
        assert without_call(wire.body) == compiled.body
        wire = Wire(httpx)
        client = openrouter.OpenRouter(api_key="sk-1", async_client=httpx.AsyncClient(transport=wire))
        await client.chat.send_async(**for_openrouter(compiled), messages=MESSAGES)
        assert without_call(wire.body) == compiled.body

    asyncio.run(run())


def test_a_region_chooses_the_address(stub, openrouter_wire) -> None:
    eu = "https://eu.openrouter.ai/api/v1"
    send, wire = openrouter_wire
    send(**for_openrouter(stub(base_url=eu)), messages=MESSAGES)
    assert str(wire.seen[-1].url) == f"{eu}/chat/completions"
    assert "server_url" not in for_openrouter(stub())
    for other in (None, "https://openrouter.ai/api/v1", "https://us.openrouter.ai/api/v1"):
        with pytest.raises(AdapterError, match="needs a client made with https://eu") as caught:
            for_openai(stub(base_url=eu), base_url=other)
        assert caught.value.pointers == ("/region",)
    client = openai.OpenAI(api_key="sk-1", base_url=eu)
    assert for_openai(stub(base_url=eu), base_url=client.base_url)["model"] == "openai/gpt-5-mini"


@pytest.mark.parametrize("adapt", [for_openai, for_openrouter])
def test_what_belongs_to_whole_requests_is_not_left_behind(stub, adapt) -> None:
    compiled = stub(system="Be brief.", max_cost=Decimal("0.5"))
    with pytest.raises(AdapterError) as caught:
        adapt(compiled)
    assert caught.value.pointers == ("/system", "/max_cost")
    assert "Be brief." not in str(caught.value)


@pytest.mark.parametrize("adapt", [for_openai, for_openrouter])
def test_with_messages_the_arguments_are_complete(stub, adapt, openai_wire, openrouter_wire) -> None:
    compiled = stub(system="Be brief.", max_cost=Decimal("0.5"))
    call, wire = openai_wire if adapt is for_openai else openrouter_wire
    call(**adapt(compiled, "Hello there", temperature=0.9))
    assert wire.body["messages"] == [{"role": "system", "content": "Be brief."}, *MESSAGES]
    assert without_call(wire.body) == {"model": "openai/gpt-5-mini", "temperature": 0.9}


@pytest.mark.parametrize("adapt", [for_openai, for_openrouter])
def test_overrides_without_messages_are_refused(stub, adapt) -> None:
    with pytest.raises(UsageError, match="give both"):
        adapt(stub(), temperature=0.9)


def test_messages_that_the_sdk_changes_are_named_without_repeating_them(stub) -> None:
    messages = [{"role": "user", "content": "4111 1111", "shoe_size": 46}]
    with pytest.raises(AdapterError) as caught:
        for_openrouter(stub(), messages)
    assert caught.value.pointers == ("/messages/0/shoe_size",)
    with pytest.raises(AdapterError) as caught:
        for_openrouter(stub(), [{"role": "nobody", "content": "4111 1111"}])
    assert caught.value.pointers == ("/messages",)
    assert "4111" not in str(caught.value)


@pytest.mark.parametrize("adapt", [for_openai, for_openrouter])
def test_the_arguments_are_the_caller_s_to_change(stub, adapt) -> None:
    compiled = stub(
        {"model": "m/m", "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}
    )
    adapt(compiled)["tools"].append("mine")
    assert len(compiled.body["tools"]) == 1
    assert len(adapt(compiled)["tools"]) == 1


def test_a_decimal_becomes_a_number(stub) -> None:
    assert for_openai(stub({"model": "m/m", "temperature": Decimal("0.7")}))["temperature"] == 0.7


@pytest.mark.parametrize(("adapt", "package"), [(for_openai, "openai"), (for_openrouter, "openrouter")])
def test_a_missing_sdk_is_said(stub, adapt, package, monkeypatch) -> None:
    rehearsal.openai_stage.cache_clear()
    rehearsal.openrouter_stage.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=f"needs the {package} package, which is not installed"):
        adapt(stub())


def test_a_header_or_a_region_that_an_sdk_loses_is_named() -> None:
    send = rehearsal.openrouter_stage().call
    stage = rehearsal.Stage("careless", frozenset({"model"}), lambda body, _headers, _url: body, send)
    found = rehearsal.rehearse(stage, {"model": "m"}, {"X-A": "1"}, "https://eu.openrouter.ai/api/v1")
    assert list(found) == [("header X-A", "does not arrive"), ("/region", "does not arrive")]


def test_an_sdk_that_ignores_its_transport_is_said() -> None:
    stage = rehearsal.Stage("odd", None, lambda body, _headers, _url: body, lambda **_: None)
    with pytest.raises(OrpolicyError, match="odd SDK sends nothing"):
        list(rehearsal.rehearse(stage, {}, {}, ""))
