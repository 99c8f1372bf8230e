"""What a real catalogue contains and nobody expects; one test for each."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from orpolicy.routing.answers import assemble
from orpolicy.routing.router import route

if TYPE_CHECKING:
    from orpolicy.routing.catalog import Catalog

ARCHITECTURE = {"input_modalities": ["text"], "output_modalities": ["text"], "tokenizer": "Other"}


def tags(answer: Any) -> list[str]:
    return [attempt.endpoint.tag for attempt in answer.attempts]


def test_routers_have_a_negative_price_and_are_unknown(real: Catalog) -> None:
    negative = {model.id for model in real.models if model.prices.depends}
    assert negative == {
        f"openrouter/{name}" for name in ("auto", "auto-beta", "fusion", "pareto-code", "bodybuilder")
    }
    for name in (*negative, "openrouter/free"):
        answer = route({"model": name}, real)
        assert [entry.needs for entry in answer.unknown] == [("router",)]


def test_far_away_expiration_dates_are_dates(real: Catalog) -> None:
    expiring = {model.id: model.expires for model in real.models if model.expires}
    assert len(expiring) == 13
    assert expiring["z-ai/glm-5.3"] == date(2098, 12, 31)
    assert expiring["inclusionai/ling-2.6-1t"] == date(2026, 8, 24)


def test_aliases_route_to_their_targets(real: Catalog) -> None:
    aliases = [model for model in real.models if model.alias_of]
    assert len(aliases) == 12
    for alias in aliases:
        answer = route({"model": alias.id}, real)
        assert {attempt.model for attempt in answer.attempts} == {alias.alias_of}
        assert tags(answer) == tags(route({"model": alias.alias_of}, real))


def test_an_ordinary_model_without_endpoints_is_unavailable(real: Catalog) -> None:
    answer = route({"model": "allenai/olmo-3-32b-think"}, real)
    assert answer.availability
    assert answer.availability.code == "no_endpoints"


@pytest.mark.parametrize("name", ["google/gemini-2.5-pro-preview", "google/gemini-2.5-pro-preview-05-06"])
def test_an_answer_for_another_model_is_kept_and_found_in_the_zdr_list(real: Catalog, name: str) -> None:
    own = real.by_id[name].endpoints or ()
    assert {endpoint.served_as for endpoint in own} == {"google/gemini-2.5-pro"}
    asked = {endpoint.tag: endpoint.zdr for endpoint in own}
    assert asked == {
        endpoint.tag: endpoint.zdr for endpoint in real.by_id["google/gemini-2.5-pro"].endpoints or ()
    }
    assert asked["google-vertex/global"] is True
    assert route({"model": name}, real).attempts[0].model == name


@pytest.mark.parametrize(
    ("name", "tag"),
    [("google/gemma-4-31b-it", "together"), ("qwen/qwen3-235b-a22b-2507", "google-vertex/us-south1")],
)
def test_twins_with_one_tag_are_both_judged(real: Catalog, name: str, tag: str) -> None:
    twins = [endpoint for endpoint in real.by_id[name].endpoints or () if endpoint.tag == tag]
    assert len(twins) == 2
    assert twins[0].prices != twins[1].prices
    assert tags(route({"model": name}, real)).count(tag) == 2
    between = str((twins[0].prices.prompt_per_million + twins[1].prices.prompt_per_million) / 2)
    capped = route({"model": name, "provider": {"only": [tag], "max_price": {"prompt": between}}}, real)
    assert tags(capped) == [tag]
    assert Counter(e.excluded_by for e in capped.excluded if e.endpoint.tag == tag) == {("max_price",): 1}


def test_of_twins_the_zdr_list_may_hold_one_and_does_not_say_which() -> None:
    row = {
        "model_id": "m/a",
        "tag": "together",
        "provider_name": "Together",
        "context_length": 1,
        "pricing": {"prompt": "1", "completion": "1"},
    }
    twins = {"m/a": {"data": {"endpoints": [row, row | {"pricing": {"prompt": "2", "completion": "2"}}]}}}
    model = {
        "id": "m/a",
        "name": "A",
        "architecture": ARCHITECTURE,
        "pricing": {"prompt": "1", "completion": "1"},
    }
    for listed, expected in ((0, False), (1, None), (2, True)):
        zdr = {"data": [{"model_id": "m/a", "tag": "together"}] * listed}
        made = assemble({"data": [model]}, {"data": []}, zdr, twins)
        assert {endpoint.zdr for endpoint in made.endpoints} == {expected}


def test_tags_carry_tiers_and_their_regions(real: Catalog) -> None:
    stacked = {e.tag: (e.prefix, e.stem, e.tier) for e in real.endpoints if e.tag.count("/") == 2}
    assert stacked["google-vertex/global/priority"] == ("google-vertex", "google-vertex/global", "priority")
    assert stacked["xai/zdr/priority"] == ("xai", "xai/zdr", "priority")
    assert stacked["openai/default/flex"] == ("openai", "openai/default", "flex")
    tiers = Counter(endpoint.tier for endpoint in real.endpoints)
    assert tiers["flex"] + tiers["priority"] == 117
    assert not any(endpoint.tier for endpoint in real.endpoints if endpoint.tag.endswith("/fast"))


def test_a_tag_prefix_is_not_always_a_slug(real: Catalog) -> None:
    odd = [endpoint for endpoint in real.endpoints if endpoint.prefix not in real.by_slug]
    assert {endpoint.tag for endpoint in odd} == {"sambanova-turbo"}
    assert {real.provider_slug(endpoint) for endpoint in odd} == {"sambanova"}
    body = {"model": odd[0].model, "provider": {"only": ["sambanova"]}}
    assert "sambanova-turbo" in tags(route(body, real))


def test_display_names_are_not_slugs(real: Catalog) -> None:
    assert real.by_name["Google"].slug == "google-vertex"
    assert real.by_name["Mancer 2"].slug == "mancer"
    assert all(endpoint.provider in real.by_name for endpoint in real.endpoints)


def test_odd_providers_are_listed(real: Catalog) -> None:
    assert len(real.providers) == 103
    assert {"fake-provider", "stealth"} <= set(real.by_slug)
    centres = {provider.datacenters for provider in real.providers}
    assert {None, ()} < centres
    assert None in {provider.headquarters for provider in real.providers}


def test_a_shared_canonical_slug_means_the_model_without_a_variant(real: Catalog) -> None:
    shared = Counter(model.canonical_slug for model in real.models)
    several = [slug for slug, number in shared.items() if number > 1]
    assert len(several) == 69
    for slug in several:
        variants = [model for model in real.models if model.canonical_slug == slug]
        plain_ones = [model for model in variants if model.variant is None]
        assert real.by_canonical_slug[slug] in (plain_ones or variants)


def test_long_decimals_stay_exact(real: Catalog) -> None:
    digits = {rate for endpoint in real.endpoints for rate in endpoint.prices.rates.values()}
    assert Decimal("0.0000000833333333333333") in digits


def test_discounts_are_fractions_and_one_is_a_markup(real: Catalog) -> None:
    discounts = [endpoint.prices.discount for endpoint in real.endpoints if endpoint.prices.discount]
    assert len(discounts) == 81
    assert (min(discounts), max(discounts)) == (Decimal("-0.2"), Decimal("0.9"))


def test_listed_prices_hold_their_discount_already(real: Catalog) -> None:
    """Endpoints of one model with different discounts divide out to one price before discount."""
    own = real.by_id["deepseek/deepseek-v4-flash-0731"].endpoints or ()
    before = {
        endpoint.prices.prompt_per_million / (1 - endpoint.prices.discount)
        for endpoint in own
        if endpoint.prefix in ("streamlake", "baidu", "gmicloud")
    }
    assert before == {Decimal("0.14")}


def test_zero_prices_are_not_always_free_variants(real: Catalog) -> None:
    free = [e for e in real.endpoints if e.prices.prompt == 0 and e.prices.completion == 0]
    assert len(free) == 21
    assert len([endpoint for endpoint in free if endpoint.model.endswith(":free")]) == 18


def test_overrides_by_length_and_by_hour_are_read(real: Catalog) -> None:
    overrides = [override for endpoint in real.endpoints for override in endpoint.prices.overrides]
    assert len(overrides) == 187
    assert len([override for override in overrides if override.timed]) == 4
    assert not any(
        {"min_prompt_tokens", "utc_start", "utc_end"} & set(override.rates) for override in overrides
    )


def test_unknown_quantizations_are_a_level(real: Catalog) -> None:
    levels = Counter(endpoint.quantization for endpoint in real.endpoints)
    assert levels["unknown"] == 727
    assert levels["fp8"] == 298


def test_missing_statistics_and_optional_keys_do_no_harm(real: Catalog) -> None:
    assert {endpoint.latency for endpoint in real.endpoints} == {None}
    assert len([model for model in real.models if model.reasoning is not None]) == 289
    assert len([model for model in real.models if model.hugging_face_id]) == 169


def test_a_status_below_zero_is_an_outage(real: Catalog) -> None:
    assert Counter(endpoint.status for endpoint in real.endpoints) == {0: 1155, -2: 34, -5: 15}


def test_a_page_that_is_not_the_last_is_no_complete_catalogue(real: Catalog) -> None:
    assert real.complete
    made = assemble({"data": [], "links": {"next": "/api/v1/models?page=2"}}, {"data": []}, None, {})
    assert not made.complete


def test_no_zdr_list_means_unknown() -> None:
    row = {"model_id": "m/a", "tag": "t", "provider_name": "T", "context_length": 1, "pricing": {}}
    model = {"id": "m/a", "name": "A", "architecture": ARCHITECTURE, "pricing": {}}
    made = assemble({"data": [model]}, {"data": []}, None, {"m/a": {"data": {"endpoints": [row]}}})
    assert made.endpoints[0].zdr is None


def test_the_zdr_list_is_complete(real: Catalog) -> None:
    assert len({(endpoint.served_as, endpoint.tag) for endpoint in real.endpoints if endpoint.zdr}) == 589
    assert not any(tag == "anthropic" for _, tag in real.zdr)


def test_newer_shapes_are_read(shared: Any) -> None:
    rows = json.loads((shared / "catalog/more/newer-shapes.json").read_text())
    row = {"model_id": "m/a", "tag": "t", "provider_name": "T", "context_length": 1, "pricing": {}}
    model = {"id": "m/a", "name": "A", "architecture": ARCHITECTURE, "pricing": {}}
    for entry in rows:
        if "tag" in entry["object"] or "latency_last_30m" in entry["object"]:
            found = {"m/a": {"data": {"endpoints": [row | entry["object"]]}}}
            made = assemble({"data": [model]}, {"data": []}, None, found)
            assert made.endpoints[0].throughput is None or made.endpoints[0].throughput["p50"] > 0


def test_route_answers_for_every_id_variant_and_alias(real: Catalog) -> None:
    silent = []
    for model in real.models:
        for suffix in ("", ":nitro", ":floor", ":exacto", ":online"):
            answer = route({"model": model.id + suffix}, real)
            if not (answer.attempts or answer.unknown or answer.availability):
                silent.append(model.id + suffix)
            listed = len((real.by_id[model.alias_of] if model.alias_of else model).endpoints or ())
            assert len(answer.attempts) + len(answer.excluded) == listed
    assert silent == []
