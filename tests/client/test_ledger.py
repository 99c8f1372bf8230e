"""What a client spends, and the budget that refuses the next call."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import Any

import httpx
import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.client.client import AsyncClient, Client
from orpolicy.client.ledger import Account, BudgetExceeded, Ledger
from orpolicy.client.refusals import ApiError, UnreadableAnswer
from orpolicy.client.replies import Usage
from orpolicy.errors import UsageError
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace

COST = Decimal("0.00012345678901234567")


def reply(cost: str | None = str(COST), **top: Any) -> httpx.Response:
    usage = "null" if cost is None else f'{{"prompt_tokens": 9, "completion_tokens": 2, "cost": {cost}}}'
    head = "".join(f', "{key}": "{value}"' for key, value in top.items())
    text = '{"id": "gen-1", "choices": [{"finish_reason": "stop", "message": {"content": "Done."}}], '
    return httpx.Response(200, text=f'{text} "usage": {usage}{head}}}')


def stream(cost: str = str(COST), model: str = "m/m", *, done: bool = True) -> httpx.Response:
    usage = f'"usage": {{"prompt_tokens": 9, "completion_tokens": 2, "cost": {cost}}}'
    events = [
        f'{{"model": "{model}", "choices": [{{"delta": {{"content": "Do"}}}}]}}',
        f'{{"model": "{model}", "choices": [{{"delta": {{"content": "ne."}}, "finish_reason": "stop"}}], {usage}}}',
        "[DONE]",
    ]
    body = "".join(f"data: {event}\n\n" for event in (events if done else events[:1]))
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=body)


def compiled(text: str = "model: m/m\n", name: str = "triage"):
    return Compiler(Workspace(Memory({f"presets/{name}.yaml": text}))).compile(name)


@frozen
class Calls:
    """Several calls with one client, whichever it is."""

    talk: Any

    def run(self, steps: list[tuple[str, Any]], script: tuple[Any, ...], **settings: Any) -> tuple[Any, list]:
        client = self.talk.client(script, **settings)
        outcomes: list[Any] = []

        async def each() -> None:
            for kind, preset in steps:
                try:
                    outcomes.append(await self._step(client, kind, preset))
                except Exception as exc:  # noqa: BLE001 - every outcome is looked at
                    outcomes.append(exc)

        asyncio.run(each())
        return client, outcomes

    async def _step(self, client: Any, kind: str, preset: Any) -> Any:
        if self.talk.kind == "sync":
            if kind == "chat":
                return client.chat(preset, "Hello")
            with client.stream(preset, "Hello") as stream_:
                return next(iter(stream_)) if kind == "leave" else stream_.reply()
        if kind == "chat":
            return await client.chat(preset, "Hello")
        async with client.stream(preset, "Hello") as stream_:
            return await anext(aiter(stream_)) if kind == "leave" else await stream_.reply()


def test_calls_tokens_and_costs_are_summed_by_preset(talk) -> None:
    steps = [("chat", compiled()), ("stream", compiled()), ("chat", compiled(name="other"))]
    client, _ = Calls(talk).run(steps, (reply(), stream(), reply("1")))
    assert client.ledger.presets == {
        "triage": Account(2, 0, 18, 4, 2 * COST),
        "other": Account(1, 0, 9, 2, Decimal(1)),
    }
    assert client.ledger.spent == 2 * COST + 1
    assert client.ledger.total.calls == 3


def test_every_call_is_booked_once_whatever_becomes_of_it(talk) -> None:
    steps = [(kind, compiled()) for kind in ("chat", "chat", "chat", "stream", "stream", "leave", "chat")]
    script = (
        reply(),
        httpx.Response(400, json={"error": {"code": 400, "message": "no"}}),
        httpx.Response(200, json={}),
        httpx.Response(400, json={"error": {"code": 400, "message": "no"}}),
        stream(done=False),
        stream(),
        reply(None),
    )
    client, outcomes = Calls(talk).run(steps, script)
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Reply",
        "BadRequest",
        "UnreadableAnswer",
        "BadRequest",
        "StreamError",
        "Chunk",
        "Reply",
    ]
    assert isinstance(outcomes[1], ApiError)
    assert isinstance(outcomes[2], UnreadableAnswer)
    assert client.ledger.total == Account(7, 4, 9, 2, COST, unpriced=2)


@given(st.lists(st.decimals(0, 10, places=20), max_size=30))
def test_costs_are_summed_to_the_last_decimal(costs) -> None:
    ledger = Ledger()
    for cost in costs:
        ledger.admit("p").close(Usage(cost=cost))
    assert ledger.spent == sum(costs, Decimal(0))


def test_a_spent_budget_refuses_before_sending(talk) -> None:
    steps = [(kind, compiled()) for kind in ("chat", "chat", "chat", "stream")]
    client, outcomes = Calls(talk).run(steps, (reply("0.5"),), budget="1")
    assert [isinstance(outcome, BudgetExceeded) for outcome in outcomes] == [False, False, True, True]
    assert str(outcomes[2]) == "the budget of 1 USD does not cover this call: 1.0 USD are spent"
    assert len(talk.requests) == 2
    assert client.ledger.total.calls == 2


def test_a_ceiling_that_the_rest_of_the_budget_does_not_cover_is_refused(talk) -> None:
    capped = "model: m/m\nmax_cost: 0.40\nmax_tokens: 10\nprovider: {max_price: {prompt: 1, completion: 1}}\n"
    _, outcomes = Calls(talk).run([("chat", compiled(capped))] * 3, (reply("0.3"),), budget=1)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Reply", "Reply", "Reply"]
    talk.requests.clear()
    _, outcomes = Calls(talk).run([("chat", compiled(capped))] * 3, (reply("0.4"),), budget=1)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Reply", "Reply", "BudgetExceeded"]
    assert len(talk.requests) == 2


def test_ceilings_of_calls_in_flight_hold_the_budget_and_are_released() -> None:
    ledger = Ledger("1")
    running = [ledger.admit("p", Decimal("0.5")) for _ in range(2)]
    with pytest.raises(BudgetExceeded, match=r"calls in flight may cost 1.0 more"):
        ledger.admit("p", Decimal("0.5"))
    with pytest.raises(BudgetExceeded):
        ledger.admit("p")
    running[0].fail()
    running[1].close(Usage(cost=Decimal("0.1")))
    ledger.admit("p", Decimal("0.9")).fail()
    assert ledger.total == Account(3, 2, cost=Decimal("0.1"))


@pytest.mark.parametrize("budget", [1.5, True, "a lot", "NaN", -1])
def test_a_budget_is_an_exact_number_of_usd(talk, budget) -> None:
    with pytest.raises(UsageError, match="budget"):
        talk.client(budget=budget)


def test_a_budget_of_nothing_sends_nothing(talk) -> None:
    _, (outcome,) = Calls(talk).run([("chat", compiled())], (reply(),), budget=0)
    assert isinstance(outcome, BudgetExceeded)
    assert talk.requests == []


def test_threads_share_a_client() -> None:
    transport = httpx.MockTransport(lambda _: reply())
    preset = compiled()
    with httpx.Client(transport=transport) as http:
        client = Client("sk-1", http=http, budget=1)

        threads = [
            threading.Thread(target=lambda: [client.chat(preset, "Hi") for _ in range(50)]) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert client.ledger.total == Account(400, 0, 3600, 800, 400 * COST)


def test_tasks_share_a_client() -> None:
    async def run() -> Account:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(lambda _: reply())) as http,
            AsyncClient("sk-1", http=http) as client,
        ):
            await asyncio.gather(*(client.chat(compiled(), "Hi") for _ in range(40)))
            return client.ledger.total

    assert asyncio.run(run()) == Account(40, 0, 360, 80, 40 * COST)
