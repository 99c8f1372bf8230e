"""The group, its help, and the verbs that need no project."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import orpolicy
from orpolicy.cli.verbs import VERBS, command
from orpolicy.language.rules import RULES, read_page
from orpolicy.resources import schema_kinds, schema_text

if TYPE_CHECKING:
    from click.testing import Result


def run(*arguments: str, **options: str) -> Result:
    """Run the command line in-process."""
    return CliRunner().invoke(command, arguments, prog_name="orpolicy", **options)


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_the_same_with_and_without_click(option: str) -> None:
    shortcut = subprocess.run(
        [sys.executable, "-m", "orpolicy", option], capture_output=True, text=True, check=True
    ).stdout
    assert shortcut == run(option).output == f"orpolicy {orpolicy.__version__}\n"


def test_help_lists_the_verbs_in_the_order_of_a_first_day() -> None:
    text = run("--help").output
    listed = [line.split()[0] for line in text.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()]
    assert listed == list(VERBS)
    assert run().output == text


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_fits_a_terminal_and_shows_an_example(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"  orpolicy {verb} " in result.output
    assert max(map(len, result.output.splitlines())) <= 100
    assert result.output.isascii()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc"], "No such command 'chekc'. Did you mean 'check'?"),
        (["check", "--projct", "x"], "No such option '--projct'. Did you mean '--project'?"),
        (["rule", "unknwn-key"], "there is no rule 'unknwn-key'; did you mean 'unknown-key'?"),
        (["schema", "presets"], "there is no kind 'presets'; did you mean 'preset'?"),
        (["rule", "qqqq"], "there is no rule 'qqqq'; 'orpolicy rule' lists them all"),
        (["schema", "x"], "there is no kind 'x'; there are: policy, preset, project, test"),
        (
            ["check", "--output-format", "xml"],
            "there is no format 'xml'; there are: full, concise, json, github, sarif, junit",
        ),
        (
            ["check", "--output-format", "json", "--output-format", "full"],
            "only one --output-format can go to stdout",
        ),
        (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'."),
    ],
)
def test_wrong_usage_is_said_with_what_would_be_right(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("kind", schema_kinds())
def test_schema_prints_the_file_as_it_is(kind: str) -> None:
    result = run("schema", kind)
    assert (result.exit_code, result.output) == (0, schema_text(kind))
    assert json.loads(result.output)["$id"]


@pytest.mark.parametrize("code", ["duplicate-key", "unknown-key"])
def test_rule_prints_the_page_of_a_rule(code: str) -> None:
    result = run("rule", code)
    assert (result.exit_code, result.output) == (0, read_page(code).text)


def test_rule_without_a_code_lists_every_rule_on_a_line() -> None:
    lines = run("rule").output.splitlines()
    listed = {line.split()[0]: line.split()[1] for line in lines if line.startswith("  ")}
    assert listed == {code: rule.severity for code, rule in RULES.items()}


@pytest.mark.parametrize(
    ("shell", "mark"), [("bash", "complete -o nosort"), ("zsh", "compdef"), ("fish", "complete ")]
)
def test_completion_prints_a_script_for_the_shell(shell: str, mark: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert mark in result.output
    assert "_ORPOLICY_COMPLETE" in result.output


def complete(line: str) -> list[str]:
    """Name what the shell would offer at the end of a line."""
    words = line.split(" ")
    environment = {
        "_ORPOLICY_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    result = CliRunner().invoke(command, [], prog_name="orpolicy", env=environment)
    return [word.partition(",")[2] for word in result.output.splitlines()]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("orpolicy ch", ["check"]),
        ("orpolicy rule unknown-k", ["unknown-key"]),
        ("orpolicy schema p", ["policy", "preset", "project"]),
        ("orpolicy check --output-format g", ["github"]),
        ("orpolicy completion b", ["bash"]),
    ],
)
def test_words_are_completed(line: str, offered: list[str]) -> None:
    assert complete(line) == offered
