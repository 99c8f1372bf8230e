"""The same preset for OpenRouter's other endpoints: a body of chat completions in another skin.

===============  ==================================  ==============================================
of chat          in ``responses`` (POST /responses)  in ``messages`` (POST /messages)
===============  ==================================  ==============================================
messages         ``input``                           ``messages``, those of the system ``system``
max_…tokens      ``max_output_tokens``               ``max_tokens``
reasoning        ``reasoning``                       ``thinking``, ``output_config.effort``
verbosity        ``text.verbosity``                  ``output_config.effort`` (fact 130)
response_format  ``text.format``                     ``output_config.format``
tools            without the ``function`` around it  ``input_schema``
stop             nothing                             ``stop_sequences``
routing          as it is                            as it is
===============  ==================================  ==============================================

Law: every key of the body has a place in the other skin, or ``SkinError`` names it. Sources: ``ResponsesRequest`` and
``MessagesRequest`` of OpenRouter's OpenAPI document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from orpolicy.errors import UsageError
from orpolicy.language.skin_messages import to_messages
from orpolicy.language.skin_responses import to_responses
from orpolicy.language.source import to_pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.language.skin_parts import Loss

Skin: TypeAlias = Literal["chat", "responses", "messages"]

PATHS: Final[Mapping[str, str]] = {
    "chat": "/chat/completions",
    "responses": "/responses",
    "messages": "/messages",
}
"""Where a body in a skin is sent, below the base URL."""


class SkinError(UsageError):
    """Another endpoint cannot carry part of a request; ``pointers`` names each place in the body of chat completions."""

    def __init__(self, skin: str, losses: tuple[Loss, ...]) -> None:
        super().__init__(skin, losses)
        self.skin = skin
        self.pointers = tuple(to_pointer(path) for path, _ in losses)
        self.losses = losses

    def __str__(self) -> str:
        said = "; ".join(f"{to_pointer(path)} {what}" for path, what in self.losses)
        return f"the skin '{self.skin}' cannot carry this request: {said}"


def wear(body: Mapping[str, Any], skin: str) -> dict[str, Any]:
    """Return a body of chat completions, with or without its messages, in another skin.

    Raises:
        SkinError: something has no place there; it names all of it.
        UsageError: there is no such skin.
    """
    if skin not in PATHS:
        raise UsageError(f"there is no skin '{skin}': {', '.join(PATHS)}")
    if skin == "chat":
        return dict(body)
    losses: list[Loss] = []
    worn = _TAILORS[skin](body, losses)
    if losses:
        raise SkinError(skin, tuple(losses))
    return worn


_TAILORS: Final[Mapping[str, Callable[[Mapping[str, Any], list[Loss]], dict[str, Any]]]] = {
    "responses": to_responses,
    "messages": to_messages,
}
