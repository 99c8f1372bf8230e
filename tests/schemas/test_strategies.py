"""What ``strategies`` generates: only valid documents, every key and every branch of every choice."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from strategies import read_schema, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPEATABLE = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
"""Whether every branch turns up must not depend on the day."""


def fast(kind: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(dict(read_schema(kind)))


def count(strategy: Any, marks: Callable[[Any], Iterator[str]], examples: int) -> Counter[str]:
    """Generate examples and count the marks that they bear."""
    seen: Counter[str] = Counter()

    @settings(REPEATABLE, max_examples=examples)
    @given(strategy)
    def look(value: Any) -> None:
        seen.update(set(marks(value)))

    look()
    return seen


@pytest.mark.parametrize(
    ("kind", "strategy"),
    [
        ("preset", strategies.presets()),
        ("preset", strategies.presets(environments=("prod", "dev"), files=True)),
        ("preset", strategies.layers()),
        ("policy", strategies.policies()),
        ("project", strategies.projects()),
        ("test", strategies.suites()),
    ],
    ids=["presets", "presets with overlays", "layers", "policies", "projects", "suites"],
)
def test_everything_generated_is_valid_to_both_validators(kind, strategy):
    quick, thorough = fast(kind), Draft202012Validator(read_schema(kind))

    @settings(max_examples=60)
    @given(strategy)
    def check(document: dict[str, Any]) -> None:
        assert quick.is_valid(to_json(document))
        assert thorough.is_valid(document)

    check()


def test_every_key_of_a_layer_is_generated():
    keys = read_schema("preset")["$defs"]["overlay"]["properties"].keys()
    assert count(strategies.layers(), iter, 300).keys() == keys


def test_a_whole_preset_has_a_model_and_nothing_that_another_file_must_complete():
    quick = fast("preset")

    @settings(max_examples=60)
    @given(strategies.presets())
    def check(preset: dict[str, Any]) -> None:
        assert "model" in preset
        assert not {"extends", "abstract", "environments"} & preset.keys()
        assert not isinstance(preset.get("system"), dict)
        assert not list(find_gaps(read_schema("preset"), preset))
        assert quick.is_valid(to_json(preset))

    check()


def find_gaps(root: Any, value: Any) -> Iterator[str]:
    """Yield removals and edits where a whole preset must have neither."""
    for key in root["properties"]:
        if key in value and value[key] is None:
            yield key
    for key in ("models", "plugins", "tools", "stop", "modalities", "anthropic_beta", "transforms"):
        if isinstance(value.get(key), dict):
            yield key
    if "prompt_cache_options" in value and "mode" not in value["prompt_cache_options"]:
        yield "prompt_cache_options"
    response_format = value.get("response_format", {"type": "text"})
    if "type" not in response_format or (
        response_format["type"] == "json_schema"
        and "name" not in response_format.get("json_schema", {"name": "none is given"})
    ):
        yield "response_format"


@pytest.mark.parametrize("key", ["description", "slug", "model", "provider", "system"])
def test_whole_presets_may_be_limited_to_some_keys(key):
    @settings(max_examples=20)
    @given(strategies.presets(keys=[key]))
    def check(preset: dict[str, Any]) -> None:
        assert preset.keys() <= {key}

    check()


def test_every_plugin_is_generated():
    seen = count(strategies.values("plugins"), lambda plugins: (plugin["id"] for plugin in plugins), 150)
    assert seen.keys() == set(read_schema("preset")["$defs"]["plugin_id"]["enum"])


def test_every_tool_is_generated():
    seen = count(strategies.values("tools"), lambda tools: (tool["type"] for tool in tools), 150)
    assert seen.keys() == set(read_schema("preset")["$defs"]["tool"]["properties"]["type"]["enum"])


@pytest.mark.parametrize(
    ("key", "marks", "wanted"),
    [
        (
            "response_format",
            lambda value: iter([value["type"]]),
            {"text", "json_object", "json_schema", "grammar", "python"},
        ),
        ("stop", lambda value: iter([type(value).__name__]), {"str", "list"}),
        ("tool_choice", lambda value: iter([type(value).__name__]), {"str", "dict"}),
        ("extends", lambda value: iter([type(value).__name__]), {"str", "list"}),
        ("system", lambda value: iter([type(value).__name__]), {"str", "dict"}),
        ("max_cost", lambda value: iter([type(value).__name__]), {"str", "int", "Decimal"}),
        (
            "stop_server_tools_when",
            lambda value: (condition["type"] for condition in value),
            {"step_count_is", "has_tool_call", "max_tokens_used", "max_cost", "finish_reason_is"},
        ),
        (
            "provider",
            iter,
            set(read_schema("preset")["properties"]["provider"]["properties"]),
        ),
        (
            "provider",
            lambda value: iter([f"sort {type(value.get('sort')).__name__}"]),
            {"sort str", "sort dict", "sort NoneType"},
        ),
    ],
)
def test_every_form_of_a_key_is_generated(key, marks, wanted):
    assert count(strategies.values(key), marks, 80).keys() == wanted


def test_layers_remove_and_edit():
    seen = count(
        strategies.values("plugins", complete=False), lambda value: iter([type(value).__name__]), 100
    )
    assert seen.keys() == {"list", "dict", "NoneType"}


def test_what_the_strategies_do_not_know_would_be_noticed():
    """A wrong document must not pass for a generated one: the validators above are no rubber stamps."""
    assert not fast("preset").is_valid({"temperature": 3})
    assert not fast("policy").is_valid({})
    assert not fast("project").is_valid({"rules": []})
