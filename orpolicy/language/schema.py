"""The shape of a document: accept fast, reject precisely.

jsonschema-rs answers yes in microseconds, and most documents are right. Only when it says no does jsonschema look again
and yield every violation, which is put into words here: one finding a mistake, at the key or value that the author has
to touch, with the nearest right spelling or the right level. A property test keeps the two validators in agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.merge import Strategies
from orpolicy.language.source import Path
from orpolicy.language.suggest import KeyIndex, explain_unknown_key, find_similar, suggest_value
from orpolicy.resources import read_schema

_KINDS: dict[str, str] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def check_shape(kind: str, data: Any, *, strict_integers: bool = False) -> list[Finding]:
    """Compare data with the schema of their kind: ``preset``, ``policy``, ``project``, ``composed``.

    ``strict_integers`` looks closer at a valid document that writes a whole number with a fraction (``1000.0``).
    """
    if _fast_validator(kind).is_valid(data) and not strict_integers:
        return []
    return _one_a_mistake(_explain(kind, data))


@cache
def merge_strategies() -> Strategies:
    """Read off the preset schema where lists stand and how they merge."""
    root = _schema("preset")
    keys = (key for key in root["properties"] if key not in ("environments", "extends"))
    return {path: strategy for key in keys for path, strategy in _find_strategies(root, root["properties"][key], (key,))}


def resolve(root: Mapping[str, Any], node: Any) -> Any:
    """Follow a schema's local references until there is none."""
    while isinstance(node, Mapping) and "$ref" in node:
        target: Any = root
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


@cache
def _schema(kind: str) -> dict[str, Any]:
    """Return the schema of a kind of file; ``composed`` is that of a preset after composition.

    A layer may leave out what another one says; a composed preset may not, so that what the preset schema only
    announces (``x-orpolicy-required``) is required there.
    """
    if kind != "composed":
        return read_schema(kind)
    composed: dict[str, Any] = _require(read_schema("preset"))
    return composed


def _require(node: Any) -> Any:
    if isinstance(node, list):
        return [_require(item) for item in node]
    if not isinstance(node, dict):
        return node
    required = node.get("x-orpolicy-required", [])
    node = {key: _require(value) for key, value in node.items()}
    return {**node, "required": [*node.get("required", []), *required]} if isinstance(required, list) and required else node


@cache
def _fast_validator(kind: str) -> Any:
    import jsonschema_rs  # noqa: PLC0415  # 13 ms, and not every command validates

    return jsonschema_rs.Draft202012Validator(_schema(kind))


@cache
def _precise_validator(kind: str) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # slow to import, and needed on rejection only

    return Draft202012Validator(_schema(kind))


@cache
def _key_index(kind: str) -> KeyIndex:
    return KeyIndex.build(_schema(kind), resolve)


def _find_strategies(root: Mapping[str, Any], node: Any, path: Path) -> Iterator[tuple[Path, str]]:
    node = resolve(root, node)
    if "x-orpolicy-merge" in node:
        yield path, node["x-orpolicy-merge"]
        return
    for key, child in node.get("properties", {}).items():
        yield from _find_strategies(root, child, (*path, key))
    for branch in (*node.get("allOf", ()), *(node[word] for word in ("then", "else") if word in node)):
        yield from _find_strategies(root, branch, path)


def _explain(kind: str, data: Any) -> Iterator[Finding]:
    for error in _precise_validator(kind).iter_errors(data):
        yield from _explain_error(kind, error)


def _explain_error(kind: str, error: Any) -> Iterator[Finding]:
    path: Path = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        yield Finding("bad-value", (*path, error.instance), _say_bad_name(error), anchor="key")
        return
    explain = _EXPLAIN.get(error.validator)
    if explain is not None:
        yield from explain(kind, path, error)
    elif error.context:
        closest = max(error.context, key=lambda inner: len(inner.absolute_path))
        yield from _explain_error(kind, closest)
    else:
        yield Finding("bad-value", path, f"{_name(path)} has a value that is not allowed here")


def _say_bad_name(error: Any) -> str:
    if error.validator == "maxLength":
        return f"the key is {len(error.instance)} characters long, at most {error.validator_value} are allowed"
    return f"'{error.instance}' is not a valid key here"


def _explain_unknown_keys(kind: str, path: Path, error: Any) -> Iterator[Finding]:
    allowed = error.schema.get("properties", {})
    if tuple(allowed) == ("append", "prepend", "remove") and not allowed.keys() & error.instance.keys():
        yield Finding("wrong-type", path, f"{_name(path)} must be a list, not a mapping")
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
        yield Finding("integer-as-decimal", path, f"{_name(path)} is a whole number written as a decimal", hint)
        return
    expected = " or ".join(_KINDS[name] for name in wanted)
    message = f"{_name(path)} must be {expected}, not {describe(value)}"
    root = _schema(kind)
    properties = {key: resolve(root, child) for key, child in error.schema.get("properties", {}).items()}
    hint = suggest_value(value, wanted, {**error.schema, "properties": properties}, path)
    yield Finding("wrong-type", path, message, hint)


def _explain_enum(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    choices = error.validator_value if error.validator == "enum" else [error.validator_value]
    choices = [choice for choice in choices if choice is not None]
    shown = ", ".join(_show(choice) for choice in choices[:8]) + (", …" if len(choices) > 8 else "")
    message = f"{_show(error.instance)} is not a value of {_name(path)}; one of {shown} is expected"
    if len(choices) == 1:
        message = f"{_show(error.instance)} is not a value of {_name(path)}; {shown} is expected"
    similar = find_similar(error.instance, [choice for choice in choices if isinstance(choice, str)], cutoff=0.7)
    hint = f"did you mean '{similar}'?" if similar else suggest_value(error.instance, ["string"], error.schema, path)
    yield Finding("bad-value", path, message, hint)


def _explain_pattern(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    hint = suggest_value(error.instance, ["pattern"], error.schema, path) or _first_sentence(error.schema)
    yield Finding("bad-value", path, f"{_name(path)} cannot be {_show(error.instance)}", hint)


def _first_sentence(schema: Mapping[str, Any]) -> str | None:
    description = schema.get("description")
    return description.split(". ")[0].rstrip(".") if description else None


def _explain_required(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    missing = [key for key in error.validator_value if key not in error.instance]
    for key in missing:
        yield Finding("missing-key", (*path, key), f"{_name(path)} needs the key '{key}'")


def _explain_bound(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    say, past = _BOUNDS[error.validator]
    limit, value = error.validator_value, error.instance
    message = f"{_name(path)} must {say.format(limit=limit)}"
    if isinstance(value, int | Decimal):
        message += f", not {value}"
    elif isinstance(value, str):
        message += f", not {len(value)}"
    if past and isinstance(value, list | dict):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        anchor = "key" if isinstance(value, dict) else "value"
        yield Finding("out-of-range", (*path, keys[int(limit)]), f"{message}, not {len(value)}", anchor=anchor)
    else:
        yield Finding("out-of-range", path, message)


def _explain_duplicates(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    items = error.instance
    for index, item in enumerate(items):
        if item in items[:index]:
            yield Finding("bad-value", (*path, index), f"{_show(item)} stands in {_name(path)} twice")


def _explain_forbidden(_kind: str, path: Path, error: Any) -> Iterator[Finding]:
    hint = suggest_value(error.instance, ["pattern"], error.schema, path) or _first_sentence(error.schema)
    yield Finding("bad-value", path, f"{_name(path)} has a value that is not allowed", hint)


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
    "not": _explain_forbidden,
    **dict.fromkeys(_BOUNDS, _explain_bound),
}

_PRECEDENCE = ("call-time-key", "misplaced-key", "unknown-key", "bad-value", "wrong-type", "out-of-range")


def _one_a_mistake(found: Iterator[Finding]) -> list[Finding]:
    """Keep one finding for each place, and none that only follows from another.

    Several keys that stand one level too high are one mistake, and the key that they should stand in is not missing
    besides. What is wrong inside a value that should not be there at all is not said.
    """
    best: dict[tuple[Path, str], Finding] = {}
    for finding in found:
        place = (finding.path, finding.anchor)
        if place not in best or _rank(finding) < _rank(best[place]):
            best[place] = finding
    findings = _join_misplaced(list(best.values()))
    keys = {finding.path for finding in findings if finding.anchor == "key"}
    return [
        finding
        for finding in findings
        if not any(finding.path[:depth] in keys for depth in range(len(finding.path)))
        and not (finding.anchor == "value" and finding.path in keys)
    ]


def _rank(finding: Finding) -> int:
    return _PRECEDENCE.index(finding.code) if finding.code in _PRECEDENCE else len(_PRECEDENCE)


def _join_misplaced(findings: list[Finding]) -> list[Finding]:
    groups: dict[tuple[Path, str | None], list[Finding]] = {}
    for finding in findings:
        if finding.code == "misplaced-key":
            groups.setdefault((finding.path[:-1], finding.hint), []).append(finding)
    joined: list[Finding] = []
    for group in groups.values():
        first = group[0]
        if len(group) > 1:
            names = [f"'{finding.path[-1]}'" for finding in group]
            message = f"{', '.join(names[:-1])} and {names[-1]} stand at the wrong level"
            first = Finding(first.code, first.path, message, first.hint, first.anchor)
        joined.append(first)
    kept = [
        finding
        for finding in findings
        if finding.code != "misplaced-key"
        and not (finding.code == "missing-key" and _is_destination(finding, groups))
    ]
    return joined + kept


def _is_destination(missing: Finding, groups: Mapping[tuple[Path, str | None], list[Finding]]) -> bool:
    return any(
        parent == missing.path[:-1] and hint is not None and hint.endswith(f"{missing.path[-1]}'")
        for parent, hint in groups
    )


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
        return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}…'"
    if isinstance(value, list | dict):
        return describe(value)
    return {True: "true", False: "false", None: "null"}[value] if isinstance(value, bool) or value is None else str(value)


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
