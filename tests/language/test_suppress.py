"""Comments that silence rules."""

from __future__ import annotations

import time

import pytest
from annotations import PRESET, annotate, check_text

from orpolicy.language.checker import check as check_all
from orpolicy.language.compiler import Compiler
from orpolicy.language.document import Document, read_document
from orpolicy.language.files import Memory
from orpolicy.language.rules import RULES
from orpolicy.language.source import Source
from orpolicy.language.suppress import find_suppressions, may_suppress
from orpolicy.language.workspace import Workspace


def read(text: str) -> Document:
    document = read_document(Source(PRESET, text)).document
    assert document is not None
    return document


def check(text: str) -> str:
    """Write the findings under the lines, without help and notes."""
    annotated = annotate(text, check_text(text))
    return "\n".join(line for line in annotated.split("\n") if not line.lstrip().startswith("= "))


def codes(text: str) -> list[str]:
    return [found.code for found in check_text(text)]


def test_a_comment_silences_its_own_line() -> None:
    assert codes("model: openai/gpt-5\nmax_tokens: 100.0\n") == ["integer-as-decimal"]
    assert codes("model: openai/gpt-5\nmax_tokens: 100.0  # orpolicy: ignore[integer-as-decimal]\n") == []


def test_a_comment_that_stands_alone_silences_the_next_line() -> None:
    assert codes("model: openai/gpt-5\n# orpolicy: ignore[integer-as-decimal]\nmax_tokens: 100.0\n") == []
    assert codes("model: openai/gpt-5\n  #orpolicy:ignore[ integer-as-decimal ]\nmax_tokens: 100.0\n") == []


def test_a_comment_silences_no_other_line() -> None:
    text = "# orpolicy: ignore[integer-as-decimal]\n\nmax_tokens: 100.0\nmodel: openai/gpt-5\n"
    assert codes(text) == ["unused-suppression", "integer-as-decimal"]
    text = "model: openai/gpt-5  # orpolicy: ignore[integer-as-decimal]\nmax_tokens: 100.0\n"
    assert codes(text) == ["unused-suppression", "integer-as-decimal"]


def test_a_comment_may_name_several_rules() -> None:
    text = "model: openai/gpt-5\nmetadata: {on: '1'}\n{}max_tokens: 100.0\n"
    assert codes(text.replace("{}", "")) == ["yaml-ambiguous", "integer-as-decimal"]
    comment = "# orpolicy: ignore[deprecated, integer-as-decimal]\n"
    assert codes(text.replace("{}", comment)) == ["yaml-ambiguous", "unused-suppression"]


def test_a_comment_silences_its_rule_only() -> None:
    text = "model: openai/gpt-5\nmax_tokens: 100.0  # orpolicy: ignore[yaml-ambiguous]\n"
    assert codes(text) == ["integer-as-decimal", "unused-suppression"]


def test_a_comment_silences_an_error_about_meaning() -> None:
    text = "model: openai/gpt-5\nprovider: {only: [azure], ignore: [azure]}"
    assert codes(text + "\n") == ["only-all-ignored"]
    assert codes(text + "  # orpolicy: ignore[only-all-ignored]\n") == []


def test_what_cannot_be_compiled_cannot_be_silenced() -> None:
    assert check("modle: openai/gpt-5  # orpolicy: ignore[unknown-key]\n") == (
        "modle: openai/gpt-5  # orpolicy: ignore[unknown-key]\n"
        "^^^^^ error unknown-key: unknown key 'modle'\n"
        "                                        ^^^^^^^^^^^ warning unused-suppression: this comment silences no finding of 'unknown-key'\n"
    )


@pytest.mark.parametrize("code", RULES)
def test_warnings_and_errors_about_meaning_may_be_silenced_and_nothing_else(code: str) -> None:
    rule = RULES[code]
    assert may_suppress(code) == (rule.severity != "error" or rule.family in ("meaning", "catalogue"))


def test_no_unknown_rule_may_be_silenced() -> None:
    assert not may_suppress("nothing-of-the-kind")


def test_a_comment_that_silences_nothing_is_reported_at_the_rule_it_names() -> None:
    assert check("model: openai/gpt-5  # orpolicy: ignore[deprecated]\n") == (
        "model: openai/gpt-5  # orpolicy: ignore[deprecated]\n"
        "                                        ^^^^^^^^^^ warning unused-suppression: this comment silences no finding of 'deprecated'\n"
    )


def test_a_comment_that_names_no_rule_is_reported_with_the_nearest_one() -> None:
    text = "# orpolicy: ignore[integer-as-decimals]\nmodel: openai/gpt-5\n"
    (found,) = check_text(text)
    assert (found.code, str(found.location), found.hint) == (
        "unknown-rule",
        f"{PRESET}:1:20",
        "did you mean 'integer-as-decimal'?",
    )


@pytest.mark.parametrize(
    "text",
    [
        "system: 'x # orpolicy: ignore[deprecated]'\n",
        'system: "x\n  # orpolicy: ignore[deprecated]\n  y"\n',
        "system: |\n  x\n  # orpolicy: ignore[deprecated]\n  y\n",
        "system: >-\n  # orpolicy: ignore[deprecated]\n",
        "metadata: {a: 'b # orpolicy: ignore[deprecated]', c: d}\n",
        "system: x# orpolicy:ignore[deprecated]\n",
        "system: x  # orpolicy ignore[deprecated]\n",
        "system: x  # orpolicy: ignore deprecated\n",
        "system: x  # noqa: orpolicy\n",
    ],
)
def test_what_only_looks_like_such_a_comment_is_none(text: str) -> None:
    assert find_suppressions(read(text)) == ()


@pytest.mark.parametrize(
    "text",
    [
        "system: |\n  x\n# orpolicy: ignore[deprecated]\nuser: y\n",
        "system: |  # orpolicy: ignore[deprecated]\n  x\n",
        "metadata: {  # orpolicy: ignore[deprecated]\n  a: b}\n",
        "system: 'x'  # orpolicy: ignore[deprecated]\n",
        "tools:  # orpolicy: ignore[deprecated]\n  - type: openrouter:datetime\n",
        "system: x  # because # orpolicy: ignore[deprecated]\n",
    ],
)
def test_what_is_such_a_comment_is_found_wherever_it_stands(text: str) -> None:
    assert [found.code for found in find_suppressions(read(text))] == ["deprecated"]


def test_comments_of_a_base_count_for_the_base_whoever_is_checked() -> None:
    files = {
        "presets/base.yaml": "max_tokens: 100.0  # orpolicy: ignore[integer-as-decimal, deprecated]\nabstract: true\n",
        "presets/own.yaml": "extends: base\nmodel: openai/gpt-5\n",
    }
    compiler = Compiler(Workspace(Memory(files)))
    assert [found.code for found in check_all(compiler)] == ["unused-suppression"]
    assert list(check_all(compiler, ["own"])) == []


def test_what_checks_because_of_a_comment_compiles() -> None:
    text = "model: openai/gpt-5\nprovider: {only: [azure], ignore: [azure]}  # orpolicy: ignore[only-all-ignored]\n"
    compiler = Compiler(Workspace(Memory({PRESET: text})))
    assert list(check_all(compiler)) == []
    assert compiler.compile("case").body["provider"] == {"only": ["azure"], "ignore": ["azure"]}


def test_many_comments_are_looked_up_in_time_that_grows_with_their_number() -> None:
    lines = "".join(f"  k{number}: v  # orpolicy: ignore[nothing]\n" for number in range(3_000))
    document = read(f"metadata:\n{lines}")
    started = time.process_time()
    assert len(find_suppressions(document)) == 3_000
    assert time.process_time() - started < 20


def test_a_comment_about_a_rule_that_is_off_does_no_harm() -> None:
    text = "# orpolicy: ignore[missing-max-tokens]\nmodel: openai/gpt-5\n"
    assert codes("model: openai/gpt-5\n") == []
    assert [code for code in codes(text) if code != "unused-suppression"] == []


def test_rules_that_are_off_are_found_once_they_are_switched_on() -> None:
    files = {
        "orpolicy.yaml": "rules: {missing-max-tokens: warning}\n",
        "presets/a.yaml": "model: openai/gpt-5\n",
    }
    assert [found.code for found in check_all(Compiler(Workspace(Memory(files))))] == ["missing-max-tokens"]
    del files["orpolicy.yaml"]
    assert list(check_all(Compiler(Workspace(Memory(files))))) == []
