"""Rules that need the catalogue: names that stand for nothing, presets that nobody may serve, settings without a taker.

.. code-block:: text

    names      models, providers and patterns that are not listed, or are leaving
    reach      nobody may serve it: price, length, context, anything else
    choice     providers, parameters and tiers that mean none of the endpoints that are left
    policies   what policies allow or deny, and nobody offers

A rule is silent about what the catalogue does not know: an incomplete list of models denies none, endpoints that were
not asked for are not missing, and as long as an endpoint *perhaps* may serve a preset, it is not unreachable. One
mistake is reported by one rule; what rules without a catalogue report already is left to them.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from orpolicy.routing.lint.choice import (
    check_free_start,
    check_parameters,
    check_providers_serve,
    check_single_endpoint,
    check_tier,
)
from orpolicy.routing.lint.names import check_models, check_patterns, check_providers
from orpolicy.routing.lint.policies import lint_policy
from orpolicy.routing.lint.reach import check_reach, check_room
from orpolicy.routing.lint.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from orpolicy.language.diagnostics import Finding
    from orpolicy.routing.catalog import Catalog

CHECKS = (
    check_models,
    check_patterns,
    check_providers,
    check_reach,
    check_room,
    check_providers_serve,
    check_parameters,
    check_tier,
    check_free_start,
    check_single_endpoint,
)


def lint(
    body: Mapping[str, Any],
    catalog: Catalog,
    *,
    now: datetime,
    region: str | None = None,
    system: str | None = None,
) -> Iterator[Finding]:
    """Yield what is wrong with a compiled body beside a catalogue; paths lead into the body.

    Args:
        body: a compiled body, without messages.
        catalog: the models and endpoints.
        now: today (UTC), for models that leave.
        region: ``eu`` or ``us`` where the base URL is a regional one.
        system: the system prompt, which every call holds; findings about it point at ``("system",)``.
    """
    view = View(body, catalog, now, region, least_prompt=1 + len((system or "").split()))
    return chain.from_iterable(check(view) for check in CHECKS)


__all__ = ["CHECKS", "lint", "lint_policy"]
