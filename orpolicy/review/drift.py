"""What is no longer as it was locked: every locked body, routed once more over a fresh catalogue.

.. code-block:: text

    models        removed, leaving, unserved, another snapshot behind the id, an alias that leads elsewhere
    endpoints     of models that stayed: removed, no longer admitted, changed (drift_offers), new
    presets       that nobody may serve any more; what a call can cost at most
    patterns      models that came or went under them

Kinds and how grave they are stand in :mod:`orpolicy.review.drift_kinds`. One cause is told once: a model that is gone says
nothing of its endpoints, and an endpoint that may no longer serve *because* its price rose is a price that rose.

Laws: against the catalogue of the lock nothing drifts, but for days that run out; the order of rows does not matter;
statistics are no drift. What the fresh catalogue does not know is said to be unknown, never to be gone.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.compiled import ANY_LENGTH
from orpolicy.review.drift_kinds import EVERY_ENDPOINT, Change, Concern, Drift, Kind, merge_drift
from orpolicy.review.drift_offers import SAID, Wants, find_shifts
from orpolicy.review.drift_pairs import State, list_standings, pair_standings
from orpolicy.review.drift_patterns import compare_patterns, expand
from orpolicy.review.drift_traces import Trace, find_leaving, strip_name
from orpolicy.routing.cost import reach
from orpolicy.routing.mentions import mentioned_models
from orpolicy.routing.prices import plain
from orpolicy.routing.router import requested_models, route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from orpolicy.review.drift_kinds import Subject
    from orpolicy.review.drift_offers import Shift
    from orpolicy.review.drift_pairs import Standing
    from orpolicy.review.effects import Effect, Effects, Reached
    from orpolicy.routing.catalog import Catalog, Endpoint, Model
    from orpolicy.routing.router import Route

_ZDR = "data_policy:zdr"

EXPLAINED_BY: Mapping[str, frozenset[Kind]] = {
    "allowed_providers": frozenset(),
    "context_length": frozenset({Kind.LIMIT_LOWERED}),
    _ZDR: frozenset({Kind.ZDR_LOST, Kind.ZDR_UNKNOWN}),
    "max_price": frozenset({Kind.PRICE_UP}),
    "quantization": frozenset({Kind.QUANTIZATION_CHANGED}),
    "require_parameters": frozenset({Kind.CAPABILITY_LOST}),
    "utc_time": frozenset({Kind.PRICE_UP}),
}
"""Why an endpoint may no longer serve, or is in doubt → the changes of the endpoint that are reason enough."""


def find_drift(
    locked: Effects,
    fresh: Catalog,
    now: datetime,
    *,
    globs: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[Drift, ...]:
    """Find what is no longer as it was locked, the gravest first.

    Args:
        locked: a lock, or a project over the catalogue that it was reviewed with; presets without a route are passed
            over.
        fresh: today's catalogue.
        now: the present moment (UTC), by which models leave.
        globs: the models that each pattern covered, where the catalogue of the lock does not list them all.
    """

    def covered(glob: str) -> tuple[str, ...] | None:
        if globs is not None:
            return globs.get(glob)
        return expand(glob, locked.catalog) if locked.catalog and locked.catalog.complete else None

    blind = bool(fresh.endpoints) and all(endpoint.zdr is None for endpoint in fresh.endpoints)
    seen: list[Drift] = []
    for effect in locked.found.values():
        if effect.reached is not None:
            seen.extend(_Look(effect, effect.reached, locked.catalog, fresh, now, blind).compare())
            seen.extend(
                Drift(kind, (glob,), (Concern(*effect.key),), changes)
                for kind, glob, changes in compare_patterns(effect, covered, fresh)
            )
    return merge_drift(seen)


@frozen
class _Look:
    """One locked effect, and what the fresh catalogue makes of its body; ``blind`` is a catalogue without ZDR."""

    effect: Effect
    reached: Reached
    locked: Catalog | None
    fresh: Catalog
    now: datetime
    blind: bool

    def compare(self) -> Iterator[Drift]:
        """Yield everything that drifted."""
        for trace in self.traces.values():
            yield from self._compare_model(trace)
        yield from self._compare_endpoints()
        yield from self._compare_service()
        yield from self._compare_worst()

    @cached_property
    def region(self) -> str | None:
        """The region of the base URL: ``https://eu.openrouter.ai/…``."""
        host = self.effect.base_url.partition("//")[2]
        return None if host.startswith("openrouter.") else host.partition(".")[0]

    @cached_property
    def answer(self) -> Route:
        """The route of today."""
        return route(self.effect.body, self.fresh, region=self.region)

    @cached_property
    def traces(self) -> Mapping[str, Trace]:
        """Where every model that the body names, to be tried or to help, led and leads."""
        names = {strip_name(name) for _, name in mentioned_models(self.effect.body)}
        return {name: Trace.of(name, self.locked, self.fresh) for name in sorted(names) if name}

    def _say(
        self, kind: Kind, subject: Subject, changes: tuple[Change, ...] = (), *, how: str = "", note: str = ""
    ) -> Drift:
        concern = Concern(self.effect.preset, self.effect.environment, how)
        return Drift(kind, subject, (concern,), changes, note)

    def _compare_model(self, trace: Trace) -> Iterator[Drift]:
        """Compare where one name leads; a name that the lock's catalogue did not list can lose nothing."""
        before, after = trace.before, trace.after
        if before is None:
            return
        if after is None:
            yield self._miss(trace.name)
        elif trace.led_to != trace.leads_to:
            yield self._say(
                Kind.ALIAS_MOVED, (trace.name,), (Change("resolves to", trace.led_to, trace.leads_to),)
            )
        elif trace.target is None:
            yield self._miss(trace.leads_to)
        else:
            yield from self._compare_snapshot(trace.source or before, trace.target)
        leaving = find_leaving(trace, self.now)
        if leaving is not None:
            subject, change, left = leaving
            yield self._say(Kind.MODEL_LEAVING, (subject,), (change,), note=left)

    def _miss(self, name: str) -> Drift:
        """Say that a model is gone, or that a catalogue that does not list all models cannot tell."""
        if self.fresh.complete and self.fresh.models:
            base, colon, _ = name.partition(":")
            note = f"{base} is still listed" if colon and base in self.fresh.by_id else ""
            return self._say(Kind.MODEL_REMOVED, (name,), note=note)
        note = "the fresh catalogue does not list every model, so nobody can say whether it is gone"
        return self._say(Kind.MODEL_UNKNOWN, (name,), note=note)

    def _compare_snapshot(self, source: Model, target: Model) -> Iterator[Drift]:
        old, new = source.canonical_slug, target.canonical_slug
        if source.id == target.id and old and new and old != new:
            yield self._say(Kind.MODEL_REPLACED, (target.id,), (Change("canonical slug", old, new),))

    def _compare_endpoints(self) -> Iterator[Drift]:
        """Compare the endpoints of every requested model that is what it was."""
        olds, news = list_standings(self.reached), list_standings(self.answer)
        wants = Wants.of(self.effect.body)
        for model in self._list_kept():
            known = olds.get(model.id, ())
            if model.endpoints:
                for old, new in pair_standings(known, news.get(model.id, ())):
                    yield from self._compare_pair(model.id, old, new, wants)
            elif known and model.endpoints is None:
                note = "its endpoints are not in the fresh catalogue"
                yield self._say(Kind.MODEL_UNKNOWN, (model.id,), note=note)
            elif known:
                yield self._say(Kind.MODEL_UNSERVED, (model.id,), note="it is listed, and nobody serves it")

    def _list_kept(self) -> Iterator[Model]:
        """Yield the models that the body asks for, whose endpoints the lock knew and whose names lead where they led.

        A model of which the lock keeps no endpoint, because none could serve, is known as well.
        """
        nameless = (entry for entry in self.reached.unknown if entry.endpoint is None)
        unknown = {entry.model for entry in nameless if entry.needs != ("model",)}
        kept = {}
        for name in requested_models(self.effect.body):
            trace = self.traces.get(strip_name(name))
            if trace and name not in unknown and trace.target and trace.source and trace.kept:
                kept[trace.target.id] = trace.target
        yield from kept.values()

    def _compare_pair(
        self, model: str, old: Standing | None, new: Standing | None, wants: Wants
    ) -> Iterator[Drift]:
        if old is None or new is None:
            there = old or new
            assert there is not None  # noqa: S101 - a pair has one side at least
            subject = (model, there.endpoint.tag)
            if new is None:
                yield self._say(Kind.ENDPOINT_REMOVED, subject)
            elif new.state > State.EXCLUDED and not (self.blind and _ZDR in new.words):
                yield self._say(Kind.ENDPOINT_ADDED, subject, _describe(new.endpoint), how=_doubt(new.words))
            return
        subject = (model, new.endpoint.tag)
        shifts = tuple(find_shifts(old.endpoint, new.endpoint, wants))
        fallen = new.words if new.state < old.state else ()
        told = set()
        for shift in shifts:
            words = [word for word in fallen if shift.kind in EXPLAINED_BY.get(word, ())]
            told.update(words)
            yield self._say_shift(shift, subject, _consequence(new.state, words))
        left = [word for word in fallen if word not in told]
        if left:
            kind = Kind.ENDPOINT_UNCLEAR if new.state else Kind.ENDPOINT_EXCLUDED
            yield self._say(kind, subject, how=_consequence(new.state, left))
        if new.state > old.state and not shifts:
            yield self._say(Kind.ENDPOINT_ADDED, subject, how="it was in doubt")

    def _say_shift(self, shift: Shift, subject: Subject, how: str) -> Drift:
        if self.blind and shift.kind is Kind.ZDR_UNKNOWN:
            note = "the fresh catalogue does not say who retains nothing"
            return self._say(shift.kind, EVERY_ENDPOINT, note=note)
        return self._say(shift.kind, subject, shift.changes, how=how)

    def _compare_service(self) -> Iterator[Drift]:
        """Tell whether anybody may still serve the preset at all."""
        before, after = self.reached.availability, self.answer.availability
        unlisted = not self.reached.attempts and {entry.needs for entry in self.reached.unknown} == {
            ("catalog",)
        }
        if (
            before is None and after is not None and not unlisted
        ):  # what was never listed is for 'check' to tell
            closest = tuple(f"closest: {name}" for name in after.suggestions[:1])
            words = ", ".join((*after.excluded_by, *closest))
            how = f"{after.code} ({words})" if words else after.code
            yield self._say(Kind.PRESET_UNSERVED, (self.effect.preset,), how=how)
        elif before is not None and self.answer.attempts:
            yield self._say(Kind.PRESET_SERVED, (self.effect.preset,))

    def _compare_worst(self) -> Iterator[Drift]:
        """Compare the most that a call with a prompt of any length can cost, where both sides know it."""
        after = reach(self.effect.body, self.fresh, region=self.region).bound(ANY_LENGTH)
        before, subject = self.reached.worst.usd, (self.effect.preset,)
        if before is None or before == after.usd:
            return
        if after.usd is None:
            if self.answer.availability is None and all(entry.endpoint for entry in self.answer.unknown):
                yield self._say(Kind.WORST_CASE_UNKNOWN, subject, how=after.reason or "")
            return
        where = f" in {self.effect.environment}" if self.effect.environment else ""
        change = Change(f"worst case{where}", before, after.usd, "USD per request")
        ceiling = self.effect.max_cost
        if ceiling is not None and before <= ceiling < after.usd:
            how = f"max_cost is {plain(ceiling)} USD"
            yield self._say(Kind.CEILING_EXCEEDED, subject, (change,), how=how)
        else:
            kind = Kind.WORST_CASE_UP if after.usd > before else Kind.WORST_CASE_DOWN
            yield self._say(kind, subject, (change,))


def _describe(endpoint: Endpoint) -> tuple[Change, ...]:
    """Say of a new endpoint what a reviewer asks first."""
    prices = endpoint.prices
    return (
        Change("prompt", None, prices.prompt_per_million, "USD per million tokens"),
        Change("completion", None, prices.completion_per_million, "USD per million tokens"),
        Change("zero retention", None, SAID[endpoint.zdr]),
        Change("quantization", None, endpoint.quantization),
    )


def _consequence(state: State, words: Sequence[str]) -> str:
    if not words:
        return ""
    return _doubt(words) if state else f"may no longer use it: {', '.join(words)}"


def _doubt(words: Sequence[str]) -> str:
    return f"not sure to use it: {', '.join(words)}" if words else ""
