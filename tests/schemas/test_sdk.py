"""The preset schema against the official SDK: the same keys, kinds, values and requirements, or a reason why not.

Both sides are written as facts, one a line, and the two sets are compared:

.. code-block:: text

    .provider.sort is string            a kind of value at a place
    .provider.sort =price               a value of a closed set
    .provider.sort.by                   a key of an object
    .provider.trace is open             an object that takes other keys
    .plugins[][id=web].id needed        a key that must be there; [] is a list's item, [id=web] a branch of a union
"""

from __future__ import annotations

import datetime as dt
import typing
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel
from strategies import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

components = pytest.importorskip("openrouter.components", reason="the official SDK is not installed")

OURS: dict[str, str] = {
    # what stands in the schema and not in the SDK, a subtree or a single fact → why
    ".description": "orpolicy's own key",
    ".extends": "orpolicy's own key",
    ".abstract": "orpolicy's own key",
    ".slug": "orpolicy's own key",
    ".system": "orpolicy's own key, sent as the first message",
    ".region": "orpolicy's own key, sent as the base URL",
    ".max_cost": "orpolicy's own key, enforced before sending",
    ".attribution": "orpolicy's own key, sent as headers",
    ".anthropic_beta": "orpolicy's own key, sent as a header",
    ".environments": "orpolicy's own key",
    ".cache_enabled": "a field of hosted presets (guides/features/response-caching.mdx), a header otherwise",
    ".cache_ttl_seconds": "a field of hosted presets (guides/features/response-caching.mdx), a header otherwise",
    ".preset": "documented in guides/features/presets.mdx (fact 84)",
    ".route": "in the API description, hidden from the SDK (fact 18)",
    ".speed": "documented in guides/features/service-tiers.mdx",
    ".verbosity": "documented in api_reference/parameters.mdx (fact 130)",
    ".structured_outputs": "documented in api_reference/parameters.mdx",
    ".include_reasoning": "documented in api_reference/parameters.mdx, deprecated",
    ".thinking": "named in cookbook/evaluate-and-optimize/model-migrations/opus-5.mdx, for the Messages API",
    ".web_search_options": "documented in guides/features/plugins/web-search.mdx",
    ".x_search_filter": "documented in guides/features/plugins/web-search.mdx",
    ".max_tool_calls": "documented in guides/features/server-tools.mdx (fact 103)",
    ".audio": "documented in guides/overview/multimodal/audio.mdx",
    ".usage": "documented in cookbook/administration/usage-accounting.mdx, deprecated",
    ".transforms": "older name of the context-compression plugin",
    ".reasoning.max_tokens": "documented in guides/best-practices/reasoning-tokens.mdx (fact 128)",
    ".reasoning.exclude": "documented in guides/best-practices/reasoning-tokens.mdx (fact 128)",
    ".reasoning.enabled": "documented in guides/best-practices/reasoning-tokens.mdx (fact 128)",
    ".provider.max_price.prompt is number": "the guide writes numbers; a body always holds strings (fact 26)",
    ".provider.max_price.completion is number": "as for prompt",
    ".provider.max_price.request is number": "as for prompt",
    ".provider.max_price.image is number": "as for prompt",
    ".provider.max_price.audio is number": "as for prompt",
    ".provider.options is open": "the SDK lists the providers of its day",
    ".provider.options{}": "the SDK lists the providers of its day",
    ".prompt_cache_options.ttl =30m": "the SDK names the two values in prose and types any text",
    ".prompt_cache_options.ttl =12h": "as for 30m",
    ".tool_choice[type=*].type =": "a closed set here, so that a typo is an error",
    ".tools[][type=openrouter:image_generation].parameters{}": "the API description names the kinds of value",
    ".tools[][type=openrouter:advisor].parameters.max_tool_calls": "documented in guides/features/server-tools.mdx (fact 106)",
    ".tools[][type=openrouter:bash].parameters.sleep_after_seconds": "in the API description, gone from the SDK",
}

THEIRS: dict[str, str] = {
    # what stands in the SDK and not in the schema, a subtree or a single fact → why
    ".messages": "belongs to the call",
    ".stream": "belongs to the call",
    ".provider.order[] =": "display names; a slug is wanted, and a rule reports them",
    ".provider.only[] =": "as for order",
    ".provider.ignore[] =": "as for order",
    ".provider.options": "the SDK lists the providers of its day",
    ".response_format[type=json_schema].json_schema needed": "a caller may bring it; a rule warns where nobody does",
    ".prompt_cache_options.ttl is string": "the SDK names the two values in prose and types any text",
    ".tool_choice[type=*].type is string": "a closed set here, so that a typo is an error",
    ".tools[][type=*]": "any tool type whatsoever, which would hide a typo",
    ".tools[][type=openrouter:subagent].parameters.inherit_functions": "the chat API answers 400 (fact 104)",
    ".tools[][type=openrouter:subagent].parameters.inherited_function_names": "the chat API answers 400 (fact 104)",
}

BEYOND: dict[str, str] = {
    # where the comparison ends on both sides → why
    ".messages": "belongs to the call",
    ".plugins[][id=fusion].tools[]": "loosely typed in the SDK; the branches of tools here",
    ".tools[][type=openrouter:fusion].parameters.tools[]": "loosely typed in the SDK; the branches of tools here",
    ".tools[][type=openrouter:subagent].parameters.tools[]": "loosely typed in the SDK; the branches of tools here",
}

KINDS = {str: "string", int: "integer", float: "number", bool: "boolean", dt.date: "string"}
PARTS_OF_A_TAG = 4


def covers(entry: str, fact: str) -> bool:
    """Tell whether an entry of a table is this fact, or a place at or above it."""
    return fact == entry or (fact.startswith(entry) and (entry.endswith("=") or fact[len(entry)] in ".[{ "))


def write_tag(name: str, values: list[str]) -> str:
    return f"[{name}={'|'.join(values) if 0 < len(values) <= PARTS_OF_A_TAG else '*'}]"


# -- the SDK's side


def members(annotation: Any) -> Iterator[Any]:
    """Take unions, aliases and optional wrappers apart; null, which every key of a layer may be, is left out."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if hasattr(annotation, "__value__") and origin is None:
        yield from members(annotation.__value__)
    elif origin is typing.Annotated:
        yield from members(arguments[0])
    elif origin is typing.Union or hasattr(origin, "__value__"):
        for argument in arguments:
            yield from members(argument)
    elif annotation is not type(None) and getattr(annotation, "__name__", "") != "UnrecognizedStr":
        yield annotation


def facts_of_annotation(annotation: Any, path: str) -> Iterator[str]:
    if path in BEYOND:
        return
    parts = list(members(annotation))
    models = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
    for part in parts:
        origin, arguments = typing.get_origin(part), typing.get_args(part)
        if part in models:
            yield f"{path} is object"
            yield from facts_of_model(part, path + (tag_of_model(part) if len(models) > 1 else ""))
        elif origin is typing.Literal:
            yield from (f"{path} ={value}" for value in arguments)
        elif origin is list:
            yield f"{path} is array"
            yield from facts_of_annotation(arguments[0], f"{path}[]")
        elif origin is dict:
            yield from (f"{path} is object", f"{path} is open")
            yield from facts_of_annotation(arguments[1], f"{path}{{}}")
        elif part is not Any:
            yield f"{path} is {KINDS[part]}"


def tag_of_model(model: type[BaseModel]) -> str:
    name = "id" if "id" in model.model_fields else "type"
    values = [
        value for part in members(model.model_fields[name].annotation) for value in typing.get_args(part)
    ]
    return write_tag(name, values)


def facts_of_model(model: type[BaseModel], path: str) -> Iterator[str]:
    if model.model_config.get("extra") == "allow":
        yield f"{path} is open"
    for name, info in model.model_fields.items():
        place = f"{path}.{info.alias or name}"
        yield place
        if info.is_required():
            yield f"{place} needed"
        yield from facts_of_annotation(info.annotation, place)


# -- the schema's side


def resolve(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Join a reference's target with what stands beside it."""
    while "$ref" in node:
        target: Any = read_schema("preset")
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def facts_of_schema(node: Mapping[str, Any], path: str) -> Iterator[str]:
    if path in BEYOND:
        return
    node = resolve(node)
    if "if" in node:
        yield from facts_of_choice(node, path)
        return
    if "const" in node or "enum" in node:
        values = [node["const"]] if "const" in node else node["enum"]
        yield from (f"{path} ={value}" for value in values if value is not None)
        return
    kinds = [node["type"]] if isinstance(node.get("type"), str) else node.get("type", ["object"])
    yield from (f"{path} is {kind}" for kind in kinds if kind != "null")
    if "items" in node:
        yield from facts_of_schema(node["items"], f"{path}[]")
    branches = list(branches_of(node))
    for tag, branch in branches:
        yield from facts_of_object(branch, path + tag)
    if "object" in kinds and not branches:
        yield from facts_of_object(node, path)


def facts_of_choice(node: Mapping[str, Any], path: str) -> Iterator[str]:
    """Take both sides of a choice by type, but not list edits, which are orpolicy's own."""
    rest = {key: value for key, value in node.items() if key not in ("if", "then", "else")}
    then, otherwise = node.get("then", {}), node.get("else", {})
    if then and not then.get("$ref", "").startswith("#/$defs/edit_"):
        yield from facts_of_schema({**rest, **node["if"], **then}, path)
    if otherwise:
        yield from facts_of_schema({**rest, **otherwise}, path)


def branches_of(node: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for part in node.get("allOf", ()):
        if "$ref" in part:
            yield from branches_of(resolve(part))
        elif "required" in part["if"]:
            [(name, choice)] = part["if"]["properties"].items()
            values = [choice["const"]] if "const" in choice else choice["enum"]
            shared = {key: node[key] for key in ("x-orpolicy-required",) if key in node}
            yield write_tag(name, values), {"shared": shared, **resolve(part["then"])}


def facts_of_object(node: Mapping[str, Any], path: str) -> Iterator[str]:
    extra = node.get("additionalProperties", False)
    needed = {*node.get("required", ()), *node.get("x-orpolicy-required", ())}
    needed |= set(node.get("shared", {}).get("x-orpolicy-required", ()))
    for key, child in node.get("properties", {}).items():
        yield f"{path}.{key}"
        if key in needed:
            yield f"{path}.{key} needed"
        yield from facts_of_schema(child, f"{path}.{key}")
    if extra is not False:
        yield f"{path} is open"
    if isinstance(extra, dict):
        yield from facts_of_schema(extra, f"{path}{{}}")


# -- the comparison


@pytest.fixture(scope="module")
def theirs() -> set[str]:
    return set(facts_of_model(components.ChatRequest, ""))


@pytest.fixture(scope="module")
def ours() -> set[str]:
    root = read_schema("preset")
    properties = {key: node for key, node in root["properties"].items() if key != "environments"}
    facts = set(facts_of_object({"properties": properties}, ""))
    return facts | {".environments"}


def test_the_schema_says_nothing_that_the_sdk_does_not_unless_there_is_a_reason(ours, theirs):
    unexplained = [fact for fact in ours - theirs if not any(covers(entry, fact) for entry in OURS)]
    assert sorted(unexplained) == []


def test_the_sdk_says_nothing_that_the_schema_does_not_unless_there_is_a_reason(ours, theirs):
    unexplained = [fact for fact in theirs - ours if not any(covers(entry, fact) for entry in THEIRS)]
    assert sorted(unexplained) == []


@pytest.mark.parametrize("entry", OURS)
def test_an_exception_of_the_schema_still_applies(entry, ours, theirs):
    assert any(covers(entry, fact) for fact in ours - theirs), (
        f"{entry} is no exception any more: {OURS[entry]}"
    )


@pytest.mark.parametrize("entry", THEIRS)
def test_an_exception_of_the_sdk_still_applies(entry, ours, theirs):
    assert any(covers(entry, fact) for fact in theirs - ours), (
        f"{entry} is no exception any more: {THEIRS[entry]}"
    )


def test_the_comparison_reaches_every_depth(ours, theirs):
    common = ours & theirs
    assert ".provider.preferred_max_latency.p99 is number" in common
    assert ".plugins[][id=armor].classifier_context.auto_mode.soft_deny[].instructions needed" in common
    assert ".tools[][type=function].function.name needed" in common
    assert ".response_format[type=json_schema].json_schema.schema is open" in common
    assert len(common) > 500


def test_a_missing_key_and_a_missing_value_would_be_noticed(ours, theirs):
    for fact in (
        ".seed",
        ".provider.sort =exacto",
        ".plugins[][id=web].engine =exa",
        ".prediction.type needed",
    ):
        assert fact in theirs & ours
