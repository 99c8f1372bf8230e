"""A cost ceiling holds: whatever goes through is billed within it, on random catalogues, at any hour, for any prompt."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from catalogs import CONSTRAINTS, SETTINGS, catalogs, with_value
from hypothesis import event, given, settings
from hypothesis import strategies as st

from orpolicy.emulator.chat import complete
from orpolicy.emulator.reports import Call
from orpolicy.emulator.serving import World, count_prompt_tokens
from orpolicy.errors import CostCeilingExceeded
from orpolicy.routing.ceiling import hold_ceiling
from orpolicy.routing.cost import worst_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.language.source import Path
    from orpolicy.routing.catalog import Catalog, Endpoint

texts = st.one_of(
    st.text(max_size=40), st.integers(0, 60_000).map("word ".__mul__).map(lambda text: text[:40_000])
)
conversations = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": texts}),
    min_size=1,
    max_size=2,
)
ceilings = st.sampled_from([1, 5, 20, 100, 1000, 10_000, 100_000]).map(
    lambda micro: Decimal(micro) / 1_000_000
)
moments = st.integers(0, 23).map(lambda hour: datetime(2026, 8, 22, hour, 30, tzinfo=UTC))
NUMBERS = count(1)


KEYS: list[Path] = [
    ("provider", "max_price", "prompt"),
    ("provider", "data_collection"),
    ("max_tokens",),
    *SETTINGS,
]


@st.composite
def calls(draw: st.DrawFn) -> tuple[Catalog, dict[str, Any]]:
    """Draw a catalogue and a call of its models; with every constraint at once, hardly any call would be served."""
    catalog = draw(catalogs.filter(lambda made: made.endpoints != ()))
    served = [model.id for model in catalog.models if model.endpoints]
    body: dict[str, Any] = {
        "models": draw(st.lists(st.sampled_from(served), min_size=1, max_size=2, unique=True)),
        "messages": draw(conversations),
    }
    for path in draw(st.lists(st.sampled_from(KEYS), max_size=3, unique=True)):
        body = with_value(body, path, draw((CONSTRAINTS | SETTINGS)[path]))
    if draw(st.integers(0, 3)):
        body["max_completion_tokens"] = draw(st.sampled_from([1, 200, 900]))
    return catalog, body


def bill(body: dict[str, Any], catalog: Catalog, at: datetime) -> Decimal | None:
    """Return what the emulator bills for a body at a moment, or ``None`` where it refuses."""
    answer = complete(Call("POST", "/chat/completions", {}, body, next(NUMBERS), {}), World(catalog, (), at))
    return answer.body["usage"]["cost"] if answer.status == 200 else None


@settings(max_examples=200)
@given(calls(), ceilings, moments, st.booleans())
def test_no_bill_is_above_the_bound_that_let_the_request_through(
    call: tuple[Catalog, dict[str, Any]], ceiling: Decimal, at: datetime, counted: bool
) -> None:
    catalog, body = call
    counter = count_prompt_tokens if counted else None
    try:
        sent = hold_ceiling(body, ceiling, catalog, token_counter=counter)
    except CostCeilingExceeded:
        event("refused")
        return
    billed = bill(sent, catalog, at)
    event("billed" if billed else "free" if billed == 0 else "not served")
    if billed is not None:
        bound = worst_case(body, catalog, prompt_tokens=counter(body) if counter else None).usd
        assert billed <= ceiling
        assert bound is None or billed <= bound


@settings(max_examples=100)
@given(calls(), ceilings, moments)
def test_without_a_catalogue_the_ceiling_in_the_request_holds_on_any_catalogue(
    call: tuple[Catalog, dict[str, Any]], ceiling: Decimal, at: datetime
) -> None:
    catalog, body = call
    try:
        sent = hold_ceiling(body, ceiling)
    except CostCeilingExceeded:
        return
    billed = bill(sent, catalog, at)
    event("billed" if billed else "free" if billed == 0 else "not served")
    assert billed is None or billed <= ceiling


def test_an_endpoint_that_is_taken_for_granted_is_billed_at_the_price_of_the_hour_and_of_the_length(
    catalog: Callable[..., Catalog], endpoint: Callable[..., Endpoint]
) -> None:
    nights = {"utc_start": 0, "utc_end": 600, "prompt": 0, "completion": 0}
    made = catalog([endpoint("m/a", "openai", 9, 9, overrides=[nights])])
    body = {
        "model": "m/a",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 10,
        "provider": {"data_collection": "deny", "max_price": {"prompt": "1"}},
    }
    night, day = (datetime(2026, 8, 22, hour, tzinfo=UTC) for hour in (3, 12))
    assert bill(body, made, night) == 0
    assert bill(body, made, day) is None
