"""Row 7: streamed chunks, typed where the client types them."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
from benchmarks.bodies import MESSAGES, choose_plain, compiled_presets
from benchmarks.calls import AUTHORIZED, KEY
from benchmarks.loopback import CHUNKS, serving
from benchmarks.measures import Line, Target, alternate, require, timed
from httpx_sse import connect_sse

from orpolicy import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.run import Settings

    from orpolicy import Compiled

SPEED = {
    "httpx-sse + json": Target(0.6, 0.8, faster=True),
    "openai": Target(5, faster=True),
    "openrouter": Target(20, faster=True),
}


def stream(settings: Settings) -> Iterator[Line]:
    """Row 7: the same 2,000 chunks for everybody; the text of each is read."""
    with serving() as url, compiled_presets() as presets, ExitStack() as stack:
        readers = _open(choose_plain(presets), url, stack)
        expected = readers["httpx-sse + json"]()
        for name, read in readers.items():
            require(read() == expected, f"{name} reads other chunks")
        require(expected[0] == CHUNKS, f"{expected[0]} chunks")
        sides = [timed(read, 1, CHUNKS) for read in readers.values()]
        ours, *others = alternate(sides, settings.rounds(10))
    for (name, target), theirs in zip(SPEED.items(), others, strict=True):
        yield Line(7, "a streamed chunk", ours, name, theirs, target)


def _open(preset: Compiled, url: str, stack: ExitStack) -> dict[str, Callable[[], tuple[int, str]]]:
    """Open every client, ours first; each function reads a stream and returns how many chunks came, and the text."""
    import openai  # noqa: PLC0415 - a neighbour
    import openrouter  # noqa: PLC0415 - as above

    ours = stack.enter_context(Client(KEY, base_url=url))
    plain = stack.enter_context(httpx.Client(headers=AUTHORIZED, timeout=600))
    first = stack.enter_context(openai.OpenAI(api_key=KEY, base_url=url))
    second = stack.enter_context(openrouter.OpenRouter(api_key=KEY, server_url=url))
    body = {**preset.request(MESSAGES).body, "stream": True}
    for_openai, for_openrouter = preset.for_openai(MESSAGES), preset.for_openrouter(MESSAGES)

    def read_ours() -> tuple[int, str]:
        with ours.stream(preset, MESSAGES) as chunks:
            return _join([chunk.text for chunk in chunks])

    def read_plain() -> tuple[int, str]:
        with connect_sse(plain, "POST", f"{url}/chat/completions", json=body) as source:
            events = (event.data for event in source.iter_sse())
            chunks = (json.loads(data) for data in events if data != "[DONE]")
            return _join([chunk["choices"][0]["delta"]["content"] for chunk in chunks])

    def read_typed(chunks: Any) -> tuple[int, str]:
        return _join([chunk.choices[0].delta.content for chunk in chunks])

    def read_openrouter() -> tuple[int, str]:
        with second.chat.send(**for_openrouter, stream=True) as chunks:
            return read_typed(chunks)

    return {
        "orpolicy": read_ours,
        "httpx-sse + json": read_plain,
        "openai": lambda: read_typed(first.chat.completions.create(**for_openai, stream=True)),
        "openrouter": read_openrouter,
    }


def _join(pieces: list[str]) -> tuple[int, str]:
    return len(pieces), "".join(pieces)
