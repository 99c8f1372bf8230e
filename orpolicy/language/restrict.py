"""Narrowing a composed preset by a policy.

``restrict(tree, policy)`` returns a tree in which every demand of the policy holds, or says where it cannot:

- where the preset says nothing, the policy's value is filled in, with the policy's line as its origin;
- where the preset says something wider that holds the demanded value (a provider whose region alone is allowed), it is
  narrowed, and what was there stays as shadowed;
- where the preset says something else, that is a contradiction, with both places, and nothing is compiled from it.

Laws: restricting twice is restricting once; a stronger policy never leaves more; the order and the number of files in
which statements stand do not matter; and nothing escapes: whatever comes out satisfies every statement.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.language.narrow_choices import narrow_choices
from orpolicy.language.narrow_extras import narrow_plugins, narrow_tools
from orpolicy.language.narrow_models import narrow_models, refuse_hosted
from orpolicy.language.narrow_providers import narrow_providers, narrow_quantizations
from orpolicy.language.narrowing import Conflict, Work
from orpolicy.language.policy import PRICES, SWITCHES, Policy, Statement, select

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orpolicy.language.source import Path
    from orpolicy.language.trees import Branch


@frozen
class Restricted:
    """What came of narrowing: the data, and the contradictions that keep them from being compiled."""

    data: Mapping[str, Any]
    conflicts: tuple[Conflict, ...]
    _work: Work

    @property
    def tree(self) -> Branch:
        """The data with their authors."""
        return self._work.tree


def restrict(tree: Branch, policy: Policy) -> Restricted:
    """Narrow a settled tree by a policy."""
    work = Work(tree, policy, policy.bounds)
    for narrow in _choose_passes(policy.said):
        narrow(work)
    return Restricted(work.data, tuple(work.conflicts), work)


@lru_cache(maxsize=256)
def _choose_passes(said: frozenset[str]) -> tuple[Callable[[Work], None], ...]:
    """Choose the passes that have something to do under a policy with statements of these fields."""
    return tuple(narrow for narrow, fields in _PASSES if said and (not fields or not fields.isdisjoint(said)))


def _narrow_switch(work: Work, *, key: str) -> None:
    statements, demanded = select(work.policy, key), SWITCHES[key]
    path = ("provider", key)
    said = work.get(path)
    if said is None:
        work.fill(path, demanded, statements[0])
    elif said != demanded:
        shown, wanted = _show(said), _show(demanded)
        hint = f"leave '{key}' out, or say {wanted}"
        work.report(path, f"'{key}' is {shown}, and a policy demands {wanted}", statements, hint)


def _narrow_ceiling(work: Work, *, name: str, path: Path, unit: str) -> None:
    statements = select(work.policy, name)
    said, ceiling = work.get(path), statements[0].value
    if said is None:
        work.fill(path, ceiling, statements[0])
    elif Decimal(said) > ceiling:
        message = f"'{path[-1]}' is {said}, above the policy's {ceiling} {unit}"
        work.report(path, message, _below(statements, said))


_CEILINGS: tuple[tuple[str, Path, str], ...] = (
    *((f"max_price.{key}", ("provider", "max_price", key), "USD per million tokens") for key in PRICES),
    ("max_cost", ("max_cost",), "USD per request"),
)
"""What a policy bounds in money: its field, the place in a preset, and the unit."""


def _narrow_tokens(work: Work) -> None:
    statements = select(work.policy, "max_tokens")
    ceiling = statements[0].value
    said = {
        key: value
        for key in ("max_tokens", "max_completion_tokens")
        if (value := work.get((key,))) is not None
    }
    for key, value in said.items():
        if value > ceiling:
            work.report(
                (key,), f"'{key}' is {value}, above the policy's {ceiling}", _below(statements, value)
            )
    if not said:
        work.fill(("max_tokens",), ceiling, statements[0])


def _narrow_regions(work: Work) -> None:
    allowed = work.bounds.regions
    if allowed is None:
        return
    statements = select(work.policy, "regions")
    said = work.get(("region",))
    shown = " or ".join(sorted(allowed))
    if said is None and len(allowed) == 1:
        work.fill(("region",), next(iter(allowed)), statements[0])
    elif said is None:
        message = "a policy requires a region, and the preset does not choose one"
        work.require("region", message, statements, f"say 'region: {shown}'")
    elif said not in allowed:
        work.report(
            ("region",), f"the region '{said}' is not among the policy's ({shown or 'none'})", statements
        )


def _require_keys(work: Work) -> None:
    for statement in select(work.policy, "require"):
        if work.get((statement.value,)) in _NOTHING:
            message = f"a policy requires '{statement.value}', and the preset does not set it"
            work.require(statement.value, message, [statement])


_NOTHING: tuple[Any, ...] = (None, {}, [], "")
"""Values that say nothing, and so do not set a key."""


def _below(statements: Sequence[Statement], said: Any) -> list[Statement]:
    return [statement for statement in statements if Decimal(said) > statement.value]


def _show(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"


def _lists(key: str) -> frozenset[str]:
    return frozenset((f"{key}.allow", f"{key}.deny"))


_PASSES: tuple[tuple[Callable[[Work], None], frozenset[str]], ...] = (
    (refuse_hosted, frozenset()),
    (narrow_models, _lists("models")),
    (narrow_choices, _lists("models")),
    *((partial(_narrow_switch, key=key), frozenset((key,))) for key in SWITCHES),
    (narrow_providers, _lists("providers")),
    (narrow_quantizations, _lists("quantizations")),
    *(
        (partial(_narrow_ceiling, name=name, path=path, unit=unit), frozenset((name,)))
        for name, path, unit in _CEILINGS
    ),
    (_narrow_tokens, frozenset(("max_tokens",))),
    (narrow_plugins, _lists("plugins")),
    (narrow_tools, _lists("tools")),
    (_narrow_regions, frozenset(("regions",))),
    (_require_keys, frozenset(("require",))),
)
"""Passes in their order, each with the fields whose statements call for it; none where any does."""
