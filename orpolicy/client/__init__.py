"""The client wing: how a request is sent, and what comes back.

``refusals`` (what comes back instead of a reply) · ``sse`` (bytes → events) · ``answers`` (HTTP → document or error) ·
``replies`` (document → typed reply) · ``flow`` (attempts, waits, no I/O) · ``streams`` (chunks while they arrive) ·
``wire`` (preset → HTTP request) · ``client`` (the only sockets) · ``adapters`` (other SDKs' keyword arguments).

The names below load their module, and with it httpx, when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from orpolicy.client.adapters import AdapterError, for_openai, for_openrouter
    from orpolicy.client.client import AsyncClient, Client
    from orpolicy.client.flow import Attempt, Retry
    from orpolicy.client.refusals import ApiError, StreamError, Unreachable
    from orpolicy.client.replies import Chunk, Reply, ToolCall, Usage
    from orpolicy.client.streams import AsyncStream, Stream

_HOMES: Final = {
    "AdapterError": "adapters",
    "ApiError": "refusals",
    "AsyncClient": "client",
    "AsyncStream": "streams",
    "Attempt": "flow",
    "Chunk": "replies",
    "Client": "client",
    "Reply": "replies",
    "Retry": "flow",
    "Stream": "streams",
    "StreamError": "refusals",
    "ToolCall": "replies",
    "Unreachable": "refusals",
    "Usage": "replies",
    "for_openai": "adapters",
    "for_openrouter": "adapters",
}

__all__ = [
    "AdapterError",
    "ApiError",
    "AsyncClient",
    "AsyncStream",
    "Attempt",
    "Chunk",
    "Client",
    "Reply",
    "Retry",
    "Stream",
    "StreamError",
    "ToolCall",
    "Unreachable",
    "Usage",
    "for_openai",
    "for_openrouter",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
