"""What rules that need the catalogue look at: a compiled body, the catalogue, and what the router says of the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint import lint as lint_language
from orpolicy.language.slugs import is_provider_slug
from orpolicy.routing.constraints import Constraints, read_constraints
from orpolicy.routing.resolve import resolve_model
from orpolicy.routing.router import Pool, Route, judge_models, route

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from orpolicy.language.source import Path
    from orpolicy.routing.catalog import Catalog, Endpoint

Findings: TypeAlias = Iterator[Finding]

LISTS = ("order", "only", "ignore")
MOST_NAMES = 5
"""As many names are listed in a hint."""


@frozen
class View:
    """A body beside a catalogue; ``least_prompt`` is the fewest tokens that any prompt of it can have."""

    body: Mapping[str, Any]
    catalog: Catalog
    now: datetime
    region: str | None = None
    least_prompt: int = 1

    @cached_property
    def pool(self) -> Pool:
        """What is known of every endpoint, whatever the prompt and the hour: of most bodies no rule asks for more."""
        return judge_models(self.body, self.catalog, self.constraints)

    @cached_property
    def answer(self) -> Route:
        """What the router says of the body: the same, in order and with what is to blame."""
        return self.ask(self.body)

    @cached_property
    def constraints(self) -> Constraints:
        """The body's constraints."""
        return read_constraints(self.body, region=self.region)

    @cached_property
    def named(self) -> tuple[tuple[Path, str], ...]:
        """The models that are tried, each once with its first place, in their order (fact 38)."""
        found: dict[str, Path] = {}
        if self.body.get("model"):
            found[self.body["model"]] = ("model",)
        for index, name in enumerate(self.body.get("models") or ()):
            found.setdefault(name, ("models", index))
        return tuple((path, name) for name, path in found.items())

    @cached_property
    def reachable(self) -> tuple[tuple[str, Endpoint], ...]:
        """Model and endpoint of all that may serve the body, or of which nobody knows that they may not."""
        known = [(candidate.model, candidate.endpoint) for candidate in self.pool.candidates]
        return (*known, *((entry.model, entry.endpoint) for entry in self.pool.unknown if entry.endpoint))

    @cached_property
    def served(self) -> frozenset[str]:
        """The names, of those that are tried, whose model has something reachable under no other name.

        Asked for alone it would be served, too: verdicts do not depend on the other models.
        """
        models: dict[str, list[str]] = {}
        for _, name in self.named:
            model = resolve_model(self.catalog, name).model
            models.setdefault(model.id if model else "", []).append(name)
        reached = {model for model, _ in self.reachable}
        return frozenset(names[0] for model, names in models.items() if model in reached and len(names) == 1)

    @cached_property
    def knows_all_models(self) -> bool:
        """Whether the endpoints of every model that is tried are known."""
        return bool(self.named) and all(entry.endpoint is not None for entry in self.pool.perhaps)

    @cached_property
    def providers(self) -> Mapping[str, Any]:
        """The body's ``provider``."""
        return self.body.get("provider") or {}

    @cached_property
    def misnamed(self) -> frozenset[Path]:
        """The lists of providers that hold a name which other rules report: what they exclude is beside the point."""
        return frozenset(
            ("provider", key)
            for key in LISTS
            if any(
                not is_provider_slug(slug) or self.is_stranger(slug) for slug in self.providers.get(key) or ()
            )
        )

    @cached_property
    def reported(self) -> tuple[tuple[str, Path], ...]:
        """Code and place of what rules that need no catalogue say of the body."""
        return tuple((finding.code, finding.path) for finding in lint_language(self.body))

    def ask(self, body: Mapping[str, Any], prompt_tokens: int | None = None) -> Route:
        """Ask the router about a variation of the body."""
        return route(body, self.catalog, prompt_tokens=prompt_tokens, region=self.region)

    def ask_alone(self, name: str) -> Route:
        """Ask the router about the body with a single model."""
        rest = {key: value for key, value in self.body.items() if key != "models"}
        return self.ask({**rest, "model": name})

    def is_stranger(self, slug: str) -> bool:
        """Tell whether a slug is known to be no provider's."""
        catalog = self.catalog
        base = slug.partition("/")[0]
        known = base in catalog.by_slug or base in catalog.prefixes
        return catalog.complete and bool(catalog.providers) and not known

    def is_reported(self, path: Path, *codes: str) -> bool:
        """Tell whether one of these rules (any, if none is given) reports something at or below a path."""
        return any(
            place[: len(path)] == path and (not codes or code in codes) for code, place in self.reported
        )


def without(body: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Return a body without what stands at a path; a mapping's key, or all of a list."""
    key, *rest = path
    if not rest or not isinstance(body.get(str(key)), Mapping):
        return {name: value for name, value in body.items() if name != key}
    return {**body, str(key): without(body[str(key)], tuple(rest))}


def list_names(names: Iterable[str]) -> str:
    """List some names, each once: ``anthropic, azure and 3 more``."""
    unique = list(dict.fromkeys(names))
    more = len(unique) - MOST_NAMES
    shown = ", ".join(unique[:MOST_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown
