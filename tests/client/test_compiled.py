"""Compiled presets through the client and through other SDKs: what YAML says is what arrives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from orpolicy.client.adapters import AdapterError, for_openai, for_openrouter
from orpolicy.client.client import Client
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace

if TYPE_CHECKING:
    from orpolicy.compiled import Compiled

TRIAGE = """\
description: Sort incoming mail
model: anthropic/claude-sonnet-4.5
system: Be brief.
temperature: 0.3
max_tokens: 400
provider:
  order: [anthropic, amazon-bedrock]
  zdr: true
  max_price: {prompt: 3, completion: 15.50}
attribution: {referer: "https://example.com", title: Support}
region: eu
environments:
  plain: {system: null, region: null}
"""
BODY = {
    "model": "anthropic/claude-sonnet-4.5",
    "temperature": 0.3,
    "max_tokens": 400,
    "provider": {
        "order": ["anthropic", "amazon-bedrock"],
        "zdr": True,
        "max_price": {"prompt": "3", "completion": "15.5"},
    },
}


def compiled(environment: str | None = None) -> Compiled:
    files = {"presets/triage.yaml": TRIAGE, "orpolicy.yaml": "environments: [plain]\n"}
    return Compiler(Workspace(Memory(files))).compile("triage", environment)


def test_what_is_compiled_is_what_is_sent() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"choices": [{"message": {"content": "Done."}}]})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        assert Client("sk-1", http=http).chat(compiled(), "My card was charged twice").text == "Done."
    (request,) = seen
    body = json.loads(request.content)
    conversation = body.pop("messages")
    assert body == BODY
    assert [message["role"] for message in conversation] == ["system", "user"]
    assert request.url.host == "eu.openrouter.ai"
    assert request.headers["http-referer"] == "https://example.com"


@pytest.mark.parametrize("adapt", [for_openai, for_openrouter])
def test_the_adapters_take_a_compiled_preset(adapt: Any) -> None:
    arguments = adapt(compiled("plain"))
    flat = {**arguments, **arguments.pop("extra_body", {})}
    assert {key: flat[key] for key in BODY} == BODY
    assert type(flat["provider"]) is dict
    with pytest.raises(AdapterError, match="/system"):
        adapt(compiled())


def test_the_adapters_complete_a_compiled_preset_with_messages() -> None:
    arguments = for_openrouter(compiled(), "My card was charged twice")
    assert [message["role"] for message in arguments["messages"]] == ["system", "user"]
    assert arguments["server_url"] == "https://eu.openrouter.ai/api/v1"
    assert arguments["http_headers"]["HTTP-Referer"] == "https://example.com"
