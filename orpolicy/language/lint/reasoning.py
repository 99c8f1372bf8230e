"""How much a model thinks, said in several ways that must agree.

.. code-block:: text

    effort  max, xhigh  high  medium  low  minimal        of Claude's output limit, clamped
    share   .95         .8    .5      .2   .1             to 1,024 … 128,000 tokens (fact 129)

From Claude 4.6 on an effort is no longer a budget. Sources: guides/best-practices/reasoning-tokens.mdx,
guides/routing/routers/latest-resolution.mdx, cookbook/evaluate-and-optimize/model-migrations/*.mdx (facts 53, 127-131).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset, later_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orpolicy.language.slugs import ModelId
    from orpolicy.language.source import Path

SMALLEST_BUDGET, LARGEST_BUDGET = 1024, 128_000
"""Tokens; Anthropic's bounds, to which OpenRouter clamps."""

_IGNORING_BUDGETS = {("opus", (4, 7)), ("opus", (5, 0)), ("sonnet", (5, 0))}
_ADAPTIVE_SINCE = (4, 6)


def check_effort_conflict(preset: Preset) -> Findings:
    """Report the short form of the effort where it differs from the long one (fact 127)."""
    short, long = preset["reasoning_effort"], preset.get("reasoning", {}).get("effort")
    if long is None or long == short:
        return
    message = f"'reasoning_effort: {short}' and 'reasoning.effort: {long}' may not differ"
    path, other = _in_order(preset, ("reasoning_effort",), ("reasoning", "effort"))
    related = (("the other one", other),)
    hint = "keep 'reasoning.effort'"
    yield Finding("reasoning-effort-conflict", path, message, hint, anchor="key", related=related)


def check_effort_with_budget(preset: Preset) -> Findings:
    """Report an effort and a budget side by side: OpenRouter takes one of them."""
    effort = _find_effort(preset)
    if effort is not None:
        message = "an effort and a token budget for reasoning exclude each other"
        holder = preset["reasoning"] if effort[0] == "reasoning" else preset
        path, other = _in_order(holder, effort, ("reasoning", "max_tokens"))
        related = (("the other one", other),)
        hint = "keep one of the two"
        yield Finding("effort-with-budget", path, message, hint, anchor="key", related=related)


def _in_order(holder: Mapping[str, Any], one: Path, other: Path) -> tuple[Path, Path]:
    """Return two paths, the one written later first; the keys in which they differ first stand in ``holder``."""
    key, rival = next((str(a), str(b)) for a, b in zip(one, other, strict=False) if a != b)
    return (one, other) if later_key(holder, key, rival) == key else (other, one)


def check_budget_against_limit(preset: Preset) -> Findings:
    """Report a budget that leaves no token for the answer (fact 129)."""
    models, limit = preset.models, _find_limit(preset)
    budget = _clamp(preset["reasoning"]["max_tokens"], models)
    if (
        all(_ignores_budget(model) or _knows_efforts_only(model) for model in models)
        or limit is None
        or not budget
    ):
        return
    key, tokens = limit
    if budget >= tokens:
        message = f"{budget} tokens of reasoning leave nothing of '{key}: {tokens}' for the answer"
        related = (("the output limit", (key,)),)
        hint = f"stay below {tokens}, or raise '{key}'"
        yield Finding(
            "reasoning-budget-above-limit", ("reasoning", "max_tokens"), message, hint, related=related
        )


def check_effort_against_limit(preset: Preset, place: Path) -> Findings:
    """Report an output limit that the smallest budget of a Claude before 4.6 uses up (fact 129)."""
    effort, limit = _find_effort(preset), _find_limit(preset)
    if (
        effort is None
        or effort != place  # of two places the other one counts, and wakes this check, too
        or limit is None
        or limit[1] > SMALLEST_BUDGET
        or "max_tokens" in preset.get("reasoning", {})
    ):
        return
    value = preset["reasoning"]["effort"] if effort[0] == "reasoning" else preset["reasoning_effort"]
    if value != "none" and any(model.claude and model.claude[1] < _ADAPTIVE_SINCE for model in preset.models):
        key, tokens = limit
        message = f"reasoning takes at least {SMALLEST_BUDGET} tokens, which leaves nothing of '{key}: {tokens}' for the answer"
        related = (("the output limit", (key,)),)
        yield Finding("reasoning-budget-above-limit", effort, message, f"raise '{key}'", related=related)


def check_clamped_budget(preset: Preset) -> Findings:
    """Report a budget that OpenRouter moves into Anthropic's bounds."""
    budget, models, limit = preset["reasoning"]["max_tokens"], preset.models, _find_limit(preset)
    used = _clamp(budget, models)
    if used == budget or (limit is not None and used >= limit[1]):
        return
    if all(model.author == "anthropic" and not _ignores_budget(model) for model in models):
        message = f"Anthropic's budgets lie between {SMALLEST_BUDGET} and {LARGEST_BUDGET} tokens: {used} is used instead"
        yield Finding("reasoning-budget-clamped", ("reasoning", "max_tokens"), message, f"write {used}")


def check_ignored_budget(preset: Preset) -> Findings:
    """Report a budget that every model named here ignores (fact 131)."""
    models = preset.models
    if models and all(map(_ignores_budget, models)) and _find_effort(preset) is None:
        message = f"{models[0].author}/{models[0].slug} thinks adaptively and ignores a token budget"
        hint = "use 'reasoning.effort' or 'verbosity'"
        yield Finding("ignored-reasoning-budget", ("reasoning", "max_tokens"), message, hint, anchor="key")


def check_disabled_at_high_effort(preset: Preset) -> Findings:
    """Report disabled reasoning at an effort at which Opus 5 refuses that."""
    if not _is_disabled(preset) or not any(model.claude == ("opus", (5, 0)) for model in preset.models):
        return
    effort = _find_effort(preset)
    places: list[Path] = [("verbosity",), *([effort] if effort else [])]
    for path in places:
        value = preset["reasoning"]["effort"] if path[0] == "reasoning" else preset.get(str(path[0]))
        if value in {"xhigh", "max"}:
            message = f"Claude Opus 5 refuses disabled reasoning at effort '{value}'"
            yield Finding(
                "disabled-reasoning-at-high-effort", path, message, "write 'high' or lower, or let it reason"
            )
            return


def check_contradiction(preset: Preset) -> Findings:
    """Report reasoning that is switched off and turned up at once, or the other way round."""
    reasoning = preset["reasoning"]
    enabled, effort = reasoning["enabled"], reasoning.get("effort")
    related = (("reasoning is switched here", ("reasoning", "enabled")),)
    if enabled and effort == "none":
        message = "reasoning is enabled, and its effort is 'none'"
        path = ("reasoning", "effort")
        yield Finding("reasoning-contradiction", path, message, "keep one of the two", related=related)
    elif enabled is False and not any(model.claude == ("opus", (5, 0)) for model in preset.models):
        for key in ("effort", "max_tokens"):
            if reasoning.get(key) not in {None, "none", 0}:
                message = f"reasoning is disabled, and '{key}' says how much of it there should be"
                path = ("reasoning", key)
                hint = "keep one of the two"
                yield Finding("reasoning-contradiction", path, message, hint, anchor="key", related=related)
                return


def _clamp(budget: int, models: Sequence[ModelId]) -> int:
    """Return the budget that is used: within Anthropic's bounds where one of its models is named; 0 stays 0."""
    if budget == 0 or not any(model.author == "anthropic" for model in models):
        return budget
    return min(max(budget, SMALLEST_BUDGET), LARGEST_BUDGET)


def _find_limit(preset: Preset) -> tuple[str, int] | None:
    """Return the key and the number of tokens of the tighter output limit."""
    limits = [(key, preset[key]) for key in ("max_completion_tokens", "max_tokens") if key in preset]
    return min(limits, key=lambda limit: limit[1], default=None)


def _find_effort(preset: Preset) -> Path | None:
    if "effort" in preset.get("reasoning", {}):
        return ("reasoning", "effort")
    return ("reasoning_effort",) if "reasoning_effort" in preset else None


def _is_disabled(preset: Preset) -> bool:
    reasoning = preset["reasoning"]
    return reasoning.get("enabled") is False or reasoning.get("effort") == "none"


def _ignores_budget(model: ModelId) -> bool:
    return model.claude in _IGNORING_BUDGETS


def _knows_efforts_only(model: ModelId) -> bool:
    return model.author in {"openai", "x-ai"}


CHECKS = (
    Check("reasoning-effort-conflict", ("reasoning_effort",), check_effort_conflict),
    Check("effort-with-budget", ("reasoning", "max_tokens"), check_effort_with_budget),
    Check("reasoning-budget-above-limit", ("reasoning", "max_tokens"), check_budget_against_limit),
    *(
        Check("reasoning-budget-above-limit", place, partial(check_effort_against_limit, place=place))
        for place in (("reasoning", "effort"), ("reasoning_effort",))
    ),
    Check("reasoning-budget-clamped", ("reasoning", "max_tokens"), check_clamped_budget),
    Check("ignored-reasoning-budget", ("reasoning", "max_tokens"), check_ignored_budget),
    Check("disabled-reasoning-at-high-effort", ("reasoning",), check_disabled_at_high_effort),
    Check("reasoning-contradiction", ("reasoning", "enabled"), check_contradiction),
)
