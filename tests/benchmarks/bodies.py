"""Row 5, and the request that rows 6 to 8 send."""

from __future__ import annotations

import json
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measures import Line, Target, alternate, require, timed
from benchmarks.projects import write_project

from orpolicy.project import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.run import Settings

    from orpolicy.compiled import Compiled

FILES = 44
MESSAGES = [{"role": "user", "content": "Where is my parcel? I ordered on Monday, number 4711-0815."}]


@contextmanager
def compiled_presets() -> Iterator[list[Compiled]]:
    """Compile the presets of a project, mixins left out."""
    with TemporaryDirectory(prefix="orpolicy-bench-") as folder:
        write_project(Path(folder), FILES)
        project = load(folder)
        yield [project.preset(name) for name in project.names if not name.startswith("base/")]


def make_bodies(settings: Settings) -> Iterator[Line]:
    """Row 5: from messages to the bytes that the client sends, against ``json.dumps`` of the same body."""
    with compiled_presets() as presets:
        bodies = [preset.request(MESSAGES).body for preset in presets]
        for preset, body in zip(presets, bodies, strict=True):
            same = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            require(preset.request(MESSAGES).to_bytes() == same, f"{preset.name}: other bytes")
        sides = [
            timed(lambda: [preset.request(MESSAGES).to_bytes() for preset in presets], 20, len(presets)),
            timed(lambda: [json.dumps(body).encode() for body in bodies], 20, len(presets)),
        ]
        ours, theirs = alternate(sides, settings.rounds(30))
        size = sum(len(preset.request(MESSAGES).to_bytes()) for preset in presets) // len(presets)
    yield Line(5, f"request to bytes ({size} on average)", ours, "json.dumps", theirs, Target(3, 1.5))


def choose_plain(presets: list[Compiled]) -> Compiled:
    """Choose a preset that every neighbour can send whole.

    Raises:
        SystemExit: there is none.
    """
    from orpolicy.client.adapters import AdapterError  # noqa: PLC0415

    def carried() -> Iterator[Compiled]:
        for preset in presets:
            try:
                preset.for_openai(MESSAGES)
                preset.for_openrouter(MESSAGES)
            except AdapterError:
                continue
            yield preset

    found = list(islice(carried(), 1))
    require(found, "no preset goes through every SDK")
    return found[0]
