"""JSON as programs write it, and none of what Python takes besides: no ``NaN``, no half of a surrogate pair.

Either is refused here, for no file and no request can carry it on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Never

if TYPE_CHECKING:
    from collections.abc import Callable


def load_strictly(text: str, parse_float: Callable[[str], Any] | None = None) -> Any:
    """Read JSON.

    Raises:
        ValueError: it is none (``json.JSONDecodeError``), or holds a number that is none, or half a character.
        RecursionError: it is nested too deeply.
    """
    data = json.loads(text, parse_float=parse_float, parse_constant=_refuse)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(data, ensure_ascii=False, default=str).encode()  # half a pair has no bytes
    return data


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no number")
