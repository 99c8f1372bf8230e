"""The form of the answer: response formats, schemas, healing, modalities.

Sources: guides/features/structured-outputs.mdx, guides/features/plugins/response-healing.mdx,
guides/routing/provider-selection.mdx, guides/overview/multimodal/audio.mdx, guides/routing/auto-exacto.mdx (facts 5, 6, 57, 97).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset
from orpolicy.language.source import Path

Flaw: TypeAlias = tuple[Path, str, str | None]
"""Where in a schema something is wrong, what it is, and what was probably meant."""

_JSON_FORMATS = ("json_object", "json_schema")
_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_MEANT = {
    "bool": "boolean",
    "dict": "object",
    "double": "number",
    "float": "number",
    "int": "integer",
    "list": "array",
    "map": "object",
    "none": "null",
    "str": "string",
    "text": "string",
}
_MAPS_OF_SCHEMAS = frozenset({"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"})
_LISTS_OF_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SCHEMAS = frozenset(
    {"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"}
)


def check_strict_output(preset: Preset) -> Findings:
    """Report a strict schema that endpoints without structured outputs may ignore (facts 5 and 6)."""
    strict = preset["response_format"].get("json_schema", {}).get("strict")
    if strict is True and preset.get("provider", {}).get("require_parameters") is not True:
        message = "a strict schema is not guaranteed: an endpoint that does not support it may serve the request and ignore it"
        hint = "add 'provider: {require_parameters: true}'"
        related = (("strictness is asked for here", ("response_format", "json_schema", "strict")),)
        path = ("response_format",)
        yield Finding(
            "strict-output-without-require-parameters", path, message, hint, anchor="key", related=related
        )


def check_healing(preset: Preset) -> Findings:
    """Report response healing where no JSON is asked for (fact 97)."""
    if preset.get("response_format", {}).get("type") in _JSON_FORMATS:
        return
    for index, plugin in enumerate(preset["plugins"]):
        if plugin["id"] == "response-healing" and plugin.get("enabled") is not False:
            message = "response healing repairs JSON, and no JSON is asked for: it does nothing"
            hint = "add 'response_format: {type: json_schema, …}' or 'json_object', or drop the plugin"
            yield Finding("healing-without-json", ("plugins", index, "id"), message, hint)


def check_answer_schema(preset: Preset) -> Findings:
    """Report a JSON Schema that is none: the model answers with an error."""
    path = ("response_format", "json_schema", "schema")
    schema = preset["response_format"].get("json_schema", {}).get("schema")
    for place, message, hint in _find_flaws(schema):
        yield Finding("invalid-json-schema", (*path, *place), message, hint)


def check_tool_schemas(preset: Preset) -> Findings:
    """Report a tool whose parameters are no JSON Schema: its calls cannot be judged, and some providers refuse it."""
    for index, tool in enumerate(preset["tools"]):
        if tool["type"] == "function":
            path = ("tools", index, "function", "parameters")
            for place, message, hint in _find_flaws(tool["function"].get("parameters")):
                yield Finding("invalid-tool-schema", (*path, *place), message, hint)


def _find_flaws(schema: Any) -> Iterator[Flaw]:
    """Yield what cannot be meant in a JSON Schema of any draft: wrong kinds of values, wrong type names."""
    if isinstance(schema, Mapping):
        yield from _find_wrong_type(schema)
        yield from _find_wrong_lists(schema)
        for key, value in schema.items():
            if key in _MAPS_OF_SCHEMAS:
                yield from _find_flaws_in_map(key, value)
            elif key in _LISTS_OF_SCHEMAS:
                yield from _find_flaws_in_list(key, value)
            elif key in _SCHEMAS and not isinstance(value, list):
                yield from _within((key,), value)
    elif not isinstance(schema, bool) and schema is not None:
        yield (), "a schema is a mapping, or true or false", None


def _find_flaws_in_map(key: str, value: Any) -> Iterator[Flaw]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _within((key, name), inner)
    else:
        yield (key,), f"'{key}' maps names to schemas", None


def _find_flaws_in_list(key: str, value: Any) -> Iterator[Flaw]:
    if isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _within((key, index), inner)
    else:
        yield (key,), f"'{key}' is a list of schemas", None


def _within(path: Path, schema: Any) -> Iterator[Flaw]:
    for place, message, hint in _find_flaws(schema):
        yield (*path, *place), message, hint


def _find_wrong_type(schema: Mapping[str, Any]) -> Iterator[Flaw]:
    types = schema.get("type", "string")
    for index, name in enumerate(types if isinstance(types, list) else [types]):
        if not isinstance(name, str) or name not in _TYPES:
            path: Path = ("type", index) if isinstance(types, list) else ("type",)
            meant = _MEANT.get(str(name).lower())
            hint = f"did you mean '{meant}'?" if meant else None
            yield path, f"'{name}' is no type of JSON Schema; there are {', '.join(sorted(_TYPES))}", hint


def _find_wrong_lists(schema: Mapping[str, Any]) -> Iterator[Flaw]:
    required, properties = schema.get("required", []), schema.get("properties", {})
    if not isinstance(required, list):
        yield ("required",), "'required' lists the names of properties, beside 'properties'", None
    elif schema.get("additionalProperties") is False and isinstance(properties, Mapping):
        for index, name in enumerate(required):
            if isinstance(name, str) and name not in properties and "patternProperties" not in schema:
                yield (
                    ("required", index),
                    f"'{name}' is required, and no property of that name is allowed",
                    None,
                )
    if not isinstance(schema.get("enum", [None]), list) or schema.get("enum") == []:
        yield ("enum",), "'enum' lists at least one value", None


def check_audio(preset: Preset) -> Findings:
    """Report settings for spoken answers where none are asked for."""
    if "audio" not in preset.get("modalities", ()):
        message = "'audio' describes a spoken answer, and 'modalities' does not ask for one"
        yield Finding(
            "audio-without-modality", ("audio",), message, "add 'modalities: [text, audio]'", anchor="key"
        )


def check_audio_modality(preset: Preset) -> Findings:
    """Report that a spoken answer is asked for without a voice and a format."""
    modalities = preset["modalities"]
    if "audio" in modalities and "audio" not in preset:
        message = "a spoken answer is asked for, and 'audio' does not say in which voice and format"
        path = ("modalities", modalities.index("audio"))
        yield Finding("modality-without-audio", path, message, "add 'audio: {voice: …, format: …}'")


CHECKS = (
    Check(
        "strict-output-without-require-parameters", ("response_format", "json_schema"), check_strict_output
    ),
    Check("healing-without-json", ("plugins",), check_healing),
    Check("invalid-json-schema", ("response_format", "json_schema"), check_answer_schema),
    Check("invalid-tool-schema", ("tools",), check_tool_schemas),
    Check("audio-without-modality", ("audio",), check_audio),
    Check("modality-without-audio", ("modalities",), check_audio_modality),
)
