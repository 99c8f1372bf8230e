"""Presets that take each step together come to what each of them comes to by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from language.test_projects import projects

import orpolicy
from orpolicy.disk import Library
from orpolicy.language import checker
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.lockstep import Steps, run, run_abreast
from orpolicy.language.workspace import Workspace

if TYPE_CHECKING:
    from orpolicy.language.compiler import Outcome

CASES = sorted(
    path for path in Path(__file__).parents[1].joinpath("cases/projects").iterdir() if path.is_dir()
)


def walk(name: str, length: int, trail: list[tuple[int, str]]) -> Steps[str]:
    for step in range(length):
        trail.append((step, name))
        yield
    return name


@given(st.lists(st.integers(0, 5), max_size=6))
def test_each_step_is_taken_by_all_before_the_next_one(lengths: list[int]) -> None:
    trail: list[tuple[int, str]] = []
    many = [walk(str(number), length, trail) for number, length in enumerate(lengths)]
    assert run_abreast(many) == [str(number) for number in range(len(lengths))]
    assert trail == sorted(trail)
    assert len(trail) == sum(lengths)


def test_what_one_of_them_raises_is_raised() -> None:
    def stumble() -> Steps[None]:
        yield
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        run_abreast([walk("it", 3, []), stumble()])
    with pytest.raises(LookupError, match="here"):
        run(stumble())


def compiler_of(files: dict[str, str]) -> Compiler:
    return Compiler(Workspace(Memory(files), Workspace(Library())))


def seen(outcome: Outcome) -> object:
    compiled = outcome.compiled
    return outcome.diagnostics, None if compiled is None else (compiled.lowered, compiled.preset)


@given(projects())
def test_compiling_side_by_side_is_compiling_one_after_the_other(files: dict[str, str]) -> None:
    together, alone = compiler_of(files), compiler_of(files)
    names = tuple(together.workspace.preset_files)
    together.workspace.load_presets(names)
    variants = [(name, variant) for name in names for variant in together.list_variants(name)]
    outcomes = together.try_all(variants)
    assert list(map(seen, outcomes)) == [seen(alone.try_compile(*variant)) for variant in variants]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_how_many_go_together_changes_no_report(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = orpolicy.load(case).check()
    for number in (1, 2, 3):
        with monkeypatch.context() as patch:
            patch.setattr(checker, "BATCH", number)
            patch.setattr(checker, "MOST_REMEMBERED", number)
            assert orpolicy.load(case).check() == whole
