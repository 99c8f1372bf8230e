"""JSON that cannot be changed: dictionaries and lists that compare and serialise as usual and refuse every mutation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Never


def _refuse(self: object, *_args: object, **_keywords: object) -> Never:
    raise TypeError(f"{type(self).__name__} cannot be changed; make a copy first")


class FrozenDict(dict[str, Any]):
    """A dictionary that refuses to be changed."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        """Copy and pickle it whole: the usual way is to fill an empty one."""
        return type(self), (dict(self),)


class FrozenList(list[Any]):
    """A list that refuses to be changed."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[type[FrozenList], tuple[list[Any]]]:
        """Do the same."""
        return type(self), (list(self),)


def freeze(value: Any) -> Any:
    """Return a deep copy of JSON that cannot be changed."""
    if isinstance(value, Mapping):
        return FrozenDict((key, freeze(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return FrozenList(freeze(item) for item in value)
    return value


def thaw(value: Any) -> Any:
    """Return a deep copy of JSON that can be changed."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value


def canonical_json(value: Any) -> str:
    """Write JSON with sorted keys and no blanks, so that equal values are equal texts."""
    return json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_write_decimal
    )


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON, as ``sha256:`` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()


def _write_decimal(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
