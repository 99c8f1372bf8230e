"""Let an installed SDK build a request without sending it, and compare what would arrive with what was meant.

The official SDK drops what its models do not know without a word, up to a whole ``provider`` object. Which fields those
are depends on the version that is installed, so no list is kept here: the arguments are given to the SDK itself, over a
transport that shows the request and ends the call there.
"""

from __future__ import annotations

import inspect
import json
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attrs import field, frozen

from orpolicy.errors import UsageError
from orpolicy.language.source import to_pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orpolicy.language.source import Path

Fault = tuple[str, str]
"""A JSON pointer into the body, and what becomes of the field."""

DEFAULT_HOST: Final = "openrouter.ai"
_PROBE: Final = [{"role": "user", "content": "-"}]


@frozen(eq=False)
class Stage:
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


@lru_cache(maxsize=512)
def rehearsed(
    stage: Stage, body: str, headers: tuple[tuple[str, str], ...], base_url: str
) -> tuple[Fault, ...]:
    """Rehearse a body once; messages never come here, so no prompt is kept."""
    return tuple(rehearse(stage, json.loads(body), dict(headers), base_url))


def rehearse(stage: Stage, body: dict[str, Any], headers: dict[str, str], base_url: str) -> Iterator[Fault]:
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
    if stage.names is not None and seen.host != host(base_url):
        yield "/region", "does not arrive"


def _refused(stage: Stage, key: str, body: Mapping[str, Any]) -> bool:
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


def _perform(stage: Stage, arguments: Mapping[str, Any]) -> _Seen:
    try:
        stage.call(**arguments)
    except _CurtainFall as fall:
        return fall.seen
    raise UsageError(f"the installed {stage.sdk} SDK sends nothing through the transport it is given")


@cache
def openai_stage() -> Stage:
    """Set up the installed OpenAI SDK; raise ``UsageError`` where there is none."""
    try:
        import openai  # noqa: PLC0415 - optional, and heavy
    except ImportError as exc:
        raise UsageError("for_openai needs the openai package, which is not installed") from exc
    http: Any = openai.DefaultHttpxClient
    client = openai.OpenAI(
        api_key="rehearsal", base_url="https://rehearsal.invalid", max_retries=0, http_client=silent(http)
    )
    create = client.chat.completions.create
    names = frozenset(inspect.signature(create).parameters)
    omitted = getattr(openai, "omit", openai.NOT_GIVEN)  # the older name

    def arrange(body: dict[str, Any], headers: dict[str, str], _base_url: str) -> dict[str, Any]:
        arguments = {key: value for key, value in body.items() if key in names}
        arguments.setdefault(
            "model", omitted
        )  # the signature demands one; a body with `models` alone has none
        extra = {key: value for key, value in body.items() if key not in names}
        return (
            arguments
            | ({"extra_body": extra} if extra else {})
            | ({"extra_headers": headers} if headers else {})
        )

    return Stage("openai", None, arrange, create)


@cache
def openrouter_stage() -> Stage:
    """Set up the installed official SDK; raise ``UsageError`` where there is none."""
    try:
        import openrouter  # noqa: PLC0415 - optional, and heavy
    except ImportError as exc:
        raise UsageError("for_openrouter needs the openrouter package, which is not installed") from exc
    import httpx  # noqa: PLC0415 - heavy, and needed only beside this SDK

    client = openrouter.OpenRouter(api_key="rehearsal", client=silent(httpx.Client))
    send = client.chat.send

    def arrange(body: dict[str, Any], headers: dict[str, str], base_url: str) -> dict[str, Any]:
        region = {} if host(base_url) in {DEFAULT_HOST, ""} else {"server_url": base_url}
        return body | ({"http_headers": headers} if headers else {}) | region

    return Stage("openrouter", frozenset(inspect.signature(send).parameters), arrange, send)


def silent(kind: Any, **settings: Any) -> Any:
    """Make an httpx client of any flavour that shows requests and sends nothing."""
    return kind(transport=_Backdrop(), trust_env=False, **settings)


def host(base_url: str) -> str:
    """Return the host of an address, empty where it has none."""
    return urlsplit(base_url).hostname or ""
