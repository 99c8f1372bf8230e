"""``orpolicy run``: the answer on stdout, who gave it on stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from orpolicy.cli import run as module
from orpolicy.client.client import Client

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

REPLY = {
    "id": "gen-1",
    "model": "openai/gpt-5-mini",
    "provider": "OpenAI",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Hi \x1b[31mthere\n"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "cost": 0.0000123},
}


def answer(monkeypatch: pytest.MonkeyPatch, status: int, body: object) -> list[httpx.Request]:
    """Let the network answer like this, and return the list that its requests will be put on."""
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status, json=body)

    http = httpx.Client(transport=httpx.MockTransport(handle))
    monkeypatch.setattr(module, "_open_client", lambda **_: Client("sk-or-v1-0123456789", http=http))
    return requests


@pytest.mark.parametrize("options", [[], ["--stream"]])
def test_an_offline_answer_says_that_it_is_simulated(options: list[str], run: Run, project: Path) -> None:
    result = run("run", "fast", "Hello", "--offline", *options)
    assert result.exit_code == 0
    assert result.stdout.startswith("[simulated] ")
    assert result.stdout.endswith("\n")
    assert result.stderr.startswith("[simulated answer of openai/gpt-5-mini; provider ")
    assert "tokens; cost $0." in result.stderr


def test_json_is_the_whole_answer(run: Run, project: Path) -> None:
    body = json.loads(run("run", "fast", "Hello", "--offline", "--json").stdout)
    assert body["object"] == "chat.completion"
    lines = run("run", "fast", "Hello", "--offline", "--json", "--stream").stdout.splitlines()
    assert {json.loads(line)["object"] for line in lines} == {"chat.completion.chunk"}
    assert json.loads(lines[-1])["usage"]["cost"] == pytest.approx(body["usage"]["cost"])


def test_the_prompt_may_come_from_standard_input(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = answer(monkeypatch, 200, REPLY)
    result = run("run", "fast", "-", "-e", "prod", input="Wo ist Zürich?\n")
    [request] = requests
    body = json.loads(request.content)
    assert body["messages"] == [{"role": "user", "content": "Wo ist Zürich?\n"}]
    assert body["max_tokens"] == 200
    assert result.stdout == "Hi \x1b[31mthere\n\n"
    assert result.stderr == (
        "[answer of openai/gpt-5-mini; provider OpenAI; 3 prompt + 2 completion tokens; cost $0.0000123]\n"
    )


def test_tool_calls_and_refusals_are_printed(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"n": 1}'}}
    message = {"role": "assistant", "content": None, "refusal": "I had rather not", "tool_calls": [call]}
    answer(monkeypatch, 200, {"model": "m", "choices": [{"finish_reason": "tool_calls", "message": message}]})
    result = run("run", "fast", "Hello")
    assert result.stdout == 'I had rather not\nfind({"n": 1})\n'
    assert result.stderr == "[answer of m]\n"


def test_an_answer_without_a_cost_says_so(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, 200, {**REPLY, "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
    assert run("run", "fast", "Hello").stderr.endswith("; cost unknown]\n")


def test_a_refused_request_is_a_failure_of_the_world(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, 402, {"error": {"code": 402, "message": "no credits; your key sk-or-v1-0123456789"}})
    result = run("run", "fast", "Hello")
    assert result.exit_code == 3
    assert "no credits" in result.stderr
    assert "0123456789" not in result.output
    assert result.stdout == ""


def test_without_a_key_it_is_said_where_the_key_belongs(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    result = run("run", "fast", "Hello")
    assert result.exit_code == 2
    assert "OPENROUTER_API_KEY" in result.stderr


def test_a_terminal_is_not_steered_by_an_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    module._print("a\x1b[31m\tb\n\x9bc")
    assert capsys.readouterr().out == "a\ufffd[31m\tb\n\ufffdc\n"


def test_a_preset_with_errors_is_not_sent(run: Run, project: Path) -> None:
    (project / "presets/fast.yaml").write_text("modle: x\n")
    result = run("run", "fast", "Hello", "--offline")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "presets/fast.yaml:1:1: error: unknown key 'modle'" in result.stderr
