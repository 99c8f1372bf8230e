"""What drifted away from a lock: its laws over generated catalogues, and every kind planted once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from attrs import evolve
from catalogs import CATALOG, NOW, bodies, catalogs, make_statistics
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orpolicy.compiled import ANY_LENGTH
from orpolicy.language.files import Memory
from orpolicy.language.policy import EMPTY
from orpolicy.language.workspace import Workspace
from orpolicy.locked import parse_lock
from orpolicy.project import Project
from orpolicy.review.drift import find_drift
from orpolicy.review.drift_kinds import KINDS, Concern, Drift, Kind, Severity
from orpolicy.review.drift_offers import compare_prices
from orpolicy.review.effects import Effect, Effects, Reached, collect_effects
from orpolicy.review.lock import read_effects, write_lock
from orpolicy.routing.catalog import Catalog, Endpoint, Model, Override, Prices
from orpolicy.routing.cost import reach
from orpolicy.routing.router import route
from orpolicy.routing.snapshot import read_snapshot, write_snapshot

Body = Mapping[str, Any]


def lock(catalog: Catalog, *locked: Body, base_url: str = "https://openrouter.ai/api/v1") -> Effects:
    """Lock bodies over a catalogue, as presets ``p0``, ``p1``, …."""
    found = {}
    region = None if "//openrouter" in base_url else "eu"
    for number, body in enumerate(locked):
        name = f"p{number}"
        answer = route(body, catalog, region=region)
        worst = reach(body, catalog, region=region).bound(ANY_LENGTH)
        reached = Reached.of(answer, worst)
        found[name, None] = Effect(name, None, body, None, {}, base_url, None, "", EMPTY, reached)
    return Effects("lock", found, catalog=catalog)


def change_model(catalog: Catalog, name: str, **values: Any) -> Catalog:
    models = [evolve(model, **values) if model.id == name else model for model in catalog.models]
    return evolve(catalog, models=models)


def change_endpoints(
    catalog: Catalog, name: str, tag: str, change: Callable[[Endpoint], Endpoint | None]
) -> Catalog:
    kept = []
    for endpoint in catalog.by_id[name].endpoints or ():
        changed = change(endpoint) if endpoint.tag == tag else endpoint
        if changed is not None:
            kept.append(changed)
    return change_model(catalog, name, endpoints=tuple(kept))


def shuffle(catalog: Catalog, seed: int) -> Catalog:
    dice = Random(seed)

    def mix(values: Any) -> tuple[Any, ...]:
        return tuple(dice.sample(list(values), len(values)))

    models = [
        evolve(model, endpoints=model.endpoints and mix(model.endpoints)) for model in mix(catalog.models)
    ]
    return evolve(catalog, models=models, providers=mix(catalog.providers))


def kinds(found: tuple[Drift, ...]) -> set[tuple[Kind, tuple[str, ...]]]:
    return {(one.kind, one.subject) for one in found}


def list_reachable(answer: Any) -> set[tuple[str, str]]:
    named = [(entry.model, entry.endpoint) for entry in (*answer.attempts, *answer.unknown)]
    return {(model, endpoint.tag) for model, endpoint in named if endpoint is not None}


# Laws


@settings(max_examples=40)
@given(catalogs, st.lists(bodies(), min_size=1, max_size=3))
def test_against_the_catalogue_of_the_lock_nothing_drifts(catalog: Catalog, locked: list[Body]) -> None:
    assert find_drift(lock(catalog, *locked), catalog, NOW) == ()
    again = read_snapshot(write_snapshot(catalog))
    assert find_drift(lock(catalog, *locked), again, NOW) == ()


@settings(max_examples=40)
@given(catalogs, catalogs, bodies(), st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(before: Catalog, after: Catalog, body: Body, seed: int) -> None:
    found = find_drift(lock(before, body), after, NOW)
    assert find_drift(lock(before, body), shuffle(after, seed), NOW) == found
    assert kinds(find_drift(lock(shuffle(before, seed), body), after, NOW)) == kinds(found)


@settings(max_examples=40)
@given(catalogs, bodies(), st.integers(0, 2**32))
def test_statistics_are_no_drift(catalog: Catalog, body: Body, seed: int) -> None:
    dice = Random(seed)
    models = [
        evolve(
            model,
            endpoints=tuple(
                evolve(
                    endpoint,
                    status=dice.choice([0, -2, -5]),
                    latency=make_statistics(dice),
                    throughput=make_statistics(dice),
                )
                for endpoint in model.endpoints or ()
            ),
        )
        for model in catalog.models
    ]
    assert find_drift(lock(catalog, body), evolve(catalog, models=models), NOW) == ()


@settings(max_examples=40)
@given(catalogs, catalogs, bodies())
def test_whoever_stops_or_starts_to_serve_is_named(before: Catalog, after: Catalog, body: Body) -> None:
    found = find_drift(lock(before, body), after, NOW)
    was, now = list_reachable(route(body, before)), list_reachable(route(body, after))
    gone = {"model-removed", "model-unserved"}
    told = {one.subject for one in found if one.kind not in gone}
    for model, tag in was - now:
        assert (model, tag) in told or any(one.kind in gone and one.subject == (model,) for one in found)
    for model, tag in now - was:
        if model in before.by_id and before.by_id[model].endpoints:
            assert (model, tag) in told


@settings(max_examples=40)
@given(catalogs, catalogs, st.lists(bodies(), min_size=1, max_size=3))
def test_every_drift_is_told_once_and_names_whom_it_concerns(
    before: Catalog, after: Catalog, locked: list[Body]
) -> None:
    found = find_drift(lock(before, *locked), after, NOW)
    assert len({one.id for one in found}) == len({one.title for one in found}) == len(found)
    assert list(found) == sorted(found, key=lambda one: one.sort_key)
    names = {f"p{number}" for number in range(len(locked))}
    for one in found:
        assert one.concerns
        assert {concern.preset for concern in one.concerns} <= names
    alone = {name: kinds(find_drift(only(name, before, locked), after, NOW)) for name in names}
    for one in found:
        touched = {name for name in names if (one.kind, one.subject) in alone[name]}
        assert {concern.preset for concern in one.concerns} == touched


def only(name: str, catalog: Catalog, locked: list[Body]) -> Effects:
    effects = lock(catalog, *locked)
    return evolve(effects, found={(name, None): effects.found[name, None]})


@settings(max_examples=40)
@given(catalogs, catalogs, bodies())
def test_a_catalogue_that_does_not_list_every_model_denies_none(
    before: Catalog, after: Catalog, body: Body
) -> None:
    found = find_drift(lock(before, body), evolve(after, complete=False), NOW)
    assert "model-removed" not in {one.kind for one in found}
    gone = {name.partition(":")[0] for name in body["models"]} & before.by_id.keys() - after.by_id.keys()
    assert {one.subject for one in found if one.kind == "model-unknown"} == {(name,) for name in gone}


@settings(max_examples=60)
@given(catalogs, catalogs, bodies())
def test_a_lock_drifts_as_the_project_that_it_was_made_of(
    before: Catalog, after: Catalog, body: Body
) -> None:
    assume(all(name.partition(":")[0] in before.by_id for name in body["models"]))
    files = {"presets/p.yaml": json.dumps(body, default=float), "presets/org.policy.yaml": POLICY}
    project = Project(Workspace(Memory(files)), given=before)
    effects = collect_effects(project, "project")
    assume(not effects.broken)
    kept = parse_lock(write_lock(project).encode())
    locked = read_effects(kept)
    assert find_drift(locked, before, NOW, globs=kept.globs) == ()
    assert find_drift(locked, after, NOW, globs=kept.globs) == find_drift(effects, after, NOW)


POLICY = "models: {allow: ['m/*'], deny: ['m/c:*']}\n"


def test_a_model_that_was_never_listed_cannot_be_lost() -> None:
    project = Project(Workspace(Memory({"presets/p.yaml": "model: openai/gpt-0\n"})), given=CATALOG)
    kept = parse_lock(write_lock(project).encode())
    assert find_drift(read_effects(kept), CATALOG, NOW, globs=kept.globs) == ()


# A change planted in a generated catalogue is reported as its kind


CONSEQUENCES = {
    Kind.PRESET_UNSERVED,
    Kind.PRESET_SERVED,
    Kind.WORST_CASE_UP,
    Kind.WORST_CASE_DOWN,
    Kind.WORST_CASE_UNKNOWN,
}
"""What a preset comes to because of it is told besides."""


def planted(found: tuple[Drift, ...]) -> set[tuple[Kind, tuple[str, ...]]]:
    return kinds(tuple(one for one in found if one.kind not in CONSEQUENCES))


def draw_served(catalog: Catalog, body: Body, number: int, *, alone: bool = True) -> Endpoint:
    """Choose an endpoint that may serve and shares its tag with no other."""
    found = [attempt.endpoint for attempt in route(body, catalog).attempts]
    tags = [(e.model, e.tag) for e in catalog.endpoints]
    found = [e for e in found if tags.count((e.model, e.tag)) == 1 or not alone]
    assume(found)
    return found[number % len(found)]


FREE_BODIES: tuple[Body, ...] = (
    {"model": "m/a", "models": ["m/b", "m/c"], "temperature": 1},
    {"models": ["m/c:floor", "m/b", "m/a"], "provider": {"order": ["openai", "together"]}, "temperature": 0},
)
"""Bodies that no fact of an endpoint hinders, so that what is planted is all there is to tell."""

free = st.sampled_from(FREE_BODIES)


@settings(max_examples=40)
@given(catalogs, free, st.integers(0, 99))
def test_a_model_that_is_gone_is_removed(catalog: Catalog, body: Body, number: int) -> None:
    name = catalog.models[number % len(catalog.models)].id
    fresh = evolve(catalog, models=[model for model in catalog.models if model.id != name])
    assume(fresh.models)
    assert planted(find_drift(lock(catalog, body), fresh, NOW)) == {("model-removed", (name,))}


@settings(max_examples=40)
@given(catalogs, free, st.integers(0, 99))
def test_an_endpoint_that_is_gone_is_removed(catalog: Catalog, body: Body, number: int) -> None:
    chosen = draw_served(catalog, body, number)
    fresh = change_endpoints(catalog, chosen.model, chosen.tag, lambda _: None)
    kind, subject = Kind.ENDPOINT_REMOVED, (chosen.model, chosen.tag)
    if not fresh.by_id[chosen.model].endpoints:
        kind, subject = Kind.MODEL_UNSERVED, (chosen.model,)
    assert planted(find_drift(lock(catalog, body), fresh, NOW)) == {(kind, subject)}
    assume(kind is Kind.ENDPOINT_REMOVED)
    back = find_drift(lock(fresh, body), catalog, NOW)
    assert planted(back) == {(Kind.ENDPOINT_ADDED, subject)}


@settings(max_examples=40)
@given(catalogs, free, st.integers(0, 99))
def test_a_price_that_rises_is_up_and_back_is_down(catalog: Catalog, body: Body, number: int) -> None:
    chosen = draw_served(catalog, body, number)

    def raise_price(endpoint: Endpoint) -> Endpoint:
        rates = {**endpoint.prices.rates, "prompt": endpoint.prices.prompt + Decimal("0.00001")}
        return evolve(endpoint, prices=evolve(endpoint.prices, rates=rates))

    subject = (chosen.model, chosen.tag)
    fresh = change_endpoints(catalog, *subject, raise_price)
    assert planted(find_drift(lock(catalog, body), fresh, NOW)) == {("price-up", subject)}
    assert planted(find_drift(lock(fresh, body), catalog, NOW)) == {("price-down", subject)}


ZDR = {
    (True, False): {"zdr-lost"},
    (True, None): {"zdr-unknown"},
    (False, True): {"zdr-gained"},
    (None, True): {"zdr-gained"},
    (False, None): set(),
    (None, False): set(),
}


@settings(max_examples=40)
@given(catalogs, free, st.integers(0, 99), st.sampled_from([True, False, None]))
def test_zero_retention_is_lost_gained_or_no_longer_known(
    catalog: Catalog, body: Body, number: int, now: bool | None
) -> None:
    chosen = draw_served(catalog, body, number)
    subject = (chosen.model, chosen.tag)
    fresh = change_endpoints(catalog, *subject, lambda endpoint: evolve(endpoint, zdr=now))
    assume(now != chosen.zdr and any(endpoint.zdr is not None for endpoint in fresh.endpoints))
    found = planted(find_drift(lock(catalog, body), fresh, NOW))
    assert found == {(kind, subject) for kind in ZDR[chosen.zdr, now]}


@settings(max_examples=40)
@given(catalogs, free, st.integers(0, 99))
def test_a_parameter_that_the_body_uses_is_lost_or_gained_and_no_other(
    catalog: Catalog, body: Body, number: int
) -> None:
    chosen = draw_served(catalog, body, number)
    subject = (chosen.model, chosen.tag)

    def give(endpoint: Endpoint) -> Endpoint:
        return evolve(endpoint, parameters=frozenset({"temperature", "top_p"}))

    def take(endpoint: Endpoint) -> Endpoint:
        return evolve(endpoint, parameters=frozenset({"seed"}))

    rich, poor = (change_endpoints(catalog, *subject, change) for change in (give, take))
    [lost] = [one for one in find_drift(lock(rich, body), poor, NOW) if one.kind not in CONSEQUENCES]
    assert (lost.kind, lost.subject) == ("capability-lost", subject)
    assert [change.field for change in lost.changes] == ["temperature"]
    assert planted(find_drift(lock(poor, body), rich, NOW)) == {("capability-gained", subject)}


@settings(max_examples=40)
@given(catalogs, free, st.integers(0, 99))
def test_limits_and_quantisation_are_told(catalog: Catalog, body: Body, number: int) -> None:
    chosen = draw_served(catalog, body, number)
    subject = (chosen.model, chosen.tag)
    lower = change_endpoints(
        catalog, *subject, lambda endpoint: evolve(endpoint, context_length=endpoint.context_length - 1)
    )
    assert planted(find_drift(lock(catalog, body), lower, NOW)) == {("limit-lowered", subject)}
    assert planted(find_drift(lock(lower, body), catalog, NOW)) == {("limit-raised", subject)}
    coarse = change_endpoints(catalog, *subject, lambda endpoint: evolve(endpoint, quantization="int4"))
    assert planted(find_drift(lock(catalog, body), coarse, NOW)) == {("quantization-changed", subject)}


@settings(max_examples=40)
@given(catalogs, free, st.integers(0, 99), st.integers(-400, 800), st.integers(-400, 800))
def test_a_model_that_leaves_is_told_when_its_day_is_new_or_near(
    catalog: Catalog, body: Body, number: int, was: int, left: int
) -> None:
    name = catalog.models[number % len(catalog.models)].id
    days = [NOW.date() + timedelta(days=count) for count in (was, left)]
    old, new = (change_model(catalog, name, expires=day) for day in days)
    told = left <= 366 and (was != left or left <= 30)
    expected = {("model-leaving", (name,))} if told else set()
    assert planted(find_drift(lock(old, body), new, NOW)) == expected


@settings(max_examples=40)
@given(catalogs, free, st.integers(0, 99))
def test_a_new_snapshot_behind_an_id_is_told(catalog: Catalog, body: Body, number: int) -> None:
    name = catalog.models[number % len(catalog.models)].id
    old, new = (change_model(catalog, name, canonical_slug=f"{name}-{day}") for day in (20260801, 20260901))
    [found] = find_drift(lock(old, body), new, NOW)
    assert (found.kind, found.subject) == ("model-replaced", (name,))
    assert (found.changes[0].before, found.changes[0].after) == (f"{name}-20260801", f"{name}-20260901")


@settings(max_examples=40)
@given(catalogs, st.sampled_from(["", ":nitro"]))
def test_an_alias_that_moved_says_nothing_of_endpoints(catalog: Catalog, suffix: str) -> None:
    ids = [model.id for model in catalog.models if model.endpoints]
    assume(len(ids) > 1)
    alias = Model(
        "~m/latest", "Latest", Prices({}), canonical_slug="~m/latest", alias_of=ids[0], endpoints=()
    )
    old = evolve(catalog, models=(*catalog.models, alias))
    new = change_model(old, alias.id, alias_of=ids[1])
    found = find_drift(lock(old, {"model": alias.id + suffix}), new, NOW)
    assert planted(found) == {("alias-moved", (alias.id,))}
    [change] = found[[one.kind for one in found].index(Kind.ALIAS_MOVED)].changes
    assert (change.before, change.after) == (ids[0], ids[1])


# Presets that are named, and what they come to

MODEL = "openai/gpt-5-mini"
FILES = {
    "orpolicy.yaml": "environments: [prod]\n",
    "presets/one.yaml": f"model: {MODEL}\nmax_tokens: 500\nenvironments: {{prod: {{provider: {{zdr: true}}}}}}\n",
    "presets/two.yaml": f"model: {MODEL}\nmax_tokens: 500\n",
    "presets/three.yaml": "model: deepseek/deepseek-v3.2\nmax_tokens: 500\n",
    "presets/four.yaml": "model: openrouter/auto\nplugins: [{id: auto-router, allowed_models: ['openai/*'], excluded_models: ['*:free']}]\n",
}


def collect(catalog: Catalog = CATALOG, files: Mapping[str, str] = FILES) -> Effects:
    effects = collect_effects(Project(Workspace(Memory(files)), given=catalog), "lock")
    assert not effects.broken
    return effects


def whom(found: tuple[Drift, ...], kind: Kind) -> list[str]:
    [one] = [one for one in found if one.kind == kind]
    return [f"{c.preset}[{c.environment}]{': ' if c.note else ''}{c.note}" for c in one.concerns]


def test_the_presets_and_environments_concerned_are_named_and_no_others() -> None:
    models = [model for model in CATALOG.models if model.id != MODEL]
    found = find_drift(collect(), evolve(CATALOG, models=models), NOW)
    assert whom(found, Kind.MODEL_REMOVED) == ["one[None]", "one[prod]", "two[None]"]
    assert found[0].severity is Severity.BREAKING
    assert [one.title for one in found][:2] == [
        "Nobody may serve the preset: one",
        "Nobody may serve the preset: two",
    ]


def test_an_endpoint_that_is_lost_to_zero_retention_is_one_drift_with_its_consequence() -> None:
    tag = next(e.tag for e in CATALOG.by_id[MODEL].endpoints or () if e.zdr)
    fresh = change_endpoints(CATALOG, MODEL, tag, lambda e: evolve(e, zdr=False))
    found = find_drift(collect(), fresh, NOW)
    assert whom(found, Kind.ZDR_LOST) == [
        "one[None]",
        "one[prod]: may no longer use it: data_policy:zdr",
        "two[None]",
    ]
    assert "endpoint-excluded" not in {one.kind for one in found}
    assert whom(found, Kind.PRESET_UNSERVED) == ["one[prod]: privacy_restricted (data_policy:zdr)"]


def test_a_catalogue_that_knows_nothing_of_zero_retention_says_so_once() -> None:
    models = [
        evolve(model, endpoints=model.endpoints and tuple(evolve(e, zdr=None) for e in model.endpoints))
        for model in CATALOG.models
    ]
    found = find_drift(collect(), evolve(CATALOG, models=models), NOW)
    assert kinds(found) == {("zdr-unknown", ("every endpoint",))}
    assert find_drift(collect(evolve(CATALOG, models=models)), evolve(CATALOG, models=models), NOW) == ()


def test_endpoints_that_nobody_asked_for_are_unknown_not_gone() -> None:
    found = find_drift(collect(), change_model(CATALOG, MODEL, endpoints=None), NOW)
    assert kinds(found) == {("model-unknown", (MODEL,))}
    assert find_drift(collect(change_model(CATALOG, MODEL, endpoints=None)), CATALOG, NOW) == ()


def test_an_empty_catalogue_answers_unknown() -> None:
    found = find_drift(collect(), Catalog(), NOW)
    assert {one.kind for one in found} == {"model-unknown"}


def test_a_price_above_a_ceiling_takes_the_endpoint_away_at_all_hours_or_at_some() -> None:
    files = {"presets/one.yaml": f"model: {MODEL}\nprovider: {{max_price: {{prompt: 1}}}}\n"}
    tag = "azure"

    def raised(*overrides: Override, prompt: str = "0.0000004") -> Catalog:
        def change(e: Endpoint) -> Endpoint:
            return evolve(
                e, prices=Prices({**e.prices.rates, "prompt": Decimal(prompt)}, overrides=overrides)
            )

        return change_endpoints(CATALOG, MODEL, tag, change)

    start = raised()
    dear = {"prompt": Decimal("0.000002")}
    always = find_drift(collect(start, files), raised(prompt="0.000002"), NOW)
    assert whom(always, Kind.PRICE_UP) == ["one[None]: may no longer use it: max_price"]
    sometimes = find_drift(collect(start, files), raised(Override(dear, utc_start=800, utc_end=1400)), NOW)
    assert whom(sometimes, Kind.PRICE_UP) == ["one[None]: not sure to use it: utc_time"]
    [change] = next(one for one in sometimes if one.kind is Kind.PRICE_UP).changes
    assert (change.field, change.before, change.after) == (
        "prompt from 08:00 UTC",
        Decimal("0.4"),
        Decimal(2),
    )
    assert "endpoint-unclear" not in {one.kind for one in (*always, *sometimes)}


def test_an_endpoint_that_a_tier_hides_is_excluded_without_another_reason() -> None:
    files = {"presets/one.yaml": f"model: {MODEL}\n"}
    tag = "azure"
    fresh = change_endpoints(CATALOG, MODEL, tag, lambda e: evolve(e, service_tier="flex"))
    found = find_drift(collect(files=files), fresh, NOW)
    assert whom(found, Kind.ENDPOINT_EXCLUDED) == ["one[None]: may no longer use it: allowed_providers"]


def test_the_worst_case_goes_up_and_above_the_ceiling() -> None:
    files = {"presets/one.yaml": f"model: {MODEL}\nmax_tokens: 500\nmax_cost: CEILING\n"}
    tag = (CATALOG.by_id[MODEL].endpoints or ())[0].tag

    def dearer(endpoint: Endpoint) -> Endpoint:
        rates = {kind: rate * 10 for kind, rate in endpoint.prices.rates.items()}
        return evolve(endpoint, prices=Prices(rates))

    fresh = change_endpoints(CATALOG, MODEL, tag, dearer)
    for ceiling, kind in (("0.01", "worst-case-up"), ("0.5", "ceiling-exceeded"), ("99", "worst-case-up")):
        here = {name: text.replace("CEILING", ceiling) for name, text in files.items()}
        locked = collect(files=here)
        found = find_drift(locked, fresh, NOW)
        [worst] = [one for one in found if one.subject == ("one",)]
        assert worst.kind == kind
        effect = locked.found["one", None]
        assert effect.reached is not None
        assert worst.changes[0].before == effect.reached.worst.usd
        back = find_drift(collect(fresh, here), CATALOG, NOW)
        assert [one.kind for one in back if one.subject == ("one",)] == ["worst-case-down"]


def test_a_model_under_a_pattern_is_news_and_one_that_a_router_loses_is_not() -> None:
    allowed = "models: {allow: ['openai/*', 'deepseek/*'], deny: ['*:free']}"
    scope = "applies_to: {presets: [one, two, three]}"
    files = {**FILES, "presets/p.policy.yaml": f"{scope}\n{allowed}\n"}
    more = [
        evolve(CATALOG.by_id[MODEL], id=f"openai/gpt-6{suffix}", endpoints=None) for suffix in ("", ":free")
    ]
    alias = evolve(CATALOG.by_id["~anthropic/claude-haiku-latest"], id="~openai/gpt-latest")
    fresh = evolve(CATALOG, models=(*CATALOG.models, *more, alias))
    [found] = find_drift(collect(files=files), fresh, NOW)
    assert (found.kind, found.subject) == ("candidates-added", ("openai/*",))
    assert [change.after for change in found.changes] == ["openai/gpt-6"]
    assert {concern.preset for concern in found.concerns} == {"one", "two", "three", "four"}
    [gone] = find_drift(collect(fresh, files), CATALOG, NOW)
    assert (gone.kind, gone.severity) == ("candidates-gone", "attention")
    assert [concern.preset for concern in gone.concerns] == ["four"]
    partial = evolve(CATALOG, complete=False)
    assert find_drift(collect(fresh, files), partial, NOW) == ()


def test_twins_under_one_tag_are_told_apart_by_what_they_are() -> None:
    endpoints = CATALOG.by_id[MODEL].endpoints or ()
    first = endpoints[0]
    twin = evolve(first, prices=Prices({"prompt": Decimal("0.000009")}), quantization="fp8")
    both = change_model(CATALOG, MODEL, endpoints=(*endpoints, twin))
    subject = (MODEL, first.tag)
    files = {"presets/one.yaml": f"model: {MODEL}\nmax_tokens: 5\n"}
    assert kinds(find_drift(collect(both, files), CATALOG, NOW)) == {
        ("endpoint-removed", subject),
        ("worst-case-down", ("one",)),
    }
    moved = change_model(CATALOG, MODEL, endpoints=(evolve(twin, quantization="fp4"), *endpoints))
    assert kinds(find_drift(collect(both, files), moved, NOW)) == {("quantization-changed", subject)}


def test_a_model_that_is_listed_twice_is_listed_once() -> None:
    doubled = evolve(CATALOG, models=(*CATALOG.models, *CATALOG.models))
    assert find_drift(collect(), doubled, NOW) == ()
    assert find_drift(collect(), read_snapshot(write_snapshot(doubled)), NOW) == ()
    assert find_drift(collect(doubled), CATALOG, NOW) == ()


def test_a_region_stays_in_doubt_on_both_sides() -> None:
    body = {"model": MODEL}
    locked = lock(CATALOG, body, base_url="https://eu.openrouter.ai/api/v1")
    assert find_drift(locked, CATALOG, NOW) == ()
    fresh = change_endpoints(CATALOG, MODEL, "azure", lambda _: None)
    assert ("endpoint-removed", (MODEL, "azure")) in kinds(find_drift(locked, fresh, NOW))


def test_a_model_that_only_helps_is_watched_as_well() -> None:
    tools = [{"type": "openrouter:advisor", "parameters": {"model": "openai/gpt-4o-mini"}}]
    fresh = evolve(CATALOG, models=[model for model in CATALOG.models if model.id != "openai/gpt-4o-mini"])
    found = find_drift(lock(CATALOG, {"model": MODEL, "tools": tools}), fresh, NOW)
    assert kinds(found) == {("model-removed", ("openai/gpt-4o-mini",))}


def test_a_preset_that_nobody_served_and_that_is_served_again_is_news() -> None:
    gone = change_model(CATALOG, MODEL, endpoints=())
    found = find_drift(lock(gone, {"model": MODEL}), CATALOG, NOW)
    assert {one.severity for one in found} == {"news"}
    assert ("preset-served", ("p0",)) in kinds(found)


def test_a_free_variant_that_ended_points_to_the_paid_one() -> None:
    free = "google/gemma-4-31b-it:free"
    paid = evolve(CATALOG.by_id[free], id="google/gemma-4-31b-it")
    old = evolve(CATALOG, models=(*CATALOG.models, paid))
    new = evolve(old, models=[model for model in old.models if model.id != free])
    found = find_drift(lock(old, {"model": free}), new, NOW)
    assert [one.note for one in found if one.kind is Kind.MODEL_REMOVED] == [
        "google/gemma-4-31b-it is still listed"
    ]
    assert [one.concerns[0].note for one in found if one.kind is Kind.PRESET_UNSERVED] == [
        "free_variant_ended (closest: google/gemma-4-31b-it)"
    ]


# Prices


@settings(max_examples=40)
@given(catalogs, catalogs)
def test_equal_prices_are_no_change_however_they_are_written(before: Catalog, after: Catalog) -> None:
    for endpoint, other in zip(before.endpoints, after.endpoints, strict=False):
        prices = endpoint.prices
        wordy = evolve(prices, overrides=(Override(prices.rates, min_prompt_tokens=77), *prices.overrides))
        assert list(compare_prices(prices, wordy)) == []
        there, back = list(compare_prices(prices, other.prices)), list(compare_prices(other.prices, prices))
        assert {(c.field.split()[0], c.before, c.after) for c in there} == {
            (c.field.split()[0], c.after, c.before) for c in back
        }


def test_a_window_that_grows_is_told_by_the_hour_at_which_it_differs() -> None:
    rates = {"prompt": Decimal("0.000001"), "completion": Decimal("0.000002")}
    dear = {"prompt": Decimal("0.000003")}
    until_14, until_20 = (Prices(rates, overrides=(Override(dear, utc_start=800, utc_end=end),)) for end in (1400, 2000))  # fmt: skip
    [change] = compare_prices(until_14, until_20)
    assert (change.field, change.before, change.after) == ("prompt from 14:00 UTC", Decimal(1), Decimal(3))
    assert change.percent == Decimal("200.0")


def test_a_price_beyond_all_measure_is_told_without_a_percentage() -> None:
    [change] = compare_prices(Prices({"prompt": Decimal("1e-22")}), Prices({"prompt": Decimal("1e308")}))
    assert change.percent is None
    assert change.to_json()["percent"] is None


def test_a_rate_that_is_not_stated_is_that_of_the_tokens_it_is_for() -> None:
    plainly, cached = (Prices({"prompt": Decimal("0.000001"), **more}) for more in ({}, {"input_cache_read": Decimal("0.0000001")}))  # fmt: skip
    [change] = compare_prices(plainly, cached)
    assert (change.field, change.before, change.after, change.percent) == (
        "input_cache_read",
        Decimal(1),
        Decimal("0.1"),
        Decimal("-90.0"),
    )
    [request] = compare_prices(plainly, Prices({**plainly.rates, "request": Decimal("0.01")}))
    assert (request.before, request.after, request.unit, request.percent) == (
        Decimal(0),
        Decimal("0.01"),
        "USD per request",
        None,
    )


# Titles and ids


def test_a_title_depends_on_kind_and_subject_alone() -> None:
    days = (date(2026, 9, 1), date(2026, 9, 20))
    files = {"presets/one.yaml": f"model: {MODEL}\n"}
    first, second = (
        find_drift(collect(files=files), change_model(CATALOG, MODEL, expires=day), NOW)[0] for day in days
    )
    assert first.changes != second.changes
    assert (first.title, first.id) == (second.title, second.id) == (f"Model leaves: {MODEL}", first.id)
    assert first.note == "9 days left"


def test_every_kind_has_a_severity_and_a_title_of_its_own() -> None:
    assert set(KINDS) == set(Kind)
    assert len({phrase for _, phrase in KINDS.values()}) == len(Kind)
    order = list(Severity)
    assert sorted(KINDS.values(), key=lambda row: order.index(row[0])) == list(KINDS.values())


@pytest.mark.parametrize(
    ("left", "said"), [(1, "1 day left"), (0, "0 days left"), (-1, "the day has passed")]
)
def test_days_are_counted_from_now(left: int, said: str) -> None:
    fresh = change_model(CATALOG, MODEL, expires=NOW.date() + timedelta(days=left))
    [found] = [one for one in find_drift(collect(), fresh, NOW) if one.kind is Kind.MODEL_LEAVING]
    assert found.note == said
    assert Concern("two") in found.concerns
