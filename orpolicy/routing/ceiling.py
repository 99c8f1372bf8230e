"""``max_cost``: no request is sent whose worst case is above it.

.. code-block:: text

    the bound is known          send it, or refuse and show the sum
    the bound is not known      put the ceiling into the request itself, so that OpenRouter keeps it for us:
                                provider.max_price such that prompt bound x prompt + completion bound x completion
                                stays below max_cost, provider.max_price.request "0", and
                                stop_server_tools_when [{type: max_cost}] where server tools loop
    even that is impossible     refuse, with the reason

Put into the request, the ceiling rests on OpenRouter's hard price filter (facts 25, 27). A prompt without a bound, an
answer without a limit, cache writes (dearer than ``max_price.prompt``, and without a ceiling of their own) and plugins
that cost extra cannot be held that way.

A loop of server tools is stopped by the turn that passes the threshold, and one final turn follows (fact 103). So each
turn gets a third of the ceiling, and the threshold is a third: threshold, the turn that passes it and the final turn
make the whole.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from orpolicy.errors import CostCeilingExceeded
from orpolicy.routing.cost import UNCOUNTED, Reach, cache_writes, extra_cost, reach
from orpolicy.routing.cost import worst_case as bound_cost
from orpolicy.routing.prices import MILLION, ZERO, plain
from orpolicy.routing.tokens import prompt_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.routing.catalog import Catalog

COMPLETION_SHARE = 5
"""A completion token may cost this many times a prompt token, as it does with most models."""

TURNS = 3
"""The shares of a ceiling that a loop of server tools can use up: see above."""

PRECISION = Decimal("0.000001")
"""Ceilings are rounded down to a millionth of a dollar per million tokens."""


def hold_ceiling(
    body: Mapping[str, Any],
    max_cost: Decimal,
    over: Catalog | Reach | None = None,
    *,
    token_counter: Callable[[Mapping[str, Any]], int] | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """Return the body to send so that it cannot cost more than ``max_cost`` (USD).

    Args:
        body: a complete body; it is not changed.
        max_cost: the ceiling for this request, in USD.
        over: a catalogue, the reach of this body made before, or nothing.
        token_counter: counts a body's prompt tokens; by default its bytes bound them.
        region: ``eu`` or ``us`` where the base URL is a regional one.

    Raises:
        CostCeilingExceeded: the worst case is above the ceiling, or nothing can bound it.
    """
    tokens = token_counter(body) if token_counter else None
    reached = over if isinstance(over, Reach) else reach(body, over, region=region)
    bound = bound_cost(body, reached, prompt_tokens=tokens)
    if bound.usd is None:
        return _put_into_request(body, max_cost, tokens, reached)
    if bound.usd > max_cost:
        message = f"the {bound}, which is above max_cost ${plain(max_cost)}"
        raise CostCeilingExceeded(message, ceiling=max_cost, worst=bound.usd)
    return dict(body)


def _put_into_request(
    body: Mapping[str, Any], max_cost: Decimal, tokens: int | None, reached: Reach
) -> dict[str, Any]:
    """Lower ``max_cost`` to the fields by which OpenRouter itself keeps it."""
    prompt = prompt_bound(body) if tokens is None else tokens
    obstacle = _find_obstacle(body, prompt, reached)
    if obstacle or prompt is None or reached.completion is None:
        reason = obstacle or "nothing bounds its tokens"
        message = f"nothing can hold max_cost ${plain(max_cost)}: {reason}"
        raise CostCeilingExceeded(message, ceiling=max_cost)
    provider = dict(body.get("provider") or {})
    caps = dict(provider.get("max_price") or {})
    loops = _has_server_tools(body)
    share = max_cost / TURNS if loops else max_cost
    provider["max_price"] = caps | _split(share, prompt, reached.completion, caps)
    lowered = {**body, "provider": provider}
    if loops:
        stop = {"type": "max_cost", "max_cost_in_dollars": share.quantize(PRECISION, ROUND_DOWN)}
        lowered["stop_server_tools_when"] = [*(body.get("stop_server_tools_when") or ()), stop]
    return lowered


def _find_obstacle(body: Mapping[str, Any], prompt: int | None, reached: Reach) -> str | None:
    """Say why OpenRouter cannot keep the ceiling for us, or ``None``."""
    extra = extra_cost(body)
    if extra and not _only_server_tools(body):
        return extra
    if prompt is None:
        return UNCOUNTED
    if reached.completion is None:
        return "the answer has no limit: set max_tokens or max_completion_tokens"
    if cache_writes(body):
        return "cache writes cost more than max_price.prompt, and max_price has no field for them"
    return None


def _has_server_tools(body: Mapping[str, Any]) -> bool:
    return any(tool.get("type") != "function" for tool in body.get("tools") or ())


def _only_server_tools(body: Mapping[str, Any]) -> bool:
    """Tell whether server tools are all that may cost extra."""
    functions = [tool for tool in body.get("tools") or () if tool.get("type") == "function"]
    return extra_cost({**body, "tools": functions}) is None


def _split(max_cost: Decimal, prompt: int, completion: int, caps: Mapping[str, Any]) -> dict[str, str]:
    """Share a ceiling between prompt and completion prices (USD per million tokens), within the caps that stand."""
    budget = max_cost * MILLION
    capped = {
        kind: Decimal(str(caps[kind])) for kind in ("prompt", "completion") if caps.get(kind) is not None
    }
    prompt_price = budget / (prompt + COMPLETION_SHARE * completion)
    completion_price = prompt_price * COMPLETION_SHARE
    if capped.get("prompt", prompt_price) < prompt_price:
        prompt_price = capped["prompt"]
        completion_price = (budget - prompt_price * prompt) / max(completion, 1)
    if capped.get("completion", completion_price) < completion_price:
        completion_price = capped["completion"]
        prompt_price = min((budget - completion_price * completion) / prompt, capped.get("prompt", budget))
    return {
        "prompt": plain(prompt_price.quantize(PRECISION, ROUND_DOWN)),
        "completion": plain(completion_price.quantize(PRECISION, ROUND_DOWN)),
        "request": plain(ZERO),
    }
