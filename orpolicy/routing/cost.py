"""What a call can cost at most, in USD.

.. code-block:: text

    worst case = the most, over every endpoint that the call may reach, of
                 prompt bound x dearest prompt price + completion bound x dearest completion price
                 + price per request + images x price per image

*May reach* are all models of the body with all their endpoints, fallbacks and reserves, also those of which nobody knows
whether they are allowed. *Dearest* counts every override by prompt length and time of day, cache writes where the body
asks for them or the endpoint makes them unasked, and reasoning. ``max_price`` only takes endpoints away: whether
OpenRouter compares it with the base price or with the price for a long prompt is not documented, so it lowers no price.

Where something may cost extra without a limit (a server tool, a plugin, a router, media in prompt or answer) there is no
bound, and the reason is said. Retries of a failed attempt are not billed (fact 153).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from orpolicy.routing.constraints import read_constraints
from orpolicy.routing.fares import CACHE_WRITES, Bound, Fare
from orpolicy.routing.order import arrange, read_preferences
from orpolicy.routing.prices import MILLION, ZERO
from orpolicy.routing.resolve import split_suffixes
from orpolicy.routing.router import judge_models, requested_models
from orpolicy.routing.tokens import prompt_bound, walk_media

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.routing.catalog import Catalog, Endpoint, Prices
    from orpolicy.routing.router import Unknown

__all__ = ["Bound", "Fare", "Reach", "reach", "worst_case"]

FREE_PLUGINS = frozenset(
    {
        "auto-beta-router",
        "auto-router",
        "context-compression",
        "file-parser",
        "pareto-router",
        "response-healing",
    }
)
"""Plugins without a price of their own; a file parser costs only where there are files, which are media."""


@frozen
class Reach:
    """Everything that a body may reach, at its dearest, ready to be multiplied by token counts.

    It depends on the body without its messages, so that one reach serves all calls of a preset. ``reason`` says why no
    bound can be given, whatever the messages; ``completion`` is the limit that the body sets, ``writes`` are the
    cache-write prices that it asks for outside its messages.
    """

    fares: tuple[Fare, ...] = field(repr=False)
    completion: int | None = None
    reason: str | None = None
    writes: frozenset[str] = frozenset()

    def bound(
        self,
        prompt_tokens: int | None,
        completion_tokens: int | None = None,
        *,
        media: Sequence[str] = (),
        writes: frozenset[str] = frozenset(),
    ) -> Bound:
        """Return the worst case for at most this many tokens.

        A prompt is bounded by the context of each endpoint too; a completion by what is given here, by what the body
        sets, and by each endpoint's own limit. ``media`` and ``writes`` are those of the messages.
        """
        if self.reason or prompt_tokens is None:
            return Bound(None, reason=self.reason or UNCOUNTED)
        if not self.fares:
            return Bound(None, reason="no endpoint may serve it")
        limits = [limit for limit in (self.completion, completion_tokens) if limit is not None]
        writes |= self.writes
        charges = [
            fare.charge(prompt_tokens, min([fare.completion_limit, *limits]), media, writes)
            for fare in self.fares
        ]
        return max(charges, key=lambda charge: charge.usd or ZERO)


UNCOUNTED = "the prompt holds more than text, and nobody counted its tokens"


def reach(body: Mapping[str, Any], catalog: Catalog | None, *, region: str | None = None) -> Reach:
    """Find everything that a body may reach, at its dearest."""
    limits = [n for key in ("max_completion_tokens", "max_tokens") if isinstance(n := body.get(key), int)]
    completion = max(limits, default=None)
    extra = extra_cost(body)
    if extra:
        return Reach((), completion, extra)
    if catalog is None:
        return Reach((), completion, "there is no catalogue")
    endpoints, nameless = find_reachable(body, catalog, region=region)
    if nameless:
        who = nameless[0].model or "the account's default model"
        return Reach((), completion, f"the prices of {who} are not known ({', '.join(nameless[0].needs)})")
    if not body.get("modalities"):  # what is not asked for may come all the same
        for model in dict.fromkeys(model for model, _ in endpoints):
            if set(catalog.by_id[model].output_modalities) > {"text"}:
                return Reach((), completion, f"{model} may answer with images or audio")
    fares = tuple(_find_fare(model, endpoint) for model, endpoint in endpoints)
    return Reach(fares, completion, writes=cache_writes(body))


def find_reachable(
    body: Mapping[str, Any], catalog: Catalog, *, region: str | None = None
) -> tuple[list[tuple[str, Endpoint]], list[Unknown]]:
    """Find every endpoint that may serve a body for some prompt at some time, with its model, and what nobody knows."""
    provider = {key: value for key, value in (body.get("provider") or {}).items() if key != "max_price"}
    priceless = {**body, "provider": provider}
    constraints = read_constraints(priceless, region=region)
    pool = judge_models(priceless, catalog, constraints)
    ordered = arrange(pool.candidates, constraints, read_preferences(priceless))
    found = [(candidate.model, candidate.endpoint) for candidate in ordered]
    found += [(unknown.model, unknown.endpoint) for unknown in pool.unknown if unknown.endpoint]
    caps = _read_caps(body)
    affordable = [(model, endpoint) for model, endpoint in found if _affordable(endpoint.prices, caps)]
    return affordable, [unknown for unknown in pool.perhaps if unknown.endpoint is None]


def worst_case(
    body: Mapping[str, Any],
    over: Catalog | Reach | None,
    *,
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
    region: str | None = None,
) -> Bound:
    """Return the most that a body with its messages can cost.

    Args:
        body: a complete body.
        over: the catalogue, or the reach of this body made before.
        prompt_tokens: a count by the caller's own tokeniser; by default the bytes of the text bound it.
        completion_tokens: a limit that holds besides those of the body and of the endpoints.
        region: ``eu`` or ``us`` where the base URL is a regional one.
    """
    reached = over if isinstance(over, Reach) else reach(body, over, region=region)
    tokens = prompt_bound(body) if prompt_tokens is None else prompt_tokens
    media, writes = tuple(walk_media(body)), cache_writes(body.get("messages"))
    return reached.bound(tokens, completion_tokens, media=media, writes=writes)


def extra_cost(body: Mapping[str, Any]) -> str | None:
    """Say what in a body may cost extra without a limit, or ``None``."""
    for tool in body.get("tools") or ():
        if tool.get("type") != "function":
            return f"the server tool {tool.get('type')} may be called any number of times"
    for plugin in body.get("plugins") or ():
        if plugin.get("id") not in FREE_PLUGINS and plugin.get("enabled") is not False:
            return f"the plugin {plugin.get('id')} costs extra"
    if body.get("web_search_options") is not None:
        return "web_search_options let the model search at a price per search"
    if any("online" in split_suffixes(name)[1] for name in requested_models(body)):
        return "the suffix :online searches the web at a price per search"
    if set(body.get("modalities") or ()) - {"text"}:
        return "images and audio in the answer are not bounded by its tokens"
    return None


def cache_writes(value: Any) -> frozenset[str]:
    """Name the cache-write prices that a body asks for: by ``cache_control``, wherever it stands (fact 122)."""
    found: set[str] = set()
    for control in _find_controls(value):
        found.add(CACHE_WRITES[0])
        if not isinstance(control, Mapping) or control.get("ttl") not in (None, "5m"):
            found.add(CACHE_WRITES[1])
    return frozenset(found)


def _find_controls(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        outer = waiting.pop()
        if isinstance(outer, Mapping):
            for key in _CONTROLS:
                if outer.get(key) is not None:
                    yield outer[key]
            outer = outer.values()
        elif not isinstance(outer, (list, tuple)):
            continue
        waiting.extend(inner for inner in outer if inner.__class__ not in _PLAIN)


_CONTROLS = ("cache_control", "prompt_cache_options")
_PLAIN = frozenset({str, int, float, bool, Decimal, type(None)})
"""Types of what holds nothing."""


def _read_caps(body: Mapping[str, Any]) -> Mapping[str, Decimal]:
    caps = (body.get("provider") or {}).get("max_price") or {}
    scale = {"prompt": MILLION, "completion": MILLION}
    return {kind: Decimal(str(cap)) / scale.get(kind, 1) for kind, cap in caps.items() if cap is not None}


def _affordable(prices: Prices, caps: Mapping[str, Decimal]) -> bool:
    """Tell whether an endpoint's price may be within the ceilings for some prompt at some time."""
    for kind, cap in caps.items():
        if not prices.overrides:
            if prices.rates.get(kind, ZERO) > cap:
                return False
            continue
        rates = [prices.rates.get(kind, ZERO), *(o.rates[kind] for o in prices.overrides if kind in o.rates)]
        if min(rates) > cap:
            return False
    return True


def _find_fare(model: str, endpoint: Endpoint) -> Fare:
    return endpoint.fare if endpoint.model == model else evolve(endpoint.fare, model=model)
