"""What lowering gives, apart from how it is done: whoever only sends a request needs none of the latter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.language.model import Usd
    from orpolicy.language.source import Path

BASE_URLS = {
    None: "https://openrouter.ai/api/v1",
    "eu": "https://eu.openrouter.ai/api/v1",
    "us": "https://us.openrouter.ai/api/v1",
}
"""The URL of the API by region (fact 73)."""

REGIONS = {url: region for region, url in BASE_URLS.items()}


@frozen
class Lowered:
    """A request without its messages; ``moved`` maps paths of the body to the preset's where they differ."""

    body: dict[str, Any]
    headers: dict[str, str]
    base_url: str
    system: str | None
    max_cost: Usd | None
    moved: Mapping[Path, Path]
