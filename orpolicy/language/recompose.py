"""The composition of a preset as plain data: what a lock keeps of it, and what calls are laid over when no file is there.

.. code-block:: text

    lowered request ─ restore ─┐                              written: the keys in which the two differ
    composed data ─────────────┴─ find_differences            read:    restored | differences = composed data

A key that only a policy brought is in the request and not in the composition; its difference is ``None``. What a file
alone may say is left out. Laws: ``join(restore(lowered), find_differences(data, lowered))`` is the data but for that, by
value; equal data give equal differences, however their keys are ordered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, evolve

from orpolicy.language.building import build_layer
from orpolicy.language.diagnostics import Report, Severity
from orpolicy.language.document import Document
from orpolicy.language.lockstep import run
from orpolicy.language.lower import order_keys
from orpolicy.language.lowered import REGIONS, Lowered
from orpolicy.language.overrides import OF_THE_FILE
from orpolicy.language.passes import Passage, describe_failure, finish, lay_over
from orpolicy.language.rules import RULES
from orpolicy.language.schema import merge_strategies
from orpolicy.language.source import Source, to_pointer
from orpolicy.language.suppress import find_suppressions
from orpolicy.language.trees import Branch, Layer, Leaf, Node, Removal, find_place
from orpolicy.language.trees import Sequence as Listed

if TYPE_CHECKING:
    from orpolicy.language.diagnostics import Finding
    from orpolicy.language.policy import Policy
    from orpolicy.language.source import Path

Silence: TypeAlias = "tuple[str, str, str]"
"""A rule, the JSON pointer of a value of the composition, and what of it: its ``value`` or its ``key``."""


def restore(lowered: Lowered) -> dict[str, Any]:
    """Guess from a request what the preset says, amounts as decimals; what travels in headers is left out."""
    data = {key: _read_numbers(value) for key, value in lowered.body.items()}
    data |= {
        key: value
        for key, value in (
            ("system", lowered.system),
            ("region", REGIONS[lowered.base_url]),
            ("max_cost", lowered.max_cost),
        )
        if value is not None
    }
    return _read_amounts(data)


def find_differences(data: Mapping[str, Any], lowered: Lowered) -> dict[str, Any]:
    """Find the top-level keys that composed data say otherwise than their request; ``None`` for those they lack."""
    guess, read = restore(lowered), _read_amounts(data)
    keys = order_keys((), {**guess, **read})
    return {
        key: _order(data[key], (key,)) if key in data else None
        for key in keys
        if key not in OF_THE_FILE and not (key in read and key in guess and _same(read[key], guess[key]))
    }


def join(guess: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    """Put differences over what was restored."""
    joined = {**guess, **differences}
    return {key: value for key, value in joined.items() if value is not None}


def find_silences(tree: Branch) -> Iterator[Silence]:
    """Find what comments in the files of a composed tree silence of the rules about meaning, wherever it may be found."""
    lines: dict[int, dict[tuple[int, str], None]] = {}

    def silence(node: Node, path: Path, rest: Path) -> Iterator[Silence]:
        document = node.layer.document
        if document is None:
            return
        if id(document) not in lines:
            found = find_suppressions(document)
            lines[id(document)] = {(said.line, said.code): None for said in found}
        if lines[id(document)]:
            for anchor, find in (("value", node.layer.locate), ("key", node.layer.locate_key)):
                place = find(node.path + rest)
                for line, code in lines[id(document)]:
                    about = code in RULES and RULES[code].family == "meaning"
                    if about and place is not None and place.span.start.line == line:
                        yield code, to_pointer(path + rest), anchor

    for node, path in _walk(tree, ()):
        for rest in _walk_value(node.value, ()) if isinstance(node, Leaf) else ((),):
            yield from silence(node, path, rest)


def _walk(node: Node, path: Path) -> Iterator[tuple[Node, Path]]:
    yield node, path
    if isinstance(node, Branch):
        for key, entry in node.entries.items():
            if not isinstance(entry, Removal):
                yield from _walk(entry, (*path, key))
    elif isinstance(node, Listed):
        for index, item in enumerate(node.items):
            yield from _walk(item, (*path, index))


def _walk_value(value: Any, path: Path) -> Iterator[Path]:
    yield path
    inner = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in inner:
        yield from _walk_value(item, (*path, key))


@define(slots=False, eq=False)
class Recomposition:
    """A preset's composition as data, ready to have a call's values laid over it.

    ``file`` is where messages say that its values stand. ``severities`` and ``silences`` are those of the project.
    """

    name: str
    file: str
    data: Mapping[str, Any]
    policy: Policy
    severities: Mapping[str, Severity]
    silences: frozenset[Silence]

    @cached_property
    def tree(self) -> Branch:
        """The data as a layer of their own."""
        layer = Layer(self.name, Document(Source(self.file, ""), {}))
        return build_layer(self.data, layer, merge_strategies())

    def override(self, overrides: Mapping[str, Any]) -> Lowered:
        """Lay call-time values over the composition and run every pass that follows.

        Raises:
            UsageError: a value has no JSON form, or its key belongs into a file.
            CompileError: the values are not valid, or do not go with the preset.
            PolicyViolation: a policy forbids them.
        """
        passage = self.finish(overrides)
        report = Report(
            tuple(
                evolve(found, severity=severity)
                for found in passage.diagnostics
                if (severity := self.severities.get(found.code, found.severity)) is not Severity.OFF
            )
        )
        if passage.product is None or report.errors:
            raise describe_failure(report)
        return passage.product.lowered

    def finish(self, overrides: Mapping[str, Any]) -> Passage:
        """Run the passes, over the composition alone where there are no overrides."""
        composed = lay_over(self.tree, overrides) if overrides else self.tree
        return run(finish(composed, self.policy, is_silenced=self._is_silenced))

    def _is_silenced(self, finding: Finding, tree: Branch) -> bool:
        layer, place, anchor = find_place(tree, finding.path, key=finding.anchor == "key")
        return layer is self.tree.layer and (finding.code, to_pointer(place), anchor) in self.silences


def _read_numbers(value: Any) -> Any:
    """Return JSON with decimals for floats; the shortest text of a float is what a file says."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key: _read_numbers(item) for key, item in value.items()}
    return [_read_numbers(item) for item in value] if isinstance(value, list) else value


def _read_amounts(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return composed data with decimals for amounts that are written as text."""
    provider = data.get("provider")
    read = dict(data)
    if isinstance(provider, Mapping) and isinstance(provider.get("max_price"), Mapping):
        prices = {key: _amount(value) for key, value in provider["max_price"].items()}
        read["provider"] = {**provider, "max_price": prices}
    if "max_cost" in data:
        read["max_cost"] = _amount(data["max_cost"])
    return read


def _amount(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) else value


def _same(one: Any, other: Any) -> bool:
    """Tell whether data are equal by value: ``1`` is ``1.0`` and is not ``true``; keys have no order."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _order(value: Any, path: Path) -> Any:
    """Put the keys of mappings in the order in which they are sent, but for JSON Schemas, whose order is kept."""
    if isinstance(value, Mapping):
        return {key: _order(value[key], (*path, key)) for key in order_keys(path, value)}
    return [_order(item, path) for item in value] if isinstance(value, list | tuple) else value
