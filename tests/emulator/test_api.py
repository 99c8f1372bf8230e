"""The rest of the API: the catalogue as OpenRouter states it, and what was answered so far."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import jsonschema
import pytest

from orpolicy.emulator.transport import EmulatorTransport
from orpolicy.emulator.wire import write_json
from orpolicy.routing.answers import assemble
from orpolicy.routing.snapshot import demonstration


def check(instance: Any, name: str, specification: dict[str, Any]) -> None:
    """Validate against a component of OpenRouter's OpenAPI document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": specification["components"]}
    jsonschema.Draft202012Validator(schema).validate(instance)


def test_answers_validate_against_the_specification(
    client: httpx.Client, ask: Any, specification: dict[str, Any]
) -> None:
    headers = {"X-OpenRouter-Metadata": "enabled"}
    plain = client.post("/chat/completions", json=ask(), headers=headers)
    check(plain.json(), "ChatResult", specification)
    tools = [{"type": "function", "function": {"name": "f"}}]
    check(
        client.post("/chat/completions", json=ask(tools=tools, tool_choice="required")).json(),
        "ChatResult",
        specification,
    )
    for fields in ({}, {"tools": tools, "tool_choice": "required"}):
        text = client.post("/chat/completions", json=ask(stream=True, **fields), headers=headers).text
        for line in text.split("\n"):
            if line.startswith("data: {"):
                check(json.loads(line[6:]), "ChatStreamChunk", specification)
    check(client.get("/models").json(), "ModelsListResponse", specification)
    for model in demonstration().models:
        listed = client.get(f"/models/{model.id}/endpoints").json()["data"]
        check(listed, "ListEndpointsResponse", specification)
    for row in client.get("/endpoints/zdr").json()["data"]:
        check(row, "PublicEndpoint", specification)
    check(
        client.get("/generation", params={"id": plain.json()["id"]}).json(),
        "GenerationResponse",
        specification,
    )
    not_found = client.post(
        "/chat/completions", json=ask(provider={"only": ["nobody"]}), headers=headers
    ).json()
    check(not_found, "NotFoundResponse", specification)


@pytest.mark.parametrize(
    ("path", "name"), [("/key", "/key"), ("/credits", "/credits"), ("/providers", "/providers")]
)
def test_small_answers_validate_against_the_specification(
    client: httpx.Client, specification: dict[str, Any], path: str, name: str
) -> None:
    content = specification["paths"][name]["get"]["responses"]["200"]["content"]["application/json"]
    schema = {**content["schema"], "components": specification["components"]}
    jsonschema.Draft202012Validator(schema).validate(client.get(path).json())


def test_a_catalogue_pulled_from_the_emulator_is_the_catalogue_it_is_made_of(client: httpx.Client) -> None:
    def get(path: str) -> Any:
        return json.loads(client.get(path).text, parse_float=Decimal)

    demo = demonstration()
    endpoints = {model.id: get(f"/models/{model.id}/endpoints") for model in demo.models}
    pulled = assemble(get("/models"), get("/providers"), get("/endpoints/zdr"), endpoints)
    assert {e.tag for e in pulled.endpoints if e.zdr} == {e.tag for e in demo.endpoints if e.zdr}
    for mine, theirs in zip(demo.endpoints, pulled.endpoints, strict=True):
        assert (mine.tag, mine.prices, mine.parameters) == (theirs.tag, theirs.prices, theirs.parameters)
    assert [model.alias_of for model in pulled.models] == [model.alias_of for model in demo.models]


def test_the_bill_adds_up(client: httpx.Client, ask: Any) -> None:
    replies = [
        json.loads(client.post("/chat/completions", json=ask()).text, parse_float=Decimal) for _ in range(3)
    ]
    spent = sum(reply["usage"]["cost"] for reply in replies)
    used = json.loads(client.get("/credits").text, parse_float=Decimal)["data"]["total_usage"]
    key = json.loads(client.get("/key").text, parse_float=Decimal)["data"]
    assert used == spent == key["usage"]
    assert key["limit"] - key["limit_remaining"] == spent


def test_a_generation_is_remembered(client: httpx.Client, ask: Any) -> None:
    reply = client.post("/chat/completions", json=ask(stream=True))
    record = client.get("/generation", params={"id": reply.headers["x-generation-id"]}).json()["data"]
    assert record["model"] == "openai/gpt-4o-mini"
    assert record["streamed"] is True
    assert client.get("/generation", params={"id": "gen-none"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/models/count", 200),
        ("GET", "/model/openai/gpt-4o-mini", 200),
        ("GET", "/models/openai/gpt-4o-mini/endpoints", 200),
        ("GET", "/models/~anthropic/claude-haiku-latest/endpoints", 200),
        ("GET", "/models/openai/none/endpoints", 404),
        ("GET", "/models/openai/gpt-4o-mini", 404),
        ("GET", "/nothing", 404),
        ("POST", "/models", 405),
        ("GET", "/chat/completions", 405),
    ],
)
def test_paths_and_methods(client: httpx.Client, method: str, path: str, status: int) -> None:
    assert client.request(method, path).status_code == status


def test_decimals_are_written_with_exactly_their_digits() -> None:
    value = {
        "a": [Decimal("0.00000001234"), Decimal("1E-8"), Decimal(3)],
        "b": "x\u2028\n",
        "c": None,
        "d": True,
        "e": 1.5,
    }
    text = write_json(value)
    assert text == '{"a":[0.00000001234,0.00000001,3],"b":"x\u2028\\n","c":null,"d":true,"e":1.5}'
    assert json.loads(text, parse_float=Decimal)["a"][0] == Decimal("0.00000001234")


def test_threads_may_share_a_transport(ask: Any) -> None:
    with (
        httpx.Client(transport=EmulatorTransport(), base_url="https://openrouter.ai/api/v1") as client,
        ThreadPoolExecutor(8) as pool,
    ):
        ids = set(pool.map(lambda _: client.post("/chat/completions", json=ask()).json()["id"], range(64)))
        used = client.get("/credits").json()["data"]["total_usage"]
        one = client.post("/chat/completions", json=ask()).json()["usage"]["cost"]
    assert len(ids) == 64
    assert used == pytest.approx(64 * one)


def test_tasks_may_share_a_transport(ask: Any) -> None:
    async def run() -> set[str]:
        async with httpx.AsyncClient(
            transport=EmulatorTransport(), base_url="https://openrouter.ai/api/v1"
        ) as client:
            replies = await asyncio.gather(*(client.post("/chat/completions", json=ask()) for _ in range(32)))
            return {reply.json()["id"] for reply in replies}

    assert len(asyncio.run(run())) == 32


def test_importing_the_emulator_loads_no_validator() -> None:
    program = "import sys, orpolicy.emulator.transport; print(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert [name for name in ("jsonschema", "jsonschema_rs", "cattrs") if f"'{name}'" in loaded] == []
