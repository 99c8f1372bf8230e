"""The table of the body holds every setting once, and gives its order to whatever is written."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import pytest
from hypothesis import given
from strategies import presets

from orpolicy.language import model
from orpolicy.language.lower import BODY, FOLDED, INNER, SIDE, lower
from orpolicy.language.model import structure

TYPES = {
    ("provider",): model.Provider,
    ("provider", "sort"): model.Sort,
    ("provider", "max_price"): model.MaxPrice,
    ("provider", "preferred_min_throughput"): model.Percentiles,
    ("provider", "preferred_max_latency"): model.Percentiles,
    ("reasoning",): model.Reasoning,
    ("attribution",): model.Attribution,
}


def attributes(kind: type[attrs.AttrsInstance]) -> tuple[str, ...]:
    return tuple(attribute.name for attribute in attrs.fields(kind))


def test_each_attribute_of_a_preset_has_one_place() -> None:
    places = Counter([*BODY, *SIDE, *FOLDED])
    assert places == Counter(attributes(model.Preset))


def test_the_tables_name_the_attributes_of_our_own_values_in_their_order() -> None:
    assert {path: attributes(kind) for path, kind in TYPES.items()} == dict(INNER)


@given(presets())
def test_keys_come_out_in_the_order_of_the_tables(preset: dict[str, Any]) -> None:
    body = lower(preset).body
    assert list(body) == [key for key in BODY if key in body]
    for path, keys in INNER.items():
        value: Any = body
        for part in path:
            value = value.get(part, {}) if isinstance(value, dict) else {}
        if isinstance(value, dict):
            assert list(value) == [key for key in keys if key in value]


@given(presets())
def test_the_typed_view_holds_what_the_preset_says_and_nothing_else(preset: dict[str, Any]) -> None:
    assert list(attrs.asdict(structure(preset), filter=lambda _, value: value is not None)) == [
        name for name in attributes(model.Preset) if name in preset
    ]


@pytest.mark.parametrize(
    ("preset", "body"),
    [
        ({"route": "fallback"}, {"provider": {"sort": {"partition": "model"}}}),
        ({"route": "sort"}, {"provider": {"sort": {"partition": "none"}}}),
        (
            {"route": "sort", "provider": {"sort": "price", "order": ["a"]}},
            {"provider": {"order": ["a"], "sort": {"by": "price", "partition": "none"}}},
        ),
        (
            {"route": "sort", "provider": {"sort": {"by": "price", "partition": "model"}}},
            {"provider": {"sort": {"by": "price", "partition": "model"}}},
        ),
        ({"transforms": ["middle-out"]}, {"plugins": [{"id": "context-compression"}]}),
        ({"transforms": []}, {"plugins": [{"id": "context-compression", "enabled": False}]}),
        (
            {"transforms": [], "plugins": [{"id": "context-compression"}]},
            {"plugins": [{"id": "context-compression"}]},
        ),
    ],
)
def test_what_is_deprecated_is_written_as_its_successor(preset: dict[str, Any], body: dict[str, Any]) -> None:
    before = repr(preset)
    assert lower(preset).body == body
    assert repr(preset) == before
