"""The form of the answer: response formats, schemas, healing, modalities.

Sources: guides/features/structured-outputs.mdx, guides/features/plugins/response-healing.mdx,
guides/routing/provider-selection.mdx, guides/overview/multimodal/audio.mdx, guides/routing/auto-exacto.mdx (facts 5, 6, 57, 97).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset
from orpolicy.language.source import Path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
_APPLICATORS = _MAPS_OF_SCHEMAS | _LISTS_OF_SCHEMAS | _SCHEMAS


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


def check_missing_schema(preset: Preset) -> Findings:
    """Report a format by schema without the schema: a call may bring it, and fails where it does not."""
    answer = preset["response_format"]
    if answer.get("type") == "json_schema" and "json_schema" not in answer:
        message = "'response_format' names no schema: a call that does not bring one is refused"
        hint = "add 'json_schema: {name: …, schema: …}', or pass response_format when you call the preset"
        yield Finding("schema-left-to-the-call", ("response_format", "type"), message, hint)


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


def _find_flaws(schema: Any) -> list[Flaw]:
    """List what cannot be meant in a JSON Schema of any draft: wrong kinds of values, wrong type names."""
    flaws: list[Flaw] = []
    waiting: list[tuple[Path, Any]] = [((), schema)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, dict):
            kind = node.get("type")
            if kind is not None and not (isinstance(kind, str) and kind in _TYPES):
                flaws.extend(_find_wrong_types(path, kind))
            if "required" in node or "enum" in node:
                flaws.extend(_find_wrong_lists(path, node))
            for key in () if _APPLICATORS.isdisjoint(node) else node:
                if key in _APPLICATORS:
                    inner = _list_inner(path, key, node[key])
                    if inner is not None:
                        waiting.extend(inner)
                    else:
                        what = "maps names to schemas" if key in _MAPS_OF_SCHEMAS else "is a list of schemas"
                        flaws.append(((*path, key), f"'{key}' {what}", None))
        elif not isinstance(node, bool) and node is not None:
            flaws.append((path, "a schema is a mapping, or true or false", None))
    return flaws


def _is_sound_leaf(schema: Any) -> bool:
    """Tell whether a schema is a type and at most a description, as most are: there is nothing to walk into."""
    if not isinstance(schema, dict) or not schema.keys() <= _OF_LEAVES:
        return False
    kind = schema.get("type")
    return isinstance(kind, str) and kind in _TYPES


_OF_LEAVES = {"type", "description"}


def _list_inner(path: Path, key: str, value: Any) -> list[tuple[Path, Any]] | None:
    """List the schemas that stand under a keyword; ``None`` where the value is of the wrong kind."""
    if key in _MAPS_OF_SCHEMAS:
        return (
            [((*path, key, name), inner) for name, inner in value.items() if not _is_sound_leaf(inner)]
            if isinstance(value, dict)
            else None
        )
    if key in _LISTS_OF_SCHEMAS:
        whole = isinstance(value, list) and value
        return [((*path, key, index), inner) for index, inner in enumerate(value)] if whole else None
    return [] if isinstance(value, list) else [((*path, key), value)]


def _find_wrong_types(path: Path, kinds: Any) -> Iterator[Flaw]:
    for index, name in enumerate(kinds) if isinstance(kinds, list) else [(None, kinds)]:
        if not isinstance(name, str) or name not in _TYPES:
            place: Path = ("type",) if index is None else ("type", index)
            meant = _MEANT.get(str(name).lower())
            hint = f"did you mean '{meant}'?" if meant else None
            message = f"'{name}' is no type of JSON Schema; there are {', '.join(sorted(_TYPES))}"
            yield (*path, *place), message, hint


def _find_wrong_lists(path: Path, schema: Mapping[str, Any]) -> Iterator[Flaw]:
    required, properties = schema.get("required", []), schema.get("properties", {})
    if not isinstance(required, list):
        yield (*path, "required"), "'required' lists the names of properties, beside 'properties'", None
    elif schema.get("additionalProperties") is False and isinstance(properties, dict):
        for index, name in enumerate(required):
            if isinstance(name, str) and name not in properties and "patternProperties" not in schema:
                message = f"'{name}' is required, and no property of that name is allowed"
                yield (*path, "required", index), message, None
    if not isinstance(schema.get("enum", [None]), list) or schema.get("enum") == []:
        yield (*path, "enum"), "'enum' lists at least one value", None


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
    Check("schema-left-to-the-call", ("response_format",), check_missing_schema),
    Check("healing-without-json", ("plugins", "response-healing"), check_healing),
    Check("invalid-json-schema", ("response_format", "json_schema"), check_answer_schema),
    Check("invalid-tool-schema", ("tools", "function"), check_tool_schemas),
    Check("audio-without-modality", ("audio",), check_audio),
    Check("modality-without-audio", ("modalities",), check_audio_modality),
)
