"""Real clients, unmodified, against the emulator in this process."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from orpolicy.emulator.faults import Fault
from orpolicy.emulator.transport import EmulatorTransport

openai = pytest.importorskip("openai")
openrouter = pytest.importorskip("openrouter")

MESSAGES: Any = [{"role": "user", "content": "Hello"}]
MODEL = "openai/gpt-4o-mini"


@pytest.fixture
def through_openai() -> Any:
    with httpx.Client(transport=EmulatorTransport()) as http:
        yield openai.OpenAI(api_key="none", base_url="https://openrouter.ai/api/v1", http_client=http)


@pytest.fixture
def through_openrouter() -> Any:
    with httpx.Client(transport=EmulatorTransport()) as http:
        yield openrouter.OpenRouter(api_key="none", client=http)


def test_openai_chats_and_streams(through_openai: Any) -> None:
    reply = through_openai.chat.completions.create(model=MODEL, messages=MESSAGES)
    assert reply.choices[0].message.content.startswith("[simulated]")
    chunks = list(through_openai.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True))
    assert (
        "".join(c.choices[0].delta.content for c in chunks if c.choices) == reply.choices[0].message.content
    )
    assert chunks[-1].usage.completion_tokens == reply.usage.completion_tokens


def test_openai_calls_tools(through_openai: Any) -> None:
    tools: Any = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    reply = through_openai.chat.completions.create(
        model=MODEL, messages=MESSAGES, tools=tools, tool_choice="required"
    )
    assert reply.choices[0].message.tool_calls[0].function.arguments == "{}"


def test_openai_raises_the_right_errors(through_openai: Any) -> None:
    with pytest.raises(openai.BadRequestError):
        through_openai.chat.completions.create(model="openai/none", messages=MESSAGES)
    with httpx.Client(transport=EmulatorTransport(faults=[Fault("status", status=429)])) as http:
        limited = openai.OpenAI(
            api_key="x", base_url="https://openrouter.ai/api/v1", http_client=http, max_retries=0
        )
        with pytest.raises(openai.RateLimitError):
            limited.chat.completions.create(model=MODEL, messages=MESSAGES)


def test_openai_retries_until_it_gets_through() -> None:
    fault = Fault("status", status=429, requests=(1,), retry_after=0)
    with httpx.Client(transport=EmulatorTransport(faults=[fault])) as http:
        patient = openai.OpenAI(
            api_key="x", base_url="https://openrouter.ai/api/v1", http_client=http, max_retries=1
        )
        assert patient.chat.completions.create(model=MODEL, messages=MESSAGES).choices


def test_openrouter_chats_and_streams(through_openrouter: Any) -> None:
    reply = through_openrouter.chat.send(model=MODEL, messages=MESSAGES)
    assert reply.choices[0].message.content.startswith("[simulated]")
    with through_openrouter.chat.send(model=MODEL, messages=MESSAGES, stream=True) as stream:
        chunks = list(stream)
    assert (
        "".join(c.choices[0].delta.content for c in chunks if c.choices) == reply.choices[0].message.content
    )
    assert chunks[-1].usage.cost == reply.usage.cost


@pytest.mark.filterwarnings(
    "ignore:warning. .. DEPRECATED:DeprecationWarning"
)  # the SDK warns about its own model
def test_openrouter_reads_the_catalogue_and_the_account(through_openrouter: Any) -> None:
    reply = through_openrouter.chat.send(model=MODEL, messages=MESSAGES)
    assert through_openrouter.models.list().result.data
    assert through_openrouter.endpoints.list(author="openai", slug="gpt-4o-mini").data.endpoints
    assert through_openrouter.endpoints.list_zdr_endpoints().data
    assert through_openrouter.providers.list().data
    assert through_openrouter.credits.get_credits().data.total_usage > 0
    assert through_openrouter.api_keys.get_current_key_metadata().data.label == "simulated key"
    assert through_openrouter.generations.get_generation(id=reply.id).data.model == MODEL


def test_openrouter_raises_the_right_errors(through_openrouter: Any) -> None:
    with pytest.raises(openrouter.errors.BadRequestResponseError):
        through_openrouter.chat.send(model="openai/none", messages=MESSAGES)
    with pytest.raises(openrouter.errors.NotFoundResponseError):
        through_openrouter.chat.send(model=MODEL, messages=MESSAGES, provider={"only": ["nobody"]})
