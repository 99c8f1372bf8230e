"""Real clients, unmodified, against the emulator on a socket."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from orpolicy.emulator.faults import Fault
from orpolicy.emulator.local import Emulator
from orpolicy.emulator.presets import KINDS
from orpolicy.emulator.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

openai = pytest.importorskip("openai")
openrouter = pytest.importorskip("openrouter")
pydantic = pytest.importorskip("pydantic")

MODEL = "openai/gpt-4o-mini"
MESSAGES: Any = [{"role": "user", "content": "Hello"}]
FUNCTION: Any = {
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        "required": ["city", "days"],
    },
}
TOOLS: Any = [{"type": "function", "function": FUNCTION}]
ARGUMENTS = {"city": "[simulated]", "days": 1}
FORMAT: Any = {
    "type": "json_schema",
    "json_schema": {"name": "weather", "strict": True, "schema": FUNCTION["parameters"]},
}
NAPS = 1
"""Seconds that a server asks to wait: the least that ``Retry-After`` can say."""

STATUSES = {
    400: ("BadRequestError", "BadRequestResponseError"),
    401: ("AuthenticationError", "UnauthorizedResponseError"),
    402: ("APIStatusError", "PaymentRequiredResponseError"),
    403: ("PermissionDeniedError", "ForbiddenResponseError"),
    404: ("NotFoundError", "NotFoundResponseError"),
    408: ("APIStatusError", "RequestTimeoutResponseError"),
    413: ("APIStatusError", "PayloadTooLargeResponseError"),
    422: ("UnprocessableEntityError", "UnprocessableEntityResponseError"),
    429: ("RateLimitError", "TooManyRequestsResponseError"),
    500: ("InternalServerError", "InternalServerResponseError"),
    502: ("InternalServerError", "BadGatewayResponseError"),
    503: ("InternalServerError", "ServiceUnavailableResponseError"),
    524: ("InternalServerError", "EdgeNetworkTimeoutResponseError"),
    529: ("InternalServerError", "ProviderOverloadedResponseError"),
}
"""Status → what the ``openai`` SDK raises, what the ``openrouter`` SDK raises."""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """One server for all; each test scripts its own faults."""
    with Server() as server:
        yield server


@pytest.fixture(autouse=True)
def server(running: Server) -> Server:
    running.emulator.script()
    return running


@pytest.fixture(scope="module")
def one(running: Server) -> Iterator[Any]:
    with openai.OpenAI(api_key="none", base_url=running.url, max_retries=0, timeout=10) as found:
        yield found


@pytest.fixture(scope="module")
def other(running: Server) -> Iterator[Any]:
    patience = openrouter.utils.RetryConfig("none", openrouter.utils.BackoffStrategy(1, 1, 1, 1), False)
    with openrouter.OpenRouter(
        api_key="none", server_url=running.url, retry_config=patience, timeout_ms=10_000
    ) as found:
        yield found


def is_idle(server: Server, within: float = 3.0) -> bool:
    """Tell whether no answer is on its way any more, after a moment."""
    end = time.monotonic() + within
    while server.open_answers and time.monotonic() < end:
        time.sleep(0.01)
    return not server.open_answers


def text_of(chunks: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


# chat, streams, tools, structured output


def test_openai_chats_and_streams(one: Any) -> None:
    reply = one.chat.completions.create(model=MODEL, messages=MESSAGES)
    assert reply.choices[0].message.content.startswith("[simulated]")
    chunks = list(one.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True))
    assert text_of(chunks) == reply.choices[0].message.content
    assert chunks[-1].usage == reply.usage


def test_openai_chats_and_streams_async(server: Server) -> None:
    async def run() -> tuple[Any, list[Any]]:
        async with openai.AsyncOpenAI(api_key="none", base_url=server.url, timeout=10) as client:
            reply = await client.chat.completions.create(model=MODEL, messages=MESSAGES)
            stream = await client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
            return reply, [chunk async for chunk in stream]

    reply, chunks = asyncio.run(run())
    assert text_of(chunks) == reply.choices[0].message.content


def test_openrouter_chats_and_streams(other: Any) -> None:
    reply = other.chat.send(model=MODEL, messages=MESSAGES)
    assert reply.choices[0].message.content.startswith("[simulated]")
    with other.chat.send(model=MODEL, messages=MESSAGES, stream=True) as stream:
        chunks = list(stream)
    assert text_of(chunks) == reply.choices[0].message.content
    assert chunks[-1].usage.cost == reply.usage.cost > 0


def test_openrouter_chats_and_streams_async(server: Server) -> None:
    async def run() -> tuple[Any, list[Any]]:
        async with openrouter.OpenRouter(api_key="none", server_url=server.url) as client:
            reply = await client.chat.send_async(model=MODEL, messages=MESSAGES)
            async with await client.chat.send_async(model=MODEL, messages=MESSAGES, stream=True) as stream:
                return reply, [chunk async for chunk in stream]

    reply, chunks = asyncio.run(run())
    assert text_of(chunks) == reply.choices[0].message.content


def test_openai_calls_tools(one: Any) -> None:
    fields: Any = {"model": MODEL, "messages": MESSAGES, "tools": TOOLS, "tool_choice": "required"}
    (call,) = one.chat.completions.create(**fields).choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", ARGUMENTS)
    chunks = [c for c in one.chat.completions.create(**fields, stream=True) if c.choices]
    calls = [call for c in chunks for call in c.choices[0].delta.tool_calls or ()]
    assert json.loads("".join(call.function.arguments for call in calls)) == ARGUMENTS


def test_openrouter_calls_tools(other: Any) -> None:
    reply = other.chat.send(model=MODEL, messages=MESSAGES, tools=TOOLS, tool_choice="required")
    (call,) = reply.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == ARGUMENTS
    said = [
        *MESSAGES,
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": "weather", "arguments": call.function.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    assert other.chat.send(model=MODEL, messages=said, tools=TOOLS).choices[0].message.content


def test_openai_gets_structured_output(one: Any) -> None:
    class Weather(pydantic.BaseModel):
        city: str
        days: int

    reply = one.chat.completions.parse(model=MODEL, messages=MESSAGES, response_format=Weather)
    assert isinstance(reply.choices[0].message.parsed, Weather)


def test_openrouter_gets_structured_output(other: Any) -> None:
    reply = other.chat.send(model=MODEL, messages=MESSAGES, response_format=FORMAT)
    assert json.loads(reply.choices[0].message.content) == ARGUMENTS


# models, presets


def test_openai_lists_models(one: Any) -> None:
    assert MODEL in {model.id for model in one.models.list()}


@pytest.mark.filterwarnings(
    "ignore:warning. .. DEPRECATED:DeprecationWarning"
)  # the SDK warns about its own model
def test_openrouter_reads_the_catalogue_and_the_account(other: Any) -> None:
    reply = other.chat.send(model=MODEL, messages=MESSAGES)
    assert MODEL in {model.id for model in other.models.list().result.data}
    assert other.endpoints.list(author="openai", slug="gpt-4o-mini").data.endpoints
    assert other.endpoints.list_zdr_endpoints().data
    assert other.providers.list().data
    assert other.credits.get_credits().data.total_usage > 0
    assert other.api_keys.get_current_key_metadata().data.label == "simulated key"
    assert other.generations.get_generation(id=reply.id).data.total_cost == reply.usage.cost


@pytest.mark.parametrize("kind", KINDS)
def test_openrouter_keeps_and_uses_presets(one: Any, other: Any, kind: str) -> None:
    slug = kind.replace("/", "-")
    if kind == "responses":
        make, said = other.presets.create_presets_responses, {"input": "Hello", "instructions": "Be brief"}
    elif kind == "messages":
        make, said = (
            other.presets.create_presets_messages,
            {"messages": MESSAGES, "system": "Be brief", "max_tokens": 2},
        )
    else:
        make = other.presets.create_presets_chat_completions
        said = {"messages": [{"role": "system", "content": "Be brief"}, *MESSAGES]}
    for _ in range(2):
        made = make(slug=slug, model=MODEL, **said).data
    assert (made.designated_version.version, made.designated_version.system_prompt) == (2, "Be brief")
    assert slug in {row.slug for row in other.presets.list().result.data}
    assert other.presets.get(slug=slug).data.slug == slug
    assert len(other.presets.list_versions(slug=slug).result.data) == 2
    assert other.presets.get_version(slug=slug, version="1").data.config["model"] == MODEL
    assert other.chat.send(model=f"@preset/{slug}", messages=MESSAGES).model == MODEL
    reply = one.chat.completions.create(model=MODEL, messages=MESSAGES, extra_body={"preset": slug})
    assert reply.model == MODEL


# errors and retries


@pytest.mark.parametrize("stream", [False, True], ids=["chat", "stream"])
@pytest.mark.parametrize("status", STATUSES)
def test_each_sdk_raises_what_it_documents(
    server: Server, one: Any, other: Any, status: int, *, stream: bool
) -> None:
    server.emulator.script(Fault("status", status=status))
    first, second = STATUSES[status]
    with pytest.raises(getattr(openai, first)) as caught:
        one.chat.completions.create(model=MODEL, messages=MESSAGES, stream=stream)
    assert caught.value.status_code == status
    with pytest.raises(getattr(openrouter.errors, second)) as found:
        other.chat.send(model=MODEL, messages=MESSAGES, stream=stream)
    assert found.value.status_code == status
    assert found.value.data.error.code == status


def test_openai_waits_as_long_as_it_is_told(server: Server) -> None:
    server.emulator.script(Fault("status", status=429, retry_after=NAPS, requests=(1,)))
    start = time.monotonic()
    with openai.OpenAI(api_key="none", base_url=server.url, max_retries=1) as client:
        assert client.chat.completions.create(model=MODEL, messages=MESSAGES).choices
    assert time.monotonic() - start >= NAPS


def test_openrouter_waits_as_long_as_it_is_told(server: Server) -> None:
    server.emulator.script(Fault("status", status=502, retry_after=NAPS, requests=(1,)))
    pace = openrouter.utils.BackoffStrategy(
        initial_interval=1, max_interval=1, exponent=1, max_elapsed_time=20_000
    )
    patience = openrouter.utils.RetryConfig("backoff", pace, False)
    start = time.monotonic()
    with openrouter.OpenRouter(api_key="none", server_url=server.url, retry_config=patience) as client:
        assert client.chat.send(model=MODEL, messages=MESSAGES).choices
    assert time.monotonic() - start >= NAPS


def test_only_the_key_of_the_emulator_is_let_in() -> None:
    with Server(Emulator(key="right")) as guarded:
        for key, passes in [("right", True), ("wrong", False)]:
            with openai.OpenAI(api_key=key, base_url=guarded.url, max_retries=0) as client:
                if passes:
                    assert client.models.list().data
                else:
                    with pytest.raises(openai.AuthenticationError):
                        client.models.list()


# cancellation


def test_openai_closes_a_stream_that_is_left(server: Server, one: Any) -> None:
    server.emulator.script(Fault("stall", after=1, seconds=60))
    with one.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True) as stream:
        next(iter(stream))
        assert server.open_answers == 1
    assert is_idle(server)


def test_openrouter_closes_a_stream_that_is_left(server: Server, other: Any) -> None:
    server.emulator.script(Fault("stall", after=1, seconds=60))
    with other.chat.send(model=MODEL, messages=MESSAGES, stream=True) as stream:
        next(iter(stream))
    assert is_idle(server)


@pytest.mark.parametrize("sdk", ["openai", "openrouter"])
def test_a_cancelled_task_closes_its_connection(server: Server, sdk: str) -> None:
    server.emulator.script(Fault("slow", seconds=60))

    async def ask_openai() -> None:
        async with openai.AsyncOpenAI(api_key="none", base_url=server.url) as client:
            await client.chat.completions.create(model=MODEL, messages=MESSAGES)

    async def ask_openrouter() -> None:
        async with openrouter.OpenRouter(api_key="none", server_url=server.url) as client:
            await client.chat.send_async(model=MODEL, messages=MESSAGES)

    async def run(ask: Callable[[], Any]) -> None:
        task = asyncio.create_task(ask())
        while not server.open_answers:  # noqa: ASYNC110 - the server lives in another thread
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run(ask_openai if sdk == "openai" else ask_openrouter))
    assert is_idle(server)


# instructor

INSTRUCTOR = """
import sys, instructor, openai, pydantic

class Weather(pydantic.BaseModel):
    city: str
    days: int = pydantic.Field(ge=1)

raw = openai.OpenAI(api_key="none", base_url=sys.argv[1])
for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA, instructor.Mode.TOOLS_STRICT):
    client = instructor.from_openai(raw, mode=mode)
    found = client.chat.completions.create(
        model=sys.argv[2], messages=[{"role": "user", "content": "Hello"}], response_model=Weather
    )
    assert isinstance(found, Weather) and found.days >= 1, (mode, found)
    print(mode.name)
"""


@pytest.mark.skipif(
    find_spec("instructor") is None and "INSTRUCTOR_PYTHON" not in os.environ,
    reason="instructor wants an older openai than the other tests: name a Python that has it as INSTRUCTOR_PYTHON",
)
def test_instructor_gets_its_models(server: Server) -> None:
    python = os.environ.get("INSTRUCTOR_PYTHON", sys.executable)
    done = subprocess.run(
        [python, "-W", "ignore", "-c", INSTRUCTOR, server.url, MODEL],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["TOOLS", "JSON_SCHEMA", "TOOLS_STRICT"]
