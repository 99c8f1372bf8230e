"""A server with canned answers, in a process of its own: ``python loopback.py`` prints the port it listens at.

It answers every POST with the same completion, or, where the body asks for a stream, with the same 2,000 chunks. It does
as little as HTTP/1.1 allows, so that the time of a call is the client's.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNKS = 2_000
TEXT = (
    "Your parcel left Rotterdam this morning, and the carrier expects to deliver it on Thursday before noon."
)
FRAME = {"id": "gen-1763690000-loopback", "created": 1763690000, "model": "anthropic/claude-haiku-4.5"}
USAGE = {"prompt_tokens": 212, "completion_tokens": 26, "total_tokens": 238, "cost": 0.000342}


def write_completion() -> bytes:
    """Return a whole answer."""
    message = {"role": "assistant", "content": TEXT, "refusal": None, "reasoning": None}
    choice = {"index": 0, "finish_reason": "stop", "native_finish_reason": "end_turn", "logprobs": None}
    answer = {**FRAME, "object": "chat.completion", "provider": "Anthropic", "system_fingerprint": None}
    body = json.dumps({**answer, "choices": [{**choice, "message": message}], "usage": USAGE}).encode()
    return _head("application/json", len(body)) + body


def write_stream() -> bytes:
    """Return a streamed answer: comments, chunks of a few characters, usage at the end."""
    frame = {**FRAME, "object": "chat.completion.chunk", "provider": "Anthropic", "system_fingerprint": None}
    events = [": OPENROUTER PROCESSING\n\n"]
    for number in range(CHUNKS):
        last = number == CHUNKS - 1
        delta = {"role": "assistant", "content": "" if last else f"word{number} "}
        choice = {"index": 0, "delta": delta, "finish_reason": "stop" if last else None, "logprobs": None}
        usage = {"usage": USAGE} if last else {}
        events.append(f"data: {json.dumps({**frame, 'choices': [choice], **usage})}\n\n")
    events.append("data: [DONE]\n\n")
    body = "".join(events).encode()
    return _head("text/event-stream", len(body)) + body


def _head(kind: str, length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()


class Answering(asyncio.Protocol):
    """One connection, kept alive."""

    completion = write_completion()
    stream = write_stream()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end].lower()
            _, _, after = head.partition(b"content-length:")
            whole = end + 4 + int(after.partition(b"\r\n")[0] or 0)
            if len(self.waiting) < whole:
                return
            body, self.waiting = self.waiting[end + 4 : whole], self.waiting[whole:]
            streams = b'"stream":true' in body or b'"stream": true' in body
            self.transport.write(self.stream if streams else self.completion)  # type: ignore[attr-defined]  # a socket's


async def serve() -> None:
    """Answer at a free port until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving() -> Iterator[str]:
    """Run the server in a process of its own, and yield the address of its API."""
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/api/v1"
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(serve())
