"""The table, as the README shows it: what was measured, where, with which versions of whom."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.measures import Line

COLUMNS = (
    "#",
    "benchmark",
    "orpolicy: min / median / max",
    "neighbour",
    "min / median / max",
    "ratio",
    "at least",
    "then",
    "verdict",
)
NEIGHBOURS = (
    "orpolicy",
    "check-jsonschema",
    "pyyaml",
    "openrouter",
    "openai",
    "httpx",
    "httpx-sse",
    "aiohttp",
    "httpx-aiohttp",
)


def render(lines: Sequence[Line]) -> Iterator[str]:
    """Write the lines as one Markdown table, below the place and time of the run."""
    yield describe_run()
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|{'---|' * len(COLUMNS)}"
    for line in lines:
        yield f"| {' | '.join(_cells(line))} |"


def _cells(line: Line) -> tuple[str, ...]:
    target = line.target
    ratio = f"{line.ratio:.2f}×" if line.ratio < 10 else f"{line.ratio:.1f}×"
    bounds = (target.write(target.least), target.write(target.then)) if target else ("", "")
    verdict = target.judge(line.ratio) if target else "for information"
    return (
        str(line.row),
        line.what,
        str(line.ours),
        line.neighbour,
        str(line.theirs),
        ratio,
        *bounds,
        verdict,
    )


def describe_run() -> str:
    """Name the day, the machine, and the versions of everybody who took part."""
    versions = ", ".join(f"{name} {found}" for name in NEIGHBOURS if (found := find_version(name)))
    return f"{datetime.now(UTC):%-d %B %Y}, {describe_machine()}, Python {platform.python_version()}; {versions}."


def describe_machine() -> str:
    """Name the processor, the number of its cores, and the system."""
    import os  # noqa: PLC0415

    model = platform.processor() or platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        names = [
            line.partition(":")[2].strip() for line in facts.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return f"{os.cpu_count()} cores ({model}), {platform.system()}"


def find_version(name: str) -> str | None:
    """Return the version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def to_json(lines: Sequence[Line]) -> dict[str, Any]:
    """Return everything that was measured, for programs."""
    rows = [
        {
            **asdict(line),
            "ratio": line.ratio,
            "verdict": line.target and line.target.judge(line.ratio).strip("*"),
        }
        for line in lines
    ]
    return {"run": describe_run(), "lines": rows}
