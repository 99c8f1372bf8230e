"""The entry point: the version at once, everything else through click."""

from __future__ import annotations

import runpy
import sys

import pytest

import orpolicy
from orpolicy.cli.main import run


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_a_bare_version_is_printed_at_once(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["orpolicy", option])
    monkeypatch.setitem(sys.modules, "click", None)
    monkeypatch.delitem(sys.modules, "orpolicy.cli.verbs", raising=False)
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == 0
    assert capsys.readouterr().out == f"orpolicy {orpolicy.__version__}\n"


@pytest.mark.parametrize(("arguments", "code"), [(["rule", "--help"], 0), (["chekc"], 2)])
def test_everything_else_goes_to_the_verbs(
    arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["orpolicy", *arguments])
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == code
    assert "Usage: orpolicy" in "".join(capsys.readouterr())


def test_the_package_runs_as_a_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["orpolicy", "-V"])
    with pytest.raises(SystemExit):
        runpy.run_module("orpolicy", run_name="__main__")
    assert capsys.readouterr().out.startswith("orpolicy ")
