"""Read the error that an answer amounts to: its class, its facts, and when to try again.

A module of its own, because a client whose calls go well has no use for it.
"""

from __future__ import annotations

import math
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from orpolicy.client.answers import find_error
from orpolicy.client.refusals import BY_STATUS, ApiError, Availability, Refusal, UnreadableAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.client.answers import Answer


def read_error(
    answer: Answer,
    error: Mapping[str, Any],
    document: Mapping[str, Any] | None,
    *,
    now: float,
    veil: Callable[[str], str],
) -> ApiError:
    """Build the error of the right class from an error object, taking what is there and missing nothing."""
    metadata = _mapping(error.get("metadata"))
    error_type = _text(metadata.get("error_type"))
    availability = _availability(error.get("availability") or metadata.get("availability"))
    status = answer.status if answer.status >= 400 else _code(error.get("code"), error_type)
    hints = (_retry_after(answer.headers, now), availability.retry_after if availability else None)
    unreadable = answer.status < 400 and (document is None or find_error(document) is None)
    refusal = Refusal(
        message=veil(_text(error.get("message")) or "no message"),
        status=answer.status if unreadable else status,
        http_status=answer.status,
        error_type=error_type,
        provider=_text(metadata.get("provider_name")),
        availability=availability,
        retry_after=max((hint for hint in hints if hint is not None), default=None),
        generation_id=answer.headers.get("x-generation-id"),
        request_id=answer.headers.get("x-request-id") or answer.headers.get("cf-ray"),
        previous_errors=_items(metadata.get("previous_errors") or error.get("previous_errors")),
        metadata=_mapping(document.get("openrouter_metadata")) or None if document else None,
        raw=document,
    )
    if unreadable:
        return UnreadableAnswer(refusal)
    return BY_STATUS.get(status or 0, ApiError)(refusal)


_STATUS_OF_TYPE: Final = {  # where the code is missing or a word, as in fact 149
    "authentication": 401,
    "payment_required": 402,
    "permission_denied": 403,
    "content_policy_violation": 403,
    "not_found": 404,
    "timeout": 408,
    "precondition_failed": 412,
    "payload_too_large": 413,
    "unprocessable": 422,
    "rate_limit_exceeded": 429,
    "server": 500,
    "server_error": 500,
    "provider_unavailable": 502,
    "provider_overloaded": 529,
    "context_length_exceeded": 400,
    "max_tokens_exceeded": 400,
    "token_limit_exceeded": 400,
    "string_too_long": 400,
    "invalid_request": 400,
    "invalid_prompt": 400,
}


def _code(code: Any, error_type: str | None) -> int | None:
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code[:4])
    if isinstance(code, int) and not isinstance(code, bool):
        return code
    return _STATUS_OF_TYPE.get(error_type or "") or _STATUS_OF_TYPE.get(str(code))


def _availability(value: Any) -> Availability | None:
    if not isinstance(value, dict):
        return None
    retryable = value.get("retryable")
    return Availability(
        code=_text(value.get("code")) or "unknown",
        retryable=retryable if isinstance(retryable, bool) else None,
        retry_after=_seconds(value.get("retry_after")),
        excluded_by=_words(value.get("excluded_by")),
        requested_models=_words(value.get("requested_models")),
        fallback_models=_words(value.get("fallback_models")),
        constraint=value.get("constraint"),
        docs_url=_text(value.get("docs_url")),
    )


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read ``Retry-After``, seconds or an HTTP date; the server's own clock counts where it tells it (fact 143)."""
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _seconds(value.strip())
    if seconds is not None:
        return seconds
    then = _date(value)
    if then is None:
        return None
    asked = _date(headers.get("date", ""))
    return max(0.0, then - (now if asked is None else asked))


def _date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else ()


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in _items(value) if isinstance(item, str))
