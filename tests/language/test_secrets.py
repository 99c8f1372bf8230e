"""Credentials in a file are an error wherever they stand, and no output quotes them."""

from __future__ import annotations

import json

import pytest
from annotations import PRESET, check_text
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.language.checker import check
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.secrets import find_secrets, holds_secret, redact
from orpolicy.language.workspace import Workspace

SECRET = "sk-or-v1-0123456789abcdef0123456789abcdef"

CREDENTIALS = [
    SECRET,
    "sk-or-0123abcd",
    "sk-proj-0123456789abcdefABCDEF",
    "sk-ant-api03-0123456789abcdef_-AA",
    "sk-0123456789abcdefABCDEF0123456789",
    "Bearer 0123456789abcdef.~+/=",
    "bearer   0123456789abcdef",
    "AKIA0123456789ABCDEF",
    "ghp_0123456789abcdefghij0123",
    "AIza0123456789abcdefghij0123456789_-abc",
]
HARMLESS = [
    *(
        "sk-or",
        "sk-or-v1",
        "sk-or-<your key>",
        "task-force-0123456789abcdef",
        "risk-0123456789abcdefgh",
        "sk-short",
    ),
    *(
        "Bearer",
        "the bearer of this",
        "a Bearer token",
        "AKIA",
        "ghp_short",
        "OPENROUTER_API_KEY",
        "desk-0123456789abcdefgh",
    ),
]


@pytest.mark.parametrize("text", CREDENTIALS)
def test_what_looks_like_a_credential_is_one(text: str) -> None:
    assert holds_secret(f"before {text} after")
    assert [f"before {text} after"[start:end] for start, end in find_secrets(f"before {text} after")] == [
        text
    ]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_reminds_of_a_credential_is_none(text: str) -> None:
    assert not holds_secret(text)
    assert redact(text) == text


@given(before=st.text(max_size=10), after=st.text(max_size=10), secret=st.sampled_from(CREDENTIALS))
def test_redaction_leaves_no_credential_and_every_column(before: str, after: str, secret: str) -> None:
    text = f"{before} {secret} {after}"
    redacted = redact(text)
    assert not holds_secret(redacted)
    assert len(redacted) == len(text)
    assert redact(redacted) == redacted


PLACES = {
    "a value": (f"user: {SECRET}\n", "1:1"),
    "a part of a value": (f"user: 'the key {SECRET} of Bob'\n", "1:1"),
    "a key": (f"{SECRET}: x\n", "1:1"),
    "an item": (f"stop:\n  - {SECRET}\n", "2:5"),
    "deep inside": (f"metadata: {{a: b, c: {SECRET}}}\n", "1:18"),
    "the body of a header": (f"trace: {{authorization: Bearer {SECRET}}}\n", "1:9"),
    "a line of a block": (f"system: |\n  be kind\n  use {SECRET}\n", "3:7"),
    "a line of a quoted text": (f'system: "be kind\n  use {SECRET}"\n', "2:7"),
    "behind an escape": (f'user: "{SECRET.replace("-", chr(92) + "x2d", 1)}"\n', "1:1"),
    "behind a JSON escape": (f'{{"user": "\\u0073{SECRET[1:]}"}}\n', "1:2"),
    "over two lines": (f'user: "{SECRET[:20]}\\\n  {SECRET[20:]}"\n', "1:8"),
    "a comment": (f"user: x  # {SECRET}\n", "1:12"),
    "a comment alone": (f"user: x\n# {SECRET}\n", "2:3"),
    "a comment that silences": (f"user: x  # orpolicy: ignore[{SECRET}]\n", "1:29"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_credential_is_found_and_not_quoted(place: str) -> None:
    text, at = PLACES[place]
    (found,) = check_text(text)
    assert (found.code, str(found.location)) == ("secret-in-file", f"{PRESET}:{at}")
    assert not holds_secret(f"{found.message} {found.hint}")


BROKEN = {
    "a quote that is never closed": f'user: "{SECRET}\n',
    "an alias": f"user: *{SECRET}\n",
    "an anchor twice": f"user: &{SECRET} x\nsystem: &{SECRET} y\n",
    "a tag": f"user: !{SECRET} x\n",
    "a core tag": f"seed: !!int {SECRET}\n",
    "a second colon": f"user: x: {SECRET}\n",
    "a line without a colon": f"user: x\n{SECRET}\n",
    "a key twice": f"{SECRET}: x\n{SECRET}: y\n",
    "a root that is text": f"{SECRET}\n",
    "a root that is a list": f"- {SECRET}\n",
    "a directive": f"%{SECRET}\n---\nuser: x\n",
    "an escape": f'user: "\\q{SECRET}"\n',
    "a second document": f"user: x\n--- {SECRET}\n",
    "brackets": f"stop: [{SECRET}\nuser: x\n",
    "a merge key": f"trace: {{<<: {SECRET}}}\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_text_that_cannot_be_read_gives_no_credential_away(name: str) -> None:
    report = check_text(BROKEN[name])
    assert "secret-in-file" in {found.code for found in report}
    for found in report:
        said = json.dumps([found.message, found.hint, [related.message for related in found.related]])
        assert not holds_secret(said)


def test_a_prompt_in_a_file_holds_no_credential() -> None:
    files = {
        PRESET: "model: openai/gpt-5\nsystem: {file: prompt.md}\n",
        "presets/prompt.md": f"Use {SECRET}.\n",
    }
    (found,) = check(Compiler(Workspace(Memory(files))))
    assert (found.code, str(found.location)) == ("secret-in-file", f"{PRESET}:2:16")


@pytest.mark.parametrize("file", ["orpolicy.yaml", "presets/org.policy.yaml"])
def test_no_file_of_a_project_may_hold_one(file: str) -> None:
    (found,) = check_text(f"description: {SECRET}\n", file)
    assert found.code == "secret-in-file"


@given(text=st.text(st.sampled_from("skorBbear -v1AKIghpz_AIz0123456789abcdef"), max_size=60))
def test_a_look_for_marks_misses_no_credential(text: str) -> None:
    assert holds_secret(text) == any(True for _ in find_secrets(text))


@pytest.mark.parametrize("text", CREDENTIALS)
@pytest.mark.parametrize("before", ["\n", "\t", "\r\n", "\x00", "\u2028", "a\n", '"'])
def test_no_credential_hides_behind_what_json_escapes(before: str, text: str) -> None:
    written = json.dumps({"system": f"{before}{text}"})
    assert redact(written) != written
    assert text not in redact(written)
