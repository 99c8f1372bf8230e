"""Why an endpoint became reachable, or ceased to be: found on the side where it may not serve.

.. code-block:: text

    excluded by fields of the body        the edits of these fields
    its model is not asked for            the edits of the models; else an alias that stands for another model
    not in the catalogue of that side     the catalogue
    no edit speaks of it                  what the catalogue says of it otherwise
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define

from orpolicy.language.lowered import REGIONS
from orpolicy.language.slugs import overlap
from orpolicy.review.changes import Cause, Side
from orpolicy.review.classes import Concern
from orpolicy.review.diff_causes import join_causes
from orpolicy.routing.eligibility import TIER_NOT_ASKED_FOR
from orpolicy.routing.prices import MILLION, ZERO, plain
from orpolicy.routing.resolve import resolve_model
from orpolicy.routing.router import requested_models, route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from orpolicy.language.source import Path
    from orpolicy.review.diff_body import Edit
    from orpolicy.review.effects import Effect
    from orpolicy.routing.catalog import Catalog, Endpoint

KINDS = ("prompt", "completion", "request", "image")
"""Prices that are told: USD per million tokens, per request, per image."""

_MODELS: Path = ("models",)


@define(slots=False, eq=False)
class Pair:
    """Two effects with their catalogues, and the edits that lead from one to the other, each with its causes."""

    old: Effect
    new: Effect
    old_catalog: Catalog | None
    new_catalog: Catalog | None
    edits: Sequence[tuple[Edit, tuple[Cause, ...]]]

    def on(self, side: Side) -> tuple[Effect, Catalog | None]:
        """Return the effect and the catalogue of a side."""
        return (self.old, self.old_catalog) if side == "old" else (self.new, self.new_catalog)

    @cached_property
    def same_catalog(self) -> bool:
        """Whether both sides look at the same catalogue, or nobody can say otherwise."""
        old, new = self.old_catalog, self.new_catalog
        return old is new or old is None or new is None or old.digest == new.digest

    def explain_absence(self, model: str, tag: str | None, side: Side) -> tuple[Cause, ...]:
        """Say why an endpoint may not serve on a side, though it may, or perhaps may, on the other."""
        effect, catalog = self.on(side)
        paths = self._excluded[side].get((model, tag), ())
        if not paths and model not in self._name_models(effect, catalog):
            return self.find_edits((_MODELS,)) or self.explain_aliases() or self.find_edits()
        found = self.find_edits(paths, tag) if paths else ()
        return found or self.explain_facts(model, tag) or self.find_edits()

    def find_edits(self, paths: Iterable[Path] | None = None, tag: str | None = None) -> tuple[Cause, ...]:
        """Return the causes of the edits at, above or below any of these paths; of all that bear on routes without.

        Of several items of lists only those count that mean ``tag``, if any does.
        """
        wanted = None if paths is None else [_names(path) for path in paths]
        found = [
            (edit, causes)
            for edit, causes in self.edits
            if (
                edit.concern is not Concern.OTHER
                if wanted is None
                else any(_touch(_names(edit.path), path) for path in wanted)
            )
        ]
        meant = [(edit, causes) for edit, causes in found if _means(edit, tag)]
        return join_causes(cause for _, causes in meant or found for cause in causes)

    def explain_facts(self, model: str, tag: str | None) -> tuple[Cause, ...]:
        """Say what the catalogues tell differently of an endpoint; nothing, where they agree."""
        if self.same_catalog:
            return ()
        catalogs = (self.old_catalog, self.new_catalog)
        before, after = (_find_endpoints(catalog, model, tag) for catalog in catalogs)
        if before == after:
            return ()
        if not before or not after:
            silent = catalogs[1] if before else catalogs[0]
            if silent is None or not silent.complete:  # a lock holds no endpoint that may not serve
                return self.find_edits() or (Cause("catalogue"),)
            text = "lists it now" if after else "no longer lists it"
            return (Cause("catalogue", text=text),)
        said = list(_say_differences(before[0], after[0]))
        return (Cause("catalogue", text=", ".join(said) or "its facts changed"),)

    def find_aliases(self) -> Iterator[tuple[str, str, str]]:
        """Yield the aliases that both sides ask for and that stand for another model now, with both models."""
        if self.same_catalog or self.old_catalog is None or self.new_catalog is None:
            return
        both = [name for name in requested_models(self.old.body) if name in requested_models(self.new.body)]
        for name in both:
            before, after = (
                resolve_model(catalog, name).model for catalog in (self.old_catalog, self.new_catalog)
            )
            if before is not None and after is not None and before.id != after.id:
                yield name, before.id, after.id

    def explain_aliases(self) -> tuple[Cause, ...]:
        """Say which aliases stand for another model now."""
        return tuple(
            Cause("catalogue", text=f"{name} stands for another model") for name, _, _ in self.find_aliases()
        )

    @cached_property
    def _excluded(self) -> Mapping[Side, Mapping[tuple[str, str | None], tuple[Path, ...]]]:
        return {"old": _find_excluded(*self.on("old")), "new": _find_excluded(*self.on("new"))}

    @staticmethod
    def _name_models(effect: Effect, catalog: Catalog | None) -> set[str]:
        names = requested_models(effect.body)
        found = [None if catalog is None else resolve_model(catalog, name).model for name in names]
        return {name if model is None else model.id for name, model in zip(names, found, strict=True)}


def _find_excluded(
    effect: Effect, catalog: Catalog | None
) -> Mapping[tuple[str, str | None], tuple[Path, ...]]:
    """Map what may not serve to the fields that say so; a tier that nobody asked for may be asked for by a model's name."""
    if catalog is None:
        return {}
    found: dict[tuple[str, str | None], tuple[Path, ...]] = {}
    for entry in route(effect.body, catalog, region=REGIONS.get(effect.base_url)).excluded:
        paths = tuple(because.path for because in entry.because)
        found[entry.model, entry.endpoint.tag] = (*paths, _MODELS) if TIER_NOT_ASKED_FOR in paths else paths
    return found


def _find_endpoints(catalog: Catalog | None, model: str, tag: str | None) -> list[Endpoint]:
    listed = None if catalog is None else catalog.by_id.get(model)
    endpoints = () if listed is None else listed.endpoints or ()
    return [endpoint for endpoint in endpoints if tag in (None, endpoint.tag)]


def _say_differences(old: Endpoint, new: Endpoint) -> Iterator[str]:
    yield from (
        f"{kind} price {plain(before)} → {plain(after)}" for kind, before, after in compare_prices(old, new)
    )
    facts: Mapping[str, Callable[[Endpoint], object]] = {
        "zero retention": lambda endpoint: _TRUTH[endpoint.zdr],
        "quantisation": lambda endpoint: endpoint.quantization,
        "context": lambda endpoint: endpoint.context_length,
        "longest answer": lambda endpoint: endpoint.completion_limit,
    }
    for name, read in facts.items():
        if read(old) != read(new):
            yield f"{name} {read(old)} → {read(new)}"
    gone, come = old.parameters - new.parameters, new.parameters - old.parameters
    if gone:
        yield f"no longer takes {', '.join(sorted(gone))}"
    if come:
        yield f"takes {', '.join(sorted(come))} now"


_TRUTH = {True: "yes", False: "no", None: "unknown"}


def compare_prices(old: Endpoint, new: Endpoint) -> Iterator[tuple[str, Decimal, Decimal]]:
    """Yield the kinds of prices that differ, with both prices as they are told."""
    for kind in KINDS:
        scale = MILLION if kind in ("prompt", "completion") else 1
        before, after = (endpoint.prices.rates.get(kind, ZERO) * scale for endpoint in (old, new))
        if before != after:
            yield kind, before, after


def _names(path: Path) -> Path:
    """Return the keys of a path; all that names models is one field."""
    names = tuple(part for part in path if isinstance(part, str))
    return _MODELS if names[:1] in (("model",), ("models",), ("preset",)) else names


def _means(edit: Edit, tag: str | None) -> bool:
    """Tell whether an edit is about an item that names a provider of this tag."""
    return tag is not None and isinstance(edit.item, str) and overlap(edit.item, tag)


def _touch(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
