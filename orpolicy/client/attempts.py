"""What the ``on_attempt`` hook sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from orpolicy.errors import ClientError


@frozen
class Attempt:
    """One attempt, what became of it, and when the next one follows.

    ``seconds`` is how long it took; ``retry_in`` is ``None`` where no other attempt follows.
    """

    number: int
    seconds: float
    status: int | None
    error: ClientError | None
    retry_in: float | None
