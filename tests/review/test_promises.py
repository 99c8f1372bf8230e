"""What is true of a route passes, each single weakening of it fails at its own line, and unknown counts against promises."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from catalogs import CATALOG, IDS, LEVELS, SLUGS, bodies, catalogs, with_value, without
from hypothesis import assume, given
from hypothesis import strategies as st

from orpolicy.language.source import Location, Position, Span
from orpolicy.review.expectations import judge
from orpolicy.review.naming import is_endpoint, is_model, names_either
from orpolicy.review.outcomes import Outcome
from orpolicy.review.promises import PROMISES
from orpolicy.routing.catalog import Endpoint, Prices
from orpolicy.routing.cost import reach
from orpolicy.routing.router import Unknown, route

if TYPE_CHECKING:
    from orpolicy.language.source import Path
    from orpolicy.routing.catalog import Catalog

CALL = {"prompt_tokens": 300, "completion_tokens": 200}
PLACE = Location("presets/a.yaml", Span(Position(1, 1), Position(1, 2)))


def outcome_of(body: dict[str, Any], catalog: Catalog) -> Outcome:
    found = route(body, catalog, **CALL)
    return Outcome(body, lambda _: PLACE, found, reach(body, catalog).bound(300, 200))


def truth(outcome: Outcome) -> dict[str, Any]:
    """Say everything about an outcome that a scenario can expect; nothing where nobody can know who serves."""
    found = outcome.routed
    tags = list(dict.fromkeys(attempt.endpoint.tag for attempt in found.attempts))
    if found.availability:
        return {"reachable": False, "availability": found.availability.code}
    said: dict[str, Any] = {
        "reachable": True,
        "first": tags[0],
        "models": list(dict.fromkeys(attempt.model for attempt in found.attempts)),
        "eligible_within": tags,
        "eligible_includes": tags,
    }
    if all(attempt.endpoint.zdr is True for attempt in found.attempts):
        said["zdr"] = True
    if outcome.bound and outcome.bound.usd is not None:
        said["worst_cost"] = outcome.bound.usd
    return said


def failing(expect: dict[str, Any], outcome: Outcome) -> set[tuple[Any, ...]]:
    return {failure.path for failure in judge(expect, outcome)}


def make_clear(catalog: Catalog) -> Catalog:
    """Leave nothing open about a catalogue's endpoints."""
    models = []
    for model in catalog.models:
        endpoints = tuple(
            evolve(one, zdr=bool(one.zdr), prices=Prices(one.prices.rates)) for one in model.endpoints or ()
        )
        models.append(evolve(model, endpoints=endpoints))
    return evolve(catalog, models=models)


UNCLEAR = [("provider", "data_collection"), ("provider", "only"), ("provider", "ignore")]
"""What may leave a verdict open: nobody lists who collects data, and display names may mean a provider or not."""


def draw_outcome(draw: st.DrawFn, *unless: Path) -> Outcome:
    body = without(draw(bodies()), [*UNCLEAR, *unless])
    catalog = make_clear(draw(catalogs))
    known = [name for name in body["models"] if name.partition(":")[0] in catalog.by_id]
    only = draw(st.lists(st.sampled_from([*SLUGS, "together/fp8"]), max_size=3, unique=True))
    body = {**body, "models": known or [catalog.models[0].id]}
    return outcome_of(with_value(body, ("provider", "only"), only) if only else body, catalog)


@st.composite
def known_outcomes(draw: st.DrawFn) -> Outcome:
    """Draw outcomes in which nothing is unknown."""
    outcome = draw_outcome(draw)
    assume(all(one.needs == ("model",) for one in outcome.routed.unknown))
    return outcome


@st.composite
def reachable_outcomes(draw: st.DrawFn) -> Outcome:
    """Draw outcomes in which somebody serves, and nothing is unknown."""
    tight = [("provider", key) for key in ("max_price", "quantizations", "zdr", "require_parameters")]
    outcome = draw_outcome(draw, *tight, ("max_tokens",))
    assume(outcome.routed.attempts and not outcome.routed.unknown)
    return outcome


@given(outcome=known_outcomes())
def test_what_a_route_really_is_passes(outcome: Outcome) -> None:
    expect = truth(outcome)
    if outcome.routed.unknown:  # a model that may or may not be stepped over decides who is first
        expect.pop("first")
    assert list(judge(expect, outcome)) == []


@given(outcome=reachable_outcomes(), data=st.data())
def test_each_single_weakening_of_the_truth_fails_at_its_own_line(
    outcome: Outcome, data: st.DataObject
) -> None:
    found = outcome.routed
    said = truth(outcome)
    tags, catalog = said["eligible_within"], found.catalog
    tag = data.draw(st.sampled_from(tags))
    wrong: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "reachable": (False, ()),
        "availability": ("no_endpoints", ()),
        "never": ([tag], (0,)),
    }
    others = [other for other in tags if not f"{tag}/".startswith(f"{other}/")]
    uncovered = [one for one in tags if not any(f"{one}/".startswith(f"{other}/") for other in others)]
    slugs = {catalog.provider_slug(attempt.endpoint) for attempt in found.attempts}
    if others and uncovered and not slugs & {*others}:
        wrong["eligible_within"] = (others, ())
    excluded = [one.endpoint for one in found.excluded]
    strangers = [
        one.tag
        for one in excluded
        if not any(is_endpoint(one.tag, a.endpoint, catalog) for a in found.attempts)
    ]
    if strangers:
        wrong["eligible_includes"] = ([*tags[:1], strangers[0]], (1,))
        wrong["first"] = (strangers[0], ())
    absent = [name for name in IDS if name not in said["models"]]
    if absent:
        wrong["models"] = (absent, ())
    if "zdr" not in said:
        wrong["zdr"] = (True, ())
    if said.get("worst_cost"):
        wrong["worst_cost"] = (said["worst_cost"] - Decimal("0.000000000001"), ())
    for key, (value, place) in wrong.items():
        assert failing({key: value}, outcome) == {(key, *place)}, (key, value)


@given(outcome=known_outcomes(), order=st.permutations([*PROMISES]))
def test_the_order_of_expectations_does_not_matter(outcome: Outcome, order: list[str]) -> None:
    said = {"never": ["together"], **truth(outcome)}
    shuffled = {key: said[key] for key in order if key in said}
    assert failing(shuffled, outcome) == failing(said, outcome)


@given(outcome=reachable_outcomes(), name=st.sampled_from(["together", "openai", "google-vertex", "m/a"]))
def test_never_is_the_opposite_of_includes_and_first(outcome: Outcome, name: str) -> None:
    never = bool(failing({"never": [name]}, outcome))
    if name != "m/a":
        assert never != bool(failing({"eligible_includes": [name]}, outcome))
    if not failing({"first": name}, outcome):
        assert never


@given(catalog=catalogs, levels=st.sets(st.sampled_from(LEVELS)))
def test_what_nobody_can_know_fails_every_promise_it_touches(catalog: Catalog, levels: set[str]) -> None:
    provider = {"data_collection": "deny"} | ({"quantizations": sorted(levels)} if levels else {})
    outcome = outcome_of({"models": [model.id for model in catalog.models], "provider": provider}, catalog)
    perhaps = [one for one in outcome.routed.unknown if one.endpoint is not None]
    assume(perhaps)
    for one in perhaps:
        assert one.endpoint is not None
        assert failing({"never": [one.endpoint.tag]}, outcome) == {("never", 0)}
        assert failing({"first": "nobody"}, outcome) == {("first",)}
        if one.endpoint.zdr is not True:
            assert failing({"zdr": True}, outcome) == {("zdr",)}
    covered = {one.endpoint.tag for one in (*perhaps, *outcome.routed.attempts) if one.endpoint}
    bare = [one for one in outcome.routed.unknown if one.endpoint is None and one.needs != ("model",)]
    assert bool(failing({"eligible_within": sorted(covered)}, outcome)) == bool(bare)


def unclear(*needs: str, model: str = "openrouter/auto") -> Outcome:
    """Make an outcome of which nobody knows who serves it."""
    nobody = route({"model": "openai/gpt-5-mini"}, CATALOG)
    return Outcome(
        {"model": model}, lambda _: PLACE, evolve(nobody, attempts=(), unknown=(Unknown(model, needs),))
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("reachable", True),
        ("reachable", False),
        ("availability", "no_endpoints"),
        ("first", "openai"),
        ("models", ["openrouter/auto"]),
        ("eligible_within", ["openai"]),
        ("eligible_includes", ["openai"]),
        ("never", ["deepinfra"]),
        ("zdr", True),
    ],
)
def test_a_router_promises_nothing(key: str, value: Any) -> None:
    [failure] = judge({key: value}, unclear("router"))
    assert failure.path[0] == key
    assert failure.message.startswith("nobody can know offline whether ")
    assert failure.message.endswith("(that needs router)")


def test_a_model_that_is_only_stepped_over_breaks_no_promise() -> None:
    outcome = outcome_of({"models": ["openai/gpt-5-mini", "nobody/nothing"]}, CATALOG)
    assert [one.needs for one in outcome.routed.unknown] == [("model",)]
    assert failing({"never": ["deepinfra"], "eligible_within": ["openai", "azure"]}, outcome) == set()
    assert failing({"first": "openai/gpt-5-mini"}, outcome) == {("first",)}


@pytest.mark.parametrize(
    ("entry", "tag", "means"),
    [
        ("azure", "azure", True),
        ("azure", "azure/eu", True),
        ("azure", "azure/eu/priority", True),
        ("azure/eu", "azure/eu/priority", True),
        ("azure/eu", "azure/europe", False),
        ("azure", "azureous", False),
        ("azure/*", "azure/eu", True),
        ("azure/*", "azure", False),
        ("*", "azure", True),
        ("cloud", "azure", True),
    ],
)
def test_a_slug_means_all_that_is_below_it(entry: str, tag: str, means: bool) -> None:
    endpoint = Endpoint("m/a", tag, "Cloud", Prices({}), 1000)
    catalog = evolve(
        CATALOG, providers=[*CATALOG.providers, evolve(CATALOG.providers[0], slug="cloud", name="Cloud")]
    )
    assert is_endpoint(entry, endpoint, catalog) is means


@pytest.mark.parametrize(
    ("entry", "model", "means"),
    [
        ("openai/gpt-5-mini", "openai/gpt-5-mini", True),
        ("openai/gpt-5-mini:nitro", "openai/gpt-5-mini", True),
        ("~anthropic/claude-haiku-latest", "anthropic/claude-haiku-4.5", True),
        ("openai/*", "openai/gpt-5-mini", True),
        ("openai/gpt-5", "openai/gpt-5-mini", False),
    ],
)
def test_a_model_is_meant_by_its_id_its_alias_or_a_pattern(entry: str, model: str, means: bool) -> None:
    assert is_model(entry, model, CATALOG) is means
    assert names_either(entry, CATALOG) is (entry != "openai/gpt-5")
