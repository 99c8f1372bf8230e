"""An emulator that remembers: what the transport inside a process and the server on a socket have in common."""

from __future__ import annotations

import json
from threading import Lock
from typing import TYPE_CHECKING, Any

from attrs import evolve

from orpolicy.emulator.chat import answer_refusal
from orpolicy.emulator.memory import HostedPreset, Memory
from orpolicy.emulator.refusals import refuse
from orpolicy.emulator.reports import Call
from orpolicy.emulator.respond import respond
from orpolicy.emulator.serving import World
from orpolicy.routing.snapshot import demonstration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from orpolicy.emulator.faults import Fault
    from orpolicy.emulator.streams import Answer
    from orpolicy.routing.catalog import Catalog


class Emulator:
    """A world, its memory, and the count of its requests; safe to share between threads and tasks.

    ``records`` maps the ids of generations to what ``GET /generation`` tells of them, ``presets`` slugs to presets.
    """

    def __init__(
        self,
        catalog: Catalog | None = None,
        faults: Sequence[Fault] = (),
        *,
        key: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Make an emulator.

        Args:
            catalog: the models and endpoints; by default the demonstration catalogue.
            faults: what goes wrong, the first that fits strikes.
            key: the only API key that is let in; by default any, or none.
            at: the moment (UTC) at which the emulator pretends to be, for prices by time of day.
        """
        self.world = World(catalog or demonstration(), tuple(faults), at)
        self.records: dict[str, Mapping[str, Any]] = {}
        self.presets: dict[str, HostedPreset] = {}
        self._key = key
        self._number = 0
        self._lock = Lock()

    @property
    def requests(self) -> int:
        """How many requests have come."""
        return self._number

    def script(self, *faults: Fault) -> None:
        """Replace the faults, and count requests from 1 again."""
        with self._lock:
            self.world = evolve(self.world, faults=faults, start=self._number)

    def answer(  # noqa: PLR0913 - the parts of a request, each by its name
        self,
        *,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes,
        query: Mapping[str, str],
        region: str | None = None,
    ) -> Answer:
        """Answer a request and remember it; names of ``headers`` are in lower case."""
        if self._key is not None and headers.get("authorization") != f"Bearer {self._key}":
            return answer_refusal(refuse(401))
        body = None
        if content:
            try:
                body = json.loads(content)
            except ValueError:
                return answer_refusal(refuse(400, "Invalid JSON in the request body"))
        with self._lock:
            self._number += 1
            call = Call(method, path, headers, body, self._number, query, region)
            answer = respond(call, self.world, Memory(self.records, self.presets))
            if answer.record is not None:
                self.records[answer.record["id"]] = answer.record
            if answer.preset is not None:
                self.presets.pop(answer.preset.slug, None)
                self.presets[answer.preset.slug] = answer.preset
        return answer
