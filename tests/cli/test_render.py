"""What a report looks like in every format, for every kind of text a span may lie in."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.cli.formats import FORMATS
from orpolicy.cli.render import View, summarise
from orpolicy.cli.snippet import WIDTH, Excerpt, visible
from orpolicy.language.diagnostics import Diagnostic, Related, Report, Severity
from orpolicy.language.source import Location, Position, Source, Span

FAST = Source("presets/fast.yaml", "description: quick\nmodel: openai/gpt-5\nprovider:\n  modle: no\n")
ORG = Source("presets/org.policy.yaml", "\n" * 11 + "zdr: true\n")


def span(*numbers: int) -> Span:
    line, column, end_line, end_column = numbers
    return Span(Position(line, column), Position(end_line, end_column))


def at(*numbers: int, file: str = FAST.name) -> Location:
    return Location(file, span(*numbers))


def view(*found: Diagnostic, color: bool = False, sources: tuple[Source, ...] = (FAST, ORG)) -> View:
    return View(Report(found), {source.name: source for source in sources}.get, color=color)


TYPO = Diagnostic(
    "unknown-key", Severity.ERROR, "unknown key 'modle'", at(4, 3, 4, 8), "did you mean 'model'?"
)
CONFLICT = Diagnostic(
    "policy-conflict",
    Severity.WARNING,
    "100% wrong, says: no",
    at(4, 10, 4, 12),
    "remove it\nor ask",
    (Related("the policy", at(12, 1, 12, 10, file=ORG.name)),),
)


def test_full_shows_place_line_carets_help_and_notes() -> None:
    assert FORMATS["full"](view(CONFLICT, TYPO)) == (
        "presets/fast.yaml:4:3: error: unknown key 'modle' [unknown-key]\n"
        "  4 |   modle: no\n"
        "    |   ^^^^^\n"
        "    help: did you mean 'model'?\n"
        "\n"
        "presets/fast.yaml:4:10: warning: 100% wrong, says: no [policy-conflict]\n"
        "   4 |   modle: no\n"
        "     |          ^^\n"
        "     help: remove it\n"
        "           or ask\n"
        "     note: the policy: presets/org.policy.yaml:12:1\n"
        "  12 | zdr: true\n"
        "     | ^^^^^^^^^\n"
    )


def test_a_long_span_shows_its_first_and_its_last_line() -> None:
    found = Diagnostic("bad-value", Severity.ERROR, "odd", at(1, 1, 4, 12))
    assert FORMATS["full"](view(found)) == (
        "presets/fast.yaml:1:1: error: odd [bad-value]\n"
        "  1 | description: quick\n"
        "    | ^^^^^^^^^^^^^^^^^^\n"
        "  ...\n"
        "  4 |   modle: no\n"
        "    |   ^^^^^^^^^\n"
    )


def test_concise_is_one_line_a_finding() -> None:
    assert FORMATS["concise"](view(CONFLICT, TYPO)) == (
        "presets/fast.yaml:4:3: error: unknown key 'modle' (did you mean 'model'?) [unknown-key]\n"
        "presets/fast.yaml:4:10: warning: 100% wrong, says: no (remove it␊or ask) [policy-conflict]\n"
    )


def test_json_holds_every_field_under_its_specified_name() -> None:
    assert json.loads(FORMATS["json"](view(CONFLICT))) == [
        {
            "code": "policy-conflict",
            "severity": "warning",
            "message": "100% wrong, says: no",
            "file": "presets/fast.yaml",
            "line": 4,
            "column": 10,
            "end_line": 4,
            "end_column": 12,
            "hint": "remove it\nor ask",
            "related": [
                {
                    "message": "the policy",
                    "file": "presets/org.policy.yaml",
                    "line": 12,
                    "column": 1,
                    "end_line": 12,
                    "end_column": 10,
                }
            ],
        }
    ]


def test_github_escapes_what_its_runner_reads_as_syntax() -> None:
    strange = Diagnostic("bad-value", Severity.ERROR, "a\r\nb", at(1, 1, 2, 3, file="a,b:c%.yaml"))
    assert FORMATS["github"](view(CONFLICT, strange)) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=1,endLine=2,title=bad-value::a%0D%0Ab\n"
        "::warning file=presets/fast.yaml,line=4,endLine=4,col=10,endColumn=12,title=policy-conflict::"
        "100%25 wrong, says: no%0Ahelp: remove it%0Aor ask%0Athe policy: presets/org.policy.yaml:12:1\n"
    )


@pytest.mark.parametrize("format_", ["full", "concise", "json", "github"])
def test_no_findings_render_as_nothing(format_: str) -> None:
    assert FORMATS[format_](view()).strip() in {"", "[]"}


def test_colour_is_added_around_the_same_text() -> None:
    coloured = FORMATS["full"](view(CONFLICT, TYPO, color=True))
    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == FORMATS["full"](view(CONFLICT, TYPO))


def test_a_credential_is_never_quoted() -> None:
    source = Source("a.yaml", "model: a\nuser: sk-or-v1-0123456789\n")
    found = [
        Diagnostic(
            "secret-in-file", Severity.ERROR, "looks like a credential", at(2, 7, 2, 27, file="a.yaml")
        ),
        Diagnostic("unknown-key", Severity.ERROR, "unknown key", at(2, 1, 2, 5, file="a.yaml")),
        Diagnostic("missing-key", Severity.ERROR, "missing", at(1, 1, 3, 1, file="a.yaml")),
    ]
    for render in FORMATS.values():
        text = render(view(*found, sources=(source,)))
        assert "secret-in-file" in text
        assert "0123456789" not in text


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_what_looks_like_a_credential_is_starred_out_wherever_it_stands(format_: str) -> None:
    secret = "sk-or-v1-" + "0123456789abcdef" * 4
    source = Source("a.yaml", f"a: [{'x, ' * 50}{secret}\n")
    place = at(1, 170, 1, 190, file="a.yaml")
    found = Diagnostic(
        "yaml-syntax", Severity.ERROR, f"odd {secret}", place, secret, (Related(secret, place),)
    )
    text = FORMATS[format_](view(found, sources=(source,)))
    assert "yaml-syntax" in text
    assert "0123456789" not in text


def test_a_place_without_a_text_has_no_snippet() -> None:
    found = Diagnostic("unreadable-file", Severity.ERROR, "is a directory", at(1, 1, 1, 1, file="x.yaml"))
    below = Diagnostic("yaml-syntax", Severity.ERROR, "ended too early", at(99, 1, 99, 1))
    text = FORMATS["full"](view(found, below))
    assert "|" not in text
    assert text.count("\n") == 3


@pytest.mark.parametrize(
    ("text", "place", "rows"),
    [
        ("a: b", (1, 4, 1, 5), [(1, "a: b", "   ^")]),
        ("", (1, 1, 1, 1), [(1, "", "^")]),
        ("a:\n\nb:", (2, 1, 2, 1), [(2, "", "^")]),
        ("a: b", (1, 40, 1, 50), [(1, "a: b", "    ^")]),
        ("a:\tb c", (1, 4, 1, 5), [(1, "a:    b c", "      ^")]),
        ("a: 日本 c", (1, 4, 1, 6), [(1, "a: 日本 c", "   ^^^^")]),
        ("a: e\u0301 c", (1, 4, 1, 6), [(1, "a: e\u0301 c", "   ^")]),
        ("a: \x1b[31m\x7f\u202e\x85b", (1, 4, 1, 5), [(1, "a: ␛[31m␡\ufffd", "   ^")]),
        (
            "a:\n  - b\n  - c\n  - d\n\n# end",
            (1, 1, 5, 1),
            [(1, "a:", "^^"), (None, "", ""), (4, "  - d", "  ^^^")],
        ),
        ("a:\n  b\n", (1, 1, 3, 1), [(1, "a:", "^^"), (2, "  b", "  ^")]),
        ("a: b  \n\n", (1, 4, 3, 1), [(1, "a: b", "   ^")]),
        ("a: b", (1, 4, 9, 9), [(1, "a: b", "   ^")]),
        ("a", (2, 1, 2, 1), []),
    ],
)
def test_rows_of_a_snippet(
    text: str, place: tuple[int, ...], rows: list[tuple[int | None, str, str]]
) -> None:
    found = [(row.number, row.text, row.carets) for row in Excerpt.of(Source("a", text)).rows(span(*place))]
    assert found == rows


@pytest.mark.parametrize("column", [1, 50, 5_000, 9_990])
def test_a_long_line_is_cut_around_its_span(column: int) -> None:
    line = "".join(f"{number:<5}" for number in range(2_000))
    [row] = Excerpt.of(Source("a", line)).rows(span(1, column, 1, column + 3))
    assert len(row.text) <= WIDTH + 2
    start = row.carets.index("^")
    assert row.carets[start:] == "^^^"
    assert row.text[start : start + 3].strip() == line[column - 1 : column + 2].strip()


texts = st.text(alphabet=st.characters() | st.sampled_from("\n\t\r\x1b日e\u0301\u2028 "), max_size=400)
numbers = st.integers(min_value=0, max_value=30) | st.integers(min_value=0, max_value=2**31)
spans = st.builds(Span, st.builds(Position, numbers, numbers), st.builds(Position, numbers, numbers))


@given(source=texts, places=st.lists(spans, max_size=3), message=texts, hint=st.none() | texts)
def test_any_text_and_any_span_can_be_shown(
    source: str, places: list[Span], message: str, hint: str | None
) -> None:
    related = tuple(Related(message, Location("a", place)) for place in places)
    found = [
        Diagnostic("bad-value", Severity.ERROR, message, Location("a", place), hint, related)
        for place in places
    ]
    shown = view(*found, sources=(Source("a", source),))
    for render in FORMATS.values():
        text = render(shown)
        assert "\x1b" not in text
        assert "\r" not in text
        assert "\u202e" not in text
    assert len(json.loads(FORMATS["json"](shown))) == len(set(found))
    assert len(FORMATS["github"](shown).splitlines()) == len(set(found))


@pytest.mark.parametrize(
    ("found", "summary"),
    [((), "no findings"), ((TYPO,), "1 error"), ((CONFLICT, TYPO), "1 error, 1 warning")],
)
def test_summary(found: tuple[Diagnostic, ...], summary: str) -> None:
    assert summarise(Report(found)) == summary


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", "∷error::x"),
        ("  ::add-mask::x", "  ∷add-mask::x"),
        ("\n::stop-commands::x", "␊::stop-commands::x"),
        ("a::error::x", "a::error::x"),
        ("::1", "::1"),
    ],
)
def test_no_text_of_others_begins_a_line_with_a_command_to_the_log(text: str, shown: str) -> None:
    assert visible(text) == shown
