"""Faults on request: what goes wrong, for whom, and when.

.. code-block:: text

    instead of an answer
      status       this status with its documented error, and ``Retry-After`` where ``retry_after`` is set
      error_body   HTTP 200 with an error in the body (fact 137)
      html         a proxy's page with this status
      empty        HTTP 200 without a body
      refuse       no connection; a server that runs can only break one
      reset        the connection breaks before the first byte
    late
      slow         the first byte after ``seconds``
      stall        silence for ``seconds`` after ``after`` chunks of content
    broken
      error_after_content   an error after ``after`` chunks (fact 148)
      cut          the connection breaks after ``after`` chunks, or in the middle of a body
      truncated    JSON that ends in its middle
      undone       a stream without [DONE]
    unusual, but right
      text         ``text`` is the answer; by default one with every separator that is no line end in JSON
      split        the same in pieces of ``size`` bytes (1), so that characters are cut
      large        one chunk of ``size`` bytes (5,000,000)
      many         ``size`` chunks (100,000)
      comments     a comment before every event
      crlf         lines that end with CR LF

``requests`` limits a fault to these requests, counted from 1, and ``every`` to each n-th; ``model`` and ``provider`` (a
slug or a tag) to those who serve. A fault with a provider belongs to that provider, one without to OpenRouter itself: a
provider that fails with ``status`` hands over to the next one (fact 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal[
    "status",
    "error_body",
    "html",
    "empty",
    "refuse",
    "reset",
    "slow",
    "stall",
    "error_after_content",
    "cut",
    "truncated",
    "undone",
    "text",
    "split",
    "large",
    "many",
    "comments",
    "crlf",
]
KINDS: tuple[str, ...] = get_args(Kind)


@frozen
class Fault:
    """One thing that goes wrong: its kind, its details, and whom it strikes when."""

    kind: Kind
    status: int = 502
    retry_after: int | str | None = None
    model: str | None = None
    provider: str | None = None
    requests: tuple[int, ...] = ()
    every: int = 1
    after: int = 1
    seconds: float = 0.0
    size: int | None = None
    text: str | None = None
    message: str | None = None

    def concerns(self, number: int, models: Iterable[str]) -> bool:
        """Tell whether it strikes this request for these models."""
        due = number in self.requests if self.requests else number % self.every == 0
        return due and (self.model is None or self.model in models)


def edge_fault(faults: Iterable[Fault], number: int, models: Iterable[str]) -> Fault | None:
    """Return the first fault of OpenRouter itself that strikes this request."""
    return next(
        (fault for fault in faults if fault.provider is None and fault.concerns(number, models)), None
    )


def upstream_fault(faults: Iterable[Fault], number: int, model: str, names: Iterable[str]) -> Fault | None:
    """Return the first fault that strikes an endpoint with one of these names (slug, tag)."""
    known = set(names)
    return next(
        (fault for fault in faults if fault.provider in known and fault.concerns(number, (model,))),
        None,
    )
