"""Rules about meaning that need no catalogue: contradictions, settings without effect, deprecated forms, silent losses.

.. code-block:: text

    check       what a rule is
    slugs       reading model ids and provider slugs
    models      chains, aliases, hosted presets        reasoning   effort, budget, output limit
    variants    suffixes and service tiers             output      response formats, schemas, audio
    providers   order, only, ignore                    tools       tools, choices, loops
    limits      prices, thresholds, quantisations      search      web search and its engines
    privacy     what zero retention does not reach     filters     domains to read, posts on X
    sampling    parameters and who ignores them        plugins     routers, fusion
    deprecated  old forms and their replacements       session     caches, attribution, beta features

Every rule has a severity in ``language.rules`` and a page in the rulebook with the source that earns it its place. A rule
speaks in paths of the composed preset; the compiler finds the places. One mistake is reported by one rule.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from orpolicy.language.lint import (
    deprecated,
    filters,
    limits,
    models,
    output,
    plugins,
    privacy,
    providers,
    reasoning,
    sampling,
    search,
    session,
    tools,
    variants,
)
from orpolicy.language.lint.check import Check, Findings, Preset, list_triggers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.language.diagnostics import Finding

CHECKS: tuple[Check, ...] = (
    *models.CHECKS,
    *variants.CHECKS,
    *providers.CHECKS,
    *limits.CHECKS,
    *privacy.CHECKS,
    *sampling.CHECKS,
    *reasoning.CHECKS,
    *output.CHECKS,
    *tools.CHECKS,
    *search.CHECKS,
    *filters.CHECKS,
    *plugins.CHECKS,
    *session.CHECKS,
    *deprecated.CHECKS,
)

Finds: TypeAlias = "list[Callable[[Preset], Findings]]"


@frozen
class _Index:
    """Which functions are woken: by anything, by a key, by something inside a key's value."""

    always: Finds
    by_key: dict[str, tuple[Finds, dict[str, Finds]]]


def _build_index(*, marked: bool) -> _Index:
    """Sort the checks by what wakes them; those about marked names are left out where no name is marked."""
    index = _Index([], {})
    for check in CHECKS:
        if check.marked and not marked:
            continue
        if not check.trigger:
            index.always.append(check.find)
            continue
        key, *inner = check.trigger
        whole, parts = index.by_key.setdefault(key, ([], {}))
        woken = parts.setdefault(inner[0], []) if inner else whole
        woken.append(check.find)
    return index


_INDEX = {marked: _build_index(marked=marked) for marked in (False, True)}


_NOBODY: tuple[Finds, dict[str, Finds]] = ([], {})


def lint(data: Mapping[str, Any]) -> list[Finding]:
    """Find what is wrong with the meaning of a composed, schema-valid preset; paths lead into that preset."""
    preset = Preset(data)
    index = _INDEX[preset.marked]
    woken = [*index.always]
    for key, value in preset.items():
        whole, parts = index.by_key.get(key, _NOBODY)
        woken += whole
        for trigger in list_triggers(key, value) if parts else ():
            if trigger in parts:
                woken += parts[trigger]
    return list(chain.from_iterable([find(preset) for find in woken]))


__all__ = ["CHECKS", "Check", "lint"]
