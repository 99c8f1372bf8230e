"""Row 9: who may serve each preset and what it costs at most, over the real catalogue.

The catalogue is read from a folder of the API's answers beside the repository, or named by ``ORPOLICY_BENCH_CATALOG``;
without one the small demonstration catalogue stands in, and the line says so.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, Any

from benchmarks.measures import Line, Target, alternate, fixed, require, timed
from benchmarks.processes import ROOT, orpolicy, passing, run
from benchmarks.projects import write_project

from orpolicy.project import load
from orpolicy.routing.snapshot import demonstration, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.run import Settings

    from orpolicy.compiled import Compiled

PRESETS = 1_000
OWED = 1e-3
"""Seconds a preset; a bound in seconds is held against CPU time, which others on the machine do not lengthen."""

ANSWERS = Path(os.environ.get("ORPOLICY_BENCH_CATALOG") or ROOT.parent / "shared" / "catalog")


def route_all(settings: Settings) -> Iterator[Line]:
    """Row 9: what ``orpolicy route --all`` does with each preset, and that command as a whole."""
    with TemporaryDirectory(prefix="orpolicy-bench-") as folder:
        root = Path(folder)
        write_project(root, settings.shrink(PRESETS))
        lacking = _write_catalog(root)
        project = load(root)
        names = [name for name in project.names if not name.startswith("base/")]
        compiled = [project.preset(name) for name in names]
        require(project.catalog is not None, "there is no catalogue")
        eligible, unserved = _count(compiled)
        require(eligible, "nobody may serve anything")
        note = f"{eligible:,} eligible endpoints, {unserved} presets that nobody may serve{lacking}"
        endpoints = len(project.catalog.endpoints) if project.catalog else 0
        (ours,) = alternate(
            [timed(lambda: [_route(preset) for preset in compiled], 1, len(compiled), process_time)],
            settings.rounds(5),
        )
        rows = len(json.loads(_stdout(orpolicy("route", "--all", "--json"), root)))
        (whole,) = alternate([lambda: run(orpolicy("route", "--all"), root).wall / rows], settings.rounds(3))
        (check,) = alternate(
            [lambda: passing(orpolicy("check"), root).wall / len(compiled)], settings.rounds(3)
        )
    owed = fixed(OWED, "s")
    what = f"over {endpoints:,} endpoints"
    yield Line(9, f"CPU of route and worst case of a preset {what}", ours, "1 ms", owed, Target(1), note=note)
    note = f"{rows:,} presets and environments, start and compile included"
    yield Line(9, f"a row of route --all {what}", whole, "1 ms", owed, faster=False, note=note)
    yield Line(9, f"check of a preset with the catalogue, {what}", check, "1 ms", owed, faster=False)


def _write_catalog(root: Path) -> str:
    """Write the project's snapshot; return what is to be said about it."""
    if ANSWERS.is_dir():
        passing(orpolicy("catalog", "pull", "--from", str(ANSWERS), "--all"), root)
        return ""
    (root / "catalog.json").write_text(write_snapshot(demonstration()), encoding="utf-8")
    return "; the demonstration catalogue, for want of a real one"


def _route(preset: Compiled) -> tuple[Any, Any]:
    return preset.route(), preset.worst_case()


def _count(presets: list[Compiled]) -> tuple[int, int]:
    counts = [len(preset.route().attempts) for preset in presets]
    return sum(counts), counts.count(0)


def _stdout(command: list[str], root: Path) -> str:
    output = run(command, root).output
    return output[output.index("[") : output.rindex("]") + 1]
