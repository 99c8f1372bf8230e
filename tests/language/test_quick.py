"""The quick way to read a document and the careful one agree, and most documents go the quick way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from mutations import garbled
from strategies import presets

from orpolicy.language.nodes import compose
from orpolicy.language.quick import LONGEST, read_quickly
from orpolicy.language.source import Source
from orpolicy.language.walk import MAX_NODES, Walk
from orpolicy.language.writer import write_preset

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-or-v1-0123456789abcdef0123456789abcdef"

WORDS = st.sampled_from(
    [*"ab~y{}[]\n", "no", "12", "1.0", "0.5", "'q'", '"\\x41"', "&x", "*x", "!!str", "<<", "? ", ": ", ", "]  # noqa: RUF005 - two lines read better than twenty
    + [
        "- ",
        "\n  ",
        "#c",
        "1:30",
        ".inf",
        "0x1f",
        "null",
        '"\\n"',
        '"\\"',
        "\\n",
        "\\\\",
        "\\u0041",
        '"',
        "'",
        "\\",
    ]
)


def agree(text: str) -> bool:
    """Hold the quick reading of a text against the careful one; tell whether there is one."""
    try:
        root = compose(text)
    except yaml.YAMLError:
        return False
    quick = read_quickly(text, root)
    if quick is None:
        return False
    walk = Walk(Source("x.yaml", text))
    assert repr(quick) == repr(walk.read(root))
    assert (walk.diagnostics, walk.ambiguities, walk.has_whole_decimals) == ([], [], False)
    return True


@given(text=presets().map(write_preset))
def test_what_is_read_quickly_is_what_the_walk_reads(text: str) -> None:
    agree(text)


@given(text=garbled(presets().map(write_preset)))
def test_garbled_texts_are_read_alike(text: str) -> None:
    agree(text)


@given(words=st.lists(WORDS, max_size=14))
@example(words=["a", ": ", "&x", "b", "\n", "b", ": ", "*x"])
def test_every_construct_is_read_alike(words: list[str]) -> None:
    agree("".join(words))
    agree("k: " + "".join(words))


def test_presets_as_people_write_them_are_read_quickly(root: Path) -> None:
    files = sorted((root / "presets").rglob("*.yaml"))
    slow = [file.name for file in files if not agree(file.read_text(encoding="utf-8"))]
    assert len(slow) * 10 <= len(files), slow


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "a: 1\na: 2\n",
        "<<: {a: 1}\n",
        "a:\n  ?\n  : 1\n",
        "? [a]\n: 1\n",
        "? {a: 1}\n: 1\n",
        "no: 1\n",
        "a: no\n",
        "a: [1:30]\n",
        "a: 1.0\n",
        "a: .inf\n",
        "a: [.nan]\n",
        "a: !x [1]\n",
        "a: !x {b: 1}\n",
        "a: [!x b]\n",
        "!x a: 1\n",
        '"a\\x62": 1\n',
        'a: "b\\\n  c"\n',
        "'a\\': \"\\x62\"\n",
        f'a: "\\n{KEY}"\n',
        f'a: "\\\\\\t{KEY}"\n',
        "- a\n",
        "a\n",
        "",
        f"a: {'x' * LONGEST}\n",
    ],
)
def test_whatever_there_is_something_to_say_about_is_left_to_the_walk(text: str) -> None:
    root: Any = compose(text)
    assert read_quickly(text, root) is None


def test_escapes_that_people_write_are_no_reason_for_the_walk() -> None:
    assert agree('a: ["\\n\\n", "say \\"it\\"", "a\\tb", "c:\\\\d"]\nb: \'\\n\'\n')


def test_no_text_that_is_read_quickly_holds_too_many_nodes() -> None:
    assert LONGEST * 2 <= MAX_NODES
    text = "a: [" + "x," * ((LONGEST - 10) // 2) + "]"
    walk = Walk(Source("x.yaml", text))
    walk.read(compose(text))
    assert not walk.diagnostics
    assert agree(text)


def test_what_was_read_before_is_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orpolicy.language.quick.MOST_SCALARS", 3)
    assert all(agree(f"key{number}: value{number}\n") for number in range(9))
