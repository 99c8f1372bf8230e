"""``compile --skin``: the body for another endpoint, or what it cannot carry."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize(
    ("skin", "body"),
    [
        ("chat", {"max_tokens": 100, "model": "openai/gpt-5-mini"}),
        ("responses", {"max_output_tokens": 100, "model": "openai/gpt-5-mini"}),
        ("messages", {"max_tokens": 100, "model": "openai/gpt-5-mini"}),
    ],
)
def test_a_body_is_printed_in_a_skin(run, project, skin, body) -> None:
    result = run("compile", "fast", "--skin", skin)
    assert (result.exit_code, json.loads(result.stdout)) == (0, body)
    folder = run("compile", "presets/support", "--skin", skin)
    assert json.loads(folder.stdout) == body


def test_what_the_skin_cannot_carry_is_named_and_nothing_is_printed(run, project) -> None:
    (project / "presets" / "seeded.yaml").write_text("model: openai/gpt-5-mini\nseed: 7\nstop: [END]\n")
    result = run("compile", "seeded", "--skin", "responses")
    said = (
        "the skin 'responses' cannot carry this request: /seed has no place there; /stop has no place there"
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_an_unknown_skin_is_wrong_usage(run, project) -> None:
    result = run("compile", "fast", "--skin", "assistants")
    assert result.exit_code == 2
    assert "'chat', 'responses', 'messages'" in result.stderr
