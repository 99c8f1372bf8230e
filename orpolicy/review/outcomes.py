"""What a preset comes to in an imagined call, what of that is not as expected, and which lines are the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.language.diagnostics import Related
from orpolicy.language.slugs import list_models
from orpolicy.review.naming import is_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orpolicy.language.source import Location, Path
    from orpolicy.routing.cost import Bound
    from orpolicy.routing.router import Attempt, Excluded, Route, Unknown

MOST_NAMED = 4
"""Endpoints, models or lines that one sentence names."""


@frozen
class Failure:
    """What does not hold, at a path below ``expect``, with the lines that are the reason.

    ``refused`` says that the preset does not even compile.
    """

    path: Path
    message: str
    related: tuple[Related, ...] = ()
    refused: bool = False


@frozen
class Outcome:
    """What a preset comes to in an imagined call; ``origin`` tells where a value of the body was set.

    Without a catalogue there is neither ``route`` nor ``bound``.
    """

    body: Mapping[str, Any]
    origin: Callable[[Path], Location | None] = field(default=lambda _: None, repr=False)
    route: Route | None = None
    bound: Bound | None = None

    @property
    def routed(self) -> Route:
        """The route, for what is judged only where there is one."""
        assert self.route is not None  # noqa: S101  # see above
        return self.route

    def relate(self, message: str, path: Path) -> tuple[Related, ...]:
        """Point to where a value was set, if somebody knows."""
        place = self.origin(path)
        return () if place is None else (Related(message, place),)


def where(outcome: Outcome, model: str) -> tuple[Related, ...]:
    """Point to where a body names a model, and where it chooses providers."""
    catalog = outcome.routed.catalog
    named = [
        (f"'{name}' is named here", path)
        for path, name in list_models(outcome.body)
        if is_model(name, model, catalog) or name == model
    ]
    provider = outcome.body.get("provider") or {}
    chosen = [("providers are chosen here", ("provider", "only"))] if provider.get("only") else []
    return tuple(
        related for message, path in (*named[:1], *chosen) for related in outcome.relate(message, path)
    )


def where_models(outcome: Outcome) -> tuple[Related, ...]:
    """Point to where a body names its models."""
    return tuple(
        related
        for path, name in list_models(outcome.body)[:MOST_NAMED]
        for related in outcome.relate(f"'{name}' is named here", path)
    )


def where_excluded(excluded: Sequence[Excluded]) -> tuple[Related, ...]:
    """Point to the lines that exclude endpoints."""
    places = {
        because.location: f"{', '.join(one.excluded_by)}: set here"
        for one in excluded
        for because in one.because
        if because.location is not None
    }
    return tuple(Related(message, place) for place, message in list(places.items())[:MOST_NAMED])


def say_unknown(unknown: Sequence[Unknown], what: str) -> str:
    """Say what nobody can know offline, and what would have to be known."""
    needs = ", ".join(dict.fromkeys(need for entry in unknown for need in entry.needs))
    return f"nobody can know offline {what} (that needs {needs})"


def name_unknown(unknown: Sequence[Unknown]) -> str:
    """Name endpoints of which nobody knows whether they may serve."""
    return join_names(
        [
            f"{entry.endpoint.tag} ({entry.model})" if entry.endpoint else f"who serves '{entry.model}'"
            for entry in unknown
        ]
    )


def name_attempt(attempt: Attempt) -> str:
    """Name an endpoint with its model."""
    return f"{attempt.endpoint.tag} ({attempt.model})"


def join_names(names: Sequence[str]) -> str:
    """List names, each once, the first few of many."""
    shown = list(dict.fromkeys(names))
    more = len(shown) - MOST_NAMED
    return ", ".join(shown[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
