"""Row 4: how long it takes until something can be done, as whole processes."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.loopback import TEXT, serving
from benchmarks.measures import Line, Target, alternate, require
from benchmarks.processes import clock, orpolicy, passing, run, script
from benchmarks.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.run import Settings

FILES = 24
LOCK = "orpolicy.lock"
FIRST_REQUEST = """
import os, sys
import orpolicy
place, url = sys.argv[1:]
with orpolicy.Client("sk-or-v1-loopback", base_url=url) as client:
    reply = client.chat(orpolicy.load(place).preset("answers/answers-00006"), "Where is my parcel?")
print(reply.text, flush=True)
os._exit(0)
"""
"""Ends with the answer of a server next door, which is a little more than a request sent."""

READY = """
import os
from openrouter import OpenRouter
OpenRouter(api_key="sk-or-v1-loopback").chat.send
os._exit(0)
"""


def start(settings: Settings) -> Iterator[Line]:
    """Row 4: three starts, and what the neighbours take to be as far."""
    version, check = orpolicy("--version"), [script("check-jsonschema"), "--version"]
    load = [sys.executable, "-c", "import orpolicy"]
    with TemporaryDirectory(prefix="orpolicy-bench-") as folder:
        root = Path(folder)
        ours, imported, theirs = alternate(
            [partial(clock, command, root) for command in (version, load, check)],
            settings.rounds(20),
        )
        yield Line(4, "--version", ours, "check-jsonschema --version", theirs, Target(0.35, 0.15))
        yield Line(4, "import orpolicy", imported, "check-jsonschema --version", theirs, Target(0.2))
        write_project(root, FILES)
        with serving() as url:
            yield _send_first(settings, root, url)


def _send_first(settings: Settings, root: Path, url: str) -> Line:
    """Time from nothing to the first request, out of the lock file."""
    place, what = root / LOCK, "lock file to first request"
    if run(orpolicy("lock"), root).code or not place.exists():
        place, what = root, "project folder to first request"
    first = [sys.executable, "-c", FIRST_REQUEST, str(place), url]
    require(TEXT in passing(first, root).output, "the first request has no answer")
    ours, theirs = alternate(
        [partial(clock, command, root) for command in (first, [sys.executable, "-c", READY])],
        settings.rounds(12),
    )
    return Line(4, what, ours, "openrouter ready to call", theirs, Target(0.4, 0.3))
