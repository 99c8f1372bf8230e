"""Work on many items in several processes, where that pays and where processes can be forked.

The parts are worked on in the order of the items, and so are the results: how many processes there are changes nothing
but time. A process that comes to nothing (killed, out of memory, never started) has its part done here,
and none outlives the work.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

T = TypeVar("T")

_Started: TypeAlias = "tuple[ForkProcess, Connection] | None"

ENOUGH = 150
"""Items for each process; below that starting one takes longer than what it saves."""

MOST = 8
"""Processes; what they share, bases and policies, is read by each."""


def count_processors() -> int:
    """Count the processors that we may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count_parts(items: int, processes: int) -> int:
    """Count the parts in which so many items are worked on, in up to so many processes."""
    return max(1, min(processes, items // ENOUGH, MOST))


def divide(work: Callable[[Sequence[str]], T], items: Sequence[str], processes: int) -> list[T]:
    """Do work on items, part by part, in up to this many processes; results have to be picklable."""
    number = count_parts(len(items), processes)
    if number < 2 or not _may_fork():
        return [work(items)]
    first, *others = _cut(items, number)
    started: list[_Started] = []
    try:
        for part in others:
            started.append(_start(work, part))  # noqa: PERF401 - those that were started have to be ended
        return [work(first), *(_collect(one, work, part) for one, part in zip(started, others, strict=True))]
    finally:
        for one in started:
            _end(one)


def _collect(started: _Started, work: Callable[[Sequence[str]], T], part: Sequence[str]) -> T:
    """Wait for what a process sends; do its part here where it sends nothing, or half of something."""
    if started is not None:
        with contextlib.suppress(EOFError, OSError):
            result: T = started[1].recv()
            return result
    return work(part)


def _end(started: _Started) -> None:
    """End a process, also one that nobody listens to any more."""
    if started is not None:
        process, reader = started
        reader.close()
        process.terminate()
        process.join()


def _may_fork() -> bool:
    """Tell whether a copy of this process would work: not on Windows, and not beside threads, which are not copied."""
    import multiprocessing  # noqa: PLC0415 - small projects need none

    return (
        "fork" in multiprocessing.get_all_start_methods()
        and threading.active_count() == 1
        and not multiprocessing.current_process().daemon  # a worker of somebody's pool may have none of its own
    )


def _cut(items: Sequence[str], number: int) -> Iterator[Sequence[str]]:
    """Cut items into parts of nearly the same length; neighbours stay together, as they share most."""
    size, rest = divmod(len(items), number)
    start = 0
    for index in range(number):
        end = start + size + (index < rest)
        yield items[start:end]
        start = end


def _start(work: Callable[[Sequence[str]], Any], part: Sequence[str]) -> _Started:
    """Start a process; nothing comes of it where the system has no room for one more."""
    import multiprocessing  # noqa: PLC0415 - as above

    context = multiprocessing.get_context("fork")
    try:
        reader, writer = context.Pipe(duplex=False)
    except OSError:
        return None
    process = context.Process(target=_work, args=(work, part, writer), daemon=True)
    try:
        process.start()
    except OSError:
        reader.close()
        return None
    finally:
        writer.close()
    return process, reader


def _work(work: Callable[[Sequence[str]], Any], part: Sequence[str], writer: Connection) -> None:
    """Send what comes of a part; whatever stops it happens again where the part is then done, and is told there."""
    with contextlib.suppress(Exception, KeyboardInterrupt):
        writer.send(work(part))
    writer.close()
