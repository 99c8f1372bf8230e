"""Typed chunks: what a streamed completion says, piece by piece, read as permissively as a whole one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.client.replies import (
    first_choice,
    read_content,
    read_mapping,
    read_text,
    read_tool_calls,
    read_usage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.client.replies import ToolCall, Usage


@frozen
class Chunk:
    """A piece of a completion as it arrives.

    A stream has thousands of them, and most hold text alone: the rest is read from ``raw`` where it is asked for.
    """

    text: str = field(repr=False)
    finish_reason: str | None
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def reasoning(self) -> str:
        """The piece of reasoning, empty where there is none."""
        return read_text(read_mapping(first_choice(self.raw).get("delta")).get("reasoning"))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Pieces of tool calls; ``index`` says of which."""
        return read_tool_calls(read_mapping(first_choice(self.raw).get("delta")).get("tool_calls"))

    @property
    def usage(self) -> Usage | None:
        """Tokens and cost, which come with the last chunk (fact 151)."""
        return read_usage(self.raw.get("usage"))


def read_chunk(document: Mapping[str, Any], choice: Mapping[str, Any]) -> Chunk:
    """Read one chunk of a stream; ``choice`` is its only one."""
    delta = choice.get("delta")
    content = delta.get("content") if isinstance(delta, dict) else None
    finish_reason = choice.get("finish_reason")
    return Chunk(
        content if isinstance(content, str) else read_content(content),
        finish_reason if isinstance(finish_reason, str) else None,
        document,
    )
