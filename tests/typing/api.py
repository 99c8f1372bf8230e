"""The public interface as a type checker sees it; this file is checked, not run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

from attrs import frozen

import orpolicy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from orpolicy.language.source import Location

project = orpolicy.load()
assert_type(project, orpolicy.Project)
assert_type(project.names, tuple[str, ...])
assert_type(project.environments, tuple[str, ...])
assert_type(project.check(), orpolicy.Report)
assert_type(project.check(["support/triage"], environment="prod"), orpolicy.Report)

effective = project.policy("support/triage", environment="prod")
fields: list[str] = [demand.field for demand in effective.demands]
assert_type(project.compose("support/triage"), dict[str, Any])

locked = orpolicy.load("orpolicy.lock")
assert_type(locked, orpolicy.Project | orpolicy.Lock)
assert_type(locked.names, tuple[str, ...])
compiled: orpolicy.Compiled = locked.preset("support/triage", environment="prod")
said = [demand.field for demand in locked.policy("support/triage").demands]
report: orpolicy.Report = locked.check()

triage = project.preset("support/triage", environment="prod")
assert_type(triage, orpolicy.Compiled)
assert_type(triage.name, str)
assert_type(triage.environment, str | None)
assert_type(triage.system, str | None)
assert_type(triage.digest, str)
assert_type(triage.base_url, str)
assert_type(triage.explain("/provider"), tuple[orpolicy.Explanation, ...])
assert_type(triage.request("hi", temperature=0), orpolicy.Request)
assert_type(triage.for_openai([{"role": "user", "content": "hi"}]), dict[str, Any])
assert_type(triage.for_openrouter(), dict[str, Any])
location: Location | None = triage.origin(("provider", "order"))
headers: Mapping[str, str] = triage.headers
ceiling: Decimal | None = triage.max_cost

for diagnostic in project.check():
    assert_type(diagnostic, orpolicy.Diagnostic)
    assert_type(diagnostic.severity, orpolicy.Severity)


@frozen
class Ticket:
    """What an answer is read into."""

    title: str


with orpolicy.Client(api_key="key", audit="raise", budget="5") as client:
    assert_type(client.chat(triage, "hi", into=Ticket, temperature=0), Ticket)
    spent: Decimal = client.ledger.spent
    reply = client.chat(triage, "My card was charged twice", temperature=0)
    assert_type(reply.text, str)
    assert_type(reply.model, str)
    assert_type(reply.provider, str | None)
    cost: Decimal | None = reply.usage.cost if reply.usage else None
    with client.stream(triage, "hi") as stream:
        for text in stream.text:
            assert_type(text, str)


async def call() -> None:
    """Use the asynchronous client."""
    async with orpolicy.AsyncClient(api_key="key") as client:
        reply = await client.chat(triage, [{"role": "user", "content": "hi"}])
        assert_type(reply.text, str)
        assert_type(await client.chat(triage, "hi", into=Ticket), Ticket)
