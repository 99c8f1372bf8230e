"""Which models a preset names, wherever it names them: to be tried, to advise, to sit on a panel.

Works on compiled bodies and on documents as written, environments and list edits included.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.language.source import Path

_KEYS = frozenset({"model", "models", "analysis_models"})
_PATTERNS = frozenset({"allowed_models", "excluded_models"})
_OPAQUE = frozenset({"attribution", "function", "metadata", "response_format", "system", "trace"})
"""Keys below which names are the author's own."""

_PLAIN = frozenset({str, int, bool, Decimal, type(None)})
"""Types of what holds nothing; to walk into everything else asks more."""

_OTHER_LISTS = "openrouter:image_generation"
"""A tool whose models are listed elsewhere."""


def mentioned_models(data: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the place and the name of every model that is named by its id."""
    return _walk(data, path, _KEYS)


def mentioned_patterns(data: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the place and the text of every pattern for models that a router's plugin may choose."""
    return _walk(data, path, _PATTERNS)


def _walk(data: Any, path: Path, keys: frozenset[str]) -> Iterator[tuple[Path, str]]:
    if isinstance(data, Mapping) and data.get("type") != _OTHER_LISTS:
        for key, value in data.items():
            if key in keys:
                yield from _texts(value, (*path, key))
            if value.__class__ not in _PLAIN and key not in _OPAQUE:
                yield from _walk(value, (*path, key), keys)
    elif isinstance(data, (list, tuple)):
        for index, item in enumerate(data):
            if item.__class__ not in _PLAIN:
                yield from _walk(item, (*path, index), keys)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a text, those of a list, or those that an edit of an inherited list adds."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            if isinstance(item, str):
                yield (*path, index), item
    elif isinstance(value, Mapping):
        for edit in ("append", "prepend"):
            yield from _texts(value.get(edit), (*path, edit))
