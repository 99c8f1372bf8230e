"""One call from admission to account: the ledger before it and after it, and the audit of its reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orpolicy.client.audit import Mode
    from orpolicy.client.ledger import Entry, Ledger
    from orpolicy.client.replies import Reply, Usage
    from orpolicy.client.wire import Wire
    from orpolicy.routing.catalog import Catalog


class Turn:
    """A context manager around one call; whatever leaves it unsettled is booked as a failure."""

    def __init__(self, wire: Wire, ledger: Ledger, mode: Mode | None, catalog: Catalog | None) -> None:
        self.wire = wire
        self._ledger = ledger
        self._mode = mode
        self._catalog = catalog
        self._entry: Entry | None = None

    def __enter__(self) -> Wire:
        """Enter the call into the ledger; raise ``BudgetExceeded`` before anything is sent."""
        self._entry = self._ledger.admit(self.wire.preset, self.wire.ceiling)
        return self.wire

    def __exit__(self, *exc_info: object) -> None:
        entry, self._entry = self._entry, None
        if entry is not None:
            entry.fail()

    def settle(self, reply: Reply) -> Reply:
        """Book a reply, compare who served it with whom the preset allows, and return it."""
        self.book(reply.usage)
        if self._mode is not None and self.wire.asked is not None:
            from orpolicy.client.audit import audit, enforce  # noqa: PLC0415 - for those who want one

            found = audit(self.wire.asked.body, reply, self._catalog)
            enforce(self._mode, self._ledger, self.wire.preset, found, reply)
        return reply

    def book(self, usage: Usage | None) -> None:
        """Book what a reply used, also one that was cut short; only the first counts."""
        entry, self._entry = self._entry, None
        if entry is not None:
            entry.close(usage)
