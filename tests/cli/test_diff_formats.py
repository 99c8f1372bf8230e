"""The formats of a diff: what files say is shown in each, and obeyed in none."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.cli.diff_markdown import LIMIT, quote, render_markdown, tag
from orpolicy.cli.diff_words import say_change, say_summary, say_value, write
from orpolicy.cli.diffs import render_json, render_text
from orpolicy.cli.snippet import visible
from orpolicy.language.source import Location, Position, Span
from orpolicy.review.changes import Cause, Change, Delta, Diff
from orpolicy.review.classes import Concern, Way
from orpolicy.review.diff_groups import find_alarming, group_changes

HOSTILE = [
    "a|b",
    "`rm`",
    "``` ` ```",
    "<script>alert(1)</script>",
    "</details>",
    "<!-- -->",
    "@everyone",
    "#1 and owner/repo#2",
    "[x](http://example.com)",
    "www.example.com",
    "*x* _y_ ~z~",
    "a\n\n# heading\r\n- item",
    "\\| \\`",
    "\x1b[31mred\u202egnirts",
    "$x$",
]
SECRET = "sk-or-v1-0123456789abcdef0123456789abcdef"


def at(file: str) -> Cause:
    return Cause("set", "new", Location(file, Span(Position(4, 3), Position(4, 9))))


def change(**values: Any) -> Change:
    given: dict[str, Any] = {"part": "body", "kind": "changed", "field": "/user", "old": "a", "new": "b"}
    return Change(**(given | values))


def diff_of(*deltas: Delta) -> Diff:
    variants: dict[str, tuple[str | None, ...]] = {}
    for delta in deltas:
        variants[delta.preset] = (*variants.get(delta.preset, ()), delta.environment)
    return Diff("old", "new", deltas, variants=variants)


def hostile(text: str) -> Diff:
    """A diff that holds a text in every place that files fill."""
    changes = (
        change(field=text, old=text, new=text + text, causes=(at(text),)),
        change(kind="item-added", item=text, old=None, new=2),
        change(
            part="route",
            kind="reach",
            field=text,
            old="excluded",
            new="eligible",
            item=[text],
            way=Way.LOOSENED,
        ),
        change(part="cost", kind="worst", field="worst case", old="1", new=None, notes=(None, text)),
        change(part="preset", kind="broken", field="preset", old={}, new={"findings": [text]}),
    )
    first = Delta(text, text, changes, renamed_from=text)
    found = diff_of(first, evolve(first, preset=text + "2"), Delta(text, None, changes[:1]))
    return evolve(found, old=text, new=text, environments_added=(text,))


OUTSIDE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)|<code>[^<]*</code>|</?(?:details|summary)>")
"""What is shown and not obeyed: code spans and code elements; and the tags that we write."""


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_files_say_is_markdown(text: str) -> None:
    harmless = OUTSIDE.sub("", render_markdown(hostile("plain")))
    assert OUTSIDE.sub("", render_markdown(hostile(text))) == harmless
    assert not re.search("[`<>@]", harmless)


@given(st.text(min_size=1))
def test_a_code_span_ends_where_we_end_it(text: str) -> None:
    span = quote(text)
    fence = re.match("`+", span)
    assert fence
    inside = span[fence.end() : -fence.end()]
    assert span.endswith(fence[0])
    assert "\n" not in inside
    assert fence[0] not in re.findall("`+", inside)
    assert inside.strip() == visible(text).strip()


@given(st.text(min_size=1))
def test_code_in_a_table_is_what_the_file_says_without_a_mark_of_markdown(text: str) -> None:
    inside = tag(text).removeprefix("<code>").removesuffix("</code>")
    assert not re.search(r"[|`<>*_\[\]\\@\n]", inside)
    assert unescape(inside) == visible(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_files_say_steers_a_terminal(text: str) -> None:
    shown = render_text(hostile(text))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)
    assert shown.count("\n") == render_text(hostile("plain")).count("\n")


def test_no_format_shows_a_secret() -> None:
    found = hostile(f"Bearer {SECRET}")
    for shown in (render_text(found), render_json(found), render_markdown(found)):
        assert SECRET not in shown
        assert SECRET[:20] not in shown


def test_a_comment_fits_what_github_takes() -> None:
    deltas = [
        Delta(f"preset-{number}", None, (change(new="x" * 300, old=str(number), causes=(at("y" * 200),)),))
        for number in range(1000)
    ]
    shown = render_markdown(diff_of(*deltas))
    assert LIMIT * 0.9 < len(shown) <= LIMIT
    assert re.search(r"\n\d+ groups of changes left out: .*`orpolicy diff` shows all\.\n$", shown)
    assert shown.count("<details>") == shown.count("</details>")


def test_json_is_complete_for_every_preset() -> None:
    deltas = [Delta(name, None, (change(causes=(at("base.yaml"),)),)) for name in ("one", "two")]
    told = json.loads(render_json(diff_of(*deltas)))
    assert told["version"] == 1
    assert [delta["preset"] for delta in told["presets"]] == ["one", "two"]
    cause = told["presets"][1]["changes"][0]["causes"][0]
    assert (cause["verb"], cause["file"], cause["line"], cause["column"]) == ("set", "base.yaml", 4, 3)


def test_changes_that_presets_share_are_told_once() -> None:
    shared, own = change(causes=(at("base.yaml"),)), change(field="/seed", old=1, new=2)
    groups = group_changes(
        diff_of(
            Delta("one", None, (shared,)), Delta("one", "prod", (shared, own)), Delta("two", None, (shared,))
        )
    )
    told = {tuple(map(str, group.members)): group.changes for group in groups}
    assert told == {("one in every environment", "two"): (shared,), ("one in prod",): (own,)}


def test_what_wants_to_be_looked_at_comes_first() -> None:
    loosened = change(way=Way.LOOSENED, concern=Concern.PRIVACY)
    tightened = change(way=Way.TIGHTENED, concern=Concern.COST)
    new = change(part="preset", kind="added", old=None, new={"findings": []})
    found = diff_of(
        Delta("a", None, (change(),)),
        Delta("b", None, (tightened,)),
        Delta("c", None, (loosened, tightened)),
        Delta("d", None, (new,)),
    )
    first = [group.members[0].preset for group in group_changes(found)]
    assert first == ["c", "d", "b", "a"]
    assert [str(member) for member in find_alarming(found)] == ["c", "d"]
    assert say_summary(found) == (
        "1 preset loosened (privacy: 1; 1 also tightened), 1 tightened, 1 neutral, 1 added"
    )


def text_of(one: Change) -> str:
    return write(say_change(one), str)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"old": None, "new": True, "kind": "added"}, "/user: not set → true"),
        ({"old": "not set", "new": None, "kind": "removed"}, '/user: "not set" → not set'),
        ({"kind": "item-moved", "item": "x", "old": 3, "new": 1}, "/user: x moved from place 3 to place 1"),
        ({"kind": "item-removed", "item": "x", "old": 3, "new": None}, "/user: - x in place 3"),
        ({"part": "policy", "field": "zdr", "old": True, "new": None}, "the policy's zdr: true → not set"),
        (
            {"part": "route", "kind": "reach", "field": "", "old": "excluded", "new": "unknown"},
            "the account's default model: now asked for",
        ),
        (
            {"part": "cost", "kind": "price", "field": "m at t", "item": "request", "old": "0", "new": "0.1"},
            "m at t: request price $0 → $0.1 a request",
        ),
        (
            {"part": "route", "kind": "availability", "old": "no_endpoints", "new": None},
            "somebody may serve it again; OpenRouter would have answered no_endpoints",
        ),
        (
            {"old": "a" * 90 + "one" + "b" * 90, "new": "a" * 90 + "two" + "b" * 90},
            f"/user: …{'a' * 24}one{'b' * 24}… → …{'a' * 24}two{'b' * 24}…",
        ),
    ],
)
def test_a_change_is_a_sentence(values: dict[str, Any], said: str) -> None:
    assert text_of(change(**values)) == said


def test_values_are_written_as_people_write_them() -> None:
    assert say_value(["a/b", "c d"]) == 'a/b, "c d"'
    assert say_value([]) == "[]"
    assert say_value({"type": "x"}) == '{"type": "x"}'
