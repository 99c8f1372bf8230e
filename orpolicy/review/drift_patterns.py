"""Models that came or went under the patterns of a policy (``models.allow``) and of a router's plugin.

A lock freezes what a pattern covers: a model that is new under it is let in by nobody's decision. One that is gone
narrows what a router may choose; to a policy it makes no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.language.globs import matches
from orpolicy.language.policy import select
from orpolicy.review.drift_kinds import Change, Kind
from orpolicy.routing.mentions import mentioned_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from orpolicy.review.effects import Effect
    from orpolicy.routing.catalog import Catalog

    Covered = Callable[[str], Iterable[str] | None]
    """What a pattern covered when it was locked; ``None`` where nobody knows."""


def compare_patterns(
    effect: Effect, covered: Covered, fresh: Catalog
) -> Iterator[tuple[Kind, str, tuple[Change, ...]]]:
    """Yield the patterns that cover more, or fewer, models than they did, as far as the catalogues can tell."""
    for glob, denials, chooses in _list_patterns(effect):
        known = covered(glob)
        if known is None:
            continue
        before, after = (_drop(names, denials) for names in (known, expand(glob, fresh)))
        added = tuple(Change("model", None, name) for name in sorted(after - before))
        gone = tuple(Change("model", name, None) for name in sorted(before - after))
        if added:
            yield Kind.CANDIDATES_ADDED, glob, added
        if gone and fresh.complete and fresh.models and chooses:
            yield Kind.CANDIDATES_GONE, glob, gone


def _list_patterns(effect: Effect) -> Iterator[tuple[str, Sequence[str], bool]]:
    """Yield every pattern with what is taken from it, and whether a router chooses below it."""
    denied = [said.value for said in select(effect.policy, "models.deny")]
    allowed = {glob for said in select(effect.policy, "models.allow") for glob in said.value}
    chosen: dict[object, set[str]] = {}
    for path, pattern in mentioned_patterns(effect.body):
        chosen.setdefault(path[-2], set()).add(pattern)
    wanted = chosen.get("allowed_models", set())
    for glob in sorted(glob for glob in allowed | wanted if "*" in glob):
        excluded = chosen.get("excluded_models", ()) if glob in wanted else ()
        yield glob, [*denied, *excluded], glob in wanted


def expand(glob: str, catalog: Catalog) -> tuple[str, ...]:
    """Name the models under a pattern."""
    return tuple(model.id for model in catalog.models if matches(glob, model.id))


def _drop(names: Iterable[str], denials: Sequence[str]) -> frozenset[str]:
    """Leave out what is denied, and aliases: another name is not another model."""
    return frozenset(
        name
        for name in names
        if not name.startswith("~") and not any(matches(denial, name) for denial in denials)
    )
