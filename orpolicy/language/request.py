"""A request that is ready to be sent: written in pieces, read as a dictionary.

.. code-block:: text

    {"model":…,"provider":…,"messages":[{"role":"system",…}     the preset's part, encoded once for all its requests
    ,{"role":"user","content":…}]                               the conversation, encoded for each
    ,"stream":true}                                             what the client adds

Law: the pieces are, byte for byte, what the dictionary would be encoded to. The dictionary is made when somebody asks for
it; from then on it may be changed, and it is what is encoded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from json.encoder import encode_basestring
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from orpolicy.errors import UsageError
from orpolicy.language.values import FrozenDict, thaw

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.language.lowered import Lowered
    from orpolicy.language.model import Usd

CHAT: Final = "/chat/completions"

Messages = str | Sequence[Mapping[str, Any]]
"""A user's message, or a conversation in OpenRouter's form."""

_MAKING: Final = Lock()


@frozen
class Request:
    """A request that is ready to be sent: the whole body, and headers without the key; ``max_cost`` is USD.

    ``path`` is where it goes below ``base_url``: chat completions, unless another skin was asked for.
    """

    body: dict[str, Any] = field(repr=False)
    headers: Mapping[str, str]
    base_url: str
    preset: str
    max_cost: Usd | None = None
    path: str = CHAT
    _draft: Draft | None = field(default=None, init=False, repr=False, eq=False)

    def to_bytes(self, *, stream: bool = False) -> bytes:
        """Write the body as it is sent: UTF-8, without blanks, keys in their order; ``stream`` asks for chunks.

        Raises:
            UsageError: it holds what JSON cannot carry.
        """
        draft = self._draft
        if draft is not None:
            return draft.write(stream=stream)
        return encode({**self.body, "stream": True} if stream else self.body)

    if not TYPE_CHECKING:  # a checker would believe that any name is there

        def __getattr__(self, name: str) -> Any:
            """Make the body of a draft, which then is a draft no longer."""
            if name != "body":
                raise AttributeError(f"'Request' has no attribute {name!r}", name=name, obj=self)
            with _MAKING:
                if self._draft is not None:
                    object.__setattr__(self, "body", self._draft.make_body())
                    object.__setattr__(self, "_draft", None)
            return object.__getattribute__(self, "body")


class Outline:
    """What all requests of a preset have in common."""

    def __init__(self, lowered: Lowered, preset: str) -> None:
        self.lowered = lowered
        self.headers = FrozenDict(lowered.headers)
        self.preset = preset

    def request(self, messages: Messages) -> Request:
        """Join the preset's part and messages; raise ``UsageError`` where they are none."""
        draft = Draft(self, _read_messages(messages))
        if not self._joins:
            body, lowered = draft.make_body(), self.lowered
            return Request(body, self.headers, lowered.base_url, self.preset, lowered.max_cost)
        request = object.__new__(Request)
        put = object.__setattr__  # all that ``__init__`` does, but for the body
        put(request, "headers", self.headers)
        put(request, "base_url", self.lowered.base_url)
        put(request, "preset", self.preset)
        put(request, "max_cost", self.lowered.max_cost)
        put(request, "path", CHAT)
        put(request, "_draft", draft)
        return request

    @cached_property
    def head(self) -> bytes:
        """The bytes up to the bracket of the messages, and the system message after it."""
        head = encode(self.lowered.body)[:-1] + (b"," if self.lowered.body else b"") + b'"messages":['
        if self.lowered.system is not None:
            head += encode({"role": "system", "content": self.lowered.system})
        return head

    @cached_property
    def _joins(self) -> bool:
        """Whether what a call adds comes after all that the preset says, which never names it."""
        return not {"messages", "stream"} & self.lowered.body.keys()


class Draft:
    """The two parts of a body that nobody has looked at."""

    __slots__ = ("_conversation", "_outline")

    def __init__(self, outline: Outline, conversation: str | list[Mapping[str, Any]]) -> None:
        self._outline = outline
        self._conversation = conversation

    def make_body(self) -> dict[str, Any]:
        """Make the dictionary that is encoded where the parts are not."""
        lowered, said = self._outline.lowered, self._conversation
        conversation = [{"role": "user", "content": said}] if isinstance(said, str) else said
        if lowered.system is not None:
            conversation = [{"role": "system", "content": lowered.system}, *conversation]
        body: dict[str, Any] = thaw(lowered.body)
        body["messages"] = conversation
        return body

    def write(self, *, stream: bool) -> bytes:
        """Write the parts one after the other; raise ``UsageError`` on what JSON cannot carry."""
        outline, said = self._outline, self._conversation
        if isinstance(said, str):
            messages = _to_utf8(f'{{"role":"user","content":{encode_basestring(said)}}}')
        else:
            messages = encode(said)[1:-1]
        comma = b"," if messages and outline.lowered.system is not None else b""
        return b"".join((outline.head, comma, messages, b'],"stream":true}' if stream else b"]}"))


def _read_messages(messages: Any) -> str | list[Mapping[str, Any]]:
    if type(messages) is str:
        return messages
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    if not isinstance(messages, Sequence) or not all(
        type(message) is dict or isinstance(message, Mapping) for message in messages
    ):
        raise UsageError("messages are a text, or a list of mappings with 'role' and 'content'")
    return list(messages)


def encode(value: Any) -> bytes:
    """Serialise a body, keys in their order; raise ``UsageError`` on what JSON cannot carry."""
    try:
        return _to_utf8(_encode(value))
    except RecursionError as exc:
        raise UsageError("the request is nested too deeply") from exc
    except (TypeError, ValueError) as exc:
        raise UsageError(f"the request is not JSON: {exc}") from exc


def _to_utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as exc:
        raise UsageError(
            "a text in the request holds half of a surrogate pair, which UTF-8 cannot carry"
        ) from exc


def _plain(value: Any) -> float:
    if isinstance(value, Decimal):  # from a reply's raw message, sent back in the next turn
        return float(value)
    raise TypeError(f"a value of type {type(value).__name__}")


_encode: Final[Callable[[Any], str]] = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
).encode
