"""Work that pauses between its steps, so that many presets can take each step together.

A step touches the same code and the same tables whichever preset it is about. With one preset after the other, every
step finds the processor's caches full of what the other steps left there; presets that take a step together find them
warm, and take two thirds of the time. Steps are written once, in the order in which one preset takes them: a
generator yields where another preset may go on, and returns what came of it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

Steps: TypeAlias = Generator[None, None, T]
"""What pauses between its steps, and returns its result."""


def run(steps: Steps[T]) -> T:
    """Take all steps, and return what came of them."""
    return run_abreast((steps,))[0]


def run_abreast(many: Iterable[Steps[T]]) -> list[T]:
    """Take each step of all of them before the next one, and return what came of each, in their order."""
    waiting = dict(enumerate(many))
    results: dict[int, T] = {}
    while waiting:
        for number, steps in tuple(waiting.items()):
            try:
                next(steps)
            except StopIteration as end:
                results[number] = end.value
                del waiting[number]
    return [results[number] for number in sorted(results)]
