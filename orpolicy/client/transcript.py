"""Put the chunks of a stream together.

Law: the chunks of a stream, assembled, read like the reply that the same completion gives without streaming.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Transcript:
    """Collect the chunks of a stream and put them together into the body that the same reply has unstreamed."""

    __slots__ = ("_deltas", "_ends", "_logprobs", "_top", "finish_reason")

    def __init__(self) -> None:
        self._deltas: list[Mapping[str, Any]] = []
        self._logprobs: list[Any] = []
        self._top: dict[str, Any] = {}
        self._ends: dict[str, Any] = {}
        self.finish_reason: str | None = None

    def add(self, document: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
        """Take one more chunk; ``choice`` is its only one."""
        delta = choice.get("delta")
        if delta and isinstance(delta, dict):
            self._deltas.append(delta)
        if choice.get("logprobs"):
            self._logprobs.append(choice["logprobs"])
        finish_reason = choice.get("finish_reason")
        if isinstance(finish_reason, str):
            self.finish_reason = finish_reason
            self._ends = {k: v for k, v in choice.items() if k not in {"delta", "index", "logprobs"}}
        if not self._top or "usage" in document or "openrouter_metadata" in document:
            self._top.update((k, v) for k, v in document.items() if k != "choices" and v is not None)

    def document(self) -> dict[str, Any]:
        """Return the body so far, in the shape of an answer that was not streamed."""
        choice = {"finish_reason": self.finish_reason, **self._ends, "index": 0, "message": self._message()}
        for logprobs in self._logprobs:
            choice["logprobs"] = _joined(choice.get("logprobs"), logprobs)
        return {**self._top, "object": "chat.completion", "choices": [choice]}

    def _message(self) -> dict[str, Any]:
        """Join the deltas: first their texts, most of which are nothing else, then all other values in their order."""
        texts: dict[str, list[str]] = {"role": [], "content": [], "reasoning": [], "refusal": []}
        others: list[tuple[str, Any]] = []
        mixed = set()  # keys of texts that are sometimes something else
        for delta in self._deltas:
            for key, value in delta.items():
                pieces = texts.get(key)
                if pieces is not None and isinstance(value, str):
                    pieces.append(value)
                    if key not in mixed:
                        continue
                elif value is not None:
                    mixed.add(key)
                others.append((key, value))
        message: dict[str, Any] = {"role": "assistant", "content": None}
        message.update((key, "".join(pieces)) for key, pieces in texts.items() if pieces and key != "role")
        for key, value in others:
            if not (isinstance(value, str) and isinstance(message.get(key), str)):
                message[key] = _joined(message.get(key), value)
        return message


_GROWING = frozenset({"arguments", "name", "text", "summary", "data", "transcript"})


def _joined(old: Any, new: Any, key: str = "") -> Any:
    """Join what a delta adds: growing text and lists grow, mappings join, anything else is replaced."""
    if isinstance(new, list):
        return _joined_items(old if isinstance(old, list) else [], new)
    if new is None or new == "":
        return old if old is not None else new
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {k: _joined(old.get(k), v, k) for k, v in new.items()}
    if isinstance(old, str) and isinstance(new, str) and key in _GROWING:
        return old + new
    return new


def _joined_items(old: list[Any], new: list[Any]) -> list[Any]:
    """Join items of the same index and type, as tool calls and reasoning details come; append all others."""
    items = list(old)
    for item in new:
        place = next((n for n, seen in enumerate(items) if _same_item(seen, item)), None)
        if place is None:
            items.append(item)
        else:
            items[place] = _joined(items[place], item)
    return items


def _same_item(old: Any, new: Any) -> bool:
    if not (isinstance(old, dict) and isinstance(new, dict)) or new.get("index") is None:
        return False
    return bool(old.get("index") == new["index"] and old.get("type") == new.get("type", old.get("type")))
