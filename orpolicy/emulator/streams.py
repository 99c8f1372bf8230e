"""Answers as a transport sends them: a body at once, or chunks one after the other, with what goes wrong on the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from orpolicy.emulator.refusals import refuse
from orpolicy.emulator.wire import COMMENT, DONE, write_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.emulator.faults import Fault
    from orpolicy.emulator.memory import HostedPreset

Failure = Literal["refuse", "reset", "cut"]
"""No connection; a connection that breaks before the answer; one that breaks inside it."""


@frozen
class Chunk:
    """Bytes of a stream, sent after ``delay`` seconds of silence; ``failure`` breaks the connection instead."""

    data: bytes = b""
    delay: float = 0.0
    failure: Failure | None = None


@frozen
class Answer:
    """A response: ``body`` as JSON data, or ``chunks``; ``record`` and ``preset`` are what is to be remembered of it."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(factory=dict)
    chunks: tuple[Chunk, ...] | None = None
    record: Mapping[str, Any] | None = None
    preset: HostedPreset | None = None
    delay: float = 0.0
    failure: Failure | None = None


def cut_text(text: str) -> list[str]:
    """Cut a text into the pieces that a stream carries: words with the space before them."""
    return re.findall(r"\s*\S+|\s+\Z", text)


def write_stream(
    head: Mapping[str, Any],
    message: Mapping[str, Any],
    finish: str,
    tail: Mapping[str, Any],
    fault: Fault | None = None,
) -> tuple[Chunk, ...]:
    """Write a stream: a comment, the deltas, the finish reason, usage and metadata in the last chunk, ``[DONE]``.

    Sources: facts 134, 147, 148, 151.
    """
    head = {**head, "object": "chat.completion.chunk"}

    def event(delta: Mapping[str, Any], reason: str | None = None, **more: Any) -> Chunk:
        choice = {
            "index": 0,
            "delta": {"role": "assistant", "content": "", **delta},
            "finish_reason": reason,
            "native_finish_reason": reason,
            "logprobs": None,
        }
        return Chunk(write_event({**head, "choices": [choice], **more}))

    content = [event({"content": piece}) for piece in cut_text(message["content"] or "")]
    for index, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        opened = {"index": index, **call, "function": function | {"arguments": ""}}
        content.append(event({"content": None, "tool_calls": [opened]}))
        more = {"index": index, "function": {"arguments": function["arguments"]}}
        content.append(event({"content": None, "tool_calls": [more]}))
    end = [event({}, finish), Chunk(write_event({**head, "choices": [], **tail})), Chunk(DONE)]
    after = len(content) if fault is None else fault.after
    sent, kept = content[:after], content[after:]
    match fault.kind if fault else None:
        case "slow" if fault:
            return Chunk(COMMENT, delay=fault.seconds), *content, *end
        case "stall" if fault:
            return Chunk(COMMENT), *sent, Chunk(COMMENT, delay=fault.seconds), *kept, *end
        case "cut":
            return Chunk(COMMENT), *sent, Chunk(failure="cut")
        case "error_after_content" if fault:
            error = refuse(fault.status, fault.message).to_json()
            return Chunk(COMMENT), *sent, event({}, "error", error=error)
    return Chunk(COMMENT), *content, *end
