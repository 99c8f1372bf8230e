"""The report of ``route``: its JSON, its origins, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from orpolicy.errors import UsageError
from orpolicy.language.source import Location, Path, Position, Span
from orpolicy.routing.router import route
from orpolicy.routing.snapshot import demonstration

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.routing.catalog import Catalog, Endpoint

PLACE = Location("presets/org.policy.yaml", Span(Position(4, 3), Position(4, 12)))


def test_the_report_has_exactly_the_documented_shape(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = evolve(
        catalog(
            [
                endpoint("m/a", "together/fp8", "0.5", 2, quantization="fp8"),
                endpoint("m/a", "openai", zdr=True),
            ]
        ),
        time=datetime(2026, 8, 22, 23, 1, tzinfo=UTC),
    )
    body = {"model": "m/a", "provider": {"quantizations": ["fp8"], "zdr": False}}
    origin = {("provider", "quantizations"): PLACE}.get
    assert route(body, made, origin=origin).to_json("support/triage", "prod") == {
        "preset": "support/triage",
        "environment": "prod",
        "catalog": {"time": "2026-08-22T23:01:00Z", "digest": made.digest},
        "attempts": [
            {
                "rank": 1,
                "model": "m/a",
                "tag": "together/fp8",
                "provider": "Together",
                "prompt": "0.5",
                "completion": "2",
                "zdr": False,
                "quantization": "fp8",
                "context_length": 100_000,
                "weight": 1.0,
            }
        ],
        "excluded": [
            {
                "model": "m/a",
                "tag": "openai",
                "excluded_by": ["quantization"],
                "because": [
                    {
                        "field": "/provider/quantizations",
                        "file": "presets/org.policy.yaml",
                        "line": 4,
                        "column": 3,
                    }
                ],
            }
        ],
        "unknown": [],
        "availability": None,
    }


def test_the_report_of_nothing_names_the_places_to_blame(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    def origin(path: Path) -> Location | None:
        return PLACE if path[:2] == ("provider", "zdr") else None

    answer = route(
        {"model": "m/a", "provider": {"zdr": True}}, catalog([endpoint("m/a", "openai")]), origin=origin
    )
    assert answer.to_json()["availability"] == {
        "code": "privacy_restricted",
        "excluded_by": ["data_policy:zdr"],
        "blame": [{"field": "/provider/zdr", "file": "presets/org.policy.yaml", "line": 4, "column": 3}],
    }


def test_a_field_that_is_not_in_the_body_has_no_place(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    made = catalog(
        [
            endpoint("m/a", "openai", context_length=10),
            endpoint("m/a", "openai/flex"),
            endpoint("m/a", "groq"),
        ]
    )
    body = {"model": "m/a", "provider": {"ignore": ["azure"]}}
    answer = route(body, made, prompt_tokens=20, down=["groq"], origin=lambda _: PLACE)
    assert [because.location for entry in answer.excluded for because in entry.because] == [None, None, None]
    assert {because.path for entry in answer.excluded for because in entry.because} == {
        ("messages",),
        ("service_tier",),
        ("provider", "ignore", "-"),
    }


def test_an_unknown_model_has_no_tag() -> None:
    report = route({"model": "m/nowhere"}, demonstration()).to_json()
    assert report["unknown"] == [{"model": "m/nowhere", "tag": None, "needs": ["catalog"]}]


def test_a_price_that_is_no_number_is_refused() -> None:
    with pytest.raises(UsageError, match=r"provider.max_price.prompt is not a number: 'cheap'"):
        route(
            {"model": "openai/gpt-4o-mini", "provider": {"max_price": {"prompt": "cheap"}}}, demonstration()
        )


def test_suggestions_come_with_an_unknown_model(real: Catalog) -> None:
    availability = route({"model": "openai/gpt-4o-mni"}, real).availability
    assert availability
    assert "openai/gpt-4o-mini" in availability.suggestions


def test_notes_say_what_of_the_order_is_not_known(real: Catalog) -> None:
    body = {"model": "openai/gpt-oss-120b", "provider": {"sort": "throughput", "preferred_max_latency": 1}}
    notes = " ".join(route(body, real).notes)
    assert "no throughput statistics" in notes
    assert "thresholds" in notes
    assert "not a contract" in " ".join(route({"model": "openai/gpt-oss-120b"}, real).notes)
