"""A body of chat completions → a body of the Responses API (``ResponsesRequest`` in OpenRouter's OpenAPI document)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orpolicy.language.skin_parts import NO_PLACE, Loss, Rule, dress, keep, list_parts, lose_rest, rename

if TYPE_CHECKING:
    from orpolicy.language.source import Path


def to_responses(body: Mapping[str, Any], losses: list[Loss]) -> dict[str, Any]:
    """Return the body in the other form, and add what has no place there to the losses."""
    worn = dress(body, _RULES, losses)
    if body.get("max_completion_tokens") is not None:  # it wins over its older name (fact 126)
        worn["max_output_tokens"] = body["max_completion_tokens"]
    return worn


def _reasoning(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    lose_rest(value, ("effort", "summary", "enabled", "max_tokens"), ("reasoning",), losses)
    worn["reasoning"] = worn.get("reasoning", {}) | {key: value[key] for key in value if key != "exclude"}


def _effort(value: Any, worn: dict[str, Any], _: list[Loss]) -> None:
    worn["reasoning"] = worn.get("reasoning", {}) | {"effort": value}


def _verbosity(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    if value not in {
        "low",
        "medium",
        "high",
    }:  # the document extends the list, and still holds it to the shorter one
        losses.append((("verbosity",), f"is {value!r}, which is no verbosity there"))
    worn["text"] = worn.get("text", {}) | {"verbosity": value}


def _form(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    kind = value.get("type")
    if kind in {"text", "json_object"}:
        form = {"type": kind}
    elif kind == "json_schema" and "schema" in value.get("json_schema", {}):
        form = {"type": kind, **value["json_schema"]}
    else:
        losses.append((("response_format",), NO_PLACE))
        return
    worn["text"] = worn.get("text", {}) | {"format": form}


def _tools(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    tools = []
    for index, tool in enumerate(value):
        if tool.get("type") == "function":
            lose_rest(tool, ("type", "function"), ("tools", index), losses)
            function = {"parameters": {"type": "object", "properties": {}}, **tool["function"]}
            tools.append({"type": "function", **function})
        else:
            tools.append(tool)
    worn["tools"] = tools


def _tool_choice(value: Any, worn: dict[str, Any], _: list[Loss]) -> None:
    named = isinstance(value, Mapping) and value.get("type") == "function"
    worn["tool_choice"] = {"type": "function", "name": value["function"]["name"]} if named else value


def _messages(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    worn["input"] = [
        item for index, message in enumerate(value) for item in _items(message, ("messages", index), losses)
    ]


def _items(message: Mapping[str, Any], path: Path, losses: list[Loss]) -> Iterator[dict[str, Any]]:
    """Yield the items that one message becomes: itself, and each of its tool calls."""
    role, content = message.get("role"), message.get("content")
    if role == "tool":
        lose_rest(message, ("role", "content", "tool_call_id"), path, losses)
        call = message.get("tool_call_id")
        output = content if isinstance(content, str) else _parts(content, path, losses)
        yield {"type": "function_call_output", "id": call, "call_id": call, "output": output}
        return
    lose_rest(message, ("role", "content", "tool_calls"), path, losses)
    if role == "assistant" and content and not isinstance(content, str):
        content = _join(content, path, losses)
    if content or not message.get("tool_calls"):
        said = content or "" if isinstance(content, str | None) else _parts(content, path, losses)
        yield {"type": "message", "role": role, "content": said}
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield {
            "type": "function_call",
            "id": call["id"],
            "call_id": call["id"],
            "name": function["name"],
            "arguments": function["arguments"],
        }


def _join(parts: Any, path: Path, losses: list[Loss]) -> str:
    """Join what an assistant said: there its text is one."""
    for index, part in enumerate(parts):
        lose_rest(part, ("type", "text"), (*path, "content", index), losses)
    return "".join(str(part.get("text", "")) for part in parts)


def _parts(content: Any, path: Path, losses: list[Loss]) -> list[dict[str, Any]]:
    parts = []
    for index, part in enumerate(list_parts(content)):
        place = (*path, "content", index)
        kind = part.get("type")
        if kind == "text":
            lose_rest(part, ("type", "text"), place, losses)
            parts.append({"type": "input_text", "text": part["text"]})
        elif kind == "image_url":
            lose_rest(part, ("type", "image_url"), place, losses)
            parts.append({"type": "input_image", "detail": "auto"} | _image(part["image_url"]))
        elif kind == "file":
            lose_rest(part, ("type", "file"), place, losses)
            parts.append({"type": "input_file", **_file(part["file"])})
        elif kind == "input_audio":
            parts.append(dict(part))
        elif kind == "video_url":
            lose_rest(part, ("type", "video_url"), place, losses)
            parts.append({"type": "input_video", "video_url": part["video_url"]["url"]})
        else:
            losses.append((place, NO_PLACE))
    return parts


def _image(image: Mapping[str, Any]) -> dict[str, Any]:
    return {"image_url": image["url"]} | ({"detail": image["detail"]} if "detail" in image else {})


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's fields; an address has a field of its own there."""
    data = file.get("file_data", "")
    if data.startswith(("http://", "https://")):
        return {key: value for key, value in file.items() if key != "file_data"} | {"file_url": data}
    return dict(file)


_RULES: Mapping[str, Rule] = {
    **dict(keep("model", "models", "provider", "service_tier")),
    **dict(keep("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "top_logprobs")),
    "max_completion_tokens": rename("max_output_tokens"),
    "max_tokens": rename("max_output_tokens"),
    "reasoning": _reasoning,
    "reasoning_effort": _effort,
    "verbosity": _verbosity,
    "response_format": _form,
    "tools": _tools,
    "tool_choice": _tool_choice,
    **dict(keep("parallel_tool_calls", "max_tool_calls", "stop_server_tools_when", "plugins")),
    **dict(keep("modalities", "image_config", "cache_control", "prompt_cache_key", "prompt_cache_options")),
    **dict(keep("session_id", "user", "metadata", "trace", "debug", "stream")),
    "messages": _messages,
}
