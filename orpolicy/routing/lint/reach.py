"""Presets that nobody may serve, and models of a chain that nobody may serve: what is to blame, and what would do.

.. code-block:: text

    the smallest set of constraints to blame is      the finding is
    max_price                                        price-below-every-endpoint
    max_tokens, max_completion_tokens                completion-limit
    anything else                                    unreachable, at the constraint
    nothing: the model has no endpoints              unreachable, at the model
    a name that another rule reports                 theirs

Only what is certain counts: as long as one endpoint may serve the body, or nobody knows whether it may, all are silent.
Sources: facts 4, 6, 25, 141 and 142.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.routing.eligibility import TIER_NOT_ASKED_FOR
from orpolicy.routing.lint.view import Findings, View, list_names, without
from orpolicy.routing.prices import MILLION, ZERO, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from orpolicy.language.source import Path
    from orpolicy.routing.availability import Availability
    from orpolicy.routing.catalog import Endpoint
    from orpolicy.routing.router import Route

UNKNOWN_NAMES = frozenset({"model_not_found", "free_variant_ended"})
"""Codes of names that ``unknown-model`` reports."""

LIMITS = (("max_tokens",), ("max_completion_tokens",))
REQUIRED = ("provider", "require_parameters")
_UNITS = {"prompt": "million prompt tokens", "completion": "million completion tokens"}


def check_reach(view: View) -> Findings:
    """Report that nobody may serve the body, or one of its models."""
    if view.pool.empty:
        availability = view.answer.availability
        if availability is not None and availability.code not in UNKNOWN_NAMES:
            yield from _explain(view, view.body, view.answer, availability)
    elif len(view.named) > 1:
        for path, name in view.named:
            yield from _check_one_of_many(view, path, name)


def _explain(view: View, body: Mapping[str, Any], answer: Route, availability: Availability) -> Findings:
    blame = [because.path for because in availability.blame]
    lists = {("provider", "order") if path[-1] == "allow_fallbacks" else path for path in blame}
    if lists & view.misnamed:
        return
    spare = _list_spare(view, body, blame)
    if not blame:
        yield _say_unserved(view, availability)
    elif all(path[:2] == ("provider", "max_price") for path in blame):
        if not view.is_reported(blame[0], "per-token-price", "zero-price-ceiling"):
            yield _say_too_cheap(blame, spare)
    elif len(blame) == 1 and blame[0] in LIMITS and not _lacks_parameters(answer, blame):
        yield _say_too_long(view, blame[0], spare)
    elif parameters := _missing_parameters(answer, blame):
        yield _say_unsupported(parameters, spare)
    else:
        yield _say_unreachable(view, blame, availability, spare)


def _list_spare(view: View, body: Mapping[str, Any], blame: Sequence[Path]) -> tuple[Endpoint, ...]:
    """Return the endpoints that may serve the body, or perhaps may, once what is to blame is dropped."""
    lifted = view.ask(reduce(without, blame, body))
    known = [attempt.endpoint for attempt in lifted.attempts]
    return (*known, *(entry.endpoint for entry in lifted.unknown if entry.endpoint))


def _say_unserved(view: View, availability: Availability) -> Finding:
    path, name = view.named[0]
    fate = "was removed" if availability.code == "model_deprecated" else "has no endpoint"
    message = f"'{name}' {fate}: OpenRouter would answer 404 {availability.code}"
    return Finding("unreachable", path, message, "name another model")


def _say_too_cheap(blame: Sequence[Path], spare: Sequence[Endpoint]) -> Finding:
    kinds = [str(path[-1]) for path in blame]

    def price(endpoint: Endpoint) -> Decimal:
        return sum((_rate(endpoint, kind) for kind in kinds), start=ZERO)

    cheapest = min(spare, key=price)
    asked = [plain(_rate(cheapest, kind)) for kind in kinds]
    rates = " and ".join(
        f"{rate} USD per {_UNITS.get(kind, kind)}" for rate, kind in zip(asked, kinds, strict=True)
    )
    message = f"no endpoint is this cheap: '{cheapest.tag}' asks the least, {rates}"
    related = tuple(("together with this ceiling", path) for path in blame[1:])
    least = ", ".join(f"'{kind}: {rate}'" for kind, rate in zip(kinds, asked, strict=True))
    hint = f"write at least {least}, or name a cheaper model"
    return Finding("price-below-every-endpoint", blame[0], message, hint, related=related)


def _rate(endpoint: Endpoint, kind: str) -> Decimal:
    """Return a price in the unit of ``max_price``."""
    rate = endpoint.prices.at().rates.get(kind, ZERO)
    return rate * MILLION if kind in _UNITS else rate


def _say_too_long(view: View, path: Path, spare: Sequence[Endpoint]) -> Finding:
    most = max(endpoint.completion_limit for endpoint in spare)
    wanted = view.body[str(path[0])]
    message = f"no endpoint answers with {wanted:,} tokens: the most is {most:,}"
    return Finding("completion-limit", path, message, f"write at most {most}, or name another model")


def _lacks_parameters(answer: Route, blame: Sequence[Path]) -> bool:
    return any(
        reason.word == "require_parameters" and path in blame
        for entry in answer.excluded
        for reason in entry.reasons
        for path in reason.instead
    )


def _missing_parameters(answer: Route, blame: Sequence[Path]) -> tuple[Path, ...]:
    """Return the parameters that are to blame, where parameters are all that is."""
    if REQUIRED not in blame and not _lacks_parameters(answer, blame):
        return ()
    rest = {path for path in blame if path != REQUIRED}
    reasons = [
        reason
        for entry in answer.excluded
        if all(
            r.constraint == REQUIRED or r.constraint in rest or set(r.instead) <= rest for r in entry.reasons
        )
        for reason in entry.reasons
        if reason.word == "require_parameters"
    ]
    fewest = min((reason.instead for reason in reasons), key=len, default=())
    return fewest if rest <= set(fewest) else ()


def _say_unsupported(parameters: Sequence[Path], spare: Sequence[Endpoint]) -> Finding:
    names = [f"'{path[0]}'" for path in parameters]
    message = f"parameters are required, and no endpoint supports {' together with '.join(names)}"
    related = (("required here", REQUIRED),)
    twin = {"max_completion_tokens": "max_tokens", "max_tokens": "max_completion_tokens"}.get(
        str(parameters[0][0])
    )
    if twin and any(twin in endpoint.parameters for endpoint in spare):
        hint = f"write '{twin}', which is supported"
    else:
        hint = "drop the parameter, or name a model whose endpoints support it"
    return Finding("unreachable", parameters[0], message, hint, related=related)


def _say_unreachable(
    view: View, blame: Sequence[Path], availability: Availability, spare: Sequence[Endpoint]
) -> Finding:
    present = [path for path in blame if _stands_in(view.body, path)]
    path = present[0] if present else view.named[0][0]
    words = ", ".join(availability.excluded_by)
    message = (
        f"no endpoint may serve this: OpenRouter would answer 404 {availability.code}, excluded by {words}"
    )
    related = tuple(("together with this", other) for other in present[1:])
    hint = _suggest(blame[0], spare) + _suggest_others(view.answer, blame)
    return Finding("unreachable", path, message, hint, related=related)


def _suggest_others(answer: Route, blame: Sequence[Path]) -> str:
    """Name the other single constraints that would do, and whom they keep away."""
    ways: dict[Path, list[str]] = {}
    for entry in answer.excluded:
        constraints = {reason.constraint for reason in entry.reasons}
        if len(constraints) == 1 and not constraints <= {*blame, TIER_NOT_ASKED_FOR}:
            ways.setdefault(constraints.pop(), []).append(entry.endpoint.tag)
    return "".join(f"; or change '{path[-1]}': {list_names(tags)} could serve" for path, tags in ways.items())


def _suggest(path: Path, spare: Sequence[Endpoint]) -> str:
    """Say what to write instead of a constraint, given the endpoints that it keeps away."""
    tags = list_names(endpoint.tag for endpoint in spare)
    levels = list_names(sorted({endpoint.quantization for endpoint in spare}))
    if path == TIER_NOT_ASKED_FOR:
        return "what is left is sold by service tier only: ask for it with 'service_tier'"
    return {
        "zdr": f"none of its endpoints ({tags}) is on OpenRouter's list of zero retention: name another model",
        "quantizations": f"its endpoints have {levels}",
        "only": f"its providers are {tags}",
        "allow_fallbacks": f"list one of its providers in 'order' ({tags}), or allow fallbacks",
    }.get(str(path[-1]), f"without '{path[-1]}' these could serve: {tags}")


def _stands_in(body: Any, path: Path) -> bool:
    for part in path:
        if not hasattr(body, "__getitem__") or isinstance(body, str):
            return False
        try:
            body = body[part]
        except (KeyError, IndexError):
            return False
    return True


def _check_one_of_many(view: View, path: Path, name: str) -> Findings:
    """Report a model of a chain that no request can ever reach, although others can be reached."""
    if name in view.served:
        return
    availability = view.ask_alone(name).availability
    if availability is None or availability.code in UNKNOWN_NAMES:
        return
    blame = [because.path for because in availability.blame]
    lists = {("provider", "order") if place[-1] == "allow_fallbacks" else place for place in blame}
    if lists & view.misnamed:
        return
    cause = f"excluded by {', '.join(availability.excluded_by)}" if blame else "it has no endpoint"
    message = f"'{name}' can never answer: {cause}"
    related = tuple(("this excludes it", place) for place in blame if _stands_in(view.body, place))
    spare = _list_spare(view, {**view.body, "model": name, "models": ()}, blame) if blame else ()
    hint = f"remove it; {_suggest(blame[0], spare)}" if blame else "remove it"
    yield Finding("unreachable-model", path, message, hint, related=related)


def check_room(view: View) -> Findings:
    """Report that no prompt fits, however short: the limit of the answer or the system prompt takes the context."""
    if view.pool.empty or not view.knows_all_models or not view.reachable:
        return
    wanted = view.constraints.completion
    least = view.least_prompt + (wanted[0] if wanted else 0)
    largest = max(endpoint.context_length for _, endpoint in view.reachable)
    room = max(endpoint.max_prompt_tokens or endpoint.context_length for _, endpoint in view.reachable)
    if least <= largest and view.least_prompt <= room:
        return
    answer = view.ask(view.body, prompt_tokens=view.least_prompt)
    if answer.availability is None:
        return
    if wanted and wanted[0] >= largest:
        message = f"an answer of {wanted[0]:,} tokens leaves no room for a prompt: the context is {largest:,}"
        hint = f"leave room for the prompt: write less than {largest}"
        yield Finding("context-too-small", wanted[1], message, hint)
    else:
        rest = f" beside an answer of {wanted[0]:,}" if wanted else ""
        message = f"the system prompt is at least {view.least_prompt:,} tokens long: no context holds it{rest} ({min(room, largest):,})"
        yield Finding(
            "context-too-small", ("system",), message, "shorten it, or name a model with more context"
        )
