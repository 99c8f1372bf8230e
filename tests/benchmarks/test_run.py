"""The benchmarks start, and compare like with like; what they measure is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.measures import Line, Target, alternate, fixed, write_amount
from benchmarks.projects import write_chain, write_family, write_project
from benchmarks.run import ROWS
from benchmarks.table import COLUMNS, render

import orpolicy
from orpolicy.project import load

RUN = Path(__file__).with_name("run.py")
AT_LEAST, AT_MOST = Target(4, 6, faster=True), Target(3, 2)


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, str(RUN), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def read_tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.yaml")}


def test_every_row_is_listed() -> None:
    assert [int(line.split()[0]) for line in run("--list").splitlines()] == list(ROWS)


def test_a_chosen_row_is_measured_into_a_table_and_into_json(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    about, _, head, rule, *lines = run("--quick", "--only", "5", "--json", str(file)).splitlines()
    assert f"orpolicy {orpolicy.__version__}" in about
    assert [cell.strip() for cell in head.strip("|").split("|")] == list(COLUMNS)
    assert rule == "|" + "---|" * len(COLUMNS)
    assert lines
    assert all(line.startswith("| 5 |") and line.count("|") == len(COLUMNS) + 1 for line in lines)
    assert [line["row"] for line in json.loads(file.read_text())["lines"]] == [5] * len(lines)


@pytest.mark.parametrize("wrong", ["0", "11", "x", ""])
def test_a_row_that_is_not_there_is_refused(wrong: str) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run("--only", wrong)


def test_one_seed_makes_one_project(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        write_project(tmp_path / folder, 60)
    write_project(tmp_path / "third", 60, seed=1)
    assert read_tree(tmp_path / "first") == read_tree(tmp_path / "second")
    assert read_tree(tmp_path / "first") != read_tree(tmp_path / "third")


def test_a_project_has_as_many_presets_as_asked_for_in_sizes_as_people_write_them(tmp_path: Path) -> None:
    files = write_project(tmp_path, 300)
    assert len(load(tmp_path).names) == len(files) == 300
    lengths = sorted(path.read_text().count("\n") for path in files)
    assert lengths[len(lengths) // 10] >= 20
    assert lengths[len(lengths) * 9 // 10] <= 40


def test_generated_projects_have_no_findings(tmp_path: Path) -> None:
    write_project(tmp_path / "project", 300)
    write_chain(tmp_path / "chain", 50)
    write_family(tmp_path / "based", 50, based=True)
    write_family(tmp_path / "alone", 50, based=False)
    for root in tmp_path.iterdir():
        assert not load(root).check().diagnostics, root.name


def test_a_chain_is_as_long_as_asked_for(tmp_path: Path) -> None:
    names = write_chain(tmp_path, 7)
    presets = [load(tmp_path).workspace.find_preset(name) for name in names]
    assert [preset and preset.extends for preset in presets] == [
        ("base/careful",),
        *((n,) for n in names[:-1]),
    ]


def test_sides_take_turns_and_the_first_round_is_forgotten() -> None:
    order: list[str] = []
    taken = iter(range(100))

    def side(name: str) -> float:
        order.append(name)
        return next(taken)

    ours, theirs = alternate([lambda: side("a"), lambda: side("b")], 2)
    assert "".join(order) == "ababab"
    assert (ours.values, theirs.values) == ((2, 4), (3, 5))


@pytest.mark.parametrize(
    ("target", "ours", "theirs", "ratio", "verdict"),
    [
        (AT_LEAST, 1.0, 6.0, 6, "beyond"),
        (AT_LEAST, 1.0, 5.0, 5, "met"),
        (AT_LEAST, 1.0, 3.0, 3, "**missed**"),
        (AT_MOST, 2.0, 1.0, 2, "beyond"),
        (AT_MOST, 3.0, 1.0, 3, "met"),
        (AT_MOST, 4.0, 1.0, 4, "**missed**"),
    ],
)
def test_a_verdict_follows_from_the_medians(
    target: Target, ours: float, theirs: float, ratio: float, verdict: str
) -> None:
    line = Line(1, "work", fixed(ours, "s"), "neighbour", fixed(theirs, "s"), target)
    assert line.ratio == ratio
    assert list(render([line]))[-1].endswith(f"| {verdict} |")


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [(1.5, "s", "1.50 s"), (0.0123, "s", "12.3 ms"), (8.8e-05, "s", "88.0 µs"), (64e6, "B", "64.0 MB")],
)
def test_amounts_are_written_in_the_unit_of_their_size(value: float, unit: str, written: str) -> None:
    assert write_amount(value, unit) == written
