"""Syntax errors in words that help; the usual ones are in ``tests/cases/mistakes/syntax.txt``."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from mutations import garbled

from orpolicy.language.characters import find_forbidden_character
from orpolicy.language.source import Position, Source
from orpolicy.language.syntax import (
    SyntaxProblem,
    explain_missing_colon,
    explain_syntax_error,
)

TEXT = """\
model: "openai/gpt-5"
provider: {order: [azure, 'openai'], sort: {by: price}}
models:
  - a/b
  - &x c/d
system: |
  be kind
stop: [a, "b", *x]
# the end
"""


def explain(text: str) -> SyntaxProblem:
    try:
        yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        return explain_syntax_error(Source("x.yaml", text), error)
    raise AssertionError("this is YAML")


@pytest.mark.parametrize(
    "character",
    sorted({*map(chr, range(0x20)), "\x7f", "\x80", "\x9f", "\ufeff", "\ufffe", "\ud800"} - set("\t\n\r")),
    ids=ascii,
)
def test_characters_that_yaml_forbids_are_found(character: str) -> None:
    found = find_forbidden_character(Source("x.yaml", f"a: b\r\nc: {character}"))
    assert found is not None
    assert found[1] == Position(2, 4)


@given(
    text=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufeff\ufffe\uffff")
    )
)
def test_characters_that_yaml_allows_are_not(text: str) -> None:
    assert find_forbidden_character(Source("x.yaml", text + "\t\r\n\x85")) is None


@given(text=garbled(st.just(TEXT)))
def test_every_refusal_is_explained_inside_the_text(text: str) -> None:
    source = Source("x.yaml", text)
    try:
        yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.reader.ReaderError, UnicodeError):
        return  # characters that are found before
    except yaml.YAMLError as error:
        problem = explain_syntax_error(source, error)
        assert problem.code in ("yaml-syntax", "yaml-alias", "yaml-multiple-documents")
        assert problem.message
        assert Position(1, 1) <= problem.start <= problem.end
        assert problem.start.line <= len(source.lines)


def test_no_usual_accident_is_explained_in_the_parser_s_words() -> None:
    """Take every way to break a text at one place that an author is likely to find."""
    raw = re.compile(r"while (?:scanning|parsing)|<\w+|expected|could not|found ")
    told = []
    for at in range(len(TEXT)):
        for accident in (
            "",
            ": ",
            "- ",
            "'",
            '"',
            "[",
            "]",
            "{",
            "}",
            ",",
            "*",
            "&",
            "!",
            "%",
            "@",
            "`",
            "|",
            "?",
            "\t",
        ):
            text = TEXT[:at] + accident + TEXT[at + (not accident) :]
            try:
                yaml.compose(text, Loader=yaml.CSafeLoader)
            except yaml.YAMLError as error:
                problem = explain_syntax_error(Source("x.yaml", text), error)
                if raw.search(problem.message) or problem.hint is None:
                    told.append((accident, text[max(0, at - 10) : at + 10], problem.message))
    assert told == []


def test_a_long_text_is_explained_in_time() -> None:
    text = "metadata:\n" + "".join(f"  k{number}: v\n" for number in range(30_000)) + 'x: "\n'
    problem = explain(text)
    assert problem.start == Position(30_002, 4)
    assert problem.message == "a quote is opened and never closed"


@pytest.mark.parametrize(
    ("line", "help_"),
    [
        ("// bulk", "comments begin with '#'"),
        ("; bulk", "comments begin with '#'"),
        ("model:\xa0a/b", "a no-break space (U+00A0) follows the colon; replace it by an ordinary space"),
        ("model\uff1aa/b", "the colon is a full-width one (U+FF1A); replace it by ':'"),
        ("  - model:a/b", "write a space after the colon"),
        ("model a/b", "write 'key: value'"),
    ],
)
def test_a_line_without_a_colon_is_told_what_it_lacks(line: str, help_: str) -> None:
    assert explain_missing_colon(line) == help_
