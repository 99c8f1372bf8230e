"""The smallest value that satisfies a JSON Schema, for simulated tool calls and structured answers.

It follows what such schemas use in practice: types, ``properties`` and ``required``, ``enum`` and ``const``, bounds,
``items``, ``anyOf``/``oneOf``/``allOf``, ``$ref`` into ``$defs``. A ``pattern`` it cannot satisfy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

TEXT = "[simulated]"

FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "simulated@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
DEPTH = 24
"""A schema that refers to itself for ever is cut off here, with ``None``."""


def minimal_instance(schema: Any) -> Any:
    """Return a small value for a JSON Schema."""
    return _instance(schema, schema if isinstance(schema, Mapping) else {}, DEPTH)


def _instance(schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth == 0:
        return TEXT if schema is True else None
    schema = _resolve(schema, root)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            rest = {name: value for name, value in schema.items() if name != key}
            return _instance(_join(rest, _resolve(schema[key][0], root)), root, depth - 1)
    kind = schema.get("type") or _guess_type(schema)
    name: str = kind[0] if isinstance(kind, list) else kind
    maker: Maker = _MAKERS.get(name, _make_null)
    return maker(schema, root, depth)


def _resolve(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a local reference and join the parts of ``allOf``."""
    for _ in range(DEPTH):
        if "$ref" not in schema:
            break
        target: Any = root
        for part in str(schema["$ref"]).lstrip("#").strip("/").split("/"):
            target = target.get(part.replace("~1", "/").replace("~0", "~"), {}) if part else target
        schema = _join({name: value for name, value in schema.items() if name != "$ref"}, target)
    for part in schema.get("allOf", ()):
        schema = _join(schema, _resolve(part, root) if isinstance(part, Mapping) else part)
    return schema


def _join(one: Mapping[str, Any], other: Any) -> Mapping[str, Any]:
    if not isinstance(other, Mapping):
        return one
    return {
        **one,
        **other,
        "properties": {**one.get("properties", {}), **other.get("properties", {})},
        "required": [*one.get("required", ()), *other.get("required", ())],
    }


def _guess_type(schema: Mapping[str, Any]) -> str:
    if schema.get("properties") or schema.get("required"):
        return "object"
    return "array" if "items" in schema else "string"


def _make_object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {
        name: _instance(properties.get(name, {}), root, depth - 1)
        for name in dict.fromkeys(schema.get("required", ()))
    }


def _make_array(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> list[Any]:
    heads = [_instance(item, root, depth - 1) for item in schema.get("prefixItems", ())]
    more = max(0, schema.get("minItems", 0) - len(heads))
    return heads + [_instance(schema.get("items", {}), root, depth - 1) for _ in range(more)]


def _make_string(schema: Mapping[str, Any], _root: Mapping[str, Any], _depth: int) -> str:
    text = FORMATS.get(schema.get("format", ""), TEXT)
    text = text.ljust(schema.get("minLength", 0), ".")
    return text[: schema.get("maxLength")]


def _make_number(schema: Mapping[str, Any], _root: Mapping[str, Any], _depth: int) -> Any:
    whole = schema.get("type") in ("integer", ["integer", "null"])
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", -math.inf)
    high = schema.get("maximum", math.inf)
    if "exclusiveMinimum" in schema:
        low = max(low, schema["exclusiveMinimum"] + (step if whole else step / 2))
    if "exclusiveMaximum" in schema:
        high = min(high, schema["exclusiveMaximum"] - (step if whole else step / 2))
    value = min(max(0, low), high)
    return math.ceil(value / step) * step if whole or "multipleOf" in schema else value


def _make_null(_schema: Mapping[str, Any], _root: Mapping[str, Any], _depth: int) -> None:
    return None


def _make_boolean(_schema: Mapping[str, Any], _root: Mapping[str, Any], _depth: int) -> bool:
    return False


Maker = Callable[[Mapping[str, Any], Mapping[str, Any], int], Any]

_MAKERS: dict[str, Maker] = {
    "object": _make_object,
    "array": _make_array,
    "string": _make_string,
    "number": _make_number,
    "integer": _make_number,
    "boolean": _make_boolean,
    "null": _make_null,
}
