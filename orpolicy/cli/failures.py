"""How a run ends: every exception becomes one line on stderr and an exit code, never a traceback.

.. code-block:: text

    0    nothing to report
    1    findings: errors in the sources, a policy or a ceiling that forbids the call
    2    wrong usage: an unknown verb, option, preset or environment
    3    a failure of the program or of the outside world: the network, an API, a disk, a bug
    130  interrupted
    141  the reader of our output went away

A failure that nobody foresaw is named by its type and place, never by its text, which may quote a file.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.snippet import visible
from orpolicy.errors import CompileError, CostCeilingExceeded, OrpolicyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

FINDINGS = 1


def exit_code_of(run: Callable[[], int | None]) -> int:
    """Run a verb to its end and return the exit code; whatever it raises is said on stderr.

    Click's own exceptions pass: it knows how to say them, and wrong usage is 2 there as well.
    """
    try:
        code = run() or 0
        sys.stdout.flush()
    except (click.ClickException, click.exceptions.Exit):
        raise
    except (Exception, KeyboardInterrupt) as failure:  # noqa: BLE001 - the outermost frame: no bug ends in a traceback
        code, describe = next(row[1:] for row in _ENDS if isinstance(failure, row[0]))
        message = describe(failure)
        if message:
            say(message)
    return code


def say(message: str) -> None:
    """Say something about the run on stderr."""
    click.echo("\n".join(map(visible, message.split("\n"))), err=True)


def _describe(failure: BaseException) -> str:
    """Say it in one line, also where the name of a file or a revision holds several."""
    return f"Error: {visible(str(failure))}"


def _describe_system(failure: BaseException) -> str:
    """Name the file and what the system said about it."""
    parts = (getattr(failure, "filename", None), getattr(failure, "strerror", None) or failure)
    return "Error: " + visible(": ".join(str(part) for part in parts if part))


def _describe_bug(failure: BaseException) -> str:
    """Name an exception by its type and the innermost frames of ours that it passed."""
    import traceback  # noqa: PLC0415 - there are few bugs

    package = Path(__file__).parents[1]
    frames = traceback.extract_tb(failure.__traceback__)
    ours = [frame for frame in frames if package in Path(frame.filename).parents]
    places = [f"{Path(frame.filename).relative_to(package).as_posix()}:{frame.lineno}" for frame in ours[-3:]]
    place = " > ".join(places)
    return f"Error: {type(failure).__name__} in {place}: a bug in orpolicy; please report it with the command you ran"


def _leave_quietly(_: BaseException) -> None:
    """Point stdout nowhere, so that the interpreter's own flush at exit does not fail once more."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_ENDS: tuple[
    tuple[type[BaseException] | tuple[type[BaseException], ...], int, Callable[[BaseException], str | None]],
    ...,
] = (
    (CompileError, FINDINGS, _describe),
    (CostCeilingExceeded, FINDINGS, _describe),
    (UsageError, 2, _describe),
    (OrpolicyError, 3, _describe),
    ((KeyboardInterrupt, click.Abort), 130, lambda _: "interrupted"),
    (BrokenPipeError, 141, _leave_quietly),
    (OSError, 3, _describe_system),
    (Exception, 3, _describe_bug),
)
"""What was raised, what the run is worth then, and what is said about it; the first row that fits counts."""
