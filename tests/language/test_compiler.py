"""Whole projects through the compiler: composition against flattening, provenance, environments, reports."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.disk import Library
from orpolicy.errors import CompileError, UsageError
from orpolicy.language.checker import check
from orpolicy.language.compiler import Compiler
from orpolicy.language.document import read_document
from orpolicy.language.files import Memory
from orpolicy.language.source import Source
from orpolicy.language.workspace import Workspace


def project(files: dict[str, str]) -> Compiler:
    return Compiler(Workspace(Memory(files), Workspace(Library())))


def codes(files: dict[str, str]) -> list[tuple[str, str]]:
    return [(diagnostic.code, str(diagnostic.location)) for diagnostic in check(project(files))]


# Generated projects: presets 0 … n, each extending some of those before it.

slugs = st.sampled_from(["anthropic", "azure", "together", "deepinfra/turbo"])
plain = st.lists(slugs, min_size=1, max_size=3, unique=True)
edit = st.dictionaries(st.sampled_from(["append", "prepend"]), plain, min_size=1)
unwanted = st.lists(st.sampled_from(["nebius", "chutes", "novita"]), min_size=1, max_size=2, unique=True)
unwanted_edit = st.dictionaries(st.sampled_from(["append", "prepend"]), unwanted, min_size=1)
layers = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0, 1, "0.5"]).map(lambda value: json.loads(str(value))),
        "max_tokens": st.integers(1, 900),
        "provider": st.fixed_dictionaries(
            {},
            optional={
                "order": plain | edit,
                "ignore": unwanted | unwanted_edit,
                "zdr": st.just(True),
                "max_price": st.fixed_dictionaries(
                    {}, optional={"prompt": st.integers(1, 9), "completion": st.just("2.50")}
                ),
            },
        ),
        "metadata": st.dictionaries(st.sampled_from(["team", "app"]), st.sampled_from(["a", "b"])),
        "plugins": st.lists(
            st.fixed_dictionaries({"id": st.just("file-parser")}, optional={"enabled": st.booleans()}),
            max_size=1,
        ),
        "stop": st.lists(st.sampled_from(["END", "###"]), max_size=2, unique=True),
    },
)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, str]:
    size = draw(st.integers(1, 5))
    files = {}
    for number in range(size):
        data = draw(layers)
        bases = draw(st.lists(st.integers(0, number - 1), max_size=2, unique=True)) if number else []
        if bases:
            data["extends"] = [f"p{base}" for base in sorted(bases, reverse=True)]
        if draw(st.booleans()):
            data["environments"] = {"prod": draw(layers)}
        files[f"presets/p{number}.yaml"] = json.dumps({"model": f"author/model-{number}", **data})
    if draw(st.booleans()):
        files["orpolicy.yaml"] = json.dumps({"defaults": draw(layers), "environments": ["prod"]})
    return files


def compiled(files: dict[str, str], name: str, environment: str | None) -> Any:
    compiler = project(files)
    known = compiler.workspace.environments
    try:
        return compiler.compile(name, environment if environment in known else None)
    except CompileError as error:
        report = error.report
    assert {diagnostic.code for diagnostic in report.errors} == {"inconsistent-extends"}
    return None


@given(projects(), st.sampled_from([None, "prod"]))
def test_a_composed_project_and_its_flattened_equivalent_compile_to_identical_bytes(
    files: dict[str, str], environment: str | None
) -> None:
    for file in [name for name in files if name.startswith("presets/")]:
        name = file.removeprefix("presets/").removesuffix(".yaml")
        whole = compiled(files, name, environment)
        if whole is None:
            continue
        flat = {"presets/flat.yaml": json.dumps(flatten(files, name, environment), default=str)}
        assert json.dumps(project(flat).compile("flat").body) == json.dumps(whole.body)


def flatten(files: dict[str, str], name: str, environment: str | None) -> dict[str, Any]:
    """Compose a preset by hand: Python's own method resolution order, and a merge of its own."""
    sources = {
        file.removeprefix("presets/").removesuffix(".yaml"): json.loads(text) for file, text in files.items()
    }
    classes: dict[str, type] = {}
    for key in sorted(source for source in sources if source.startswith("p")):
        bases = tuple(classes[base] for base in sources[key].get("extends", ()))
        if all(base in classes for base in sources[key].get("extends", ())):
            classes[key] = type(key, bases, {})
    chain = [cls.__name__ for cls in classes[name].__mro__ if cls is not object]
    flat: dict[str, Any] = {}
    lay(flat, sources.get("orpolicy", {}).get("defaults", {}))
    for key in reversed(chain):
        own = dict(sources[key])
        overlay = own.pop("environments", {}).get(environment, {})
        own.pop("extends", None)
        lay(flat, own)
        lay(flat, overlay)
    return flat


def lay(flat: dict[str, Any], data: dict[str, Any]) -> None:
    for key, value in data.items():
        if key == "plugins":
            known = {plugin["id"]: plugin for plugin in flat.setdefault(key, [])}
            for plugin in value:
                if plugin["id"] in known:
                    known[plugin["id"]].update(plugin)
                else:
                    flat[key].append(dict(plugin))
        elif (
            isinstance(value, dict)
            and value
            and value.keys() <= {"append", "prepend"}
            and key in ("order", "ignore")
        ):
            rest = flat.get(key, [])
            for where in ("prepend", "append"):
                moved = value.get(where, [])
                rest = [item for item in rest if item not in moved]
                rest = moved + rest if where == "prepend" else rest + moved
            flat[key] = rest
        elif isinstance(value, dict):
            below = flat.get(key)
            flat[key] = dict(below) if isinstance(below, dict) else {}
            lay(flat[key], value)
        else:
            flat[key] = value


@given(projects(), st.sampled_from([None, "prod"]))
def test_provenance_is_sound_and_complete(files: dict[str, str], environment: str | None) -> None:
    for file in [name for name in files if name.startswith("presets/")]:
        whole = compiled(files, file.removeprefix("presets/").removesuffix(".yaml"), environment)
        if whole is None:
            continue
        explained = {explanation.pointer: explanation.winner for explanation in whole.explain()}
        for pointer, value in leaves(whole.body):
            origin = whole.origin(pointer)
            assert origin is not None
            assert "/" + "/".join(map(str, pointer)) in explained
            line = files[origin.file]
            text = line[origin.span.start.column - 1 : origin.span.end.column - 1]
            document = read_document(Source("x", f"v: {text}")).document
            assert document is not None
            written = document.data["v"]
            assert str(written) == str(value) or float(str(written)) == float(value), (pointer, text)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, (*path, index))]
    return [(path, value)]


@given(projects())
def test_compiling_twice_gives_identical_bytes(files: dict[str, str]) -> None:
    for file in [name for name in files if name.startswith("presets/")]:
        name = file.removeprefix("presets/").removesuffix(".yaml")
        once, again = compiled(files, name, None), compiled(dict(reversed(files.items())), name, None)
        assert (once is None) == (again is None)
        if once is not None:
            assert json.dumps(once.body) == json.dumps(again.body)
            assert once.digest == again.digest


@given(projects())
def test_checking_reports_what_compiling_reports(files: dict[str, str]) -> None:
    report = check(project(files))
    names = project(files).workspace.preset_files
    failing = [name for name in names for where in (None, "prod") if compiled(files, name, where) is None]
    assert bool(report.errors) == bool(failing)


def test_each_base_is_composed_once_for_a_thousand_presets_three_environments_and_five_policies() -> None:
    files = {
        "orpolicy.yaml": "environments: [dev, stage, prod]\ndefaults: {user: app}\n",
        "presets/base.yaml": "temperature: 0\nenvironments: {dev: {seed: 1}, stage: {seed: 2}, prod: {seed: 3}}\n",
        "presets/middle.yaml": "extends: base\ntop_p: 0.5\n",
    }
    for number in range(1000):
        files[f"presets/p{number}.yaml"] = f"extends: middle\nmodel: author/model-{number}\n"
    demands = [
        "zdr: true",
        "max_tokens: 100",
        "max_price: {prompt: 5}",
        "providers: {deny: [x]}",
        "data_collection: deny",
    ]
    for number, demand in enumerate(demands):
        files[f"presets/n{number}.policy.yaml"] = f"{demand}\n"
    compiler = project(files)
    assert not check(compiler).errors
    # With defaults below and four variants (none, dev, stage, prod): base takes 1 merge without an overlay and 2 with
    # one (base itself is shared), middle one more in each, and every preset its own.
    shared = 1 + 3 + 4
    assert compiler.compositions == shared + 4 * 1000


def test_environments_lay_each_preset_s_overlay_right_after_it() -> None:
    files = {
        "presets/base.yaml": "model: a/base\nuser: base\nenvironments: {prod: {user: base-prod, seed: 1}}\n",
        "presets/top.yaml": "extends: base\nuser: top\nenvironments: {prod: {temperature: 1}}\n",
    }
    assert project(files).compile("top", "prod").body == {
        "model": "a/base",
        "temperature": 1,
        "seed": 1,
        "user": "top",
    }


def test_earlier_bases_win_over_later_ones_as_python_orders_classes() -> None:
    files = {
        "presets/root.yaml": "model: a/root\nuser: root\nseed: 1\n",
        "presets/left.yaml": "extends: root\nuser: left\n",
        "presets/right.yaml": "extends: root\nuser: right\nseed: 2\n",
        "presets/top.yaml": "extends: [left, right]\n",
    }
    assert project(files).compile("top").body == {"model": "a/root", "seed": 2, "user": "left"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"presets/a.yaml": "extends: b\n"}, [("unknown-preset", "presets/a.yaml:1:10")]),
        ({"presets/a.yaml": "extends: [b, c]\n"}, [("unknown-preset", "presets/a.yaml:1:11")]),
        (
            {"presets/a.yaml": "extends: b\n", "presets/b.yaml": "extends: a\n"},
            [("extends-cycle", "presets/a.yaml:1:10"), ("extends-cycle", "presets/b.yaml:1:10")],
        ),
        (
            {
                "presets/a.yaml": "extends: [b, c]\n",
                "presets/b.yaml": "model: x/y\n",
                "presets/c.yaml": "extends: b\n",
            },
            [("inconsistent-extends", "presets/a.yaml:1:10")],
        ),
        ({"presets/a.yaml": "model: x/y\ntemperature: ~\n"}, [("nothing-to-remove", "presets/a.yaml:2:14")]),
        (
            {"presets/a.yaml": "model: x/y\nprovider: {order: {remove: [x]}}\n"},
            [("nothing-to-remove", "presets/a.yaml:2:29")],
        ),
        (
            {
                "orpolicy.yaml": "environments: [prod]\n",
                "presets/a.yaml": "model: x/y\nenvironments: {pord: {seed: 1}}\n",
            },
            [("unknown-environment", "presets/a.yaml:2:16")],
        ),
        (
            {"presets/a.yaml": "model: x/y\n", "presets/a.yml": "model: x/y\n"},
            [("duplicate-preset", "presets/a.yml:1:1")],
        ),
        (
            {
                "presets/a.yaml": "model: x/y\nresponse_format: {type: json_schema, json_schema: {strict: true}}\n"
            },
            [("missing-key", "presets/a.yaml:2:38")],
        ),
        (
            {"orpolicy.yaml": "policies: [orpolicy/zdr]\n", "presets/a.yaml": "model: x/y\n"},
            [("unknown-policy", "orpolicy.yaml:1:12")],
        ),
    ],
)
def test_composition_is_reported_where_it_is_written(
    files: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert codes(files) == expected


@pytest.mark.parametrize(
    ("bases", "said"),
    [
        (
            {"x": "", "y": "extends: x", "top": "extends: [x, y]"},
            "'top' lists 'x' before 'y', 'y' has 'y' before 'x'",
        ),
        (
            {"x": "", "y": "", "a": "extends: [x, y]", "b": "extends: [y, x]", "top": "extends: [a, b]"},
            "'a' has 'x' before 'y', 'b' has 'y' before 'x'",
        ),
        (
            {
                **dict.fromkeys("xyz", ""),
                "a": "extends: [x, y]",
                "b": "extends: [y, z]",
                "c": "extends: [z, x]",
                "top": "extends: [a, b, c]",
            },
            "'top' lists a before b before c; 'a' has a before x before y; 'b' has b before y before z; 'c' has c before z before x",
        ),
    ],
)
def test_bases_that_no_order_suits_are_named(bases: dict[str, str], said: str) -> None:
    files = {f"presets/{name}.yaml": f"model: x/y\n{text}\n" for name, text in bases.items()}
    with pytest.raises(CompileError) as stopped:
        project(files).compile("top")
    assert stopped.value.report.errors[0].message == f"no order suits all that 'top' extends: {said}"


def test_a_mistake_in_a_base_is_reported_once_however_many_build_on_it() -> None:
    files = {"presets/base.yaml": "temperature: 3\n"}
    files |= {f"presets/p{number}.yaml": "extends: base\nmodel: x/y\n" for number in range(5)}
    assert codes(files) == [("out-of-range", "presets/base.yaml:1:14")]


def test_a_finding_of_one_environment_names_it() -> None:
    files = {
        "presets/a.yaml": "model: x/y\nplugins: [{id: file-parser}]\nenvironments: {prod: {stop: {remove: [x]}}}\n"
    }
    (diagnostic,) = check(project(files))
    assert diagnostic.message.endswith("(in 'prod')")


def test_unknown_names_come_with_suggestions() -> None:
    compiler = project({"presets/support/triage.yaml": "model: x/y\nenvironments: {prod: {seed: 1}}\n"})
    with pytest.raises(UsageError, match="did you mean 'support/triage'"):
        compiler.compile("suport/triage")
    with pytest.raises(UsageError, match="did you mean 'prod'"):
        compiler.compile("support/triage", "prd")


def test_an_abstract_preset_is_not_compiled_by_itself() -> None:
    compiler = project({"presets/mixin.yaml": "abstract: true\nseed: 1\n"})
    assert not check(compiler)
    with pytest.raises(CompileError, match="abstract"):
        compiler.compile("mixin")


def test_chains_of_diamonds_take_no_exponential_time() -> None:
    files = {"presets/p0.yaml": "model: x/y\n"}
    for number in range(1, 60):
        files[f"presets/l{number}.yaml"] = f"extends: p{number - 1}\n"
        files[f"presets/r{number}.yaml"] = f"extends: p{number - 1}\n"
        files[f"presets/p{number}.yaml"] = f"extends: [l{number}, r{number}]\nseed: {number}\n"
    assert project(files).compile("p59").body == {"model": "x/y", "seed": 59}


def test_a_chain_without_end_is_refused() -> None:
    files = {f"presets/p{number}.yaml": f"extends: p{number - 1}\n" for number in range(1, 400)}
    files["presets/p0.yaml"] = "model: x/y\n"
    with pytest.raises(CompileError, match="longer than 200"):
        project(files).compile("p399")


def test_overrides_are_one_more_layer_and_are_checked_like_the_others() -> None:
    preset = project({"presets/a.yaml": "model: x/y\nprovider: {order: [a]}\nsystem: Be brief.\n"}).compile(
        "a"
    )
    request = preset.request(
        "hi", provider={"order": {"append": ["b"]}, "max_price": {"prompt": 1.5}}, temperature=0.5
    )
    assert request.body["provider"] == {"order": ["a", "b"], "max_price": {"prompt": "1.5"}}
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]
    with pytest.raises(CompileError, match="did you mean 'temperature'"):
        assert preset.request("hi", temperatur=1)
    with pytest.raises(CompileError, match="at most 2"):
        preset.request("hi", temperature=3)
    with pytest.raises(UsageError, match="not JSON"):
        preset.request("hi", metadata={"x": object()})


def test_a_null_in_a_json_schema_is_a_value_unless_it_removes_something() -> None:
    schema = "{type: object, default: ~, properties: {a: {default: ~}}}"
    files = {
        "presets/base.yaml": f"model: x/y\ntools: [{{type: function, function: {{name: f, parameters: {schema}}}}}]\n",
        "presets/top.yaml": "extends: base\ntools: [{type: function, function: {name: f, parameters: {type: ~}}}]\n",
    }
    assert project(files).compile("base").body["tools"][0]["function"]["parameters"] == {
        "type": "object",
        "default": None,
        "properties": {"a": {"default": None}},
    }
    assert "type" not in project(files).compile("top").body["tools"][0]["function"]["parameters"]
    assert not check(project(files)).errors


def test_a_body_cannot_be_changed_and_a_request_can() -> None:
    preset = project({"presets/a.yaml": "model: x/y\nprovider: {order: [a]}\n"}).compile("a")
    with pytest.raises(TypeError):
        preset.body["model"] = "other"
    with pytest.raises(TypeError):
        preset.body["provider"]["order"].append("b")
    preset.request("hi").body["provider"]["order"].append("b")
    assert preset.body == {"model": "x/y", "provider": {"order": ["a"]}}


def test_deprecated_aliases_are_folded_and_keep_their_origin() -> None:
    text = "model: x/y\nmodels: [x/z]\nprovider: {sort: price}\nroute: sort\ntransforms: [middle-out]\n"
    preset = project({"presets/a.yaml": text}).compile("a")
    assert preset.body["provider"] == {"sort": {"by": "price", "partition": "none"}}
    assert preset.body["plugins"] == [{"id": "context-compression"}]
    assert str(preset.origin(("provider", "sort", "partition"))) == "presets/a.yaml:4:8"
    assert str(preset.origin(("provider", "sort", "by"))) == "presets/a.yaml:3:18"
    assert str(preset.origin(("plugins", 0, "id"))) == "presets/a.yaml:5:13"


@pytest.mark.parametrize("messages", [None, {"role": "user", "content": "hi"}, 5, ["hi"]])
def test_what_is_no_conversation_is_wrong_usage(messages: Any) -> None:
    preset = project({"presets/a.yaml": "model: x/y\n"}).compile("a")
    with pytest.raises(UsageError, match="messages are"):
        preset.request(messages)
