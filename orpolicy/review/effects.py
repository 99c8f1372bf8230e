"""What a project comes to: every preset in every environment, compiled and routed, as values that can be compared.

.. code-block:: text

    Effects                  a project at one moment: a folder, a revision, a lock
    ├── Effect               one preset in one environment: what is sent, under which policy
    │   └── Reached          who may serve it over a catalogue, and what it costs at most
    └── broken               what does not compile, with its findings

An environment in which nothing differs has no effect of its own: ``find`` then answers with that of no environment. An
effect says nothing of how its sources are written: equal effects, equal calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve, field, frozen

from orpolicy.errors import CompileError, PolicyViolation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orpolicy.compiled import Compiled
    from orpolicy.language.diagnostics import Report
    from orpolicy.language.explain import Explanation
    from orpolicy.language.model import Usd
    from orpolicy.language.policy import Policy
    from orpolicy.language.workspace import Workspace
    from orpolicy.project import Project
    from orpolicy.routing.availability import Availability
    from orpolicy.routing.catalog import Catalog
    from orpolicy.routing.cost import Bound
    from orpolicy.routing.router import Attempt, Route, Unknown

Key: TypeAlias = "tuple[str, str | None]"
"""A preset's name and an environment, ``None`` for no environment."""


@frozen
class Reached:
    """Who may serve an effect: ``attempts`` in their order, ``unknown`` perhaps; ``worst`` is the most that a call costs.

    ``availability`` says why nobody may, ``basis`` what the order is made by.
    """

    attempts: tuple[Attempt, ...]
    unknown: tuple[Unknown, ...]
    availability: Availability | None
    basis: str
    worst: Bound

    @classmethod
    def of(cls, route: Route, worst: Bound) -> Reached:
        """Keep of a route what can be compared."""
        return cls(route.attempts, route.unknown, route.availability, route.basis, worst)


def _explain_nothing(_: str) -> tuple[Explanation, ...]:
    return ()


@frozen
class Effect:
    """One preset in one environment: the whole request but its messages, and the policy that holds at call time.

    ``max_cost`` is USD per request. ``reached`` is ``None`` where there is no catalogue. ``explain`` takes a JSON pointer
    into the body and names who set what lies there, and who was overruled; nobody, where no source is at hand.
    """

    preset: str
    environment: str | None
    body: Mapping[str, Any]
    system: str | None
    headers: Mapping[str, str]
    base_url: str
    max_cost: Usd | None
    digest: str
    policy: Policy
    reached: Reached | None = None
    explain: Callable[[str], tuple[Explanation, ...]] = field(default=_explain_nothing, eq=False, repr=False)

    @property
    def key(self) -> Key:
        """The preset's name and the environment."""
        return self.preset, self.environment


@frozen
class Effects:
    """Everything that a project comes to; ``label`` names it for people.

    ``broken`` holds what does not compile. ``environments`` are all that the project knows, whether or not they change
    anything. ``workspace`` holds the sources, where there are any: a lock has none.
    """

    label: str
    found: Mapping[Key, Effect]
    broken: Mapping[Key, Report] = field(factory=dict)
    environments: tuple[str, ...] = ()
    catalog: Catalog | None = field(default=None, repr=False)
    workspace: Workspace | None = field(default=None, eq=False, repr=False)

    def find(self, preset: str, environment: str | None) -> Effect | None:
        """Return the effect of a preset in an environment; ``None`` where there is none or it does not compile."""
        key = (preset, environment)
        if key in self.found or key in self.broken:
            return self.found.get(key)
        return self.found.get((preset, None))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all presets that compile or should, sorted."""
        return tuple(sorted({name for name, _ in (*self.found, *self.broken)}))


def collect_effects(project: Project, label: str, catalog: Catalog | None = None) -> Effects:
    """Compile every preset of a project in every environment, and route it where there is a catalogue.

    Mixins have no effect of their own. ``catalog`` takes the place of the project's snapshot.

    Raises:
        CatalogError: the project's snapshot cannot be read.
    """
    chosen = catalog or project.catalog
    found: dict[Key, Effect] = {}
    broken: dict[Key, Report] = {}
    for name, environment in _list_keys(project):
        try:
            compiled = project.preset(name, environment)
            policy = project.workspace.governance.find(name, environment)
            effect = observe(compiled, policy, chosen)
            found[name, environment] = evolve(effect, explain=compiled.explain)
        except (CompileError, PolicyViolation) as failure:
            broken[name, environment] = failure.report
    return Effects(label, found, broken, project.environments, chosen, project.workspace)


def _list_keys(project: Project) -> Iterator[Key]:
    for name in project.names:
        if not project.workspace.is_abstract(name):
            yield from ((name, environment) for environment in project.variants(name))


def observe(compiled: Compiled, policy: Policy, catalog: Catalog | None) -> Effect:
    """Say what a compiled preset comes to, routed where there is a catalogue; nobody explains it yet."""
    reached = None
    if catalog is not None:
        route = compiled.route(catalog=catalog)
        reached = Reached.of(route, compiled.worst_case(catalog=catalog))
    return Effect(
        preset=compiled.name,
        environment=compiled.environment,
        body=compiled.body,
        system=compiled.system,
        headers=compiled.headers,
        base_url=compiled.base_url,
        max_cost=compiled.max_cost,
        digest=compiled.digest,
        policy=policy,
        reached=reached,
    )
