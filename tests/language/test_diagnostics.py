"""Reports are sorted and say everything once; and a collection of mistakes with what is said about each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from annotations import Block, annotate, check_text, read_blocks, write_block
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.language.diagnostics import Diagnostic, Report, Severity
from orpolicy.language.source import Location, Position, Span

MISTAKES = Path(__file__).resolve().parents[1] / "cases" / "mistakes"
BLOCKS = [(file, block) for file in sorted(MISTAKES.glob("*.txt")) for block in read_blocks(file)]


@pytest.mark.parametrize(
    ("file", "block"), BLOCKS, ids=[f"{file.stem}: {block.title}" for file, block in BLOCKS]
)
def test_a_mistake_is_reported_once_where_it_is_with_what_helps(file: Path, block: Block) -> None:
    if os.environ.get("ORPOLICY_UPDATE"):
        file.write_text(
            "".join(write_block(other, describe(other)) for other in read_blocks(file)), encoding="utf-8"
        )
    else:
        assert describe(block) == block.annotated


def describe(block: Block) -> str:
    return annotate(block.text, check_text(block.text, block.file), block.file)


def test_titles_are_unique_in_their_file() -> None:
    names = [(file, block.title, block.file) for file, block in BLOCKS]
    assert len(names) == len(set(names))


positions = st.builds(Position, st.integers(1, 3), st.integers(1, 3))
diagnostics = st.builds(
    Diagnostic,
    code=st.sampled_from(["a", "b"]),
    severity=st.sampled_from([Severity.ERROR, Severity.WARNING]),
    message=st.sampled_from(["x", "y"]),
    location=st.builds(
        Location, st.sampled_from(["a.yaml", "b.yaml"]), st.builds(Span, start=positions, end=positions)
    ),
)


@given(found=st.lists(diagnostics, max_size=12))
def test_a_report_is_sorted_by_place_and_says_everything_once(found: list[Diagnostic]) -> None:
    report = Report(tuple(found))
    assert set(report) == set(found)
    assert len(report) == len(set(found))
    keys = [(d.location.file, d.location.span.start, d.location.span.end, d.code, d.message) for d in report]
    assert keys == sorted(keys)


@given(found=st.lists(diagnostics, max_size=12), order=st.randoms(use_true_random=False))
def test_the_order_of_the_findings_does_not_matter(found: list[Diagnostic], order: object) -> None:
    shuffled = list(found)
    order.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random by any name
    assert [d.sort_key for d in Report(tuple(shuffled))] == [d.sort_key for d in Report(tuple(found))]


def test_errors_and_warnings_are_told_apart_and_summed_up() -> None:
    place = Location("a.yaml", Span(Position(2, 3), Position(2, 4)))
    error = Diagnostic("some-code", Severity.ERROR, "it is wrong", place)
    warning = evolve(error, severity=Severity.WARNING, message="it is odd")
    report = Report((warning, error, evolve(error, code="another-code")))
    assert len(report.errors) == 2
    assert report.warnings == (warning,)
    assert report.summary() == "a.yaml:2:3: it is wrong [another-code] (and 1 more)"
    assert Report((error,)).summary() == "a.yaml:2:3: it is wrong [some-code]"
    assert Report((warning,)).summary() == Report().summary() == "no errors"
