"""Answers as a transport sends them: a body at once, or chunks one after the other, with what goes wrong on the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from orpolicy.emulator.refusals import refuse
from orpolicy.emulator.wire import DONE, write_event, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.emulator.faults import Fault
    from orpolicy.emulator.memory import HostedPreset

JSON_TYPE = "application/json"
STREAM_TYPE = "text/event-stream"

CHUNK = "chat.completion.chunk"

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
    """A response: ``body`` as JSON data, ``raw`` bytes or ``chunks``.

    ``record`` and ``preset`` are what is to be remembered of it.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(factory=dict)
    raw: bytes | None = None
    chunks: tuple[Chunk, ...] | None = None
    content_type: str = JSON_TYPE
    record: Mapping[str, Any] | None = None
    preset: HostedPreset | None = None
    delay: float = 0.0
    failure: Failure | None = None

    @property
    def content(self) -> bytes:
        """The whole body, where it is sent at once."""
        return write_json(self.body).encode() if self.raw is None else self.raw

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers with the type of the content."""
        silent = {"cache-control": "no-cache"} if self.content_type == STREAM_TYPE else {}
        return {"content-type": self.content_type, **silent, **self.headers}


def cut_text(text: str) -> list[str]:
    """Cut a text into the pieces that a stream carries: words with the space before them."""
    return re.findall(r"\s*\S+|\s+\Z", text)


def write_content(head: Mapping[str, Any], message: Mapping[str, Any], *, whole: bool = False) -> list[Chunk]:
    """Write the deltas of a stream: the text in pieces, or ``whole``, and the tool calls."""
    known: dict[str, Chunk] = {}
    text = message["content"] or ""
    content = []
    for piece in [text] if whole else cut_text(text):
        chunk = known.get(piece) or _event(head, {"content": piece})
        content.append(known.setdefault(piece, chunk))
    for index, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        opened = {"index": index, **call, "function": function | {"arguments": ""}}
        content.append(_event(head, {"content": None, "tool_calls": [opened]}))
        more = {"index": index, "function": {"arguments": function["arguments"]}}
        content.append(_event(head, {"content": None, "tool_calls": [more]}))
    return content


def write_end(head: Mapping[str, Any], finish: str, tail: Mapping[str, Any]) -> list[Chunk]:
    """Write the finish reason, usage and metadata in the last chunk, and ``[DONE]`` (facts 134, 147, 151)."""
    last = {**head, "object": CHUNK, "choices": [], **tail}
    return [_event(head, {}, finish), Chunk(write_event(last)), Chunk(DONE)]


def write_failure(head: Mapping[str, Any], fault: Fault) -> Chunk:
    """Write the error that ends a stream after content (fact 148)."""
    return _event(head, {}, "error", error=refuse(fault.status, fault.message).to_json())


def _event(
    head: Mapping[str, Any], delta: Mapping[str, Any], reason: str | None = None, **more: Any
) -> Chunk:
    choice = {
        "index": 0,
        "delta": {"role": "assistant", "content": "", **delta},
        "finish_reason": reason,
        "native_finish_reason": reason,
        "logprobs": None,
    }
    return Chunk(write_event({**head, "object": CHUNK, "choices": [choice], **more}))
