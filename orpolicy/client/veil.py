"""Take what was sent out of what is said about it.

A server may echo a prompt or a key in its error message, and error messages end up in logs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECRET = re.compile(r"(sk-|Bearer )[\w\-.~+/]{6,}")
_CLIP = 400
_RUN = 16


def veil(text: str, sent: Iterable[str]) -> str:
    """Clip ``text`` and blank out what looks like a key or also stands in one of the texts that were ``sent``.

    A server may echo a prompt in its error. Runs of sixteen characters or more are found wherever they begin, and a
    text of eight to fifteen characters where it occurs as a whole.
    """
    text = _SECRET.sub(r"\1…", text[: 2 * _CLIP])
    echoed = [False] * len(text)
    for secret in sent:
        run = min(_RUN, len(secret))
        if run < _RUN // 2:
            continue
        for start in range(len(text) - run + 1):
            if text[start : start + run] in secret:
                echoed[start : start + run] = [True] * run
    shown = "".join("\0" if hidden else char for char, hidden in zip(text, echoed, strict=True))
    return re.sub("\0+", "[…]", shown)[:_CLIP]
