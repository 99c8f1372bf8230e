"""Rows 6 and 8: calls over loopback, every client with one request and its own way to read the answer."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any

import httpx
from benchmarks.bodies import MESSAGES, choose_plain, compiled_presets
from benchmarks.loopback import TEXT, serving
from benchmarks.measures import Line, Target, alternate, require, timed

from orpolicy import AsyncClient, Client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from benchmarks.measures import Side
    from benchmarks.run import Settings

    from orpolicy import Compiled

KEY = "sk-or-v1-loopback"
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}
SPEED = {
    "httpx post + json": Target(0.8, 0.9, faster=True),
    "openai": Target(2.5, faster=True),
    "openrouter": Target(28, faster=True),
}
CALLS = {"orpolicy": 200, "httpx post + json": 200, "openai": 100, "openrouter": 20}
AT_ONCE = 16
ASYNC_CALLS = 320


def chat(settings: Settings) -> Iterator[Line]:
    """Row 6: one call after another over one connection."""
    with serving() as url, compiled_presets() as presets, ExitStack() as stack:
        callers = _open(choose_plain(presets), url, stack)
        for name, call in callers.items():
            require(call() == TEXT, f"{name} reads another text")
        sides = [timed(call, CALLS[name]) for name, call in callers.items()]
        ours, *others = alternate(sides, settings.rounds(15))
    for (name, target), theirs in zip(SPEED.items(), others, strict=True):
        yield Line(6, "a call over loopback", ours, name, theirs, target)


def _open(preset: Compiled, url: str, stack: ExitStack) -> dict[str, Callable[[], str]]:
    """Open every client, ours first; each function makes a call and returns the text of the answer."""
    import openai  # noqa: PLC0415 - a neighbour
    import openrouter  # noqa: PLC0415 - as above

    ours = stack.enter_context(Client(KEY, base_url=url))
    plain = stack.enter_context(httpx.Client(headers=AUTHORIZED, timeout=600))
    first = stack.enter_context(openai.OpenAI(api_key=KEY, base_url=url))
    second = stack.enter_context(openrouter.OpenRouter(api_key=KEY, server_url=url))
    body = preset.request(MESSAGES).body
    for_openai, for_openrouter = preset.for_openai(MESSAGES), preset.for_openrouter(MESSAGES)
    return {
        "orpolicy": lambda: ours.chat(preset, MESSAGES).text,
        "httpx post + json": lambda: _read(plain.post(f"{url}/chat/completions", json=body)),
        "openai": lambda: str(first.chat.completions.create(**for_openai).choices[0].message.content),
        "openrouter": lambda: str(second.chat.send(**for_openrouter).choices[0].message.content),
    }


def _read(response: httpx.Response) -> str:
    text: str = response.json()["choices"][0]["message"]["content"]
    return text


def chat_async(settings: Settings) -> Iterator[Line]:
    """Row 8: sixteen calls at a time in one event loop; the last line gives our client the better transport."""
    with serving() as url, compiled_presets() as presets:
        preset = choose_plain(presets)
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            callers = runner.run(_open_async(preset, url, stack))
            for name, call in callers.items():
                require(runner.run(_once(call)) == TEXT, f"{name} reads another text")
            sides = [_sixteen(runner, call) for call in callers.values()]
            ours, theirs, better, aiohttp = alternate(sides, settings.rounds(15))
            runner.run(stack.aclose())
    what = f"an async call, {AT_ONCE} at a time"
    yield Line(8, what, ours, "httpx", theirs, Target(0.85, faster=True))
    yield Line(8, f"{what}, over httpx-aiohttp", better, "httpx", theirs, Target(1, faster=True))
    yield Line(8, f"{what}, over httpx-aiohttp", better, "httpx over httpx-aiohttp", aiohttp)


async def _open_async(
    preset: Compiled, url: str, stack: AsyncExitStack
) -> dict[str, Callable[[], Awaitable[str]]]:
    import httpx_aiohttp  # noqa: PLC0415 - a neighbour

    body = preset.request(MESSAGES).body
    plain = await stack.enter_async_context(httpx.AsyncClient(headers=AUTHORIZED, timeout=600))
    over_aiohttp = httpx_aiohttp.HttpxAiohttpClient
    quick = await stack.enter_async_context(over_aiohttp(headers=AUTHORIZED, timeout=600))
    other = await stack.enter_async_context(over_aiohttp(timeout=600))
    ours = await stack.enter_async_context(AsyncClient(KEY, base_url=url))
    better = await stack.enter_async_context(AsyncClient(KEY, base_url=url, http=other))

    async def ask(client: AsyncClient) -> str:
        return (await client.chat(preset, MESSAGES)).text

    async def post(client: httpx.AsyncClient) -> str:
        return _read(await client.post(f"{url}/chat/completions", json=body))

    return {
        "orpolicy": lambda: ask(ours),
        "httpx": lambda: post(plain),
        "orpolicy over aiohttp": lambda: ask(better),
        "httpx over aiohttp": lambda: post(quick),
    }


async def _once(call: Callable[[], Awaitable[str]]) -> str:
    return await call()


def _sixteen(runner: asyncio.Runner, call: Callable[[], Awaitable[Any]]) -> Side:
    async def work() -> None:
        for _ in range(ASYNC_CALLS // AT_ONCE):
            await call()

    async def crowd() -> None:
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    return timed(lambda: runner.run(crowd()), 1, ASYNC_CALLS)
