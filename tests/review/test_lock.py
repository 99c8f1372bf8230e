"""A lock sends what its project sends, refuses what it refuses, and changes where that changes and nowhere else."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from attacks import MEANING, NARROWED, STOPPED
from attrs import evolve
from catalogs import CATALOG, bodies, catalogs
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from strategies import layers, policies, presets

from orpolicy.disk import Library
from orpolicy.errors import CompileError, CostCeilingExceeded, OrpolicyError, UsageError
from orpolicy.language.files import Memory
from orpolicy.language.recompose import find_differences, join, restore
from orpolicy.language.settle import settle
from orpolicy.language.trees import to_data
from orpolicy.language.values import canonical_json
from orpolicy.language.workspace import Workspace
from orpolicy.locked import Lock, parse_lock
from orpolicy.project import Project
from orpolicy.review.effects import collect_effects
from orpolicy.review.lock import read_effects, write_lock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.compiled import Compiled
    from orpolicy.routing.catalog import Catalog

MODEL = "openai/gpt-5-mini"
FILES = {
    "orpolicy.yaml": "environments: [test, prod]\ndefaults: {user: us}\n",
    "presets/base.yaml": "abstract: true\ntemperature: 0.50\nsystem: |\n  Be kind.\n  Be brief.\n",
    "presets/one.yaml": f"""\
extends: base
model: {MODEL}
max_tokens: 900
max_cost: 0.9
attribution: {{title: One}}
environments:
  prod: {{provider: {{zdr: true}}}}
""",
    "presets/two.yaml": "model: openai/gpt-4o-mini\nroute: fallback\nprovider: {max_price: {prompt: '1.10'}}\n",
    "presets/low.policy.yaml": """\
applies_to: {environments: [prod]}
max_tokens: 1000
models: {allow: ['openai/*', '~openai/*'], deny: ['*:free', 'deepseek/*']}
providers: {deny: [deepseek]}
max_price: {prompt: 2.50}
""",
}


def make_project(files: Mapping[str, str], catalog: Catalog | None = CATALOG) -> Project:
    return Project(Workspace(Memory(files), Workspace(Library())), given=catalog)


def lock_files(files: Mapping[str, str], catalog: Catalog | None = CATALOG) -> str:
    return write_lock(make_project(files, catalog))


def read(text: str) -> Lock:
    return parse_lock(text.encode())


def answer(compiled: Compiled, overrides: Mapping[str, Any]) -> Any:
    """Return what comes of a call: what is sent byte for byte, or the verdict."""
    try:
        request = compiled.request("hi", **overrides)
    except CompileError as failure:
        return type(failure), sorted(found.code for found in failure.report.errors)
    except OrpolicyError as failure:
        return type(failure), str(failure)
    return json.dumps(request.body), dict(request.headers), request.base_url, request.max_cost


def compare(project: Project, lock: Lock, name: str, environment: str | None, overrides: Any) -> Any:
    """Hold the answers of a project and of its lock against each other."""
    answers = [answer(one.preset(name, environment), overrides) for one in (project, lock)]
    assert answers[0] == answers[1]
    return answers[0]


OVERRIDES: list[dict[str, Any]] = [
    {},
    {"max_tokens": 100},
    {"max_tokens": 5000},
    {"max_completion_tokens": 1001},
    {"temperature": Decimal("0.3")},
    {"temperature": 3},
    {"provider": {"zdr": None}},
    {"provider": None, "route": None},
    {"provider": {"ignore": {"remove": ["deepseek"]}}},
    {"provider": {"max_price": {"prompt": "2.51"}}},
    {"model": "anthropic/claude-haiku-4.5", "max_cost": None},
    {"model": "openai/gpt-5-mini:nitro"},
    {"system": "Be loud.", "attribution": {"referer": "https://example.com"}},
    {"region": "eu"},
    {"description": "x"},
    {"modle": "x"},
]


@pytest.mark.parametrize("overrides", OVERRIDES, ids=str)
@pytest.mark.parametrize(
    ("name", "environment"), [("one", None), ("one", "prod"), ("one", "test"), ("two", None), ("two", "prod")]
)
def test_a_lock_answers_a_call_as_its_project_does(
    name: str, environment: str | None, overrides: dict[str, Any]
) -> None:
    compare(make_project(FILES), read(lock_files(FILES)), name, environment, overrides)


SAID = st.one_of(layers(), st.sampled_from(OVERRIDES), st.sampled_from([row[0] for row in STOPPED]))


@settings(max_examples=40)
@given(presets(environments=["prod"]), layers(), policies(), st.lists(SAID, max_size=3), st.booleans())
def test_a_lock_answers_every_call_as_its_project_does(
    preset: dict[str, Any], base: dict[str, Any], policy: dict[str, Any], calls: list[Any], silent: bool
) -> None:
    files = {
        "orpolicy.yaml": json.dumps({"rules": MEANING if silent else {}, "environments": ["prod"]}),
        "presets/base.yaml": write({**base, "abstract": True}),
        "presets/it.yaml": write({"extends": "base", **preset}),
        "presets/org.policy.yaml": write(policy),
    }
    files = find_compiling(files, "presets/org.policy.yaml", "presets/base.yaml", "presets/it.yaml")
    project, text = make_project(files, None), lock_files(files, None)
    lock = read(text)
    assert lock_files(files, None) == text
    for environment in (None, "prod"):
        for overrides in ({}, *calls):
            event(str(compare(project, lock, "it", environment, overrides)[0])[:30])


def find_compiling(files: dict[str, str], *doubtful: str) -> dict[str, str]:
    """Leave out what keeps a project from being compiled: most random policies contradict most random presets."""
    stand_in = {
        "presets/base.yaml": "abstract: true\n",
        "presets/it.yaml": f"extends: base\nmodel: {MODEL}\n",
    }
    for file in doubtful:
        try:
            lock_files(files, None)
        except CompileError:
            event(f"without {file}")
            files = {name: text for name, text in files.items() if name != file}
            files |= {file: stand_in[file]} if file in stand_in else {}
        else:
            return files
    return files


def write(value: Any) -> str:
    """Write JSON with decimals digit by digit."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {write(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


@pytest.mark.parametrize(("preset", "policy"), [row[:2] for row in STOPPED], ids=lambda said: str(said)[:60])
def test_an_attack_on_a_policy_is_stopped_from_a_lock_as_from_the_project(
    preset: dict[str, Any], policy: dict[str, Any]
) -> None:
    allowed = {"region": "eu"} if "regions" in policy else {}
    allowed |= {
        key: {"x": "y"} if key == "metadata" else [{"id": "web"}] for key in policy.get("require", ())
    }
    for model in ("openai/gpt-5", "deepseek/r1", "anthropic/claude-haiku-4.5"):
        files = {
            "orpolicy.yaml": json.dumps({"rules": MEANING}),
            "presets/it.yaml": json.dumps({"model": model, **allowed}),
            "presets/org.policy.yaml": json.dumps(policy),
        }
        project = make_project(files, None)
        try:
            lock = read(write_lock(project))
        except CompileError:
            continue
        compare(project, lock, "it", None, preset)
        return
    pytest.fail("no preset keeps this policy")


@pytest.mark.parametrize(("preset", "policy", "said", "sent"), NARROWED, ids=lambda said: str(said)[:40])
def test_a_call_is_narrowed_from_a_lock_as_from_the_project(
    preset: dict[str, Any], policy: dict[str, Any], said: dict[str, Any], sent: dict[str, Any]
) -> None:
    del sent
    files = {
        "orpolicy.yaml": json.dumps({"rules": MEANING}),
        "presets/it.yaml": json.dumps(preset, default=str),
        "presets/org.policy.yaml": json.dumps(policy),
    }
    project = make_project(files, None)
    compare(project, read(write_lock(project)), "it", None, said)


@pytest.mark.parametrize(
    ("base", "own", "said"),
    [
        # what an edit of a list means depends on what is left of it, not on how it came about
        ({"provider": {"order": ["a", "b", "a"]}}, {"provider": {"order": {"remove": ["a"]}}}, {"provider": {"order": {"remove": ["a"]}}}),
        ({"provider": {"order": ["a"]}}, {"provider": {"order": {"append": ["b"]}}}, {"provider": {"order": {"prepend": ["b"]}}}),
        ({"plugins": [{"id": "web", "max_results": 3}]}, {"plugins": [{"id": "web", "max_results": None}]}, {"plugins": [{"id": "web", "max_results": 5}]}),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"default": 1}}}]},
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"default": None}}}]},
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"default": None}}}]},
        ),
        ({"stop": "x"}, {"stop": None}, {"stop": {"append": ["y"]}}),
        ({"reasoning": {"effort": "low"}}, {"reasoning": None}, {"reasoning": {"exclude": True}}),
        ({"provider": {"sort": "price"}}, {"provider": {"sort": {"by": "latency"}}}, {"provider": {"sort": {"partition": "none"}}}),
        ({"transforms": ["middle-out"]}, {}, {"transforms": []}),
        ({"metadata": {"b": "1", "a": "2"}}, {}, {"metadata": {"c": "3", "b": None}}),
    ],
)  # fmt: skip
def test_calls_lie_over_what_a_preset_came_to(base: Any, own: Any, said: Any) -> None:
    files = {
        "orpolicy.yaml": json.dumps({"rules": MEANING}),
        "presets/base.yaml": json.dumps({"abstract": True, **base}),
        "presets/it.yaml": json.dumps({"extends": "base", "model": MODEL, **own}),
    }
    project = make_project(files, None)
    sent = compare(project, read(write_lock(project)), "it", None, said)
    assert isinstance(sent[0], str)


@settings(max_examples=60)
@given(presets())
def test_a_composition_is_its_request_and_what_differs_from_it(preset: dict[str, Any]) -> None:
    project = make_project(
        {"orpolicy.yaml": json.dumps({"rules": MEANING}), "presets/it.yaml": write(preset)}, None
    )
    try:
        compiled = project.preset("it")
    except CompileError:
        assume(False)
        raise
    data = {
        key: value
        for key, value in to_data(settle(compiled.composed)).items()
        if key not in ("description", "slug")
    }
    joined = join(restore(compiled.lowered), find_differences(data, compiled.lowered))
    assert plain(joined) == plain(data)


def plain(value: Any) -> Any:
    """Write data so that they compare by value, amounts as text included."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return str(Decimal(value).normalize())
    try:
        return str(Decimal(value).normalize()) if isinstance(value, str) else value
    except ArithmeticError:
        return value


def test_a_comment_that_silences_a_rule_silences_it_for_calls_from_a_lock() -> None:
    files = {
        "presets/it.yaml": f"model: {MODEL}\nprovider: {{only: [azure], ignore: [azure]}}  # orpolicy: ignore[only-all-ignored]\n"
    }
    project = make_project(files, None)
    lock = read(write_lock(project))
    assert isinstance(compare(project, lock, "it", None, {"temperature": 0})[0], str)
    code = compare(project, lock, "it", None, {"provider": {"only": ["openai"], "ignore": ["openai"]}})
    assert code == (CompileError, ["only-all-ignored"])


def test_severities_of_the_project_hold_for_calls_from_a_lock() -> None:
    files = {"presets/it.yaml": f"model: {MODEL}\n"}
    call = {"provider": {"only": ["azure"], "ignore": ["azure"]}}
    for severity, expected in (("off", str), ("warning", str), ("error", type)):
        settings_ = {"orpolicy.yaml": f"rules: {{only-all-ignored: {severity}}}\n"}
        project = make_project({**files, **settings_}, None)
        assert isinstance(compare(project, read(write_lock(project)), "it", None, call)[0], expected)


def test_locking_twice_changes_nothing() -> None:
    assert lock_files(FILES) == lock_files(FILES)
    assert lock_files(FILES, None) == lock_files(FILES, None)


RENAMED = {
    **{name: text for name, text in FILES.items() if name != "presets/base.yaml"},
    "presets/other/deep.yaml": FILES["presets/base.yaml"],
    "presets/one.yaml": FILES["presets/one.yaml"].replace("extends: base", "extends: other/deep"),
}
TURNED = {
    name: "\n".join(
        ["# a comment", *text.rstrip("\n").split("\n")][
            :: 1 if "|" in text or "environments:\n" in text else -1
        ]
    )
    + "\n"
    for name, text in reversed(FILES.items())
}


@pytest.mark.parametrize(
    "files",
    [
        RENAMED,
        TURNED,
        {**FILES, "presets/part.yaml": "abstract: true\nseed: 3\n"},
        {**FILES, "presets/one.yaml": "description: First\n" + FILES["presets/one.yaml"]},
    ],
)
def test_how_sources_are_written_changes_nothing(files: dict[str, str]) -> None:
    assert files != FILES
    assert lock_files(files) == lock_files(FILES)


@pytest.mark.parametrize(
    "order", list(permutations(["zdr: true", "max_tokens: 10", "models: {deny: [a/b, c/d]}"]))
)
def test_the_order_in_which_a_policy_demands_changes_nothing(order: tuple[str, ...]) -> None:
    texts = {}
    for lines in (order, sorted(order)):
        files = {"presets/it.yaml": f"model: {MODEL}\n", "presets/org.policy.yaml": "\n".join(lines)}
        texts[lock_files(files)] = lines
    assert len(texts) == 1


def test_where_a_call_would_change_the_lock_changes() -> None:
    before = lock_files(FILES)
    changes = [
        ("presets/base.yaml", "0.50", "0.51"),
        ("presets/base.yaml", "brief", "long"),
        ("presets/low.policy.yaml", "2.50", "2.49"),
        ("orpolicy.yaml", "user: us", "user: them"),
    ]
    for file, old, new in changes:
        assert lock_files({**FILES, file: FILES[file].replace(old, new)}) != before


def test_a_pull_of_equal_facts_changes_nothing() -> None:
    pulled = evolve(
        CATALOG,
        time=None,
        source="elsewhere",
        models=[
            evolve(
                model,
                name="Other",
                created=7,
                endpoints=None
                if model.endpoints is None
                else tuple(
                    evolve(endpoint, status=-2, latency={"p50": Decimal(1)})
                    for endpoint in reversed(model.endpoints)
                ),
            )
            for model in CATALOG.models
        ],
    )
    assert lock_files(FILES, pulled) == lock_files(FILES)


def test_a_model_that_no_preset_rests_on_changes_nothing() -> None:
    files = {"presets/it.yaml": f"model: {MODEL}\n"}
    fewer = evolve(CATALOG, models=[model for model in CATALOG.models if model.id == MODEL])
    assert lock_files(files, fewer) == lock_files(files)


def test_a_lock_names_what_its_patterns_cover_and_what_names_stand_for() -> None:
    lock = read(lock_files(FILES))
    assert set(lock.globs) == {"openai/*", "~openai/*"}
    assert MODEL in lock.globs["openai/*"]
    assert lock.resolved[MODEL] == MODEL
    assert lock.catalog is not None
    assert not lock.catalog.complete
    assert lock.catalog.time is None


@settings(max_examples=60)
@given(catalogs, bodies(), st.sampled_from([None, "0.01", "1"]), st.sampled_from([1, 700, 20_000]))
def test_a_ceiling_holds_from_a_lock_as_from_the_project(
    catalog: Catalog, body: dict[str, Any], ceiling: str | None, tokens: int
) -> None:
    preset = {**body, **({} if ceiling is None else {"max_cost": ceiling})}
    project = make_project(
        {"orpolicy.yaml": json.dumps({"rules": MEANING}), "presets/it.yaml": write(preset)}, catalog
    )
    try:
        lock = read(write_lock(project))
    except CompileError:
        assume(False)
        raise
    calls = [{}, {"max_tokens": tokens}, {"provider": None}] if ceiling else [{}]
    for overrides in calls:
        sent = compare(project, lock, "it", None, overrides)
        event("sent" if isinstance(sent[0], str) else sent[0].__name__)
    assert project.preset("it").worst_case(1000).usd == lock.preset("it").worst_case(1000).usd


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("one", {"model": "anthropic/claude-haiku-4.5"}),
        ("one", {"models": ["openai/gpt-4o-mini"]}),
        ("two", {"max_cost": Decimal("0.9"), "max_tokens": 10}),
    ],
)
def test_where_a_lock_cannot_know_a_worst_case_the_ceiling_goes_into_the_request(
    name: str, overrides: dict[str, Any]
) -> None:
    request = read(lock_files(FILES)).preset(name).request("hi", **overrides)
    assert {"prompt", "completion", "request"} <= request.body["provider"]["max_price"].keys()
    assert (
        "max_price"
        not in make_project(FILES).preset(name).request("hi", **overrides).body.get("provider", {})
        or name == "two"
    )


def test_a_ceiling_given_in_a_call_is_never_held_by_endpoints_that_the_lock_does_not_know() -> None:
    """The cheap endpoint alone is in the lock; a call that lets in the others may not be judged by it."""
    files = {"presets/it.yaml": f"model: {MODEL}\nmax_tokens: 1000\nprovider: {{only: [azure]}}\n"}
    lock = read(lock_files(files))
    assert lock.catalog is not None
    assert {endpoint.prefix for endpoint in lock.catalog.endpoints} == {"azure"}
    request = lock.preset("it").request("hi", max_cost=Decimal("0.01"), provider={"only": None})
    assert "max_price" in request.body["provider"]
    with pytest.raises(CostCeilingExceeded):
        lock.preset("it").request("hi", max_cost=Decimal("0.01"), max_tokens=None)


@settings(max_examples=60)
@given(catalogs, st.lists(bodies(), min_size=1, max_size=3))
def test_a_lock_reaches_whom_its_project_reaches(catalog: Catalog, requests: list[dict[str, Any]]) -> None:
    files = {f"presets/p{number}.yaml": write(body) for number, body in enumerate(requests)}
    project = make_project({"orpolicy.yaml": json.dumps({"rules": MEANING}), **files}, catalog)
    try:
        lock = read(write_lock(project))
    except CompileError:
        assume(False)
        raise
    expected, effects = collect_effects(project, "it"), read_effects(lock)
    assert effects.found.keys() == expected.found.keys()
    for key, effect in expected.found.items():
        mine = effects.found[key]
        assert effect.reached is not None
        assert mine.reached is not None
        assert name_reached(mine.reached) == name_reached(effect.reached)
        assert mine.reached.worst.usd == effect.reached.worst.usd


def name_reached(reached: Any) -> tuple[list[str], list[str]]:
    return (
        sorted(f"{one.model} {one.endpoint.tag} {one.prices.prompt}" for one in reached.attempts),
        sorted(f"{one.model} {one.endpoint.tag} {one.needs}" for one in reached.unknown if one.endpoint),
    )


def test_a_lock_read_back_has_the_effects_of_its_project() -> None:
    project = make_project(FILES)
    expected, effects = collect_effects(project, "it"), read_effects(read(write_lock(project)))
    assert effects.names == expected.names
    assert sorted(effects.environments) == sorted(expected.environments)
    for key, effect in expected.found.items():
        mine = effects.found[key]
        for part in ("body", "system", "headers", "base_url", "max_cost", "digest"):
            assert getattr(mine, part) == getattr(effect, part)
        assert canonical_json(mine.body) == canonical_json(effect.body)
        assert {(said.field, said.value, said.layer.name) for said in mine.policy} == {
            (said.field, said.value, said.layer.name) for said in effect.policy
        }
        assert mine.explain("") == ()


def test_a_lock_has_the_face_of_a_project() -> None:
    project, lock = make_project(FILES), read(lock_files(FILES))
    assert lock.names == ("one", "two")
    assert sorted(lock.environments) == sorted(project.environments)
    assert lock.variants("one") == (None, "prod")
    assert lock.preset("one", "test").environment == "test"
    one, other = lock.preset("one", "prod"), project.preset("one", "prod")
    assert (one.name, one.region, one.preset) == (other.name, other.region, other.preset)
    assert one.tree.entries.keys() == other.tree.entries.keys()
    assert one.for_litellm("hi") == other.for_litellm("hi")
    assert one.request("hi", skin="responses") == other.request("hi", skin="responses")
    assert one.as_curl() == other.as_curl()
    assert one.origin(("model",)) is None
    fields = [demand.field for demand in project.policy("one", "prod").demands]
    assert [demand.field for demand in lock.policy("one", "prod").demands] == fields
    assert lock.policy().policy == frozenset()
    assert [file.name for file in lock.policy().others] == ["low"]
    assert lock.describe("one") is None
    assert lock.source("presets/one.yaml") is None


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda lock: lock.preset("ones"), "orpolicy.lock holds no preset 'ones'; did you mean 'one'?"),
        (lambda lock: lock.preset("base"), "orpolicy.lock holds no preset 'base'"),
        (lambda lock: lock.preset("one", "prd"), "holds no environment 'prd'; did you mean 'prod'?"),
        (lambda lock: lock.variants("x"), "holds no preset 'x'; there is one, two"),
        (lambda lock: lock.preset("one").explain("/model"), "holds no sources: explain 'one' in the project"),
        (lambda lock: lock.check(), "holds no sources to check"),
        (lambda lock: lock.compose("one"), "holds no sources to compose"),
    ],
)
def test_what_a_lock_cannot_do_it_says(ask: Any, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        ask(read(lock_files(FILES)))
    assert message in str(refused.value)


def test_a_violation_names_the_policy_and_its_file() -> None:
    with pytest.raises(CompileError) as refused:
        read(lock_files(FILES)).preset("one", "prod").request("hi", max_tokens=5000)
    [found] = refused.value.report.errors
    assert found.message == "'max_tokens' is 5000, above the policy's 1000"
    [related] = found.related
    assert (related.message, related.location.file) == ("policy low says so here", "presets/low.policy.yaml")


@pytest.mark.parametrize("text", ["a\n\nb\n", "\n", "a\r\nb", "\u2028\x85 \U0001f600", "\\ud800 \"'\t"])
def test_texts_survive_whatever_they_hold(text: str) -> None:
    files = {
        "presets/it.yaml": json.dumps(
            {"model": MODEL, "system": text, "metadata": {"k": text}}, ensure_ascii=False
        )
    }
    project = make_project(files, None)
    lock = read(write_lock(project))
    compare(project, lock, "it", None, {})
    compare(project, lock, "it", None, {"seed": 1})
