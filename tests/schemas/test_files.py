"""The schema files themselves: self-contained, closed, described, annotated, in one layout, and agreeing with each other.

``ORPOLICY_UPDATE=1 pytest tests/schemas`` writes into the others what they repeat of ``preset.schema.json`` and ``policy.schema.json``,
and lays all files out.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator
from strategies import SCHEMAS, read_schema

from orpolicy.language.lower import BODY

KINDS = ("policy", "preset", "project", "test")
WIDTH = 110

ANNOTATIONS = {
    # every keyword of ours → what it may hold
    "x-orpolicy-merge": {"replace", "keyed:id", "keyed:tool"},
    "x-orpolicy-items": {"ordered", "set"},
    "x-orpolicy-required": None,
    "x-orpolicy-replacement": None,
    "x-orpolicy-deprecated-values": None,
}

OPEN = {
    # objects that take keys of any name → why
    "/$defs/json_schema": "a JSON Schema is passed on unread",
    "/$defs/provider_settings": "each provider has settings of its own",
    "/$defs/tool_image_generation/properties/parameters": "image models have settings of their own",
    "/$defs/plugin_armor/properties/classifier_context": "open in the SDK",
    "/properties/provider/properties/options": "keyed by provider",
    "/properties/image_config": "image models have settings of their own",
    "/properties/logit_bias": "keyed by token id",
    "/properties/metadata": "labels of the author's choice",
    "/properties/trace": "other keys go to the author's observability tools",
    "/properties/web_search_options/properties/user_location": "each provider has a form of its own",
    "/properties/environments": "keyed by environment",
    "/properties/rules": "keyed by rule",
    "/$defs/expectations/properties/body": "keyed by JSON pointer",
}

GLOBS = ("environment_name", "model_glob", "price", "provider_slug")
"""What scenarios repeat of policies."""

NOT_REMOVABLE = {"description", "extends", "abstract", "slug", "environments"}
"""Keys that say what a file is; they are not layered, so there is nothing for null to remove."""

Node = Mapping[str, Any]


def layout(value: Any, indent: int = 0, used: int = 0) -> str:
    """Write JSON with two spaces; what fits into one line stands on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or len(flat) + used <= WIDTH:
        return flat
    pad = " " * (indent + 2)
    heads = (
        [f"{pad}{json.dumps(key, ensure_ascii=False)}: " for key in value]
        if isinstance(value, dict)
        else [pad] * len(value)
    )
    items = value.values() if isinstance(value, dict) else value
    rows = [head + layout(item, indent + 2, len(head) + 1) for head, item in zip(heads, items, strict=True)]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(rows) + f"\n{' ' * indent}{closing}"


def subschemas(node: Any, path: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every schema below a node with its JSON pointer, conditions left out."""
    yield path, node
    for keyword in ("properties", "$defs"):
        for name, child in node.get(keyword, {}).items():
            yield from subschemas(child, f"{path}/{keyword}/{name}")
    for keyword in ("then", "else", "items", "additionalProperties", "propertyNames"):
        if isinstance(node.get(keyword), dict):
            yield from subschemas(node[keyword], f"{path}/{keyword}")
    for number, child in enumerate(node.get("allOf", ())):
        yield from subschemas(child, f"{path}/allOf/{number}")


def all_subschemas() -> Iterator[tuple[str, str, Node]]:
    for kind in KINDS:
        for path, node in subschemas(read_schema(kind)):
            yield kind, path, node


def follow(root: Node, node: Node) -> Node:
    while "$ref" in node:
        target: Any = root
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def definitions_for(node: Any, definitions: Node) -> dict[str, Any]:
    """Return the definitions that a node refers to, directly or not, sorted by name."""
    found: dict[str, Any] = {}
    waiting = list(references(node))
    while waiting:
        name = waiting.pop().removeprefix("#/$defs/").split("/")[0]
        if name not in found:
            found[name] = definitions[name]
            waiting += references(definitions[name])
    return dict(sorted(found.items()))


def repeat_preset(kind: str) -> dict[str, Any]:
    """Return a schema with everything refreshed that it repeats of the preset's."""
    preset, schema = read_schema("preset"), json.loads(json.dumps(read_schema(kind)))
    definitions = preset["$defs"]
    layered = list(definitions["overlay"]["properties"])
    if kind == "project":
        schema["properties"]["defaults"]["properties"] = {key: preset["properties"][key] for key in layered}
        schema["$defs"] = definitions_for(schema["properties"], definitions)
    if kind == "policy":
        local = schema["$defs"]
        types = definitions["tool"]["properties"]["type"]["enum"]
        local["quantization"] = definitions["quantization"]
        local["plugin_glob"]["else"]["enum"] = definitions["plugin_id"]["enum"]
        local["tool_glob"]["else"]["enum"] = [name for name in types if name != "function"]
        schema["properties"]["require"]["items"]["enum"] = layered
    if kind == "test":
        theirs = {"preset_name": definitions, **dict.fromkeys(GLOBS, read_schema("policy")["$defs"])}
        schema["$defs"] |= {name: source[name] for name, source in theirs.items()}
    return schema


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_repeats_the_preset_schema_faithfully_and_stands_in_one_layout(kind):
    path = SCHEMAS / f"{kind}.schema.json"
    wanted = layout(repeat_preset(kind)) + "\n"
    if os.environ.get("ORPOLICY_UPDATE"):
        path.write_text(wanted, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_obeys_the_meta_schema_and_both_validators_compile_it(kind):
    schema = read_schema(kind)
    Draft202012Validator.check_schema(schema)
    jsonschema_rs.Draft202012Validator(dict(schema))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://orpolicy.github.io/schemas/{kind}.schema.json"
    assert schema["title"] == f"orpolicy {kind}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_self_contained_and_defines_only_what_it_uses(kind):
    schema = read_schema(kind)
    used = set(references(schema))
    assert all(reference.startswith("#/") for reference in used)
    assert all(follow(schema, {"$ref": reference}) for reference in used)
    assert {name.split("/")[2] for name in used if name.startswith("#/$defs/")} == set(schema["$defs"])


def is_choice(node: Node) -> bool:
    """Tell a wrapper whose branches are chosen by a discriminator: the branches are closed, not the wrapper."""
    return any("if" in part or "$ref" in part for part in node.get("allOf", ())) or "$ref" in node


def test_every_object_is_closed_or_open_for_a_reason():
    unexplained = []
    reasons = set()
    for kind, path, node in all_subschemas():
        if "properties" not in node and "object" not in node.get("type", ()):
            continue
        place = path.removeprefix("/properties/defaults")
        if node.get("additionalProperties", True) is not False and not (is_choice(node) and path):
            reasons.add(place)
            if place not in OPEN:
                unexplained.append((kind, path))
    assert unexplained == []
    assert reasons == set(OPEN), "a reason is given for an object that is closed"


def test_every_branch_of_a_choice_is_closed():
    for kind, path, node in all_subschemas():
        root = read_schema(kind)
        for part in node.get("allOf", ()):
            if "$ref" in part.get("then", {}):
                assert follow(root, part["then"])["additionalProperties"] is False, (kind, path, part)


def test_every_property_is_described():
    missing = []
    for kind, path, node in all_subschemas():
        for name, child in node.get("properties", {}).items():
            text = follow(read_schema(kind), child).get("description", "")
            if not 10 <= len(text) <= 260 or not text.endswith("."):
                missing.append((kind, path, name, text))
    assert missing == []


def test_no_description_is_copied_from_the_api_description_or_the_sdk(shared):
    sources = [
        (shared / "facts" / name).read_text(encoding="utf-8") for name in ("openapi.yaml", "sdk-fields.json")
    ]
    theirs = [re.sub(r"\W+", " ", text).lower() for text in sources]
    copied = set()
    for kind, path, node in all_subschemas():
        words = re.sub(r"\W+", " ", node.get("description", "")).lower().strip()
        if len(words.split()) > 5 and any(words in text for text in theirs):
            copied.add((kind, path, node["description"]))
    assert copied == set()


def test_every_list_of_a_preset_says_how_it_merges_and_whether_its_order_counts():
    silent = []
    for path, node in subschemas(read_schema("preset")):
        if re.search(r"/edit_\w+/properties/\w+$", path) or "items" not in node:
            continue
        parent = path.removesuffix("/then").removesuffix("/else")
        owner = dict(subschemas(read_schema("preset")))[parent]
        if not {"x-orpolicy-merge", "x-orpolicy-items"} <= owner.keys():
            silent.append(path)
    assert silent == []


def layered_lists(node: Node, root: Node, path: str) -> Iterator[tuple[str, Node]]:
    """Yield the lists that a layer can reach without passing through a list's item."""
    node = follow(root, node)
    if "x-orpolicy-merge" in node and ("items" in node or "if" in node):
        yield path, node
        return
    for name, child in node.get("properties", {}).items():
        yield from layered_lists(child, root, f"{path}.{name}")
    for child in (*node.get("allOf", ()), node):
        for keyword in ("then", "else"):
            if keyword in child:
                yield from layered_lists(child[keyword], root, path)


def test_every_list_that_a_layer_sets_may_be_edited():
    root = read_schema("preset")
    lists = dict(layered_lists(root["$defs"]["overlay"], root, ""))
    assert {".provider.order", ".plugins", ".x_search_filter.allowed_x_handles", ".stop"} <= lists.keys()
    for path, node in lists.items():
        assert node.get("then", {}).get("$ref", "").startswith("#/$defs/edit_"), path
        assert node["if"] == {"type": "object"}, path


def test_our_keywords_are_spelled_as_documented_and_hold_what_they_may():
    for kind, path, node in all_subschemas():
        for keyword, value in node.items():
            if keyword.startswith("x-"):
                allowed = ANNOTATIONS[keyword]
                assert allowed is None or value in allowed, (kind, path, keyword, value)
                assert keyword in read_schema("preset")["$comment"], keyword
        required = node.get("x-orpolicy-required", ())
        assert set(required) <= follow(read_schema(kind), node).get("properties", {}).keys(), (kind, path)


def test_what_is_deprecated_names_its_replacement_and_nothing_else_does():
    for kind, path, node in all_subschemas():
        assert ("deprecated" in node) == ("x-orpolicy-replacement" in node), (kind, path)
        known = follow(read_schema(kind), node).get("enum", ())
        assert set(node.get("x-orpolicy-deprecated-values", ())) <= set(known), (kind, path)


def test_max_tokens_is_not_deprecated():
    assert "deprecated" not in read_schema("preset")["properties"]["max_tokens"]


def test_every_pattern_is_anchored_has_a_title_and_means_the_same_in_every_engine():
    for kind, path, node in all_subschemas():
        if "pattern" in node:
            assert re.fullmatch(r"\^.*\$", node["pattern"]), (kind, path)
            assert not re.search(r"\\[dwsbDWSB]|\(\?", node["pattern"]), (kind, path)
            assert node["title"][0].islower() or node["title"].startswith("an "), (kind, path)


def test_an_overlay_has_every_key_of_a_preset_except_those_that_say_what_the_file_is():
    preset = read_schema("preset")
    overlay = preset["$defs"]["overlay"]["properties"]
    assert list(overlay) == [key for key in preset["properties"] if key not in NOT_REMOVABLE]
    assert all(node == {"$ref": f"#/properties/{key}"} for key, node in overlay.items())


def test_call_time_keys_are_no_keys_of_a_preset():
    assert not {"messages", "prompt", "input", "stream"} & read_schema("preset")["properties"].keys()


def test_the_order_of_keys_is_the_order_in_which_a_body_is_written():
    written = list(BODY)
    assert [key for key in read_schema("preset")["properties"] if key in written] == written


def removable_properties(node: Node, root: Node, path: str) -> Iterator[tuple[str, Node]]:
    """Yield the properties that a layer can reach, discriminators and list items left out."""
    node = follow(root, node)
    if "x-orpolicy-merge" in node:
        return
    discriminator = next(iter(node["properties"])) if "allOf" in node else None
    for name, child in node.get("properties", {}).items():
        if name != discriminator and "const" not in follow(root, child):
            yield f"{path}.{name}", child
            yield from removable_properties(child, root, f"{path}.{name}")
    for part in (*node.get("allOf", ()), node):
        for keyword in ("then", "else"):
            if "$ref" in part.get(keyword, {}):
                yield from removable_properties(part[keyword], root, path)


def test_null_may_stand_wherever_a_layer_can_remove_a_key():
    root = read_schema("preset")
    found = dict(removable_properties(root["$defs"]["overlay"], root, ""))
    assert {
        ".provider.max_price.prompt",
        ".response_format.json_schema.name",
        ".reasoning.effort",
    } <= found.keys()
    kept = {
        ".tool_choice.type",
        ".system.file",
    }  # the type chooses the branch; a system file is replaced as a whole
    validator = Draft202012Validator(root)
    for path, node in found.items():
        assert validator.evolve(schema=node).is_valid(None) != (path in kept), path


@pytest.mark.parametrize("key", sorted(NOT_REMOVABLE))
def test_null_says_nothing_about_what_a_file_is(key):
    assert not jsonschema_rs.Draft202012Validator(dict(read_schema("preset"))).is_valid({key: None})
