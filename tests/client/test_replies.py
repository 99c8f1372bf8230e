"""Typed replies: what is there is read, what is not breaks nothing, and no repr tells."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.client.answers import decode_json
from orpolicy.client.chunks import read_chunk
from orpolicy.client.refusals import UnreadableAnswer
from orpolicy.client.replies import Reply, ToolCall, first_choice, read_reply
from orpolicy.client.transcript import Transcript, _joined
from orpolicy.errors import ClientError

WHOLE = {
    "id": "gen-1",
    "object": "chat.completion",
    "created": 1,
    "model": "openai/gpt-5-mini",
    "provider": "OpenAI",
    "service_tier": "default",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "native_finish_reason": "tool_use",
            "message": {
                "role": "assistant",
                "content": "Private words",
                "reasoning": "Private thoughts",
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "refund", "arguments": '{"amount": 1.5}'},
                    }
                ],
            },
        }
    ],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "cost": 0.00123,
        "is_byok": False,
        "cost_details": {"upstream_inference_cost": 0.001},
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
    "openrouter_metadata": {"strategy": "direct"},
}


def read(document: Any, **headers: str) -> Reply:
    return read_reply(decode_json(json.dumps(document)), {k.replace("_", "-"): v for k, v in headers.items()})


def test_everything_that_is_there_is_read() -> None:
    reply = read(WHOLE)
    assert (reply.text, reply.reasoning, reply.refusal) == ("Private words", "Private thoughts", None)
    assert (reply.id, reply.model, reply.provider) == ("gen-1", "openai/gpt-5-mini", "OpenAI")
    assert (reply.finish_reason, reply.native_finish_reason) == ("tool_calls", "tool_use")
    assert reply.service_tier == "default"
    assert reply.metadata == {"strategy": "direct"}
    assert reply.tool_calls == (ToolCall("c1", "refund", '{"amount": 1.5}'),)
    assert reply.tool_calls[0].parsed() == {"amount": 1.5}
    assert reply.message == WHOLE["choices"][0]["message"]
    usage = reply.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 5, 15)
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (4, 3, 2)
    assert (usage.cost, usage.upstream_cost, usage.is_byok) == (Decimal("0.00123"), Decimal("0.001"), False)


def test_the_header_names_the_generation() -> None:
    assert read(WHOLE, x_generation_id="gen-2").id == "gen-2"


def test_the_routing_report_names_the_provider_where_the_body_does_not() -> None:
    available = [{"provider": "Azure", "selected": False}, {"provider": "OpenAI", "selected": True}]
    document = {**WHOLE, "provider": None, "openrouter_metadata": {"endpoints": {"available": available}}}
    assert read(document).provider == "OpenAI"


@pytest.mark.parametrize(
    ("cost", "usd"),
    [
        (0, Decimal(0)),
        ("0.5", Decimal("0.5")),
        (1e-9, Decimal("1e-9")),
        (None, None),
        (True, None),
        ("free", None),
        ("NaN", None),
        ([], None),
    ],
)
def test_a_cost_is_a_decimal_or_unknown(cost, usd) -> None:
    usage = read({**WHOLE, "usage": {"cost": cost}}).usage
    assert usage.cost == usd
    assert type(usage.cost) is type(usd)


@pytest.mark.parametrize(("count", "tokens"), [(3.0, 3), (1e300, 0), ("3", 0), (None, 0), (True, 0)])
def test_a_count_is_a_whole_number_or_nothing(count, tokens) -> None:
    assert read({**WHOLE, "usage": {"prompt_tokens": count}}).usage.prompt_tokens == tokens


def test_no_repr_shows_a_prompt_or_a_completion() -> None:
    reply = read(WHOLE)
    document = {"choices": [{"delta": {"content": "Private words", "reasoning": "Private thoughts"}}]}
    chunk = read_chunk(document, first_choice(document))
    for shown in (repr(reply), str(reply), repr(chunk), repr(reply.tool_calls)):
        assert "Private" not in shown
        assert "amount" not in shown
    assert "openai/gpt-5-mini" in repr(reply)


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url"}, "odd", {"type": "text", "text": "b"}]
    assert read({"choices": [{"message": {"content": parts}}]}).text == "ab"


@pytest.mark.parametrize(
    "document", [{}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": "x"}]}, {"choices": 1}]
)
def test_a_body_without_a_message_is_unreadable(document) -> None:
    with pytest.raises(UnreadableAnswer, match="no choice with a message"):
        read(document)


@pytest.mark.parametrize("arguments", ["", "  "])
def test_a_call_without_arguments_has_none(arguments) -> None:
    assert ToolCall("c", "now", arguments).parsed() == {}


@pytest.mark.parametrize("arguments", ['{"a": ', "[" * 100_000])
def test_arguments_that_are_no_json_name_the_tool_and_nothing_else(arguments) -> None:
    with pytest.raises(ClientError, match=r"^the model's arguments for tool 'refund' are not valid JSON$"):
        ToolCall("c", "refund", arguments).parsed()


FIELDS = sorted(
    {
        *WHOLE,
        *WHOLE["usage"],
        *WHOLE["choices"][0],
        *WHOLE["choices"][0]["message"],
        "delta",
        "function",
        "arguments",
    }
)
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=8,
)


@given(
    top=st.dictionaries(st.sampled_from(FIELDS), ANY), message=st.dictionaries(st.sampled_from(FIELDS), ANY)
)
def test_fields_may_come_go_and_change_their_kind(top, message) -> None:
    reply = read({**top, "choices": [{"message": message, "delta": message, "finish_reason": top.get("id")}]})
    assert isinstance(reply.text, str)
    chunk = read_chunk(reply.raw, first_choice(reply.raw))
    assert isinstance(chunk.text, str)
    transcript = Transcript()
    hear(transcript, chunk.raw)
    hear(transcript, chunk.raw)
    assert isinstance(read(json.loads(json.dumps(transcript.document(), default=float))).text, str)


def hear(transcript: Transcript, document: dict[str, Any]) -> None:
    transcript.add(document, first_choice(document))


def put_together(deltas: list[dict[str, Any]]) -> dict[str, Any]:
    """Join deltas the plain way: all texts of a key, then every value that is none, in its turn."""
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for key in ("content", "reasoning", "refusal"):
        pieces = [text for delta in deltas if isinstance(text := delta.get(key), str)]
        if pieces:
            message[key] = "".join(pieces)
    for delta in deltas:
        for key, value in delta.items():
            if not (isinstance(value, str) and isinstance(message.get(key), str)):
                message[key] = _joined(message.get(key), value)
    return message


DELTA = st.dictionaries(
    st.sampled_from(["role", "content", "reasoning", "refusal", "tool_calls", "images"]),
    st.text(max_size=3) | ANY,
)


@given(st.lists(DELTA, max_size=6))
def test_one_look_at_the_deltas_joins_them_as_many_would(deltas) -> None:
    transcript = Transcript()
    for delta in deltas:
        hear(transcript, {"choices": [{"delta": delta}]})
    assert transcript.document()["choices"][0]["message"] == put_together(deltas)


@pytest.mark.parametrize("delta", ["text", ["text"], 1, None])
def test_a_delta_that_is_no_object_says_nothing(delta) -> None:
    transcript = Transcript()
    hear(transcript, {"choices": [{"delta": {"content": "Hello"}}]})
    hear(transcript, {"choices": [{"delta": delta, "finish_reason": "stop"}]})
    choice = transcript.document()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hello", "stop")


BLANKS = st.text(" \n\t\r", max_size=2)


@given(
    st.recursive(ANY, lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=2)),
    BLANKS,
    BLANKS,
    st.sampled_from(["", "}", "x", ","]),
)
def test_a_text_that_begins_like_an_object_is_read_like_any_other(value, before, after, rest) -> None:
    text = before + json.dumps(value) + after + rest
    try:
        expected = json.loads(text, parse_float=Decimal)
    except ValueError:
        with pytest.raises(ValueError):
            decode_json(text)
    else:
        assert decode_json(text) == expected


PIECES = st.lists(st.text(max_size=5), max_size=5)


@given(
    content=PIECES,
    reasoning=PIECES,
    calls=st.lists(st.tuples(st.text("ab", min_size=1, max_size=3), PIECES), max_size=3),
    usage=st.none()
    | st.fixed_dictionaries({"prompt_tokens": st.integers(0, 9), "cost": st.sampled_from([0.25, 0])}),
    repeat_id=st.booleans(),
)
def test_chunks_put_together_read_like_the_whole(content, reasoning, calls, usage, repeat_id) -> None:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(content) if content else None}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": piece} for piece in content]
    if reasoning:
        message["reasoning"] = "".join(reasoning)
        deltas = [{"role": "assistant", "reasoning": piece} for piece in reasoning] + deltas
    if calls:
        message["tool_calls"] = [
            {
                "id": f"c{n}",
                "index": n,
                "type": "function",
                "function": {"name": name, "arguments": "".join(pieces)},
            }
            for n, (name, pieces) in enumerate(calls)
        ]
    for n, (name, pieces) in enumerate(calls):
        head = {"index": n, "id": f"c{n}", "type": "function"}
        deltas.append({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]})
        tail = head if repeat_id else {"index": n}
        deltas += [{"tool_calls": [{**tail, "function": {"arguments": piece}}]} for piece in pieces]
    top = {"id": "gen-1", "model": "m", "provider": "P", "object": "chat.completion"}
    ends = {"finish_reason": "stop", "native_finish_reason": "end"}
    whole = {
        **top,
        "choices": [{**ends, "index": 0, "message": message}],
        **({"usage": usage} if usage else {}),
    }

    transcript = Transcript()
    for delta in deltas:
        hear(
            transcript,
            {**top, "object": "x", "choices": [{"delta": delta, "index": 0, "finish_reason": None}]},
        )
    last = {**top, "choices": [{**ends, "index": 0, "delta": {"role": "assistant", "content": ""}}]}
    hear(transcript, last)
    if usage:
        hear(transcript, {**top, "choices": [], "usage": usage})
    assembled = read_reply(transcript.document(), {})
    assert assembled == read_reply(whole | {"choices": assembled.raw["choices"]}, {}), "the rest of the body"
    expected = read_reply(whole, {})
    assert (assembled.text, assembled.reasoning) == (expected.text, expected.reasoning)
    assert assembled.tool_calls == expected.tool_calls
    assert (assembled.finish_reason, assembled.native_finish_reason) == ("stop", "end")
    assert assembled.usage == expected.usage


def test_reasoning_details_images_audio_and_logprobs_are_put_together() -> None:
    transcript = Transcript()
    for delta, logprobs in [
        (
            {"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "Let ", "format": "f"}]},
            None,
        ),
        ({"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "me", "format": "f"}]}, None),
        (
            {"reasoning_details": [{"type": "reasoning.text", "index": 0, "signature": "s", "text": None}]},
            None,
        ),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "index": 0, "data": "d"}]}, None),
        ({"images": [{"image_url": {"url": "1"}}]}, {"content": [{"token": "a"}]}),
        ({"images": [{"image_url": {"url": "2"}}]}, {"content": [{"token": "b"}]}),
        ({"audio": {"id": "x", "data": "AA", "transcript": "hel"}}, None),
        ({"audio": {"id": "x", "data": "BB", "transcript": "lo"}}, None),
    ]:
        choice = {"delta": delta, **({"logprobs": logprobs} if logprobs else {})}
        hear(transcript, {"id": "g", "choices": [choice]})
    choice = transcript.document()["choices"][0]
    assert choice["message"]["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "Let me", "format": "f", "signature": "s"},
        {"type": "reasoning.encrypted", "index": 0, "data": "d"},
    ]
    assert [image["image_url"]["url"] for image in choice["message"]["images"]] == ["1", "2"]
    assert choice["message"]["audio"] == {"id": "x", "data": "AABB", "transcript": "hello"}
    assert [token["token"] for token in choice["logprobs"]["content"]] == ["a", "b"]
