"""Drift as text, JSON and Markdown: what people read, and what a hostile catalogue cannot do to them."""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal

from catalogs import CATALOG
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.cli.drifts import (
    MOST_MARKDOWN,
    MOST_NAMES,
    MOST_TITLE,
    Report,
    code,
    render_json,
    render_markdown,
    render_text,
    write_title,
)
from orpolicy.review.drift_kinds import Change, Concern, Drift, Kind

hostile = st.text(st.characters(), max_size=30) | st.sampled_from(
    [
        "`@everyone` <img src=x>",
        "a|b|c",
        "\\",
        "x\\|`|y",
        "\n# heading",
        "--> <script>",
        "<!-- orpolicy-drift: price-up-000000000000 -->",
        "[link](https://example.com) #1 https://example.com",
        "\x1b[2J\u202e\u2028",
        "a" * 500,
    ]
)


@st.composite
def drifts(draw: st.DrawFn) -> Drift:
    value = st.none() | hostile | st.decimals(0, 100, allow_nan=False)
    concern = st.builds(Concern, hostile, st.none() | hostile, hostile)
    change = st.builds(Change, hostile, value, value, st.sampled_from(["", "tokens"]))
    return Drift(
        draw(st.sampled_from(Kind)),
        tuple(draw(st.lists(hostile, min_size=1, max_size=2))),
        tuple(draw(st.lists(concern, min_size=1, max_size=3))),
        tuple(draw(st.lists(change, max_size=3))),
        draw(hostile),
    )


def report(*found: Drift) -> Report:
    return Report(found, "orpolicy.lock", "the catalogue of 2026-09-27", CATALOG, CATALOG)


def is_harmless(text: str) -> bool:
    """Tell whether a text holds no control, no line end, and nothing that reorders or hides."""
    return not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in text)


LINES = (
    r"`[^`]+` against the catalogue of 2026-09-27: [*a-z0-9, ]+\.",
    r"",
    r"## [A-Za-z_ ]+: `[^`]+`( at `[^`]+`)?",
    r"<!-- orpolicy-drift: [a-z-]+-[0-9a-f]{12} -->",
    r"\*\*(breaking|attention|news)\*\*(, `[^`]+`)?",
    r"\| what \| before \| after \| \|",
    r"\|---\|---\|---\|---\|",
    r"\| `[^`|]+` \| (`[^`|]+`)? \| (`[^`|]+`)? \| (tokens)?( ?\([+-][0-9.]+ %\))? \|",
    r"- `[^`]+`( in `[^`]+`)?(, `[^`]+`( in `[^`]+`)?)*(: `[^`]+`)?",
)
"""All that a page may hold; what comes from outside stands between backticks."""


@settings(max_examples=40)
@given(st.lists(drifts(), max_size=3))
def test_a_catalogue_cannot_leave_its_code_spans(found: list[Drift]) -> None:
    page = "\n".join(render_markdown(report(*found)))
    for line in page.split("\n"):
        assert any(re.fullmatch(pattern, line) for pattern in LINES), line
    assert page.count("<!--") == len(re.findall(r"^<!-- orpolicy-drift: \S+ -->$", page, re.MULTILINE)) + sum(
        span.count("<!--") for span in re.findall(r"`[^`\n]*`", page)
    )
    assert is_harmless(page.replace("\n", ""))


@settings(max_examples=40)
@given(st.lists(drifts(), max_size=3))
def test_a_catalogue_cannot_steer_a_terminal_or_add_lines(found: list[Drift]) -> None:
    lines = list(render_text(report(*found)))
    assert all(map(is_harmless, lines))
    titles = [line for line in lines if re.match(r"  \S", line)]
    assert titles == [f"  {write_title(one)}" for one in found]


@settings(max_examples=40)
@given(st.lists(drifts(), max_size=3))
def test_json_says_the_same_with_a_section_for_each_item(found: list[Drift]) -> None:
    data = json.loads(render_json(report(*found)))
    assert (data["format"], data["version"]) == ("orpolicy-drift", 1)
    assert sum(data["summary"].values()) == len(found) == len(data["items"])
    page = "\n".join(render_markdown(report(*found)))
    for item, drift in zip(data["items"], found, strict=True):
        assert (item["id"], item["title"]) == (drift.id, write_title(drift))
        assert len(item["title"]) <= MOST_TITLE
        assert is_harmless(item["title"])
        assert item["markdown"].strip() in page
        assert f"<!-- orpolicy-drift: {item['id']} -->" in item["markdown"]


def test_nothing_is_said_where_nothing_drifted() -> None:
    assert list(render_text(report())) == []
    assert list(render_markdown(report())) == [
        "`orpolicy.lock` against the catalogue of 2026-09-27: no drift."
    ]
    assert report().summarise() == "orpolicy.lock against the catalogue of 2026-09-27: no drift"


def test_a_page_holds_as_much_as_an_issue_can_and_counts_the_rest() -> None:
    found = [
        Drift(Kind.MODEL_REMOVED, (f"author/{'m' * 100}-{number}",), (Concern("one"),))
        for number in range(500)
    ]
    page = "\n".join(render_markdown(report(*found)))
    assert MOST_MARKDOWN - 2000 < len(page) < MOST_MARKDOWN
    shown = page.count("\n## ")
    assert page.endswith(f"\nAnd {500 - shown} more: `orpolicy drift --format json` lists all.")


def test_long_lists_are_counted_and_long_titles_end_with_the_id() -> None:
    many = tuple(Concern(f"p{number:03}") for number in range(50))
    changes = tuple(Change("model", None, f"m/{number}") for number in range(50))
    drift = Drift(Kind.CANDIDATES_ADDED, ("m/*",), many, changes)
    lines = list(render_text(report(drift)))
    assert lines[-2:] == [
        "    and 30 more",
        f"    in {', '.join(f'p{n:03}' for n in range(20))}, and 30 more",
    ]
    page = "\n".join(render_markdown(report(drift)))
    assert "\n| and 30 more | | | |\n" in page
    assert page.count("`m/") == MOST_NAMES + 1
    long, other = (Drift(Kind.MODEL_REMOVED, ("m" * 400 + last,), many) for last in "ab")
    assert len(write_title(long)) == MOST_TITLE
    assert write_title(long).endswith(f"… {long.id}")
    assert write_title(long) != write_title(other)


def test_numbers_are_told_with_unit_and_percentage() -> None:
    changes = (
        Change("prompt", Decimal("1.5"), Decimal("1.2"), "USD per million tokens"),
        Change("request", Decimal(0), Decimal("0.01"), "USD per request"),
        Change("leaves on", None, "2026-10-01"),
        Change("model", "m/a", None),
    )
    text = list(
        render_text(report(Drift(Kind.PRICE_DOWN, ("m/a", "t"), (Concern("one", "prod", "how"),), changes)))
    )
    assert text == [
        "news",
        "  Price down: m/a at t",
        "    prompt: 1.5 → 1.2 USD per million tokens (-20 %)",
        "    request: 0 → 0.01 USD per request",
        "    leaves on: 2026-10-01",
        "    model: - m/a",
        "    in one [prod]: how",
    ]


def test_a_code_span_is_never_empty() -> None:
    assert code("") == code("  ") == "` `"
    assert code("a`b|c") == "`a'b\N{BROKEN BAR}c`"
