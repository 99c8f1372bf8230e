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

from typing import TYPE_CHECKING, Any

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
    from collections.abc import Callable, Iterator, Mapping

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

_ALWAYS: list[Callable[[Preset], Findings]] = []
_BY_KEY: dict[str, list[Callable[[Preset], Findings]]] = {}
_BY_TRIGGER: dict[str, dict[str, list[Callable[[Preset], Findings]]]] = {}

for _check in CHECKS:
    if not _check.trigger:
        _ALWAYS.append(_check.find)
    elif len(_check.trigger) == 1:
        _BY_KEY.setdefault(_check.trigger[0], []).append(_check.find)
    else:
        _BY_TRIGGER.setdefault(_check.trigger[0], {}).setdefault(_check.trigger[1], []).append(_check.find)


def lint(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the meaning of a composed, schema-valid preset; paths lead into that preset."""
    preset = Preset(data)
    for find in _ALWAYS:
        yield from find(preset)
    for key, value in preset.items():
        for find in _BY_KEY.get(key, ()):
            yield from find(preset)
        if key in _BY_TRIGGER:
            woken = _BY_TRIGGER[key]
            for trigger in list_triggers(key, value):
                for find in woken.get(trigger, ()):
                    yield from find(preset)


__all__ = ["CHECKS", "Check", "lint"]
