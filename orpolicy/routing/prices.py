"""Prices as OpenRouter's catalogue states them, and what they are for one request.

.. code-block:: text

    per token      "0.000003"            the catalogue, and everything in here unless it says otherwise
    per million    3                     ``max_price``, tables, reports
    router         "-1"                  no price of its own: it depends on the model that is picked

A listed price is the price that is billed. The fraction ``discount`` is already inside it: OpenRouter shows *base price
times (1 - discount)* (guides/community/for-providers.mdx, guides/features/service-tiers.mdx "the same pricing used for
billing"), and the endpoints of one model that carry different discounts divide out to the same base price. It is kept
because it says how much the price rises when the discount ends.

An override applies when all of its conditions hold: more prompt tokens than ``min_prompt_tokens`` (strictly), and a
time of day inside ``[utc_start, utc_end)``, which may wrap past midnight. Of several that apply the later one wins,
price by price (OpenAPI, ``PricingOverride``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType

from attrs import evolve, field, frozen

MILLION = Decimal(1_000_000)
ZERO = Decimal(0)
ROUTER_PRICE = Decimal(-1)

Rates = Mapping[str, Decimal]
"""Kind of price (``prompt``, ``completion``, ``request``, ``image``, …) → USD per unit."""


def _read_only(rates: Rates) -> Rates:
    return MappingProxyType(dict(rates))


def plain(amount: Decimal) -> str:
    """Write an amount as the shortest decimal text without an exponent."""
    if not amount:
        return "0"
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@frozen
class Override:
    """Prices that replace others under a condition: prompt length in tokens, or a window of the UTC day as HHMM."""

    rates: Rates = field(converter=_read_only)
    min_prompt_tokens: int | None = None
    utc_start: int | None = None
    utc_end: int | None = None

    @property
    def timed(self) -> bool:
        """Whether the time of day decides."""
        return self.utc_start is not None or self.utc_end is not None

    def fits_length(self, prompt_tokens: int | None) -> bool:
        """Tell whether a prompt of this many tokens is long enough; an unknown length is an ordinary one."""
        return self.min_prompt_tokens is None or (prompt_tokens or 0) > self.min_prompt_tokens

    def fits_time(self, at: datetime) -> bool:
        """Tell whether this moment (UTC) lies inside the window."""
        if not self.timed:
            return True
        clock, start, end = at.hour * 100 + at.minute, self.utc_start or 0, self.utc_end or 2400
        return start <= clock < end if start < end else clock >= start or clock < end


@frozen
class Prices:
    """What an endpoint or a model charges, in USD per unit as the catalogue states it."""

    rates: Rates = field(converter=_read_only)
    discount: Decimal = ZERO
    overrides: tuple[Override, ...] = ()

    @property
    def prompt(self) -> Decimal:
        """USD per prompt token."""
        return self.rates.get("prompt", ZERO)

    @property
    def completion(self) -> Decimal:
        """USD per completion token."""
        return self.rates.get("completion", ZERO)

    @property
    def request(self) -> Decimal:
        """USD per request."""
        return self.rates.get("request", ZERO)

    @property
    def prompt_per_million(self) -> Decimal:
        """USD per million prompt tokens."""
        return self.prompt * MILLION

    @property
    def completion_per_million(self) -> Decimal:
        """USD per million completion tokens."""
        return self.completion * MILLION

    @cached_property
    def per_million_tokens(self) -> Decimal:
        """USD for a million prompt and a million completion tokens, and one request: what sorts by price."""
        return (self.prompt + self.completion) * MILLION + self.request

    @property
    def depends(self) -> bool:
        """Whether these are a router's prices, which depend on the model that it picks."""
        return self.prompt < 0 or self.completion < 0

    def at(self, prompt_tokens: int | None = None, when: datetime | None = None) -> Prices:
        """Return the prices for this many prompt tokens at this moment (UTC), without overrides.

        An unknown prompt length stands for an ordinary one, an unknown moment for none of the timed windows: the
        base price is the price "under default conditions" (OpenAPI, ``PublicPricing.overrides``).
        """
        if not self.overrides:
            return self
        return self.base if prompt_tokens is None and when is None else self._apply(prompt_tokens, when)

    @cached_property
    def base(self) -> Prices:
        """The prices of an ordinary prompt at an ordinary time."""
        return self._apply(None, None)

    def _apply(self, prompt_tokens: int | None, when: datetime | None) -> Prices:
        rates = dict(self.rates)
        for override in self.overrides:
            if override.fits_length(prompt_tokens) and (
                override.fits_time(when) if when else not override.timed
            ):
                rates.update(override.rates)
        return evolve(self, rates=rates, overrides=())

    def possible(self, prompt_tokens: int | None = None, when: datetime | None = None) -> tuple[Prices, ...]:
        """Return all prices that may apply; more than one where the time of day decides and is not given."""
        if not self.overrides:
            return (self,)
        if when is not None or not any(override.timed for override in self.overrides):
            return (self.at(prompt_tokens, when),)
        return tuple(self.at(prompt_tokens, moment) for moment in self._moments())

    def _moments(self) -> Iterator[datetime]:
        """Yield one moment of every stretch of the day in which the same windows are open."""
        edges = {0} | {
            edge % 2400 for o in self.overrides for edge in (o.utc_start, o.utc_end) if edge is not None
        }
        for edge in sorted(edges):
            yield datetime(2000, 1, 1, edge // 100, edge % 100)  # noqa: DTZ001 - only hour and minute are read

    def highest(self, prompt_tokens: int | None = None) -> Prices:
        """Return, price by price, the most that any moment and any prompt of up to this many tokens can be charged.

        Without a number of tokens every override counts.
        """
        rates = dict(self.rates)
        for override in self.overrides:
            if prompt_tokens is None or override.fits_length(prompt_tokens):
                for kind, rate in override.rates.items():
                    rates[kind] = max(rate, rates.get(kind, ZERO))
        return evolve(self, rates=rates, overrides=())
