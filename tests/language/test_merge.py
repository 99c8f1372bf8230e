"""The laws of composition, each under its name, over random layers with removals and list edits."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.language.building import build_layer
from orpolicy.language.document import Document, read_document
from orpolicy.language.merge import merge_layers
from orpolicy.language.settle import find_vain_removals, settle
from orpolicy.language.source import Path, Source
from orpolicy.language.trees import (
    Branch,
    Layer,
    Leaf,
    Node,
    Removal,
    Sequence,
    Unopened,
    find_node,
    locate,
    put,
    to_data,
)
from orpolicy.language.values import canonical_json

if TYPE_CHECKING:
    import random

STRATEGIES = {
    ("order",): "replace",
    ("provider", "only"): "replace",
    ("plugins",): "keyed:id",
    ("tools",): "keyed:tool",
}
EMPTY = Branch({}, Layer("empty"))

scalars = st.one_of(st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b"]))
names = st.sampled_from(["x", "y", "z"])
plain_lists = st.lists(names, max_size=3)


def edits(lists: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[dict[str, list[Any]]]:
    words = st.sampled_from(["append", "prepend", "remove"])
    return st.dictionaries(words, lists, min_size=1, max_size=3)


plugins = st.lists(
    st.fixed_dictionaries(
        {"id": names}, optional={"n": st.integers(0, 3), "m": st.none() | st.integers(0, 3)}
    ),
    max_size=3,
    unique_by=lambda plugin: plugin["id"],
)
tools = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("function"), "function": st.fixed_dictionaries({"name": names})}
        ),
        st.fixed_dictionaries(
            {"type": st.just("openrouter:advisor")},
            optional={"parameters": st.fixed_dictionaries({}, optional={"name": names, "k": scalars})},
        ),
        st.fixed_dictionaries(
            {"type": st.just("openrouter:web_search")}, optional={"parameters": st.just({"k": 1})}
        ),
    ),
    max_size=3,
)
mappings = st.dictionaries(
    names, st.none() | scalars | st.dictionaries(names, st.none() | scalars, max_size=2), max_size=3
)
providers = st.fixed_dictionaries(
    {}, optional={"zdr": st.none() | st.booleans(), "only": st.none() | plain_lists | edits(plain_lists)}
)
layers_data = st.fixed_dictionaries(
    {},
    optional={
        "model": st.none() | scalars,
        "order": st.none() | scalars | plain_lists | edits(plain_lists),
        "provider": st.none() | scalars | providers,
        "plugins": st.none() | plugins | edits(plugins),
        "tools": st.none() | tools | edits(tools),
        "metadata": st.none() | scalars | mappings,
    },
)


def layer(data: dict[str, Any], name: str = "layer") -> Branch:
    """Build a layer whose document is the data's JSON, so that origins lead to text."""
    reading = read_document(Source(name, canonical_json(data)))
    document = reading.document or Document(Source(name, "{}"), {})
    return build_layer(data, Layer(name, document), STRATEGIES)


def merged(*layers: Branch) -> Branch:
    tree = EMPTY
    for top in layers:
        tree = merge_layers(tree, top)
    return tree


def data_of(tree: Branch) -> Any:
    return to_data(settle(tree))


def origins(node: Node, path: Path = ()) -> dict[Path, tuple[str, Path, str]]:
    """Map every leaf of a settled tree to the layer and place that say it."""
    match node:
        case Leaf():
            return {path: (node.layer.name, node.path, canonical_json(node.value))}
        case Branch():
            return {
                k: v for key, child in node.entries.items() for k, v in origins(child, (*path, key)).items()
            }
        case Sequence():
            return {k: v for i, child in enumerate(node.items) for k, v in origins(child, (*path, i)).items()}
        case _:
            return {}


three = st.tuples(layers_data, layers_data, layers_data)


@given(layers_data)
def test_identity_the_empty_layer_changes_nothing_on_either_side(data: dict[str, Any]) -> None:
    tree = layer(data)
    assert data_of(merge_layers(EMPTY, tree)) == data_of(tree) == data_of(merge_layers(tree, EMPTY))
    assert (
        origins(settle(merge_layers(EMPTY, tree)))
        == origins(settle(tree))
        == origins(settle(merge_layers(tree, EMPTY)))
    )


@given(three)
def test_associativity_removals_and_list_edits_included(data: tuple[dict[str, Any], ...]) -> None:
    a, b, c = (layer(said, name) for said, name in zip(data, "abc", strict=True))
    left = settle(merge_layers(merge_layers(a, b), c))
    right = settle(merge_layers(a, merge_layers(b, c)))
    assert to_data(left) == to_data(right)
    assert origins(left) == origins(right)


@given(layers_data, layers_data)
def test_idempotence_merging_a_layer_twice_is_merging_it_once(
    below: dict[str, Any], data: dict[str, Any]
) -> None:
    base, top = layer(below, "base"), layer(data, "top")
    assert data_of(merged(base, top, top)) == data_of(merged(base, top))
    assert origins(settle(merged(base, top, top))) == origins(settle(merged(base, top)))


@given(layers_data, layers_data)
def test_right_bias_what_the_top_layer_says_the_result_says(
    below: dict[str, Any], data: dict[str, Any]
) -> None:
    result = data_of(merged(layer(below, "base"), layer(data, "top")))
    for key in ("model",):
        if key in data:
            assert result.get(key) == data[key]
    for key in ("order", "plugins", "tools"):
        said = data.get(key)
        if key == "order" and not isinstance(said, dict) and key in data:
            expected = list(dict.fromkeys(said)) if isinstance(said, list) else said
            assert result.get(key) == (expected if not isinstance(said, list) else said)
        if key == "plugins" and isinstance(said, list):
            by_id = {plugin["id"]: plugin for plugin in result["plugins"]}
            for plugin in said:
                assert all(by_id[plugin["id"]].get(name) == value for name, value in plugin.items())


@given(layers_data, layers_data)
def test_locality_a_key_that_the_top_does_not_mention_stays(
    below: dict[str, Any], data: dict[str, Any]
) -> None:
    base = layer(below, "base")
    result = data_of(merged(base, layer(data, "top")))
    untouched = {key: value for key, value in data_of(base).items() if key not in data}
    assert {key: value for key, value in result.items() if key not in data} == untouched


@given(layers_data, layers_data)
def test_purity_inputs_are_never_changed(below: dict[str, Any], data: dict[str, Any]) -> None:
    before = copy.deepcopy((below, data))
    base, top = layer(below, "base"), layer(data, "top")
    trees = (origins(settle(base)), origins(settle(top)))
    settle(merged(base, top))
    assert (below, data) == before
    assert (origins(settle(base)), origins(settle(top))) == trees


@given(three)
def test_provenance_every_leaf_has_one_origin_and_that_origin_holds_that_very_value(
    data: tuple[dict[str, Any], ...],
) -> None:
    said = dict(zip("abc", data, strict=True))
    tree = settle(merged(*(layer(value, name) for name, value in said.items())))
    for path, (name, place, value) in origins(tree).items():
        written: Any = said[name]
        for part in place:
            written = written[part]
        assert canonical_json(written) == value
        found: Any = to_data(tree)
        for part in path:
            found = found[part]
        assert canonical_json(found) == value


@given(layers_data, layers_data, st.randoms(use_true_random=False))
def test_order_the_order_of_keys_does_not_change_the_result(
    below: dict[str, Any], data: dict[str, Any], chance: random.Random
) -> None:
    def shuffle(value: Any) -> Any:
        if isinstance(value, dict):
            items = list(value.items())
            chance.shuffle(items)
            return {key: shuffle(item) for key, item in items}
        return [shuffle(item) for item in value] if isinstance(value, list) else value

    straight = data_of(merged(layer(below, "base"), layer(data, "top")))
    shuffled = data_of(merged(layer(shuffle(below), "base"), layer(shuffle(data), "top")))
    assert shuffled == straight


@given(layers_data, layers_data)
def test_a_settled_tree_holds_no_null(below: dict[str, Any], data: dict[str, Any]) -> None:
    def nulls(value: Any) -> bool:
        if isinstance(value, dict):
            return any(nulls(item) for item in value.values())
        return any(nulls(item) for item in value) if isinstance(value, list) else value is None

    assert not nulls(data_of(merged(layer(below, "base"), layer(data, "top"))))


@pytest.mark.parametrize(
    ("base", "top", "expected"),
    [
        ({"order": ["x", "y"]}, {"order": ["z"]}, {"order": ["z"]}),
        ({"order": ["x", "y"]}, {"order": {"append": ["z"]}}, {"order": ["x", "y", "z"]}),
        ({"order": ["x", "y"]}, {"order": {"append": ["x"]}}, {"order": ["y", "x"]}),
        ({"order": ["x", "y"]}, {"order": {"prepend": ["y"]}}, {"order": ["y", "x"]}),
        ({"order": ["x", "y"]}, {"order": {"remove": ["x"]}}, {"order": ["y"]}),
        (
            {"order": ["x", "y"]},
            {"order": {"remove": ["x"], "prepend": ["z"], "append": ["x"]}},
            {"order": ["z", "y", "x"]},
        ),
        ({"order": ["x"]}, {"order": None}, {}),
        ({}, {"order": {"append": ["x"]}}, {"order": ["x"]}),
        (
            {"plugins": [{"id": "web", "n": 1}]},
            {"plugins": [{"id": "web", "m": 2}]},
            {"plugins": [{"id": "web", "n": 1, "m": 2}]},
        ),
        ({"plugins": [{"id": "web"}]}, {"plugins": {"remove": ["web"]}}, {"plugins": []}),
        (
            {"plugins": [{"id": "web", "n": 1}]},
            {"plugins": [{"id": "web", "n": None}]},
            {"plugins": [{"id": "web"}]},
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "x"}}]},
            {"tools": [{"type": "function", "function": {"name": "y"}}]},
            {
                "tools": [
                    {"type": "function", "function": {"name": "x"}},
                    {"type": "function", "function": {"name": "y"}},
                ]
            },
        ),
        (
            {"tools": [{"type": "openrouter:advisor", "parameters": {"name": "a", "model": "m"}}]},
            {"tools": [{"type": "openrouter:advisor", "parameters": {"name": "a", "model": "n"}}]},
            {"tools": [{"type": "openrouter:advisor", "parameters": {"name": "a", "model": "n"}}]},
        ),
        ({"provider": {"zdr": True, "x": 1}}, {"provider": {"zdr": None}}, {"provider": {"x": 1}}),
        ({"metadata": {"x": 1}}, {"metadata": "a"}, {"metadata": "a"}),
    ],
)
def test_examples(base: dict[str, Any], top: dict[str, Any], expected: dict[str, Any]) -> None:
    assert data_of(merged(layer(base, "base"), layer(top, "top"))) == expected


def test_a_mapping_removed_and_set_again_starts_afresh() -> None:
    a, b, c = (
        layer({"provider": {"zdr": True}}, "a"),
        layer({"provider": None}, "b"),
        layer({"provider": {"only": ["x"]}}, "c"),
    )
    assert data_of(merged(a, b, c)) == {"provider": {"only": ["x"]}}
    assert data_of(merge_layers(a, merge_layers(b, c))) == {"provider": {"only": ["x"]}}


def test_two_items_of_one_identity_in_one_list_stay_apart() -> None:
    twins = [{"type": "openrouter:advisor"}, {"type": "openrouter:advisor"}]
    assert data_of(layer({"tools": twins})) == {"tools": twins}


def test_the_overruled_and_the_removed_are_kept_strongest_first() -> None:
    tree = settle(merged(layer({"model": "a"}, "a"), layer({"model": None}, "b"), layer({"model": "b"}, "c")))
    leaf = tree.entries["model"]
    assert [(node.layer.name, type(node)) for node in leaf.shadowed] == [("b", Removal), ("a", Leaf)]


def test_removals_of_nothing_are_found() -> None:
    tree = merged(
        layer({"order": ["x"], "provider": {"zdr": True}}, "base"),
        layer(
            {"model": None, "order": {"remove": ["x", "y"]}, "provider": {"zdr": None, "only": None}}, "top"
        ),
    )
    assert sorted(map(str, (path for _, path in find_vain_removals(tree)))) == [
        "('model',)",
        "('order', 'remove', 1)",
        "('provider', 'only')",
    ]


def test_put_shadows_what_stood_there_and_leaves_its_input_alone() -> None:
    tree = settle(layer({"provider": "a"}))
    changed = put(tree, ("provider", "zdr"), Leaf(True, Layer("policy"), ("zdr",)))
    assert to_data(tree) == {"provider": "a"}
    assert to_data(changed) == {"provider": {"zdr": True}}
    node, rest = find_node(changed, ("provider",))
    assert rest == ()
    assert [to_data(shadow) for shadow in node.shadowed] == ["a"]


def test_a_missing_path_is_placed_at_its_parents_key() -> None:
    tree = settle(layer({"provider": {"zdr": True}}, "file"))
    assert str(locate(tree, ("provider", "zdr"))) == "file:1:20"
    assert str(locate(tree, ("provider", "only"))) == "file:1:2"


def test_a_mapping_that_nobody_looked_into_says_the_same_as_one_that_was_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @given(layers_data, layers_data)
    def agree(below: dict[str, Any], data: dict[str, Any]) -> None:
        def compose() -> Branch:
            return settle(merged(layer(below, "base"), layer(data, "top")))

        late = compose()
        with monkeypatch.context() as patched:
            patched.setattr("orpolicy.language.building._is_plain", lambda _: False)
            early = compose()
        assert to_data(late) == to_data(early)
        assert origins(late) == origins(early)

    agree()


def test_a_layer_without_nulls_and_edits_is_not_looked_into() -> None:
    data = {"model": "a", "provider": {"only": ["x"]}}
    tree = settle(layer(data))
    assert isinstance(tree.entries, Unopened)
    assert to_data(tree) is tree.entries.data
    assert len(tree.entries) == 2
    assert list(tree.entries) == ["model", "provider"]
    assert "provider" in tree.entries
    assert isinstance(tree.entries["provider"], Branch)
    assert isinstance(tree.entries["provider"].entries["only"], Sequence)


@pytest.mark.parametrize("value", [None, {}, {"append": ["x"]}, [None], {"a": [{"b": None}]}])
def test_a_layer_in_which_something_has_to_be_settled_is_built_at_once(value: Any) -> None:
    assert not isinstance(layer({"metadata": value}).entries, Unopened)
