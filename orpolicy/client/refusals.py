"""What comes back instead of a reply.

.. code-block:: text

    ClientError
    ├── Unreachable              no HTTP response
    ├── StreamError              a stream broke off, or is not one
    └── ApiError                 an answer, but no reply; ``status`` decides the class:
        ├── BadRequest 400 · Unauthorized 401 · PaymentRequired 402 · Forbidden 403 · NotFound 404
        ├── RequestTimeout 408 · Conflict 409 · Gone 410 · PayloadTooLarge 413 · UnprocessableEntity 422
        ├── TooManyRequests 429 · InternalServerError 500 · BadGateway 502 · ServiceUnavailable 503
        ├── GatewayTimeout 504 · EdgeTimeout 524 · ProviderOverloaded 529
        └── UnreadableAnswer     HTTP success, and yet nothing that can be read

``status`` is the HTTP status where that is an error, else the code in the body: once a model has started, OpenRouter
answers HTTP 200 and puts the error inside (fact 137). Every message ends with one sentence about what to do, and no
message or repr holds a key, a prompt or a completion: what was sent is veiled wherever a server echoes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from attrs import field, frozen

from orpolicy.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unreachable(ClientError):
    """No HTTP response came back; ``retryable`` says whether the same attempt may fare better."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class StreamError(ClientError):
    """A stream broke off, stalled, or is not a stream of chat chunks."""


@frozen
class Availability:
    """Why nothing could serve the request, in OpenRouter's words (facts 140-142).

    ``retry_after`` is in seconds; ``retryable`` is ``None`` where OpenRouter does not say.
    """

    code: str
    retryable: bool | None = None
    retry_after: float | None = None
    excluded_by: tuple[str, ...] = ()
    requested_models: tuple[str, ...] = ()
    fallback_models: tuple[str, ...] = ()
    constraint: Any = None
    docs_url: str | None = None


@frozen
class Refusal:
    """The facts of an error answer, as far as they came; ``retry_after`` is in seconds."""

    message: str
    status: int | None = None
    http_status: int | None = None
    error_type: str | None = None
    provider: str | None = None
    availability: Availability | None = None
    retry_after: float | None = None
    generation_id: str | None = None
    request_id: str | None = None
    previous_errors: tuple[Any, ...] = field(default=(), repr=False)
    metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    raw: Any = field(default=None, repr=False)


class ApiError(ClientError):
    """OpenRouter, a provider or something in between answered with an error."""

    code: ClassVar[int | None] = None
    title: ClassVar[str] = "Error"
    remedy: ClassVar[str] = "See the error's `raw` for all that came back."

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal
        self.status = refusal.status
        self.error_type = refusal.error_type
        self.availability = refusal.availability
        self.provider = refusal.provider
        self.retry_after = refusal.retry_after
        self.generation_id = refusal.generation_id
        self.request_id = refusal.request_id
        self.previous_errors = refusal.previous_errors
        self.metadata = refusal.metadata
        self.raw = refusal.raw

    @property
    def advice(self) -> str:
        """Say in one sentence what to do about it."""
        code = self.availability.code if self.availability else ""
        return _BY_AVAILABILITY.get(code) or _BY_TYPE.get(self.error_type or "") or self.remedy

    def __str__(self) -> str:
        head = self.title if self.status is None else f"{self.status} {self.title}"
        excluded = ", ".join(self.availability.excluded_by) if self.availability else ""
        facts = [
            self.availability.code if self.availability else self.error_type,
            f"from {self.provider}" if self.provider else None,
            f"excluded by {excluded}" if excluded else None,
            f"retry after {self.retry_after:g} s" if self.retry_after else None,
        ]
        said = ", ".join(fact for fact in facts if fact)
        message = self.refusal.message.rstrip(". ")
        return f"{head}{f' ({said})' if said else ''}: {message}. {self.advice}"


class BadRequest(ApiError):
    """400: the body is malformed or holds a value that is not accepted."""

    code = 400
    title = "Bad Request"
    remedy = "Run `orpolicy check` on the preset and look at what the call added to it."


class Unauthorized(ApiError):
    """401: the key is missing, wrong or disabled."""

    code = 401
    title = "Unauthorized"
    remedy = "Check OPENROUTER_API_KEY, and that the key is not disabled or expired."


class PaymentRequired(ApiError):
    """402: the balance or the key's limit is used up (fact 114)."""

    code = 402
    title = "Payment Required"
    remedy = "Add credits, or raise the limit of the key."


class Forbidden(ApiError):
    """403: a permission, a guardrail or moderation stands in the way (fact 110)."""

    code = 403
    title = "Forbidden"
    remedy = "Ask who owns the key's guardrails and budgets, or change what is asked for."


class NotFound(ApiError):
    """404: no such model, or no endpoint that meets the routing (facts 19, 25)."""

    code = 404
    title = "Not Found"
    remedy = "Run `orpolicy route` on the preset to see which setting leaves no endpoint."


class RequestTimeout(ApiError):
    """408: the request took too long."""

    code = 408
    title = "Request Timeout"
    remedy = "Try again, shorten the prompt, or stream."


class Conflict(ApiError):
    """409: someone else changed the same thing."""

    code = 409
    title = "Conflict"
    remedy = "Read the current state and try again."


class Gone(ApiError):
    """410: removed for good."""

    code = 410
    title = "Gone"
    remedy = "Use what replaces it."


class PayloadTooLarge(ApiError):
    """413: the body is too large."""

    code = 413
    title = "Payload Too Large"
    remedy = "Send less: fewer or smaller images and files."


class UnprocessableEntity(ApiError):
    """422: well-formed, but without sense to the provider."""

    code = 422
    title = "Unprocessable Entity"
    remedy = "Compare the tools, the response format and the messages with what the model supports."


class TooManyRequests(ApiError):
    """429: a rate limit of OpenRouter or of every provider that was tried (facts 113, 115)."""

    code = 429
    title = "Too Many Requests"
    remedy = "Slow down, or add fallback models or providers."


class InternalServerError(ApiError):
    """500: masked, so nothing more is known (fact 145)."""

    code = 500
    title = "Internal Server Error"
    remedy = "Try again; if it stays, report the request id to OpenRouter."


class BadGateway(ApiError):
    """502: the provider failed or gave an invalid answer."""

    code = 502
    title = "Bad Gateway"
    remedy = "Try again, or allow fallbacks to another provider or model."


class ServiceUnavailable(ApiError):
    """503: nothing that meets the routing is up."""

    code = 503
    title = "Service Unavailable"
    remedy = "Try again later, or widen the routing of the preset."


class GatewayTimeout(ApiError):
    """504: the provider did not answer before OpenRouter's deadline."""

    code = 504
    title = "Gateway Timeout"
    remedy = "Try again, or allow fallbacks to another provider or model."


class EdgeTimeout(ApiError):
    """524: the provider's answer timed out at the edge network."""

    code = 524
    title = "Edge Network Timeout"
    remedy = "Try again, and stream long completions."


class ProviderOverloaded(ApiError):
    """529: the provider has no capacity right now."""

    code = 529
    title = "Provider Overloaded"
    remedy = "Try again later, or allow fallbacks to another provider or model."


class UnreadableAnswer(ApiError):
    """HTTP reported success, but the body is empty, HTML, not JSON, or no chat reply."""

    title = "Unreadable Answer"
    remedy = "Check the base URL, and whether a proxy answers in OpenRouter's place."


BY_STATUS: Final[Mapping[int, type[ApiError]]] = {
    kind.code: kind for kind in ApiError.__subclasses__() if kind.code is not None
}

_BY_AVAILABILITY: Final = {  # facts 140, 141
    "capacity_exhausted": "Wait, or add fallback models or providers.",
    "temporarily_unavailable": "Wait, or add fallback models or providers.",
    "model_not_found": "Correct the model's id; `orpolicy check` with a catalogue suggests one.",
    "wrong_endpoint": "The model is not served over chat completions: choose another one.",
    "no_endpoints": "Choose a model that has an endpoint; `orpolicy route` lists them.",
    "model_deprecated": "Move the preset to the model's successor.",
    "model_unavailable_upstream": "Choose another model: its providers have withdrawn it.",
    "privacy_restricted": "Relax the data policy that the account or the preset sets, or choose a model that meets it.",
    "constraint_filtered": "Run `orpolicy route` on the preset to see which constraint leaves no endpoint.",
    "free_variant_ended": "Drop the `:free` suffix: the free variant has ended.",
    "region_restricted": "Choose a model that may be used from this region.",
}
_BY_TYPE: Final = {
    "context_length_exceeded": "Shorten the messages, or choose a model with a longer context.",
    "max_tokens_exceeded": "Lower the completion limit.",
    "token_limit_exceeded": "Shorten the messages or lower the completion limit.",
    "string_too_long": "Shorten the longest message.",
    "content_policy_violation": "Change the content: a provider's policy refuses it.",
    "refusal": "Change the content: the model refuses it.",
}
