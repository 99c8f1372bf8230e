"""Who serves a simulated call: the router's choice, provider faults and fallbacks, in OpenRouter's way.

The first attempt that no fault strikes serves. A provider that answers 429 or 5xx hands over to the next endpoint
(fact 10), any other error to the next model (fact 37); reserves are not reached by a failure. What the router cannot
know offline is taken as allowed, and the answer says so; a router such as ``openrouter/auto`` picks the cheapest model
that may serve the body.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.emulator.faults import Fault, upstream_fault
from orpolicy.emulator.refusals import MESSAGES, Refusal, refuse, refuse_unavailable
from orpolicy.routing.router import Route, requested_models, route
from orpolicy.routing.tokens import text_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from orpolicy.routing.catalog import Catalog, Endpoint, Prices

BYTES_PER_TOKEN = 4
"""The emulator's tokeniser: four bytes of UTF-8 are a token."""


@frozen
class World:
    """What an emulator is made of: a catalogue, scripted faults, and the moment at which it pretends to be.

    ``start`` is how many requests had come when the faults were scripted: they count from there.
    """

    catalog: Catalog = field(repr=False)
    faults: tuple[Fault, ...] = ()
    at: datetime | None = None
    start: int = 0


@frozen
class Offer:
    """An endpoint that may serve, with its prices; ``needs`` names what was taken for granted."""

    model: str
    endpoint: Endpoint
    prices: Prices
    needs: tuple[str, ...] = ()


@frozen
class Serving:
    """The endpoint that serves, what failed before it, and the fault that strikes it, if any."""

    offer: Offer
    offers: tuple[Offer, ...]
    previous: tuple[Mapping[str, Any], ...]
    strategy: str
    fault: Fault | None = None


def count_prompt_tokens(body: Mapping[str, Any]) -> int:
    """Count the prompt's tokens as the emulator bills them: messages, tools and the schema of the answer."""
    parts = [body.get("messages"), body.get("tools"), body.get("response_format")]
    return sum(count_tokens(text_bytes(part)) for part in parts if part)


def count_tokens(size: int) -> int:
    """Count the tokens of a text of this many bytes."""
    return math.ceil(size / BYTES_PER_TOKEN)


def find_serving(
    body: Mapping[str, Any], number: int, region: str | None, world: World
) -> Serving | tuple[Refusal, tuple[Offer, ...]]:
    """Find who serves a call, or the refusal and those who failed."""
    answer = _route(body, region, world)
    offers = tuple(_offers(answer, body, world))
    strategy = _strategy(body, answer)
    if not offers and not answer.availability:
        offers = tuple(_offers_of_router(body, answer, region, world))
    if not offers:
        return _refuse(body, answer), ()
    return _try_in_turn(body, offers, strategy, number, world)


def _route(body: Mapping[str, Any], region: str | None, world: World) -> Route:
    return route(body, world.catalog, prompt_tokens=count_prompt_tokens(body), region=region, at=world.at)


def _offers(answer: Route, body: Mapping[str, Any], world: World) -> Iterator[Offer]:
    """Yield the attempts that a failure can reach, or else the endpoints of which nothing forbidding is known."""
    for attempt in answer.attempts:
        if attempt.reserve is None:
            yield Offer(attempt.model, attempt.endpoint, attempt.prices)
    if answer.attempts:
        return
    tokens = count_prompt_tokens(body)
    for unknown in answer.unknown:
        if unknown.endpoint is not None:
            prices = unknown.endpoint.prices.at(tokens, world.at)
            yield Offer(unknown.model, unknown.endpoint, prices, unknown.needs)


def _offers_of_router(
    body: Mapping[str, Any], answer: Route, region: str | None, world: World
) -> Iterator[Offer]:
    """Yield the offers of the cheapest model that may stand in for a router or for an account's default model."""
    needs = {need for unknown in answer.unknown for need in unknown.needs}
    if not needs & {"router", "account_default_model"}:
        return
    free = "openrouter/free" in requested_models(body)
    plain_models = [m for m in world.catalog.models if m.endpoints and (m.variant == "free") is free]
    for model in sorted(plain_models, key=lambda m: (m.prices.prompt + m.prices.completion, m.id)):
        narrowed = {**body, "model": model.id, "models": None}
        found = tuple(_offers(_route(narrowed, region, world), narrowed, world))
        if found:
            yield from found
            return


def _strategy(body: Mapping[str, Any], answer: Route) -> str:
    """Name the routing strategy as router metadata does (fact 133)."""
    first = next(iter(requested_models(body)), "")
    if first.startswith("~"):
        return "latest"
    routers = {"auto": "auto", "auto-beta": "auto", "free": "free", "pareto-code": "pareto"}
    author, _, name = first.partition(":")[0].partition("/")
    if author == "openrouter":
        return routers.get(name, name if name in ("bodybuilder", "fusion") else "auto")
    return "direct" if not answer.attempts or answer.attempts[0].model == first.partition(":")[0] else "alias"


def _refuse(body: Mapping[str, Any], answer: Route) -> Refusal:
    requested = requested_models(body)
    name = requested[0] if requested else "the account's default model"
    availability = answer.availability
    if availability is None:
        needs = {need for unknown in answer.unknown for need in unknown.needs}
        if needs == {"hosted_preset"}:
            return refuse(404, f"Preset not found: {name}")
        message = f"{name} is not in the emulator's catalogue"
        return refuse_unavailable("model_not_found", message, requested)
    message = {
        "model_not_found": f"{name} is not a valid model ID",
        "free_variant_ended": f"The free period of {name} has ended",
        "privacy_restricted": f"No endpoints for {name} match your data policy",
    }.get(availability.code, f"No endpoints found for {name} that match your routing requirements")
    providers = [excluded.endpoint.prefix for excluded in answer.excluded]
    return refuse_unavailable(availability.code, message, requested, answer=availability, providers=providers)


def _try_in_turn(
    body: Mapping[str, Any], offers: tuple[Offer, ...], strategy: str, number: int, world: World
) -> Serving | tuple[Refusal, tuple[Offer, ...]]:
    previous: list[dict[str, Any]] = []
    failed: list[Fault] = []
    given_up: set[str] = set()
    for offer in offers:
        if offer.model in given_up:
            continue
        slug = world.catalog.provider_slug(offer.endpoint)
        fault = upstream_fault(world.faults, number, offer.model, (offer.endpoint.tag, slug))
        if fault is None or fault.kind != "status":
            moved = previous and previous[-1]["model"] != offer.model
            return Serving(offer, offers, tuple(previous), "fallback" if moved else strategy, fault)
        failed.append(fault)
        previous.append(
            {
                "provider": offer.endpoint.provider,
                "model": offer.model,
                "code": refuse(fault.status).error_type,
                "status": fault.status,
            }
        )
        if not _hands_over(fault.status):
            given_up.add(offer.model)
    return _refuse_after_failures(body, failed, previous), offers


def _hands_over(status: int) -> bool:
    return status == 429 or status >= 500  # fact 10


def _refuse_after_failures(
    body: Mapping[str, Any], failed: Sequence[Fault], previous: Sequence[Mapping[str, Any]]
) -> Refusal:
    """Tell that everybody failed (facts 140, 141); an error that is not transient is returned as it is (fact 39)."""
    requested = requested_models(body)
    slim = [{key: entry[key] for key in ("provider", "code", "status")} for entry in previous]
    hints = [fault.retry_after for fault in failed if isinstance(fault.retry_after, int)]
    wait = min(hints, default=None)
    last = failed[-1]
    if not _hands_over(last.status):
        return refuse(
            last.status, last.message or MESSAGES.get(last.status), metadata={"previous_errors": slim}
        )
    exhausted = all(fault.status == 429 for fault in failed)
    code = "capacity_exhausted" if exhausted else "temporarily_unavailable"
    state = "are at capacity" if exhausted else "are temporarily unavailable"
    message = f"All providers for {requested[0] if requested else 'the default model'} {state}."
    names = [entry["provider"] for entry in slim]
    return refuse_unavailable(code, message, requested, providers=names, previous=slim, retry_after=wait)
