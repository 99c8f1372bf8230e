"""Typed replies: what a chat completion says.

Fields come and go in OpenRouter's answers, so reading is permissive: what is missing or of another kind becomes
``None``, zero or empty, and everything that came stays in ``raw``. Costs are decimals read from the JSON text
(USD, fact 151). No repr shows a prompt, a completion or a tool's arguments.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class Usage:
    """Tokens, and cost in USD; ``cost`` is ``None`` where OpenRouter gave none."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cost: Decimal | None = None
    upstream_cost: Decimal | None = None
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    is_byok: bool | None = None
    raw: Mapping[str, Any] = field(factory=dict, repr=False)


@frozen
class ToolCall:
    """A call the model asks for; ``arguments`` is text, as the model wrote it.

    In a chunk it is a piece of one: ``index`` says of which, and any text may be empty.
    """

    id: str
    name: str
    arguments: str = field(repr=False)
    index: int = 0

    def parsed(self) -> Any:
        """Parse the arguments as JSON, no text as ``{}``; raise ``ClientError`` where the model wrote no JSON."""
        if not self.arguments.strip():
            return {}
        try:
            return json.loads(self.arguments)
        except (ValueError, RecursionError) as exc:
            raise ClientError(f"the model's arguments for tool {self.name!r} are not valid JSON") from exc


@frozen
class Reply:
    """A chat completion.

    ``id`` is the generation's id, ``provider`` who served it, ``metadata`` the routing report that
    ``metadata=True`` asks for (fact 133), ``raw`` the whole body with decimals for fractions.
    """

    text: str = field(repr=False)
    tool_calls: tuple[ToolCall, ...]
    reasoning: str | None = field(repr=False)
    refusal: str | None = field(repr=False)
    finish_reason: str | None
    native_finish_reason: str | None
    model: str
    provider: str | None
    id: str
    service_tier: str | None
    usage: Usage | None
    metadata: Mapping[str, Any] | None = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def message(self) -> Mapping[str, Any]:
        """The assistant's message as it came: append it to the messages to go on."""
        message: Mapping[str, Any] = self.raw["choices"][0]["message"]
        return message


def read_reply(document: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
    """Read the body of a successful answer; raise ``UnreadableAnswer`` where it holds no message."""
    choice = first_choice(document)
    message = choice.get("message")
    if not isinstance(message, dict):
        from orpolicy.client.refusals import Refusal, UnreadableAnswer  # noqa: PLC0415 - nearly all hold one

        refusal = Refusal(
            "the body holds no choice with a message", http_status=200, status=200, raw=document
        )
        raise UnreadableAnswer(refusal)
    metadata = document.get("openrouter_metadata")
    return Reply(
        text=read_content(message.get("content")),
        tool_calls=read_tool_calls(message.get("tool_calls")),
        reasoning=_text_or_none(message.get("reasoning")),
        refusal=_text_or_none(message.get("refusal")),
        finish_reason=_text_or_none(choice.get("finish_reason")),
        native_finish_reason=_text_or_none(choice.get("native_finish_reason")),
        model=read_text(document.get("model")),
        provider=_text_or_none(document.get("provider")) or _selected_provider(metadata),
        id=headers.get("x-generation-id") or read_text(document.get("id")),
        service_tier=_text_or_none(document.get("service_tier")),
        usage=read_usage(document.get("usage")),
        metadata=metadata if isinstance(metadata, dict) else None,
        raw=document,
    )


def first_choice(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the only choice that OpenRouter gives, or nothing."""
    choices = document.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    return {}


def read_content(content: Any) -> str:
    """Return the text of a message's content, which may also be a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(read_text(part.get("text")) for part in content if isinstance(part, dict))
    return ""


def read_tool_calls(calls: Any) -> tuple[ToolCall, ...]:
    """Read the calls that a message or a delta asks for."""
    if not isinstance(calls, list):
        return ()
    return tuple(_tool_call(call, n) for n, call in enumerate(calls) if isinstance(call, dict))


def _tool_call(call: Mapping[str, Any], place: int) -> ToolCall:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    index = call.get("index")
    return ToolCall(
        id=read_text(call.get("id")),
        name=read_text(function.get("name")),
        arguments=read_text(function.get("arguments")),
        index=index if isinstance(index, int) else place,
    )


def read_usage(value: Any) -> Usage | None:
    """Read what a reply used, ``None`` where it does not say; other skins speak of input and output."""
    if not isinstance(value, dict):
        return None
    prompt = read_mapping(value.get("prompt_tokens_details"))
    completion = read_mapping(value.get("completion_tokens_details"))
    is_byok = value.get("is_byok")
    prompt_tokens = read_count(value.get("prompt_tokens", value.get("input_tokens")))
    completion_tokens = read_count(value.get("completion_tokens", value.get("output_tokens")))
    return Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=read_count(value.get("total_tokens")) or prompt_tokens + completion_tokens,
        cost=read_usd(value.get("cost")),
        upstream_cost=read_usd(read_mapping(value.get("cost_details")).get("upstream_inference_cost")),
        cached_tokens=read_count(prompt.get("cached_tokens")),
        cache_write_tokens=read_count(prompt.get("cache_write_tokens")),
        reasoning_tokens=read_count(completion.get("reasoning_tokens")),
        is_byok=is_byok if isinstance(is_byok, bool) else None,
        raw=value,
    )


def _selected_provider(metadata: Any) -> str | None:
    """Find who served it in the routing report, where the body does not say (fact 133)."""
    available = read_mapping(read_mapping(metadata).get("endpoints")).get("available")
    for endpoint in available if isinstance(available, list) else ():
        if isinstance(endpoint, dict) and endpoint.get("selected") is True:
            return _text_or_none(endpoint.get("provider"))
    return None


def read_usd(value: Any) -> Decimal | None:
    """Read an amount of USD, ``None`` where there is none."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        amount = Decimal(value)
    except ArithmeticError:
        return None
    return amount if amount.is_finite() else None


def read_count(value: Any) -> int:
    """Read a number of tokens, zero where there is none."""
    if isinstance(value, Decimal) and value.adjusted() < 18:  # as 3.0; int() of 1e999999999 would not end
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def read_mapping(value: Any) -> Mapping[str, Any]:
    """Read an object, empty where there is none."""
    return value if isinstance(value, dict) else {}


def read_text(value: Any) -> str:
    """Read a text, empty where there is none."""
    return value if isinstance(value, str) else ""


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None
