"""OpenRouter's wire format: JSON with exact decimals, server-sent events, and the catalogue as the API states it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orpolicy.routing.prices import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.routing.catalog import Catalog, Endpoint, Model, Prices, Provider

COMMENT = b": OPENROUTER PROCESSING\n\n"
"""What OpenRouter sends to keep a stream alive (fact 147)."""

DONE = b"data: [DONE]\n\n"


def write_json(value: Any) -> str:
    """Write JSON in which a decimal is a number with exactly its digits."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{write_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(write_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_event(data: Any) -> bytes:
    """Write one server-sent event."""
    return b"data: " + write_json(data).encode() + b"\n\n"


def show_model(model: Model) -> dict[str, Any]:
    """Return a model as ``GET /models`` lists it."""
    return {
        "id": model.id,
        "canonical_slug": model.canonical_slug or model.id,
        **({"alias_target": {"name": model.alias_of, "slug": model.alias_of}} if model.alias_of else {}),
        "hugging_face_id": model.hugging_face_id,
        "name": model.name,
        "created": model.created,
        "description": "",
        "context_length": model.context_length,
        "architecture": _show_architecture(model),
        "pricing": _show_prices(model.prices),
        "top_provider": {
            "context_length": model.context_length,
            "max_completion_tokens": model.max_completion_tokens,
            "is_moderated": model.moderated,
        },
        "per_request_limits": None,
        "supported_parameters": sorted(model.parameters),
        "default_parameters": {},
        "supported_voices": None,
        "expiration_date": model.expires.isoformat() if model.expires else None,
        "links": {"details": f"/api/v1/models/{model.canonical_slug or model.id}/endpoints"},
        **({"reasoning": dict(model.reasoning)} if model.reasoning is not None else {}),
    }


def show_endpoints(model: Model) -> dict[str, Any]:
    """Return a model as ``GET /models/{author}/{slug}/endpoints`` shows it."""
    return {
        "id": model.id,
        "name": model.name,
        "created": model.created,
        "description": "",
        "architecture": _show_architecture(model),
        "endpoints": [show_endpoint(endpoint, model) for endpoint in model.endpoints or ()],
    }


def show_endpoint(endpoint: Endpoint, model: Model) -> dict[str, Any]:
    """Return an endpoint as the API lists it; uptimes are not in a catalogue."""
    can_choose = "tool_choice" in endpoint.parameters
    return {
        "name": f"{endpoint.provider} | {model.canonical_slug or model.id}",
        "model_id": endpoint.served_as or model.id,
        "model_name": model.name,
        "context_length": endpoint.context_length,
        "pricing": _show_prices(endpoint.prices) | {"discount": endpoint.prices.discount},
        "provider_name": endpoint.provider,
        "tag": endpoint.tag,
        "quantization": endpoint.quantization,
        "max_completion_tokens": endpoint.max_completion_tokens,
        "max_prompt_tokens": endpoint.max_prompt_tokens,
        "supported_parameters": sorted(endpoint.parameters),
        "supports_tool_choice": dict.fromkeys(("none", "auto", "required", "function"), can_choose),
        "native_tools": {},
        "service_tier": endpoint.tier,
        "status": endpoint.status,
        "uptime_last_30m": None,
        "uptime_last_5m": None,
        "uptime_last_1d": None,
        "supports_implicit_caching": endpoint.implicit_caching,
        "supports_voice_cloning": False,
        "supports_diarization": False,
        "latency_last_30m": dict(endpoint.latency) if endpoint.latency else None,
        "throughput_last_30m": dict(endpoint.throughput) if endpoint.throughput else None,
    }


def show_zdr(catalog: Catalog) -> list[dict[str, Any]]:
    """Return the endpoints that retain nothing, as ``GET /endpoints/zdr`` lists them."""
    return [
        show_endpoint(endpoint, model)
        for model in catalog.models
        for endpoint in model.endpoints or ()
        if endpoint.zdr and endpoint.served_as in ("", model.id)
    ]


def show_provider(provider: Provider) -> dict[str, Any]:
    """Return a provider as ``GET /providers`` lists it."""
    return {
        "name": provider.name,
        "slug": provider.slug,
        "privacy_policy_url": None,
        "terms_of_service_url": None,
        "status_page_url": None,
        "headquarters": provider.headquarters,
        "datacenters": list(provider.datacenters) if provider.datacenters is not None else None,
    }


def _show_architecture(model: Model) -> dict[str, Any]:
    return {
        "modality": f"{'+'.join(model.input_modalities)}->{'+'.join(model.output_modalities)}",
        "input_modalities": list(model.input_modalities),
        "output_modalities": list(model.output_modalities),
        "tokenizer": model.tokenizer or "Other",
        "instruct_type": None,
    }


def _show_prices(prices: Prices) -> dict[str, Any]:
    shown: dict[str, Any] = _show_rates(prices.rates)
    if prices.overrides:
        shown["overrides"] = [
            {
                key: value
                for key in ("min_prompt_tokens", "utc_start", "utc_end")
                if (value := getattr(override, key)) is not None
            }
            | _show_rates(override.rates)
            for override in prices.overrides
        ]
    return shown


def _show_rates(rates: Mapping[str, Decimal]) -> dict[str, Any]:
    return {kind: plain(rate) for kind, rate in rates.items()}
