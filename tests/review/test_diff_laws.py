"""The laws of comparing projects, over generated ones."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.disk import Library
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace
from orpolicy.project import Project
from orpolicy.review.changes import Change, Delta, Diff
from orpolicy.review.classes import TABLE, Way, find_row
from orpolicy.review.diff import compare
from orpolicy.review.effects import Effect, Effects, Reached, collect_effects
from orpolicy.routing.cost import reach
from orpolicy.routing.router import route
from tests import catalogs, strategies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.review.effects import Key
    from orpolicy.routing.catalog import Catalog

MIRROR = {
    "added": "removed",
    "item-added": "item-removed",
    "broken": "fixed",
}
MIRROR |= {other: one for one, other in MIRROR.items()}
REVERSE = {Way.TIGHTENED: Way.LOOSENED, Way.LOOSENED: Way.TIGHTENED, Way.NEUTRAL: Way.NEUTRAL}


def mirror(change: Change) -> Change:
    return evolve(
        change,
        kind=MIRROR.get(change.kind, change.kind),
        old=change.new,
        new=change.old,
        way=REVERSE[change.way],
        notes=change.notes[::-1],
        causes=(),
    )


def summarise(diff: Diff) -> dict[Any, list[str]]:
    """Write changes without their causes, endpoints one by one: what they share is a matter of causes."""
    found: dict[Any, list[str]] = {}
    for delta, change in diff:
        items = change.item if change.kind == "reach" and change.item else [change.item]
        for item in items:
            found.setdefault((delta.preset, delta.environment), []).append(
                repr(evolve(change, item=item, causes=()))
            )
    return {key: sorted(changes) for key, changes in found.items()}


def reverse(diff: Diff) -> Diff:
    deltas = [
        Delta(delta.preset, delta.environment, tuple(map(mirror, delta.changes))) for delta in diff.deltas
    ]
    return evolve(diff, deltas=tuple(deltas))


def effects_of(bodies: Mapping[str, dict[str, Any]], catalog: Catalog | None) -> Effects:
    """Make effects of bodies, as a project of one environment would."""
    found: dict[Key, Effect] = {}
    for name, body in bodies.items():
        reached = None
        if catalog is not None:
            worst = reach(body, catalog).bound(10**12)
            reached = Reached.of(route(body, catalog), worst)
        found[name, None] = Effect(
            name, None, body, None, {}, "https://openrouter.ai/api/v1", None, repr(body), frozenset(), reached
        )
    return Effects("here", found, catalog=catalog)


pairs_of_bodies = st.lists(catalogs.bodies(), min_size=2, max_size=2)


@settings(max_examples=60)
@given(pairs_of_bodies, catalogs.catalogs, st.booleans())
def test_a_comparison_of_routes_and_its_reverse_mirror_each_other(
    bodies: list[dict[str, Any]], catalog: Catalog, blind: bool
) -> None:
    old, new = (effects_of({"one": body}, None if blind else catalog) for body in bodies)
    assert summarise(reverse(compare(old, new))) == summarise(compare(new, old))


@settings(max_examples=60)
@given(catalogs.bodies(), catalogs.catalogs, catalogs.catalogs)
def test_a_new_catalogue_and_the_way_back_mirror_each_other(
    body: dict[str, Any], before: Catalog, after: Catalog
) -> None:
    old, new = (effects_of({"one": body}, catalog) for catalog in (before, after))
    assert summarise(reverse(compare(old, new))) == summarise(compare(new, old))


@settings(max_examples=60)
@given(pairs_of_bodies, catalogs.catalogs)
def test_bodies_that_differ_differ_in_a_field(bodies: list[dict[str, Any]], catalog: Catalog) -> None:
    old, new = (effects_of({"one": body}, catalog) for body in bodies)
    fields = [change for _, change in compare(old, new) if change.part == "body"]
    assert bool(fields) == (bodies[0] != bodies[1])
    for change in fields:
        assert (change.old, change.new, change.item) != (None, None, None)
        assert change.item is not None or change.old != change.new


MODELS = ("openai/gpt-5-mini", "anthropic/claude-sonnet-4.5", "openai/gpt-oss-120b")
SETTINGS = strategies.layers(keys=("provider", "temperature", "max_tokens", "stop", "modalities"))
TOOLS = strategies.layers(keys=("plugins", "tools", "web_search_options", "stop_server_tools_when"))
DEMANDS = st.fixed_dictionaries(
    {"max_tokens": st.integers(1, 4000)},
    optional={
        "zdr": st.just(True),
        "data_collection": st.just("deny"),
        "providers": st.just({"deny": ["deepinfra"]}),
        "models": st.lists(st.sampled_from(["openai/*", "anthropic/*", "*"]), min_size=1).map(
            lambda globs: {"allow": globs}
        ),
        "max_price": st.integers(1, 9).map(lambda price: {"prompt": price}),
        "applies_to": st.sampled_from([{"environments": ["prod"]}, {"presets": ["one"]}]),
    },
)
FILES: dict[str, st.SearchStrategy[Any]] = {
    "orpolicy.yaml": st.sampled_from([{"environments": ["prod"]}, {"environments": ["prod", "test"]}]),
    "presets/base.yaml": SETTINGS.map(lambda base: {**base, "abstract": True}),
    "presets/one.yaml": st.builds(
        lambda model, overlay: {"extends": "base", "model": model, "environments": {"prod": overlay}},
        st.sampled_from(MODELS),
        SETTINGS,
    ),
    "presets/two.yaml": st.builds(
        lambda model, more: {**more, "extends": "base", "model": model}, st.sampled_from(MODELS), TOOLS
    ),
    "presets/org.policy.yaml": DEMANDS,
}


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a project as data: a base, two presets, an overlay, perhaps a policy."""
    names = [name for name in FILES if "policy" not in name or draw(st.booleans())]
    return {name: draw(FILES[name]) for name in names}


@st.composite
def pairs_of_files(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a project, and another with one of its files written anew."""
    before = draw(files())
    name = draw(st.sampled_from(list(FILES)))
    return before, {**before, name: draw(FILES[name])}


class Dumper(yaml.SafeDumper):
    """Writes decimals as they are."""


Dumper.add_representer(
    Decimal, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:float", str(value))
)


def collect(written: Mapping[str, Any], catalog: Catalog | None = catalogs.CATALOG) -> Effects:
    texts = {
        name: yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True)
        for name, data in written.items()
    }
    return collect_effects(Project(Workspace(Memory(texts), Workspace(Library())), given=catalog), "here")


SCHEMAS = {"schema", "parameters"}


def turn(value: Any) -> Any:
    """Reverse the order of all keys, but for those inside JSON Schemas, in which models write their answers."""
    if isinstance(value, dict):
        return {key: value[key] if key in SCHEMAS else turn(value[key]) for key in reversed(list(value))}
    return list(map(turn, value)) if isinstance(value, list) else value


@settings(max_examples=20)
@given(files())
def test_a_project_does_not_differ_from_itself(written: dict[str, Any]) -> None:
    assert not compare(collect(written), collect(written))


@settings(max_examples=20)
@given(files())
def test_the_order_of_keys_and_files_makes_no_difference(written: dict[str, Any]) -> None:
    turned = {name: turn(written[name]) for name in reversed(list(written))}
    assert compare(collect(written), collect(turned)).deltas == ()


@settings(max_examples=40)
@given(pairs_of_files())
def test_a_comparison_of_projects_and_its_reverse_mirror_each_other(
    pair: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    old, new = map(collect, pair)
    assert summarise(reverse(compare(old, new))) == summarise(compare(new, old))


lists_of_slugs = st.one_of(
    st.none(),
    st.lists(st.sampled_from(["azure", "azure/eu", "azure/priority", "x"]), unique=True, min_size=1),
)


@pytest.mark.parametrize("path", TABLE, ids=str)
@settings(max_examples=20)
@given(data=st.data())
def test_every_row_judges_a_change_and_its_reverse_as_mirrors(path: Any, data: st.DataObject) -> None:
    row = find_row(path)
    values = st.one_of(
        st.sampled_from([None, True, False, "allow", "deny", "true"]), st.decimals(0, 10, allow_nan=False)
    )
    if row.measure(None) == Decimal("Infinity"):
        values = st.one_of(st.none(), st.decimals(0, 10, allow_nan=False))
    old, new = data.draw(values), data.draw(values)
    assert row.judge(new, old) is REVERSE[row.judge(old, new)]
    before, after = data.draw(lists_of_slugs), data.draw(lists_of_slugs)
    for item in (*(before or ()), *(after or ())):
        assert row.judge_item(after, before, item) is REVERSE[row.judge_item(before, after, item)]
