"""Reading YAML: every value has a place, JSON is YAML, limits hold, and no text whatever makes the reader fail."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from annotations import PRESET, check_text
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mutations import garbled, json_values, mutations
from strategies import presets

from orpolicy.language.document import MAX_BYTES, Document, decode, read_document
from orpolicy.language.nodes import MAX_DEPTH
from orpolicy.language.rules import RULES
from orpolicy.language.source import Location, Path, Position, Source
from orpolicy.language.walk import MAX_NODES
from orpolicy.language.writer import write_preset

if TYPE_CHECKING:
    from orpolicy.language.diagnostics import Diagnostic, Report


class Dumper(yaml.SafeDumper):
    """Writes decimals digit by digit."""


def write_decimal(dumper: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", str(number))


Dumper.add_representer(Decimal, write_decimal)


def to_yaml(value: Any) -> str:
    text: str = yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True)
    return text


def read(text: str) -> Document:
    reading = read_document(Source("x.yaml", text))
    assert reading.document is not None, reading.diagnostics
    return reading.document


def refuse(text: str) -> Diagnostic:
    reading = read_document(Source("x.yaml", text))
    assert reading.document is None
    (diagnostic,) = reading.diagnostics
    return diagnostic


def slice_of(location: Location, text: str) -> str:
    """Cut out the text that a location covers."""
    lines = Source("x.yaml", text).lines
    start, end = location.span.start, location.span.end
    covered = list(lines[start.line - 1 : end.line])
    covered[-1] = covered[-1][: end.column - 1]
    covered[0] = covered[0][start.column - 1 :]
    return "\n".join(covered)


def paths_of(value: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(found for key, item in items for found in paths_of(item, (*path, key)))]


DOCUMENT = """\
model: openai/gpt-5   # the best
provider:
  order: [azure, "open ai"]
  sort:
    by: price

  max_price: {prompt: 1, completion: '2'}
tools:
  - type: function
    function:
      name: x
  -
    type: openrouter:datetime
system: |
  be kind

  and brief
description: >-
  folded
  text
shared: &s {a: b}
again: *s
list:
- one
-
- [two,
   three]
"""

SPANS: dict[Path, tuple[str, str, str]] = {
    # path: place of the key, of the value, what the value's place covers
    ("model",): ("1:1", "1:8", "openai/gpt-5"),
    ("provider",): (
        "2:1",
        "3:3",
        "order: [azure, \"open ai\"]\n  sort:\n    by: price\n\n  max_price: {prompt: 1, completion: '2'}",
    ),
    ("provider", "order"): ("3:3", "3:10", '[azure, "open ai"]'),
    ("provider", "order", 1): ("3:18", "3:18", '"open ai"'),
    ("provider", "sort"): ("4:3", "5:5", "by: price"),
    ("provider", "max_price", "completion"): ("7:26", "7:38", "'2'"),
    ("tools",): (
        "8:1",
        "9:3",
        "- type: function\n    function:\n      name: x\n  -\n    type: openrouter:datetime",
    ),
    ("tools", 0): ("9:5", "9:5", "type: function\n    function:\n      name: x"),
    ("tools", 1): ("13:5", "13:5", "type: openrouter:datetime"),
    ("system",): ("14:1", "14:9", "|\n  be kind\n\n  and brief\n"),
    ("description",): ("18:1", "18:14", ">-\n  folded\n  text\n"),
    ("shared", "a"): ("21:13", "21:16", "b"),
    ("again",): ("22:1", "22:8", "*s"),
    ("list", 1): ("25:2", "25:2", ""),
    ("list", 2, 1): ("27:4", "27:4", "three"),
}


@pytest.mark.parametrize("path", SPANS, ids=str)
def test_a_key_and_a_value_have_their_places(path: Path) -> None:
    document = read(DOCUMENT)
    key, value, covered = SPANS[path]
    assert str(document.locate(path, "key")) == f"x.yaml:{key}"
    assert str(document.locate(path)) == f"x.yaml:{value}"
    assert slice_of(document.locate(path), DOCUMENT) == covered


def test_an_entry_runs_from_its_key_to_the_end_of_its_value() -> None:
    assert slice_of(read(DOCUMENT).locate(("provider", "sort"), "entry"), DOCUMENT) == "sort:\n    by: price"


def test_what_is_missing_is_placed_at_the_key_it_is_missing_from() -> None:
    document = read(DOCUMENT)
    assert str(document.locate(("provider", "sort", "partition"))) == "x.yaml:4:3"
    assert str(document.locate(("tools", 0, "function", "parameters", "type"))) == "x.yaml:10:5"
    assert str(document.locate(("tools", 7, "function"))) == "x.yaml:8:1"
    assert str(document.locate(("nowhere",))) == str(document.locate(())) == "x.yaml:1:1"


def test_an_alias_has_its_own_place_however_often_and_wherever_it_stands() -> None:
    text = "a: &a foo\n*a : bar\nb: *a\n&k c: d\ne: [*k, {*a : *k}]\nf: &f [*a]\ng: *f\n"
    document = read(text)
    places = {path: str(document.locate(path)) for path, _ in paths_of(document.data)}
    assert places["b",] == "x.yaml:3:4"
    assert places["e", 0] == "x.yaml:5:5"
    assert places["e", 1, "foo"] == "x.yaml:5:15"
    assert str(document.locate(("e", 1, "foo"), "key")) == "x.yaml:5:10"
    assert str(document.locate(("foo",), "key")) == "x.yaml:2:1"
    assert places["g",] == "x.yaml:7:4"


def test_an_empty_value_is_placed_after_its_colon_or_at_the_comment_that_swallowed_it() -> None:
    document = read("a:\nb:   # nothing\nc: #END\n")
    assert [str(document.locate((key,))) for key in "abc"] == ["x.yaml:1:3", "x.yaml:2:6", "x.yaml:3:4"]


def test_columns_count_characters_and_lines_count_every_line_break_of_yaml() -> None:
    document = read("a: {\U0001f600é: x, b: y}\r\nc: z\rd: w\x85e: v\n")
    assert [str(document.locate(path)) for path in [("a", "b"), ("c",), ("d",), ("e",)]] == [
        *("x.yaml:1:15", "x.yaml:2:4", "x.yaml:3:4", "x.yaml:4:4")
    ]


SAFE_TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\u2028\u2029\ufeff"
    ),
    max_size=12,
)
JSON_NUMBERS = st.one_of(
    st.integers(-(10**40), 10**40),
    st.floats(-1e300, 1e300).filter(lambda number: not number or abs(number) > 1e-300),
)
ANY_BMP_TEXT = st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF), max_size=8)


def json_mappings(texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.one_of(st.none(), st.booleans(), JSON_NUMBERS, texts)
    return st.dictionaries(texts, json_values(leaves, keys=texts), max_size=4)


@given(value=json_mappings(SAFE_TEXT), indent=st.sampled_from([None, 0, 2]))
@example(value={"a": 1e-05, "b": 1e300, "<<": "<<", "": "", "no": "no", "k": "\U0001f600"}, indent=None)
def test_json_is_yaml(value: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    assert read(text).data == json.loads(text, parse_float=Decimal)


@given(value=json_mappings(ANY_BMP_TEXT))
def test_escaped_json_is_yaml(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    assert read(text).data == json.loads(text, parse_float=Decimal)


@settings(max_examples=40)
@given(preset=presets(), write=st.sampled_from([to_yaml, write_preset]))
def test_every_scalar_has_a_place_whose_text_says_that_scalar(preset: dict[str, Any], write: Any) -> None:
    text = write(preset)
    document = read(text)
    for path, value in paths_of(document.data):
        if path and not isinstance(value, dict | list):
            assert read(f"x: {slice_of(document.locate(path), text)}\n").data == {"x": value}
        if path and isinstance(path[-1], str):
            assert read(f"{slice_of(document.locate(path, 'key'), text)}: 1\n").data == {path[-1]: 1}


def hold_to_what_every_report_owes(text: str, report: Report) -> None:
    lines = Source(PRESET, text.removeprefix("\ufeff")).lines
    for diagnostic in report:
        assert diagnostic.code in RULES
        for location in (diagnostic.location, *(related.location for related in diagnostic.related)):
            assert location.file == PRESET
            assert location.span.start <= location.span.end
            assert 1 <= location.span.start.line <= len(lines)
            assert 1 <= location.span.start.column <= len(lines[location.span.start.line - 1]) + 1
            assert location.span.end.line <= len(lines) + 1
    assert len(set(report)) == len(report)


@settings(max_examples=100)
@given(document=mutations(presets(environments=("prod",))))
def test_a_mutated_preset_yields_findings_or_nothing(document: Any) -> None:
    text = to_yaml(document)
    report = check_text(text)
    hold_to_what_every_report_owes(text, report)
    assert report == check_text(text)


@settings(max_examples=100)
@given(text=garbled(presets().map(to_yaml)))
@example(text="trace:\n  a0: &a0 [x]\n" + "".join(f"  a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 400)))
@example(text="%FOO\n")
@example(text="model: \ud800\n")
def test_a_garbled_text_yields_findings_or_nothing(text: str) -> None:
    report = check_text(text)
    hold_to_what_every_report_owes(text, report)
    assert report == check_text(text)


@given(raw=st.binary(max_size=40))
@example(raw=b"\xff\xfem\x00o\x00")
@example(raw=b"a: \xc3")
def test_any_bytes_are_a_text_or_a_finding(raw: bytes) -> None:
    source = decode("x.yaml", raw)
    if isinstance(source, Source):
        read_document(source)
    else:
        assert source.code == "yaml-encoding"


def test_the_byte_that_is_not_utf8_is_pointed_at() -> None:
    diagnostic = decode("x.yaml", "é: 1\nb: ".encode() + b"\xff\n")
    assert not isinstance(diagnostic, Source)
    assert (str(diagnostic.location), diagnostic.message) == ("x.yaml:2:4", "byte 0xff is not valid UTF-8")


def test_a_byte_order_mark_is_dropped_at_the_start_and_refused_elsewhere() -> None:
    source = decode("x.yaml", b"\xef\xbb\xbfa: b\n")
    assert isinstance(source, Source)
    assert str(read(source.text).locate(("a",))) == "x.yaml:1:4"
    assert (refuse("a: b\nc: \ufeffd\n").code, refuse("a: b\nc: \ufeffd\n").location.span.start) == (
        "yaml-encoding",
        Position(2, 4),
    )


@pytest.mark.parametrize(
    "character", ["\x00", "\x07", "\x1b", "\x7f", "\ud800", "\ufffe", "\ufeff"], ids=ascii
)
def test_a_character_that_yaml_forbids_is_named_and_pointed_at(character: str) -> None:
    diagnostic = refuse(f'a: b\nc: "x{character}"\n')
    assert diagnostic.code == "yaml-encoding"
    assert diagnostic.location.span.start == Position(2, 6)
    assert "byte-order mark" in diagnostic.message or f"U+{ord(character):04X}" in diagnostic.message


def nest(depth: int) -> str:
    """Write a mapping with lists in it, that many levels in all."""
    return "a: " + "[" * (depth - 1) + "]" * (depth - 1) + "\n"


def nest_blocks(depth: int) -> str:
    return "".join(f"{'  ' * level}a:\n" for level in range(depth - 1)) + "  " * (depth - 1) + "a: b\n"


@pytest.mark.parametrize("write", [nest, nest_blocks])
def test_nesting_is_limited(write: Any) -> None:
    read(write(MAX_DEPTH))
    diagnostic = refuse(write(MAX_DEPTH + 1))
    assert (diagnostic.code, diagnostic.message) == (
        "yaml-limit",
        f"the document is nested deeper than {MAX_DEPTH} levels",
    )


@pytest.mark.parametrize("opener", ["[", "{", "- ", "? ", "{a: ", "[[]"])
def test_bottomless_nesting_is_refused(opener: str) -> None:
    assert refuse("a:\n  " + opener * 10_000).code in ("yaml-limit", "yaml-syntax")


def test_nesting_by_aliases_is_limited() -> None:
    text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, MAX_DEPTH + 20))
    diagnostic = refuse(text)
    assert diagnostic.code == "yaml-limit"
    assert diagnostic.location.span.start.line == MAX_DEPTH


def test_the_size_of_a_file_is_limited() -> None:
    text = "a: " + "b" * (MAX_BYTES - 4) + "\n"
    read(text)
    assert refuse(text + "\n").code == "yaml-limit"
    assert refuse(text.replace("bb", "é", 1) + "b").code == "yaml-limit"
    diagnostic = decode("x.yaml", text.encode() + b"\n")
    assert not isinstance(diagnostic, Source)
    assert (diagnostic.code, str(diagnostic.location)) == ("yaml-limit", "x.yaml:1:1")


def test_the_number_of_nodes_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_NODES == 100_000
    monkeypatch.setattr("orpolicy.language.walk.MAX_NODES", 1_000)
    monkeypatch.setattr("orpolicy.language.quick.LONGEST", 500)
    read("a: [" + "x," * 998 + "]\n")
    assert refuse("a: [" + "x," * 999 + "]\n").message == "the document has more than 1,000 nodes"


def test_the_largest_alias_is_to_blame_for_too_many_nodes() -> None:
    laughs = "".join(
        f"  {name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n"
        for below, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    diagnostic = refuse(f"trace:\n  a: &a [x, x]\n{laughs}  i: *h\n  j: *b\n")
    assert diagnostic.message == "aliases expand the document to more than 100,000 nodes"
    assert str(diagnostic.location) == "x.yaml:10:6"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: no\n", [("no", "bool", "value")]),
        ("on: x\nyes: {null: y}\n", [("on", "bool", "key"), ("yes", "bool", "key"), ("null", "null", "key")]),
        ("1: x\n-5: y\n", []),
        ("1.5: x\n0755: y\n", [("1.5", "float", "key"), ("0755", "int", "key")]),
        ("'no': 'no'\n", []),
        ('"on": "on"\n', []),
        ("a: !!str no\n", []),
        ("a: |\n  no\n", []),
        (
            "a: [1:30, 2026-01-31, 1e3]\n",
            [("1:30", "int", "value"), ("2026-01-31", "timestamp", "value"), ("1e3", "str", "value")],
        ),
    ],
)
def test_plain_scalars_that_yaml_1_1_reads_otherwise_are_noted(
    text: str, found: list[tuple[str, str, str]]
) -> None:
    assert [(noted.text, noted.kind, noted.anchor) for noted in read(text).ambiguities] == found


def test_whole_numbers_written_as_decimals_are_noted() -> None:
    assert read("a: 1.0\n").has_whole_decimals
    assert read("a: [{b: 1e3}]\n").has_whole_decimals
    assert not read("a: 1\nb: 1.5\nc: '1.0'\n").has_whole_decimals


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!str 5", "5"),
        ("!!str", ""),
        ("!!int '5'", 5),
        ("!!float 1", 1),
        ("!!float '1.50'", Decimal("1.50")),
        ("!!bool 'true'", True),
        ("!!null ''", None),
        ("!!map {a: b}", {"a": "b"}),
        ("!!seq [a]", ["a"]),
    ],
)
def test_core_tags_are_obeyed(text: str, value: Any) -> None:
    assert read(f"x: {text}\n").data == {"x": value}


@pytest.mark.parametrize(
    "text",
    [
        "!!int x",
        "!!bool 1",
        "!!null x",
        "!!int 1.5",
        "!!binary aGk=",
        "!!timestamp 2026-01-31",
        "!mine {}",
        "!!set {a}",
    ],
)
def test_other_tags_and_values_that_do_not_fit_are_refused(text: str) -> None:
    assert refuse(f"x: {text}\n").code == "yaml-tag"


@pytest.mark.parametrize("text", ["!!float .inf", "!!int 1e999", "!!float 1e-999"])
def test_a_tag_does_not_make_a_number_of_what_json_cannot_write(text: str) -> None:
    assert refuse(f"x: {text}\n").code == "yaml-number"
