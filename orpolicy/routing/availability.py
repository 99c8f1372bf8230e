"""Why nobody may serve a body: OpenRouter's availability code, and the smallest set of constraints to blame.

.. code-block:: text

    model_not_found       the id is unknown                                        400
    free_variant_ended    only the paid variant is left                            404
    model_deprecated      listed, past its day, without endpoints                  404
    no_endpoints          listed without endpoints, or the provider lists fit none 404
    privacy_restricted    data policies removed the last                           404
    constraint_filtered   price, length, parameters, quantisation or region did    404

Facts 140 to 142. To blame is the smallest set of constraints whose removal would leave an endpoint; of several sets of
one size, the one whose words come first in OpenRouter's vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from attrs import frozen

from orpolicy.language.source import to_pointer
from orpolicy.routing.eligibility import TIER_NOT_ASKED_FOR, Reason, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orpolicy.language.source import Location, Path
    from orpolicy.routing.offers import Endpoint

_PLACE = {word: place for place, word in enumerate(get_args(Word))}
_PRIVACY = {"data_policy:zdr", "data_policy:training"}


@frozen
class Because:
    """A field of the body that decided, and where it was set."""

    path: Path
    location: Location | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the field as a JSON pointer, and its place if it is known."""
        start = self.location.span.start if self.location else None
        return {
            "field": to_pointer(self.path),
            "file": self.location.file if self.location else None,
            "line": start.line if start else None,
            "column": start.column if start else None,
        }


@frozen
class Missing:
    """A model that has no endpoint to judge, with OpenRouter's code for it and what to write instead."""

    model: str
    code: str
    suggestions: tuple[str, ...]


@frozen
class Availability:
    """Why nothing is left; ``excluded_by`` names all filters that took part, ``blame`` those to lift."""

    code: str
    excluded_by: tuple[str, ...] = ()
    blame: tuple[Because, ...] = ()
    suggestions: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        return {
            "code": self.code,
            "excluded_by": list(self.excluded_by),
            "blame": [because.to_json() for because in self.blame],
        }


def sort_words(words: Iterable[Word]) -> tuple[Word, ...]:
    """Put words of the vocabulary in its order."""
    return tuple(sorted(words, key=_PLACE.__getitem__))


def explain_emptiness(
    excluded: Sequence[tuple[Endpoint, tuple[Reason, ...]]],
    missing: Sequence[Missing],
    locate: Callable[[Path], Because],
) -> Availability:
    """Explain why no endpoint is left, given the excluded endpoints and the models without any."""
    sets = [
        reasons
        for _, reasons in excluded
        if not any(reason.constraint == TIER_NOT_ASKED_FOR for reason in reasons)
    ]
    sets = sets or [reasons for _, reasons in excluded]
    if not sets:
        suggestions = tuple(dict.fromkeys(name for entry in missing for name in entry.suggestions))
        return Availability(missing[0].code if missing else "no_endpoints", suggestions=suggestions)
    smallest = min(sets, key=_size)
    words = {reason.word for reasons in sets for reason in reasons}
    return Availability(
        code=_code({reason.word for reason in smallest}),
        excluded_by=sort_words(words),
        blame=tuple(map(locate, _lift(smallest))),
    )


def _size(reasons: tuple[Reason, ...]) -> tuple[int, list[int]]:
    """Order reasons by how many constraints have to be lifted, then by the vocabulary."""
    return len(_lift(reasons)), sorted(_PLACE[reason.word] for reason in reasons)


def _lift(reasons: tuple[Reason, ...]) -> tuple[Path, ...]:
    """Return the fewest fields that have to be dropped to lift all reasons.

    A parameter that is not supported may be a constraint of its own (``max_tokens``): dropping it may do for both.
    """
    plainly = dict.fromkeys(reason.constraint for reason in reasons)
    cleverly = dict.fromkeys(path for reason in reasons for path in reason.instead or (reason.constraint,))
    return tuple(plainly if len(plainly) <= len(cleverly) else cleverly)


def _code(words: set[Word]) -> str:
    """Return the code of what to blame; among several kinds a plain constraint counts first."""
    if words <= {"allowed_providers"}:
        return "no_endpoints"
    if words <= _PRIVACY | {"allowed_providers"}:
        return "privacy_restricted"
    return "constraint_filtered"
