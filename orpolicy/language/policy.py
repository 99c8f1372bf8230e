"""Policies: what presets may end up with, combined by meet.

A policy is a set of statements, each a point in one small lattice with the line that makes it. The meet of policies is
the union of their statements, and ``Bounds`` is what a set of statements comes to:

====================================  =================================================================
field                                 statements meet by
====================================  =================================================================
``zdr``, ``require_parameters``       or: one ``true`` demands it
``allow_fallbacks``                   and: one ``false`` forbids them
``data_collection``                   ``deny`` over ``allow``
``models``, ``plugins``, ``tools``    every ``allow`` list must match; ``deny`` lists are united
``providers``, ``quantizations``      ``allow`` lists are intersected; ``deny`` lists are united
``max_price.*``, ``max_cost``,        the minimum
``max_tokens``
``regions``                           intersection
``require``                           union
====================================  =================================================================

Laws, each a property test under its name: meet is commutative, associative and idempotent, and the empty policy is its
identity; bounds do not depend on the order of statements, nor on the number of files they stand in. These are the rules
by which OpenRouter's guardrails combine (fact 108), applied at compile time.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.language.globs import contains, matches, overlap
from orpolicy.language.slugs import covers, denies
from orpolicy.language.trees import Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orpolicy.language.document import Document
    from orpolicy.language.source import Location, Path

PRICES = ("prompt", "completion", "request", "image", "audio")
LISTS = ("models", "providers", "quantizations", "plugins", "tools")
SWITCHES: Mapping[str, Any] = {
    # field: the side that demands something
    "zdr": True,
    "data_collection": "deny",
    "require_parameters": True,
    "allow_fallbacks": False,
}
QUANTIZATIONS: Mapping[str, frozenset[str]] = {
    # what a value covers (fact 24)
    **{
        name: frozenset((name,))
        for name in ("int4", "int8", "mxfp4", "nvfp4", "fp6", "mxfp8", "fp16", "bf16", "fp32")
    },
    "fp4": frozenset(("fp4", "mxfp4", "nvfp4")),
    "fp8": frozenset(("fp8", "mxfp8")),
    "unknown": frozenset(("unknown",)),
}
REGIONS = ("eu", "us")


@frozen
class Statement:
    """One demand: its field, its value, and the line that makes it."""

    field: str
    value: Any
    layer: Layer
    path: Path

    @property
    def location(self) -> Location | None:
        """Where the demand is written."""
        return self.layer.locate(self.path)

    @property
    def sort_key(self) -> tuple[str, str, str]:
        """Order statements by file and place, so that nothing depends on the order of reading."""
        return (self.layer.name, str(self.path), str(self.value))


@frozen
class Scope:
    """Which presets a policy governs: those below ``folder`` that match, in the environments named."""

    folder: str = ""
    presets: tuple[str, ...] | None = None
    environments: tuple[str, ...] | None = None

    def covers(self, name: str, environment: str | None) -> bool:
        """Tell whether a preset in an environment is governed."""
        if self.folder and not name.startswith(self.folder + "/"):
            return False
        if self.presets is not None and not any(matches(glob, name) for glob in self.presets):
            return False
        return self.environments is None or environment in self.environments


class Policy(frozenset[Statement]):
    """A policy, or the meet of several: the set of all their statements.

    What is worked out from it is kept with it, and never with an equal one: that may stand in another file.
    """

    @cached_property
    def fields(self) -> Mapping[str, tuple[Statement, ...]]:
        """The statements of every field: the lowest ceiling first, else by file and line."""
        found: dict[str, list[Statement]] = {}
        for statement in self:
            found.setdefault(statement.field, []).append(statement)
        return {name: tuple(_sort(name, statements)) for name, statements in found.items()}

    @cached_property
    def said(self) -> frozenset[str]:
        """The fields of which there is a statement."""
        return frozenset(self.fields)

    @cached_property
    def authors(self) -> frozenset[str]:
        """The names of the layers that make its statements."""
        return frozenset(statement.layer.name for statement in self)

    @cached_property
    def bounds(self) -> Bounds:
        """What the statements come to."""
        return find_bounds(self)

    @cached_property
    def contradictions(self) -> tuple[tuple[str, tuple[Statement, ...]], ...]:
        """Fields of which nothing is left, with the statements that are to blame."""
        return tuple(find_contradictions(self))

    @cached_property
    def refusals(self) -> dict[str, tuple[str, Statement] | None]:
        """Why models that somebody asked about may not serve, in words, and who says so."""
        return {}


def _sort(name: str, statements: Iterable[Statement]) -> list[Statement]:
    ceiling = name.startswith("max_")
    return sorted(statements, key=lambda said: ((said.value if ceiling else 0), said.sort_key))


EMPTY = Policy()


def meet(*policies: Policy) -> Policy:
    """Combine policies: what any of them demands is demanded."""
    return Policy(statement for policy in policies for statement in policy)


@frozen(eq=False)
class PolicyFile:
    """A policy as written: what it demands, and of whom."""

    name: str
    document: Document
    scope: Scope
    policy: Policy


def read_policy(name: str, document: Document, folder: str) -> PolicyFile:
    """Read a policy document, already valid by the schema; it governs the presets at and below ``folder``."""
    data: Any = document.data
    who = data.get("applies_to", {})
    scope = Scope(
        folder,
        None if "presets" not in who else tuple(who["presets"]),
        None if "environments" not in who else tuple(who["environments"]),
    )
    return PolicyFile(
        name, document, scope, Policy(_read_statements(data, Layer(f"policy {name}", document)))
    )


def _read_statements(data: Mapping[str, Any], layer: Layer) -> Iterator[Statement]:
    for key, demanding in SWITCHES.items():
        if data.get(key) == demanding:
            yield Statement(key, demanding, layer, (key,))
    for key in LISTS:
        lists = data.get(key, {})
        if "allow" in lists:
            yield Statement(f"{key}.allow", frozenset(lists["allow"]), layer, (key, "allow"))
        for index, item in enumerate(lists.get("deny", ())):
            yield Statement(f"{key}.deny", item, layer, (key, "deny", index))
    yield from _read_ceilings(data, layer)
    if "regions" in data:
        yield Statement("regions", frozenset(data["regions"]), layer, ("regions",))
    for index, key in enumerate(data.get("require", ())):
        yield Statement("require", key, layer, ("require", index))


def _read_ceilings(data: Mapping[str, Any], layer: Layer) -> Iterator[Statement]:
    for key in PRICES:
        if key in data.get("max_price", {}):
            yield Statement(f"max_price.{key}", Decimal(data["max_price"][key]), layer, ("max_price", key))
    for key in ("max_cost", "max_tokens"):
        if key in data:
            yield Statement(key, Decimal(data[key]) if key == "max_cost" else int(data[key]), layer, (key,))


@frozen
class Bounds:
    """What a policy comes to; ``None`` and empty collections demand nothing. Prices are USD per million tokens."""

    zdr: bool = False
    data_collection: str | None = None
    require_parameters: bool = False
    allow_fallbacks: bool | None = None
    models_allow: frozenset[frozenset[str]] = frozenset()
    models_deny: frozenset[str] = frozenset()
    providers_allow: frozenset[str] | None = None
    providers_deny: frozenset[str] = frozenset()
    quantizations: frozenset[str] | None = None
    plugins_allow: frozenset[frozenset[str]] = frozenset()
    plugins_deny: frozenset[str] = frozenset()
    tools_allow: frozenset[frozenset[str]] = frozenset()
    tools_deny: frozenset[str] = frozenset()
    max_price: Mapping[str, Decimal] = field(factory=dict)
    max_cost: Decimal | None = None
    max_tokens: int | None = None
    regions: frozenset[str] | None = None
    require: frozenset[str] = frozenset()

    @property
    def providers_left(self) -> frozenset[str] | None:
        """The allowed providers without those that are denied as a whole; ``None`` where any may serve."""
        if self.providers_allow is None:
            return None
        return frozenset(
            slug
            for slug in self.providers_allow
            if not any(denies(denied, slug) for denied in self.providers_deny)
        )


def find_bounds(policy: Policy) -> Bounds:
    """Work out what a set of statements comes to; ``Policy.bounds`` remembers it."""
    lists = {
        f"{key}_{side}": frozenset(said.value for said in select(policy, f"{key}.{side}"))
        for key in ("models", "plugins", "tools")
        for side in ("allow", "deny")
    }
    prices = {key: said[0].value for key in PRICES if (said := select(policy, f"max_price.{key}"))}
    return Bounds(
        zdr=bool(select(policy, "zdr")),
        data_collection="deny" if select(policy, "data_collection") else None,
        require_parameters=bool(select(policy, "require_parameters")),
        allow_fallbacks=False if select(policy, "allow_fallbacks") else None,
        providers_allow=_intersect_providers(said.value for said in select(policy, "providers.allow")),
        providers_deny=frozenset(said.value for said in select(policy, "providers.deny")),
        quantizations=_find_quantizations(policy),
        max_price=prices,
        max_cost=_least(policy, "max_cost"),
        max_tokens=_least(policy, "max_tokens"),
        regions=_intersect(said.value for said in select(policy, "regions")),
        require=frozenset(said.value for said in select(policy, "require")),
        **lists,
    )


def select(policy: Policy, name: str) -> tuple[Statement, ...]:
    """Return the statements of a field: the lowest ceiling first, else by file and line."""
    return policy.fields.get(name, ())


def find_contradictions(policy: Policy) -> Iterator[tuple[str, tuple[Statement, ...]]]:
    """Find fields of which a policy leaves nothing, with the statements to blame; ``Policy.contradictions`` remembers them."""
    bounds = policy.bounds
    if bounds.providers_allow is not None and not bounds.providers_allow:
        yield "no provider", select(policy, "providers.allow")
    elif bounds.providers_left is not None and not bounds.providers_left:
        yield "no provider", (*select(policy, "providers.allow"), *select(policy, "providers.deny"))
    if bounds.quantizations is not None and not bounds.quantizations:
        yield (
            "no quantisation",
            (*select(policy, "quantizations.allow"), *select(policy, "quantizations.deny")),
        )
    if bounds.regions is not None and not bounds.regions:
        yield "no region", select(policy, "regions")
    if bounds.models_allow and not _has_model(bounds):
        yield "no model", (*select(policy, "models.allow"), *select(policy, "models.deny"))


def _has_model(bounds: Bounds) -> bool:
    """Tell whether some model id can pass every allow list and no deny list."""
    return any(
        overlap(globs) and not any(contains(deny, glob) for deny in bounds.models_deny for glob in globs)
        for globs in product(*bounds.models_allow)
    )


def _intersect_providers(lists: Iterable[frozenset[str]]) -> frozenset[str] | None:
    """Intersect lists of provider slugs, in which a base slug stands for all its regions and variants."""
    met: frozenset[str] | None = None
    for allowed in lists:
        if met is None:
            met = allowed
        else:
            pairs = [(one, other) for one in met for other in allowed]
            met = frozenset(
                narrow
                for one, other in pairs
                for broad, narrow in ((one, other), (other, one))
                if covers(broad, narrow)
            )
    if met is None:
        return None
    return frozenset(slug for slug in met if not any(other != slug and covers(other, slug) for other in met))


def _find_quantizations(policy: Policy) -> frozenset[str] | None:
    """Return the values that may be asked for: those that stand for allowed number formats only."""
    allow = [said.value for said in select(policy, "quantizations.allow")]
    deny = [said.value for said in select(policy, "quantizations.deny")]
    if not allow and not deny:
        return None
    left = _intersect(_expand(values) for values in allow) or (
        frozenset() if allow else _expand(QUANTIZATIONS)
    )
    left -= _expand(deny)
    return frozenset(value for value, covered in QUANTIZATIONS.items() if covered <= left)


def _expand(values: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(QUANTIZATIONS[value] for value in values))


def _intersect(sets: Iterable[frozenset[str]]) -> frozenset[str] | None:
    met: frozenset[str] | None = None
    for values in sets:
        met = values if met is None else met & values
    return met


def _least(policy: Policy, name: str) -> Any:
    said = select(policy, name)
    return said[0].value if said else None
