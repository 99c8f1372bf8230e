"""Patterns in which ``*`` stands for any run of characters, the only pattern language of policies."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def matches(glob: str, text: str) -> bool:
    """Tell whether a pattern covers a text."""
    return _compile(glob).fullmatch(text) is not None


def contains(wide: str, narrow: str) -> bool:
    """Tell whether a pattern covers all that another one covers.

    A ``*`` of the narrow pattern is met by a ``*`` of the wide one only, which is exact for patterns without ``?``.
    """
    return _compile(wide).fullmatch(narrow) is not None


def overlap(globs: Sequence[str]) -> bool:
    """Tell whether some text is covered by every one of the patterns.

    The patterns are walked in step, as automata: a state is a position in each, and a step reads one character that
    suits them all.
    """
    start = tuple(0 for _ in globs)
    seen = {start}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        if all(glob[place:].strip("*") == "" for glob, place in zip(globs, state, strict=True)):
            return True
        for following in _step(globs, state):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return False


def _step(globs: Sequence[str], state: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
    for index, (glob, place) in enumerate(zip(globs, state, strict=True)):
        if glob[place : place + 1] == "*":  # a star may stand for nothing
            yield (*state[:index], place + 1, *state[index + 1 :])
    wanted = {
        glob[place]
        for glob, place in zip(globs, state, strict=True)
        if glob[place : place + 1] not in ("", "*")
    }
    if len(wanted) == 1 and all(place < len(glob) for glob, place in zip(globs, state, strict=True)):
        yield tuple(place + (glob[place] != "*") for glob, place in zip(globs, state, strict=True))


@lru_cache(maxsize=4096)
def _compile(glob: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in glob.split("*")), re.DOTALL)
