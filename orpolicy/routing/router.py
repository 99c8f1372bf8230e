"""``route``: which endpoints may serve a body, in which order, which may not and why, and what nobody can know offline.

Laws: adding a constraint never adds an eligible endpoint (a tier slug in ``only`` or ``order``, which also admits its
tier, is the one exception); removing an endpoint never changes another's verdict; the attempts are a permutation of the
eligible endpoints; ``down=[X]`` equals appending X to ``ignore``; an empty catalogue answers unknown. The answer is
about an account without restrictions of its own: account settings, guardrails, own keys and geography are not in a body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.routing.availability import Availability, Because, Missing, explain_emptiness, sort_words
from orpolicy.routing.constraints import Constraints, read_constraints
from orpolicy.routing.eligibility import Reason, judge
from orpolicy.routing.order import Candidate, rank, read_preferences
from orpolicy.routing.prices import Prices, plain
from orpolicy.routing.resolve import resolve_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from orpolicy.language.source import Location, Path
    from orpolicy.routing.catalog import Catalog, Endpoint, Model
    from orpolicy.routing.resolve import Resolution


@frozen
class Attempt:
    """An endpoint that may serve the body, at its place in the order.

    ``prices`` are those for the given prompt and time. ``weight`` is the documented share of first attempts, or ``None``
    where load is not balanced. ``reserve`` says why the endpoint is reached only if others did not exist.
    """

    rank: int
    model: str
    endpoint: Endpoint
    prices: Prices
    weight: float | None = None
    reserve: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row of a report; prices in USD per million tokens."""
        return {
            "rank": self.rank,
            "model": self.model,
            "tag": self.endpoint.tag,
            "provider": self.endpoint.provider,
            "prompt": plain(self.prices.prompt_per_million),
            "completion": plain(self.prices.completion_per_million),
            "zdr": self.endpoint.zdr,
            "quantization": self.endpoint.quantization,
            "context_length": self.endpoint.context_length,
            "weight": self.weight,
        }


@frozen
class Excluded:
    """An endpoint that may not serve the body, with every reason."""

    model: str
    endpoint: Endpoint
    reasons: tuple[Reason, ...]
    because: tuple[Because, ...]

    @property
    def excluded_by(self) -> tuple[str, ...]:
        """OpenRouter's words for the reasons, each once, in the order of the vocabulary."""
        return sort_words({reason.word for reason in self.reasons})

    def to_json(self) -> dict[str, Any]:
        """Return the row of a report."""
        return {
            "model": self.model,
            "tag": self.endpoint.tag,
            "excluded_by": list(self.excluded_by),
            "because": [because.to_json() for because in self.because],
        }


@frozen
class Unknown:
    """A model or an endpoint of which nobody can say offline whether it may serve the body, and what would decide."""

    model: str
    needs: tuple[str, ...]
    endpoint: Endpoint | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row of a report."""
        return {
            "model": self.model,
            "tag": self.endpoint.tag if self.endpoint else None,
            "needs": list(self.needs),
        }


@frozen
class Route:
    """Who may serve a body, who may not, who perhaps; ``availability`` explains why nobody may."""

    catalog: Catalog = field(repr=False)
    attempts: tuple[Attempt, ...]
    excluded: tuple[Excluded, ...]
    unknown: tuple[Unknown, ...]
    availability: Availability | None
    basis: str
    notes: tuple[str, ...]

    def to_json(self, preset: str | None = None, environment: str | None = None) -> dict[str, Any]:
        """Return the report as plain data."""
        time = self.catalog.time
        return {
            "preset": preset,
            "environment": environment,
            "catalog": {
                "time": time.isoformat().replace("+00:00", "Z") if time else None,
                "digest": self.catalog.digest,
            },
            "attempts": [attempt.to_json() for attempt in self.attempts],
            "excluded": [excluded.to_json() for excluded in self.excluded],
            "unknown": [unknown.to_json() for unknown in self.unknown],
            "availability": self.availability.to_json() if self.availability else None,
        }


def route(  # noqa: PLR0913 - what is known about the call, each by its name
    body: Mapping[str, Any],
    catalog: Catalog,
    *,
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
    down: Sequence[str] = (),
    region: str | None = None,
    at: datetime | None = None,
    origin: Callable[[Path], Location | None] = lambda _: None,
) -> Route:
    """Find out which endpoints may serve a body.

    Args:
        body: a compiled body, or any chat body of OpenRouter.
        catalog: the models and endpoints.
        prompt_tokens: the length of the prompt; without it every prompt fits and base prices apply.
        completion_tokens: the expected length of the answer, which only weighs prices.
        down: providers or tags to treat as unavailable.
        region: ``eu`` or ``us`` where the base URL is a regional one.
        at: the moment of the call (UTC), which decides about prices by time of day.
        origin: tells where a field of the body was set.

    Raises:
        UsageError: a price in ``max_price`` is no number.
    """
    locate = _locator(body, origin)
    constraints = read_constraints(body, prompt_tokens=prompt_tokens, down=down, region=region, when=at)
    pool = judge_models(body, catalog, constraints)
    ranking = rank(pool.candidates, constraints, read_preferences(body, prompt_tokens, completion_tokens))
    weights = ranking.weights or (None,) * len(ranking.candidates)
    attempts = tuple(
        Attempt(number, c.model, c.endpoint, c.prices, weight, c.reserve)
        for number, (c, weight) in enumerate(zip(ranking.candidates, weights, strict=True), start=1)
    )
    excluded = tuple(
        Excluded(model, endpoint, reasons, _list_fields(reasons, locate))
        for model, endpoint, reasons in pool.excluded
    )
    availability = None
    if pool.empty:
        verdicts = [(endpoint, reasons) for _, endpoint, reasons in pool.excluded]
        availability = explain_emptiness(verdicts, pool.missing, locate)
    return Route(catalog, attempts, excluded, pool.perhaps, availability, ranking.basis, ranking.notes)


def _list_fields(reasons: tuple[Reason, ...], locate: Callable[[Path], Because]) -> tuple[Because, ...]:
    if len(reasons) == 1:
        return tuple(map(locate, reasons[0].because))
    return tuple(map(locate, dict.fromkeys(path for reason in reasons for path in reason.because)))


@frozen
class Pool:
    """What was found of the models of a body and of their endpoints, before anything is put in order."""

    candidates: list[Candidate] = field(factory=list)
    excluded: list[tuple[str, Endpoint, tuple[Reason, ...]]] = field(factory=list)
    unknown: list[Unknown] = field(factory=list)
    missing: list[Missing] = field(factory=list)

    @property
    def empty(self) -> bool:
        """Whether it is certain that nobody may serve the body."""
        return not self.candidates and not self.unknown

    @property
    def perhaps(self) -> tuple[Unknown, ...]:
        """All that is unknown: where the first model is not served, nobody knows whether the next one is tried."""
        passed = () if self.empty else (Unknown(entry.model, ("model",)) for entry in self.missing)
        return (*self.unknown, *passed)


def judge_models(body: Mapping[str, Any], catalog: Catalog, constraints: Constraints) -> Pool:
    """Judge every endpoint of every model of a body."""
    pool = Pool()
    names = requested_models(body)
    for group, name in enumerate(names):
        answer = _find(catalog, name)
        if isinstance(answer, Unknown):
            pool.unknown.append(answer)
        elif isinstance(answer, Missing):
            pool.missing.append(answer)
        else:
            _judge_model(*answer, group, catalog, constraints, pool)
    if not names:
        pool.unknown.append(Unknown("", ("account_default_model",)))  # fact 9
    return pool


def _locator(body: Mapping[str, Any], origin: Callable[[Path], Location | None]) -> Callable[[Path], Because]:
    """Return what finds the place of a field; a field that is not in the body has none, whatever stands around it."""
    known: dict[Path, Because] = {}

    def locate(path: Path) -> Because:
        if path not in known:
            inner: Any = body
            try:
                for part in path:
                    inner = inner[part]
            except (KeyError, IndexError, TypeError):
                known[path] = Because(path)
            else:
                known[path] = Because(path, origin(path))
        return known[path]

    return locate


def requested_models(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the models of a body in the order in which they are tried (facts 37, 38), each once."""
    return tuple(dict.fromkeys(name for name in (body.get("model"), *(body.get("models") or ())) if name))


def _find(catalog: Catalog, name: str) -> tuple[Model, tuple[str, ...]] | Unknown | Missing:
    """Find the model with its endpoints, or say why there is none."""
    resolution = resolve_model(catalog, name)
    model = resolution.model
    if "@preset/" not in name and not (resolution.exact and resolution.listed):
        return _miss(catalog, name, resolution)
    need = _need_of(name, model)
    if need or model is None:
        return Unknown(name, (need or "catalog",))
    if not model.endpoints:
        gone = model.expires and catalog.time and model.expires <= catalog.time.date()
        return Missing(name, "model_deprecated" if gone else "no_endpoints", ())
    return model, resolution.suffixes


def _need_of(name: str, model: Model | None) -> str | None:
    """Name what has to be known before the endpoints of a model can be judged; an alias may lead out of the catalogue."""
    if "@preset/" in name:  # fact 83
        return "hosted_preset"
    if model is None:
        return "catalog"
    if model.is_router:
        return "router"
    return "endpoints" if model.endpoints is None else None


def _miss(catalog: Catalog, name: str, resolution: Resolution) -> Unknown | Missing:
    if not catalog.models or not catalog.complete:
        return Unknown(name, ("catalog",))
    suggestions = (resolution.written_well,) if resolution.written_well else resolution.suggestions
    base, colon, variant = name.partition(":")
    if colon and variant.startswith("free") and base in catalog.by_id:  # fact 51
        return Missing(name, "free_variant_ended", (base,))
    return Missing(name, "model_not_found", suggestions)


def _judge_model(  # noqa: PLR0913, PLR0917 - one model of the body with all that bears on it
    model: Model,
    suffixes: tuple[str, ...],
    group: int,
    catalog: Catalog,
    constraints: Constraints,
    pool: Pool,
) -> None:
    """Put every endpoint of a model into the pool."""
    tiers = constraints.tiers_of(suffixes)
    for endpoint in model.endpoints or ():
        slug = catalog.provider_slug(endpoint)
        verdict = judge(endpoint, slug, constraints, tiers, model.context_length or endpoint.context_length)
        if verdict.reasons:
            pool.excluded.append((model.id, endpoint, verdict.reasons))
        elif verdict.needs:
            pool.unknown.append(Unknown(model.id, verdict.needs, endpoint))
        else:
            prices = endpoint.prices.at(constraints.prompt_tokens, constraints.when)
            pool.candidates.append(Candidate(model.id, endpoint, slug, group, suffixes, prices))
