"""Whether what an entry of a lock says is what a preset may say, by the schema: dear, and seldom asked.

A lock is served without a schema, for its digest says that orpolicy wrote it. Who signs rubbish gets an error
nevertheless: where work on an entry goes wrong, or before it is compared with others, it is held against the schema, and
what does not pass is the lock's mistake and not ours.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from orpolicy.errors import UsageError
from orpolicy.lock_text import lower_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Answer = TypeVar("Answer", bound="Callable[..., Any]")

MISHAPS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What comes of values that are of a kind, a size or a depth that nobody reckoned with."""


def is_sound(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of a lock is a preset, in its request as in its composition."""
    from orpolicy.language.recompose import join, restore  # noqa: PLC0415 - a call needs neither
    from orpolicy.language.validators import fast_validator  # noqa: PLC0415 - as above

    try:
        guess = restore(lower_entry(entry))
        composed = join(guess, entry.get("composed", {}))
        return all(
            fast_validator("composed").is_valid(data) and _is_settled(data) for data in (guess, composed)
        )
    except MISHAPS:
        return False


def _is_settled(data: Mapping[str, Any]) -> bool:
    """Tell whether data remove and edit nothing: nulls and edits are for layers."""
    from orpolicy.language.building import build_layer  # noqa: PLC0415 - as above
    from orpolicy.language.schema import merge_strategies  # noqa: PLC0415 - as above
    from orpolicy.language.settle import settle  # noqa: PLC0415 - as above
    from orpolicy.language.trees import Layer, to_data  # noqa: PLC0415 - as above

    settled = to_data(settle(build_layer(data, Layer("lock"), merge_strategies())))
    return bool(settled == data)


def is_sound_policy(demands: Mapping[str, Any]) -> bool:
    """Tell whether what a lock keeps of a policy is one."""
    from orpolicy.language.validators import fast_validator  # noqa: PLC0415 - a call needs none

    try:
        return bool(fast_validator("policy").is_valid(demands))
    except MISHAPS:
        return False


def proving(answer: Answer) -> Answer:
    """Let a method of a preset blame the lock for what goes wrong, where it is to blame: ``prove`` tells."""

    @wraps(answer)
    def attempt(preset: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return answer(preset, *args, **kwargs)
        except (*MISHAPS, UsageError):  # a wrong value of the lock may look like one of the call
            preset.prove()
            raise

    return cast("Answer", attempt)
