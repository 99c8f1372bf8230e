"""Whoever signs rubbish gets a sentence: whatever a lock holds, every way into it answers or says ``LockError``."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from catalogs import CATALOG, NOW
from hypothesis import event, given, settings
from hypothesis import strategies as st
from mutations import json_values, mutations

from orpolicy.cli import diff_markdown, diffs, drifts
from orpolicy.client.adapters import AdapterError
from orpolicy.disk import Library
from orpolicy.errors import CatalogError, CompileError, CostCeilingExceeded, LockError
from orpolicy.language.files import Memory
from orpolicy.language.skins import SkinError
from orpolicy.language.workspace import Workspace
from orpolicy.lock_text import HEAD, digest_rest
from orpolicy.locked import Lock, parse_lock
from orpolicy.project import Project
from orpolicy.review.diff import compare
from orpolicy.review.drift import find_drift
from orpolicy.review.effects import collect_effects
from orpolicy.review.lock import read_effects, write_lock
from orpolicy.review.lock_check import check_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orpolicy.locked_preset import LockedPreset

FILES = {
    "orpolicy.yaml": "environments: [prod]\nrules: {missing-max-tokens: off, deprecated: error}\n",
    "presets/one.yaml": """\
model: openai/gpt-5-mini
models: [anthropic/claude-haiku-4.5]
system: Be kind.
max_tokens: 900
max_cost: 0.9
temperature: 0.50
anthropic_beta: [x]
attribution: {title: One}
provider: {only: [openai, anthropic], sort: {by: price}, max_price: {prompt: 2}}
tools: [{type: function, function: {name: f, parameters: {type: object}}}]
environments:
  prod: {provider: {zdr: true}}
""",
    "presets/auto.yaml": """\
model: openrouter/auto
max_tokens: 5
plugins: [{id: auto-router, allowed_models: ['openai/*']}]
reasoning: {effort: low}
metadata: {a: b}
""",
    "presets/low.policy.yaml": """\
applies_to: {environments: [prod]}
max_tokens: 1000
models: {allow: ['openai/*', 'anthropic/*', 'openrouter/*'], deny: [deepseek/r1]}
max_price: {prompt: 2.50}
""",
}


def make_project(files: dict[str, str] = FILES) -> Project:
    return Project(Workspace(Memory(files), Workspace(Library())), given=CATALOG)


TEXT = write_lock(make_project())
MEMBERS: dict[str, Any] = json.loads(TEXT, parse_float=Decimal)
EFFECTS = collect_effects(make_project(), "here")
RUBBISH = [
    *(None, True, 0, -1, 1.5, 10**30, 10**4200, float("nan"), float("inf")),
    *("", "x", "\n", "NaN", "1E+999999999", "\ud800", "x" * 5000, "openai/gpt-5-mini"),
    *([], [1], ["x"], [[]], [None], [{"type": "x"}], {}, {"x": 1}, {"a": {"b": [1]}}, {"remove": ["x"]}),
]


def write(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {write(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def sign(members: dict[str, Any]) -> bytes:
    """Write a lock whose digest is right."""
    parts = [
        f'"{key}": {write(members[key])}' for key in members if key not in ("format", "version", "digest")
    ]
    rest = '",\n  ' + ",\n  ".join(parts) + "\n}\n"
    return (HEAD + digest_rest(rest) + rest).encode()


CALLS: dict[str, Callable[[LockedPreset], object]] = {
    "body": lambda preset: (preset.body, preset.digest, preset.headers, preset.system, preset.max_cost),
    "request": lambda preset: preset.request("hi").to_bytes(),
    "responses": lambda preset: preset.request("hi", skin="responses").to_bytes(),
    "messages": lambda preset: preset.request("hi", skin="messages").to_bytes(),
    **{
        f"request {said}": lambda preset, said=said: preset.request("hi", **said).to_bytes()
        for said in (
            {"temperature": 0.5},
            {"provider": {"zdr": True, "only": {"append": ["azure"]}}},
            {"max_tokens": 5, "max_cost": 0.1},
            {"plugins": [{"id": "web"}]},
        )
    },
    "route": lambda preset: preset.route(prompt_tokens=5),
    "route elsewhere": lambda preset: preset.route(catalog=CATALOG),
    "worst case": lambda preset: preset.worst_case(),
    "worst case elsewhere": lambda preset: preset.worst_case(down=["openai"], catalog=CATALOG),
    "openai": lambda preset: preset.for_openai("hi"),
    "openrouter": lambda preset: preset.for_openrouter("hi"),
    "litellm": lambda preset: preset.for_litellm("hi"),
    "curl": lambda preset: preset.as_curl("hi"),
    "values": lambda preset: (preset.preset, preset.restricted, preset.composed),
}


def _diff(lock: Lock) -> None:
    effects = read_effects(lock)
    for diff in (compare(effects, EFFECTS), compare(EFFECTS, effects)):
        for render in (diffs.render_text, diffs.render_json, diff_markdown.render_markdown):
            render(diff).encode()


def _drift(lock: Lock) -> None:
    found = find_drift(read_effects(lock), CATALOG, NOW, globs=lock.globs)
    for render in (drifts.render_text, drifts.render_json, drifts.render_markdown):
        "".join(render(drifts.Report(found, "lock", "fresh", lock.catalog, CATALOG))).encode()


USES: dict[str, Callable[[Lock], object]] = {
    "policies": lambda lock: (lock.policy().demands, lock.policy("one", "prod").write_guardrail()),
    "catalogue": lambda lock: (lock.catalog, lock.whole_catalog, lock.resolved, lock.globs),
    "diff": _diff,
    "drift": _drift,
}

ANSWERS = (CompileError, CostCeilingExceeded, AdapterError, SkinError)
"""What a call may be told of a lock that is right; that there is no catalogue, where it has none, is a right answer too."""


def try_all(raw: bytes) -> Iterator[str]:
    """Use a lock in every way, and yield what came of it; any other exception is a failure."""
    found = [one.code for one in check_lock(make_project({**FILES, "orpolicy.lock": raw.decode()}))]
    yield f"check: {found}"
    lock = attempt(lambda: parse_lock(raw))
    if not isinstance(lock, Lock):
        assert found == ["lock-unreadable"]
        yield "refused at once"
        return
    for what, use in USES.items():
        if what != "policies" or ("one", "prod") in lock.entries:
            yield f"{what}: {attempt(lambda use=use: use(lock))}"
    for name in lock.names:
        for environment in lock.variants(name):
            for what, call in CALLS.items():
                yield f"{what}: {attempt(lambda call=call: call(lock.preset(name, environment)))}"  # noqa: B023


def attempt(use: Callable[[], object]) -> object:
    said = ""
    try:
        answer = use()
    except LockError as error:
        said, answer = str(error), "LockError"
    except ANSWERS as error:
        answer = type(error).__name__
    except CatalogError as error:
        assert "there is no catalogue" in str(error)  # noqa: PT017 - the others are not of this kind
        answer = "no catalogue"
    assert "\n" not in said
    assert "write it again with 'orpolicy lock'" in said or not said
    return answer if isinstance(answer, Lock | str) else "answered"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield every place below a value, of lists the first two items only."""
    items = (
        value.items()
        if isinstance(value, dict)
        else list(enumerate(value))[:2]
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


PLACES = list(places({key: MEMBERS[key] for key in MEMBERS if key not in ("format", "version", "digest")}))


def test_a_lock_signed_anew_answers() -> None:
    assert {said for said in try_all(sign(MEMBERS)) if "LockError" in said or "refused" in said} == set()


def test_a_body_that_removes_something_is_none() -> None:
    members = copy.deepcopy(MEMBERS)
    members["presets"][0]["body"]["reasoning"] = None
    said = list(try_all(sign(members)))
    assert "responses: LockError" in said


@settings(max_examples=50)
@given(st.data())
def test_any_member_replaced_by_anything_is_answered_or_refused(data: st.DataObject) -> None:
    path, rubbish = data.draw(st.sampled_from(PLACES)), data.draw(st.sampled_from(RUBBISH))
    members = copy.deepcopy(MEMBERS)
    holder: Any = members
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = rubbish
    for said in try_all(sign(members)):
        event(said)


ENTRIES = {key: value for key, value in MEMBERS.items() if key != "catalog"}


@settings(max_examples=40)
@given(mutations(json_values().map(lambda _: ENTRIES), most=3))
def test_a_mutated_lock_is_answered_or_refused(members: dict[str, Any]) -> None:
    for said in try_all(sign({**members, "catalog": MEMBERS["catalog"]})):
        event(said)


@pytest.mark.parametrize("depth", [70, 400, 980, 20_000])
@pytest.mark.parametrize("key", ["body", "composed", "headers", "catalog"])
def test_depth_is_answered_or_refused(key: str, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    text = TEXT.replace(f'"{key}": {{', f'"{key}": {{"logit_bias": {deep},', 1)
    assert text != TEXT
    rest = text[len(HEAD) + len(digest_rest("")) :]
    said = list(try_all((HEAD + digest_rest(rest) + rest).encode()))
    assert key == "catalog" or any("LockError" in one or "refused" in one for one in said)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", '"\\ud800"', "1" * 5000])
def test_what_no_json_holds_is_refused_at_once(constant: str) -> None:
    text = TEXT.replace('"max_tokens": 900', f'"max_tokens": {constant}', 1)
    rest = text[len(HEAD) + len(digest_rest("")) :]
    with pytest.raises(LockError, match="a number or a text that no lock holds"):
        parse_lock((HEAD + digest_rest(rest) + rest).encode())


@pytest.mark.parametrize("drop", range(3))
def test_a_preset_without_its_plain_entry_or_twice_is_refused(drop: int) -> None:
    entries = MEMBERS["presets"]
    plain = [number for number, entry in enumerate(entries) if entry["environment"] is None]
    fewer = [entry for number, entry in enumerate(entries) if number != plain[-1]]
    for changed in (fewer, [*entries, entries[drop % len(entries)]]):
        with pytest.raises(LockError, match="lacks a part"):
            parse_lock(sign({**MEMBERS, "presets": changed}))


def test_a_mistake_of_the_caller_is_not_the_locks() -> None:
    def count(_: Any) -> int:
        raise ValueError("I cannot count")

    with pytest.raises(ValueError, match="I cannot count"):
        parse_lock(sign(MEMBERS)).preset("one").request("hi", token_counter=count)
