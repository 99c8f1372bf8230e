"""The policy in force: what all that apply demand together, part by part, with the lines that say so.

.. code-block:: text

    max_price.prompt: 5             the lowest ceiling, its line; the lines of higher ones lose
    providers.allow: azure/eu       each entry that is left, with the lines that let it in
    models.allow: anthropic/*       each list by itself: a model has to be on all of them
    models.deny: *:free             each entry, with its lines
    quantizations: bf16, fp16       what is left, with all the lines that left it
"""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.language.explain import Author
from orpolicy.language.globs import contains
from orpolicy.language.guardrail import Guardrail, write_guardrail
from orpolicy.language.lower import write_price
from orpolicy.language.policy import (
    PRICES,
    QUANTIZATIONS,
    Policy,
    PolicyFile,
    Statement,
    meet,
    select,
)
from orpolicy.language.slugs import covers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@frozen
class Demand:
    """One part of a policy in force: its field, its value as JSON, who demands it, and who demands less."""

    field: str
    value: Any
    authors: tuple[Author, ...]
    weaker: tuple[Author, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the demand as JSON."""
        return {
            "field": self.field,
            "value": self.value,
            "set_by": [author.to_json() for author in self.authors],
            "over": [author.to_json() for author in self.weaker],
        }


@frozen(eq=False)
class Effective:
    """The meet of policies: the ``files`` that make it, and the ``others``, which do not govern all it is about."""

    files: tuple[PolicyFile, ...]
    others: tuple[PolicyFile, ...] = ()

    @cached_property
    def policy(self) -> Policy:
        """All statements."""
        return meet(*(file.policy for file in self.files))

    @cached_property
    def demands(self) -> tuple[Demand, ...]:
        """Every part, in the order in which a policy file is documented."""
        return tuple(demand for field in _FIELDS for demand in _find_demands(self.policy, field))

    def write_guardrail(self, models: Iterable[str] = ()) -> Guardrail:
        """Write it as a guardrail, named after its policies; ``models`` are all ids, over which patterns are expanded."""
        name = ", ".join(file.name for file in self.files) or "empty"
        return write_guardrail(name, self.policy.bounds, models)


def choose_files(files: Iterable[PolicyFile], preset: str | None, environment: str | None) -> Effective:
    """Choose the files that govern a preset in an environment, or, without a preset, every one there might be."""
    governing: list[PolicyFile] = []
    others: list[PolicyFile] = []
    for file in files:
        scope = file.scope
        if preset is not None:
            chosen = scope.covers(preset, environment)
        else:
            everywhere = scope.presets is None or any(contains(glob, "*") for glob in scope.presets)
            here = scope.environments is None or environment in scope.environments
            chosen = not scope.folder and everywhere and here
        (governing if chosen else others).append(file)
    return Effective(tuple(governing), tuple(others))


def _find_demands(policy: Policy, field: str) -> Iterator[Demand]:
    statements = select(policy, field)
    bounds = policy.bounds
    lists = {"providers.allow": bounds.providers_left, "regions": bounds.regions}
    if field == "quantizations":
        yield from _find_quantizations(policy)
    elif field in lists:
        for item in sorted(lists[field] or ()):
            yield Demand(field, item, tuple(_name_item(said, item) for said in statements))
    elif field.startswith("max_") and statements:
        least = statements[0].value
        equal = tuple(_name_author(said) for said in statements if said.value == least)
        weaker = tuple(_name_author(said) for said in statements if said.value != least)
        yield Demand(field, to_json(least), equal, weaker)
    else:
        for value in sorted({said.value for said in statements}, key=_sort_key):
            authors = tuple(_name_author(said) for said in statements if said.value == value)
            yield Demand(field, to_json(value), authors)


def _sort_key(value: Any) -> list[str]:
    return sorted(value) if isinstance(value, frozenset) else [str(value)]


def _find_quantizations(policy: Policy) -> Iterator[Demand]:
    left = policy.bounds.quantizations
    if left is not None:
        said = (*select(policy, "quantizations.allow"), *select(policy, "quantizations.deny"))
        kept = [name for name in QUANTIZATIONS if name in left]
        yield Demand("quantizations", kept, tuple(map(_name_author, said)))


def _name_author(statement: Statement) -> Author:
    return Author(statement.layer.name, statement.location, to_json(statement.value))


def _name_item(statement: Statement, value: str) -> Author:
    """Name the author of the entry of a list that lets a value in."""
    document = statement.layer.document
    items: Any = () if document is None else document.data
    for part in statement.path:
        items = items[part]
    index = next(number for number, item in enumerate(items) if covers(item, value))
    place = statement.layer.locate((*statement.path, index))
    return Author(statement.layer.name, place, items[index])


def to_json(value: Any) -> Any:
    """Return a statement's value as JSON: lists in order, amounts as decimal strings."""
    if isinstance(value, Decimal):
        return write_price(value)
    return sorted(value) if isinstance(value, frozenset) else value


_FIELDS: tuple[str, ...] = (
    "models.allow",
    "models.deny",
    "providers.allow",
    "providers.deny",
    "quantizations",
    "zdr",
    "data_collection",
    "require_parameters",
    "allow_fallbacks",
    *(f"max_price.{key}" for key in PRICES),
    "max_cost",
    "max_tokens",
    "plugins.allow",
    "plugins.deny",
    "tools.allow",
    "tools.deny",
    "regions",
    "require",
)
"""In the order in which a policy file is documented; ``quantizations`` is what both of its lists leave."""
