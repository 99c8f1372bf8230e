"""Sampling and output length: parameters that need another one, or that a model does not read.

Sources: api_reference/parameters.mdx, the OpenAPI description of ``ChatRequest``,
cookbook/evaluate-and-optimize/model-migrations/{claude-4-7,sonnet-5}.mdx (facts 124-126, 130 and 131).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset

if TYPE_CHECKING:
    from orpolicy.language.slugs import ModelId

SMALLEST_LIMIT = 16
"""Tokens; some providers refuse a smaller ``max_tokens`` (OpenAPI)."""

_WITHOUT_SAMPLING = {("opus", (4, 7)), ("sonnet", (5, 0))}
_FIRST_WITH = {"xhigh": (4, 7), "max": (4, 6)}
"""Verbosity → the first Claude version that knows it; older ones fall back to ``high``."""


def check_top_logprobs(preset: Preset) -> Findings:
    """Report ``top_logprobs`` where log probabilities are not asked for (fact 124)."""
    if preset.get("logprobs") is not True:
        related = (("they are switched off here", ("logprobs",)),) if "logprobs" in preset else ()
        message = "'top_logprobs' requires 'logprobs: true'"
        path = ("top_logprobs",)
        yield Finding(
            "top-logprobs-without-logprobs",
            path,
            message,
            "add 'logprobs: true'",
            anchor="key",
            related=related,
        )


def check_two_limits(preset: Preset) -> Findings:
    """Report the old and the new name of the output limit side by side (fact 126)."""
    if "max_completion_tokens" in preset:
        message = "'max_tokens' is the deprecated name of 'max_completion_tokens', and both are set"
        related = (("the other one", ("max_completion_tokens",)),)
        path = ("max_tokens",)
        yield Finding(
            "two-output-limits", path, message, "keep 'max_completion_tokens'", anchor="key", related=related
        )


def check_tiny_limit(preset: Preset) -> Findings:
    """Report an output limit below what some providers accept."""
    if preset["max_tokens"] < SMALLEST_LIMIT:
        message = f"some providers refuse a 'max_tokens' below {SMALLEST_LIMIT}"
        yield Finding("tiny-output-limit", ("max_tokens",), message, f"write {SMALLEST_LIMIT} or more")


def check_missing_limit(preset: Preset) -> Findings:
    """Report a preset whose output is bounded by its endpoint only; credits are checked against that bound."""
    named = preset.named
    if named and "max_tokens" not in preset and "max_completion_tokens" not in preset:
        message = (
            "no output limit: the worst case is the endpoint's own limit, and credits are checked against it"
        )
        yield Finding("missing-max-tokens", named[0][0], message, "set 'max_completion_tokens'")


def check_ignored_sampling(preset: Preset, key: str) -> Findings:
    """Report a sampling parameter that every model named here ignores (fact 131)."""
    models = preset.models
    if models and models[0].author == "anthropic" and all(m.claude in _WITHOUT_SAMPLING for m in models):
        message = f"'{key}' has no effect: {models[0].author}/{models[0].slug} ignores it"
        hint = "drop it; 'verbosity' is the lever that is left"
        yield Finding("ignored-sampling", (key,), message, hint, anchor="key")


def check_verbosity(preset: Preset) -> Findings:
    """Report a verbosity above what every Claude named here knows: it falls back to high."""
    verbosity = preset["verbosity"]
    first = _FIRST_WITH.get(verbosity)
    models = preset.models
    if first is None or not models:
        return
    if all(model.claude is not None and model.claude[1] < first for model in models):
        message = (
            f"'{verbosity}' is known from Claude {first[0]}.{first[1]} on; older models fall back to 'high'"
        )
        yield Finding("verbosity-falls-back", ("verbosity",), message, "write 'high'")


def check_verbosity_over_effort(preset: Preset) -> Findings:
    """Report an effort that a verbosity takes the place of (fact 130)."""
    models = preset.models
    reasoning = preset.get("reasoning", {})
    path = ("reasoning", "effort") if "effort" in reasoning else ("reasoning_effort",)
    effort = reasoning.get("effort", preset.get("reasoning_effort"))
    if effort in {None, "none", preset["verbosity"]} or not models or not all(map(_maps_both, models)):
        return
    message = f"'verbosity: {preset['verbosity']}' wins: both set the same level on this model, and the effort is not used"
    related = (("the verbosity", ("verbosity",)),)
    yield Finding(
        "effort-without-effect", path, message, "keep one of the two", anchor="key", related=related
    )


def _maps_both(model: ModelId) -> bool:
    return model.claude is not None and model.claude[1] >= (4, 6)


def check_parallel_calls(preset: Preset) -> Findings:
    """Report a setting for tool calls where there are no tools."""
    if not preset.get("tools") and not any(model.router or model.hosted for model in preset.models):
        message = "'parallel_tool_calls' applies to tools only, and there are none"
        path = ("parallel_tool_calls",)
        yield Finding("parallel-calls-without-tools", path, message, "add tools, or drop it", anchor="key")


CHECKS = (
    Check("top-logprobs-without-logprobs", ("top_logprobs",), check_top_logprobs),
    Check("two-output-limits", ("max_tokens",), check_two_limits),
    Check("tiny-output-limit", ("max_tokens",), check_tiny_limit),
    Check("missing-max-tokens", (), check_missing_limit),
    Check("ignored-sampling", ("temperature",), partial(check_ignored_sampling, key="temperature")),
    Check("ignored-sampling", ("top_p",), partial(check_ignored_sampling, key="top_p")),
    Check("ignored-sampling", ("top_k",), partial(check_ignored_sampling, key="top_k")),
    Check("verbosity-falls-back", ("verbosity",), check_verbosity),
    Check("effort-without-effect", ("verbosity",), check_verbosity_over_effort),
    Check("parallel-calls-without-tools", ("parallel_tool_calls",), check_parallel_calls),
)
