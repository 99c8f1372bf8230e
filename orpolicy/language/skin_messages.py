"""A body of chat completions → a body of the Messages API (``MessagesRequest`` in OpenRouter's OpenAPI document)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from orpolicy.language.skin_parts import (
    NO_PLACE,
    Loss,
    Rule,
    dress,
    keep,
    list_parts,
    lose_rest,
    read_data_url,
    rename,
)

if TYPE_CHECKING:
    from orpolicy.language.source import Path

_EFFORTS: Final = frozenset({"low", "medium", "high", "xhigh", "max"})
_CHOICES: Final = {"auto": "auto", "none": "none", "required": "any"}


def to_messages(body: Mapping[str, Any], losses: list[Loss]) -> dict[str, Any]:
    """Return the body in the other form, and add what has no place there to the losses."""
    if "model" not in body:
        losses.append((("model",), "is needed there"))
    worn = dress(body, _RULES, losses)
    if body.get("max_completion_tokens") is not None:  # it wins over its older name (fact 126)
        worn["max_tokens"] = body["max_completion_tokens"]
    return worn


def _stop(value: Any, worn: dict[str, Any], _: list[Loss]) -> None:
    worn["stop_sequences"] = [value] if isinstance(value, str) else list(value)


def _reasoning(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    """Write reasoning as thinking: a budget, or as much as the model sees fit at the effort."""
    path = ("reasoning",)
    lose_rest(value, ("effort", "enabled", "max_tokens", "exclude"), path, losses)
    effort, budget = value.get("effort"), value.get("max_tokens")
    if effort == "none" or value.get("enabled") is False:
        worn["thinking"] = {"type": "disabled"}
        return
    if effort is not None:
        _effort(effort, worn, losses, (*path, "effort"))
    thinking = {"type": "adaptive"} if budget is None else {"type": "enabled", "budget_tokens": budget}
    worn["thinking"] = thinking | ({"display": "omitted"} if value.get("exclude") else {})


def _effort(value: Any, worn: dict[str, Any], losses: list[Loss], path: Path = ("reasoning_effort",)) -> None:
    config = worn.setdefault("output_config", {})
    if value not in _EFFORTS:
        losses.append((path, f"is {value!r}, which is no effort there"))
    elif config.get("effort", value) != value:
        losses.append((path, "differs from the verbosity, and there both are one effort (fact 130)"))
    else:
        config["effort"] = value


def _plain_effort(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    """Write ``reasoning_effort``, the same as the effort of ``reasoning`` (fact 127)."""
    if "thinking" not in worn:
        _reasoning({"effort": value}, worn, losses)
    elif worn["thinking"]["type"] != "disabled":
        _effort(value, worn, losses)
    elif value != "none":
        losses.append((("reasoning_effort",), "differs from 'reasoning'"))


def _thinking(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    if "thinking" in worn:
        losses.append((("thinking",), "has the place that 'reasoning' takes there"))
    worn["thinking"] = value


def _verbosity(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    _effort(value, worn, losses, ("verbosity",))


def _form(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    """Write a strict schema; its name is left out, because nothing refers to it there."""
    schema = value.get("json_schema") or {}
    path = ("response_format",)
    if value.get("type") == "text":
        return
    if value.get("type") != "json_schema" or "schema" not in schema:
        losses.append((path, NO_PLACE))
        return
    if schema.get("strict") is not True:
        losses.append(((*path, "json_schema", "strict"), "is not true, and there every schema is strict"))
    lose_rest(schema, ("name", "schema", "strict"), (*path, "json_schema"), losses)
    form = {"type": "json_schema", "schema": schema["schema"]}
    worn["output_config"] = worn.get("output_config", {}) | {"format": form}


def _tools(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    tools = []
    for index, tool in enumerate(value):
        if tool.get("type") != "function":
            tools.append(tool)
            continue
        function = tool["function"]
        path = ("tools", index)
        lose_rest(tool, ("type", "function", "cache_control"), path, losses)
        lose_rest(function, ("name", "description", "parameters", "strict"), (*path, "function"), losses)
        if function.get("strict"):
            losses.append(((*path, "function", "strict"), NO_PLACE))
        written = {
            "name": function["name"],
            "description": function.get("description"),
            "input_schema": function.get("parameters") or {"type": "object", "properties": {}},
            "cache_control": tool.get("cache_control"),
        }
        tools.append({key: item for key, item in written.items() if item is not None})
    worn["tools"] = tools


def _tool_choice(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    before = worn.get("tool_choice", {})
    if isinstance(value, str) and value in _CHOICES:
        worn["tool_choice"] = before | {"type": _CHOICES[value]}
    elif isinstance(value, Mapping) and value.get("type") == "function":
        worn["tool_choice"] = before | {"type": "tool", "name": value["function"]["name"]}
    else:
        losses.append((("tool_choice",), NO_PLACE))


def _parallel(value: Any, worn: dict[str, Any], _: list[Loss]) -> None:
    choice = worn.get("tool_choice", {"type": "auto"})
    if choice["type"] != "none":
        worn["tool_choice"] = choice | {"disable_parallel_tool_use": not value}


def _messages(value: Any, worn: dict[str, Any], losses: list[Loss]) -> None:
    system: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []
    for index, message in enumerate(value):
        path = ("messages", index)
        role = message.get("role")
        if role in {"system", "developer"}:
            lose_rest(message, ("role", "content"), path, losses)
            if messages:
                losses.append((path, "is a system message after others, and there they come first"))
            system += _blocks(message.get("content"), path, losses)
        elif role == "tool":
            lose_rest(message, ("role", "content", "tool_call_id"), path, losses)
            content = message.get("content")
            said = content if isinstance(content, str) else _blocks(content, path, losses)
            _answer(message, said, messages)
        else:
            lose_rest(message, ("role", "content", "tool_calls"), path, losses)
            messages.append({"role": role, "content": _content(message, path, losses)})
    plain = all(block.keys() == {"type", "text"} for block in system)
    if system:
        texts = "\n\n".join(block["text"] for block in system if "text" in block)
        worn["system"] = texts if plain else system
    worn["messages"] = messages


def _content(message: Mapping[str, Any], path: Path, losses: list[Loss]) -> Any:
    calls = message.get("tool_calls") or ()
    if isinstance(message.get("content"), str) and not calls:
        return message["content"]
    blocks = _blocks(message.get("content") or None, path, losses)
    for index, call in enumerate(calls):
        try:
            arguments = json.loads(call["function"]["arguments"] or "{}")
        except ValueError:
            losses.append(((*path, "tool_calls", index, "function", "arguments"), "is no JSON"))
            continue
        blocks.append(
            {"type": "tool_use", "id": call["id"], "name": call["function"]["name"], "input": arguments}
        )
    return blocks


def _answer(message: Mapping[str, Any], content: Any, messages: list[dict[str, Any]]) -> None:
    """Write a tool's result; results in a row are one message of the user."""
    result = {"type": "tool_result", "tool_use_id": message.get("tool_call_id"), "content": content}
    last = messages[-1] if messages else {}
    blocks = last.get("content")
    if last.get("role") == "user" and isinstance(blocks, list) and blocks[-1]["type"] == "tool_result":
        blocks.append(result)
    else:
        messages.append({"role": "user", "content": [result]})


def _blocks(content: Any, path: Path, losses: list[Loss]) -> list[dict[str, Any]]:
    blocks = []
    for index, part in enumerate(list_parts(content)):
        place = (*path, "content", index)
        kind = part.get("type")
        lose_rest(part, ("type", kind, "cache_control"), place, losses)
        if kind == "text":
            block = {"type": "text", "text": part["text"]}
        elif kind == "image_url":
            lose_rest(part["image_url"], ("url",), (*place, "image_url"), losses)
            block = {"type": "image", "source": _source(part["image_url"]["url"])}
        elif kind == "file" and _is_pdf(part["file"].get("file_data") or ""):
            lose_rest(part["file"], ("filename", "file_data"), (*place, "file"), losses)
            title = {"title": part["file"]["filename"]} if part["file"].get("filename") else {}
            block = {"type": "document", "source": _source(part["file"]["file_data"]), **title}
        else:
            losses.append((place, NO_PLACE))
            continue
        blocks.append(block | ({"cache_control": part["cache_control"]} if "cache_control" in part else {}))
    return blocks


def _is_pdf(url: str) -> bool:
    """Tell whether a file can be a document there: a PDF, or an address."""
    data = read_data_url(url)
    return url.startswith(("http://", "https://")) if data is None else data[0] == "application/pdf"


def _source(url: str) -> dict[str, Any]:
    data = read_data_url(url)
    if data is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": data[0], "data": data[1]}


_RULES: Mapping[str, Rule] = {
    **dict(keep("model", "models", "provider", "service_tier", "speed", "temperature", "top_p", "top_k")),
    "stop": _stop,
    "max_completion_tokens": rename("max_tokens"),
    "max_tokens": rename("max_tokens"),
    "reasoning": _reasoning,
    "reasoning_effort": _plain_effort,
    "thinking": _thinking,
    "verbosity": _verbosity,
    "response_format": _form,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _parallel,
    **dict(
        keep("stop_server_tools_when", "plugins", "cache_control", "session_id", "user", "trace", "stream")
    ),
    "messages": _messages,
}
