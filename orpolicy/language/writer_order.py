"""The order in which a person finds the keys of a preset: that of the schema, which is that of a compiled body.

Where the schema leaves a choice (plugins by ``id``, tools by ``type``), the form that the data have decides. Keys that the
schema does not know, and those of mappings that OpenRouter passes on unread, stay as they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from orpolicy.language.validators import resolve
from orpolicy.resources import read_schema

Schema = Mapping[str, Any]


def order_keys(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a preset with its keys, and those of everything in it, in the order of the schema."""
    ordered: dict[str, Any] = _order(data, (_schema(),))
    return ordered


@cache
def _schema() -> Schema:
    return read_schema("preset")


def _order(value: Any, nodes: tuple[Schema, ...]) -> Any:
    """Order a value that all of these subschemas describe."""
    if isinstance(value, Mapping):
        forms = [form for node in nodes for form in _forms(node, value)]
        known = dict.fromkeys(key for form in forms for key in form.get("properties", ()))
        keys = [*(key for key in known if key in value), *(key for key in value if key not in known)]
        return {key: _order(value[key], tuple(_children(forms, key))) for key in keys}
    if isinstance(value, list | tuple):
        forms = [form for node in nodes for form in _forms(node, value)]
        items = tuple(form["items"] for form in forms if "items" in form)
        return [_order(item, items) for item in value]
    return value


def _forms(node: Schema, value: Any) -> Iterator[Schema]:
    """Yield the subschemas that apply to a value: the node itself, and the branches whose condition it meets."""
    node = resolve(_schema(), node)
    yield node
    if "if" in node:
        branch = node.get("then" if _meets(node["if"], value) else "else")
        if branch is not None:
            yield from _forms(branch, value)
    for part in node.get("allOf", ()):
        yield from _forms(part, value)


def _meets(condition: Schema, value: Any) -> bool:
    """Decide one of the few conditions that our schema makes: a type, or the value of a discriminator."""
    if "not" in condition:
        return not _meets(condition["not"], value)
    if "type" in condition and not isinstance(value, _TYPES[condition["type"]]):
        return False
    if not isinstance(value, Mapping):
        return "required" not in condition
    properties = condition.get("properties", {})
    return all(key in value for key in condition.get("required", ())) and all(
        value[key] == wanted["const"] if "const" in wanted else value[key] in wanted.get("enum", ())
        for key, wanted in properties.items()
        if key in value
    )


_TYPES: dict[str, type] = {"object": Mapping, "array": list, "string": str, "null": type(None)}


def _children(forms: list[Schema], key: str) -> Iterator[Schema]:
    for form in forms:
        if key in form.get("properties", {}):
            yield form["properties"][key]
        elif isinstance(form.get("additionalProperties"), Mapping):
            yield form["additionalProperties"]
