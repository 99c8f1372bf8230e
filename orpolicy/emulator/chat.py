"""A simulated chat completion: deterministic, labelled as simulated, billed from the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orpolicy.emulator.faults import Fault, edge_fault
from orpolicy.emulator.instances import TEXT, minimal_instance
from orpolicy.emulator.refusals import Refusal, check_body, refuse
from orpolicy.emulator.reports import Call, report_generation, report_metadata
from orpolicy.emulator.serving import (
    BYTES_PER_TOKEN,
    Serving,
    count_prompt_tokens,
    count_tokens,
    find_serving,
)
from orpolicy.emulator.streams import STREAM_TYPE, Answer, cut_text, write_content, write_end, write_failure
from orpolicy.emulator.wire import write_json
from orpolicy.emulator.wounds import answer_at_once, wound_body, wound_stream, write_odd_text
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from orpolicy.emulator.serving import Offer, World

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When a simulated answer was made, where the world has no time."""


def tell_moment(world: World) -> datetime:
    """Return the moment at which a world's answers are made."""
    return world.at or world.catalog.time or EPOCH


def complete(call: Call, world: World) -> Answer:
    """Answer ``POST /chat/completions``."""
    number = call.number - world.start
    fault = edge_fault(world.faults, number, _named(call.body))
    instead = answer_at_once(fault) if fault else None
    if instead:
        return instead
    complaint = check_body(call.body)
    if complaint:
        return answer_refusal(refuse(400, complaint))
    try:
        found = find_serving(call.body, number, call.region, world)
    except UsageError as exc:
        return answer_refusal(refuse(400, str(exc)))
    if not isinstance(found, Serving):
        refusal, offers = found
        metadata = report_metadata(call, offers, None, (), "direct") if call.wants_metadata else None
        return answer_refusal(refusal, metadata)
    fault = fault or found.fault
    return (answer_at_once(fault) if fault else None) or _serve(call, found, world, fault)


def answer_refusal(refusal: Refusal, metadata: Mapping[str, Any] | None = None) -> Answer:
    """Return the answer that carries a refusal; a 500 carries no metadata (fact 134)."""
    body: dict[str, Any] = {"error": refusal.to_json()}
    if metadata and refusal.status != 500:
        body["openrouter_metadata"] = dict(metadata)
    headers = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
    return Answer(status=refusal.status, body=body, headers=headers)


def _named(body: Any) -> tuple[str, ...]:
    if not isinstance(body, Mapping):
        return ()
    names = (body.get("model"), *(body.get("models") or ()))
    return tuple(name for name in names if isinstance(name, str))


def _serve(call: Call, serving: Serving, world: World, fault: Fault | None) -> Answer:
    offer, body = serving.offer, call.body
    message, finish = _write_message(body, offer)
    odd = write_odd_text(fault)
    if odd is not None:
        message, finish = {"content": odd}, "stop"
    usage = _bill(body, message, offer)
    moment = tell_moment(world)
    head = {
        "id": "gen-" + hashlib.sha256(f"{call.number}:{write_json(_plain(body))}".encode()).hexdigest()[:20],
        "provider": offer.endpoint.provider,
        "model": offer.model,
        "created": int(moment.timestamp()),
    }
    tail: dict[str, Any] = {"usage": usage, "service_tier": offer.endpoint.tier or "default"}
    if call.wants_metadata:
        tail["openrouter_metadata"] = report_metadata(
            call, serving.offers, offer, serving.previous, serving.strategy
        )
    record = report_generation(call, head, offer, usage, finish, moment)
    headers = {"x-generation-id": str(head["id"])}
    if fault and fault.kind == "error_body":
        error = refuse(fault.status, fault.message).to_json()
        return Answer(status=200, body={"error": error}, headers=headers, delay=fault.seconds)
    if body.get("stream") is True:
        content = write_content(head, message, whole=bool(fault and fault.kind == "large"))
        if fault and fault.kind == "error_after_content":
            content, end = content[: fault.after], [write_failure(head, fault)]
        else:
            end = write_end(head, finish, tail)
        chunks = wound_stream(content, end, fault)
        return Answer(200, headers=headers, chunks=chunks, content_type=STREAM_TYPE, record=record)
    result = _write_result(head, message, finish, tail, fault)
    return wound_body(Answer(200, result, headers, record=record), fault)


def _write_result(
    head: Mapping[str, Any],
    message: Mapping[str, Any],
    finish: str,
    tail: Mapping[str, Any],
    fault: Fault | None,
) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "refusal": None, "reasoning": None, **message},
        "finish_reason": finish,
        "native_finish_reason": finish,
        "logprobs": None,
    }
    if fault and fault.kind == "error_after_content":  # the error stands beside partial content
        choice |= {"finish_reason": "error", "native_finish_reason": "error"}
        choice["error"] = refuse(fault.status, fault.message).to_json()
        parts = cut_text(str(message["content"] or ""))[: fault.after]
        choice["message"] = choice["message"] | {"content": "".join(parts)}
    return {**head, "object": "chat.completion", "choices": [choice], "system_fingerprint": None, **tail}


def _write_message(body: Mapping[str, Any], offer: Offer) -> tuple[dict[str, Any], str]:
    """Write the assistant's message and its finish reason, within the completion limit."""
    call = _forced_function(body)
    if call is not None:
        arguments = write_json(minimal_instance(call.get("parameters") or {"type": "object"}))
        tool_call = {
            "id": "call_simulated_1",
            "type": "function",
            "function": {"name": call.get("name", ""), "arguments": arguments},
        }
        return {"content": None, "tool_calls": [tool_call]}, "tool_calls"
    text = _write_text(body, offer)
    limits = [body.get(key) for key in ("max_tokens", "max_completion_tokens")]
    limit = min([offer.endpoint.completion_limit, *(n for n in limits if isinstance(n, int))])
    kept = text.encode()[: limit * BYTES_PER_TOKEN].decode(errors="ignore")
    return {"content": kept}, "stop" if kept == text else "length"


def _write_text(body: Mapping[str, Any], offer: Offer) -> str:
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return write_json(minimal_instance((wanted.get("json_schema") or {}).get("schema") or {}))
    if wanted.get("type") == "json_object":
        return write_json({"simulated": True})
    assumed = f" (assuming {', '.join(offer.needs)})" if offer.needs else ""
    return f"{TEXT} {offer.model} at {offer.endpoint.provider} ({offer.endpoint.tag}) would have answered{assumed}."


def _forced_function(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the function that ``tool_choice`` forces, or ``None``."""
    functions = [
        tool["function"]
        for tool in body.get("tools") or ()
        if tool.get("type") == "function" and isinstance(tool.get("function"), Mapping)
    ]
    choice = body.get("tool_choice")
    if choice == "required":
        return functions[0] if functions else None
    if isinstance(choice, Mapping):
        name = (choice.get("function") or {}).get("name")
        return next((function for function in functions if function.get("name") == name), None)
    return None


def _bill(body: Mapping[str, Any], message: Mapping[str, Any], offer: Offer) -> dict[str, Any]:
    prompt = min(count_prompt_tokens(body), offer.endpoint.context_length)
    written = message["content"] or write_json(message.get("tool_calls"))
    limits = [n for key in ("max_tokens", "max_completion_tokens") if isinstance(n := body.get(key), int)]
    completion = min([count_tokens(len(written.encode())), offer.endpoint.completion_limit, *limits])
    prompt_cost = offer.prices.prompt * prompt
    completion_cost = offer.prices.completion * completion
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "cost": prompt_cost + completion_cost + offer.prices.request,
        "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
        "cost_details": {
            "upstream_inference_cost": None,
            "upstream_inference_prompt_cost": prompt_cost,
            "upstream_inference_completions_cost": completion_cost,
        },
    }


def _plain(value: Any) -> Any:
    """Return JSON data as plain dictionaries and lists, whatever mappings it was made of."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return Decimal(str(value)) if isinstance(value, float) else value
