"""What OpenRouter tells about a key, its credits and a past generation; amounts are USD, exact."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.client.replies import read_count, read_usd

if TYPE_CHECKING:
    from collections.abc import Mapping

ZERO = Decimal(0)


@frozen
class Credits:
    """What was bought and what of it is used, over the life of the account."""

    total: Decimal
    used: Decimal
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def remaining(self) -> Decimal:
        """What is left."""
        return self.total - self.used


@frozen
class Key:
    """The key of the client: ``limit`` and ``remaining`` are ``None`` where it has no limit of its own."""

    label: str
    limit: Decimal | None
    remaining: Decimal | None
    used: Decimal
    free_tier: bool
    raw: Mapping[str, Any] = field(repr=False)


@frozen
class Generation:
    """A past generation as OpenRouter billed it; tokens are the model's own."""

    id: str
    model: str
    provider: str | None
    cost: Decimal | None
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str | None
    raw: Mapping[str, Any] = field(repr=False)


def read_credits(data: Mapping[str, Any]) -> Credits:
    """Read the data of ``/credits``."""
    return Credits(
        read_usd(data.get("total_credits")) or ZERO, read_usd(data.get("total_usage")) or ZERO, data
    )


def read_key(data: Mapping[str, Any]) -> Key:
    """Read the data of ``/key``."""
    return Key(
        label=str(data.get("label") or ""),
        limit=read_usd(data.get("limit")),
        remaining=read_usd(data.get("limit_remaining")),
        used=read_usd(data.get("usage")) or ZERO,
        free_tier=data.get("is_free_tier") is True,
        raw=data,
    )


def read_generation(data: Mapping[str, Any]) -> Generation:
    """Read the data of ``/generation``."""
    return Generation(
        id=str(data.get("id") or ""),
        model=str(data.get("model") or ""),
        provider=data.get("provider_name"),
        cost=read_usd(data.get("total_cost")),
        prompt_tokens=read_count(data.get("native_tokens_prompt", data.get("tokens_prompt"))),
        completion_tokens=read_count(data.get("native_tokens_completion", data.get("tokens_completion"))),
        finish_reason=data.get("finish_reason"),
        raw=data,
    )
