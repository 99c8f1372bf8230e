"""What the skins share: reading a body key by key, so that no key goes missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from orpolicy.language.source import Path

Loss: TypeAlias = tuple[Path, str]
"""A path of the body, and why it has no place."""

Rule: TypeAlias = Callable[[Any, dict[str, Any], list[Loss]], None]
"""Put one value of a body into another, or add to the losses."""

NO_PLACE = "has no place there"


def dress(body: Mapping[str, Any], rules: Mapping[str, Rule], losses: list[Loss]) -> dict[str, Any]:
    """Put every value of a body where its rule says."""
    worn: dict[str, Any] = {}
    for key, value in body.items():
        if key in rules:
            rules[key](value, worn, losses)
        else:
            losses.append(((key,), NO_PLACE))
    return worn


def keep(*keys: str) -> Iterator[tuple[str, Rule]]:
    """Make the rules of keys that mean the same in both."""

    def rule(key: str) -> Rule:
        return lambda value, worn, _: worn.__setitem__(key, value)

    return ((key, rule(key)) for key in keys)


def rename(key: str) -> Rule:
    """Make the rule of a key that only has another name; what stands there already counts less."""
    return lambda value, worn, _: worn.__setitem__(key, value)


def lose_rest(value: Mapping[str, Any], known: Iterable[str], path: Path, losses: list[Loss]) -> None:
    """Name the keys of a mapping that nobody took, nulls aside."""
    taken = frozenset(known)
    losses.extend(
        ((*path, key), NO_PLACE) for key, item in value.items() if key not in taken and item is not None
    )


def read_data_url(url: str) -> tuple[str, str] | None:
    """Split a ``data:`` URL into media type and base64; ``None`` for any other URL."""
    head, comma, data = url.partition(",")
    if not (head.startswith("data:") and comma and head.endswith(";base64")):
        return None
    return head.removeprefix("data:").removesuffix(";base64").partition(";")[0], data


def list_parts(content: Any) -> list[Any]:
    """Return a message's content as parts."""
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
