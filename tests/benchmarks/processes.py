"""Whole processes: a command runs to its end, and says what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen
from benchmarks.measures import require

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))
LAUNCHER = Path(__file__).with_name("launcher.py")
PRESET_SCHEMA = ROOT / "schemas" / "preset.schema.json"


@frozen
class Usage:
    """What a process took: seconds by the clock, seconds of CPU (its children's too), peak memory in bytes."""

    wall: float
    cpu: float
    peak: int
    code: int
    output: str


def run(command: list[str], folder: Path, *, tree: bool = False) -> Usage:
    """Run a command in a folder; ``tree`` adds up the memory of all its processes."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("ORPOLICY", "OPENROUTER"))
    }
    if tree:
        environment["ORPOLICY_BENCH_TREE"] = "1"
    with TemporaryDirectory(prefix="orpolicy-output-") as temporary:
        output = Path(temporary, "output")
        launched = [sys.executable, "-I", "-S", str(LAUNCHER), str(output), *command]
        done = subprocess.run(
            launched, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
        return Usage(**json.loads(done.stdout), output=output.read_text(errors="replace"))


def passing(command: list[str], folder: Path, *, tree: bool = False) -> Usage:
    """Run a command that has to succeed.

    Raises:
        SystemExit: it does not; what a failure took compares with nothing.
    """
    usage = run(command, folder, tree=tree)
    require(usage.code == 0, f"{command[:3]} exits {usage.code}: {usage.output[-2000:]}")
    return usage


def clock(command: list[str], folder: Path, units: int = 1) -> float:
    """Return the seconds that a command takes for each of its ``units``."""
    return passing(command, folder).wall / units


def script(name: str) -> str:
    """Return the path of an installed command.

    Raises:
        SystemExit: it is not installed.
    """
    path = SCRIPTS / name
    if not path.exists():
        raise SystemExit(f"there is no {path}: pip install -e '.[bench]'")
    return str(path)


def orpolicy(*arguments: str) -> list[str]:
    """Return the command that users run."""
    return [script("orpolicy"), *arguments]


def check_jsonschema(files: list[Path], root: Path) -> list[str]:
    """Return the neighbour's command for files below a folder, with our schema."""
    names = [path.relative_to(root).as_posix() for path in files]
    return [script("check-jsonschema"), "--schemafile", str(PRESET_SCHEMA), *names]
