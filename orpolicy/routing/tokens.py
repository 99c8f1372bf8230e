"""How many tokens a prompt can have at most, without a tokeniser.

A byte-level tokeniser makes at most one token of a byte, so the UTF-8 bytes of everything that reaches the model bound
its tokens. Around the text stand what chat templates and providers add, bounded here by generous constants:

.. code-block:: text

    PER_REQUEST      256    opening of the template, a default system prompt, today's date
    PER_MESSAGE       16    role and separators of a message
    PER_TOOL          64    framing of one tool's description
    TOOL_PREAMBLE   1024    the instructions that providers put before tools (Anthropic's are up to 700)
    PER_FORMAT       256    the instructions that providers put before a JSON schema

Images, audio, video and files are not text: what they cost in tokens depends on the provider and on bytes that are not
in the request, so a prompt that holds one has no bound.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PER_REQUEST = 256
PER_MESSAGE = 16
PER_TOOL = 64
TOOL_PREAMBLE = 1024
PER_FORMAT = 256


def text_bytes(value: Any) -> int:
    """Count the UTF-8 bytes of a value written as JSON, which hold its text and at least as much framing."""
    return len(
        json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")
    )


def prompt_bound(body: Mapping[str, Any]) -> int | None:
    """Return the most prompt tokens that a body can have; ``None`` where it holds more than text."""
    if any(True for _ in walk_media(body)):
        return None
    messages = body.get("messages") or ()
    bound = PER_REQUEST + sum(PER_MESSAGE + text_bytes(message) for message in messages)
    tools = body.get("tools") or ()
    if tools:
        bound += TOOL_PREAMBLE + sum(PER_TOOL + text_bytes(tool) for tool in tools)
    if body.get("response_format"):
        bound += PER_FORMAT + text_bytes(body["response_format"])
    if body.get("prediction"):
        bound += text_bytes(body["prediction"])
    return bound


def walk_media(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the type of every part of a message that is not text: ``image_url``, ``input_audio``, ``file``, …."""
    for message in body.get("messages") or ():
        content = message.get("content")
        if isinstance(content, (list, tuple)):
            yield from (str(part.get("type")) for part in content if part.get("type") != "text")
