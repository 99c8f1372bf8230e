"""Explanations: who set a value and who was overruled, removals and policies included, and never more than was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orpolicy.errors import CompileError, UsageError
from orpolicy.language.compiler import Compiler
from orpolicy.language.document import read_document
from orpolicy.language.files import Memory
from orpolicy.language.rules import FAMILIES
from orpolicy.language.source import Source, from_pointer
from orpolicy.language.workspace import Workspace

MEANING = dict.fromkeys((code for family in ("meaning", "catalogue") for code in FAMILIES[family]), "off")


def compile_(files: dict[str, str], name: str = "top", environment: str | None = None) -> Any:
    project = {"orpolicy.yaml": json.dumps({"rules": MEANING}), **files}
    return Compiler(Workspace(Memory(project))).compile(name, environment)


def told(files: dict[str, str], pointer: str = "", environment: str | None = None) -> list[str]:
    """Write explanations as lines: the pointer, who won, who lost."""
    return [
        f"{found.pointer} {write(found.winner)} < {' < '.join(map(write, found.losers))}".rstrip(" <")
        for found in compile_(files, environment=environment).explain(pointer)
    ]


def write(author: Any) -> str:
    return f"{json.dumps(author.value, default=float)}@{author.layer}:{author.location.span.start.line}"


CHAIN = {
    "presets/base.yaml": """
abstract: true
provider: {zdr: true, sort: price, order: [anthropic, azure], max_price: {prompt: 3, completion: 9}}
plugins: [{id: web, max_results: 3}]
temperature: 0.5
environments: {prod: {temperature: 0.25}}
""",
    "presets/middle.yaml": """
extends: base
abstract: true
provider: null
plugins: {remove: [web]}
""",
    "presets/top.yaml": """
extends: middle
temperature: null
model: openai/gpt-5
provider: {zdr: false, max_price: {prompt: 2}, only: [google-vertex], order: {append: [google-vertex]}}
""",
}
POLICY = {"presets/org.policy.yaml": "providers: {allow: [google-vertex/us-east5]}\nmax_tokens: 500\n"}


@pytest.mark.parametrize(
    ("pointer", "lines"),
    [
        ("/model", ['/model "openai/gpt-5"@top:4']),
        ("/provider/zdr", ["/provider/zdr false@top:5 < null@middle:4 < true@base:3"]),
        ("/provider/sort", ['/provider/sort null@middle:4 < "price"@base:3']),
        ("/provider/max_price", [
            "/provider/max_price/prompt 2@top:5 < null@middle:4 < 3@base:3",
            "/provider/max_price/completion null@middle:4 < 9@base:3",
        ]),
        ("/provider/max_price/completion", ["/provider/max_price/completion null@middle:4 < 9@base:3"]),
        ("/provider/order", [
            '/provider/order ["google-vertex"]@top:5 < null@middle:4 < ["anthropic", "azure"]@base:3',
            '/provider/order/0 "google-vertex"@top:5',
        ]),
        ("/provider/order/0", ['/provider/order/0 "google-vertex"@top:5']),
        ("/plugins", ["/plugins []@middle:5", '/plugins/- null@middle:5 < {"id": "web", "max_results": 3}@base:4']),
        ("/plugins/-", ['/plugins/- null@middle:5 < {"id": "web", "max_results": 3}@base:4']),
        ("/temperature", ["/temperature null@top:3 < 0.5@base:5"]),
    ],
)  # fmt: skip
def test_winners_and_losers_layer_by_layer(pointer: str, lines: list[str]) -> None:
    assert told(CHAIN, pointer) == lines


def test_an_overlay_stands_between_its_preset_and_what_extends_it() -> None:
    assert told(CHAIN, "/temperature", "prod") == ["/temperature null@top:3 < 0.25@base[prod]:6 < 0.5@base:5"]


def test_what_a_policy_fills_in_and_what_it_narrows_has_its_line_as_author() -> None:
    files = {**CHAIN, **POLICY}
    assert told(files, "/max_tokens") == ["/max_tokens 500@policy org:2"]
    assert told(files, "/provider/only") == [
        '/provider/only/0 "google-vertex/us-east5"@policy org:1 < "google-vertex"@top:5',
    ]


def test_a_value_of_another_kind_is_told_as_a_whole() -> None:
    files = {
        "presets/base.yaml": "model: x/y\nmetadata: {a: b}\nprovider: {sort: price}\n",
        "presets/top.yaml": "extends: base\nprovider: {sort: {by: latency}}\n",
    }
    assert told(files, "/provider") == [
        '/provider/sort {"by": "latency"}@top:2 < "price"@base:3',
        '/provider/sort/by "latency"@top:2',
    ]


def test_what_lay_below_a_value_of_another_kind_is_told_with_the_whole_only() -> None:
    files = {
        "presets/low.yaml": "model: x/y\nprovider: {sort: {by: price, partition: none}}\n",
        "presets/base.yaml": "extends: low\nprovider: {sort: price}\n",
        "presets/top.yaml": "extends: base\nprovider: {sort: {by: latency}}\n",
    }
    assert told(files, "/provider/sort") == [
        '/provider/sort {"by": "latency"}@top:2 < "price"@base:2 < {"by": "price", "partition": "none"}@low:2',
        '/provider/sort/by "latency"@top:2 < "price"@low:2',
    ]
    with pytest.raises(UsageError):
        told(files, "/provider/sort/partition")


def test_a_replaced_list_is_shown_as_it_stood() -> None:
    files = {
        "presets/root.yaml": "abstract: true\nstop: [a, b]\n",
        "presets/base.yaml": "abstract: true\nextends: root\nstop: {remove: [a], append: [c]}\n",
        "presets/top.yaml": "extends: base\nmodel: x/y\nstop: [z]\n",
    }
    assert told(files, "/stop")[0] == '/stop ["z"]@top:3 < ["b", "c"]@base:3'


def test_a_part_of_a_value_that_is_merged_as_a_whole_can_be_asked_for() -> None:
    condition = "{type: step_count_is, step_count: 3}"
    files = {"presets/top.yaml": f"model: x/y\nstop_server_tools_when: [{condition}]\n"}
    pointer = "/stop_server_tools_when/0/step_count"
    assert told(files, pointer) == [f"{pointer} 3@top:2"]


def test_a_json_schema_is_told_in_its_author_s_order_down_to_an_item_of_a_list() -> None:
    schema = "{type: object, properties: {b: {enum: [x, y]}, a: {type: string}}, additionalProperties: false}"
    files = {
        "presets/top.yaml": f"model: x/y\nresponse_format: {{type: json_schema, json_schema: {{name: n, schema: {schema}}}}}\n"
    }
    root = "/response_format/json_schema/schema"
    assert [line.split()[0].removeprefix(root) for line in told(files, root)] == [
        "/type", "/properties/b/enum", "/properties/a/type", "/additionalProperties",
    ]  # fmt: skip
    assert told(files, f"{root}/properties/b/enum/1") == [f'{root}/properties/b/enum/1 "y"@top:2']
    with pytest.raises(UsageError):
        told(files, f"{root}/properties/b/enum/2")


@pytest.mark.parametrize(
    "pointer",
    [
        "/seed",
        "/provider/data_collection",
        "/provider/order/7",
        "/provider/order/x",
        "/model/x",
        "/plugins/0",
    ],
)
def test_what_never_was_there_is_said(pointer: str) -> None:
    with pytest.raises(UsageError, match=f"nothing at {pointer}"):
        compile_(CHAIN).explain(pointer)


# Laws, over chains of three layers with removals and list edits, under a policy.

words = st.sampled_from(["a", "b", "c"])
lists = st.lists(words, max_size=2, unique=True)
edits = st.dictionaries(st.sampled_from(["append", "prepend", "remove"]), lists, min_size=1, max_size=2)
layers = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0, 1]),
        "stop": st.one_of(lists, edits, st.none()),
        "max_tokens": st.sampled_from([10, 20]),
        "metadata": st.one_of(st.none(), st.dictionaries(words, st.one_of(st.none(), words), max_size=2)),
        "provider": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {},
                optional={
                    "sort": st.sampled_from(["price", {"by": "price"}, {"partition": "none"}, None]),
                    "only": st.one_of(lists, edits, st.none()),
                    "max_price": st.one_of(
                        st.none(),
                        st.dictionaries(
                            st.sampled_from(["prompt", "completion"]), st.sampled_from([1, None])
                        ),
                    ),
                },
            ),
        ),
    },
)


@st.composite
def chains(draw: st.DrawFn) -> dict[str, str]:
    low, middle, top = draw(layers), draw(layers), draw(layers)
    return {
        "presets/low.yaml": json.dumps({"abstract": True, **low}),
        "presets/middle.yaml": json.dumps({"abstract": True, "extends": "low", **middle}),
        "presets/top.yaml": json.dumps({"extends": "middle", "model": "x/y", **top}),
        "presets/org.policy.yaml": '{"zdr": true, "providers": {"allow": ["a", "b/x"]}, "max_tokens": 20}',
    }


def compiled(files: dict[str, str]) -> Any:
    try:
        return compile_(files)
    except CompileError:
        assume(condition=False)


@settings(max_examples=40)
@given(chains())
def test_an_explanation_is_never_more_than_was_asked_for_and_never_less(files: dict[str, str]) -> None:
    preset = compiled(files)
    whole = preset.explain()
    pointers = {found.pointer[: end if end > 0 else None] for found in whole for end in range(len(found.pointer) + 1)
                if end == 0 or found.pointer[end : end + 1] in ("", "/")}  # fmt: skip
    for pointer in sorted(pointers):
        expected = [found for found in whole if (found.pointer + "/").startswith(pointer + "/")]
        assert list(preset.explain(pointer)) == expected


@settings(max_examples=40)
@given(chains())
def test_every_author_s_place_holds_what_he_says(files: dict[str, str]) -> None:
    documents = {name: read_document(Source(name, text)).document for name, text in files.items()}
    for found in compiled(files).explain():
        for author in (found.winner, *found.losers):
            place = author.location
            assert place is not None
            line = files[place.file]
            text = line[place.span.start.column - 1 : place.span.end.column - 1]
            read = read_document(Source("x", f"v: {text}")).document
            assert read is not None
            written = read.data["v"]
            assert documents[place.file] is not None
            if isinstance(author.value, (dict, list)):
                continue  # a whole that several layers made
            if author.value is None and written is not None:
                assert "/-" in found.pointer  # an item, under 'remove'
            else:
                assert author.layer.startswith("policy") or written == author.value


@settings(max_examples=40)
@given(chains())
def test_explanations_come_in_the_order_of_the_body(files: dict[str, str]) -> None:
    preset = compiled(files)
    told_ = list(dict.fromkeys(from_pointer(found.pointer)[0] for found in preset.explain()))
    assert [key for key in told_ if key in preset.body] == list(preset.body)
    inner = [
        from_pointer(found.pointer)[1]
        for found in preset.explain("/provider")
        if found.pointer.count("/") > 1
    ]
    assert [key for key in dict.fromkeys(inner) if key in preset.body["provider"]] == list(
        preset.body["provider"]
    )


@settings(max_examples=40)
@given(chains())
def test_every_leaf_of_the_body_is_explained_by_its_value(files: dict[str, str]) -> None:
    preset = compiled(files)
    explained = {found.pointer: found.winner.value for found in preset.explain()}
    for pointer, value in leaves(preset.body):
        assert str(explained[pointer]) == str(value)


@settings(max_examples=40)
@given(chains())
def test_what_a_chain_of_layers_removed_is_told(files: dict[str, str]) -> None:
    preset = compiled(files)
    told_ = {found.pointer for found in preset.explain()}
    low = json.loads(files["presets/low.yaml"])
    for key in ("temperature", "max_tokens"):
        assert key not in low or f"/{key}" in told_
    for key in low.get("metadata") or {}:
        if low["metadata"][key] is not None:
            assert any(pointer in told_ for pointer in ("/metadata", f"/metadata/{key}"))


def leaves(value: Any, pointer: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in leaves(item, f"{pointer}/{key}")]
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, f"{pointer}/{index}")]
    return [(pointer, value)]
