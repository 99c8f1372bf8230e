"""Who served a reply is compared with whom its preset allows."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import httpx
import pytest
from catalogs import NOW

from orpolicy.client.audit import RoutingViolation, RoutingWarning, audit
from orpolicy.client.replies import read_reply
from orpolicy.routing.answers import read_folder
from orpolicy.routing.catalog import Catalog
from orpolicy.routing.offers import Endpoint, Model, Provider
from orpolicy.routing.prices import Prices

SECRET = "the customer's secret"


def document(model: str, provider: str | None, **top: Any) -> dict[str, Any]:
    said = {"provider": provider} if provider else {}
    choice = {"finish_reason": "stop", "message": {"content": SECRET}}
    return {"id": "gen-1", "model": model, **said, "choices": [choice], **top}


def breaches(body: dict[str, Any], model: str, provider: str | None = None, **more: Any) -> list[str]:
    catalog = more.pop("catalog", None)
    found = audit(body, read_reply(document(model, provider, **more), {}), catalog)
    return [pointer for pointer, _ in found.breaches]


@pytest.mark.parametrize(
    ("body", "served"),
    [
        ({"model": "openai/gpt-5"}, "openai/gpt-5"),
        ({"model": "openai/gpt-5:nitro"}, "openai/gpt-5"),
        ({"model": "openai/gpt-5:free"}, "openai/gpt-5:free"),
        ({"model": "openai/gpt-5"}, "openai/gpt-5-2025-08-07"),
        ({"model": "anthropic/claude-haiku-4.5"}, "anthropic/claude-haiku-4.5-20251001"),
        ({"model": "a/a", "models": ["b/b"]}, "b/b"),
        ({"models": ["b/b", "c/c"]}, "c/c"),
        ({"model": "openrouter/auto"}, "any/thing"),
        ({"model": "~anthropic/claude-sonnet-latest"}, "anthropic/claude-sonnet-4.5"),
        ({"model": "@preset/mail"}, "any/thing"),
        ({"model": "openai/gpt-5@preset/mail"}, "any/thing"),
        (
            {"model": "openrouter/auto", "plugins": [{"id": "auto-router", "allowed_models": ["openai/*"]}]},
            "openai/gpt-5",
        ),
        ({}, "any/thing"),
    ],
)
def test_a_model_that_the_preset_allows_is_none_of_the_audit_s_business(body, served) -> None:
    assert breaches(body, served) == []


@pytest.mark.parametrize(
    ("body", "served", "pointer"),
    [
        ({"model": "openai/gpt-5"}, "openai/gpt-5-mini", "/model"),
        ({"model": "openai/gpt-5"}, "openai/gpt-4o", "/model"),
        ({"models": ["a/a", "b/b"]}, "c/c", "/models"),
        (
            {"model": "openrouter/auto", "plugins": [{"id": "auto-router", "allowed_models": ["openai/*"]}]},
            "google/gemini",
            "/model",
        ),
    ],
)
def test_another_model_is_a_breach(body, served, pointer) -> None:
    assert breaches(body, served) == [pointer]


@pytest.mark.parametrize(
    ("routing", "provider", "pointers"),
    [
        ({"only": ["openai", "azure"]}, "Azure", []),
        ({"only": ["google-vertex/us-east5"]}, "Google", []),
        ({"only": ["amazon-bedrock"]}, "Amazon Bedrock", []),
        ({"only": ["sambanova-turbo"]}, "SambaNova", []),
        ({"only": ["openai"]}, "Azure", ["/provider/only"]),
        ({"ignore": ["azure"]}, "Azure", ["/provider/ignore"]),
        ({"ignore": ["azure/eu"]}, "Azure", []),
        ({"order": ["openai"]}, "Azure", []),
        ({"order": ["openai"], "allow_fallbacks": False}, "Azure", ["/provider/order"]),
        ({"only": ["openai"], "ignore": ["azure"]}, "Azure", ["/provider/only", "/provider/ignore"]),
        ({}, "Azure", []),
    ],
)
def test_a_provider_has_to_be_one_that_the_preset_allows(routing, provider, pointers) -> None:
    assert breaches({"model": "m/m", "provider": routing}, "m/m", provider) == pointers


def test_an_ignored_provider_may_serve_by_a_tier_that_is_not_ignored() -> None:
    body = {"model": "m/m", "provider": {"ignore": ["azure"]}}
    assert breaches(body, "m/m", "Azure", service_tier="priority") == []


def test_the_routing_report_says_who_served_where_the_body_does_not() -> None:
    report = {"endpoints": {"available": [{"provider": "Azure", "model": "m/m", "selected": True}]}}
    body = {"model": "m/m", "provider": {"only": ["openai"]}}
    assert breaches(body, "m/m", openrouter_metadata=report) == ["/provider/only"]


def test_a_reply_that_does_not_say_who_served_is_unknown_and_no_breach() -> None:
    body = {"model": "m/m", "provider": {"only": ["openai"]}}
    found = audit(body, read_reply(document("m/m", None), {}))
    assert (found.breaches, found.known) == ((), False)
    assert audit({"model": "m/m"}, read_reply(document("m/m", None), {})).known


def endpoint(provider: str, tag: str, *, zdr: bool | None) -> Endpoint:
    return Endpoint("m/m", tag, provider, Prices({}), 1000, served_as="m/other", zdr=zdr)


def test_a_catalogue_knows_names_dates_and_zero_retention() -> None:
    offered = (endpoint("Odd Name", "odd", zdr=False), endpoint("Good", "good", zdr=True))
    model = Model("m/m", "M", Prices({}), canonical_slug="m/m-final", endpoints=offered)
    catalog = Catalog((model,), (Provider("odd", "Odd Name"), Provider("good", "Good")))
    body = {"model": "m/m", "provider": {"only": ["odd"], "zdr": True}}
    assert breaches(body, "m/m-final", "Odd Name", catalog=catalog) == ["/provider/zdr"]
    assert breaches({**body, "provider": {"zdr": True}}, "m/m", "Good", catalog=catalog) == []
    assert breaches({"model": "m/m"}, "m/other", "Good", catalog=catalog) == []
    assert breaches(body, "m/m-final", "Odd Name") == ["/model", "/provider/only"]


PRESET = {"model": "m/m", "provider": {"only": ["openai"]}}


def wrong() -> httpx.Response:
    return httpx.Response(200, json=document("m/m", "Azure", usage={"cost": 1}))


def wrong_stream() -> httpx.Response:
    lines = [
        '{"model": "m/m", "provider": "Azure", "choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}',
        "[DONE]",
    ]
    text = "".join(f"data: {line}\n\n" for line in lines)
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=text)


def test_an_audit_asks_for_the_routing_report_and_raises(talk) -> None:
    with pytest.raises(RoutingViolation) as caught:
        talk.chat(wrong(), preset=talk.stub(PRESET), audit="raise")
    assert talk.requests[0].headers["x-openrouter-metadata"] == "enabled"
    assert str(caught.value) == "preset '' was not kept to by gen-1: /provider/only does not allow Azure"
    assert caught.value.reply.text == SECRET
    assert SECRET not in repr(caught.value)


def test_a_stream_is_audited_at_its_end(talk) -> None:
    heard = talk.listen(wrong_stream(), preset=talk.stub(PRESET), audit="raise")
    assert isinstance(heard.error, RoutingViolation)
    assert heard.text == "Hi"


def test_a_warning_points_at_the_line_of_the_call(talk) -> None:
    client = talk.client((wrong(),), audit="warn")
    if talk.kind == "async":
        pytest.skip("a coroutine's caller is the event loop")
    with pytest.warns(RoutingWarning, match="/provider/only does not allow Azure") as caught:
        client.chat(talk.stub(PRESET), "Hello")
    assert caught[0].filename == __file__


def test_a_record_stands_in_the_ledger_alone(talk) -> None:
    client = talk.client((wrong(),), audit="record")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = client.chat(talk.stub(PRESET), "Hello")
        if talk.kind == "async":
            asyncio.run(_result(outcome))
    (violation,) = client.ledger.violations
    assert (violation.provider, violation.breaches) == ("Azure", (("/provider/only", "Azure"),))
    assert client.ledger.spent == 1


async def _result(outcome: Any) -> Any:
    return await outcome


def test_without_an_audit_nothing_is_compared(talk) -> None:
    assert talk.chat(wrong(), preset=talk.stub(PRESET)).provider == "Azure"
    assert "x-openrouter-metadata" not in talk.requests[0].headers


@pytest.fixture(scope="module")
def catalog(shared) -> Catalog:
    return read_folder(shared / "catalog", time=NOW)


def test_no_endpoint_of_the_real_catalogue_breaks_a_preset_that_names_it(catalog) -> None:
    seen = 0
    for offer in catalog.endpoints:
        body = {"model": offer.model, "provider": {"only": [offer.tag]}}
        tier = {"service_tier": offer.tier} if offer.tier else {}
        model = catalog.by_id[offer.model]
        assert breaches(body, offer.model, offer.provider, **tier) == [], offer
        for served in (offer.model, offer.served_as or offer.model, model.canonical_slug):
            assert breaches(body, served, offer.provider, catalog=catalog, **tier) == [], offer
        seen += 1
    assert seen > 1000


def test_every_other_provider_of_the_real_catalogue_breaks_it(catalog) -> None:
    for offer in catalog.endpoints[::25]:
        for provider in catalog.providers:
            body = {"model": offer.model, "provider": {"only": [offer.prefix]}}
            expected = [] if provider.name == offer.provider else ["/provider/only"]
            assert breaches(body, offer.model, provider.name) == expected, (offer.tag, provider.name)
