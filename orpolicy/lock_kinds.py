"""The kinds of the members of a lock: a digest may be right for what no program wrote.

This is what every reading of a lock pays for. What a body says is not looked at: that takes the schema, and only
:mod:`orpolicy.lock_proof` has it, for when something goes wrong.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orpolicy.language.lowered import REGIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_words(value: Any) -> bool:
    """Tell whether it maps names to texts."""
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


_AMOUNT = re.compile(r"\d{1,12}(?:\.\d{1,40})?", re.ASCII)

_ENTRY: Mapping[str, Callable[[Any], bool]] = {
    "preset": _is_text,
    "environment": lambda value: value is None or isinstance(value, str),
    "base_url": lambda value: isinstance(value, str) and value in REGIONS,
    "body": _is_mapping,
    # and these, where they are there
    "digest": _is_text,
    "headers": _is_words,
    "max_cost": lambda value: isinstance(value, str) and _AMOUNT.fullmatch(value) is not None,
    "system": _is_texts,
    "policies": _is_texts,
    "composed": _is_mapping,
    "silenced": _is_texts,
}
_ALWAYS = ("preset", "environment", "base_url", "body")
_SEVERITIES = ("off", "warning", "error")


def has_kinds(members: Mapping[str, Any]) -> bool:
    """Tell whether the members of a lock are there and of their kinds."""
    policies: Any = members.get("policies")
    presets: Any = members.get("presets")
    rules: Any = members.get("rules")
    return (
        _is_texts(members.get("environments"))
        and _is_words(rules)
        and all(severity in _SEVERITIES for severity in rules.values())
        and _is_mapping(policies)
        and all(_is_policy(row) for row in policies.values())
        and isinstance(presets, list)
        and all(_is_entry(row, policies) for row in presets)
        and _are_complete([(row["preset"], row["environment"]) for row in presets])
        and ("catalog" not in members or _is_catalog(members["catalog"]))
    )


def _is_policy(row: Any) -> bool:
    return isinstance(row, dict) and _is_text(row.get("name")) and _is_mapping(row.get("demands"))


def _is_entry(row: Any, policies: Mapping[str, Any]) -> bool:
    return (
        isinstance(row, dict)
        and all(key in row for key in _ALWAYS)
        and all(_ENTRY[key](value) for key, value in row.items() if key in _ENTRY)
        and all(file in policies for file in row.get("policies", ()))
    )


def _are_complete(keys: list[tuple[str, str | None]]) -> bool:
    """Tell whether every preset has one entry without an environment, and no entry is there twice."""
    known = set(keys)
    return len(known) == len(keys) and all((name, None) in known for name, _ in keys)


def _is_catalog(rows: Any) -> bool:
    """Tell whether names, patterns and models are listed; the rows are read by those who know catalogues."""
    if not isinstance(rows, dict):
        return False
    names, globs = rows.get("names", []), rows.get("globs", {})
    return (
        isinstance(names, list)
        and all(_is_words(row) and "written" in row for row in names)
        and isinstance(globs, dict)
        and all(map(_is_texts, globs.values()))
        and _is_texts(rows.get("whole", []))
    )
