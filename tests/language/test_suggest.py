"""What was probably meant by a name; whole findings are in ``tests/cases/mistakes``."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.language.repairs import compile_pattern, suggest_choice, suggest_value
from orpolicy.language.rules import RULES
from orpolicy.language.schema import check_shape
from orpolicy.language.suggest import CALL_TIME, find_similar
from orpolicy.language.validators import load_schema

TOP = sorted(load_schema("preset")["properties"])
PROVIDER = sorted(load_schema("preset")["properties"]["provider"]["properties"])


def say(data: object) -> tuple[str, str | None]:
    (finding,) = check_shape("preset", data)
    return finding.code, finding.hint


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@pytest.mark.parametrize("key", [key for key in TOP if key not in ("environments", "extends")])
@pytest.mark.parametrize(
    "spell", [str.upper, str.title, camel, lambda key: key.replace("_", "-"), lambda key: f" {key} "]
)
def test_another_spelling_of_a_key_leads_to_it(key: str, spell: object) -> None:
    wrong = spell(key)  # type: ignore[operator]  # functions of one text
    if wrong != key:
        assert say({wrong: 1}) == ("unknown-key", f"did you mean '{key}'?")


@pytest.mark.parametrize("key", [key for key in TOP if len(key) > 6])
def test_a_slip_of_one_letter_leads_to_the_key(key: str) -> None:
    swapped = [
        key[:at] + second + first + key[at + 2 :]
        for at, (first, second) in enumerate(pairwise(key))
        if first != second
    ]
    dropped = [key[:at] + key[at + 1 :] for at in range(1, len(key) - 1)]
    for wrong in {*swapped, *dropped} - {*TOP}:
        assert say({wrong: 1})[1] == f"did you mean '{key}'?", wrong


@pytest.mark.parametrize("key", PROVIDER)
def test_a_key_of_the_provider_at_the_top_belongs_in_the_provider(key: str) -> None:
    assert say({key: 1}) == ("misplaced-key", "put it in 'provider'")
    assert say({"environments": {"prod": {key: 1}}}) == ("misplaced-key", "put it in 'provider'")


@pytest.mark.parametrize("key", [key for key in TOP if key not in ("audio", "environments", "extends")])
def test_a_key_of_the_top_in_the_provider_belongs_at_the_top(key: str) -> None:
    code, hint = say({"provider": {key: 1}})
    assert (code, hint) in {("misplaced-key", "put it at the top level"), ("unknown-key", hint)}
    if code == "unknown-key":
        assert hint is not None
        assert hint.startswith(("did you mean", "use "))


@pytest.mark.parametrize("key", CALL_TIME)
def test_a_key_of_the_call_is_told_to_go_there(key: str) -> None:
    assert say({key: 1}) == say({key.title(): 1}) == ("call-time-key", CALL_TIME[key])
    assert say({"environments": {"prod": {key: 1}}}) == ("call-time-key", CALL_TIME[key])


@pytest.mark.parametrize(
    ("text", "choices", "similar"),
    [
        ("modle", ["model", "models"], "model"),
        ("max_latency", ["preferred_max_latency", "max_price"], "preferred_max_latency"),
        ("temp", ["temperature", "top_p"], "temperature"),
        ("triage", ["support/triage", "support/base"], "support/triage"),
        ("openrouter:websearch", ["openrouter:web_search", "openrouter:datetime"], "openrouter:web_search"),
        ("datetime", ["openrouter:web_search", "openrouter:datetime"], "openrouter:datetime"),
        ("priority-tier", ["flex", "priority"], "priority"),
        ("", ["model"], None),
        ("x", ["xyz"], None),
        ("***", ["model"], None),
        ("frobnicate", ["model", "provider"], None),
        (5, ["model"], None),
        ("model", [], None),
    ],
)
def test_the_nearest_name_is_found(text: object, choices: list[str], similar: str | None) -> None:
    assert find_similar(text, choices) == similar


@given(text=st.text(max_size=12), choices=st.lists(st.text(max_size=12), max_size=6))
def test_what_is_found_is_one_of_the_choices(text: str, choices: list[str]) -> None:
    assert find_similar(text, choices) in {None, *choices}


@pytest.mark.parametrize("code", RULES)
def test_the_nearest_name_of_a_name_is_itself(code: str) -> None:
    assert find_similar(code, RULES) == code


MODEL = load_schema("preset")["$defs"]["model_id"]


@pytest.mark.parametrize("written", MODEL["examples"])
@given(data=st.data())
def test_a_repaired_model_id_matches_its_pattern(written: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(written)))
    noise = data.draw(
        st.sampled_from(
            ['"', " ", "/", "\\", ",", "\n", "\u2011", "https://openrouter.ai/", "?x", "\u200b", "é"]
        )
    )
    wrong = written[:at] + noise + written[at:]
    hint = suggest_value(wrong, ["pattern"], MODEL, ("model",))
    if hint is not None and hint.startswith("did you mean '"):
        assert compile_pattern(MODEL["pattern"]).search(
            hint.removeprefix("did you mean '").removesuffix("'?")
        )


@pytest.mark.parametrize(
    ("value", "wanted", "schema", "hint"),
    [
        ("0,7", ["number"], {"type": "number"}, "write 0.7"),
        ("1,5.2", ["number"], {"type": "number"}, None),
        ("1.000,5", ["number"], {"type": "number"}, None),
        ("$1_000.50", ["number"], {"type": "number"}, "write 1000.50"),
        ("1,000,000", ["integer"], {"type": "integer"}, "write 1000000"),
        ("1.5", ["integer"], {"type": "integer"}, None),
        ("-5", ["integer"], {"type": "integer"}, "write -5"),
        ("5 €", ["number"], {"type": "number"}, "write 5"),
        ("5ms", ["number"], {"type": "number"}, "write the number alone, without 'ms'"),
        ("five", ["number"], {"type": "number"}, None),
        ("Yes", ["boolean"], {}, "write true"),
        (0, ["boolean"], {}, "write false"),
        ("maybe", ["boolean"], {}, "write true or false"),
        ([], ["boolean"], {}, None),
        (True, ["string"], {}, 'write "true", in quotes'),
        (5, ["string"], {"enum": ["a"]}, None),
        (5, ["string"], {"pattern": "^[a-z]+$"}, None),
        ("x" * 300, ["boolean"], {}, None),
        ("“x”", ["boolean"], {}, "replace the typographic quotes by straight ones"),
    ],
)
def test_a_value_is_repaired_where_its_meaning_is_plain(
    value: object, wanted: list[str], schema: dict[str, object], hint: str | None
) -> None:
    assert suggest_value(value, wanted, schema, ("key",)) == hint


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("Price", "price"),
        ("cheapest", "price"),
        ("thruput", "throughput"),
        ("zzz", None),
        (5, None),
        ({}, None),
    ],
)
def test_a_choice_is_guessed(value: object, meant: str | None) -> None:
    expected = f"did you mean '{meant}'?" if meant else None
    assert suggest_choice(value, ["price", "throughput", "latency"], ("provider", "sort")) == expected


def test_a_pattern_ends_where_the_text_ends() -> None:
    assert compile_pattern("^a$").search("a")
    assert not compile_pattern("^a$").search("a\n")
    assert not compile_pattern("^(a|b$)|c$").search("c\n")
    assert compile_pattern(r"^a\$").search("a$\n")
