"""Two validators of one schema: jsonschema-rs says yes or no in microseconds, jsonschema yields every violation.

Both must agree; where Python's reading of a keyword differs from JSON Schema's, or where a hostile document could keep
it busy, the keyword is read anew here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from orpolicy.resources import read_schema, schema_text

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def load_schema(kind: str) -> dict[str, Any]:
    """Return the schema of a kind of file; ``composed`` is that of a preset after composition.

    A layer may leave out what another one says; a composed preset may not, so that what the preset schema only
    announces (``x-orpolicy-required``) is required there.
    """
    if kind != "composed":
        return read_schema(kind)
    composed: dict[str, Any] = json.loads(schema_text("preset"), object_hook=_require)
    return composed


def _require(node: dict[str, Any]) -> dict[str, Any]:
    required = node.get("x-orpolicy-required")
    return {**node, "required": [*node.get("required", ()), *required]} if required else node


@cache
def fast_validator(kind: str) -> Any:
    """Return the validator that accepts: its ``is_valid`` takes microseconds."""
    return _compile(load_schema(kind))


@cache
def precise_validator(kind: str) -> Any:
    """Return the validator that rejects: its ``iter_errors`` yields every violation with its path."""
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415  # slow to import, needed on rejection only

    root = load_schema(kind)
    keywords = {"pattern": _check_pattern, "uniqueItems": _check_unique, "items": _ItemsCheck(root)}
    return validators.extend(Draft202012Validator, keywords)(root)  # type: ignore[no-untyped-call]


def _compile(schema: dict[str, Any]) -> Any:
    import jsonschema_rs  # noqa: PLC0415  # 13 ms, and not every command validates

    return jsonschema_rs.Draft202012Validator(schema)


def _check_pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    """Match to the very end: Python's ``$`` would let a line break pass."""
    from orpolicy.language.repairs import compile_pattern  # noqa: PLC0415 - needed on rejection only

    if isinstance(instance, str) and not compile_pattern(pattern).search(instance):
        yield _violation(f"does not match {pattern}")


def _check_unique(_validator: Any, wanted: bool, instance: Any, _schema: Any) -> Iterator[Any]:  # noqa: FBT001
    """Compare texts, the only items that our schemas want unique, without comparing each with each."""
    texts = [item for item in instance if isinstance(item, str)] if isinstance(instance, list) else []
    if wanted and len(set(texts)) < len(texts):
        yield _violation("has equal items")


class _ItemsCheck:
    """The keyword ``items``, which looks closely only at the items that the fast validator rejects."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._definitions = root.get("$defs", {})
        self._compiled: dict[str, Any] = {}

    def __call__(self, validator: Any, items: Any, instance: Any, _schema: Any) -> Iterator[Any]:
        if not isinstance(instance, list):
            return
        key = json.dumps(items)
        if key not in self._compiled:
            self._compiled[key] = _compile({"$defs": self._definitions, **items})
        is_valid = self._compiled[key].is_valid
        for index, item in enumerate(instance):
            if not is_valid(item):
                yield from validator.descend(item, items, path=index)


def _violation(message: str) -> Any:
    from jsonschema import ValidationError  # noqa: PLC0415  # loaded with the validator

    return ValidationError(message)


def resolve(root: Mapping[str, Any], node: Any) -> Any:
    """Follow a schema's local references until there is none."""
    while isinstance(node, Mapping) and "$ref" in node:
        target: Any = root
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node
