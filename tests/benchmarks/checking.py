"""Rows 1, 2, 3 and 10: checking files, as the command that users run.

Before anything is timed, both sides have to agree: on files that are right, and on the same files with one mistake.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING

from benchmarks.measures import Line, Target, alternate, fixed, require, timed
from benchmarks.processes import check_jsonschema, clock, orpolicy, passing, run
from benchmarks.projects import write_chain, write_family, write_project, write_singles

from orpolicy.processes import count_parts, count_processors
from orpolicy.project import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.run import Settings

    from orpolicy.project import Project

    Write = Callable[[Path, int], list[Path]]

NEIGHBOUR = "check-jsonschema"
SPEED = {
    100: Target(4, 6, faster=True),
    1_000: Target(10, 16, faster=True),
    10_000: Target(12, 20, faster=True),
}
AGREED = 1_000
"""Up to how many files the neighbour is made to find a mistake: it takes minutes for more."""

ROUNDS = {100: 10, 1_000: 6, 10_000: 2}
KINDS = {"presets by themselves": write_singles, "with mixins, overlays and policies": write_project}
"""What is checked: the neighbour and libyaml see the same bytes, and never what they are composed to."""

COMPOSE = """
import multiprocessing, sys, time, yaml
texts = [open(name, "rb").read() for name in open(sys.argv[1]).read().split()]
parts = int(sys.argv[2])
def compose(part):
    start = time.process_time()
    for text in texts[part::parts]:
        yaml.compose(text, Loader=yaml.CSafeLoader)
    return time.process_time() - start
if parts == 1:
    print(compose(0))
else:
    with multiprocessing.get_context("fork").Pool(parts) as pool:
        print(sum(pool.map(compose, range(parts), chunksize=1)))
"""


def check_files(settings: Settings) -> Iterator[Line]:
    """Row 1: the whole compile of every preset against the schema alone."""
    for kind, write in KINDS.items():
        for size, target in SPEED.items():
            yield _check_files(settings, kind, write, size, target)


def _check_files(settings: Settings, kind: str, write: Write, size: int, target: Target) -> Line:
    files = settings.shrink(size)
    with TemporaryDirectory(prefix="orpolicy-bench-") as folder:
        root = Path(folder)
        written = write(root, files)
        ours, theirs = orpolicy("check"), check_jsonschema(written, root)
        note = _agree(root, written, ours, theirs) if size <= AGREED else "both: all valid"
        sides = [partial(clock, ours, root), partial(clock, theirs, root)]
        taken = alternate(sides, settings.rounds(ROUNDS[size]), warm=True)
    return Line(1, f"check {files:,} files, {kind}", taken[0], NEIGHBOUR, taken[1], target, note=note)


def count_cpu(settings: Settings) -> Iterator[Line]:
    """Row 2: CPU time of the check against libyaml's of the same bytes.

    Both have as many processes: on processors that share a core, they count more CPU time the more of them there are.
    """
    for kind, write in KINDS.items():
        yield _count_cpu(settings, kind, write)


def _count_cpu(settings: Settings, kind: str, write: Write) -> Line:
    files = settings.shrink(10_000)
    with TemporaryDirectory(prefix="orpolicy-bench-") as folder:
        root = Path(folder)
        names = root / "names.txt"
        names.write_text("\n".join(str(path) for path in write(root, files)))
        parts = count_parts(files, count_processors())
        compose = [sys.executable, "-c", COMPOSE, str(names), str(parts)]
        ours, theirs = alternate(
            [lambda: passing(orpolicy("check"), root).cpu, lambda: float(passing(compose, root).output)],
            settings.rounds(8),
        )
    what = f"CPU of checking {files:,} files, {kind}"
    return Line(2, what, ours, "libyaml compose, the same bytes", theirs, Target(3, 2))


def watch_growth(settings: Settings) -> Iterator[Line]:
    """Row 3: what a preset costs must not depend on how many there are, nor on how they are stacked."""
    yield _grow_in_number(settings)
    yield from _grow_in_depth(settings)
    yield from _share_a_base(settings)


def weigh(settings: Settings) -> Iterator[Line]:
    """Row 10: the most memory that a check holds at one moment, all its processes together."""
    files = settings.shrink(10_000)
    with TemporaryDirectory(prefix="orpolicy-bench-") as folder:
        root = Path(folder)
        theirs = check_jsonschema(write_project(root, files), root)
        taken = alternate(
            [
                lambda: passing(orpolicy("check"), root, tree=True).peak,
                lambda: passing(theirs, root, tree=True).peak,
            ],
            settings.rounds(2),
            "B",
            warm=True,
        )
    yield Line(10, f"peak memory of checking {files:,} files", taken[0], NEIGHBOUR, taken[1], Target(1.5, 1))


def _compile(root: Path, name: str) -> None:
    load(root).preset(name)


def _check(root: Path) -> Project:
    project = load(root)
    report = project.check()
    require(not report.diagnostics, f"{root}: {report.diagnostics[:3]}")
    return project


def _agree(root: Path, files: list[Path], ours: list[str], theirs: list[str]) -> str:
    """Compare verdicts on the files, and on the files with one mistake among them."""
    verdicts = [run(command, root) for command in (ours, theirs)]
    require(all(one.code == 0 for one in verdicts), verdicts[0].output + verdicts[1].output[-2000:])
    require(f"{len(files)} presets checked: no findings" in verdicts[0].output, verdicts[0].output)
    victim = files[-1]
    right = victim.read_text()
    victim.write_text(right.replace("\nmax_tokens:", "\nmax_token:"))
    verdicts = [run(command, root) for command in (ours, theirs)]
    victim.write_text(right)
    require(all(one.code == 1 for one in verdicts), "one of them does not see the mistake")
    return "both: all valid; one with a mistake, both refuse it"


def _grow_in_number(settings: Settings) -> Line:
    sizes = settings.shrink(10_000), settings.shrink(1_000)
    with TemporaryDirectory(prefix="orpolicy-bench-") as folder:
        roots = [Path(folder, str(size)) for size in sizes]
        for root, size in zip(roots, sizes, strict=True):
            write_project(root, size)
        many, few = alternate(
            [partial(clock, orpolicy("check"), root, size) for root, size in zip(roots, sizes, strict=True)],
            settings.rounds(4),
        )
    return Line(3, f"a preset among {sizes[0]:,}", many, f"a preset among {sizes[1]:,}", few, Target(1.1))


def _grow_in_depth(settings: Settings) -> Iterator[Line]:
    """Time the links of a chain: what the last ones add must not be more than what the first ones add.

    Differences of times are CPU time: what others do on the machine does not cancel out in them.
    """
    lengths = 10, 25, 50
    with TemporaryDirectory(prefix="orpolicy-bench-") as folder:
        roots = [Path(folder, str(length)) for length in lengths]
        names = [write_chain(root, length)[-1] for root, length in zip(roots, lengths, strict=True)]
        last = alternate(
            [
                timed(partial(_compile, root, name), clock=process_time)
                for root, name in zip(roots, names, strict=True)
            ],
            settings.rounds(30),
        )
        whole = alternate(
            [timed(partial(_check, root), clock=process_time) for root in roots], settings.rounds(10)
        )
    for what, series in (("the last preset of a chain", last), ("all presets of a chain", whole)):
        short, middle, long = series
        ours = fixed((long.middle - middle.middle) / (lengths[2] - lengths[1]), "s")
        theirs = fixed((middle.middle - short.middle) / (lengths[1] - lengths[0]), "s")
        note = f"chains of 10, 25, 50: {', '.join(f'{one.middle * 1e3:.1f} ms' for one in (short, middle, long))}"
        target = Target(1.1) if series is last else None  # all of them need all layers: a square
        yield Line(
            3,
            f"{what}: CPU of a link from 25 to 50",
            ours,
            "a link from 10 to 25",
            theirs,
            target,
            faster=False,
            note=note,
        )


def _share_a_base(settings: Settings) -> Iterator[Line]:
    size = settings.shrink(1_000)
    with TemporaryDirectory(prefix="orpolicy-bench-") as folder:
        based, alone = Path(folder, "based"), Path(folder, "alone")
        write_family(based, size, based=True)
        write_family(alone, size, based=False)
        ours, theirs = alternate(
            [timed(partial(_check, root), 1, size, process_time) for root in (based, alone)],
            settings.rounds(5),
        )
        compositions = _check(based)._compiler.compositions
    yield Line(
        3,
        f"CPU of one of {size:,} presets on one base",
        ours,
        "one of as many without",
        theirs,
        faster=False,
    )
    note = "defaults and base are composed once, and each preset once over them"
    target = Target(1)
    yield Line(
        3,
        f"compositions of {size:,} presets on one base",
        fixed(compositions),
        "presets + 1",
        fixed(size + 1),
        target,
        note=note,
    )
