"""What a compiled body asks of an endpoint, read once per body.

A constraint keeps the path that set it, so that a reason can name the field, and the field's origin the file.
Deprecated and modern spellings mean the same here: ``max_tokens`` and ``max_completion_tokens``, ``speed: fast`` and
``service_tier: priority`` (fact 60), ``transforms: [middle-out]`` and the plugin ``context-compression``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.errors import UsageError
from orpolicy.language.slugs import TIERS_OF_SERVICE, TIERS_OF_SUFFIX
from orpolicy.routing.prices import MILLION

if TYPE_CHECKING:
    from datetime import datetime

    from orpolicy.language.source import Path

PARAMETERS = frozenset(
    """
    temperature top_p top_k min_p top_a frequency_penalty presence_penalty repetition_penalty max_tokens
    max_completion_tokens logit_bias logprobs top_logprobs prediction seed response_format structured_outputs stop tools
    tool_choice parallel_tool_calls include_reasoning reasoning reasoning_effort web_search_options verbosity
    """.split()  # noqa: SIM905 - the names of a specification read better as prose
)
"""Keys of a body that endpoints list among their supported parameters (OpenAPI, ``Parameter``)."""

SOFT_PARAMETERS = frozenset({"tools", "response_format", "structured_outputs", "verbosity"})
"""Parameters that are preferred even where they are not required (fact 5)."""

COVERED_QUANTIZATIONS = {"fp4": ("mxfp4", "nvfp4"), "fp8": ("mxfp8",)}
"""Levels that a level in ``quantizations`` includes (fact 24)."""

COMPRESSED_CONTEXT = 8192
"""Models with at most this many tokens of context have long prompts compressed unless told otherwise (fact 96)."""


@frozen
class Entry:
    """An item of a list of providers, and where it stands."""

    text: str
    path: Path


@frozen
class Cap:
    """A ceiling of ``max_price``: USD per unit of the catalogue (per token for prompt and completion)."""

    kind: str
    most: Decimal
    path: Path


@frozen
class Constraints:
    """Everything in a body that decides which endpoints may serve it."""

    only: tuple[Entry, ...]
    ignore: tuple[Entry, ...]
    order: tuple[Entry, ...]
    fallbacks: bool
    quantizations: frozenset[str] | None
    caps: tuple[Cap, ...]
    zdr: bool
    parameters: tuple[tuple[str, Path], ...]
    require_parameters: bool
    completion: tuple[int, Path] | None
    service_tier: str | None
    fast: bool
    compression: bool | None
    needs: tuple[str, ...]
    prompt_tokens: int | None
    when: datetime | None

    @cached_property
    def parameter_names(self) -> frozenset[str]:
        """The names of the parameters that the body uses."""
        return frozenset(name for name, _ in self.parameters)

    def tiers_of(self, suffixes: Sequence[str]) -> frozenset[str]:
        """Name the tiers that are admitted without a tier slug, for a model with these suffixes."""
        admitted = TIERS_OF_SERVICE.get(self.service_tier or "", frozenset())
        if self.fast:  # both are honoured where they differ: fact 64
            admitted |= TIERS_OF_SERVICE["fast"]
        if not self.order and self.service_tier != "default":  # fact 47
            admitted = admitted.union(*(TIERS_OF_SUFFIX.get(suffix, frozenset()) for suffix in suffixes))
        return admitted

    def compresses(self, context_length: int) -> bool:
        """Tell whether a prompt that is too long would be compressed rather than refused (fact 96)."""
        return context_length <= COMPRESSED_CONTEXT if self.compression is None else self.compression


def read_constraints(
    body: Mapping[str, Any],
    *,
    prompt_tokens: int | None = None,
    down: Sequence[str] = (),
    region: str | None = None,
    when: datetime | None = None,
) -> Constraints:
    """Read the constraints of a body.

    Raises:
        UsageError: a price in ``max_price`` is no number.
    """
    provider: Mapping[str, Any] = body.get("provider") or {}
    unavailable = tuple(Entry(text, ("provider", "ignore", "-")) for text in down)
    return Constraints(
        only=_entries(provider, "only"),
        ignore=_entries(provider, "ignore") + unavailable,
        order=_entries(provider, "order"),
        fallbacks=provider.get("allow_fallbacks") is not False,
        quantizations=_quantizations(provider.get("quantizations")),
        caps=_caps(provider.get("max_price") or {}),
        zdr=provider.get("zdr") is True,
        parameters=tuple(_parameters(body)),
        require_parameters=provider.get("require_parameters") is True,
        completion=_completion(body),
        service_tier=body.get("service_tier") or ("priority" if body.get("speed") == "fast" else None),
        fast=body.get("speed") == "fast",
        compression=_compression(body),
        needs=tuple(_needs(provider, region)),
        prompt_tokens=prompt_tokens,
        when=when,
    )


def _entries(provider: Mapping[str, Any], key: str) -> tuple[Entry, ...]:
    texts = provider.get(key)
    return tuple(Entry(text, ("provider", key, index)) for index, text in enumerate(texts)) if texts else ()


def _quantizations(levels: Sequence[str] | None) -> frozenset[str] | None:
    if not levels:
        return None
    return frozenset(levels).union(*(COVERED_QUANTIZATIONS.get(level, ()) for level in levels))


def _caps(max_price: Mapping[str, Any]) -> tuple[Cap, ...]:
    caps = []
    for kind, value in max_price.items():
        if value is None:
            continue
        try:
            amount = Decimal(str(value))
        except InvalidOperation as exc:
            raise UsageError(f"provider.max_price.{kind} is not a number: {value!r}") from exc
        most = amount / MILLION if kind in ("prompt", "completion") else amount  # fact 25
        caps.append(Cap(kind, most, ("provider", "max_price", kind)))
    return tuple(caps)


def _parameters(body: Mapping[str, Any]) -> list[tuple[str, Path]]:
    """Name the parameters that a body uses, in the order of their names."""
    found: list[tuple[str, Path]] = [
        (key, (key,)) for key, value in body.items() if key in PARAMETERS and value is not None
    ]
    wanted = body.get("response_format")
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_schema":
        found.append(("structured_outputs", ("response_format",)))
    return sorted(found)


def _completion(body: Mapping[str, Any]) -> tuple[int, Path] | None:
    wanted: list[tuple[int, Path]] = [
        (body[key], (key,))
        for key in ("max_completion_tokens", "max_tokens")
        if isinstance(body.get(key), int)
    ]
    return max(wanted, default=None)


def _compression(body: Mapping[str, Any]) -> bool | None:
    """Tell whether the body turns context compression on or off, or leaves it to the model's size."""
    for plugin in body.get("plugins") or ():
        if plugin.get("id") == "context-compression":
            return plugin.get("enabled") is not False
    transforms = body.get("transforms")
    return None if transforms is None else "middle-out" in transforms


def _needs(provider: Mapping[str, Any], region: str | None) -> list[str]:
    """Name what would have to be known and is in no public data (facts 28, 29, 73)."""
    needs = []
    if provider.get("data_collection") == "deny":
        needs.append("data_policy:training")
    if provider.get("enforce_distillable_text") is True:
        needs.append("distillable_text")
    if region is not None:
        needs.append("data_region")
    return needs
