"""What the emulator tells about an answer: router metadata beside it, and its generation record afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.routing.router import requested_models

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from orpolicy.emulator.serving import Offer

METADATA_HEADERS = ("x-openrouter-metadata", "x-openrouter-experimental-metadata")


@frozen
class Call:
    """A request: header names in lower case, ``number`` counted from 1, ``region`` from the host."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    number: int
    query: Mapping[str, str]
    region: str | None = None

    @property
    def wants_metadata(self) -> bool:
        """Whether router metadata was asked for (fact 132)."""
        return any(self.headers.get(name, "").lower() == "enabled" for name in METADATA_HEADERS)


def report_metadata(
    call: Call,
    offers: Iterable[Offer],
    selected: Offer | None,
    previous: tuple[Mapping[str, Any], ...],
    strategy: str,
) -> dict[str, Any]:
    """Return router metadata (facts 133 to 135)."""
    available = [
        {"provider": offer.endpoint.provider, "model": offer.model, "selected": offer is selected}
        for offer in offers
    ]
    attempts = [{key: entry[key] for key in ("provider", "model", "status")} for entry in previous]
    if selected:
        attempts.append({"provider": selected.endpoint.provider, "model": selected.model, "status": 200})
    chosen = f", selected={selected.endpoint.provider}" if selected else ""
    return {
        "requested": next(iter(requested_models(call.body)), ""),
        "strategy": strategy,
        "region": call.region,
        "summary": f"available={len(available)}{chosen}",
        "attempt": len(attempts),
        "is_byok": False,
        "endpoints": {"total": len(available), "available": available},
        **({"attempts": attempts} if attempts else {}),
    }


def report_generation(  # noqa: PLR0913, PLR0917 - what a generation is remembered by
    call: Call,
    head: Mapping[str, Any],
    offer: Offer,
    usage: Mapping[str, Any],
    finish: str,
    moment: datetime,
) -> dict[str, Any]:
    """Return what ``GET /generation`` tells about an answer."""
    return {
        **dict.fromkeys(_ZERO, 0),
        **dict.fromkeys(_ABSENT),
        "id": head["id"],
        "upstream_id": f"simulated-{head['id']}",
        "api_type": "completions",
        "created_at": moment.isoformat(),
        "model": offer.model,
        "provider_name": offer.endpoint.provider,
        "streamed": call.body.get("stream") is True,
        "cancelled": False,
        "finish_reason": finish,
        "native_finish_reason": finish,
        "service_tier": offer.endpoint.tier or "default",
        "tokens_prompt": usage["prompt_tokens"],
        "tokens_completion": usage["completion_tokens"],
        "native_tokens_prompt": usage["prompt_tokens"],
        "native_tokens_completion": usage["completion_tokens"],
        "total_cost": usage["cost"],
        "usage": usage["cost"],
        "is_byok": False,
        "origin": "",
        "data_region": {"eu": "europe", "us": "us"}.get(call.region or "", "global"),
    }


_ZERO = (
    "native_tokens_completion_images",
    "native_tokens_reasoning",
    "native_tokens_cached",
    "num_media_prompt",
    "num_input_audio_prompt",
    "num_media_completion",
    "num_search_results",
    "num_fetches",
    "moderation_latency",
    "latency",
    "generation_time",
)
_ABSENT = (
    "app_id",
    "cache_discount",
    "external_user",
    "http_referer",
    "preset_id",
    "provider_responses",
    "router",
    "upstream_inference_cost",
    "user_agent",
    "web_search_engine",
    "workspace_id",
    "session_id",
)
