"""Bad input of every kind through the library: findings, no exception but the documented ones, bounded time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import orpolicy
from orpolicy.errors import CompileError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

MODEL = b"model: openai/gpt-5\n"
KIB = 1024

CHECK_EACH = """
import json, sys, orpolicy
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
except ImportError:
    pass
project = orpolicy.load(sys.argv[1])
for name in project.names:
    report = project.check([name])
    print(json.dumps([name, len(report), report.diagnostics[0].code if len(report) else None]), flush=True)
"""


def lines(count: int, line: str) -> bytes:
    return "".join(line.format(number) for number in range(count)).encode()


def laugh(count: int, width: int) -> bytes:
    """Write anchors that hold the one before, ``width`` times."""
    rows = "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]\n" for n in range(1, count))
    return f"trace:\n  a0: &a0 [x]\n{rows}".encode()


HOSTILE: dict[str, tuple[bytes, str | None]] = {
    "ten-megabytes": (MODEL + b"#" * 10_000_000, "yaml-limit"),
    "ten-megabytes-of-lines": (MODEL + b"\n" * 10_000_000, "yaml-limit"),
    "brackets-10000-deep": (b"a: " + b"[" * 10_000 + b"]" * 10_000, "yaml-limit"),
    "braces-10000-deep": (b"{a: " * 10_000 + b"}" * 10_000, "yaml-limit"),
    "open-brackets": (b"[" * KIB * KIB, "yaml-limit"),
    "dashes-10000-deep": (b"a:\n " + b"- " * 10_000, "yaml-limit"),
    "question-marks": (b"? " * 10_000, "yaml-limit"),
    "blocks-1300-deep": (b"".join(b" " * depth + b"a:\n" for depth in range(1_300)), "yaml-limit"),
    "billion-laughs": (laugh(10, 9), "yaml-limit"),
    "long-chain-of-aliases": (laugh(5_000, 1), "yaml-limit"),
    "one-alias-often": (b"a: &a x\nb: [" + b"*a," * 110_000 + b"]\n", "yaml-limit"),
    "an-alias-of-itself": (b"trace: &a {b: *a}\n", "yaml-alias"),
    "many-nodes": (b"stop: [" + b"x," * 120_000 + b"]\n", "yaml-limit"),
    "many-duplicates": (b"model: x\n" * 8_000, "duplicate-key"),
    "many-unknown-keys": (lines(5_000, "key{}: 1\n"), "unknown-key"),
    "many-bad-items": (b"tools:\n" + lines(2_000, "  - {{typ: x{}}}\n"), "unknown-key"),
    "many-good-items": (b"plugins:\n" + b"  - {id: moderation}\n" * 4_000 + b"  - {id: x}\n", "bad-value"),
    "many-labels": (b"metadata:\n" + lines(3_000, "  k{}: no\n"), None),
    "many-ambiguous-scalars": (b"trace:\n" + lines(3_000, "  k{}: no\n"), "yaml-ambiguous"),
    "many-vain-comments": (MODEL + b"# orpolicy: ignore[nothing]\n" * 6_000, "unknown-rule"),
    "an-error-at-the-end": (b"stop: [" + b"a," * 30_000 + b"\nx: 1\n", "yaml-syntax"),
    "a-quote-at-the-end": (b"trace:\n" + lines(8_000, "  k{}: v\n") + b'x: "\n', "yaml-syntax"),
    "a-long-number": (b"seed: " + b"9" * 900_000, "yaml-number"),
    "a-long-exponent": (b"temperature: 1e" + b"9" * 9_000, "wrong-type"),
    "a-long-key": (b'"' + b"k" * 900_000 + b'": 1\n', "yaml-syntax"),
    "a-long-model": (b"model: " + b"a-" * 400_000 + b"!\n", "bad-value"),
    "a-long-provider": (b'provider: {order: ["' + b"a " * 400_000 + b'!"]}\n', "bad-value"),
    "blanks-in-a-value": (b'model: "' + b" " * 900_000 + b'"\n', "bad-value"),
    "backslashes": (b'user: "' + b"\\\\" * 400_000 + b'"\n', None),
    "half-credentials": (b'user: "' + b"sk-or- Bearer " * 60_000 + b'"\n', None),
    "nothing": (b"", "yaml-root"),
    "blank-lines": (b"\n" * 900_000, "yaml-root"),
    "control-characters": (b"model: \x1b[31m\x00\n", "yaml-encoding"),
    "not-utf8": (b"\xff\xfe\x00", "yaml-encoding"),
}


def test_hostile_files_are_checked_in_bounded_time_and_memory(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    for name, (raw, _) in HOSTILE.items():
        (tmp_path / "presets" / f"{name}.yaml").write_bytes(raw)
    command = [sys.executable, "-c", CHECK_EACH, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = {name: (count, code) for name, count, code in map(json.loads, done.stdout.splitlines())}
    assert found.keys() == HOSTILE.keys()
    wrong = {name: found[name] for name, (_, code) in HOSTILE.items() if code and found[name][1] != code}
    assert wrong == {}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one good preset."""
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "good.yaml").write_bytes(MODEL)
    return tmp_path


def codes(project: Path) -> dict[str, str]:
    """Check a project and map the file of each finding to its code; the good preset must compile all the same."""
    loaded = orpolicy.load(project)
    report = loaded.check()
    assert loaded.preset("good").body == {"model": "openai/gpt-5"}
    return {found.location.file.removeprefix("presets/"): found.code for found in report}


def test_what_is_no_regular_file_is_a_finding_and_blocks_nothing(project: Path) -> None:
    presets = project / "presets"
    (presets / "dangling.yaml").symlink_to("nowhere.yaml")
    (presets / "loop.yaml").symlink_to("loop.yaml")
    (presets / "there.yaml").symlink_to("back.yaml")
    (presets / "back.yaml").symlink_to("there.yaml")
    (presets / "folder.yaml").mkdir()
    (presets / "circle").symlink_to(presets)
    expected = dict.fromkeys(("dangling.yaml", "loop.yaml", "there.yaml", "back.yaml"), "unreadable-file")
    if hasattr(os, "mkfifo"):
        os.mkfifo(presets / "pipe.yaml")
        expected["pipe.yaml"] = "unreadable-file"
    if os.path.exists("/dev/zero"):  # noqa: PTH110  # a device is no path of ours
        (presets / "endless.yaml").symlink_to("/dev/zero")
        expected["endless.yaml"] = "unreadable-file"
    assert codes(project) == expected


def test_a_preset_that_leads_out_of_the_project_is_not_read(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "neighbour.yaml"
    outside.write_text("model: the/neighbours\n")
    (project / "presets" / "link.yaml").symlink_to(outside)
    (project / "presets" / "more").symlink_to(outside.parent)
    assert codes(project) == {"link.yaml": "unreadable-file"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_a_finding(project: Path) -> None:
    (project / "presets" / "closed.yaml").write_bytes(MODEL)
    (project / "presets" / "closed.yaml").chmod(0)
    assert codes(project) == {"closed.yaml": "unreadable-file"}


@pytest.mark.parametrize(
    "name", [name for name, (_, code) in HOSTILE.items() if code and len(HOSTILE[name][0]) < 30_000]
)
def test_compiling_what_cannot_be_read_raises_the_documented_error(project: Path, name: str) -> None:
    raw, code = HOSTILE[name]
    (project / "presets" / "bad.yaml").write_bytes(raw)
    with pytest.raises(CompileError) as caught:
        orpolicy.load(project).preset("bad")
    assert code in {found.code for found in caught.value.report}
    assert len(str(caught.value)) < 500


def test_a_project_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="folder"):
        orpolicy.load(tmp_path / "nowhere")


@pytest.mark.parametrize("raw", [b"", b"presets: [\n", b"\xff", b"- a\n", b"presets: 5\n", b"#" * 2_000_000])
def test_a_broken_project_file_leaves_the_presets_where_they_are(project: Path, raw: bytes) -> None:
    (project / "orpolicy.yaml").write_bytes(raw)
    loaded = orpolicy.load(project)
    assert [found.location.file for found in loaded.check().errors] == ["orpolicy.yaml"]
    assert loaded.names == ("good",)
