"""What a schema rejects, in words: every violation at the key or value that the author has to touch.

jsonschema finds the violations; here they become findings, one a mistake, with the nearest right spelling or level.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.repairs import suggest_choice, suggest_value
from orpolicy.language.suggest import KeyIndex, explain_unknown_key, find_similar
from orpolicy.language.validators import load_schema, precise_validator, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orpolicy.language.source import Path

_KINDS: dict[str, str] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


@cache
def _key_index(kind: str) -> KeyIndex:
    return KeyIndex.build(load_schema(kind), resolve)


def explain(kind: str, data: Any) -> Iterator[Finding]:
    """Yield a finding for every violation of the schema of a kind."""
    for error in precise_validator(kind).iter_errors(data):
        yield from _explain_error(kind, error)


def _explain_error(kind: str, error: Any) -> Iterator[Finding]:
    path: Path = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        hint = suggest_value(error.instance, [error.validator], error.schema, path) or error.schema.get(
            "title"
        )
        yield Finding("bad-value", (*path, error.instance), _say_bad_name(error), hint, anchor="key")
        return
    yield from _EXPLAIN[error.validator](kind, path, error)


def _say_bad_name(error: Any) -> str:
    if error.validator == "maxLength":
        return (
            f"the key is {len(error.instance)} characters long, at most {error.validator_value} are allowed"
        )
    return f"{_show(error.instance)} is not a valid key here"


def _explain_unknown_keys(kind: str, path: Path, error: Any) -> Iterator[Finding]:
    allowed = error.schema.get("properties", {})
    if tuple(allowed) == ("append", "prepend", "remove") and not allowed.keys() & error.instance.keys():
        message = f"{_name(path)} must be a list, not a mapping"
        yield Finding("wrong-type", path, message, suggest_value(error.instance, ["array"], {}, path))
        return
    for key in error.instance:
        if key not in allowed:
            yield explain_unknown_key(path, key, tuple(allowed), _key_index(kind))


def _explain_type(kind: str, path: Path, error: Any) -> Iterator[Finding]:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    wanted = [name for name in wanted if name != "null"]
    value = error.instance
    if wanted == ["integer"] and isinstance(value, Decimal) and value == value.to_integral_value():
        hint = f"write {int(value)}"
        yield Finding(
            "integer-as-decimal", path, f"{_name(path)} is a whole number written as a decimal", hint
        )
        return
    expected = " or ".join(_KINDS[name] for name in wanted)
    message = f"{_name(path)} must be {expected}, not {describe(value)}"
    hint = suggest_value(
        value, wanted, _look_inside(load_schema(kind), error.schema), path
    ) or error.schema.get("title")
    yield Finding("wrong-type", path, message, hint)


def _look_inside(root: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Resolve a schema's properties, its items, and their properties."""
    schema = resolve(root, schema)
    properties = {key: resolve(root, child) for key, child in schema.get("properties", {}).items()}
    items = {"items": _look_inside(root, schema["items"])} if "items" in schema else {}
    return {**schema, "properties": properties, **items}


def _explain_enum(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    choices = error.validator_value if error.validator == "enum" else [error.validator_value]
    choices = [choice for choice in choices if choice is not None]
    shown = ", ".join(_show(choice) for choice in choices[:12]) + (", …" if len(choices) > 12 else "")
    message = f"{_show(error.instance)} is not a value of {_name(path)}; one of {shown} is expected"
    if len(choices) == 1:
        message = f"{_show(error.instance)} is not a value of {_name(path)}; {shown} is expected"
    yield Finding("bad-value", path, message, suggest_choice(error.instance, choices, path))


def _explain_pattern(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    wanted = ["number", "pattern"] if "number" in error.schema.get("type", ()) else ["pattern"]
    hint = suggest_value(error.instance, wanted, error.schema, path) or error.schema.get("title")
    yield Finding("bad-value", path, f"{_name(path)} cannot be {_show(error.instance)}", hint)


def _explain_required(kind: str, path: Path, error: Any) -> Iterator[Finding]:
    """Report a missing key, or the key that was meant to be it.

    A discriminator that is misspelled leaves no branch to say so, and may have its value all the same.
    """
    properties = _look_inside(load_schema(kind), error.schema)["properties"]
    strangers = {key: value for key, value in error.instance.items() if key not in properties}
    for key in error.validator_value:
        if key in error.instance:
            continue
        choices = properties.get(key, {}).get("enum", ())
        named = next(
            (name for name, value in strangers.items() if isinstance(value, str) and value in choices), None
        )
        slip = named or find_similar(key, strangers, partial=False)
        if slip is not None:
            meant = f"did you mean '{key}'?"
            yield Finding("unknown-key", (*path, slip), f"unknown key '{slip}'", meant, anchor="key")
            continue
        value = next((name for name in error.instance if name in choices), None)
        hint = f"write '{key}: {value}'" if value else None
        yield Finding("missing-key", (*path, key), f"{_name(path)} needs the key '{key}'", hint)


def _explain_bound(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    say, past = _BOUNDS[error.validator]
    limit, value = error.validator_value, error.instance
    message = f"{_name(path)} must {say.format(limit=limit)}"
    if error.validator.startswith("min") and limit == 1 and isinstance(value, str | list | dict):
        message = f"{_name(path)} must not be empty"
    elif error.validator == "minProperties" and not path:
        message = "the file demands nothing yet"
    elif isinstance(value, int | Decimal):
        message += f", not {value}"
    elif isinstance(value, str):
        message += f", not {len(value)}"
    if past and isinstance(value, list | dict):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        anchor = "key" if isinstance(value, dict) else "value"
        yield Finding(
            "out-of-range", (*path, keys[int(limit)]), f"{message}, not {len(value)}", anchor=anchor
        )
    else:
        yield Finding("out-of-range", path, message)


def _explain_duplicates(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    seen = set()
    for index, item in enumerate(error.instance):
        if isinstance(item, str) and item in seen:
            yield Finding("bad-value", (*path, index), f"{_show(item)} stands in {_name(path)} twice")
        elif isinstance(item, str):
            seen.add(item)


_BOUNDS: dict[str, tuple[str, bool]] = {
    # keyword: what it says, whether to point at the first item past the limit
    "minimum": ("be at least {limit}", False),
    "maximum": ("be at most {limit}", False),
    "exclusiveMinimum": ("be more than {limit}", False),
    "exclusiveMaximum": ("be less than {limit}", False),
    "multipleOf": ("be a multiple of {limit}", False),
    "minLength": ("be at least {limit} characters long", False),
    "maxLength": ("be at most {limit} characters long", False),
    "minItems": ("have at least {limit} entries", False),
    "maxItems": ("have at most {limit} entries", True),
    "minProperties": ("have at least {limit} keys", False),
    "maxProperties": ("have at most {limit} keys", True),
}

_EXPLAIN: dict[str, Callable[[str, Path, Any], Iterator[Finding]]] = {
    "additionalProperties": _explain_unknown_keys,
    "unevaluatedProperties": _explain_unknown_keys,
    "type": _explain_type,
    "enum": _explain_enum,
    "const": _explain_enum,
    "pattern": _explain_pattern,
    "format": _explain_pattern,
    "required": _explain_required,
    "uniqueItems": _explain_duplicates,
    **dict.fromkeys(_BOUNDS, _explain_bound),
}


def _name(path: Path) -> str:
    """Name a place as an author would: the last key, and the number of an item."""
    if not path:
        return "the file"
    if isinstance(path[-1], int):
        keys = [part for part in path if isinstance(part, str)]
        return f"entry {path[-1] + 1} of '{keys[-1]}'" if keys else f"entry {path[-1] + 1}"
    return f"'{path[-1]}'"


def _show(value: Any) -> str:
    if isinstance(value, str):
        shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in value[:60])
        return f"'{shown}'" if len(value) <= 60 else f"'{shown[:57]}…'"
    if isinstance(value, list | dict):
        return describe(value)
    return (
        {True: "true", False: "false", None: "null"}[value]
        if isinstance(value, bool) or value is None
        else str(value)
    )


def describe(value: Any) -> str:
    """Say what kind of value this is, and which, where that is short."""
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return f"the number {value}"
        case _:
            return f"the text {_show(value)}"
