"""The exceptions of orpolicy, told apart by what the reader has to do.

.. code-block:: text

    OrpolicyError
    ├── CompileError           the YAML is wrong: fix it; ``.report`` holds every finding
    │   └── PolicyViolation    a policy forbids it: ask its owner, or stay inside
    ├── UsageError             the call is wrong: an unknown preset or environment, a bad argument
    ├── CostCeilingExceeded    the worst case is above ``max_cost``: shorten the prompt or raise the ceiling
    ├── CatalogError           the snapshot is missing, broken or of another version: pull it again
    ├── LockError              the lock is broken, edited or of another version: write it again
    ├── GitError               git cannot give the files of a revision: not installed, no repository, half a clone
    └── ClientError            a request failed
        ├── Unreachable        no HTTP response came back: the network, a proxy, a time-out
        ├── ApiError           OpenRouter answered with an error; one subclass per documented status
        └── StreamError        a stream broke off or could not be read

The classes below ``ClientError`` live in :mod:`orpolicy.client`, next to what they are made of: refusals, ledger, audit,
structures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from orpolicy.language.diagnostics import Report


class OrpolicyError(Exception):
    """Anything this package raises on purpose."""


class UsageError(OrpolicyError):
    """The call itself is wrong: an unknown preset, an unknown environment, a bad argument."""


class CompileError(OrpolicyError):
    """The sources do not compile; ``report`` holds every finding with its position."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.summary())
        self.report = report


class PolicyViolation(CompileError):
    """A policy forbids a value, in a file or given at call time."""


class CostCeilingExceeded(OrpolicyError):
    """The worst case of a call is above its ``max_cost``; amounts are USD.

    ``worst`` is ``None`` where no bound can be given, and the message says why.
    """

    def __init__(self, message: str, *, ceiling: Decimal, worst: Decimal | None = None) -> None:
        super().__init__(message)
        self.ceiling = ceiling
        self.worst = worst


class CatalogError(OrpolicyError):
    """A catalogue cannot be read: missing, truncated, malformed, or of another version."""


class LockError(OrpolicyError):
    """A lock cannot be used: truncated, malformed, edited by hand, or of another version."""


class GitError(OrpolicyError):
    """Git cannot give the files of a revision: it is missing or hangs, or the clone is broken or not complete."""


class ClientError(OrpolicyError):
    """A request could not be completed."""
