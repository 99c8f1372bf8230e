"""Bad input of every kind: a clear finding, exit 1 (2 for wrong usage), in bounded time, and no secret anywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from orpolicy.cli.formats import FORMATS
from orpolicy.cli.verbs import command

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SECRET = "sk-or-v1-" + "5ec2e7" * 10
BOMB = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

TEXTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "yaml-root"),
    "blank": (b"\n\n# nothing\n", "yaml-root"),
    "not UTF-8": (b"model: caf\xe9\n", "yaml-encoding"),
    "UTF-16": ("model: openai/gpt-5\n".encode("utf-16"), "yaml-encoding"),
    "NUL": (b"model: a\x00b\n", "yaml-encoding"),
    "control characters": (b"model: \x1b[31mred\x07\n", "yaml-encoding"),
    "10 MB": (b"model: openai/gpt-5\n# " + b"x" * 10_000_000, "yaml-limit"),
    "10 MB on a line": (b"model: " + b"a" * 10_000_000, "yaml-limit"),
    "flow of depth 10,000": (b"a: " + b"[" * 10_000 + b"]" * 10_000, "yaml-limit"),
    "mappings of depth 10,000": (b"a: " + b"{a: " * 10_000 + b"}" * 10_000, "yaml-limit"),
    "open brackets": (b"a: " + b"[" * 10_000, "yaml-limit"),
    "blocks of depth 1,000": (b"".join(b" " * depth + b"a:\n" for depth in range(1_000)), "yaml-limit"),
    "billion laughs": (BOMB.encode(), "yaml-limit"),
    "an alias of itself": (b"model: openai/gpt-5\nmetadata: &a {b: *a}\n", "yaml-alias"),
    "a tag": (b"model: !!python/object/apply:os.system [ls]\n", "yaml-tag"),
    "a credential": (f"model: openai/gpt-5\nuser: {SECRET}\n".encode(), "secret-in-file"),
    "a credential as a key": (f"model: openai/gpt-5\n{SECRET}: x\n".encode(), "secret-in-file"),
    "a credential in a comment and an error": (f"model: [  # {SECRET}\n".encode(), "yaml-syntax"),
    "a credential deep inside": (f"metadata: {{a: 'x{SECRET}'}}\n".encode(), "secret-in-file"),
    "a bearer token": (f"user: Bearer {'A1' * 20}\n".encode(), "secret-in-file"),
}


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    """Run the command line in-process and hold it to what every run owes."""
    result = CliRunner().invoke(command, arguments, prog_name="orpolicy", input=stdin)
    assert "Traceback" not in result.output
    assert "a bug in" not in result.output
    assert "5ec2e7" not in result.output
    assert "A1A1" not in result.output
    assert "\x1b" not in result.output
    return result


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project as the working directory."""
    folder = tmp_path / "project"
    (folder / "presets").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("verb", ["check", "compile", "explain"])
def test_a_text_that_cannot_be_read_is_a_finding(name: str, verb: str, project: Path) -> None:
    raw, code = TEXTS[name]
    (project / "presets" / "a.yaml").write_bytes(raw)
    result = run(verb, "a")
    assert result.exit_code == 1
    assert f"[{code}]" in result.output
    assert "presets/a.yaml:" in result.output
    assert len(result.output) < 3_000


@pytest.mark.parametrize("name", TEXTS)
def test_the_same_text_is_the_same_finding_on_standard_input_and_outside_a_project(
    name: str, tmp_path: Path
) -> None:
    raw, code = TEXTS[name]
    (tmp_path / "a.yaml").write_bytes(raw)
    for result in (run("check", str(tmp_path / "a.yaml")), run("check", "-", stdin=raw)):
        assert result.exit_code == 1
        assert f"[{code}]" in result.output


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_no_format_shows_a_secret(format_: str, project: Path) -> None:
    for name, (raw, _) in TEXTS.items():
        if "credential" in name or "token" in name:
            (project / "presets" / f"{name}.yaml").write_bytes(raw)
    assert run("check", "--output-format", format_).exit_code == 1


def test_a_broken_project_file_is_a_finding(project: Path) -> None:
    (project / "orpolicy.yaml").write_text("presets: [")
    (project / "presets" / "a.yaml").write_text("model: openai/gpt-5\n")
    result = run("check")
    assert result.exit_code == 1
    assert "orpolicy.yaml:1:" in result.output


def test_a_folder_in_place_of_a_preset_is_named(project: Path) -> None:
    (project / "presets" / "a.yaml").mkdir()
    result = run("check", "presets/a.yaml")
    assert result.exit_code == 2
    assert "holds no presets" in result.output


def test_a_link_to_nowhere_is_a_finding(project: Path) -> None:
    (project / "presets" / "a.yaml").symlink_to("nowhere.yaml")
    for target in ("a", "presets/a.yaml"):
        result = run("check", target)
        assert result.exit_code == 1
        assert "[unreadable-file]" in result.output


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_in_place_of_a_preset_does_not_block(project: Path) -> None:
    os.mkfifo(project / "presets" / "a.yaml")
    result = run("check")
    assert result.exit_code == 1
    assert "[unreadable-file]" in result.output


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_finding(project: Path) -> None:
    (project / "presets" / "a.yaml").write_text("model: openai/gpt-5\n")
    (project / "presets" / "a.yaml").chmod(0)
    result = run("check")
    assert result.exit_code == 1
    assert "[unreadable-file]" in result.output


@pytest.mark.parametrize(
    "file",
    [
        "../../secret.txt",
        "/etc/hostname",
        "link.txt",
        "linked/secret.txt",
        ".",
        "missing.txt",
        "latin.txt",
        "big.txt",
    ],
)
def test_a_system_prompt_stays_inside_the_project(file: str, project: Path) -> None:
    (project.parent / "secret.txt").write_text(f"the key is {SECRET} and 5ec2e7")
    (project / "presets" / "link.txt").symlink_to(project.parent / "secret.txt")
    (project / "presets" / "linked").symlink_to(project.parent)
    (project / "presets" / "latin.txt").write_bytes(b"caf\xe9")
    (project / "presets" / "big.txt").write_bytes(b"x" * 2_000_000)
    (project / "presets" / "a.yaml").write_text(f"model: openai/gpt-5\nsystem: {{file: {file}}}\n")
    for verb in ("check", "compile", "explain"):
        result = run(verb, "a")
        assert result.exit_code == 1
        assert "presets/a.yaml:2:16: error:" in result.output
        assert "[system-file]" in result.output or "[bad-value]" in result.output


def test_a_preset_behind_a_link_out_of_the_project_is_not_read(project: Path) -> None:
    (project.parent / "outside.yaml").write_text("model: openai/gpt-5\nuser: '5ec2e7'\n")
    (project / "presets" / "a.yaml").symlink_to(project.parent / "outside.yaml")
    result = run("check")
    assert result.exit_code == 1
    assert "[unreadable-file]" in result.output


def test_many_findings_are_all_shown(project: Path) -> None:
    (project / "presets" / "a.yaml").write_text("".join(f"key{number}: 1\n" for number in range(300)))
    assert run("check", "--output-format", "concise").stdout.count("[unknown-key]") == 300


def test_a_report_that_cannot_be_written_is_a_failure_of_the_world(project: Path) -> None:
    (project / "presets" / "a.yaml").write_text("model: openai/gpt-5\n")
    result = run("check", "--output-format", "json=no/such/folder/a.json")
    assert result.exit_code == 3
    assert result.stderr == "Error: no/such/folder/a.json: No such file or directory\n"


@pytest.mark.parametrize("target", ["nothing", "no/such.yaml", "", "\x00", "a" * 5_000])
@pytest.mark.parametrize("verb", ["check", "compile", "explain"])
def test_a_target_that_is_not_there_is_wrong_usage(target: str, verb: str, project: Path) -> None:
    result = run(verb, target)
    assert result.exit_code == 2
    assert "there is no preset and no file" in result.output


def test_a_prompt_that_is_not_text_is_wrong_usage(project: Path) -> None:
    (project / "presets" / "a.yaml").write_text("model: openai/gpt-5\n")
    result = run("run", "a", "-", "--offline", stdin=b"caf\xe9")
    assert result.exit_code == 2
    assert "not valid UTF-8" in result.output
