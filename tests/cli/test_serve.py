"""``orpolicy serve``: a process that serves until it is interrupted, and says what it needs."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from attrs import evolve
from click.testing import CliRunner

from orpolicy.cli import serve
from orpolicy.cli.verbs import command
from orpolicy.emulator import server
from orpolicy.routing.snapshot import demonstration, write_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytest.importorskip("uvicorn")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["serve", *arguments], prog_name="orpolicy")


@pytest.mark.skipif(sys.platform == "win32", reason="needs the signal that Ctrl-C sends")
@pytest.mark.parametrize("before", [signal.default_int_handler, signal.SIG_IGN], ids=["heard", "ignored"])
def test_it_serves_until_it_is_interrupted(tmp_path: Path, before: Any) -> None:
    """Shells start what they put into the background with the signal ignored."""
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults: [{kind: status, status: 429, retry_after: 3}, {kind: cut}]")
    usual = signal.signal(signal.SIGINT, before)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "orpolicy", "serve", "--port", "0", "--faults", str(faults)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, usual)
    with process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            with httpx.Client(base_url=url, timeout=10) as client:
                assert client.get("/providers").status_code == 200
                body = {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
                reply = client.post("/chat/completions", json=body)
                assert (reply.status_code, reply.headers["retry-after"]) == (429, "3")
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, output) == (0, "")
    first, last = errors.splitlines()
    assert first.startswith("a local OpenRouter out of the demonstration catalogue of ")
    assert first.endswith(", 2 scripted; Ctrl-C ends it")
    assert last == "ended"


def test_it_serves_the_catalogue_that_it_is_given(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def serve_nothing(emulator: Any, listening: Any) -> None:
        given.append(emulator.world)
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "serve", serve_nothing)
    file = tmp_path / "snapshot.json"
    file.write_text(write_snapshot(evolve(demonstration(), models=demonstration().models[:1])))
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults: [{kind: slow}]")
    for arguments in ([], ["--catalog", str(file)], ["--faults", str(faults)]):
        result = run("--port", "0", *arguments)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.startswith("http://127.0.0.1:")
        assert result.stderr.endswith("ended\n")
    assert [len(world.catalog.models) for world in given] == [
        len(demonstration().models),
        1,
        len(demonstration().models),
    ]
    assert [len(world.faults) for world in given] == [0, 0, 1]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda name: None if name == "starlette" else object())
    result = run()
    assert result.exit_code == 2
    assert result.stderr == "Error: serving needs the extra 'serve': pip install 'orpolicy[serve]'\n"


def test_a_port_in_use_is_wrong_usage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("--port", str(port))
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"cannot listen on 127.0.0.1, port {port}: " in result.stderr


def test_a_host_that_is_not_there_is_wrong_usage() -> None:
    result = run("--host", "no-such-host.invalid", "--port", "0")
    assert result.exit_code == 2
    assert "cannot listen on no-such-host.invalid, port 0: " in result.stderr


def test_a_wrong_file_of_faults_is_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults: [{kind: no}]")
    result = run("--faults", str(file))
    assert result.exit_code == 2
    assert "'kind' must be one of" in result.stderr
