"""The laws of the router, on random catalogues and on random parts of the real one."""

from __future__ import annotations

import copy
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

from attrs import evolve
from catalogs import CONSTRAINTS, TAGS, bodies, catalogs, with_value, without
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.routing.catalog import Catalog
from orpolicy.routing.router import Route, requested_models, route

if TYPE_CHECKING:
    from orpolicy.language.source import Path
    from orpolicy.routing.catalog import Endpoint


def eligible(answer: Route) -> Counter[int]:
    return Counter(id(attempt.endpoint) for attempt in answer.attempts)


def verdicts(answer: Route) -> dict[int, Any]:
    """Map every endpoint, by identity, to its verdict."""
    found: dict[int, Any] = {id(attempt.endpoint): "eligible" for attempt in answer.attempts}
    found |= {id(entry.endpoint): entry.reasons for entry in answer.excluded}
    return found | {id(entry.endpoint): entry.needs for entry in answer.unknown if entry.endpoint}


def pool(catalog: Catalog, body: dict[str, Any]) -> list[Endpoint]:
    names = [name.partition(":")[0] for name in requested_models(body)]
    return [e for name in names if name in catalog.by_id for e in catalog.by_id[name].endpoints or ()]


tokens = st.sampled_from([None, 5, 100, 9000])


@given(catalogs, bodies(), st.sampled_from(sorted(CONSTRAINTS, key=str)), st.data())
def test_adding_a_constraint_never_adds_an_eligible_endpoint(
    catalog: Catalog, body: dict[str, Any], path: Path, data: st.DataObject
) -> None:
    prompt = data.draw(tokens)
    bare = without(body, [path])
    tighter = with_value(bare, path, data.draw(CONSTRAINTS[path]))
    wide, narrow = route(bare, catalog, prompt_tokens=prompt), route(tighter, catalog, prompt_tokens=prompt)
    assert not eligible(narrow) - eligible(wide)
    assert {
        key for key, value in verdicts(wide).items() if isinstance(value, tuple) and value in _reasons(wide)
    } <= {id(entry.endpoint) for entry in narrow.excluded}


def _reasons(answer: Route) -> list[Any]:
    return [entry.reasons for entry in answer.excluded]


@given(catalogs, bodies(), st.data())
def test_tightening_a_constraint_never_adds_an_eligible_endpoint(
    catalog: Catalog, body: dict[str, Any], data: st.DataObject
) -> None:
    provider = body.get("provider", {})
    tighter = copy.deepcopy(body)
    for key in ("only", "quantizations"):
        if len(provider.get(key, ())) > 1:
            tighter["provider"][key] = provider[key][:1]
    tighter = with_value(
        tighter, ("provider", "ignore"), [*provider.get("ignore", ()), data.draw(st.sampled_from(TAGS))]
    )
    assert not eligible(route(tighter, catalog)) - eligible(route(body, catalog))


@given(catalogs, bodies(), tokens, st.data())
def test_removing_an_endpoint_never_changes_another_verdict(
    catalog: Catalog, body: dict[str, Any], prompt: int | None, data: st.DataObject
) -> None:
    everything = catalog.endpoints
    kept = {
        id(e)
        for e in data.draw(st.lists(st.sampled_from(everything), unique_by=id) if everything else st.just([]))
    }
    rest = Catalog(
        models=[
            evolve(model, endpoints=tuple(e for e in model.endpoints or () if id(e) in kept))
            for model in catalog.models
        ],
        providers=catalog.providers,
    )
    before = verdicts(route(body, catalog, prompt_tokens=prompt))
    after = verdicts(route(body, rest, prompt_tokens=prompt))
    assert after == {key: value for key, value in before.items() if key in kept}


@given(catalogs, bodies(), tokens)
def test_every_endpoint_has_one_verdict_and_the_order_is_a_permutation_of_the_eligible(
    catalog: Catalog, body: dict[str, Any], prompt: int | None
) -> None:
    answer = route(body, catalog, prompt_tokens=prompt)
    everywhere = [
        *(attempt.endpoint for attempt in answer.attempts),
        *(entry.endpoint for entry in answer.excluded),
        *(entry.endpoint for entry in answer.unknown if entry.endpoint),
    ]
    assert Counter(map(id, everywhere)) == Counter(map(id, pool(catalog, body)))
    assert [attempt.rank for attempt in answer.attempts] == list(range(1, len(answer.attempts) + 1))
    assert all(entry.reasons for entry in answer.excluded)
    assert (answer.availability is None) == bool(answer.attempts or answer.unknown)


@given(catalogs, bodies(), st.lists(st.sampled_from([*TAGS, "Together", "nobody"]), max_size=2, unique=True))
def test_down_equals_appending_to_ignore(catalog: Catalog, body: dict[str, Any], down: list[str]) -> None:
    ignoring = with_value(body, ("provider", "ignore"), [*body.get("provider", {}).get("ignore", ()), *down])
    one, other = route(body, catalog, down=down), route(ignoring, catalog)
    assert [a.endpoint for a in one.attempts] == [a.endpoint for a in other.attempts]
    assert [(e.endpoint, e.excluded_by) for e in one.excluded] == [
        (e.endpoint, e.excluded_by) for e in other.excluded
    ]
    assert one.unknown == other.unknown


@given(bodies())
def test_an_empty_catalogue_answers_unknown(body: dict[str, Any]) -> None:
    answer = route(body, Catalog())
    assert not answer.attempts
    assert not answer.excluded
    assert answer.availability is None
    assert [entry.model for entry in answer.unknown] == body["models"]


@given(catalogs, bodies())
def test_the_answer_depends_on_nothing_but_its_input_and_changes_none_of_it(
    catalog: Catalog, body: dict[str, Any]
) -> None:
    before = copy.deepcopy(body)
    shuffled = dict(reversed(list(body.items())))
    assert route(body, catalog).to_json() == route(shuffled, catalog).to_json()
    assert body == before


@settings(max_examples=300)
@given(catalogs, bodies())
def test_lifting_the_blamed_constraints_leaves_an_endpoint_and_nothing_smaller_does(
    catalog: Catalog, body: dict[str, Any]
) -> None:
    answer = route(body, catalog)
    if answer.availability is None or not answer.availability.blame:
        return
    blame = [because.path for because in answer.availability.blame]
    if ("service_tier",) in blame:
        return
    lifted = route(without(body, blame), catalog)
    assert lifted.attempts or lifted.unknown
    candidates = [
        path for path in (*CONSTRAINTS, ("provider", "allow_fallbacks")) if without(body, [path]) != body
    ]
    for size in range(len(blame)):
        for paths in combinations(candidates, size):
            smaller = route(without(body, paths), catalog)
            assert not smaller.attempts
            assert not smaller.unknown


@settings(max_examples=60)
@given(data=st.data())
def test_the_laws_hold_on_parts_of_the_real_catalogue(real: Catalog, data: st.DataObject) -> None:
    served = [model for model in real.models if len(model.endpoints or ()) > 1]
    model = data.draw(st.sampled_from(served))
    kept = data.draw(st.lists(st.sampled_from(model.endpoints), min_size=1, unique_by=id))
    part = Catalog(models=[evolve(model, endpoints=tuple(kept))], providers=real.providers)
    body = data.draw(bodies()) | {"models": [model.id]}
    path = data.draw(st.sampled_from(sorted(CONSTRAINTS, key=str)))
    tighter = with_value(without(body, [path]), path, data.draw(CONSTRAINTS[path]))
    whole = verdicts(route(body, real))
    assert verdicts(route(body, part)) == {key: whole[key] for key in map(id, kept)}
    assert not eligible(route(tighter, real)) - eligible(route(without(body, [path]), real))
