"""What has no effect on the endpoints that are left: providers, parameters and tiers of somebody else; and lone endpoints.

Each rule speaks of all endpoints that may serve the body, or perhaps may; where a model's endpoints are not known it is
silent. Sources: facts 4-6, 8, 12, 21, 22, 39, 51, 59-61 and 65.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.slugs import TIERS_OF_SERVICE, is_provider_slug, read_model
from orpolicy.routing.eligibility import matches
from orpolicy.routing.lint.view import LISTS, Findings, View, list_names
from orpolicy.routing.resolve import split_suffixes

if TYPE_CHECKING:
    from collections.abc import Collection

    from orpolicy.language.source import Path
    from orpolicy.routing.catalog import Endpoint

SAME = {
    "include_reasoning": "reasoning",
    "max_completion_tokens": "max_tokens",
    "max_tokens": "max_completion_tokens",
    "reasoning_effort": "reasoning",
}
"""Parameter → the one that OpenRouter turns it into, where an endpoint lists only that."""

FOLLOWS = {"structured_outputs": "response_format", "tool_choice": "tools", "top_logprobs": "logprobs"}
"""Parameter → the one whose lack says it all."""

SELDOM_LISTED = frozenset({"parallel_tool_calls"})
"""Parameters that endpoints take without listing them: four of 1,204 do, on 22 August 2026."""


def check_providers_serve(view: View) -> Findings:
    """Report entries of lists that mean no endpoint of any model: a tag that is not there, or a stranger to the model."""
    if not view.knows_all_models or view.pool.empty:
        return
    pool = _list_pool(view) if any(view.providers.get(key) for key in LISTS) else []
    for key in LISTS:
        for index, slug in enumerate(view.providers.get(key) or ()):
            if not is_provider_slug(slug) or view.is_stranger(slug):
                continue
            base = slug.partition("/")[0]
            at_base = {endpoint.tag for endpoint, own in pool if base in (endpoint.prefix, own)}
            if key == "ignore" and (base == slug or not at_base):
                continue  # a precaution
            if not any(matches(slug, endpoint, own, covers_tier=True) for endpoint, own in pool):
                yield _say_stranger(view, ("provider", key, index), slug, at_base)


def _list_pool(view: View) -> list[tuple[Endpoint, str]]:
    endpoints = [endpoint for _, endpoint in view.reachable]
    endpoints += [endpoint for _, endpoint, _ in view.pool.excluded]
    return [(endpoint, view.catalog.provider_slug(endpoint)) for endpoint in endpoints]


def _list_tags(view: View) -> list[str]:
    """Name all endpoints, those that may serve the body first, in the order in which they are tried."""
    answer = view.answer
    endpoints = [attempt.endpoint for attempt in answer.attempts]
    endpoints += [entry.endpoint for entry in answer.unknown if entry.endpoint]
    return [endpoint.tag for endpoint in (*endpoints, *(entry.endpoint for entry in answer.excluded))]


def _say_stranger(view: View, path: Path, slug: str, at_base: Collection[str]) -> Finding:
    tags = [tag for tag in _list_tags(view) if tag in at_base] or _list_tags(view)
    names = [name for _, name in view.named]
    whom = f"'{names[0]}'" if len(names) == 1 else "any model of this preset"
    what = "it excludes nothing" if path[1] == "ignore" else "it is skipped"
    message = f"'{slug}' does not serve {whom}: {what}"
    return Finding("provider-serves-no-model", path, message, f"there is {list_names(tags)}")


def check_parameters(view: View) -> Findings:
    """Report parameters that every endpoint ignores (facts 5, 6, 8); required ones leave no endpoint, as is said elsewhere."""
    if not view.knows_all_models or not view.reachable:
        return
    supported = frozenset().union(*(endpoint.parameters for _, endpoint in view.reachable))
    lacking = {
        name: path
        for name, path in view.constraints.parameters
        if name not in supported
        and SAME.get(name) not in supported
        and name not in SELDOM_LISTED
        and _asks_for_something(name, view.body[str(path[0])])
    }
    for name, path in lacking.items():
        if FOLLOWS.get(name) in lacking or view.is_reported(path):
            continue
        names = [f"'{model}'" for _, model in view.named]
        whom = names[0] if len(names) == 1 else "the models named"
        what = "JSON schemas" if name == "structured_outputs" else f"'{name}'"
        message = f"no endpoint of {whom} supports {what}: it is ignored"
        hint = "drop it, or name a model that supports it; 'require_parameters: true' would refuse instead"
        yield Finding("unsupported-parameter", path, message, hint)


def _asks_for_something(name: str, value: Any) -> bool:
    """Tell whether a value changes anything for an endpoint that does not know its parameter."""
    if name == "reasoning" and isinstance(value, Mapping):
        return value.get("enabled") is not False and value.get("effort") != "none"
    if name == "response_format" and isinstance(value, Mapping):
        return value.get("type") != "text"
    return value not in (False, "none", "auto")


def check_tier(view: View) -> Findings:
    """Report a service tier that no endpoint sells: requests run, and are billed, without it (facts 60, 61, 65)."""
    tier = view.body.get("service_tier")
    wanted = TIERS_OF_SERVICE.get(str(tier))
    if wanted and view.knows_all_models and view.reachable:
        sold = {endpoint.tier for _, endpoint in view.reachable}
        if not sold & wanted:
            others = list_names(sorted(found for found in sold if found))
            message = f"no endpoint that may serve this sells the tier '{tier}': it has no effect"
            hint = f"drop it{f'; there is {others}' if others else ''}, or name a model that is sold at it"
            yield Finding("unserved-tier", ("service_tier",), message, hint)


def check_single_endpoint(view: View) -> Findings:
    """Report that a single endpoint may serve the body: while it is down, so is everything."""
    if len(view.reachable) != 1 or not view.knows_all_models:
        return
    model, endpoint = view.reachable[0]
    if not view.is_reported(("provider", "allow_fallbacks"), "no-fallback-single-point"):
        message = f"only '{endpoint.tag}' may serve this: while it is down, every call of '{model}' fails"
        yield Finding(
            "single-endpoint",
            view.named[0][0],
            message,
            "add another model, or loosen what keeps others away",
        )


def check_free_start(view: View) -> Findings:
    """Report a chain that starts with a model that is free without saying so, and ends on the bill (facts 39, 51)."""
    if len(view.named) < 2 or not view.knows_all_models:
        return
    bills: dict[str, bool] = {}
    for model, endpoint in view.reachable:
        prices = endpoint.prices.at()
        bills[model] = bills.get(model, False) or prices.prompt > 0 or prices.completion > 0
    (first, start), *rest = view.named
    read = read_model(start)
    if read is None or read.free or bills.get(split_suffixes(start)[0], True):
        return
    for path, name in rest:
        if bills.get(split_suffixes(name)[0]):
            message = (
                f"the chain starts with '{start}', which is free, but '{name}' is billed whenever it steps in"
            )
            related = (("the free model", first),)
            hint = "end the chain with 'openrouter/free'"
            yield Finding("free-with-paid-fallback", path, message, hint, related=related)
            return
