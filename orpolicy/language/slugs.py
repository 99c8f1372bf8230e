"""Reading model ids and provider slugs: the vocabularies that nearly every rule speaks.

.. code-block:: text

    ~anthropic/claude-sonnet-latest            author, slug, alias
    openai/gpt-oss-20b:free:online             author, slug, variants
    openai/gpt-4o@preset/email-copywriter      author, slug, hosted preset
    google-vertex/global/priority              provider, endpoint suffix, service tier

Sources: facts 21-24, 43-52 and 83; guides/routing/model-variants/*.mdx, guides/features/service-tiers.mdx,
guides/routing/provider-selection.mdx ("Base Slug Matching").
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.language.source import Path

SORTING_VARIANTS = {"nitro": "throughput", "floor": "price", "exacto": "exacto"}
"""Suffix → the ``provider.sort`` it stands for."""

STATIC_VARIANTS = frozenset({"batch", "extended", "free", "thinking"})
"""Suffixes that are part of a listed id; they exist for some models only."""

VARIANTS = frozenset({*SORTING_VARIANTS, *STATIC_VARIANTS, "online"})

TIERS = frozenset({"flex", "priority", "scale", "ultrafast"})
"""Last segments of an endpoint slug that a base slug does not cover (facts 22 and 65)."""

SEARCH_TOOLS = frozenset(
    {
        "openrouter:web_search",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    }
)
"""Types of tools that are the web search, under its own name or one of OpenAI's."""

WEB_TOOLS = SEARCH_TOOLS | {"openrouter:web_fetch"}

TIERS_OF_SERVICE = {
    "priority": frozenset({"priority"}),
    "fast": frozenset({"priority"}),
    "flex": frozenset({"flex"}),
    "scale": frozenset({"scale"}),
    "ultrafast": frozenset({"ultrafast", "priority"}),
}
"""``service_tier`` → the tiers that it admits (facts 60, 61, 65); ``auto`` and ``default`` admit none."""

TIERS_OF_SUFFIX = {"nitro": frozenset({"priority"}), "floor": frozenset({"flex"})}
"""Suffix → the tiers that it admits (facts 44, 45)."""

PRESET_MARK = "@preset/"

_SEGMENT = r"[a-z0-9._-]+"
_MODEL = re.compile(rf"(~?)({_SEGMENT})/({_SEGMENT})((?::{_SEGMENT})*)\Z")
_PROVIDER = re.compile(r"[a-z0-9-]+(?:/[a-z0-9._-]+)*\Z")
_CLAUDE_FAMILY_FIRST = re.compile(r"claude-([a-z]+)-(\d+)(?:[.-](\d{1,2}))?(?![\d])")
_CLAUDE_VERSION_FIRST = re.compile(r"claude-(\d+)(?:[.-](\d{1,2}))?-([a-z]+)")
_GPT = re.compile(r"gpt-(\d+)(?:\.(\d+))?")
_O_SERIES = re.compile(r"o\d")

_MEANT = {
    "aionlabs": "aion-labs",
    "atlascloud": "atlas-cloud",
    "aws": "amazon-bedrock",
    "aws-bedrock": "amazon-bedrock",
    "azure-openai": "azure",
    "bedrock": "amazon-bedrock",
    "claude-platform-on-aws": "claude-on-aws",
    "deep-infra": "deepinfra",
    "fakeprovider": "fake-provider",
    "fireworks-ai": "fireworks",
    "google": "google-vertex",
    "inferencenet": "inference-net",
    "mancer-2": "mancer",
    "mistral-ai": "mistral",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "moonshot-ai": "moonshotai",
    "open-ai": "openai",
    "openinference": "open-inference",
    "paretoalpha": "pareto-alpha",
    "sakana-ai": "sakana",
    "thinking-machines": "thinkingmachines",
    "together-ai": "together",
    "togetherai": "together",
    "vertex": "google-vertex",
    "vertex-ai": "google-vertex",
    "vertexai": "google-vertex",
    "voyageai-by-mongodb": "voyageai",
    "x-ai": "xai",
    "zai": "z-ai",
}
"""Names that people write, normalised, → the slug where that is something else."""


@frozen
class ModelId:
    """A model id taken apart; ``hosted`` is the slug of a preset on OpenRouter's server that it refers to."""

    author: str
    slug: str
    alias: bool = False
    variants: tuple[str, ...] = ()
    hosted: str | None = None

    @cached_property
    def claude(self) -> tuple[str, tuple[int, int]] | None:
        """Family and version of a dated Claude model, in either spelling: ``claude-4.7-opus`` or ``claude-opus-4.7``."""
        if self.author != "anthropic":
            return None
        if found := _CLAUDE_FAMILY_FIRST.match(self.slug):
            return found[1], (int(found[2]), int(found[3] or 0))
        if found := _CLAUDE_VERSION_FIRST.match(self.slug):
            return found[3], (int(found[1]), int(found[2] or 0))
        return None

    @cached_property
    def gpt(self) -> tuple[int, int] | None:
        """Version of an OpenAI model; the o series, older than any GPT-5, counts as 0; ``None`` where unknown."""
        if self.author != "openai":
            return None
        if found := _GPT.match(self.slug):
            return int(found[1]), int(found[2] or 0)
        return (0, 0) if _O_SERIES.match(self.slug) else None

    @property
    def router(self) -> bool:
        """Whether it is one of OpenRouter's own routers, which stand for several models."""
        return self.author == "openrouter"

    @property
    def free(self) -> bool:
        """Whether it costs nothing by its name; there are free models whose name does not say so."""
        return "free" in self.variants or (self.router and self.slug == "free")


@lru_cache(maxsize=4096)
def read_model(text: str) -> ModelId | None:
    """Take a model id apart; ``None`` where it is nothing but a hosted preset."""
    name, _, hosted = text.partition(PRESET_MARK)
    found = _MODEL.match(name)
    if found is None:
        return None
    variants = tuple(found[4].split(":")[1:])
    return ModelId(found[2], found[3], alias=bool(found[1]), variants=variants, hosted=hosted or None)


def canonical_tool(kind: str) -> str:
    """Return a tool's type under OpenRouter's own name for it."""
    return "openrouter:web_search" if kind in SEARCH_TOOLS else kind


@lru_cache(maxsize=4096)
def is_provider_slug(text: str) -> bool:
    """Tell whether a text is a slug by its shape and none of the well-known wrong spellings."""
    return _PROVIDER.match(text) is not None and text.partition("/")[0] not in _MEANT


def meant_provider(text: str) -> str:
    """Guess the slug behind a display name or a wrong spelling: ``Amazon Bedrock`` is ``amazon-bedrock``."""
    normal = re.sub(r"[\s._]+", "-", text.strip().lower()).replace(":", "/")
    base, slash, suffix = normal.partition("/")
    return _MEANT.get(base, base) + slash + suffix


@lru_cache(maxsize=4096)
def covers(broad: str, narrow: str) -> bool:
    """Tell whether a provider slug matches all that another one matches (facts 21 and 22)."""
    if broad == narrow:
        return True
    return narrow.startswith(broad + "/") and narrow.rpartition("/")[2] not in TIERS


def denies(denied: str, slug: str) -> bool:
    """Tell whether a denial means a slug: also its service tiers, which no base slug covers."""
    return slug == denied or slug.startswith(denied + "/")


def overlap(one: str, other: str) -> bool:
    """Tell whether some endpoint matches both provider slugs."""
    return covers(one, other) or covers(other, one)


def list_models(data: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """List the models that a preset or a body wants tried, with their paths, in their order (fact 38)."""
    named: list[tuple[Path, str]] = [(_FIRST, data["model"])] if data.get("model") is not None else []
    named += [(("models", index), name) for index, name in enumerate(data.get("models") or ())]
    return named


_FIRST: Path = ("model",)
