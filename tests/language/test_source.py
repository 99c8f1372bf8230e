"""Texts and places in them."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.language.source import Path, Position, Source, from_pointer, to_pointer

parts = st.one_of(st.text(max_size=6).filter(lambda part: not part.isdecimal()), st.integers(0, 99))


@given(path=st.lists(parts, max_size=5).map(tuple))
def test_a_pointer_leads_back_to_its_path(path: Path) -> None:
    assert from_pointer(to_pointer(path)) == path


@pytest.mark.parametrize(
    ("path", "pointer"),
    [((), ""), (("a/b", 0), "/a~1b/0"), (("~", ""), "/~0/"), (("~1",), "/~01"), (("m", "é"), "/m/é")],
)
def test_a_pointer_is_written_as_in_rfc_6901(path: Path, pointer: str) -> None:
    assert to_pointer(path) == pointer
    assert from_pointer(pointer) == path


def test_a_pointer_starts_with_a_slash() -> None:
    with pytest.raises(ValueError, match="starts with '/': 'model'"):
        from_pointer("model")


@given(
    text=st.text(st.sampled_from(["a", " ", "\n", "\r", "\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c"]))
)
def test_joining_the_lines_with_their_breaks_loses_nothing(text: str) -> None:
    lines = Source("x", text).lines
    assert sum(map(len, lines)) + text.count("\r\n") <= len(text)
    assert "".join(lines) == "".join(
        character for character in text if character not in "\n\r\x85\u2028\u2029"
    )


@given(breaks=st.lists(st.sampled_from(["\n", "\r", "\r\n", "\x85", "\u2028", "\u2029"]), max_size=8))
def test_lines_are_counted_as_libyaml_counts_them(breaks: list[str]) -> None:
    text = "".join(f"k{number}: v{end}" for number, end in enumerate(breaks)) + "last: v"
    tokens = list(yaml.scan(text, Loader=yaml.CSafeLoader))
    (last,) = [token for token in tokens if isinstance(token, yaml.ScalarToken) and token.value == "last"]
    assert last.start_mark.line + 1 == len(Source("x", text).lines)


def test_a_line_is_found_by_its_number_and_is_empty_past_the_end() -> None:
    source = Source("x", "one\r\ntwo\n")
    assert [source.line(number) for number in (-1, 0, 1, 2, 3, 4)] == ["", "", "one", "two", "", ""]


def test_a_location_is_written_as_editors_want_it() -> None:
    assert str(Source("presets/a.yaml", "").locate(Position(4, 3), Position(4, 8))) == "presets/a.yaml:4:3"
