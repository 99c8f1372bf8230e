"""Many calls at a time against a server that fails one in twenty: every call is accounted for, to the last decimal."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
from attrs import frozen

from orpolicy.client.client import AsyncClient
from orpolicy.client.flow import Retry
from orpolicy.emulator.faults import Fault
from orpolicy.emulator.local import Emulator
from orpolicy.emulator.server import Server
from orpolicy.errors import ClientError

if TYPE_CHECKING:
    from orpolicy.client.attempts import Attempt
    from orpolicy.client.replies import Reply

CALLS = int(os.environ.get("ORPOLICY_CALLS", "500"))
"""10,000 are the claim; they take two minutes on two cores, so that a usual run makes do with fewer."""

AT_A_TIME = 64
KINDS = ("status", "reset", "cut", "error_body", "truncated")
EVERY = 20
MODELS = ("openai/gpt-4o-mini", "anthropic/claude-haiku-4.5", "openai/gpt-5-mini")
BILLED_UNSEEN = ("cut", "truncated")
"""What OpenRouter has served and billed although its answer never arrives whole."""


@frozen
class Asked:
    body: dict[str, Any]
    preset: str
    headers: Any = ()
    base_url: str = "https://openrouter.ai/api/v1"


@frozen
class Preset:
    """The least that a preset has to be."""

    name: str
    model: str

    def request(self, messages: Any, **overrides: Any) -> Asked:
        said = [{"role": "user", "content": messages}]
        return Asked({"model": self.model, "messages": said, **overrides}, self.name, {})


PRESETS = tuple(Preset(model.partition("/")[2], model) for model in MODELS)


def script() -> tuple[Fault, ...]:
    """One request in twenty fails, each time in another way."""
    number = count(1)
    limit = 2 * CALLS
    turns: dict[str, list[int]] = {kind: [] for kind in KINDS}
    for request in range(EVERY, limit, EVERY):
        turns[KINDS[next(number) % len(KINDS)]].append(request)
    return tuple(
        Fault(kind, status=503, after=2, requests=tuple(requests))  # type: ignore[arg-type]  # a kind
        for kind, requests in turns.items()
        if requests
    )


async def call_often(client: AsyncClient) -> list[Reply | ClientError]:
    """Make the calls, every third one a stream."""
    numbers = iter(range(CALLS))
    found: list[Reply | ClientError] = []

    async def work() -> None:
        for number in numbers:
            preset = PRESETS[number % len(PRESETS)]
            words = f"call {number} " + "word " * (number % 37)
            try:
                if number % 3:
                    found.append(await client.chat(preset, words))
                else:
                    async with client.stream(preset, words) as stream:
                        found.append(await stream.reply())
            except ClientError as exc:
                found.append(exc)

    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    return found


def test_every_call_is_accounted_for_to_the_last_decimal() -> None:
    attempts: list[Attempt] = []
    emulator = Emulator(faults=script())

    async def run(url: str) -> tuple[list[Reply | ClientError], Any]:
        limits = httpx.Limits(max_connections=AT_A_TIME, max_keepalive_connections=AT_A_TIME)
        async with (
            httpx.AsyncClient(timeout=30, limits=limits, verify=False) as http,
            AsyncClient(
                "none", base_url=url, http=http, retry=Retry(base=0.001), on_attempt=attempts.append
            ) as client,
        ):
            return await asyncio.wait_for(call_often(client), 600), client.ledger

    with Server(emulator) as server:
        found, ledger = asyncio.run(run(server.url))
        assert server.open_answers == 0
    replies = [one for one in found if not isinstance(one, ClientError)]
    failures = [one for one in found if isinstance(one, ClientError)]

    # every call has one outcome, every attempt one request, one request in twenty a fault
    assert len(found) == CALLS
    faulty = {request: fault for fault in emulator.world.faults for request in fault.requests}
    requests = emulator.requests
    struck = Counter(fault.kind for request, fault in faulty.items() if request <= requests)
    assert len(attempts) == requests
    assert sum(struck.values()) == requests // EVERY

    # each reply costs what the server has billed for it; what else is billed never arrived whole
    bills = {name: record["total_cost"] for name, record in emulator.records.items()}
    assert len({reply.id for reply in replies}) == len(replies)
    assert all(reply.usage.cost == bills[reply.id] for reply in replies)
    unseen = bills.keys() - {reply.id for reply in replies}
    assert len(unseen) == sum(struck[kind] for kind in BILLED_UNSEEN)

    # the ledger says the same
    assert (ledger.total.calls, ledger.total.failures) == (CALLS, len(failures))
    arrived = sum((bills[reply.id] for reply in replies), Decimal(0))
    assert ledger.spent == arrived
    assert sum(bills.values()) == arrived + sum(bills[name] for name in unseen)
    for preset in PRESETS:
        ours = [reply for reply in replies if reply.model == preset.model]
        assert ledger.presets[preset.name].cost == sum((bills[reply.id] for reply in ours), Decimal(0))
