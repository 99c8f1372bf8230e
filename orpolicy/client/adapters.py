"""Keyword arguments for the SDKs that teams already use, proved before they are handed out.

.. code-block:: python

    openai_client.chat.completions.create(**for_openai(triage), messages=messages)
    openrouter_client.chat.send(**for_openrouter(triage), messages=messages)

The official SDK drops what its models do not know without a word, up to a whole ``provider`` object. Which fields those
are depends on the version that is installed, so no list is kept here: the arguments are given to the installed SDK itself,
over a transport that shows the request and sends nothing, and what would arrive is compared with what was meant.

Law: the body on the wire is the compiled body, or ``AdapterError`` names every field that is not. A system prompt and a
cost ceiling belong to whole requests; they are named, too, unless ``messages`` is given: then the arguments hold the
messages, the system prompt in front, and the ceiling has been applied.
"""

from __future__ import annotations

import inspect
import json
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from attrs import field, frozen

from orpolicy.errors import OrpolicyError, UsageError
from orpolicy.language.source import to_pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orpolicy.client.wire import Sendable
    from orpolicy.language.source import Path

    Messages = str | Sequence[Mapping[str, Any]]

Fault = tuple[str, str]
"""A JSON pointer into the body, and what becomes of the field."""

_DEFAULT_HOST: Final = "openrouter.ai"
_PROBE: Final = [{"role": "user", "content": "-"}]


class AdapterError(OrpolicyError):
    """An SDK cannot carry part of a request; ``pointers`` names each field."""

    def __init__(self, sdk: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(sdk, faults)
        self.sdk = sdk
        self.faults = faults
        self.pointers = tuple(pointer for pointer, _ in faults)

    def __str__(self) -> str:
        said = "; ".join(f"{pointer} {what}" for pointer, what in self.faults)
        return f"the {self.sdk} SDK cannot carry this request: {said} (orpolicy's own client sends all of it)"


class Compiled(Protocol):
    """A compiled preset, as far as the adapters need it."""

    @property
    def body(self) -> Mapping[str, Any]:
        """The body without messages."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers without a key."""
        ...

    @property
    def base_url(self) -> str:
        """The address that the region chooses."""
        ...

    @property
    def system(self) -> str | None:
        """The system prompt."""
        ...

    @property
    def max_cost(self) -> Decimal | None:
        """USD per request."""
        ...

    def request(self, messages: Messages, **overrides: Any) -> Sendable:
        """Return the whole request."""
        ...


@frozen(eq=False)
class _Stage:
    """An installed SDK with a transport that sends nothing: how to arrange its arguments, how to call it.

    ``names`` are the body's keys that it takes, ``None`` where it takes any.
    """

    sdk: str
    names: frozenset[str] | None
    arrange: Callable[[dict[str, Any], dict[str, str], str], dict[str, Any]]
    call: Callable[..., object]


@frozen
class _Seen:
    """A request as an SDK would have sent it; header names are in lower case."""

    host: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)


def for_openai(
    compiled: Compiled, messages: Messages | None = None, *, base_url: object = None, **overrides: Any
) -> dict[str, Any]:
    """Return the arguments of ``chat.completions.create``; what OpenAI does not know stands in ``extra_body``.

    An OpenAI client knows one address. For a preset with a region, say as ``base_url`` with which one yours was made.
    Raises ``AdapterError`` where something would not arrive, ``UsageError`` on overrides without messages.
    """
    asked = _asked(compiled, messages, overrides)
    faults = _left_behind(compiled, messages)
    region = _host(asked.base_url)
    if region not in {_DEFAULT_HOST, _host(str(base_url))}:
        faults.append(
            ("/region", f"needs a client made with {asked.base_url}: pass that base_url to say it was")
        )
    return _proved(_openai(), asked, faults, whole=messages is not None)


def for_openrouter(compiled: Compiled, messages: Messages | None = None, **overrides: Any) -> dict[str, Any]:
    """Return the arguments of ``chat.send``.

    Raises ``AdapterError`` where something would not arrive, ``UsageError`` on overrides without messages.
    """
    asked = _asked(compiled, messages, overrides)
    return _proved(_openrouter(), asked, _left_behind(compiled, messages), whole=messages is not None)


def _asked(compiled: Compiled, messages: Messages | None, overrides: Mapping[str, Any]) -> Sendable:
    if messages is not None:
        return compiled.request(messages, **overrides)
    if overrides:
        raise UsageError("overrides pass through the policy together with messages: give both")
    return compiled


def _left_behind(compiled: Compiled, messages: Messages | None) -> list[Fault]:
    """Name what stands outside the body, and would be lost where the caller adds the messages alone."""
    if messages is not None:
        return []
    outside = {"/system": compiled.system, "/max_cost": compiled.max_cost}
    return [
        (key, "comes with messages: pass them here") for key, value in outside.items() if value is not None
    ]


def _proved(stage: _Stage, asked: Sendable, faults: list[Fault], *, whole: bool) -> dict[str, Any]:
    body, headers = _plain(asked.body), dict(asked.headers)
    if whole:
        faults += _rehearse(stage, body, headers, asked.base_url)
    else:
        faults += _rehearsed(stage, json.dumps(body), tuple(headers.items()), asked.base_url)
    if faults:
        raise AdapterError(stage.sdk, tuple(faults))
    return stage.arrange(body, headers, asked.base_url)


@lru_cache(maxsize=512)
def _rehearsed(
    stage: _Stage, body: str, headers: tuple[tuple[str, str], ...], base_url: str
) -> tuple[Fault, ...]:
    """Rehearse a body once; messages never come here, so no prompt is kept."""
    return tuple(_rehearse(stage, json.loads(body), dict(headers), base_url))


def _rehearse(stage: _Stage, body: dict[str, Any], headers: dict[str, str], base_url: str) -> Iterator[Fault]:
    """Let the SDK build the request, and yield every difference between what arrives and what was meant."""
    taken = {key: value for key, value in body.items() if stage.names is None or key in stage.names}
    yield from ((to_pointer((key,)), "is no argument of it") for key in body if key not in taken)
    arguments = {"messages": _PROBE} | stage.arrange(taken, headers, base_url)
    try:
        seen = _perform(stage, arguments)
    except (TypeError, ValueError):
        yield from (
            (to_pointer((key,)), "is refused by its models") for key in taken if _refused(stage, key, taken)
        )
        return
    arrived = dict(seen.body)
    if "messages" not in taken:
        arrived.pop("messages", None)
    if arrived.get("stream") is False:  # the official SDK always says so, which changes nothing
        arrived.pop("stream")
    yield from ((to_pointer(path), what) for path, what in differences(taken, arrived))
    for name, value in headers.items():
        if seen.headers.get(name.lower()) != value:
            yield f"header {name}", "does not arrive"
    if stage.names is not None and seen.host != _host(base_url):
        yield "/region", "does not arrive"


def _refused(stage: _Stage, key: str, body: Mapping[str, Any]) -> bool:
    """Say whether the SDK refuses this field also by itself; its own message would show the values."""
    try:
        _perform(stage, {"messages": _PROBE} | stage.arrange({key: body[key]}, {}, ""))
    except (TypeError, ValueError):
        return True
    return False


def differences(meant: Any, arrived: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield each place where two JSON values differ, and how; ``1`` and ``1.0`` are the same number."""
    if isinstance(meant, dict) and isinstance(arrived, dict):
        for key, value in meant.items():
            if key in arrived:
                yield from differences(value, arrived[key], (*path, key))
            else:
                yield (*path, key), "is dropped"
        yield from (((*path, key), "is added") for key in arrived if key not in meant)
    elif isinstance(meant, list) and isinstance(arrived, list) and len(meant) == len(arrived):
        for index, (one, other) in enumerate(zip(meant, arrived, strict=True)):
            yield from differences(one, other, (*path, index))
    elif meant != arrived or isinstance(meant, bool) != isinstance(arrived, bool):
        yield path, "is changed"


class _CurtainFall(BaseException):
    """Ends a rehearsal where the wire would begin; no ``Exception``, so that no SDK takes it for a failed attempt."""

    def __init__(self, seen: _Seen) -> None:
        super().__init__()
        self.seen = seen


class _Backdrop:
    """A transport for any flavour of httpx: shows the request, sends nothing."""

    def handle_request(self, request: Any) -> Any:
        raise _CurtainFall(_Seen(request.url.host, dict(request.headers), json.loads(request.read())))

    def close(self) -> None:
        """Have nothing to close."""


def _perform(stage: _Stage, arguments: Mapping[str, Any]) -> _Seen:
    try:
        stage.call(**arguments)
    except _CurtainFall as fall:
        return fall.seen
    raise UsageError(f"the installed {stage.sdk} SDK sends nothing through the transport it is given")


@cache
def _openai() -> _Stage:
    try:
        import openai  # noqa: PLC0415 - optional, and heavy
    except ImportError as exc:
        raise UsageError("for_openai needs the openai package, which is not installed") from exc
    http: Any = openai.DefaultHttpxClient
    client = openai.OpenAI(
        api_key="rehearsal", base_url="https://rehearsal.invalid", max_retries=0, http_client=_silent(http)
    )
    create = client.chat.completions.create
    names = frozenset(inspect.signature(create).parameters)
    omitted = getattr(openai, "omit", openai.NOT_GIVEN)  # the older name

    def arrange(body: dict[str, Any], headers: dict[str, str], _base_url: str) -> dict[str, Any]:
        arguments = {key: value for key, value in body.items() if key in names}
        arguments.setdefault(
            "model", openai.omit
        )  # the signature demands one; a body with `models` alone has none
        extra = {key: value for key, value in body.items() if key not in names}
        return (
            arguments
            | ({"extra_body": extra} if extra else {})
            | ({"extra_headers": headers} if headers else {})
        )

    return _Stage("openai", None, arrange, create)


@cache
def _openrouter() -> _Stage:
    try:
        import openrouter  # noqa: PLC0415 - optional, and heavy
    except ImportError as exc:
        raise UsageError("for_openrouter needs the openrouter package, which is not installed") from exc
    import httpx  # noqa: PLC0415 - heavy, and needed only beside this SDK

    client = openrouter.OpenRouter(api_key="rehearsal", client=_silent(httpx.Client))
    send = client.chat.send

    def arrange(body: dict[str, Any], headers: dict[str, str], base_url: str) -> dict[str, Any]:
        region = {} if _host(base_url) in {_DEFAULT_HOST, ""} else {"server_url": base_url}
        return body | ({"http_headers": headers} if headers else {}) | region

    return _Stage("openrouter", frozenset(inspect.signature(send).parameters), arrange, send)


def _silent(kind: Any) -> Any:
    return kind(transport=_Backdrop(), trust_env=False)


def _host(base_url: str) -> str:
    return urlsplit(base_url).hostname or ""


def _plain(value: Any) -> Any:
    """Copy into plain dictionaries and lists, which callers may change and every SDK accepts."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
