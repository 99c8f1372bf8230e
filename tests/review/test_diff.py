"""What a comparison finds, and whose line it blames, change by change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from orpolicy.disk import Library
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace
from orpolicy.project import Project
from orpolicy.review.classes import Concern, Way, find_row
from orpolicy.review.diff import compare
from orpolicy.review.effects import Effects, collect_effects
from tests.catalogs import CATALOG

if TYPE_CHECKING:
    from orpolicy.review.changes import Change, Diff
    from orpolicy.routing.catalog import Catalog

SONNET = "anthropic/claude-sonnet-4.5"
TIGHTER, LOOSER, NEITHER = Way.TIGHTENED, Way.LOOSENED, Way.NEUTRAL


def collect(files: dict[str, str], catalog: Catalog | None = CATALOG) -> Effects:
    return collect_effects(Project(Workspace(Memory(files), Workspace(Library())), given=catalog), "here")


def diff(old: dict[str, str], new: dict[str, str], **given: Any) -> Diff:
    return compare(collect(old), collect({**old, **new}), **given)


def preset(text: str, model: str = SONNET) -> dict[str, str]:
    return {"presets/one.yaml": f"model: {model}\n{text}"}


def tell(change: Change) -> tuple[str, str, Any, Way]:
    value = change.item if change.item is not None else (change.old, change.new)
    return change.kind, change.field, value, change.way


def body(old: str, new: str) -> list[tuple[str, str, Any, Way]]:
    """Tell what of a request changed; without a catalogue, so that nothing else is told."""
    found = compare(collect(preset(old), None), collect(preset(new), None))
    return [tell(change) for _, change in found if change.part == "body"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "provider: {zdr: true}", ("added", "/provider/zdr", (None, True), TIGHTER)),
        ("", "provider: {zdr: false}", ("added", "/provider/zdr", (None, False), NEITHER)),
        (
            "provider: {data_collection: allow}",
            "provider: {data_collection: deny}",
            ("changed", "/provider/data_collection", ("allow", "deny"), TIGHTER),
        ),
        (
            "provider: {allow_fallbacks: true}",
            "provider: {allow_fallbacks: false}",
            ("changed", "/provider/allow_fallbacks", (True, False), TIGHTER),
        ),
        (
            "provider: {max_price: {prompt: 3}}",
            "provider: {max_price: {prompt: 2.5}}",
            ("changed", "/provider/max_price/prompt", ("3", "2.5"), TIGHTER),
        ),
        (
            "",
            "provider: {max_price: {prompt: 10}}",
            ("added", "/provider/max_price/prompt", (None, "10"), TIGHTER),
        ),
        ("max_tokens: 900", "max_tokens: 1000", ("changed", "/max_tokens", (900, 1000), LOOSER)),
        ("max_tokens: 900", "", ("removed", "/max_tokens", (900, None), LOOSER)),
        ("max_cost: 0.5", "max_cost: 0.25", ("changed", "max_cost", ("0.5", "0.25"), TIGHTER)),
        ("temperature: 1", "temperature: 0", ("changed", "/temperature", (1, 0), NEITHER)),
        ("", "provider: {only: [azure]}", ("added", "/provider/only", (None, ["azure"]), TIGHTER)),
        (
            "provider: {only: [azure]}",
            "provider: {only: [openai, azure]}",
            ("item-added", "/provider/only", "openai", LOOSER),
        ),
        (
            "provider: {only: [azure]}",
            "provider: {only: [azure, azure/eu]}",
            ("item-added", "/provider/only", "azure/eu", NEITHER),
        ),
        (
            "provider: {ignore: [azure]}",
            "provider: {ignore: [azure, openai]}",
            ("item-added", "/provider/ignore", "openai", TIGHTER),
        ),
        ("", "provider: {ignore: [azure]}", ("added", "/provider/ignore", (None, ["azure"]), TIGHTER)),
        ("provider: {ignore: []}", "", ("removed", "/provider/ignore", ([], None), NEITHER)),
        (
            "provider: {quantizations: [fp8]}",
            "provider: {quantizations: [fp8, mxfp8]}",
            ("item-added", "/provider/quantizations", "mxfp8", NEITHER),
        ),
        (
            "provider: {quantizations: [fp8, fp4]}",
            "provider: {quantizations: [fp8]}",
            ("item-removed", "/provider/quantizations", "fp4", TIGHTER),
        ),
        ("", "region: eu", ("added", "region", (None, ["eu"]), TIGHTER)),
        ("", "cache_enabled: true", ("added", "headers", (None, {"X-OpenRouter-Cache": "true"}), LOOSER)),
        ("system: Hello", "system: Hi", ("changed", "system", ("Hello", "Hi"), NEITHER)),
        (
            "provider: {order: [a, b, c]}",
            "provider: {order: [c, a, b]}",
            ("item-moved", "/provider/order", "c", NEITHER),
        ),
        (
            "provider: {order: [a], allow_fallbacks: false}",
            "provider: {order: [a, b], allow_fallbacks: false}",
            ("item-added", "/provider/order", "b", LOOSER),
        ),
        (
            "provider: {order: [a]}",
            "provider: {order: [a, b]}",
            ("item-added", "/provider/order", "b", NEITHER),
        ),
        (
            "plugins: [{id: file-parser}]",
            "plugins: [{id: file-parser, enabled: false}]",
            ("added", "/plugins/file-parser/enabled", (None, False), NEITHER),
        ),
        (
            "stop_server_tools_when: [{type: step_count_is, step_count: 3}]",
            "",
            (
                "removed",
                "/stop_server_tools_when",
                ([{"type": "step_count_is", "step_count": 3}], None),
                LOOSER,
            ),
        ),
    ],
)
def test_a_field_is_told_as_it_is_merged_and_judged_by_its_row(old: str, new: str, told: Any) -> None:
    if told[1] == "headers":
        told = ("added", "headers/X-OpenRouter-Cache", (None, "true"), told[3])
    assert body(old, new) == [told]


def test_a_region_that_took_anothers_place_is_looser_and_tighter() -> None:
    assert body("region: eu", "region: us") == [
        ("item-removed", "region", "eu", TIGHTER),
        ("item-added", "region", "us", LOOSER),
    ]


@pytest.mark.parametrize(
    "settings",
    [
        "plugins: [{id: web}]",
        "tools: [{type: 'openrouter:web_search'}]",
        "tools: [{type: 'openrouter:fusion', parameters: {tools: [{type: 'openrouter:web_fetch'}]}}]",
        "web_search_options: {}",
        "plugins: [{id: fusion}]",
    ],
)
def test_what_reaches_for_the_web_is_looser(settings: str) -> None:
    found = [one for one in body("", settings) if one[1] == "web access"]
    assert [(kind, way) for kind, _, _, way in found] == [("item-added", LOOSER)]


def test_a_model_that_searches_by_its_name_reaches_for_the_web() -> None:
    old, new = (collect(preset("", model), None) for model in (SONNET, f"{SONNET}:online"))
    assert ("item-added", "web access", f"model {SONNET}:online", LOOSER) in [
        tell(change) for _, change in compare(old, new)
    ]


BASE = "abstract: true\nprovider:\n  zdr: true\n  only: [anthropic, azure]\n"
PROJECT = {
    "presets/base.yaml": BASE,
    "presets/mid.yaml": "abstract: true\nextends: base\n",
    "presets/one.yaml": f"extends: mid\nmodel: {SONNET}\nmax_tokens: 100\n",
}


def causes(old: dict[str, str], new: dict[str, str], field: str) -> list[str]:
    return [str(cause) for _, change in diff(old, new) if change.field == field for cause in change.causes]


@pytest.mark.parametrize(
    ("new", "field", "blamed"),
    [
        # set, in a base two files away
        (
            {"presets/base.yaml": BASE.replace("azure", "azure, groq")},
            "/provider/only",
            "presets/base.yaml:4:28",
        ),
        # taken out of the list that said it
        (
            {"presets/base.yaml": BASE.replace(", azure", "")},
            "/provider/only",
            "was set at presets/base.yaml:4:21",
        ),
        # no longer said at all
        (
            {"presets/base.yaml": BASE.replace("  zdr: true\n", "")},
            "/provider/zdr",
            "was set at presets/base.yaml:3:8",
        ),
        # removed by a layer above
        (
            {"presets/mid.yaml": "abstract: true\nextends: base\nprovider: {zdr: null}\n"},
            "/provider/zdr",
            "removed at presets/mid.yaml:3:17",
        ),
        (
            {"presets/mid.yaml": "abstract: true\nextends: base\nprovider: {only: {remove: [azure]}}\n"},
            "/provider/only",
            "removed at presets/mid.yaml:3:28",
        ),
        # a list that takes the place of the base's
        (
            {"presets/mid.yaml": "abstract: true\nextends: base\nprovider: {only: [anthropic]}\n"},
            "/provider/only",
            "removed at presets/mid.yaml:3:18",
        ),
        # filled in by a policy
        (
            {"presets/org.policy.yaml": "max_cost: 0.5\n"},
            "max_cost",
            "presets/org.policy.yaml:1:11",
        ),
        # the attribution header, by its own key
        (
            {"presets/mid.yaml": "abstract: true\nextends: base\nattribution: {title: Mail}\n"},
            "headers/X-OpenRouter-Title",
            "presets/mid.yaml:3:22",
        ),
    ],
)
def test_the_line_that_did_it_is_named(new: dict[str, str], field: str, blamed: str) -> None:
    assert causes(PROJECT, new, field)[:1] == [blamed]


MID = "abstract: true\n{}\n"


@pytest.mark.parametrize(
    ("new", "field", "blamed"),
    [
        # a base that is extended no longer, two files away from the preset
        (
            {"presets/mid.yaml": MID.format("description: alone")},
            "/provider/zdr",
            ["no longer through presets/mid.yaml:2:10", "was set at presets/base.yaml:3:8"],
        ),
        # one that is extended now, here and in the library
        (
            {"presets/mid.yaml": MID.format("extends: [base, orpolicy/private]")},
            "/provider/data_collection",
            ["through presets/mid.yaml:2:17", "orpolicy/private.yaml:13:20"],
        ),
        # a line that changed speaks for itself, whatever leads to it
        (
            {"presets/base.yaml": BASE.replace("zdr: true", "zdr: false")},
            "/provider/zdr",
            ["presets/base.yaml:3:8"],
        ),
        # a policy of the library that is adopted now
        (
            {"orpolicy.yaml": "policies: [orpolicy/no-training]\n"},
            "/provider/data_collection",
            ["through orpolicy.yaml:1:12", "orpolicy/policies/no-training.policy.yaml:8:18"],
        ),
    ],
)
def test_what_leads_to_a_line_that_nobody_touched_is_named(
    new: dict[str, str], field: str, blamed: list[str]
) -> None:
    assert causes(PROJECT, new, field) == blamed


def test_a_policy_that_is_for_all_environments_now_is_blamed_by_its_scope() -> None:
    narrow = {
        "orpolicy.yaml": "environments: [dev, prod]\n",
        "presets/org.policy.yaml": "applies_to: {environments: [dev]}\nmax_cost: 0.5\n",
    }
    wide = {"presets/org.policy.yaml": narrow["presets/org.policy.yaml"].replace("[dev]", "[dev, prod]")}
    told = causes({**PROJECT, **narrow}, wide, "max_cost")
    assert set(told) == {"through presets/org.policy.yaml:1:13", "presets/org.policy.yaml:2:11"}


@pytest.mark.parametrize(
    ("new", "blamed"),
    [
        # the policy, though the finding stands at the provider that it forbids
        ({"presets/org.policy.yaml": "providers: {deny: [azure]}\n"}, ["presets/org.policy.yaml:1:20"]),
        # the provider, though the policy is part of the finding
        ({"presets/base.yaml": BASE.replace("azure", "groq")}, ["presets/base.yaml:4:21"]),
        # what brought the finding into a preset
        ({"presets/mid.yaml": "abstract: true\nextends: [base, odd]\n"}, ["through presets/mid.yaml:2:17"]),
    ],
)
def test_a_preset_that_compiles_no_longer_is_blamed_on_what_is_new(
    new: dict[str, str], blamed: list[str]
) -> None:
    old = {
        **PROJECT,
        "presets/org.policy.yaml": "providers: {deny: [groq]}\n",
        "presets/odd.yaml": "abstract: true\nprovider: {order: [groq]}\n",
    }
    assert causes(old, new, "preset") == blamed


def policy(old: str | None, new: str | None) -> list[tuple[str, str, Any, Way]]:
    sides = [
        PROJECT if text is None else {**PROJECT, "presets/org.policy.yaml": text + "\n"}
        for text in (old, new)
    ]
    found = compare(*(collect(files, None) for files in sides))
    return [tell(change) for _, change in found if change.part == "policy"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (None, "max_tokens: 900", ("added", "max_tokens", (None, 900), TIGHTER)),
        ("max_tokens: 900", "max_tokens: 950", ("changed", "max_tokens", (900, 950), LOOSER)),
        (
            "providers: {deny: [groq]}",
            "providers: {deny: [groq, together]}",
            ("item-added", "providers.deny", "together", TIGHTER),
        ),
        (
            "models: {allow: ['anthropic/*']}",
            "models: {allow: ['anthropic/*', 'openai/*']}",
            ("item-added", "models.allow", "openai/*", LOOSER),
        ),
        (
            "models: {allow: ['anthropic/*']}",
            "models: {allow: ['anthropic/*', 'anthropic/claude*']}",
            ("item-added", "models.allow", "anthropic/claude*", NEITHER),
        ),
        (
            "models: {allow: ['anthropic/*']}",
            None,
            ("removed", "models.allow", (["anthropic/*"], None), LOOSER),
        ),
        (None, "require: [max_tokens]", ("item-added", "require", "max_tokens", TIGHTER)),
        (None, "plugins: {allow: []}", ("added", "plugins.allow", (None, []), TIGHTER)),
    ],
)
def test_what_calls_may_do_is_told_though_no_body_changed(
    old: str | None, new: str | None, told: Any
) -> None:
    assert policy(old, new) == [told]


def test_a_policy_that_says_the_same_in_two_files_is_the_same() -> None:
    one = {**PROJECT, "presets/a.policy.yaml": "max_tokens: 900\nzdr: true\n"}
    two = {**PROJECT, "presets/b.policy.yaml": "zdr: true\n", "presets/c.policy.yaml": "max_tokens: 900\n"}
    assert not compare(collect(one), collect(two))


def route(
    files: dict[str, str], new: dict[str, str] | None = None, catalog: Catalog = CATALOG
) -> list[Change]:
    found = compare(collect(files), collect({**files, **(new or {})}, catalog))
    return [change for _, change in found if change.part in ("route", "cost")]


def test_prices_of_a_new_snapshot_are_told_where_they_are_paid() -> None:
    [model] = [one for one in CATALOG.models if one.id == SONNET]
    dearer = [
        evolve(one, prices=evolve(one.prices, rates={**one.prices.rates, "prompt": one.prices.prompt * 4}))
        if one.tag == "anthropic"
        else one
        for one in model.endpoints or ()
    ]
    catalog = evolve(
        CATALOG,
        models=[evolve(model, endpoints=tuple(dearer)), *(one for one in CATALOG.models if one != model)],
    )
    told = route(preset("max_tokens: 100\nprovider: {only: [anthropic]}\n"), catalog=catalog)
    assert [
        (one.kind, one.field, one.old, one.new, one.way, [str(c) for c in one.causes]) for one in told
    ] == [
        ("worst", "worst case", "6.00225", "12.00225", LOOSER, ["the catalogue: prompt price 3 → 12"]),
        ("price", f"{SONNET} at anthropic", "3", "12", LOOSER, ["the catalogue"]),
    ]


def test_an_endpoint_that_the_catalogue_lost_is_blamed_on_it() -> None:
    [model] = [one for one in CATALOG.models if one.id == SONNET]
    fewer = tuple(one for one in model.endpoints or () if one.tag != "azure/global")
    catalog = evolve(
        CATALOG, models=[evolve(model, endpoints=fewer), *(one for one in CATALOG.models if one != model)]
    )
    [told] = route(preset("max_tokens: 100\n"), catalog=catalog)
    assert (told.kind, told.item, told.way) == ("reach", ["azure/global"], TIGHTER)
    assert [str(cause) for cause in told.causes] == ["the catalogue: no longer lists it"]


def test_without_a_catalogue_models_are_compared() -> None:
    old, new = (collect(preset("", model), None) for model in (SONNET, "openai/gpt-5-mini"))
    told = [tell(change) for _, change in compare(old, new)]
    assert told == [
        ("changed", "/model", (SONNET, "openai/gpt-5-mini"), NEITHER),
        ("reach", SONNET, ("unknown", "excluded"), TIGHTER),
        ("reach", "openai/gpt-5-mini", ("excluded", "unknown"), LOOSER),
    ]


def test_an_environment_of_its_own_is_compared_with_what_held_before() -> None:
    overlay = "environments:\n  prod:\n    provider: {zdr: null}\n"
    found = diff(PROJECT, {"presets/one.yaml": PROJECT["presets/one.yaml"] + overlay})
    assert {(delta.preset, delta.environment) for delta in found.deltas} == {("one", "prod")}
    assert found.deltas[0].goes(Way.LOOSENED, Concern.PRIVACY)
    assert not diff(PROJECT, {"presets/one.yaml": PROJECT["presets/one.yaml"] + overlay}, environment="test")


def test_what_two_presets_share_by_a_rename_stays_apart() -> None:
    one = preset("max_tokens: 100\n")["presets/one.yaml"]
    old = {"presets/a.yaml": one, "presets/b.yaml": one}
    found = compare(collect(old), collect({"presets/c.yaml": one, "presets/d.yaml": one + "seed: 3\n"}))
    told = {(delta.preset, delta.renamed_from, change.kind) for delta, change in found}
    assert told == {("c", "a", "renamed"), ("b", None, "removed"), ("d", None, "added")}


def test_a_field_that_nobody_listed_is_judged_by_the_one_around_it() -> None:
    assert find_row(("provider", "max_price", "image")) is find_row(("provider", "max_price"))
    assert find_row(("provider", "sort")).concern is Concern.ROUTE
    assert find_row(("user",)).concern is Concern.OTHER
