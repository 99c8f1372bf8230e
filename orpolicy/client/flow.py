"""The one control flow of a request, for sync and async alike.

A generator that yields numbers, each of which means "send it, that many seconds from now", and is sent the ``Answer``
or thrown ``Unreachable``. It reads no clock, draws no random number and opens no socket: all three come from outside.

.. code-block:: text

    what came back                                try again?
    no response (connection, time-out)            where the same attempt may fare better
    availability.retryable is given               as it says (fact 140)
    error_type is given                           rate limit, overload, outage, server, time-out: yes; others: no (139)
    status only                                   408 429 500 502 503 524 529: yes; others: no
    an open stream                                never again, from its first byte on

The wait is the longest of ``Retry-After``, ``availability.retry_after`` (fact 143) and an exponential back-off with
full jitter. Whoever is asked to wait beyond the bound on elapsed time gets the error at once.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen
from attrs.validators import ge

from orpolicy.client.judging import judge
from orpolicy.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from orpolicy.client.answers import Answer
    from orpolicy.client.attempts import Attempt

RETRIED_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 524, 529})
RETRIED_TYPES: Final = frozenset(
    {"rate_limit_exceeded", "provider_overloaded", "provider_unavailable", "server", "timeout"}
)


@frozen
class Retry:
    """How often and how long to try: attempts in all, seconds in all, back-off from ``base`` up to ``cap`` seconds."""

    attempts: int = field(default=3, validator=ge(1))
    elapsed: float = field(default=120.0, validator=ge(0))
    base: float = field(default=0.5, validator=ge(0))
    cap: float = field(default=16.0, validator=ge(0))


@frozen
class Surroundings:
    """What the flow may know of the world: a steady clock, the time of day (both seconds), a random number below 1."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    random: Callable[[], float] = random.random


def exchange(
    retry: Retry,
    surroundings: Surroundings,
    *,
    veil: Callable[[str], str] = str,
    on_attempt: Callable[[Attempt], object] | None = None,
) -> Generator[float, Answer, tuple[Answer, dict[str, Any] | None]]:
    """Try until an answer is good, or raise its error; return the answer with its document, ``None`` for a stream.

    ``veil`` takes what was sent out of the text of an error.
    """
    clock = surroundings.clock
    started = clock()
    after = 0.0
    number = 0
    while True:
        number += 1
        began = clock() + after
        error: ClientError | None
        status = document = None
        try:
            answer = yield after
        except ClientError as lost:
            error = lost
        else:
            status = answer.status
            document, error = judge(answer, now=surroundings.now(), veil=veil)
        ended = clock()
        wait = None if error is None else _wait(retry, surroundings, error, number, ended - started)
        if on_attempt is not None:
            from orpolicy.client.attempts import Attempt  # noqa: PLC0415 - most calls tell nobody

            on_attempt(Attempt(number, max(0.0, ended - began), status, error, wait))
        if error is None:
            return answer, document
        if wait is None:
            if number > 1:
                error.add_note(f"after {number} attempts in {ended - started:.1f} s")
            raise error
        after = wait


def _wait(
    retry: Retry, surroundings: Surroundings, error: ClientError, number: int, elapsed: float
) -> float | None:
    """Return the seconds until the next attempt, or ``None`` where there is none."""
    from orpolicy.client.refusals import ApiError  # noqa: PLC0415 - a call that goes well refuses nothing

    if number >= retry.attempts or not is_worth_retrying(error):
        return None
    backoff = surroundings.random() * min(retry.cap, retry.base * 2.0 ** min(number - 1, 63))
    asked = error.retry_after if isinstance(error, ApiError) else None
    wait = max(backoff, asked or 0.0)
    return wait if elapsed + wait <= retry.elapsed else None


def is_worth_retrying(error: ClientError) -> bool:
    """Say whether the same request may succeed later; ``availability`` and ``error_type`` decide before the status."""
    from orpolicy.client.refusals import ApiError, Unreachable  # noqa: PLC0415 - as above

    if isinstance(error, Unreachable):
        return error.retryable
    if not isinstance(error, ApiError):
        return False
    if error.availability is not None and error.availability.retryable is not None:
        return error.availability.retryable
    if error.error_type is not None and error.error_type != "unmapped":
        return error.error_type in RETRIED_TYPES
    return error.status in RETRIED_STATUSES
