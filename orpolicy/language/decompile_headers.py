"""What a preset says and a body does not: headers and the URL, read back into keys.

================================================  =====================================
on the wire                                       in a preset
================================================  =====================================
``HTTP-Referer``, ``X-OpenRouter-Title``, …       ``attribution``
``X-OpenRouter-Cache``, ``…-TTL``                 ``cache_enabled``, ``cache_ttl_seconds``
``x-anthropic-beta``                              ``anthropic_beta``
``x-session-id``                                  ``session_id``, of which it is a copy (fact 118)
``eu.openrouter.ai``, ``us.openrouter.ai``        ``region`` (fact 73)
``/presets/SLUG/chat/completions``                ``slug`` (fact 87)
``Authorization``                                 nothing, and it is shown nowhere
================================================  =====================================
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orpolicy.language.decompile_literals import ImportProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SILENT = frozenset({"content-type", "accept", "accept-encoding", "user-agent", "content-length", "host"})
_SECRET = frozenset({"authorization", "proxy-authorization", "x-api-key", "api-key", "cookie"})


def read_headers(headers: Iterable[tuple[str, Any]], notes: list[str]) -> dict[str, Any]:
    """Turn headers into keys of a preset; those that have no place in one are noted.

    Raises:
        ImportProblem: a header's value is an expression.
    """
    read: dict[str, Any] = {}
    attribution: dict[str, Any] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in _SECRET:
            notes.append("the key is left out: the client takes it from OPENROUTER_API_KEY")
        elif not isinstance(value, str):
            raise ImportProblem(f"the header '{name}' is no text that can be read here")
        elif lower in _ATTRIBUTION:
            key, convert = _ATTRIBUTION[lower]
            attribution[key] = convert(value)
        elif lower in _KEYS:
            key, convert = _KEYS[lower]
            read[key] = convert(value)
        elif lower not in _SILENT:
            notes.append(f"the header '{name}' is left out: a preset has no place for it, the client has")
    return {**read, "attribution": attribution} if attribution else read


def _split(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _read_switch(value: str) -> bool:
    return value.lower() == "true"


def _read_seconds(value: str) -> int | str:
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else value


_ATTRIBUTION: dict[str, tuple[str, Callable[[str], Any]]] = {
    "http-referer": ("referer", str),
    "referer": ("referer", str),
    "x-openrouter-title": ("title", str),
    "x-title": ("title", str),
    "x-openrouter-categories": ("categories", _split),
}
_KEYS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "x-openrouter-cache": ("cache_enabled", _read_switch),
    "x-openrouter-cache-ttl": ("cache_ttl_seconds", _read_seconds),
    "x-anthropic-beta": ("anthropic_beta", _split),
    "anthropic-beta": ("anthropic_beta", _split),
    "x-session-id": ("session_id", str),
}
"""Header → the key it stands for, and how its value is read."""

_HOST = re.compile(r"(?:https?://)?(?:(eu|us)\.)?openrouter\.ai(?:/|\Z)", re.IGNORECASE)
_OTHER_APIS = re.compile(r"(?<!/chat)/(messages|responses|completions|embeddings)/?(?:\?.*)?\Z")


def read_url(url: str, notes: list[str]) -> dict[str, Any]:
    """Turn a URL into keys of a preset.

    Raises:
        ImportProblem: it is that of another API.
    """
    if not url:
        return {}
    read = {}
    host = _HOST.match(url)
    if host is None:
        notes.append("the host is left out: another one than OpenRouter's is the client's base_url")
    elif host[1]:
        read["region"] = host[1].lower()
    other = _OTHER_APIS.search(url)
    if other:
        raise ImportProblem(f"this calls /{other[1]}; a preset is made of a body for /chat/completions")
    slug = re.search(r"/presets/([A-Za-z0-9][A-Za-z0-9._~-]*)/", url)
    return {**read, "slug": slug[1]} if slug else read
