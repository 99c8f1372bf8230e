"""What a rule about meaning is: a function from a composed preset to findings, and the place that wakes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from attrs import field, frozen

from orpolicy.language.diagnostics import Finding
from orpolicy.language.source import Path

Preset: TypeAlias = Mapping[str, Any]
"""A composed preset as plain data: schema-valid, without nulls, numbers as ``int`` or ``Decimal``."""

Findings: TypeAlias = Iterator[Finding]


def later_key(mapping: Mapping[str, Any], one: str, other: str) -> str:
    """Return which of two keys is written later: of two that exclude each other, readers take it for the mistake."""
    return max(one, other, key=list(mapping).index)


def _as_tuple(codes: str | tuple[str, ...]) -> tuple[str, ...]:
    return (codes,) if isinstance(codes, str) else codes


@frozen
class Check:
    """A function that finds, and the codes of what it finds.

    ``trigger`` is the key that must be set for the function to have anything to say: ``("tools",)``,
    ``("provider", "order")``, or ``()`` where it always has. Most presets set few keys, so most functions never run.
    """

    codes: tuple[str, ...] = field(converter=_as_tuple)
    trigger: Path
    find: Callable[[Preset], Findings]
