"""Laws over generated projects: chains and diamonds with removals, list edits, overlays, defaults and several policies."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from orpolicy.errors import CompileError
from orpolicy.language.compiler import Compiler
from orpolicy.language.document import read_document
from orpolicy.language.files import Memory
from orpolicy.language.rules import FAMILIES
from orpolicy.language.source import Source, from_pointer
from orpolicy.language.workspace import Workspace

MEANING = dict.fromkeys((code for family in ("meaning", "catalogue") for code in FAMILIES[family]), "off")
EDITED = ("order", "ignore", "stop")
Data = dict[str, Any]


def lists(words: list[str]) -> st.SearchStrategy[Any]:
    plain = st.lists(st.sampled_from(words), min_size=1, max_size=3, unique=True)
    edits = st.dictionaries(st.sampled_from(["remove", "prepend", "append"]), plain, min_size=1)
    return st.one_of(plain, edits, edits)


plugins = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["web", "file-parser"])},
        optional={"enabled": st.booleans(), "max_results": st.just(3)},
    ).map(lambda plugin: plugin if plugin["id"] == "web" else {"id": plugin["id"]}),
    min_size=1,
    max_size=2,
    unique_by=lambda plugin: plugin["id"],
)
layers: st.SearchStrategy[Data] = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0, 1, None]),
        "max_tokens": st.sampled_from([100, 900]),
        "stop": lists(["END", "###", "-"]),
        "metadata": st.one_of(
            st.none(),
            st.dictionaries(st.sampled_from(["team", "app"]), st.sampled_from(["a", "b", None]), min_size=1),
        ),
        "plugins": st.one_of(plugins, st.just({"remove": ["web"]}), st.just({"append": [{"id": "web"}]})),
        "provider": st.one_of(
            st.fixed_dictionaries(
                {},
                optional={
                    "order": lists(["anthropic", "azure", "together"]),
                    "ignore": st.one_of(st.none(), lists(["nebius", "chutes"])),
                    "sort": st.sampled_from(["price", None, {"by": "price"}, {"partition": "none"}]),
                    "max_price": st.dictionaries(
                        st.sampled_from(["prompt", "completion"]), st.sampled_from([1, 2, None]), min_size=1
                    ),
                },
            ),
            st.none(),
        ),
    },
)
policies = st.fixed_dictionaries(
    {"zdr": st.booleans()},
    optional={
        "max_tokens": st.sampled_from([900, 1000]),
        "max_price": st.just({"prompt": 2, "request": 0}),
        "providers": st.sampled_from(
            [{"deny": ["novita"]}, {"allow": ["anthropic", "azure", "together", "x/y"]}]
        ),
        "plugins": st.just({"deny": ["fusion"]}),
        "applies_to": st.sampled_from([{"environments": ["prod"]}, {"presets": ["team/*"]}]),
    },
)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, str]:
    names = [draw(st.sampled_from(["", "team/"])) + f"p{number}" for number in range(draw(st.integers(1, 5)))]
    files = {}
    for number, name in enumerate(names):
        data = {"model": f"author/model-{number}", **draw(layers)}
        below = st.lists(st.integers(0, number - 1), max_size=2, unique=True) if number else st.just([])
        bases = [names[base] for base in sorted(draw(below), reverse=True)]
        files[f"presets/{name}.yaml"] = {
            **data,
            **({"extends": bases} if bases else {}),
            **({"environments": {"prod": draw(layers)}} if draw(st.booleans()) else {}),
        }
    for number in range(draw(st.integers(0, 3))):
        files[f"presets/{draw(st.sampled_from(['', 'team/']))}n{number}.policy.yaml"] = draw(policies)
    defaults = draw(layers) if draw(st.booleans()) else {}
    files["orpolicy.yaml"] = {"environments": ["prod"], "rules": MEANING, "defaults": defaults}
    return {name: json.dumps(data) for name, data in files.items()}


def names_of(files: dict[str, str]) -> list[str]:
    return [
        file.removeprefix("presets/").removesuffix(".yaml")
        for file in files
        if file.startswith("presets/") and not file.endswith(".policy.yaml")
    ]


def compile_(files: dict[str, str], name: str, environment: str | None) -> Any:
    try:
        return Compiler(Workspace(Memory(files))).compile(name, environment)
    except CompileError as stopped:
        codes = {error.code for error in stopped.report.errors}
        event(str(sorted(codes)))
        # What a generated layer removes may not be there, and what a policy forbids may be.
        assert codes <= {"inconsistent-extends", "nothing-to-remove", "policy-conflict"}
        return None


# A second composition, written apart: Python's own method resolution order, and a merge of plain dictionaries.


def flatten(files: dict[str, str], name: str, environment: str | None) -> Data:
    sources = {other: json.loads(files[f"presets/{other}.yaml"]) for other in names_of(files)}
    classes: dict[str, type] = {}
    for other in sorted(sources, key=lambda text: text[-1]):
        bases = sources[other].get("extends", [])
        if all(base in classes for base in bases):
            try:
                classes[other] = type(other, tuple(classes[base] for base in bases), {})
            except TypeError:  # no order suits its bases
                continue
    flat = lay({}, json.loads(files["orpolicy.yaml"])["defaults"])
    for cls in reversed([cls.__name__ for cls in classes[name].__mro__ if cls is not object]):
        own = {key: value for key, value in sources[cls].items() if key not in ("extends", "environments")}
        flat = lay(flat, own)
        flat = lay(flat, sources[cls].get("environments", {}).get(environment, {}))
    return flat


def lay(below: Any, top: Data) -> Data:
    flat = copy.deepcopy(below) if isinstance(below, dict) else {}
    for key, value in top.items():
        if value is None:
            flat.pop(key, None)
        elif key == "plugins":
            flat[key] = lay_plugins(flat.get(key, []), value)
        elif key in EDITED and isinstance(value, dict):
            flat[key] = edit(flat.get(key, []), value)
        elif isinstance(value, dict):
            flat[key] = lay(flat.get(key), value)
        else:
            flat[key] = value
    return flat


def edit(rest: list[str], edits: dict[str, list[str]]) -> list[str]:
    rest = [item for item in rest if item not in edits.get("remove", [])]
    first, last = edits.get("prepend", []), edits.get("append", [])
    rest = first + [item for item in rest if item not in first]
    return [item for item in rest if item not in last] + last


def lay_plugins(rest: list[Data], value: Any) -> list[Data]:
    if isinstance(value, dict) and "remove" in value:
        return [plugin for plugin in rest if plugin["id"] not in value["remove"]]
    added = value["append"] if isinstance(value, dict) else value
    known = {plugin["id"]: plugin for plugin in rest}
    joined = {plugin["id"]: {**known.get(plugin["id"], {}), **plugin} for plugin in added}
    if isinstance(value, dict):
        known = {key: plugin for key, plugin in known.items() if key not in joined}
    return list({**known, **joined}.values())


@settings(max_examples=60)
@given(projects(), st.sampled_from([None, "prod"]))
def test_a_composed_project_and_its_hand_flattened_equivalent_compile_to_identical_bytes(
    files: dict[str, str], environment: str | None
) -> None:
    plain = {"environments": ["prod"], "rules": MEANING}
    others = {file: text for file, text in files.items() if file.endswith(".policy.yaml")}
    compiled = {name: compile_(files, name, environment) for name in names_of(files)}
    assume(any(compiled.values()))
    for name, whole in compiled.items():
        if whole is not None:
            flat = json.dumps(flatten(files, name, environment))
            again = compile_(
                {**others, "orpolicy.yaml": json.dumps(plain), f"presets/{name}.yaml": flat},
                name,
                environment,
            )
            assert again is not None
            assert json.dumps(again.body) == json.dumps(whole.body)
            assert again.digest == whole.digest


@settings(max_examples=60)
@given(projects(), st.sampled_from([None, "prod"]))
def test_provenance_is_sound_and_complete_policies_included(
    files: dict[str, str], environment: str | None
) -> None:
    for name in names_of(files):
        whole = compile_(files, name, environment)
        for found in () if whole is None else whole.explain():
            place = found.winner.location
            assert place is not None
            line = files[place.file]
            text = line[place.span.start.column - 1 : place.span.end.column - 1]
            document = read_document(Source("x", f"v: {text}")).document
            assert document is not None
            if isinstance(found.winner.value, (str, int, bool)):
                assert document.data["v"] == found.winner.value, found.pointer
        if whole is not None:
            explained = {found.pointer for found in whole.explain()}
            assert all(pointer in explained for pointer in pointers(whole.body))


def pointers(value: Any, above: str = "") -> list[str]:
    if isinstance(value, (dict, list)) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [pointer for key, item in items for pointer in pointers(item, f"{above}/{key}")]
    return [above]


@settings(max_examples=40)
@given(projects(), st.randoms(use_true_random=False))
def test_neither_the_order_of_keys_nor_of_files_nor_the_number_of_policy_files_counts(
    files: dict[str, str], chance: Any
) -> None:
    def shuffle(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shuffle(value[key]) for key in chance.sample(list(value), len(value))}
        return value

    other: dict[str, str] = {}
    for file in chance.sample(list(files), len(files)):
        data = json.loads(files[file])
        if file.endswith(".policy.yaml"):
            scope = {"applies_to": data.pop("applies_to")} if "applies_to" in data else {}
            stem = file.removesuffix(".policy.yaml")
            other |= {
                f"{stem}-{number}.policy.yaml": json.dumps({key: data[key], **scope})
                for number, key in enumerate(data)
            }
        else:
            other[file] = json.dumps(shuffle(data))
    for name in names_of(files):
        one, two = compile_(files, name, "prod"), compile_(other, name, "prod")
        assert (one is None) == (two is None)
        if one is not None:
            assert json.dumps(one.body) == json.dumps(two.body)
            assert [from_pointer(found.pointer) for found in one.explain()] == [
                from_pointer(found.pointer) for found in two.explain()
            ]


def test_the_digest_is_sha256_over_the_canonical_json_of_all_that_is_sent() -> None:
    files = {
        "orpolicy.yaml": "{}",
        "presets/it.yaml": '{"model": "a/b", "region": "eu", "system": "Hi", "max_cost": "0.50", "temperature": 1.0}',
    }
    sent = (
        '{"base_url":"https://eu.openrouter.ai/api/v1","body":{"model":"a/b","temperature":1},'
        '"headers":{},"max_cost":"0.50","system":"Hi"}'
    )
    digest = compile_(files, "it", None).digest
    assert digest == "sha256:" + hashlib.sha256(sent.encode()).hexdigest()
