"""Keyword arguments for the SDKs that teams already use, proved before they are handed out.

.. code-block:: python

    openai_client.chat.completions.create(**for_openai(triage), messages=messages)
    openrouter_client.chat.send(**for_openrouter(triage), messages=messages)

Law: the body on the wire is the compiled body, or ``AdapterError`` names every field that is not. A system prompt and a
cost ceiling belong to whole requests; they are named, too, unless ``messages`` is given: then the arguments hold the
messages, the system prompt in front, and the ceiling has been applied.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from orpolicy.client.rehearsal import DEFAULT_HOST, host, openai_stage, openrouter_stage, rehearse, rehearsed
from orpolicy.errors import OrpolicyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.client.rehearsal import Fault, Stage
    from orpolicy.client.wire import Sendable

    Messages = str | Sequence[Mapping[str, Any]]


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


def for_openai(
    compiled: Compiled, messages: Messages | None = None, *, base_url: object = None, **overrides: Any
) -> dict[str, Any]:
    """Return the arguments of ``chat.completions.create``; what OpenAI does not know stands in ``extra_body``.

    An OpenAI client knows one address. For a preset with a region, say as ``base_url`` with which one yours was made.
    Raises ``AdapterError`` where something would not arrive, ``UsageError`` on overrides without messages.
    """
    asked = ask(compiled, messages, overrides)
    faults = find_left_behind(compiled, messages) + find_region(asked, base_url)
    return prove(openai_stage(), asked, faults, whole=messages is not None)


def for_openrouter(compiled: Compiled, messages: Messages | None = None, **overrides: Any) -> dict[str, Any]:
    """Return the arguments of ``chat.send``.

    Raises ``AdapterError`` where something would not arrive, ``UsageError`` on overrides without messages.
    """
    asked = ask(compiled, messages, overrides)
    return prove(openrouter_stage(), asked, find_left_behind(compiled, messages), whole=messages is not None)


def ask(compiled: Compiled, messages: Messages | None, overrides: Mapping[str, Any]) -> Sendable:
    """Return the whole request, or the preset alone; raise ``UsageError`` on overrides without messages."""
    if messages is not None:
        return compiled.request(messages, **overrides)
    if overrides:
        raise UsageError("overrides pass through the policy together with messages: give both")
    return compiled


def find_left_behind(compiled: Compiled, messages: Messages | None) -> list[Fault]:
    """Name what stands outside the body, and would be lost where the caller adds the messages alone."""
    if messages is not None:
        return []
    outside = {"/system": compiled.system, "/max_cost": compiled.max_cost}
    return [
        (key, "comes with messages: pass them here") for key, value in outside.items() if value is not None
    ]


def find_region(asked: Sendable, base_url: object) -> list[Fault]:
    """Name the region where the caller's client was not made for it."""
    if host(asked.base_url) in {DEFAULT_HOST, host(str(base_url))}:
        return []
    return [("/region", f"needs a client made with {asked.base_url}: pass that base_url to say it was")]


def prove(stage: Stage, asked: Sendable, faults: list[Fault], *, whole: bool) -> dict[str, Any]:
    """Return the arguments as the stage arranges them; raise ``AdapterError`` where a rehearsal loses something."""
    body, headers = plain(asked.body), dict(asked.headers)
    if whole:
        faults += rehearse(stage, body, headers, asked.base_url)
    else:
        faults += rehearsed(stage, json.dumps(body), tuple(headers.items()), asked.base_url)
    if faults:
        raise AdapterError(stage.sdk, tuple(faults))
    return stage.arrange(body, headers, asked.base_url)


def plain(value: Any) -> Any:
    """Copy into plain dictionaries and lists, which callers may change and every SDK accepts."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
