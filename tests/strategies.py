"""Hypothesis strategies that walk our JSON Schemas: whatever they generate is valid, and whatever is valid they reach.

=====================  =======================================================================================
``presets()``          whole presets: one layer, nothing removed, every object complete
``layers()``           what any layer may say: removals, list edits, objects that another layer completes
``values(key)``        the value of one key of a whole preset
``policies()``         policies
``projects()``         project files
``suites()``           scenario files
=====================  =======================================================================================

Numbers that are not integers come as ``Decimal``, as the YAML reader yields them; ``to_json`` turns them into floats
for tools that know no decimals. A schema is read once and its strategies are built once, which is why this is fast
where a general ``from_schema`` is not: it knows that a choice is always made by a type or by a discriminator.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from attrs import field, frozen
from hypothesis import strategies as st

Schema = Mapping[str, Any]
Strategy = st.SearchStrategy[Any]

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"

FILE_KEYS = ("extends", "abstract", "environments")
"""Keys of a preset that speak of other files or other layers; ``presets()`` generates them on request only."""

_TEXT = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), exclude_characters="\u2028\u2029")
_EDITS = ("append", "prepend", "remove")
_WORD: st.SearchStrategy[str] = st.from_regex(r"[a-z][a-z0-9_]{0,11}", fullmatch=True).filter(
    lambda word: word not in _EDITS
)
_MOST_KEYS = 5
_MOST_ITEMS = 3


def presets(
    *, keys: Sequence[str] | None = None, environments: Sequence[str] = (), files: bool = False
) -> st.SearchStrategy[dict[str, Any]]:
    """Generate whole presets of the given keys (all but ``FILE_KEYS`` where none are given).

    A preset has a ``model`` wherever that key is among the given ones. Overlays for ``environments`` are layers. System prompts stand in the preset unless ``files`` allows a path.
    """
    walker = _walker("preset", complete=True, files=files)
    allowed = [key for key in walker.root["properties"] if key not in FILE_KEYS] if keys is None else keys
    body = walker.mapping(walker.root, only=allowed, always=[key for key in allowed if key == "model"])
    if not environments:
        return body
    overlays = st.dictionaries(
        st.sampled_from(list(environments)), layers(files=files), max_size=len(environments)
    )
    return st.builds(lambda preset, overlay: {**preset, "environments": overlay}, body, overlays)


def layers(*, keys: Sequence[str] | None = None, files: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Generate what an overlay or a base may say: any keys, removals and list edits included."""
    walker = _walker("preset", complete=False, files=files)
    overlay = walker.root["$defs"]["overlay"]
    return walker.mapping(overlay, only=list(overlay["properties"] if keys is None else keys))


def values(key: str, *, complete: bool = True) -> Strategy:
    """Generate the value of one top-level key of a preset; with ``complete=False`` as a layer may write it."""
    walker = _walker("preset", complete=complete, files=True)
    return walker.build(walker.root["properties"][key])


def policies() -> st.SearchStrategy[dict[str, Any]]:
    """Generate policies; each demands something."""
    walker = _walker("policy", complete=True, files=True)
    return walker.mapping(walker.root).filter(lambda policy: policy.keys() - {"description", "applies_to"})


def projects() -> st.SearchStrategy[dict[str, Any]]:
    """Generate project files."""
    walker = _walker("project", complete=True, files=True)
    return walker.mapping(walker.root)


def suites() -> st.SearchStrategy[dict[str, Any]]:
    """Generate scenario files."""
    walker = _walker("test", complete=True, files=True)
    return walker.mapping(walker.root)


def to_json(value: Any) -> Any:
    """Return a value with floats for decimals, as a JSON parser would have read it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, list) else value


@cache
def read_schema(kind: str) -> Schema:
    """Read one of the shipped schemas."""
    schema: Schema = json.loads((SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return schema


@cache
def _walker(kind: str, *, complete: bool, files: bool) -> Walker:
    return Walker(read_schema(kind), complete, files)


@frozen(eq=False)
class Walker:
    """Builds the strategy of any subschema of ``root``.

    ``complete`` asks for values that need no other layer: no removals, no list edits, all that
    ``x-orpolicy-required`` names. ``files`` allows a system prompt that stands in a file.
    """

    root: Schema
    complete: bool
    files: bool
    built: dict[str, Strategy] = field(factory=dict, init=False)

    def build(self, schema: Schema) -> Strategy:
        """Return the strategy of a subschema, in the order of its most telling keyword."""
        merged = self._merge(schema)
        for keyword, strategy_of in _BUILDERS.items():
            if keyword in merged:
                return strategy_of(self, merged)
        return self._typed(merged)

    def mapping(
        self, schema: Schema, *, only: Sequence[str] | None = None, always: Sequence[str] = ()
    ) -> st.SearchStrategy[dict[str, Any]]:
        """Generate mappings of a closed object's keys: what is needed and a few others in any order."""
        announced = schema.get("x-orpolicy-required", ()) if self.complete else ()
        needed = list(dict.fromkeys([*always, *schema.get("required", ()), *announced]))
        properties = schema.get("properties", {})
        optional = [key for key in (properties if only is None else only) if key not in needed]
        most = min(len(optional), _MOST_KEYS)
        least = min(most, max(0, schema.get("minProperties", 0) - len(needed)))
        strategies = {key: self.build(properties[key]) for key in [*needed, *optional]}
        chosen = (
            st.lists(st.sampled_from(optional), unique=True, min_size=least, max_size=most)
            if most
            else st.just([])
        )

        @st.composite
        def draw_mapping(draw: st.DrawFn) -> dict[str, Any]:
            return {key: draw(strategies[key]) for key in [*needed, *draw(chosen)]}

        return draw_mapping()

    def _merge(self, schema: Schema) -> Schema:
        """Join a reference's siblings with its target, unless the target may be built once for all."""
        if "$ref" not in schema:
            return schema
        rest = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
        if len(rest) == 1:
            return schema
        target = self._resolve(schema["$ref"])
        return {**self._merge(target), **{key: value for key, value in schema.items() if key != "$ref"}}

    def _resolve(self, reference: str) -> Schema:
        node: Any = self.root
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        schema: Schema = node
        return schema

    def _reference(self, schema: Schema) -> Strategy:
        """Build a definition once; deferred, because definitions may be recursive."""
        reference = schema["$ref"]
        if reference not in self.built:
            self.built[reference] = st.deferred(lambda: self.build(self._resolve(reference)))
        return self.built[reference]

    def _by_type(self, schema: Schema) -> Strategy:
        """Take either side of a choice by type, by leaving the ``if`` out and joining ``then`` or ``else``."""
        rest = {key: value for key, value in schema.items() if key not in ("if", "then", "else")}
        condition, then, otherwise = schema["if"], schema.get("then"), schema.get("else")
        sides = []
        if then is None and not self.complete:
            sides.append(self.build({**rest, **condition}))
        if then is not None and self._admits(then):
            sides.append(self._where(condition, {**rest, **then}))
        if otherwise is not None:
            sides.append(self.build({**rest, **otherwise}))
        return st.one_of(sides)

    def _where(self, condition: Schema, side: Schema) -> Strategy:
        """Build a side whose ``if`` names a type or a pattern."""
        if "pattern" not in condition:
            return self.build({**side, **condition})
        matches = re.compile(condition["pattern"]).search
        return self.build(side).filter(lambda text: matches(text) is not None)

    def _admits(self, side: Schema) -> bool:
        """Tell whether this side of a choice is wanted: list edits belong to layers, files must be allowed."""
        name = side.get("$ref", "").removeprefix("#/$defs/")
        return not (self.complete and name.startswith("edit_")) and (self.files or name != "system_file")

    def _by_discriminator(self, schema: Schema) -> Strategy:
        """Take one branch of a discriminated union; its properties hold the discriminator's value."""
        [(name, discriminator)] = schema["properties"].items()
        allowed = set(
            self._resolve(discriminator["$ref"])["enum"] if "$ref" in discriminator else discriminator["enum"]
        )
        shared = schema.get("x-orpolicy-required", ())
        strategies = []
        for condition, branch in self._branches(schema):
            absent = "not" in condition
            if (absent and self.complete) or (not absent and not _discriminators(condition, name) & allowed):
                continue
            needed = [*branch.get("required", ()), *(() if absent else (name,))]
            announced = [*shared, *branch.get("x-orpolicy-required", ())]
            strategies.append(self.mapping({**branch, "required": needed, "x-orpolicy-required": announced}))
        return self._or_null(schema, st.one_of(strategies))

    def _branches(self, schema: Schema) -> Iterator[tuple[Schema, Schema]]:
        for part in schema.get("allOf", ()):
            if "$ref" in part:
                yield from self._branches(self._resolve(part["$ref"]))
            else:
                yield part["if"], self._resolve(part["then"]["$ref"])

    def _or_null(self, schema: Schema, strategy: Strategy) -> Strategy:
        removable = "null" in schema.get("type", ()) and not self.complete
        return st.one_of(strategy, strategy, st.none()) if removable else strategy

    def _enum(self, schema: Schema) -> Strategy:
        return st.sampled_from([value for value in schema["enum"] if value is not None or not self.complete])

    def _typed(self, schema: Schema) -> Strategy:
        kinds = schema.get("type", _ANY)
        names = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
        return self._or_null(schema, st.one_of([_KINDS[name](self, schema) for name in names]))

    def _array(self, schema: Schema) -> Strategy:
        items = self.build(schema["items"]) if "items" in schema else _json(self.complete)
        most = min(schema.get("maxItems", _MOST_ITEMS), max(_MOST_ITEMS, schema.get("minItems", 0)))
        key = _freeze if schema.get("uniqueItems") else None
        return st.lists(items, min_size=schema.get("minItems", 0), max_size=most, unique_by=key)

    def _object(self, schema: Schema) -> Strategy:
        extra = schema.get("additionalProperties", True)
        if extra is False:
            return self.mapping(schema)
        names = (
            self.build({"type": "string", **schema["propertyNames"]}) if "propertyNames" in schema else _WORD
        )
        known = schema.get("properties", {})
        items = self.build(extra) if isinstance(extra, dict) else _json(self.complete)
        most = min(schema.get("maxProperties", _MOST_ITEMS), _MOST_ITEMS)
        least = 0 if known else schema.get("minProperties", 0)
        others = st.dictionaries(
            names.filter(lambda name: name not in known), items, min_size=least, max_size=most
        )
        if not known:
            return others
        return st.builds(lambda some, more: {**some, **more}, self.mapping(schema), others)


def _discriminators(condition: Schema, name: str) -> set[str]:
    choice = condition["properties"][name]
    return {choice["const"]} if "const" in choice else set(choice["enum"])


def _string(_: Walker, schema: Schema) -> Strategy:
    if schema.get("format") == "date":
        return st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31)).map(date.isoformat)
    least, most = schema.get("minLength", 0), schema.get("maxLength", 1024)
    if "pattern" not in schema:
        return st.text(_TEXT, min_size=least, max_size=min(most, 20))
    matching = st.from_regex(_bound(schema["pattern"]), fullmatch=True, alphabet=st.characters(codec="ascii"))
    fitting = matching.filter(lambda text: least <= len(text) <= most)
    examples = [text for text in schema.get("examples", ()) if isinstance(text, str)]
    return st.one_of(st.sampled_from(examples), st.sampled_from(examples), fitting) if examples else fitting


def _bound(pattern: str) -> str:
    """Shorten what a pattern repeats without end: drawing long texts takes most of the time and shows nothing."""
    return re.sub(r"(?<=[\])])([*+])", lambda found: {"*": "{0,3}", "+": "{1,3}"}[found[1]], pattern)


def _integer(_: Walker, schema: Schema) -> Strategy:
    low = schema.get("minimum")
    return st.integers(low, schema.get("maximum", 10**6 if low is None else max(low, 10**6)))


def _number(_: Walker, schema: Schema) -> Strategy:
    low = schema.get("exclusiveMinimum", schema.get("minimum", -(10**4)))
    high = schema.get("maximum", max(10**4, low))
    hundredths = st.integers(int(low * 100) + ("exclusiveMinimum" in schema), int(high * 100))
    return hundredths.map(lambda count: count // 100 if count % 100 == 0 else Decimal(count) / 100)


@cache
def _json(complete: bool) -> Strategy:  # the key of a cache
    """Free-form JSON; nulls only where a layer may remove keys."""
    leaves = st.one_of(st.booleans(), st.integers(-1000, 1000), st.text(_TEXT, max_size=8))
    leaves = leaves if complete else st.one_of(leaves, st.none())
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(_WORD, inner, max_size=2)),
        max_leaves=4,
    )


def _freeze(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


_ANY = ("string", "integer", "boolean")

_ANNOTATIONS = {
    "description",
    "title",
    "examples",
    "default",
    "deprecated",
    "$comment",
    "x-orpolicy-replacement",
    "x-orpolicy-merge",
    "x-orpolicy-items",
    "x-orpolicy-deprecated-values",
}

_BUILDERS: dict[str, Callable[[Walker, Schema], Strategy]] = {
    "$ref": Walker._reference,
    "if": Walker._by_type,
    "const": lambda _, schema: st.just(schema["const"]),
    "enum": Walker._enum,
    "allOf": Walker._by_discriminator,
}

_KINDS: dict[str, Callable[[Walker, Schema], Strategy]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": lambda *_: st.booleans(),
    "array": Walker._array,
    "object": Walker._object,
    "null": lambda *_: st.none(),
}
