"""The same request in another skin: valid there, whole, or refused by name."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from orpolicy.compiled import Compiled
from orpolicy.errors import UsageError
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.lower import BODY
from orpolicy.language.skins import PATHS, SkinError, wear
from orpolicy.language.workspace import Workspace

SKINS = ("responses", "messages")
PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
FUNCTION = {"name": "f", "description": "F", "parameters": {"type": "object", "properties": {}}}
CONVERSATION: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": PNG}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            {"type": "file", "file": {"filename": "bill.pdf", "file_data": PDF}},
            {"type": "file", "file": {"filename": "b.pdf", "file_data": "https://example.com/b.pdf"}},
        ],
    },
    {
        "role": "assistant",
        "content": "I look it up.",
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
            {"id": "2", "type": "function", "function": {"name": "f", "arguments": ""}},
        ],
    },
    {"role": "tool", "tool_call_id": "1", "content": "42"},
    {"role": "tool", "tool_call_id": "2", "content": "43"},
    {"role": "assistant", "content": "42."},
    {"role": "user", "content": "Thanks."},
]


@cache
def read_api(path: Any) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def judge(shared):
    """Validate a body against the schema of its skin."""
    document = read_api(shared / "facts" / "openapi.yaml")
    registry = Registry().with_resource("urn:api", Resource(document, DRAFT202012))
    validators = {
        skin: Draft202012Validator({"$ref": f"urn:api#/components/schemas/{name}"}, registry=registry)
        for skin, name in (("responses", "ResponsesRequest"), ("messages", "MessagesRequest"))
    }
    keys = {
        skin: document["components"]["schemas"][name]["properties"].keys()
        for skin, name in (("responses", "ResponsesRequest"), ("messages", "MessagesRequest"))
    }

    def run(skin: str, body: dict[str, Any]) -> None:
        validators[skin].validate(body)
        assert body.keys() <= keys[skin]

    return run


def compiled(text: str):
    return Compiled.of(Compiler(Workspace(Memory({"presets/triage.yaml": text}))).compile("triage"), None)


def try_on(body: dict[str, Any], skin: str) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return the body in the skin, or what the refusal names."""
    try:
        return wear(body, skin), ()
    except SkinError as error:
        return None, error.pointers


@pytest.mark.parametrize("skin", SKINS)
def test_every_documented_configuration_is_valid_in_the_skin_or_refused_by_name(shared, judge, skin) -> None:
    carried = 0
    for line in (shared / "cases/presets.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        body = {"model": "m/m", **case["config"], "messages": CONVERSATION}
        prices = body.get("provider", {}).get("max_price", {})
        prices.update({key: str(value) for key, value in prices.items()})
        worn, pointers = try_on(body, skin)
        if worn is not None:
            judge(skin, worn)
            carried += 1
        assert {pointer.split("/")[1] for pointer in pointers} <= case["config"].keys(), case["id"]
    assert carried >= 60


WHOLE = {
    "model": "m/m",
    "models": ["n/n"],
    "provider": {"zdr": True, "max_price": {"prompt": "3"}},
    "service_tier": "flex",
    "temperature": 0.3,
    "top_p": 0.9,
    "top_k": 5,
    "max_tokens": 400,
    "reasoning": {"max_tokens": 200},
    "verbosity": "low",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "t", "strict": True, "schema": {"type": "object"}},
    },
    "tools": [{"type": "function", "function": FUNCTION}, {"type": "openrouter:datetime"}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": False,
    "plugins": [{"id": "web"}],
    "session_id": "s",
    "user": "u",
    "messages": CONVERSATION,
}
SAME = (
    "model",
    "models",
    "provider",
    "service_tier",
    "temperature",
    "top_p",
    "top_k",
    "plugins",
    "session_id",
    "user",
)


def test_a_request_of_the_responses_api_says_all_that_chat_says(judge) -> None:
    worn = wear(WHOLE, "responses")
    judge("responses", worn)
    assert {key: worn.pop(key) for key in SAME} == {key: WHOLE[key] for key in SAME}
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "detail": "auto", "image_url": PNG},
        {"type": "input_image", "detail": "auto", "image_url": "https://example.com/a.png"},
        {"type": "input_file", "filename": "bill.pdf", "file_data": PDF},
        {"type": "input_file", "filename": "b.pdf", "file_url": "https://example.com/b.pdf"},
    ]
    assert worn == {
        "max_output_tokens": 400,
        "reasoning": {"max_tokens": 200},
        "text": {
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "t", "strict": True, "schema": {"type": "object"}},
        },
        "tools": [{"type": "function", **FUNCTION}, {"type": "openrouter:datetime"}],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "input": [
            {"type": "message", "role": "system", "content": "Be brief."},
            {"type": "message", "role": "user", "content": content},
            {"type": "message", "role": "assistant", "content": "I look it up."},
            {"type": "function_call", "id": "1", "call_id": "1", "name": "f", "arguments": '{"a": 1}'},
            {"type": "function_call", "id": "2", "call_id": "2", "name": "f", "arguments": ""},
            {"type": "function_call_output", "id": "1", "call_id": "1", "output": "42"},
            {"type": "function_call_output", "id": "2", "call_id": "2", "output": "43"},
            {"type": "message", "role": "assistant", "content": "42."},
            {"type": "message", "role": "user", "content": "Thanks."},
        ],
    }


def test_a_request_of_the_messages_api_says_all_that_chat_says(judge) -> None:
    worn = wear({**WHOLE, "stop": "END"}, "messages")
    judge("messages", worn)
    assert {key: worn.pop(key) for key in SAME} == {key: WHOLE[key] for key in SAME}
    blocks = [
        {"type": "text", "text": "What is this?"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {
            "type": "document",
            "title": "bill.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
        },
        {"type": "document", "title": "b.pdf", "source": {"type": "url", "url": "https://example.com/b.pdf"}},
    ]
    assert worn == {
        "max_tokens": 400,
        "thinking": {"type": "enabled", "budget_tokens": 200},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        "tools": [
            {"name": "f", "description": "F", "input_schema": FUNCTION["parameters"]},
            {"type": "openrouter:datetime"},
        ],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "stop_sequences": ["END"],
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": blocks},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look it up."},
                    {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}},
                    {"type": "tool_use", "id": "2", "name": "f", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "1", "content": "42"},
                    {"type": "tool_result", "tool_use_id": "2", "content": "43"},
                ],
            },
            {"role": "assistant", "content": "42."},
            {"role": "user", "content": "Thanks."},
        ],
    }


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize("key", list(BODY))
def test_no_key_of_a_body_goes_missing(skin, key) -> None:
    values = {
        "tools": [],
        "reasoning": {"enabled": False},
        "response_format": {"type": "json_object"},
        "stop": ["x"],
    }
    value = values.get(key, "low" if key in {"verbosity", "reasoning_effort"} else "auto")
    worn, pointers = try_on({"model": "m/m", key: value}, skin)
    if worn is None:
        assert pointers == (f"/{key}",)
    else:
        assert len(worn) == (1 if key == "model" else 2) + (key == "reasoning_effort" and skin == "messages")


@pytest.mark.parametrize("skin", SKINS)
@pytest.mark.parametrize(
    "content", ["", [{"type": "text", "text": "42"}, {"type": "image_url", "image_url": {"url": PNG}}]]
)
def test_no_message_goes_missing(judge, skin, content) -> None:
    conversation = [
        {"role": "user", "content": content},
        {"role": "assistant", "content": None, "tool_calls": CONVERSATION[2]["tool_calls"][:1]},
        {"role": "tool", "tool_call_id": "1", "content": content},
    ]
    worn = wear({"model": "m/m", "messages": conversation}, skin)
    judge(skin, worn)
    said = worn["input"] if skin == "responses" else worn["messages"]
    assert len(said) == 3
    assert json.dumps(said).count("42") == (2 if content else 0)


def test_what_else_a_user_may_say_and_an_assistant_has_said(judge) -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    film = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}
    image = {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}
    conversation = [
        {"role": "user", "content": [sound, film, image]},
        {"role": "assistant", "content": [{"type": "text", "text": "A "}, {"type": "text", "text": "cat."}]},
    ]
    worn = wear(
        {"model": "m/m", "max_completion_tokens": 5, "max_tokens": 9, "messages": conversation}, "responses"
    )
    judge("responses", worn)
    assert worn["max_output_tokens"] == 5
    heard, seen, looked = worn["input"][0]["content"]
    assert (heard, seen) == (sound, {"type": "input_video", "video_url": "https://example.com/a.mp4"})
    assert looked == {"type": "input_image", "detail": "low", "image_url": PNG}
    assert worn["input"][1]["content"] == "A cat."


def test_cached_blocks_of_a_system_prompt_stay_blocks(judge) -> None:
    block = {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}
    conversation = [{"role": "system", "content": [block]}, {"role": "user", "content": "Hi"}]
    worn = wear(
        {"model": "m/m", "max_completion_tokens": 5, "max_tokens": 9, "messages": conversation}, "messages"
    )
    judge("messages", worn)
    assert (worn["system"], worn["max_tokens"]) == ([block], 5)


LOSSES = [
    ("messages", {"tool_choice": {"type": "openrouter:datetime"}}, ["/tool_choice"]),
    (
        "messages",
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{"}}
                    ],
                }
            ]
        },
        ["/messages/0/tool_calls/0/function/arguments"],
    ),
    ("responses", {"seed": 1, "stop": ["x"]}, ["/seed", "/stop"]),
    ("responses", {"reasoning": {"effort": "low", "exclude": True}}, ["/reasoning/exclude"]),
    ("responses", {"verbosity": "xhigh"}, ["/verbosity"]),
    ("responses", {"response_format": {"type": "grammar", "grammar": "x"}}, ["/response_format"]),
    ("responses", {"messages": [{"role": "user", "name": "Ann", "content": "Hi"}]}, ["/messages/0/name"]),
    ("responses", {"messages": [{"role": "user", "content": [{"type": "odd"}]}]}, ["/messages/0/content/0"]),
    ("messages", {"seed": 1, "frequency_penalty": 1}, ["/seed", "/frequency_penalty"]),
    ("messages", {"reasoning": {"effort": "minimal"}}, ["/reasoning/effort"]),
    ("messages", {"reasoning": {"effort": "low", "summary": "auto"}}, ["/reasoning/summary"]),
    ("messages", {"reasoning": {"effort": "low"}, "verbosity": "high"}, ["/verbosity"]),
    ("messages", {"reasoning": {"enabled": False}, "reasoning_effort": "low"}, ["/reasoning_effort"]),
    ("messages", {"reasoning": {"enabled": True}, "thinking": {"type": "disabled"}}, ["/thinking"]),
    ("messages", {"response_format": {"type": "json_object"}}, ["/response_format"]),
    (
        "messages",
        {"response_format": {"type": "json_schema", "json_schema": {"name": "t", "schema": {}}}},
        ["/response_format/json_schema/strict"],
    ),
    ("messages", {"metadata": {"team": "x"}}, ["/metadata"]),
    (
        "messages",
        {"tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}]},
        ["/tools/0/function/strict"],
    ),
    ("messages", {"messages": [*CONVERSATION, CONVERSATION[0]]}, ["/messages/7"]),
    (
        "messages",
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
        ["/messages/0/content/0"],
    ),
    (
        "messages",
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "file", "file": {"file_data": "data:text/csv;base64,YQ=="}}],
                }
            ]
        },
        ["/messages/0/content/0"],
    ),
]


@pytest.mark.parametrize(("skin", "body", "pointers"), LOSSES)
def test_what_a_skin_cannot_carry_is_an_error_by_name(skin, body, pointers) -> None:
    with pytest.raises(SkinError) as caught:
        wear({"model": "m/m", **body}, skin)
    assert list(caught.value.pointers) == pointers
    assert all(pointer in str(caught.value) for pointer in pointers)


def test_the_messages_api_needs_a_model() -> None:
    with pytest.raises(SkinError, match="/model is needed there"):
        wear({"models": ["a/a"]}, "messages")


@pytest.mark.parametrize(
    ("reasoning", "thinking"),
    [
        ({"reasoning": {"enabled": True}}, {"type": "adaptive"}),
        ({"reasoning": {"effort": "high", "exclude": True}}, {"type": "adaptive", "display": "omitted"}),
        ({"reasoning": {"effort": "none"}}, {"type": "disabled"}),
        ({"reasoning_effort": "none"}, {"type": "disabled"}),
        ({"thinking": {"type": "adaptive"}}, {"type": "adaptive"}),
    ],
)
def test_reasoning_is_thinking_there(judge, reasoning, thinking) -> None:
    worn = wear({"model": "m/m", **reasoning, "messages": CONVERSATION}, "messages")
    judge("messages", worn)
    assert worn["thinking"] == thinking


@pytest.mark.parametrize("skin", SKINS)
def test_a_preset_makes_a_request_in_a_skin(judge, skin) -> None:
    preset = compiled("model: m/m\nsystem: Be brief.\ntemperature: 0.3\nregion: eu\n")
    request = preset.request("Hello", skin=skin, max_tokens=7)
    judge(skin, request.body)
    assert (request.path, request.base_url) == (PATHS[skin], "https://eu.openrouter.ai/api/v1")
    assert 7 in request.body.values()
    assert "Be brief." in json.dumps(request.body)


@pytest.mark.parametrize("skin", SKINS)
def test_a_ceiling_is_held_in_every_skin(skin) -> None:
    preset = compiled("model: m/m\nmax_cost: 0.01\nmax_tokens: 10\n")
    body = preset.request("Hello", skin=skin).body
    assert body["provider"]["max_price"] == preset.request("Hello").body["provider"]["max_price"]


def test_an_unknown_skin_is_named() -> None:
    with pytest.raises(UsageError, match="no skin 'assistants': chat, responses, messages"):
        compiled("model: m/m\n").request("Hello", skin="assistants")
    assert wear({"model": "m/m"}, "chat") == {"model": "m/m"}
