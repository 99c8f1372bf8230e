"""The shape of documents: two validators that agree, and one finding a mistake, at the place to correct."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from mutations import mutations
from strategies import layers, policies, presets, projects, suites

from orpolicy.language import violations as rejections
from orpolicy.language.rules import RULES
from orpolicy.language.schema import check_shape, merge_strategies
from orpolicy.language.validators import fast_validator, load_schema, precise_validator, resolve
from orpolicy.language.violations import describe

if TYPE_CHECKING:
    from orpolicy.language.source import Path

DOCUMENTS = {
    "preset": layers(),
    "composed": presets(),
    "policy": policies(),
    "project": projects(),
    "test": suites(),
}


def has_whole_decimal(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_whole_decimal(item) for item in value.values())
    if isinstance(value, list):
        return any(has_whole_decimal(item) for item in value)
    return isinstance(value, Decimal) and value == value.to_integral_value()


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_two_validators_agree(kind: str) -> None:
    @settings(max_examples=100)
    @given(document=mutations(DOCUMENTS[kind], most=1))
    def agree(document: Any) -> None:
        accepted = fast_validator(kind).is_valid(document)
        violations = list(precise_validator(kind).iter_errors(document))
        if not has_whole_decimal(document):  # jsonschema does not know that 1000.0 is an integer
            assert accepted == (not violations)
        elif not accepted:
            assert violations

    agree()


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_what_is_right_has_no_finding(kind: str) -> None:
    @settings(max_examples=25)
    @given(document=DOCUMENTS[kind])
    def pass_by(document: Any) -> None:
        assert check_shape(kind, document) == []

    pass_by()


def exists(document: Any, path: Path) -> bool:
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_what_is_rejected_has_findings_each_at_a_place_of_its_own(kind: str) -> None:
    @settings(max_examples=40)
    @given(document=mutations(DOCUMENTS[kind]))
    def report(document: Any) -> None:
        findings = check_shape(kind, document)
        if not fast_validator(kind).is_valid(document):
            assert findings
        places = [(finding.path, finding.anchor) for finding in findings]
        assert len(places) == len(set(places))
        keys = {finding.path for finding in findings if finding.anchor == "key"}
        for finding in findings:
            assert finding.code in RULES
            assert exists(document, finding.path[:-1])
            assert exists(document, finding.path) == (finding.code != "missing-key")
            assert not any(finding.path[:depth] in keys for depth in range(len(finding.path)))
            assert "\n" not in f"{finding.message}{finding.hint}"

    report()


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("preset", {"model": "openai/gpt-5\n"}),
        ("preset", {"provider": {"order": ["azure\n"]}}),
        ("preset", {"environments": {"prod\n": {}}}),
        ("preset", {"logit_bias": {"5\n": 1}}),
        ("preset", {"extends": ["a", "a"]}),
        ("preset", {"extends": ["a", ["a"], {"a": 1}]}),
        ("policy", {"zdr": True, "require": ["user", "user"]}),
    ],
)
def test_what_python_would_let_pass_is_rejected(kind: str, document: Any) -> None:
    assert not fast_validator(kind).is_valid(document)
    assert check_shape(kind, document)


def test_a_whole_number_with_a_fraction_is_a_finding_only_where_an_integer_belongs() -> None:
    document = {"max_tokens": Decimal("100.0"), "temperature": Decimal("1.0"), "seed": Decimal("1E+3")}
    assert check_shape("preset", document) == []
    findings = check_shape("preset", document, strict_integers=True)
    assert {(finding.code, finding.path, finding.hint) for finding in findings} == {
        ("integer-as-decimal", ("max_tokens",), "write 100"),
        ("integer-as-decimal", ("seed",), "write 1000"),
    }


def test_a_layer_may_leave_out_what_a_composed_preset_must_have() -> None:
    document = {"model": "openai/gpt-5", "response_format": {"json_schema": {"strict": True}}}
    assert check_shape("preset", document) == []
    assert {(finding.code, finding.path) for finding in check_shape("composed", document)} == {
        ("missing-key", ("response_format", "type")),
        ("missing-key", ("response_format", "json_schema", "name")),
    }


def test_no_more_than_a_thousand_mistakes_are_explained() -> None:
    assert len(check_shape("preset", {"models": list(range(5_000))})) == 1_000
    assert len(check_shape("preset", {f"key{number}": 1 for number in range(1_500)})) == 1_000


def test_one_bad_item_is_found_among_many_good_ones() -> None:
    plugins: list[Any] = [{"id": "moderation"} for _ in range(10_000)]
    plugins[7_777] = {"id": "moderation", "enabled": True}
    (finding,) = check_shape("preset", {"plugins": plugins})
    assert finding.path == ("plugins", 7_777, "enabled")


def test_lists_merge_as_the_schema_says() -> None:
    strategies = merge_strategies()
    assert strategies["plugins",] == "keyed:id"
    assert strategies["tools",] == "keyed:tool"
    assert strategies["models",] == strategies["provider", "order"] == "replace"
    assert ("extends",) not in strategies
    assert {strategy.partition(":")[0] for strategy in strategies.values()} == {"replace", "keyed"}


def test_a_reference_is_followed_to_its_end_and_keeps_its_own_words() -> None:
    root = {
        "$defs": {
            "a": {"$ref": "#/$defs/b", "title": "A"},
            "b": {"type": "string", "title": "B", "minLength": 1},
        }
    }
    assert resolve(root, {"$ref": "#/$defs/a", "minLength": 2}) == {
        "type": "string",
        "title": "A",
        "minLength": 2,
    }
    assert resolve(root, {"type": "null"}) == {"type": "null"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "a mapping"),
        ([], "a list"),
        (None, "null"),
        (True, "true"),
        (5, "the number 5"),
        (Decimal("0.50"), "the number 0.50"),
        ("x", "the text 'x'"),
        ("a\n\x07b", "the text 'a\\n\\x07b'"),
        ("x" * 61, f"the text '{'x' * 57}…'"),
    ],
)
def test_a_value_is_described_on_one_line(value: Any, said: str) -> None:
    assert describe(value) == said


ASSERTIONS = {
    *("type", "enum", "const", "pattern", "format", "required", "uniqueItems", "additionalProperties"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    *("unevaluatedProperties", "not", "anyOf", "oneOf", "contains", "dependentRequired", "prefixItems"),
}
"""Keywords of JSON Schema that reject."""


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_keyword_that_rejects_is_explained(kind: str) -> None:
    def keywords(node: Any, *, names: bool = False) -> set[str]:
        """Collect keywords; below ``properties`` and ``$defs`` keys are names."""
        if isinstance(node, list):
            return {word for item in node for word in keywords(item)}
        if not isinstance(node, dict):
            return set()
        own = set() if names else ASSERTIONS & node.keys()
        inner = {
            key: item
            for key, item in node.items()
            if key not in ("if", "examples", "default", "enum", "const")
        }
        named = ("properties", "$defs", "patternProperties")
        return own | {
            word for key, item in inner.items() for word in keywords(item, names=not names and key in named)
        }

    assert keywords(load_schema(kind)) <= rejections._EXPLAIN.keys()


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_pattern_says_in_a_title_what_it_expects(kind: str) -> None:
    def untitled(node: Any) -> list[str]:
        if isinstance(node, list):
            return [found for item in node for found in untitled(item)]
        if not isinstance(node, dict):
            return []
        own = [json.dumps(node)] if isinstance(node.get("pattern"), str) and "title" not in node else []
        return own + [
            found for key, item in node.items() if key not in ("if", "examples") for found in untitled(item)
        ]

    assert untitled(load_schema(kind)) == []


@settings(max_examples=200)
@given(document=mutations(presets(environments=("prod",))))
def test_what_is_right_after_composition_is_right_before_it(document: Any) -> None:
    if fast_validator("composed").is_valid(document):
        assert fast_validator("preset").is_valid(document)
        assert not list(precise_validator("preset").iter_errors(document))
