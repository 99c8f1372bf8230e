"""The shape of a document: accept fast, reject precisely.

jsonschema-rs answers yes in microseconds, and most documents are right. Only when it says no does jsonschema look again
and yield every violation, which is put into words here: one finding a mistake, at the key or value that the author has
to touch, with the nearest right spelling or the right level. A property test keeps the two validators in agreement.
"""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from orpolicy.language.validators import fast_validator, load_schema, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.language.diagnostics import Finding
    from orpolicy.language.source import Path
    from orpolicy.language.trees import Strategies

_MOST = 1000
"""Mistakes; nobody reads on, and a hostile file must not keep us busy."""


def check_shape(kind: str, data: Any, *, strict_integers: bool = False) -> list[Finding]:
    """Compare data with the schema of their kind: ``preset``, ``policy``, ``project``, ``composed``.

    ``strict_integers`` looks closer at a valid document that writes a whole number with a fraction (``1000.0``).
    """
    if not strict_integers and (_is_complete(kind, data) or fast_validator(kind).is_valid(data)):
        return []
    from orpolicy.language.mistakes import keep_one_a_mistake  # noqa: PLC0415 - most documents are right
    from orpolicy.language.violations import explain  # noqa: PLC0415

    return keep_one_a_mistake(islice(explain(kind, data), _MOST))


def _is_complete(kind: str, data: Any) -> bool:
    """Tell whether a layer needs no other: what is right after composition is right before it.

    Most layers are, and composed presets are looked at anyway: one validator does, where two take twice as long to make.
    """
    return kind == "preset" and bool(fast_validator("composed").is_valid(data))


@cache
def merge_strategies() -> Strategies:
    """Read off the preset schema, in the form that is loaded anyway, where lists stand and how they merge."""
    root = load_schema("composed")
    keys = (key for key in root["properties"] if key not in ("environments", "extends"))
    return {
        path: strategy
        for key in keys
        for path, strategy in _find_strategies(root, root["properties"][key], (key,))
    }


def _find_strategies(root: Mapping[str, Any], node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    node = resolve(root, node)
    if "x-orpolicy-merge" in node:
        yield path, node["x-orpolicy-merge"]
        return
    for key, child in node.get("properties", {}).items():
        yield from _find_strategies(root, child, (*path, key))
    for branch in (*node.get("allOf", ()), *(node[word] for word in ("then", "else") if word in node)):
        yield from _find_strategies(root, branch, path)
