"""A preset as a lock holds it: served as it was compiled, and composed anew where a call lays its own values over it.

Nothing is proved before it is used. Where using it goes wrong, the schema says whose mistake that is.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from orpolicy.compiled import Compiled
from orpolicy.errors import LockError, UsageError
from orpolicy.lock_proof import proving
from orpolicy.lock_text import AGAIN, lower_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.language.explain import Explanation
    from orpolicy.language.lowered import Lowered
    from orpolicy.language.passes import Product
    from orpolicy.language.recompose import Recomposition
    from orpolicy.language.restrict import Restricted
    from orpolicy.language.source import Path as Place
    from orpolicy.language.trees import Branch
    from orpolicy.language.values import FrozenDict
    from orpolicy.locked import Lock
    from orpolicy.routing.catalog import Catalog


class LockedPreset(Compiled):
    """A preset as a lock holds it; what a call without overrides does not need is worked out when somebody asks."""

    _lock: Lock
    _entry: Mapping[str, Any]

    request = proving(Compiled.request)
    route = proving(Compiled.route)
    worst_case = proving(Compiled.worst_case)
    for_openai = proving(Compiled.for_openai)
    for_openrouter = proving(Compiled.for_openrouter)
    for_litellm = proving(Compiled.for_litellm)
    for_langchain = proving(Compiled.for_langchain)
    for_pydantic_ai = proving(Compiled.for_pydantic_ai)
    for_instructor = proving(Compiled.for_instructor)

    def __init__(self, lock: Lock, entry: Mapping[str, Any], environment: str | None) -> None:
        self.__dict__.update(
            name=entry["preset"],
            environment=environment,
            lowered=lower_entry(entry),
            override=self._override,
            _lock=lock,
            _entry=entry,
        )

    @cached_property
    @proving
    def body(self) -> FrozenDict:
        """The request body in canonical key order, without messages."""
        return super().body

    @cached_property
    @proving
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of all that is sent."""
        return super().digest

    def prove(self) -> None:
        """Hold the entry against the schema; raise ``LockError`` where it does not pass."""
        self._lock.prove_entry(self._entry)

    def origin(self, path: Place) -> None:
        """Return nothing: a lock holds no sources."""
        del path

    def explain(self, pointer: str = "") -> tuple[Explanation, ...]:
        """Raise ``UsageError``: a lock holds no sources."""
        del pointer
        raise UsageError(
            f"{self._lock.name} holds no sources: explain '{self.name}' in the project that it was made from"
        )

    @cached_property
    def catalog(self) -> Catalog | None:
        """The catalogue of the lock."""
        return self._lock.catalog

    @property
    def _judging_catalog(self) -> Catalog | None:
        """Only models with all their endpoints: overrides may lead to those that the preset does not reach."""
        return self._lock.whole_catalog

    @cached_property
    def _composition(self) -> Recomposition:
        return self._lock.recompose(self._entry, self.lowered)

    def _override(self, overrides: Mapping[str, Any]) -> Lowered:
        return self._composition.override(overrides)

    @cached_property
    @proving
    def _product(self) -> Product:
        product = self._composition.finish({}).product
        if product is None:
            raise LockError(f"{self._lock.name}: '{self.name}' no longer compiles; {AGAIN}")
        return product

    @cached_property
    def restricted(self) -> Restricted:
        """What came of the passes; all its places are the lock."""
        return self._product.restricted

    @cached_property
    @proving
    def composed(self) -> Branch:
        """What the layers said together."""
        return self._composition.tree
