"""How many processes share the work changes nothing but time, and what becomes of a process changes nothing at all."""

from __future__ import annotations

import errno
import gc
import multiprocessing
import os
import signal
import threading
import time
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import pytest
from catalogs import CATALOG, NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy import processes
from orpolicy.cli.formats import FORMATS
from orpolicy.cli.render import View
from orpolicy.disk import Library
from orpolicy.errors import UsageError
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace
from orpolicy.processes import divide
from orpolicy.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ITEMS = [str(number) for number in range(40)]


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a few items be worth a process, and see that none is left when the work is done."""
    monkeypatch.setattr(processes, "ENOUGH", 4)
    yield
    assert multiprocessing.active_children() == []


def list_with_process(part: Sequence[str]) -> list[tuple[str, int]]:
    return [(item, os.getpid()) for item in part]


def flatten(parts: Sequence[Sequence[tuple[str, int]]]) -> list[str]:
    return [item for part in parts for item, _ in part]


@pytest.mark.parametrize(("number", "expected"), [(0, 1), (1, 1), (2, 2), (3, 3), (8, 8), (100, 8)])
def test_the_work_is_divided_in_order(number: int, expected: int) -> None:
    parts = divide(list_with_process, ITEMS, number)
    assert flatten(parts) == ITEMS
    assert len({process for part in parts for _, process in part}) == expected


def test_few_items_are_worth_no_process() -> None:
    assert len(divide(list_with_process, ITEMS[:7], 8)) == 1


def die(part: Sequence[str]) -> None:
    os._exit(9)


def be_killed(part: Sequence[str]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail(part: Sequence[str]) -> None:
    raise MemoryError


def answer_in_half(part: Sequence[str]) -> Any:
    return HalfSent()


class HalfSent:
    """What ends its process while it is sent, after the pipe has had the beginning."""

    def __reduce__(self) -> Any:
        for one in gc.get_objects():
            if isinstance(one, Connection) and not one.closed and one.writable:
                os.write(one.fileno(), b"\x00\x00\x10\x00half")
        os._exit(9)


@pytest.mark.parametrize("end", [die, be_killed, fail, answer_in_half])
def test_the_part_of_a_process_that_comes_to_nothing_is_done_here(end: Callable[[Any], Any]) -> None:
    here = os.getpid()

    def work(part: Sequence[str]) -> Any:
        return list_with_process(part) if os.getpid() == here or "0" in part else end(part)

    parts = divide(work, ITEMS, 3)
    assert flatten(parts) == ITEMS
    assert {process for part in parts for _, process in part} == {here}


@pytest.mark.parametrize("what", ["fork", "pipe"])
def test_without_room_for_a_process_the_work_is_done_here(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EAGAIN, "no room")

    monkeypatch.setattr(os, what, refuse)
    parts = divide(list_with_process, ITEMS, 3)
    assert flatten(parts) == ITEMS
    assert len({process for part in parts for _, process in part}) == 1


def test_where_nothing_can_be_forked_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert len(divide(list_with_process, ITEMS, 3)) == 1


def test_beside_threads_nothing_is_forked() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert len(divide(list_with_process, ITEMS, 3)) == 1
    finally:
        done.set()
        thread.join()


def test_a_worker_of_a_pool_starts_no_process() -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(count_parts) == 1
        pool.close()
        pool.join()


def count_parts() -> int:
    return len(divide(list_with_process, ITEMS, 3))


def test_what_stops_the_work_here_stops_it_everywhere() -> None:
    here = os.getpid()

    def work(part: Sequence[str]) -> None:
        if os.getpid() == here:
            raise UsageError("enough")
        time.sleep(60)

    began = time.monotonic()
    with pytest.raises(UsageError, match="enough"):
        divide(work, ITEMS, 3)
    assert time.monotonic() - began < 30


SAID = [
    *(
        "modle: x",
        "temperature: 9",
        "max_tokens: 3",
        "provider: {order: [a], sort: price}",
        "provider: {zdr: yes}",
    ),
    *("extends: low", "extends: [low, high]", "extends: nothing", "extends: broken", "extends: wrong"),
    *(
        "# orpolicy: ignore[tiny-output-limit]",
        "# orpolicy: ignore[unknown-key]",
        "# orpolicy: ignore[nothing]",
    ),
    *("tool_choice: auto", "system: a\nsystem: b", "environments: {prod: {temperature: 8}, nope: {seed: 1}}"),
    *("user: sk-or-v1-0123456789abcdef01", "models: [a/b, a/b]", "models: [openai/gpt-5-mini]", "seed: 'x"),
]
FILES = {
    "orpolicy.yaml": "environments: [dev, prod]\ndefaults: {user: us}\nrules: {free-with-paid-fallback: error}\n",
    "presets/low.yaml": "abstract: true\nmax_tokens: 2  # orpolicy: ignore[tiny-output-limit]\n",
    "presets/high.yaml": "abstract: true\ntemperature: 7\nmax_tokens: 4\n# orpolicy: ignore[tiny-output-limit]\n",
    "presets/broken.yaml": "abstract: true\n: :\n",
    "presets/wrong.yaml": "abstract: true\nmodle: x\nwrong: y  # orpolicy: ignore[unknown-key]\n",
    "presets/org.policy.yaml": "max_tokens: 3000\nmodels: {deny: ['x/*']}\n",
    "presets/late/unused.policy.yaml": "applies_to: {presets: ['late/none*']}\nzdr: true\n",
    "presets/late/p0.test.yaml": "scenarios: [{name: nothing}]\n",
    "presets/p1.yml": "model: a/b\n",
}


@settings(max_examples=12)
@given(
    st.lists(st.lists(st.sampled_from(SAID), max_size=4, unique=True), min_size=30, max_size=60),
    st.booleans(),
)
def test_a_report_is_the_same_however_many_processes_made_it(said: list[list[str]], routed: bool) -> None:
    presets = {
        f"presets/{'late/' if number % 2 else ''}p{number}.yaml": "\n".join(
            ["model: openai/gpt-5-mini", *lines]
        )
        for number, lines in enumerate(said)
    }
    reports = set()
    for number in (1, 2, 3, 8):
        files = Memory({**FILES, **presets})
        project = Project(Workspace(files, Workspace(Library())), given=CATALOG if routed else None)
        report = project.check(now=NOW, processes=number)
        view = View(report, project.source, list_checked=partial(tuple, project.names))
        reports.add("".join(FORMATS[name](view) for name in FORMATS))
    assert len(reports) == 1


def test_a_mistake_in_a_base_that_many_parts_share_is_reported_once() -> None:
    presets = {f"presets/p{number}.yaml": "extends: wrong\nmodel: openai/gpt-5\n" for number in range(40)}
    files = {**presets, "presets/wrong.yaml": FILES["presets/wrong.yaml"]}
    project = Project(Workspace(Memory(files), Workspace(Library())))
    found = [str(one.location) for one in project.check(processes=8) if one.code == "unknown-key"]
    assert found == ["presets/wrong.yaml:2:1", "presets/wrong.yaml:3:1"]
