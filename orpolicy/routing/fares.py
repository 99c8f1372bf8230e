"""What an endpoint charges at its dearest, and the worst case that comes of it.

.. code-block:: text

    Fare    an endpoint at its dearest: every override by prompt length and time of day counts, made once an endpoint
    Bound   so many tokens at a fare: the worst case of a call, or the reason why there is none
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.routing.prices import MILLION, ZERO, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from orpolicy.routing.prices import Prices

CACHE_WRITES = ("input_cache_write", "input_cache_write_1h")
MEDIA_RATES = ("audio", "input_audio_cache", "image_token")
"""Rates of the prompt that apply only where the body asks for caching, or holds media."""

Ladder = tuple[tuple[int, Decimal], ...]


@frozen
class Fare:
    """An endpoint that a call may reach, at its dearest: USD per token, per request and per image.

    A rate is a ladder of (prompt length above which it can apply, rate). ``extras`` are rates that apply to the prompt
    only where the body asks for them: cache writes, and media.
    """

    model: str
    tag: str
    prompt: Ladder
    completion: Ladder
    extras: Mapping[str, Ladder]
    request: Decimal
    image: Decimal
    context_length: int
    completion_limit: int

    def charge(self, prompt: int, completion: int, media: Sequence[str], writes: Collection[str]) -> Bound:
        """Return the most that this many tokens can cost here; ``media`` names the kinds of all media in the prompt."""
        prompt = min(prompt, self.context_length)
        prompt_rate = _rate(self.prompt, prompt)
        if writes or media:
            kinds = [*writes, *(MEDIA_RATES if media else ())]
            rates = [_rate(self.extras[kind], prompt) for kind in kinds if kind in self.extras]
            prompt_rate = max([prompt_rate, *rates])
        completion_rate = _rate(self.completion, prompt)
        images = sum(kind == "image_url" for kind in media)
        usd = prompt * prompt_rate + completion * completion_rate + self.request + images * self.image
        return Bound(usd, prompt, completion, self, prompt_rate, completion_rate)


def _rate(steps: Ladder, prompt_tokens: int) -> Decimal:
    """Return the highest rate of all steps that a prompt of up to this many tokens can reach."""
    if len(steps) == 1:  # the base applies to any prompt
        return steps[0][1]
    return max(rate for above, rate in steps if prompt_tokens > above)


@frozen
class Bound:
    """The worst case of a call: ``usd`` and the endpoint that charges it, or ``None`` and the reason.

    The rates are USD per token.
    """

    usd: Decimal | None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    fare: Fare | None = None
    prompt_rate: Decimal = ZERO
    completion_rate: Decimal = ZERO
    reason: str | None = None

    def __str__(self) -> str:
        """Show the sum, as a report shows it."""
        if self.usd is None or self.fare is None:
            return f"worst case: unknown ({self.reason})"
        prompt, completion = plain(self.prompt_rate * MILLION), plain(self.completion_rate * MILLION)
        extra = f" + ${plain(self.fare.request)} a request" if self.fare.request else ""
        return (
            f"worst case: ${plain(self.usd)} for {self.prompt_tokens:,} + {self.completion_tokens:,} tokens at "
            f"{self.fare.model} {self.fare.tag} (${prompt} and ${completion} per million{extra})"
        )


def make_fare(  # noqa: PLR0913 - what an endpoint says of itself, each by its name
    prices: Prices,
    *,
    model: str,
    tag: str,
    implicit_caching: bool,
    context_length: int,
    completion_limit: int,
) -> Fare:
    """Put all that may be charged into one fare; an endpoint that caches unasked may write the cache at any time."""
    dearest = prices.highest()
    extras = [kind for kind in (*CACHE_WRITES, *MEDIA_RATES) if kind in dearest.rates]
    return Fare(
        model=model,
        tag=tag,
        prompt=_steps(
            prices, ["prompt", "input_cache_read", *(["input_cache_write"] if implicit_caching else [])]
        ),
        completion=_steps(prices, ["completion", "internal_reasoning"]),
        extras={kind: _steps(prices, [kind]) for kind in extras},
        request=dearest.request,
        image=dearest.rates.get("image", ZERO),
        context_length=context_length,
        completion_limit=completion_limit,
    )


def _steps(prices: Prices, kinds: Sequence[str]) -> Ladder:
    """Return the highest rate of these kinds, for the base and for every override."""
    steps = [(-1, max(prices.rates.get(kind, ZERO) for kind in kinds))]
    for override in prices.overrides:
        rate = max((override.rates[kind] for kind in kinds if kind in override.rates), default=None)
        if rate is not None:
            steps.append((-1 if override.min_prompt_tokens is None else override.min_prompt_tokens, rate))
    return tuple(steps)
