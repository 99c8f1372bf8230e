"""What a fault makes of an answer: other words in it, other bytes of a body, other chunks of a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from orpolicy.emulator.refusals import refuse
from orpolicy.emulator.streams import JSON_TYPE, Answer, Chunk
from orpolicy.emulator.wire import COMMENT, write_json

if TYPE_CHECKING:
    from orpolicy.emulator.faults import Fault

ODD_TEXT = "[simulated] caf\u00e9 \u2713 \U0001f9ea one\u2028two\u2029three\u0085four"
"""Characters of one to four bytes, and line ends for those who split a stream as if it were prose."""

LARGE, MANY = 5_000_000, 100_000
_WORD = " x"
_BATCH = 500
"""Events that go out together where there are very many."""

_PAGE = b"<!doctype html>\n<html><body><h1>%d Bad Gateway</h1><hr>simulated proxy</body></html>\n"


def write_odd_text(fault: Fault | None) -> str | None:
    """Return the text that a fault puts into an answer, or ``None``."""
    if fault is None:
        return None
    makers: dict[str, Callable[[], str]] = {
        "text": lambda: fault.text or ODD_TEXT,
        "split": lambda: fault.text or ODD_TEXT,
        "large": lambda: "x" * (fault.size or LARGE),
        "many": lambda: _WORD * (fault.size or MANY),
    }
    return makers[fault.kind]() if fault.kind in makers else None


def answer_at_once(fault: Fault) -> Answer | None:
    """Return what a fault says instead of an answer, or ``None`` where there is an answer."""
    if fault.kind in ("refuse", "reset"):
        return Answer(failure="refuse" if fault.kind == "refuse" else "reset")
    if fault.kind == "status":
        refusal = refuse(fault.status, fault.message, retry_after=fault.retry_after)
        headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
        return Answer(fault.status, {"error": refusal.to_json()}, headers)
    if fault.kind == "html":
        return Answer(fault.status, raw=_PAGE % fault.status, content_type="text/html")
    return Answer(200, raw=b"") if fault.kind == "empty" else None


def wound_body(answer: Answer, fault: Fault | None) -> Answer:
    """Return an answer that is no stream as a fault leaves it."""
    if fault is None:
        return answer
    content = write_json(answer.body).encode()
    half = content[: len(content) // 2]
    match fault.kind:
        case "slow" | "stall":
            return evolve(answer, delay=fault.seconds)
        case "cut":
            broken = (Chunk(half), Chunk(failure="cut"))
            return evolve(answer, chunks=broken, content_type=JSON_TYPE)
        case "truncated":
            return evolve(answer, raw=half)
        case "split":
            return evolve(answer, chunks=_cut_bytes(content, fault), content_type=JSON_TYPE)
    return answer


Shape = Callable[[Sequence[Chunk], Sequence[Chunk], "Fault"], Sequence[Chunk]]


def wound_stream(content: Sequence[Chunk], end: Sequence[Chunk], fault: Fault | None) -> tuple[Chunk, ...]:
    """Return the chunks of a stream, its content and its end, as a fault leaves them."""
    shape = _SHAPES.get(fault.kind) if fault else None
    if shape is None or fault is None:
        return Chunk(COMMENT), *content, *end
    return tuple(shape(content, end, fault))


def _slow(content: Sequence[Chunk], end: Sequence[Chunk], fault: Fault) -> Sequence[Chunk]:
    return Chunk(COMMENT, delay=fault.seconds), *content, *end


def _stall(content: Sequence[Chunk], end: Sequence[Chunk], fault: Fault) -> Sequence[Chunk]:
    sent, kept = content[: fault.after], content[fault.after :]
    return Chunk(COMMENT), *sent, Chunk(COMMENT, delay=fault.seconds), *kept, *end


def _cut(content: Sequence[Chunk], _end: Sequence[Chunk], fault: Fault) -> Sequence[Chunk]:
    return Chunk(COMMENT), *content[: fault.after], Chunk(failure="cut")


def _truncate(content: Sequence[Chunk], end: Sequence[Chunk], fault: Fault) -> Sequence[Chunk]:
    whole = [*content, *end]
    place = min(fault.after, len(whole) - 2)
    data = whole[place].data
    return Chunk(COMMENT), *whole[:place], Chunk(data[: len(data) // 2] + b"\n\n"), end[-1]


def _leave_open(content: Sequence[Chunk], end: Sequence[Chunk], _fault: Fault) -> Sequence[Chunk]:
    return Chunk(COMMENT), *content, *end[:-1]


def _split(content: Sequence[Chunk], end: Sequence[Chunk], fault: Fault) -> Sequence[Chunk]:
    return _cut_bytes(b"".join(chunk.data for chunk in (*content, *end)), fault)


def _batch(content: Sequence[Chunk], end: Sequence[Chunk], _fault: Fault) -> Sequence[Chunk]:
    places = range(0, len(content), _BATCH)
    joined = [Chunk(b"".join(chunk.data for chunk in content[n : n + _BATCH])) for n in places]
    return Chunk(COMMENT), *joined, *end


def _comment(content: Sequence[Chunk], end: Sequence[Chunk], _fault: Fault) -> Sequence[Chunk]:
    return [Chunk(COMMENT + chunk.data) for chunk in (*content, *end)]


def _return_carriage(content: Sequence[Chunk], end: Sequence[Chunk], _fault: Fault) -> Sequence[Chunk]:
    return [Chunk(chunk.data.replace(b"\n", b"\r\n")) for chunk in (Chunk(COMMENT), *content, *end)]


def _cut_bytes(data: bytes, fault: Fault) -> tuple[Chunk, ...]:
    size = fault.size or 1
    return tuple(Chunk(data[place : place + size]) for place in range(0, len(data), size))


_SHAPES: dict[str, Shape] = {
    "slow": _slow,
    "stall": _stall,
    "cut": _cut,
    "truncated": _truncate,
    "undone": _leave_open,
    "split": _split,
    "many": _batch,
    "comments": _comment,
    "crlf": _return_carriage,
}
