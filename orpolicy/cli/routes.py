"""A route as text: a table that is read at a glance, then who is left out and why, then what nobody can know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.cli.render import count
from orpolicy.cli.snippet import visible
from orpolicy.cli.tables import align, say_ranges, usd
from orpolicy.language.source import to_pointer
from orpolicy.routing.eligibility import TIER_NOT_ASKED_FOR
from orpolicy.routing.prices import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from orpolicy.language.source import Path
    from orpolicy.routing.availability import Availability, Because
    from orpolicy.routing.cost import Bound
    from orpolicy.routing.router import Attempt, Excluded, Route, Unknown

NEEDS = {
    "account_default_model": "the model that the account falls back to",
    "catalog": "a catalogue that lists the model",
    "context_compression": "whether OpenRouter compresses a prompt that is too long",
    "data_policy:training": "who collects data; that is in no public list",
    "data_policy:zdr": "the list of zero retention, endpoint by endpoint",
    "data_region": "who serves inside the region; that is in no public list",
    "distillable_text": "whose author allows distillation; that is in no public list",
    "endpoints": "the model's endpoints: 'orpolicy catalog pull' asks for them",
    "hosted_preset": "a preset that lives on OpenRouter's server",
    "model": "whether OpenRouter goes past a model that it does not serve",
    "provider_slug": "whether a display name means the provider; write its slug",
    "router": "the model that the router picks for each request",
    "utc_time": "the time of day, by which the price changes",
}
"""What has to be known, in words."""

IGNORE: Path = ("provider", "ignore")
DOWN: Path = (*IGNORE, "-")
"""The entries of ``ignore``, and the one that ``--down`` stands for."""

_ZDR = {True: "yes", False: "no", None: "?"}
_MOST_PROVIDERS = 4


@frozen
class Row:
    """The route of a preset in one environment, on one line; ``problem`` says why nobody may serve it."""

    preset: str
    environment: str | None
    eligible: int = 0
    excluded: int = 0
    unknown: int = 0
    cheapest: Attempt | None = None
    worst: Bound | None = None
    providers: tuple[str, ...] = ()
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain data; amounts are USD as decimal strings."""
        worst = self.worst.usd if self.worst else None
        return {
            "preset": self.preset,
            "environment": self.environment,
            "eligible": self.eligible,
            "excluded": self.excluded,
            "unknown": self.unknown,
            "cheapest": self.cheapest.to_json() if self.cheapest else None,
            "worst_case": None if worst is None else plain(worst),
            "providers": list(self.providers),
            "problem": self.problem,
        }


def summarise_route(route: Route, worst: Bound, preset: str, environment: str | None) -> Row:
    """Sum up a route in one line."""
    attempts = route.attempts
    return Row(
        preset,
        environment,
        eligible=len(attempts),
        excluded=len(route.excluded),
        unknown=len(route.unknown),
        cheapest=min(
            attempts, key=lambda attempt: attempt.prices.prompt + attempt.prices.completion, default=None
        ),
        worst=worst,
        providers=tuple(dict.fromkeys(route.catalog.provider_slug(attempt.endpoint) for attempt in attempts)),
        problem=f"nobody may serve it: {route.availability.code}" if route.availability else None,
    )


def describe_all(rows: Sequence[Row]) -> Iterator[str]:
    """Yield one line a row, below a line of titles."""
    titles = [
        "preset",
        "environment",
        "eligible",
        "excluded",
        "unknown",
        "cheapest in/out",
        "worst case",
        "providers",
    ]
    return align([titles, *map(_cells, rows)], right=frozenset({2, 3, 4, 5, 6}))


def _cells(row: Row) -> list[str]:
    first = [row.preset, row.environment or "-"]
    if row.worst is None:
        return [*first, *("-" * 5), row.problem or ""]
    prices = row.cheapest.prices if row.cheapest else None
    more = len(row.providers) - _MOST_PROVIDERS
    providers = ", ".join(row.providers[:_MOST_PROVIDERS]) + (f" and {more} more" if more > 0 else "")
    return [
        *first,
        str(row.eligible),
        str(row.excluded),
        str(row.unknown),
        f"{plain(prices.prompt_per_million)}/{plain(prices.completion_per_million)}" if prices else "-",
        _worst(row.worst.usd, row.problem),
        row.problem or providers or "-",
    ]


def _worst(amount: Decimal | None, problem: str | None) -> str:
    return "-" if problem else "unknown" if amount is None else usd(amount)


def describe_route(
    route: Route, worst: Bound, preset: str, environment: str | None, catalog: str
) -> Iterator[str]:
    """Yield the lines of a route."""
    where = f" in {environment}" if environment else ""
    yield visible(f"{preset}{where}, by {catalog}")
    if route.attempts:
        yield ""
        yield from _describe_attempts(route)
    if route.excluded:
        yield ""
        yield f"excluded: {count(len(route.excluded), 'endpoint')}"
        yield from _describe_excluded(route.excluded)
    if route.unknown:
        yield ""
        yield "unknown:"
        yield from _describe_unknown(route.unknown)
    yield ""
    if route.availability:
        yield from _describe_emptiness(route.availability, route.excluded)
    else:
        yield visible(str(worst))
    for note in route.notes if route.attempts else ():
        yield visible(f"note: {note}")


def _describe_attempts(route: Route) -> Iterator[str]:
    weighed = any(attempt.weight is not None for attempt in route.attempts)
    titles = ["rank", "model", "endpoint", "in", "out", "context", "ZDR", *(["share"] if weighed else [])]
    rows = [[*_attempt_cells(attempt), *([_share(attempt)] if weighed else [])] for attempt in route.attempts]
    yield from align([titles, *rows], right=frozenset({0, 3, 4, 5, 7}), indent="  ")
    held: dict[str, list[int]] = {}
    for attempt in route.attempts:
        if attempt.reserve:
            held.setdefault(attempt.reserve, []).append(attempt.rank)
    for reason, ranks in held.items():
        yield visible(f"  held back {say_ranges(ranks)}: {reason}")
    share = "; share of first attempts" if weighed else ""
    yield f"  in and out in USD per million tokens; order: {route.basis}{share}"


def _attempt_cells(attempt: Attempt) -> list[str]:
    endpoint = attempt.endpoint
    return [
        str(attempt.rank),
        attempt.model,
        endpoint.tag,
        plain(attempt.prices.prompt_per_million),
        plain(attempt.prices.completion_per_million),
        f"{endpoint.context_length:,}",
        _ZDR[endpoint.zdr],
    ]


def _share(attempt: Attempt) -> str:
    return "-" if not attempt.weight else f"{attempt.weight:.0%}"


def _describe_excluded(excluded: Sequence[Excluded]) -> Iterator[str]:
    """Yield the endpoints below each reason that keeps them away; one with two reasons stands below both."""
    groups: dict[str, dict[str, list[str]]] = {}
    for entry in excluded:
        places = {because.path: because for because in entry.because}
        for reason in entry.reasons:
            title = _name_reason(reason.word, [places[path] for path in reason.because])
            groups.setdefault(title, {}).setdefault(entry.model, []).append(entry.endpoint.tag)
    for title, models in groups.items():
        yield visible(f"  {title}")
        yield from _list_models(models)


def _name_reason(word: str, because: Sequence[Because]) -> str:
    if any(one.path == TIER_NOT_ASKED_FOR and one.location is None for one in because):
        return f"{word}: a service tier that nobody asked for"
    if any(one.path == DOWN for one in because):
        return f"{word}: --down"
    if all(one.path[0] == "messages" for one in because):
        return f"{word}: the prompt"
    return f"{word}: {', '.join(map(_name_place, because))}"


def _name_place(because: Because) -> str:
    pointer = to_pointer(because.path)
    return f"{pointer} at {because.location}" if because.location else pointer


def _list_models(models: Mapping[str, Iterable[str]]) -> Iterator[str]:
    return align([[model, ", ".join(dict.fromkeys(tags))] for model, tags in models.items()], indent="    ")


def _describe_unknown(unknown: Sequence[Unknown]) -> Iterator[str]:
    """Yield the models and endpoints below what would have to be known about them."""
    groups: dict[str, dict[str, list[str]]] = {}
    for entry in unknown:
        for need in entry.needs:
            tag = entry.endpoint.tag if entry.endpoint else "any endpoint"
            groups.setdefault(need, {}).setdefault(entry.model or "no model", []).append(tag)
    for need, models in groups.items():
        yield f"  needs {need}: {NEEDS[need]}"
        yield from _list_models(models)


def _describe_emptiness(availability: Availability, excluded: Sequence[Excluded]) -> Iterator[str]:
    words = f", excluded by {', '.join(availability.excluded_by)}" if availability.excluded_by else ""
    yield visible(f"nobody may serve it: OpenRouter would answer {availability.code}{words}")
    ignored = {b.path for entry in excluded for b in entry.because if b.path[:2] == IGNORE}
    for because in availability.blame:
        down = because.path == IGNORE and ignored == {DOWN}
        yield visible(f"  to blame: {'--down' if down else _name_place(because)}")
    if availability.suggestions:
        yield visible(f"  did you mean: {', '.join(availability.suggestions)}")
