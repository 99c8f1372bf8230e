"""The client wing: how a request is sent, and what comes back.

``refusals`` (what comes back instead of a reply) · ``sse`` (bytes → events) · ``answers``, ``judging`` (HTTP → document or
error) · ``faults`` (which error) · ``replies``, ``chunks`` (document → typed values) · ``flow``, ``attempts`` (what is tried,
and when; no I/O) · ``streams`` (chunks while they arrive) · ``wire`` (preset → HTTP request) · ``audit``, ``violations`` (who
served, and who may) · ``ledger`` (what was spent) · ``turns`` (a call from admission to account) · ``shapes``,
``structures`` (answers as values) · ``lookups``, ``account`` (the rest of the API) · ``driving``, ``client`` (the only
sockets) · ``adapters``, ``frameworks`` (other packages' keyword arguments).

The names below load their module, and with it httpx, when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from orpolicy.client.account import Credits, Generation, Key
    from orpolicy.client.adapters import AdapterError, for_openai, for_openrouter
    from orpolicy.client.attempts import Attempt
    from orpolicy.client.audit import RoutingViolation, RoutingWarning
    from orpolicy.client.chunks import Chunk
    from orpolicy.client.client import AsyncClient, Client
    from orpolicy.client.flow import Retry
    from orpolicy.client.frameworks import (
        as_curl,
        for_instructor,
        for_langchain,
        for_litellm,
        for_pydantic_ai,
    )
    from orpolicy.client.ledger import Account, BudgetExceeded, Ledger
    from orpolicy.client.refusals import ApiError, StreamError, Unreachable
    from orpolicy.client.replies import Reply, ToolCall, Usage
    from orpolicy.client.streams import AsyncStream, Stream
    from orpolicy.client.structures import StructureError
    from orpolicy.client.violations import Violation

_HOMES: Final = {
    "Account": "ledger",
    "AdapterError": "adapters",
    "ApiError": "refusals",
    "AsyncClient": "client",
    "AsyncStream": "streams",
    "Attempt": "attempts",
    "BudgetExceeded": "ledger",
    "Chunk": "chunks",
    "Client": "client",
    "Credits": "account",
    "Generation": "account",
    "Key": "account",
    "Ledger": "ledger",
    "Reply": "replies",
    "Retry": "flow",
    "RoutingViolation": "audit",
    "RoutingWarning": "audit",
    "Stream": "streams",
    "StreamError": "refusals",
    "StructureError": "structures",
    "ToolCall": "replies",
    "Unreachable": "refusals",
    "Usage": "replies",
    "Violation": "violations",
    "as_curl": "frameworks",
    "for_instructor": "frameworks",
    "for_langchain": "frameworks",
    "for_litellm": "frameworks",
    "for_openai": "adapters",
    "for_openrouter": "adapters",
    "for_pydantic_ai": "frameworks",
}

__all__ = [
    "Account",
    "AdapterError",
    "ApiError",
    "AsyncClient",
    "AsyncStream",
    "Attempt",
    "BudgetExceeded",
    "Chunk",
    "Client",
    "Credits",
    "Generation",
    "Key",
    "Ledger",
    "Reply",
    "Retry",
    "RoutingViolation",
    "RoutingWarning",
    "Stream",
    "StreamError",
    "StructureError",
    "ToolCall",
    "Unreachable",
    "Usage",
    "Violation",
    "as_curl",
    "for_instructor",
    "for_langchain",
    "for_litellm",
    "for_openai",
    "for_openrouter",
    "for_pydantic_ai",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
