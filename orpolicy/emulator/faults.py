"""Faults on request: what goes wrong, for whom, and when.

.. code-block:: text

    Fault("status", status=429, retry_after=2)                 every request is answered with 429
    Fault("status", status=503, provider="anthropic")          this provider fails; OpenRouter tries the next (fact 10)
    Fault("error_body", status=502)                            HTTP 200 with an error in the body (fact 137)
    Fault("error_after_content", status=502, after=3)          an error chunk after three chunks of content (fact 148)
    Fault("cut", after=2)                                      the connection breaks after two chunks
    Fault("stall", after=2, seconds=60)                        silence after two chunks
    Fault("slow", seconds=5)                                   a slow first byte
    Fault("refuse") · Fault("reset")                           no connection · a connection that breaks before an answer

``requests`` limits a fault to these requests, counted from 1; ``model`` and ``provider`` (a slug or a tag) to those who
serve. A fault with a provider belongs to that provider, one without to OpenRouter itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["status", "error_body", "error_after_content", "cut", "stall", "slow", "refuse", "reset"]


@frozen
class Fault:
    """One thing that goes wrong; ``after`` counts chunks of content, ``seconds`` is how long a stall or a start takes."""

    kind: Kind
    status: int = 502
    retry_after: int | str | None = None
    model: str | None = None
    provider: str | None = None
    requests: tuple[int, ...] = ()
    after: int = 1
    seconds: float = 0.0
    message: str | None = None

    def concerns(self, number: int, models: Iterable[str]) -> bool:
        """Tell whether it strikes this request for these models."""
        return (not self.requests or number in self.requests) and (self.model is None or self.model in models)


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
