"""Numbers in ``provider`` that are right in kind and wrong in unit, and filters that leave nothing.

``max_price`` counts USD per million tokens, the catalogue USD per token; latencies are seconds; throughput is tokens per
second (facts 24-26 and 31-34). Sources: guides/routing/provider-selection.mdx, snippets/quantization-levels.mdx.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset

if TYPE_CHECKING:
    from orpolicy.language.slugs import ModelId
    from orpolicy.language.source import Path

LOWEST_CEILING = Decimal("0.001")
"""USD per million tokens; the cheapest paid endpoint of 22 August 2026 asked ten times as much."""

LONGEST_LATENCY = 100
"""Seconds; the slowest median measured in August 2026 was 71 s."""

FASTEST_THROUGHPUT = 3132
"""Tokens per second; one more than the fastest median measured in August 2026."""

_PERCENTILES = ("p50", "p75", "p90", "p99")
_PER_MILLION = ("prompt", "completion")
_BROADER = {"mxfp4": "fp4", "nvfp4": "fp4", "mxfp8": "fp8"}
"""Quantisation → the one that takes it in."""

_QUANTIZATIONS = frozenset(
    {"bf16", "fp16", "fp32", "fp4", "fp6", "fp8", "int4", "int8", "mxfp4", "mxfp8", "nvfp4"}
)


def check_per_token_price(preset: Preset) -> Findings:
    """Report a ceiling a million times too low, as if copied from the catalogue."""
    ceilings = preset["provider"]["max_price"]
    if _is_per_token(ceilings.get("prompt")) or _is_per_token(ceilings.get("completion")):
        low = [key for key in _PER_MILLION if _is_per_token(ceilings.get(key))]
        related = tuple(("this one too", ("provider", "max_price", other)) for other in low[1:])
        yield _say_per_token(("provider", "max_price", low[0]), Decimal(ceilings[low[0]]), related)


def _is_per_token(ceiling: Any) -> bool:
    amount = Decimal(ceiling) if isinstance(ceiling, str) else ceiling
    return amount is not None and 0 < amount < LOWEST_CEILING


def check_per_token_price_of_router(preset: Preset) -> Findings:
    """Report the same for the Pareto router's ceiling."""
    for index, plugin in enumerate(preset["plugins"]):
        price = plugin.get("max_price")
        if price is not None and 0 < price < LOWEST_CEILING:
            yield _say_per_token(("plugins", index, "max_price"), Decimal(price))


def _say_per_token(path: Path, price: Decimal, related: tuple[tuple[str, Path], ...] = ()) -> Finding:
    message = (
        f"a ceiling of {price:f} USD per million tokens is below every price; it looks like a price per token"
    )
    hint = f"did you mean {(price * 1_000_000).normalize():f}?"
    return Finding("per-token-price", path, message, hint, related=related)


def check_zero_price(preset: Preset) -> Findings:
    """Report a ceiling of zero where no free model is named."""
    ceilings = preset["provider"]["max_price"]
    zero = "prompt" if _is_zero(ceilings.get("prompt")) else "completion"
    if not _is_zero(ceilings.get(zero)) or not preset.models or any(map(_may_be_free, preset.models)):
        return
    message = "a ceiling of 0 admits free endpoints only, and no free model is named"
    hint = "name a ':free' model, or raise the ceiling"
    yield Finding("zero-price-ceiling", ("provider", "max_price", zero), message, hint)


def _is_zero(ceiling: Any) -> bool:
    return ceiling is not None and not (Decimal(ceiling) if isinstance(ceiling, str) else ceiling)


def _may_be_free(model: ModelId) -> bool:
    return model.free or model.router or model.hosted is not None or model.author == "stealth"


def check_latency_unit(preset: Preset) -> Findings:
    """Report a latency in milliseconds; thresholds are seconds (fact 31)."""
    path, value = _find_number(preset, "preferred_max_latency", LONGEST_LATENCY)
    if value is not None:
        message = f"{value} seconds is slower than any endpoint: this looks like milliseconds"
        yield Finding(
            "latency-in-milliseconds", path, message, f"did you mean {(Decimal(value) / 1000).normalize():f}?"
        )


def check_throughput_unit(preset: Preset) -> Findings:
    """Report a throughput per minute; thresholds are tokens per second (fact 31)."""
    path, value = _find_number(preset, "preferred_min_throughput", FASTEST_THROUGHPUT)
    if value is not None:
        message = f"{value} tokens per second is faster than any endpoint: this looks like tokens per minute"
        yield Finding(
            "throughput-per-minute", path, message, f"did you mean {(Decimal(value) / 60).quantize(1)}?"
        )


def _find_number(preset: Preset, key: str, limit: int) -> tuple[Path, Any]:
    """Return the first threshold that reaches a limit, with its path."""
    threshold = preset["provider"][key]
    if not isinstance(threshold, dict):
        return ("provider", key), threshold if threshold >= limit else None
    for name, value in threshold.items():
        if value >= limit:
            return ("provider", key, name), value
    return (), None


def check_latency_percentiles(preset: Preset) -> Findings:
    """Report a latency cutoff that a stricter one at a higher percentile implies (fact 33)."""
    yield from _check_percentiles(preset, "preferred_max_latency", "at most", stricter_is_less=True)


def check_throughput_percentiles(preset: Preset) -> Findings:
    """Report the same for throughput, where a cutoff is a floor."""
    yield from _check_percentiles(preset, "preferred_min_throughput", "at least", stricter_is_less=False)


def _check_percentiles(preset: Preset, key: str, bound: str, *, stricter_is_less: bool) -> Findings:
    cutoffs = preset["provider"][key]
    if not isinstance(cutoffs, dict):
        return
    named = [name for name in _PERCENTILES if name in cutoffs]
    for low, high in pairwise(named):
        if (cutoffs[high] < cutoffs[low]) if stricter_is_less else (cutoffs[high] > cutoffs[low]):
            message = f"{bound} {cutoffs[high]} at {high} implies {bound} {cutoffs[low]} at {low}, which adds nothing"
            related = (("the looser cutoff", ("provider", key, low)),)
            path = ("provider", key, high)
            yield Finding("percentile-without-effect", path, message, "are the two swapped?", related=related)


def check_redundant_quantization(preset: Preset) -> Findings:
    """Report a level that another one takes in: ``fp8`` takes in ``mxfp8`` (fact 24)."""
    levels = preset["provider"]["quantizations"]
    for index, level in enumerate(levels):
        if level in _BROADER and _BROADER[level] in levels:
            message = f"'{level}' adds nothing: '{_BROADER[level]}' takes it in"
        elif level in levels[:index]:
            message = f"'{level}' is listed twice"
        else:
            continue
        yield Finding(
            "redundant-quantization", ("provider", "quantizations", index), message, "remove it here"
        )


def check_quantization_conflict(preset: Preset) -> Findings:
    """Report an endpoint whose slug names a quantisation that is not admitted."""
    provider = preset["provider"]
    levels = provider["quantizations"]
    for key in ("order", "only"):
        for index, slug in enumerate(provider.get(key, ())):
            level = slug.rpartition("/")[2]
            if level not in _QUANTIZATIONS or level in levels or _BROADER.get(level) in levels or not levels:
                continue
            message = f"'{slug}' can never be used: 'quantizations' does not admit {level}"
            related = (("the levels that are admitted", ("provider", "quantizations")),)
            hint = f"add {level} to 'quantizations', or remove the endpoint"
            yield Finding("quantization-conflict", ("provider", key, index), message, hint, related=related)


CHECKS = (
    Check("per-token-price", ("provider", "max_price"), check_per_token_price),
    Check("per-token-price", ("plugins", "pareto-router"), check_per_token_price_of_router),
    Check("zero-price-ceiling", ("provider", "max_price"), check_zero_price),
    Check("latency-in-milliseconds", ("provider", "preferred_max_latency"), check_latency_unit),
    Check("throughput-per-minute", ("provider", "preferred_min_throughput"), check_throughput_unit),
    Check("percentile-without-effect", ("provider", "preferred_max_latency"), check_latency_percentiles),
    Check(
        "percentile-without-effect", ("provider", "preferred_min_throughput"), check_throughput_percentiles
    ),
    Check("redundant-quantization", ("provider", "quantizations"), check_redundant_quantization),
    Check("quantization-conflict", ("provider", "quantizations"), check_quantization_conflict),
)
