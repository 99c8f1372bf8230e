"""From a preset to an HTTP request: address, headers, bytes.

The body is serialised once, in the order of its keys: OpenRouter's response cache takes the order into its key (fact 92).
The key goes to one host only: that of ``base_url`` where the caller gave one, else the preset's, which must be
OpenRouter's. An OpenRouter host given as ``base_url`` may not undo the region that a preset asks for (fact 73).
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx
from attrs import field, frozen

from orpolicy.client.veil import veil
from orpolicy.errors import UsageError
from orpolicy.language.request import CHAT, Request, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from decimal import Decimal

_OPENROUTER: Final = "openrouter.ai"
_DEFAULT: Final = "https://openrouter.ai/api/v1"


class Sendable(Protocol):
    """What a preset makes of messages: a complete body, headers without a key, the address to send it to."""

    @property
    def body(self) -> Mapping[str, Any]:
        """The JSON body, messages included."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers for attribution, cache and beta features."""
        ...

    @property
    def base_url(self) -> str:
        """The API's address, up to and including its version."""
        ...


class Preset(Protocol):
    """Anything that turns messages and call-time overrides into a request: a compiled preset."""

    def request(self, messages: str | Sequence[Mapping[str, Any]], **overrides: Any) -> Sendable:
        """Return the request; raise where a policy or a ceiling forbids it."""
        ...


@frozen
class Wire:
    """One request, ready for any number of attempts; ``veil`` takes what it sends out of an error's text.

    ``asked`` is what a preset asked for, ``preset`` its name, ``ceiling`` its ``max_cost`` in USD;
    what is not ``repeatable`` has one attempt.
    """

    request: httpx.Request = field(repr=False)
    veil: Callable[[str], str] = field(repr=False)
    asked: Sendable | None = field(default=None, repr=False)
    preset: str = ""
    ceiling: Decimal | None = None
    repeatable: bool = True


class Wiring:
    """The settings of a client, checked once, and the requests made with them."""

    def __init__(
        self,
        http: httpx.Client | httpx.AsyncClient,
        *,
        api_key: str | None,
        base_url: str | None,
        timeout: float | httpx.Timeout | None,
        metadata: bool,
    ) -> None:
        self._build = http.build_request
        self._key = _checked_key(api_key or os.environ.get("OPENROUTER_API_KEY"), http)
        self._base_url = base_url or os.environ.get("OPENROUTER_BASE_URL") or None
        self._timeout = httpx.USE_CLIENT_DEFAULT if timeout is None else timeout
        self._headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        if metadata:
            self._headers["X-OpenRouter-Metadata"] = "enabled"  # fact 132
        self._endpoints: dict[tuple[str, str], httpx.URL] = {}
        if self._base_url is not None:
            _url(self._base_url)

    def wire(self, asked: Sendable, *, stream: bool) -> Wire:
        """Build the HTTP request for what a preset asks."""
        path = getattr(asked, "path", CHAT)
        url = self._endpoints.get((asked.base_url, path))
        if url is None:
            url = choose_endpoint(self._base_url, asked.base_url, path)
            self._endpoints[asked.base_url, path] = url
        request = self._build(
            "POST",
            url,
            content=_write(asked, stream=stream),
            headers={**asked.headers, **self._headers},
            timeout=self._timeout,
        )
        return Wire(
            request,
            partial(self._veil, asked),
            asked,
            getattr(asked, "preset", ""),
            getattr(asked, "max_cost", None),
        )

    def call(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Wire:
        """Build a request to any other path of the API, with the same key for the same host only."""
        if not path.startswith("/") or path.startswith("//") or ".." in path.split("/"):
            raise UsageError("the path starts with one slash and leads below the API's address: /models")
        request = self._build(
            method,
            choose_endpoint(self._base_url, _DEFAULT, path),
            params=params,
            content=None if json is None else encode(json),
            headers=self._headers,
            timeout=self._timeout,
        )
        return Wire(request, partial(self._cover, json), repeatable=method.upper() in {"GET", "HEAD"})

    def _veil(self, asked: Sendable, text: str) -> str:
        return self._cover([asked.body.get(key) for key in ("messages", "input", "system")], text)

    def _cover(self, sent: Any, text: str) -> str:
        return veil(text, (self._key, *_texts(sent)))


def _write(asked: Sendable, *, stream: bool) -> bytes:
    """Write a body; a request of this package knows a quicker way to the same bytes."""
    if isinstance(asked, Request):
        return asked.to_bytes(stream=stream)
    return encode({**asked.body, "stream": True} if stream else asked.body)


def choose_endpoint(base_url: str | None, asked: str, path: str = CHAT) -> httpx.URL:
    """Return the address of a path; raise ``UsageError`` on one that the key must not go to."""
    url, wanted = _url(base_url or asked, path), _url(asked, path)
    if base_url is None and not (url.scheme == "https" and _is_openrouter(url)):
        raise UsageError(f"{url.host} is not OpenRouter: pass base_url to send the key there")
    if _is_openrouter(url) and wanted.host not in {_OPENROUTER, url.host}:
        raise UsageError(f"the preset asks for {wanted.host}, and base_url would send it to {url.host}")
    return url


def _url(base_url: str, path: str = CHAT) -> httpx.URL:
    try:
        url = httpx.URL(base_url.rstrip("/") + path)
    except httpx.InvalidURL as exc:
        raise UsageError("the base URL is not a URL") from exc
    if url.scheme not in {"http", "https"} or not url.host:
        raise UsageError("the base URL needs a scheme and a host: https://openrouter.ai/api/v1")
    return url


def _is_openrouter(url: httpx.URL) -> bool:
    return url.host == _OPENROUTER or url.host.endswith(f".{_OPENROUTER}")


def _checked_key(key: str | None, http: object) -> str:
    """Return the key; an emulator's transport says by ``needs_key = False`` that any will do."""
    key = (key or "").strip()
    if not key and getattr(getattr(http, "_transport", None), "needs_key", True) is False:
        return "offline"
    if not key:
        raise UsageError(
            'no API key: set OPENROUTER_API_KEY or pass api_key (offline, api_key="offline" will do)'
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("the API key holds a character that no key has")
    return key


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in the messages."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    for item in value if isinstance(value, list | tuple) else ():
        yield from _texts(item)
