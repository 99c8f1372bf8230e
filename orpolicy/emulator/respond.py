"""A local OpenRouter as one pure function: request and world in, answer out.

.. code-block:: text

    POST /chat/completions                       the router's choice, simulated text, a real bill
    GET  /models · /models/A/S/endpoints         the catalogue
    GET  /model/A/S · /models/count
    GET  /endpoints/zdr · /providers
    GET  /generation?id=… · /key · /credits      what this emulator has answered so far
    GET, POST /presets…                          presets and their versions

It keeps nothing: what is remembered comes in as ``memory``, and what is new goes out with the answer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import evolve

from orpolicy.emulator.chat import answer_refusal, complete
from orpolicy.emulator.presets import answer_presets, expand
from orpolicy.emulator.refusals import refuse
from orpolicy.emulator.streams import Answer
from orpolicy.emulator.wire import show_endpoints, show_model, show_provider, show_zdr
from orpolicy.routing.resolve import resolve_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.emulator.memory import Memory
    from orpolicy.emulator.reports import Call
    from orpolicy.emulator.serving import World

    Records = Mapping[str, Mapping[str, Any]]

PREFIX = "/api/v1"
CREDITS = Decimal(100)
"""The credits of every simulated account, in USD."""


def respond(call: Call, world: World, memory: Memory) -> Answer:
    """Answer a request out of the world and what is remembered."""
    path = call.path.removeprefix(PREFIX)
    if path == "/chat/completions":
        return _chat(call, world, memory) if call.method == "POST" else _refuse_method(call)
    if path == "/presets" or path.startswith("/presets/"):
        return answer_presets(call, path, world, memory)
    find = _GETTERS.get(path)
    if find is None and not path.startswith(("/models/", "/model/")):
        return answer_refusal(refuse(404, f"The emulator has no {call.method} {path}"))
    if call.method != "GET":
        return _refuse_method(call)
    return find(call, world, memory.records) if find else _answer_model(path, world)


def _chat(call: Call, world: World, memory: Memory) -> Answer:
    """Complete a chat after the preset that it names."""
    body = expand(call.body, memory)
    return body if isinstance(body, Answer) else complete(evolve(call, body=body), world)


def _refuse_method(call: Call) -> Answer:
    return answer_refusal(refuse(405, f"{call.method} is not allowed here"))


def _answer_models(_call: Call, world: World, _records: Records) -> Answer:
    rows = [show_model(model) for model in world.catalog.models]
    return Answer(body={"data": rows, "total_count": len(rows), "links": {"next": None}})


def _answer_count(_call: Call, world: World, _records: Records) -> Answer:
    return Answer(body={"data": {"count": len(world.catalog.models)}})


def _answer_zdr(_call: Call, world: World, _records: Records) -> Answer:
    return Answer(body={"data": show_zdr(world.catalog)})


def _answer_providers(_call: Call, world: World, _records: Records) -> Answer:
    return Answer(body={"data": [show_provider(provider) for provider in world.catalog.providers]})


def _answer_model(path: str, world: World) -> Answer:
    """Answer ``/models/{author}/{slug}/endpoints`` and ``/model/{author}/{slug}``."""
    kind, _, name = path.lstrip("/").partition("/")
    wants_endpoints = kind == "models"
    listed = resolve_model(world.catalog, name.removesuffix("/endpoints")).listed
    if listed is None or wants_endpoints != name.endswith("/endpoints"):
        return answer_refusal(refuse(404, f"Model not found: {name.removesuffix('/endpoints')}"))
    return Answer(body={"data": show_endpoints(listed) if wants_endpoints else show_model(listed)})


def _answer_generation(call: Call, _world: World, records: Records) -> Answer:
    record = records.get(call.query.get("id", ""))
    if record is None:
        return answer_refusal(refuse(404, f"Generation {call.query.get('id')} not found"))
    return Answer(body={"data": dict(record)})


def _spent(records: Records) -> Decimal:
    return sum((record["total_cost"] for record in records.values()), Decimal(0))


def _answer_credits(_call: Call, _world: World, records: Records) -> Answer:
    return Answer(body={"data": {"total_credits": CREDITS, "total_usage": _spent(records)}})


def _answer_key(_call: Call, _world: World, records: Records) -> Answer:
    spent = _spent(records)
    periods = ("", "_daily", "_weekly", "_monthly")
    return Answer(
        body={
            "data": {
                "label": "simulated key",
                "limit": CREDITS,
                "limit_remaining": CREDITS - spent,
                "limit_reset": None,
                **{f"usage{period}": spent for period in periods},
                **{f"byok_usage{period}": 0 for period in periods},
                "include_byok_in_limit": False,
                "is_free_tier": False,
                "is_management_key": False,
                "is_provisioning_key": False,
                "creator_user_id": None,
                "organization_id": None,
                "workspace_id": None,
                "expires_at": None,
                "allowed_data_regions": ["global", "europe", "us"],
                "budgets": [],
                "effective_budget": None,
                "free_model_daily_requests": {"limit": 1000, "used": 0, "remaining": 1000},
                "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated."},
            }
        }
    )


_GETTERS: dict[str, Callable[[Call, World, Records], Answer]] = {
    "/models": _answer_models,
    "/models/count": _answer_count,
    "/endpoints/zdr": _answer_zdr,
    "/providers": _answer_providers,
    "/generation": _answer_generation,
    "/key": _answer_key,
    "/credits": _answer_credits,
}
