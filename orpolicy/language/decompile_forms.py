"""What a foreign text is: a body, a ``curl`` command, a hosted preset or an SDK call, taken apart but not yet a preset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import define, evolve, field

from orpolicy.language.decompile_curl import is_curl, read_curl
from orpolicy.language.decompile_literals import (
    UNRECOGNISED,
    Call,
    ImportProblem,
    NotJsonProblem,
    read_json,
    read_python,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Kind = Literal["body", "curl", "hosted", "call"]


@define
class Parts:
    """What a foreign text comes down to; ``about`` is what a hosted preset says of itself."""

    kind: Kind
    body: dict[str, Any]
    headers: list[tuple[str, Any]] = field(factory=list)
    url: str = ""
    about: dict[str, Any] = field(factory=dict)
    notes: list[str] = field(factory=list)


def recognise(text: str) -> Parts:
    """Take a text apart, whatever of the four it is.

    Raises:
        ImportProblem: it is none of them, or more than one of them.
    """
    text = text.lstrip("\ufeff").strip()
    if not text:
        raise ImportProblem("there is nothing to import")
    if text[0] in "{[":
        return _read_object(text)
    if is_curl(text):
        sending = read_curl(text)
        body, twice = read_json(sending.body or "")
        parts = _read_mapping(body, "curl")
        notes = [*_say_twice(twice), *parts.notes]
        return evolve(parts, url=sending.url, headers=[*sending.headers, *parts.headers], notes=notes)
    value, calls = read_python(text)
    return _read_calls(calls) if value is None else _read_mapping(value, "call")


def _read_object(text: str) -> Parts:
    """Read JSON, or a Python dictionary that only looks like it."""
    try:
        value, twice = read_json(text)
    except NotJsonProblem as problem:
        try:
            value, _ = read_python(text)
        except ImportProblem:
            raise problem from None
        if value is None:
            raise
        return _read_mapping(value, "call")
    parts = _read_mapping(value, "body")
    return evolve(parts, notes=[*_say_twice(twice), *parts.notes])


def _say_twice(keys: Sequence[str]) -> Iterator[str]:
    return (f"the key '{key}' is written twice; the last one counts" for key in keys)


_ASKING = frozenset({"model", "models", "messages", "extra_body"})


def _read_calls(calls: Sequence[Call]) -> Parts:
    """Read the one call of a script that asks for a completion, and the host from the client that it makes."""
    asking = [parts for call in calls if (parts := _read_request(call)) is not None]
    if not asking:
        raise ImportProblem(UNRECOGNISED)
    if len(asking) > 1:
        raise ImportProblem(f"there are {len(asking)} calls here; import one at a time")
    parts = asking[0]
    for call in calls:
        url = call.get("base_url", call.get("server_url"))
        if isinstance(url, str) and not _ASKING & call.keys():
            headers = [*_pairs(call.get("default_headers")), *parts.headers]
            parts = evolve(parts, url=url, headers=headers)
    return parts


def _read_request(call: Call) -> Parts | None:
    """Read an SDK's call, or that of an HTTP client with ``json=`` or ``data=json.dumps(…)``."""
    if call.keys() & _ASKING:
        return _read_mapping(dict(call), "call")
    for key in ("json", "data"):
        body = call.get(key)
        if isinstance(body, dict) and body.keys() & _ASKING:
            url = call.get("url")
            headers = list(_pairs(call.get("headers")))
            return evolve(
                _read_mapping(body, "call"), url=url if isinstance(url, str) else "", headers=headers
            )
    return None


def _read_mapping(value: Any, kind: Kind) -> Parts:
    """Tell a hosted preset, an SDK's arguments and a plain body apart."""
    if not isinstance(value, dict):
        raise ImportProblem("this holds no mapping of keys; a request body is one")
    answer = value.get("data", value)
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if isinstance(answer, dict):
        version = answer.get("designated_version", answer)
        if isinstance(version, dict) and isinstance(version.get("config"), dict):
            about = {**answer, "system": version.get("system_prompt")}
            said = {key: about[key] for key in ("slug", "description", "system") if about.get(key)}
            return Parts("hosted", dict(version["config"]), about=said)
    if isinstance(value.get("data"), dict | list):
        raise ImportProblem("this is no hosted preset with its configuration; import one version at a time")
    return _read_arguments(value, kind)


_OF_THE_CLIENT = frozenset(
    {
        "extra_headers",
        "http_headers",
        "extra_query",
        "timeout",
        "timeout_ms",
        "retries",
        "api_key",
        "server_url",
    }
)
"""Arguments of SDK calls that say how to send, not what."""

_AS_HEADERS = {
    "http_referer": "HTTP-Referer",
    "x_open_router_title": "X-OpenRouter-Title",
    "x_open_router_categories": "X-OpenRouter-Categories",
    "x_open_router_metadata": "X-OpenRouter-Metadata",
}
"""Arguments of the OpenRouter SDK that it sends as headers."""


def _read_arguments(value: Mapping[str, Any], kind: Kind) -> Parts:
    """Join what SDKs keep apart: ``extra_body`` wins over the arguments, key by key."""
    special = {*_OF_THE_CLIENT, *_AS_HEADERS, "extra_body"}
    body = {key: item for key, item in value.items() if key not in special}
    extra = value.get("extra_body") or {}
    if not isinstance(extra, dict):
        raise ImportProblem("'extra_body' is no mapping that can be read here")
    notes = [f"'{key}' stands in extra_body, too, and that one counts" for key in extra if key in body]
    headers = [(name, value[key]) for key, name in _AS_HEADERS.items() if value.get(key) is not None]
    for key in ("extra_headers", "http_headers"):
        headers.extend(_pairs(value.get(key)))
    left_out = [key for key in value if key in _OF_THE_CLIENT and not key.endswith("_headers")]
    notes += [f"'{key}' is left out: it is the client's" for key in left_out]
    return Parts("call" if "extra_body" in value else kind, {**body, **extra}, headers, notes=notes)


def _pairs(headers: Any) -> Iterator[tuple[str, Any]]:
    yield from headers.items() if isinstance(headers, dict) else ()
