"""What is written is read back as it was, and looks as a person would have written it."""

from __future__ import annotations

import json
from decimal import Decimal
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from strategies import presets, read_schema

from orpolicy.language.document import Reading, read_document
from orpolicy.language.secrets import holds_secret
from orpolicy.language.source import Source
from orpolicy.language.writer import WIDTH, write_number, write_preset, write_text
from orpolicy.language.writer_order import order_keys

AWKWARD = (  # what readers take for something else, and a few that only look like it
    "no on NO yes ~ null true 1:30 0755 2024-01-01 1e3 1_000 0x1f 0o17 .inf .nan +1 -0 1. .5 y = << - ? : --- ... "
    "@preset/x */claude-* #tag a:b https://x.y a: :a ?a a?b -a [a {b a,b 'a \"a |a >a %a !a &a `a"
)
TEXTS = (
    st.text(max_size=20)
    | st.text(
        st.sampled_from(" \n\t:#-?,[]{}'\"\\|>&*!%@`=<~ab1.\xe9\u2028\x85\0_0\xa0\ufeff\U0001f600"),
        max_size=12,
    )
    | st.sampled_from(
        [*AWKWARD.split(), "a\nb\n", "a\n\nb", " a\nb", "a \nb", "a\nb\n\n", "word " * 40 + "end"]
    )
)
NUMBERS = (
    st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda f: not f or 1e-290 < abs(f) < 1e290)
    | st.decimals(allow_nan=False, allow_infinity=False).filter(
        lambda d: abs(d.adjusted()) <= 300 and len(str(d)) < 40
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["provider", "tools", "plugins", "model", "system", "stop"]) | TEXTS


def read(text: str) -> Reading:
    return read_document(Source("presets/written.yaml", text))


def exactly(value: Any) -> Any:
    """Return JSON with decimals for floats, as the reader has them, and booleans that differ from numbers."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return {key: exactly(item) for key, item in value.items()}
    return [exactly(item) for item in value] if isinstance(value, list) else value


def kinds(value: Any) -> Any:
    """Return JSON with a word in the place of every number, which readers round differently."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return "a number"
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    return [kinds(item) for item in value] if isinstance(value, list) else value


@settings(max_examples=200)
@given(st.dictionaries(KEYS, JSON, max_size=5))
@example({"k" * 1100: [{"k" * 1100: {"a": 1}}]})
@example({"provider": [[[], {}], [{"": "", "a": [{"b": "x\ny\n"}]}]]})
def test_what_is_written_is_read_back_as_it_was(data: dict[str, Any]) -> None:
    text = write_preset(data)
    assume(not holds_secret(text))
    reading = read(text)
    assert reading.diagnostics == ()
    assert reading.document is not None
    assert reading.document.ambiguities == ()
    assert exactly(reading.document.data) == exactly(data)
    assert kinds(yaml.safe_load(text)) == kinds(data), "a YAML 1.1 reader understands it, too"


@settings(max_examples=60)
@given(st.dictionaries(KEYS, JSON, max_size=5))
def test_writing_again_what_was_read_changes_nothing(data: dict[str, Any]) -> None:
    text = write_preset(data)
    assume(not holds_secret(text))
    document = read(text).document
    assert document is not None
    assert write_preset(document.data) == text


BLOCK, FLOW = "key: {}\nother: 1\n", "key: [{}, other]\n"


def survives(template: str, text: str) -> bool:
    """Tell whether a text, written without quotes, is the same text to every reader."""
    if "\u2028" in text:
        return False  # a line break in YAML 1.1, which these readers happen to forgive in some places
    written = template.format(text)
    for load in (yaml.safe_load, load_strictly):
        try:
            value = load(written)
        except (yaml.YAMLError, ValueError):
            return False
        if value != ({"key": text, "other": 1} if template == BLOCK else {"key": [text, "other"]}):
            return False
    return True


def load_strictly(text: str) -> Any:
    document = read(text).document
    if document is None or document.ambiguities:
        raise ValueError(text)
    return document.data


@pytest.mark.parametrize("template", [BLOCK, FLOW], ids=["block", "flow"])
@settings(max_examples=150)
@given(text=TEXTS)
def test_a_text_is_quoted_exactly_where_a_reader_would_misread_it(template: str, text: str) -> None:
    assume(text not in ("-", "---", "..."))  # fine in some places, and a riddle to people in all of them
    assume(not holds_secret(text))
    quoted = write_text(text, "block" if template == BLOCK else "flow") != text
    assert quoted is not survives(template, text)


@pytest.mark.parametrize("text", ["-", "---", "..."])
def test_marks_of_structure_are_quoted_everywhere(text: str) -> None:
    assert write_text(text, "block") == write_text(text, "flow") == f'"{text}"'


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain words, no fuss", "plain words, no fuss"),
        ("no", '"no"'),
        ("@preset/x", '"@preset/x"'),
        ('@say "hi"', "'@say \"hi\"'"),
        (r"\d+: [a-z]", r"'\d+: [a-z]'"),
        (r"^\d+$", r"^\d+$"),
        ('it\'s: "so"', r'''"it's: \"so\""'''),
        ("", '""'),
        ("\t", r'"\t"'),
        ("\x00\x7f\ufeff", r'"\0\x7f\ufeff"'),
    ],
)
def test_quotes_are_double_unless_that_needs_escapes(text: str, written: str) -> None:
    assert write_text(text, "block") == written


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (Decimal("0.250"), "0.250"),
        (Decimal("0.0000000833333333333333"), "0.0000000833333333333333"),
        (Decimal("1E+2"), "100.0"),
        (Decimal("1E-20"), "1.0E-20"),
        (Decimal("1.25E-20"), "1.25E-20"),
        (1e22, "10000000000000000000000.0"),
        (0.1, "0.1"),
        (7, "7"),
    ],
)
def test_numbers_keep_their_digits(number: Any, written: str) -> None:
    assert write_number(number) == written


@pytest.mark.parametrize(
    "data",
    [
        {"metadata": {"a": "\ud800"}},
        {"\udfff": 1},
        {"temperature": float("inf")},
        {"temperature": Decimal("NaN")},
        {"temperature": Decimal("1E+999")},
        {"seed": 10**70},
        {"metadata": {1: "a"}},
        {"stop": {"a", "b"}},
    ],
)
def test_what_no_preset_can_hold_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        write_preset(data)
    assert str(caught.value)


def test_keys_stand_in_the_order_of_the_schema_at_every_level() -> None:
    data = {
        "metadata": {"zebra": "1", "ant": "2"},
        "tools": [{"function": {"parameters": {"type": "object", "a": 1}, "name": "f"}, "type": "function"}],
        "plugins": [{"max_results": 3, "engine": "exa", "id": "web"}],
        "response_format": {"json_schema": {"strict": True, "name": "t"}, "type": "json_schema"},
        "provider": {"sort": {"partition": "none", "by": "price"}, "order": ["groq"]},
        "extends": "orpolicy/private",
        "mystery": 1,
        "model": "openai/gpt-5-mini",
    }
    assert write_preset(data) == dedent(
        """\
        extends: orpolicy/private
        model: openai/gpt-5-mini
        provider:
          order: [groq]
          sort:
            by: price
            partition: none
        response_format:
          type: json_schema
          json_schema:
            name: t
            strict: true
        tools:
          - type: function
            function:
              name: f
              parameters:
                type: object
                a: 1
        plugins:
          - id: web
            engine: exa
            max_results: 3
        metadata:
          zebra: "1"
          ant: "2"
        mystery: 1
        """
    )


@settings(max_examples=60)
@given(presets(environments=("prod",), files=True))
def test_ordering_changes_the_order_and_nothing_else(preset: dict[str, Any]) -> None:
    ordered = order_keys(preset)
    assert ordered == preset
    assert list(ordered) == [key for key in read_schema("preset")["properties"] if key in preset]
    assert json.dumps(order_keys(ordered), default=str) == json.dumps(ordered, default=str)
    backwards = dict(reversed(preset.items()))
    assert list(order_keys(backwards)) == list(ordered)


def test_texts_are_written_as_blocks_where_a_block_can_carry_them() -> None:
    data = {
        "a": "One.\n\n  Two.\n",
        "b": "One.\nTwo.",
        "c": "One. \nTwo.",
        "d": "One.\n\n",
        "e": ["One.\nTwo.\n", "###"],
        "f": "many words " * 12 + "end",
        "g": "x" * 120,
        "h": " One.\n Two.",
        "i": "\n\n",
    }
    assert write_preset(data) == dedent(
        """\
        a: |
          One.

            Two.
        b: |-
          One.
          Two.
        c: "One. \\n\\
          Two."
        d: "One.\\n\\
          \\n"
        e:
          - |
            One.
            Two.
          - "###"
        f: >-
          many words many words many words many words many words many words many words many words many words
          many words many words many words end
        g: %s
        h: " One.\\n\\
          \\ Two."
        i: "\\n\\n"
        """
        % ("x" * 120)
    )


def test_a_list_of_scalars_stays_on_its_line_while_it_fits() -> None:
    fits = ["x" * (WIDTH - len("stop: []"))]
    assert write_preset({"stop": fits}).count("\n") == 1
    assert write_preset({"stop": [fits[0] + "x"]}) == f"stop:\n  - {fits[0]}x\n"


def test_an_empty_preset_is_an_empty_mapping() -> None:
    assert write_preset({}) == "{}\n"
