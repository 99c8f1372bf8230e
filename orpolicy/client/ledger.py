"""What a client has spent: calls, tokens and cost per preset, and a budget that refuses the next call.

Every call is in the ledger exactly once: as a reply, or as a failure. Amounts are USD, as OpenRouter bills them (fact 151);
a reply without a cost counts as ``unpriced``. A budget is checked before anything is sent. Calls in flight count with their
preset's ``max_cost``, where it has one: then the budget holds however many run at once. Without ceilings the calls that
were in flight when the budget ran out can still add to it.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from attrs import frozen

from orpolicy.errors import ClientError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.client.replies import Usage
    from orpolicy.client.violations import Violation

ZERO: Final = Decimal(0)


class BudgetExceeded(ClientError):
    """The client's budget does not cover another call: nothing was sent. Amounts are USD."""

    def __init__(self, budget: Decimal, spent: Decimal, committed: Decimal) -> None:
        super().__init__(budget, spent, committed)
        self.budget = budget
        self.spent = spent
        self.committed = committed

    def __str__(self) -> str:
        more = f" and calls in flight may cost {self.committed} more" if self.committed else ""
        return f"the budget of {self.budget} USD does not cover this call: {self.spent} USD are spent{more}"


@frozen
class Account:
    """Sums over calls: ``calls`` includes ``failures`` and what is in flight; ``cost`` is in USD."""

    calls: int = 0
    failures: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = ZERO
    unpriced: int = 0
    unaudited: int = 0

    def __add__(self, other: Account) -> Account:
        return Account(
            self.calls + other.calls,
            self.failures + other.failures,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
            self.unpriced + other.unpriced,
            self.unaudited + other.unaudited,
        )


class Ledger:
    """Sums of a client by preset; safe to share between threads and tasks."""

    def __init__(self, budget: Decimal | int | str | None = None) -> None:
        self.budget = None if budget is None else _amount(budget)
        self._lock = Lock()
        self._accounts: dict[str, Account] = {}
        self._spent = ZERO
        self._committed = ZERO
        self._violations: list[Violation] = []

    @property
    def presets(self) -> Mapping[str, Account]:
        """The sums by the preset's name."""
        with self._lock:
            return MappingProxyType(dict(self._accounts))

    @property
    def total(self) -> Account:
        """The sums over all presets."""
        return sum(self.presets.values(), Account())

    @property
    def spent(self) -> Decimal:
        """The cost of all replies, in USD."""
        return self.total.cost

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The replies that came from where their presets do not allow, in the order in which they came."""
        with self._lock:
            return tuple(self._violations)

    def admit(self, preset: str, ceiling: Decimal | None = None) -> Entry:
        """Enter a call that may cost up to ``ceiling`` USD; raise ``BudgetExceeded`` where the budget does not cover it."""
        with self._lock:
            if self.budget is not None:
                least = self._spent + self._committed + (ceiling or ZERO)
                if least > self.budget or (not ceiling and least == self.budget):
                    raise BudgetExceeded(self.budget, self._spent, self._committed)
            self._committed += ceiling or ZERO
            self._book(preset, _CALL)
        return Entry(self, preset, ceiling or ZERO)

    def note(self, violation: Violation) -> None:
        """Keep a violation of a preset's routing."""
        with self._lock:
            self._violations.append(violation)

    def note_unaudited(self, preset: str) -> None:
        """Count a reply that does not say who served it."""
        with self._lock:
            self._book(preset, _UNAUDITED)

    def settle(self, entry: Entry, account: Account) -> None:
        """Book what became of a call, and release what was committed to it."""
        with self._lock:
            self._committed -= entry.ceiling
            self._book(entry.preset, account)

    def _book(self, preset: str, account: Account) -> None:
        before = self._accounts.get(preset)
        self._accounts[preset] = account if before is None else before + account
        self._spent += account.cost


class Entry:
    """One call that has been admitted, up to a ``ceiling`` in USD; settle it once, by what it used or as a failure."""

    __slots__ = ("ceiling", "ledger", "preset")

    def __init__(self, ledger: Ledger, preset: str, ceiling: Decimal) -> None:
        self.ledger = ledger
        self.preset = preset
        self.ceiling = ceiling

    def close(self, usage: Usage | None) -> None:
        """Book the usage of a reply."""
        self.ledger.settle(self, _UNPRICED if usage is None else _read_account(usage))

    def fail(self) -> None:
        """Book that no reply came."""
        self.ledger.settle(self, _FAILURE)


_CALL: Final = Account(calls=1)
_FAILURE: Final = Account(failures=1)
_UNAUDITED: Final = Account(unaudited=1)
_UNPRICED: Final = Account(unpriced=1)
"""What is booked again and again."""


def _read_account(usage: Usage) -> Account:
    cost, unpriced = (ZERO, 1) if usage.cost is None else (usage.cost, 0)
    return Account(0, 0, usage.prompt_tokens, usage.completion_tokens, cost, unpriced)


def _amount(budget: object) -> Decimal:
    if isinstance(budget, bool) or not isinstance(budget, Decimal | int | str):
        raise UsageError("a budget is a Decimal, an integer or a text, in USD: a float is not exact")
    try:
        amount = Decimal(budget)
    except InvalidOperation as exc:
        raise UsageError("the budget is not a number of USD") from exc
    if not amount.is_finite() or amount < 0:
        raise UsageError("the budget is not a number of USD")
    return amount
