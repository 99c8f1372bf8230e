"""Minimal instances satisfy the schemas they are made from."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from orpolicy.emulator.instances import minimal_instance

TREE = {
    "$defs": {
        "node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}
    },
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
        {"type": "string", "enum": ["low", "high"]},
        {"const": 3},
        {"type": "string", "minLength": 40},
        {"type": "string", "maxLength": 3},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "uuid"},
        {"type": "integer", "minimum": 5},
        {"type": "integer", "exclusiveMinimum": 5},
        {"type": "integer", "maximum": -3},
        {"type": "integer", "exclusiveMaximum": -3},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "minimum": 2.5},
        {"type": "integer", "minimum": 7, "multipleOf": 5},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
        {"type": "array", "prefixItems": [{"type": "null"}], "items": {"type": "integer"}, "minItems": 2},
        {"type": ["integer", "null"], "minimum": 1},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        {"oneOf": [{"type": "null"}, {"type": "string"}]},
        {
            "allOf": [{"properties": {"a": {"type": "null"}}, "required": ["a"]}, {"required": ["b"]}],
            "type": "object",
        },
        {
            "$defs": {"t": {"enum": ["x"]}},
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/t"}},
            "required": ["a"],
        },
        {"properties": {"a": {"type": "boolean"}}, "required": ["a"]},
        {"items": {"type": "string"}},
        {"required": ["anything"]},
        {"allOf": [True, {"type": "integer"}]},
        {},
        True,
    ],
)
def test_an_instance_satisfies_its_schema(schema: Any) -> None:
    checker = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    checker.validate(minimal_instance(schema))


def test_strings_say_that_they_are_simulated() -> None:
    assert minimal_instance({"type": "string"}) == "[simulated]"


def test_a_schema_that_never_ends_is_cut_off() -> None:
    assert minimal_instance(TREE)["next"]["next"]


def test_a_reference_to_nowhere_is_any_value() -> None:
    assert minimal_instance({"$ref": "#/$defs/none"}) == "[simulated]"
    assert minimal_instance(None) is None
