"""The ten benchmarks, each against its neighbours in the same run: ``python tests/benchmarks/run.py``.

One Markdown table goes to stdout, progress to stderr. Needs ``pip install -e '.[bench]'``. Both sides of a line are run by
turns (A B A B …), so that whatever else the machine does falls on both; ratios are those of the medians, and only they
carry over to another machine. Before a line is timed, the results of both sides are compared.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measures import Line

ROWS = {
    1: ("checking:check_files", "orpolicy check against check-jsonschema: 100, 1,000, 10,000 files"),
    2: ("checking:count_cpu", "CPU time of the check against libyaml's compose of the same bytes"),
    3: ("checking:watch_growth", "growth: many presets, long chains, one base for all"),
    4: ("starting:start", "start: --version, import, lock file to first request sent"),
    5: ("bodies:make_bodies", "preset.request() to bytes against json.dumps of the same body"),
    6: ("calls:chat", "Client.chat over loopback against httpx, openai, openrouter"),
    7: ("streaming:stream", "Client.stream against httpx-sse, openai, openrouter"),
    8: ("calls:chat_async", "AsyncClient, 16 at a time, against httpx; and over aiohttp"),
    9: ("routes:route_all", "routes and worst cases of 1,000 presets over the catalogue"),
    10: ("checking:weigh", "peak memory of checking 10,000 files against check-jsonschema"),
}
"""Number → function that yields its lines, what it measures. Targets stand beside the functions."""


@frozen
class Settings:
    """How thoroughly to measure."""

    quick: bool = False

    def rounds(self, count: int) -> int:
        """Return how often each side is run."""
        return min(count, 2) if self.quick else count

    def shrink(self, size: int) -> int:
        """Return a size: a tenth of it for a first look."""
        return max(20, size // 10) if self.quick else size

    def say(self, what: str) -> None:
        """Tell how far the run is."""
        print(what, file=sys.stderr, flush=True)


def measure(numbers: list[int], settings: Settings) -> Iterator[Line]:
    """Run the chosen benchmarks, each module imported when its turn comes."""
    for number in numbers:
        place, what = ROWS[number]
        settings.say(f"row {number}: {what}")
        module, name = place.split(":")
        for line in getattr(importlib.import_module(f"benchmarks.{module}"), name)(settings):
            note = f" ({line.note})" if line.note else ""
            settings.say(f"  {line.what}: {line.ratio:.2f}× of {line.neighbour}{note}")
            yield line


def read_numbers(text: str) -> list[int]:
    """Read ``--only``: numbers of rows, with commas between them."""
    numbers = [int(word) for word in text.split(",")]
    unknown = [number for number in numbers if number not in ROWS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no row {unknown[0]}; there are 1 to {max(ROWS)}")
    return numbers


def main() -> None:
    """Measure what the arguments ask for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", type=read_numbers, default=list(ROWS), metavar="N[,N]", help="these rows alone"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the files, two rounds: a first look")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there, too")
    parser.add_argument("--list", action="store_true", help="name the rows")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{number:2}  {what}" for number, (_, what) in ROWS.items()))
        return
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # where `benchmarks` is a package
    from benchmarks.table import render, to_json  # noqa: PLC0415 - found from here on

    lines = list(measure(arguments.only, Settings(arguments.quick)))
    if arguments.json:
        arguments.json.write_text(json.dumps(to_json(lines), indent=2) + "\n", encoding="utf-8")
    print("\n".join(render(lines)))


if __name__ == "__main__":
    main()
