"""Prices: per token and per million, overrides by length and by hour, and the highest that can be charged."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.routing.prices import Override, Prices, plain

BASE = {"prompt": Decimal("0.000003"), "completion": Decimal("0.000015")}
LONG = Override({"prompt": Decimal("0.000006")}, min_prompt_tokens=200_000)
LONGER = Override({"prompt": Decimal("0.000009")}, min_prompt_tokens=500_000)
NIGHT = Override({"completion": Decimal("0.00003")}, utc_start=2200, utc_end=600)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 8, 22, hour, minute, tzinfo=UTC)


def test_per_million_is_exact() -> None:
    prices = Prices({"prompt": Decimal("0.0000000833333333333333"), "completion": Decimal(0)})
    assert plain(prices.prompt_per_million) == "0.0833333333333333"
    assert plain(prices.completion_per_million) == "0"


@pytest.mark.parametrize(
    ("tokens", "expected"), [(None, "3"), (200_000, "3"), (200_001, "6"), (500_001, "9")]
)
def test_an_override_by_length_applies_above_its_threshold_and_the_later_wins(
    tokens: int | None, expected: str
) -> None:
    prices = Prices(BASE, overrides=(LONG, LONGER)).at(tokens)
    assert plain(prices.prompt_per_million) == expected
    assert plain(prices.completion_per_million) == "15"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(21, 59), "15"),
        (at(22), "30"),
        (at(23, 59), "30"),
        (at(0), "30"),
        (at(5, 59), "30"),
        (at(6), "15"),
    ],
)
def test_a_window_of_the_day_may_wrap_past_midnight(moment: datetime, expected: str) -> None:
    assert plain(Prices(BASE, overrides=(NIGHT,)).at(when=moment).completion_per_million) == expected


def test_a_window_that_ends_at_midnight() -> None:
    evening = Override({"prompt": Decimal(1)}, utc_start=1400, utc_end=0)
    prices = Prices(BASE, overrides=(evening,))
    assert prices.at(when=at(23, 59)).prompt == 1
    assert prices.at(when=at(13, 59)).prompt == BASE["prompt"]


def test_without_a_moment_the_base_price_stands_and_all_are_possible() -> None:
    prices = Prices(BASE, overrides=(NIGHT,))
    assert prices.at().completion == BASE["completion"]
    assert {plain(found.completion_per_million) for found in prices.possible()} == {"15", "30"}
    assert len(prices.possible(when=at(1))) == 1


def test_a_price_that_an_override_does_not_name_stays() -> None:
    assert Prices(BASE, overrides=(LONG,)).at(10**6).completion == BASE["completion"]


@given(st.none() | st.integers(0, 600_000), st.integers(0, 23))
def test_the_highest_price_is_never_below_the_price_at_any_moment_and_any_shorter_prompt(
    bound: int | None, hour: int
) -> None:
    cheap = Override({"prompt": Decimal("0.000001")}, min_prompt_tokens=300_000)
    prices = Prices(BASE, overrides=(LONG, cheap, LONGER, NIGHT))
    most = prices.highest(bound)
    for tokens in (0, 200_001, 300_001, 500_001):
        if bound is None or tokens <= bound:
            now = prices.at(tokens, at(hour))
            assert most.prompt >= now.prompt
            assert most.completion >= now.completion


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1E-8", "0.00000001"), ("3.000", "3"), ("100", "100"), ("0E-7", "0"), ("-0.20", "-0.2")],
)
def test_amounts_are_written_without_an_exponent(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text
