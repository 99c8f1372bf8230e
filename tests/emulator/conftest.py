"""Clients of an emulator in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from orpolicy.emulator.transport import EmulatorTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BASE = "https://openrouter.ai/api/v1"


@pytest.fixture(scope="session")
def specification(shared: Path) -> dict[str, Any]:
    """OpenRouter's OpenAPI document."""
    text = (shared / "facts/openapi.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return found


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client of an emulator without faults."""
    with httpx.Client(transport=EmulatorTransport(), base_url=BASE) as found:
        yield found


@pytest.fixture
def connect() -> Iterator[Callable[..., httpx.Client]]:
    """``connect(*faults, **options)``: a client of an emulator with these faults."""
    opened: list[httpx.Client] = []

    def open_client(*faults: Any, timeout: float = 5.0, **options: Any) -> httpx.Client:
        transport = EmulatorTransport(faults=faults, **options)
        opened.append(httpx.Client(transport=transport, base_url=BASE, timeout=timeout))
        return opened[-1]

    yield open_client
    for found in opened:
        found.close()


@pytest.fixture
def ask() -> Callable[..., dict[str, Any]]:
    """``ask(**fields)``: a chat body."""

    def make(**fields: Any) -> dict[str, Any]:
        return {"model": "openai/gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}], **fields}

    return make
