"""Errors in the shapes that OpenRouter documents (facts 137 to 146)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orpolicy.routing.availability import Availability

DOCUMENTATION = "https://openrouter.ai/docs/errors#"

ERROR_TYPES = {
    400: "invalid_request",
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    408: "timeout",
    412: "precondition_failed",
    413: "payload_too_large",
    422: "unprocessable",
    429: "rate_limit_exceeded",
    500: "server",
    502: "provider_unavailable",
    503: "provider_overloaded",
    524: "timeout",
    529: "provider_overloaded",
}
"""HTTP status → the ``error_type`` that most often goes with it (facts 138, 139)."""

MESSAGES = {
    400: "Invalid request parameters",
    401: "No cookie auth credentials found",
    402: "Insufficient credits. Add more using https://openrouter.ai/credits",
    403: "Forbidden",
    404: "Not found",
    408: "Operation timed out. Please try again later.",
    413: "Request payload too large",
    422: "Invalid argument",
    429: "Rate limit exceeded",
    500: "Internal Server Error",
    502: "Provider returned error",
    503: "Service temporarily unavailable",
    524: "Request timed out. Please try again later.",
    529: "Provider returned error",
}

STATUS_OF_CODE = {
    "model_not_found": 400,
    "wrong_endpoint": 400,
    "region_restricted": 403,
    "capacity_exhausted": 429,
    "temporarily_unavailable": 503,
}
"""Availability code → HTTP status, 404 for the others (facts 140, 141)."""

RETRYABLE = frozenset({"capacity_exhausted", "temporarily_unavailable"})


@frozen
class Refusal:
    """An error on its way out."""

    status: int
    message: str
    error_type: str
    metadata: Mapping[str, Any] | None = None
    availability: Mapping[str, Any] | None = None
    retry_after: int | str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the value of ``error``; a 500 is masked (fact 145)."""
        metadata = {"error_type": self.error_type, **(self.metadata or {})}
        if self.status == 500:
            metadata = {"error_type": "server"}
        error = {"code": self.status, "message": self.message, "metadata": metadata}
        return error | ({"availability": dict(self.availability)} if self.availability else {})


def refuse(status: int, message: str | None = None, **more: Any) -> Refusal:
    """Return the documented error of a status."""
    text = MESSAGES[500] if status == 500 else message or MESSAGES.get(status, "Provider returned error")
    return Refusal(status, text, ERROR_TYPES.get(status, "unmapped"), **more)


def refuse_unavailable(  # noqa: PLR0913 - the fields of the documented object, each by its name
    code: str,
    message: str,
    requested: Sequence[str],
    *,
    answer: Availability | None = None,
    providers: Sequence[str] = (),
    previous: Sequence[Mapping[str, Any]] = (),
    retry_after: int | str | None = None,
) -> Refusal:
    """Return an availability error (fact 140): fields that do not apply are left out."""
    availability: dict[str, Any] = {"code": code, "retryable": code in RETRYABLE}
    if isinstance(retry_after, int):
        availability["retry_after"] = retry_after
    availability["requested_models"] = list(requested)
    if providers:
        availability["affected_providers"] = list(dict.fromkeys(providers))
    if answer and answer.excluded_by:
        availability["excluded_by"] = list(answer.excluded_by)
    if answer and answer.suggestions:
        availability["fallback_models"] = list(answer.suggestions)
    if answer and code == "constraint_filtered" and answer.blame:
        path = answer.blame[0].path
        field = str(path[1] if path[0] == "provider" else path[0])
        availability["constraint"] = {"field": field, "detail": f"{field} removed every endpoint"}
    availability["docs_url"] = DOCUMENTATION + code
    status = STATUS_OF_CODE.get(code, 404)
    metadata = {"previous_errors": list(previous)} if previous else None
    return refuse(status, message, metadata=metadata, availability=availability, retry_after=retry_after)


def check_body(body: Any) -> str | None:
    """Return what OpenRouter would refuse about a body's shape, or ``None``."""
    if not isinstance(body, Mapping):
        return "Expected a JSON object in the request body"
    return next((complaint for check in _CHECKS if (complaint := check(body))), None)


def _check_messages(body: Mapping[str, Any]) -> str | None:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return 'Input required: specify "messages"'
    roles = {"system", "developer", "user", "assistant", "tool"}
    bad = [m for m in messages if not isinstance(m, Mapping) or m.get("role") not in roles]
    return (
        "messages: every message needs a role of system, developer, user, assistant or tool" if bad else None
    )


def _check_models(body: Mapping[str, Any]) -> str | None:
    models = body.get("models") or []
    if not isinstance(body.get("model") or "", str) or not isinstance(models, list):
        return "model must be a string and models a list of strings"
    return "models: at most 3 entries are allowed" if len(models) > 3 else None


PROVIDER_KEYS = frozenset(
    """
    allow_fallbacks data_collection enforce_distillable_text ignore max_price only options order preferred_max_latency
    preferred_min_throughput quantizations require_parameters sort zdr
    """.split()  # noqa: SIM905 - the names of a specification read better as prose
)
"""Keys of the closed object ``provider`` (fact 11)."""


def _check_provider(body: Mapping[str, Any]) -> str | None:
    provider = body.get("provider")
    if provider is None:
        return None
    if not isinstance(provider, Mapping):
        return "provider must be an object"
    unknown = sorted(set(provider) - PROVIDER_KEYS)
    return f"Unrecognized key(s) in object: {', '.join(map(repr, unknown))}" if unknown else None


def _check_efforts(body: Mapping[str, Any]) -> str | None:
    inner = (body.get("reasoning") or {}).get("effort")
    outer = body.get("reasoning_effort")
    both = inner is not None and outer is not None and inner != outer
    return "reasoning_effort and reasoning.effort may not differ" if both else None  # fact 127


def _check_limits(body: Mapping[str, Any]) -> str | None:
    if isinstance(body.get("stop"), list) and len(body["stop"]) > 4:
        return "stop: at most 4 sequences are allowed"  # fact 126
    if len(body.get("metadata") or ()) > 16:
        return "metadata: at most 16 pairs are allowed"  # fact 126
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        return "top_logprobs needs logprobs"  # fact 124
    return None


_CHECKS: tuple[Callable[[Mapping[str, Any]], str | None], ...] = (
    _check_messages,
    _check_models,
    _check_provider,
    _check_efforts,
    _check_limits,
)
