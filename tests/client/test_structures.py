"""Answers read into attrs classes: the schema that asks for them, the values, the one repair, the error."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.client.replies import read_reply
from orpolicy.client.shapes import describe_class
from orpolicy.client.structures import StructureError, read_into
from orpolicy.errors import PolicyViolation, UsageError
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace

SECRET = "the customer's secret"


class Mood(Enum):
    CALM = "calm"
    ANGRY = "angry"


@attrs.frozen
class Item:
    """One position of the bill."""

    amount: Annotated[Decimal, "in USD"]
    count: int = 1


@attrs.frozen
class Ticket:
    """What a customer wants."""

    title: str = attrs.field(metadata={"description": "one line"}, validator=attrs.validators.max_len(40))
    urgent: bool
    weight: float
    mood: Mood
    kind: Literal["bill", "bug"]
    items: list[Item]
    range: tuple[int, int]
    tags: tuple[str, ...]
    note: str | None
    main: Item | None
    _owner: str = ""


GOOD: dict[str, Any] = {
    "title": "Charged twice",
    "urgent": True,
    "weight": 2,
    "mood": "angry",
    "kind": "bill",
    "items": [{"amount": 12.30, "count": 2}],
    "range": [1, 2],
    "tags": ["card"],
    "note": None,
    "main": {"amount": 0.1, "count": 1},
    "owner": "me",
}


def answer(content: Any, finish: str = "stop", **message: Any) -> httpx.Response:
    text = content if isinstance(content, str) else json.dumps(content)
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": text, **message},
    }
    return httpx.Response(200, json={"id": "gen-1", "model": "m/m", "choices": [choice]})


def read(content: Any, kind: type = Ticket) -> Any:
    return read_into(kind, read_reply(answer(content).json(), {}))


def test_an_answer_becomes_a_value(talk) -> None:
    ticket = talk.chat(answer(GOOD), overrides={"into": Ticket})
    assert ticket == Ticket(
        title="Charged twice",
        urgent=True,
        weight=2.0,
        mood=Mood.ANGRY,
        kind="bill",
        items=[Item(Decimal("12.3"), 2)],
        range=(1, 2),
        tags=("card",),
        note=None,
        main=Item(Decimal("0.1")),
        owner="me",
    )
    assert type(ticket.weight) is float
    assert len(talk.requests) == 1


def test_the_class_is_asked_for_as_a_strict_schema(talk) -> None:
    talk.chat(answer(GOOD), overrides={"into": Ticket, "seed": 7})
    (sent,) = talk.sent
    asked = sent["response_format"]["json_schema"]
    assert (sent["response_format"]["type"], asked["name"], asked["strict"], sent["seed"]) == (
        "json_schema",
        "Ticket",
        True,
        7,
    )
    schema = asked["schema"]
    assert schema["description"] == "What a customer wants."
    assert schema["required"] == list(schema["properties"]) == list(GOOD)
    assert schema["additionalProperties"] is False
    item = {
        "type": "object",
        "description": "One position of the bill.",
        "properties": {"amount": {"type": "number", "description": "in USD"}, "count": {"type": "integer"}},
        "required": ["amount", "count"],
        "additionalProperties": False,
    }
    assert schema["properties"] == {
        "title": {"type": "string", "description": "one line"},
        "urgent": {"type": "boolean"},
        "weight": {"type": "number"},
        "mood": {"type": "string", "enum": ["calm", "angry"]},
        "kind": {"type": "string", "enum": ["bill", "bug"]},
        "items": {"type": "array", "items": item},
        "range": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        "tags": {"type": "array", "items": {"type": "string"}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "main": {"anyOf": [item, {"type": "null"}]},
        "owner": {"type": "string"},
    }


def test_keys_of_the_model_s_choice_end_strictness() -> None:
    @attrs.frozen
    class Counts:
        by_name: "dict[str, int]"  # noqa: UP037 - read as text, as under the future import

    schema, strict = describe_class(Counts)
    assert not strict
    assert schema["properties"]["by_name"] == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert read({"by_name": {"a": 1}}, Counts).by_name == {"a": 1}


@attrs.frozen
class Maybe:
    main: Item | None


def test_a_path_leads_through_what_may_be_null() -> None:
    with pytest.raises(StructureError, match="/main/amount must be of type number"):
        read({"main": {"amount": "x", "count": 1}}, Maybe)


@attrs.frozen
class Amounts:
    by_name: dict[str, Item]


@pytest.mark.parametrize("item", [{"amount": "x", "count": 1}, {"amount": 1}, 3])
def test_a_key_of_the_model_s_choice_is_no_part_of_an_error(item) -> None:
    with pytest.raises(StructureError, match=r"/by_name/\*") as caught:
        read({"by_name": {SECRET: item}}, Amounts)
    assert SECRET not in str(caught.value) + repr(caught.value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_an_amount_is_read_to_its_last_digit(amount: Decimal) -> None:
    assert read(f'{{"amount": {amount}, "count": 1}}', Item).amount == amount


@pytest.mark.parametrize("text", ["```json\n{}\n```", "```\n{}\n```\n"])
def test_a_fence_around_the_json_is_no_fault(text) -> None:
    assert read(text.format(json.dumps(GOOD)), Ticket).title == "Charged twice"


MISFITS = [
    ({**GOOD, "title": 3}, "/title must be of type string"),
    ({**GOOD, "urgent": 1}, "/urgent must be of type boolean"),
    ({**GOOD, "weight": "2"}, "/weight must be of type number"),
    ({**GOOD, "mood": SECRET}, "/mood must be one of 'calm', 'angry'"),
    ({**GOOD, "kind": SECRET}, "/kind must be one of 'bill', 'bug'"),
    (
        {**GOOD, "items": [{"amount": 1, "count": 1}, {"amount": SECRET, "count": 1}]},
        "/items/1/amount must be of type number",
    ),
    ({**GOOD, "items": SECRET}, "/items must be of type array"),
    ({**GOOD, "range": [1, 2, 3]}, "/range does not meet maxItems 2"),
    ({**GOOD, "main": {"amount": 1}}, "/main lacks 'count'"),
    ({**GOOD, "main": SECRET}, "/main must be of type object"),
    ({**GOOD, SECRET: 1}, "it has keys that were not asked for"),
    ({**GOOD, "title": SECRET * 9}, "it is not accepted by its class"),
    ([GOOD], "it must be of type object"),
    (f"{SECRET} {{", "it is not valid JSON"),
    ("", "it is empty"),
]


@pytest.mark.parametrize(("content", "said"), MISFITS)
def test_what_does_not_fit_is_repaired_once_by_its_path(talk, content, said) -> None:
    assert talk.chat(answer(content), answer(GOOD), overrides={"into": Ticket}).title == "Charged twice"
    first, second = talk.sent
    assert second["messages"][: len(first["messages"])] == first["messages"]
    repair = second["messages"][-1]
    assert repair["role"] == "user"
    assert said.removeprefix("it ") in repair["content"]
    assert second["response_format"] == first["response_format"]


@pytest.mark.parametrize(("content", "said"), MISFITS)
def test_what_cannot_be_repaired_is_an_error_without_a_word_of_the_answer(talk, content, said) -> None:
    with pytest.raises(StructureError) as caught:
        talk.chat(answer(content), overrides={"into": Ticket})
    assert len(talk.requests) == 2
    message = str(caught.value)
    assert message.startswith("the reply is no Ticket: ")
    assert said in message
    assert SECRET not in message + repr(caught.value)
    assert caught.value.reply.text == (content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (answer('{"title": ', "length"), "raise max_tokens"),
        (answer("", "content_filter"), "content filter"),
        (answer("", refusal="I cannot."), "refused by the model"),
    ],
)
def test_what_asking_again_cannot_help_is_not_asked_again(talk, response, said) -> None:
    with pytest.raises(StructureError, match=said):
        talk.chat(response, overrides={"into": Ticket})
    assert len(talk.requests) == 1


@attrs.frozen
class Odd:
    value: Literal[b"x"]


@attrs.define
class Untyped:
    known: int
    made: int = attrs.field(init=False, default=0)


Untold = attrs.make_class("Untold", ["value"])


def test_what_the_class_makes_itself_is_not_asked_for() -> None:
    assert list(describe_class(Untyped)[0]["properties"]) == ["known"]
    assert read({"known": 1}, Untyped).made == 0


@attrs.frozen
class Wide:
    value: int | str


@attrs.frozen
class Mixed:
    value: tuple[int, str]


@attrs.frozen
class Keyed:
    value: dict[int, str]


@attrs.frozen
class Vague:
    value: Any


@attrs.frozen
class Node:
    value: list[Node]


@attrs.frozen
class Lost:
    value: Missing  # noqa: F821 - that is the point


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Wide, "Wide.value: of unions only"),
        (Mixed, "Wide|Mixed.value: no strict schema tells"),
        (Keyed, "Keyed.value: the keys"),
        (Odd, "Odd.value: a choice is among"),
        (Untold, "Untold.value has no type"),
        (Vague, "Vague.value: no schema can be made"),
        (Node, r"Node.value\[\] holds itself"),
        (Lost, "'Missing'"),
        (dict, "dict is no attrs class"),
    ],
)
def test_a_class_without_a_schema_is_refused_before_anything_is_sent(talk, kind, said) -> None:
    with pytest.raises(UsageError, match=said):
        talk.chat(answer(GOOD), overrides={"into": kind})
    assert talk.requests == []


def test_one_call_asks_for_one_form(talk) -> None:
    with pytest.raises(UsageError, match="give one of the two"):
        talk.chat(answer(GOOD), overrides={"into": Ticket, "response_format": {"type": "text"}})


def test_a_policy_has_its_say_about_such_calls_too(talk) -> None:
    files = {
        "presets/org.policy.yaml": "max_tokens: 100\n",
        "presets/triage.yaml": "model: openai/gpt-5-mini\nmax_tokens: 100\n",
    }
    preset = Compiler(Workspace(Memory(files))).compile("triage")
    with pytest.raises(PolicyViolation):
        talk.chat(answer(GOOD), preset=preset, overrides={"into": Item, "max_tokens": 101})
    assert talk.requests == []


def test_a_compiled_preset_sends_the_schema_as_it_is(talk) -> None:
    preset = Compiler(Workspace(Memory({"presets/triage.yaml": "model: openai/gpt-5-mini\n"}))).compile(
        "triage"
    )
    item = talk.chat(answer({"amount": 1, "count": 2}), preset=preset, overrides={"into": Item})
    assert item == Item(Decimal(1), 2)
    assert talk.sent[0]["response_format"]["json_schema"]["schema"] == describe_class(Item)[0]
