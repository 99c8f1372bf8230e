"""Split a byte stream into server-sent events.

.. code-block:: text

    : OPENROUTER PROCESSING          a comment: skipped (fact 147)
    data: {"id": …}                  one line of data; several are joined with a line feed
                                     an empty line ends the event
    event: / id: / retry:            skipped: a chat stream carries data only

Law: the events do not depend on where the network cut the bytes. Lines end with LF, CR or CRLF and with nothing
else; U+2028, which JSON text may contain, is an ordinary character. An event that the end of the stream cuts off
is dropped, as the HTML standard says (section 9.2.6, "Interpreting an event stream").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orpolicy.client.refusals import StreamError

if TYPE_CHECKING:
    from collections.abc import Iterator

DONE: Final = "[DONE]"
"""The data of the event that ends a chat stream."""

MAX_EVENT_BYTES: Final = 16 * 1024 * 1024
"""A generated image arrives in one event, as base64: a few megabytes, never this many."""

_BOM = b"\xef\xbb\xbf"


class Splitter:
    """Turn pieces of bytes into the data of events, each as soon as it is complete."""

    __slots__ = ("_after_cr", "_data", "_held", "_limit", "_parts", "_size", "_started")

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._parts: list[bytes] = []  # the line that has not ended yet
        self._held = 0  # bytes in it
        self._data: list[bytes] = []  # data of the event that has not ended yet
        self._size = 0  # bytes in its lines
        self._after_cr = False  # the last piece ended with CR: a leading LF belongs to it
        self._started = False

    def feed(self, piece: bytes) -> Iterator[str]:
        """Yield the data of every event that ``piece`` completes; raise ``StreamError`` on one over the limit."""
        if self._after_cr and piece:
            self._after_cr = False
            if piece[:1] == b"\n":
                piece = piece[1:]
        if b"\n" not in piece and b"\r" not in piece:
            self._hold(piece)
            return
        lines = self._lines(piece)
        rest = b"" if piece[-1:] in b"\r\n" else lines.pop()
        self._after_cr = piece[-1:] == b"\r"
        for line in lines:
            if not line:
                if self._data:
                    yield self._event()
                continue
            if self._size + len(line) > self._limit:
                raise self._too_large()
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                self._data.append(b"")
            else:
                continue
            self._size += len(line)
        self._hold(rest)

    def _lines(self, piece: bytes) -> list[bytes]:
        if self._parts:
            piece = b"".join([*self._parts, piece])
            self._parts.clear()
            self._held = 0
        if not self._started:
            self._started = True
            piece = piece.removeprefix(_BOM)
        return piece.splitlines()  # of bytes, so at LF, CR and CRLF only

    def _hold(self, part: bytes) -> None:
        """Keep part of a line; joining only when it ends keeps a long line in small pieces linear."""
        if part:
            self._held += len(part)
            if self._size + self._held > self._limit:
                raise self._too_large()
            self._parts.append(part)

    def _too_large(self) -> StreamError:
        return StreamError(f"one event of the stream is larger than {self._limit:,} bytes")

    def _event(self) -> str:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        self._size = 0
        try:
            return data.decode()
        except UnicodeDecodeError as exc:
            raise StreamError("an event of the stream is not UTF-8") from exc
