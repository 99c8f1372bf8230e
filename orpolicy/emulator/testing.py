"""Fixtures for pytest: test an application that talks to OpenRouter without a key, a network or a cost.

.. code-block:: python

    # conftest.py
    pytest_plugins = ["orpolicy.emulator.testing"]

    # test_application.py
    def test_it_waits_when_it_is_told_to(openrouter_server):
        openrouter_server.emulator.script(Fault("status", status=429, retry_after=1, requests=(1,)))
        assert answer("Hello", base_url=openrouter_server.url)

===================== ==================================================================================
``openrouter``        an ``EmulatorTransport`` for httpx, sync and async, in this process
``openrouter_server`` a ``Server`` on a free port of the loopback; needs the extra ``serve``
===================== ==================================================================================

Each test has an emulator of its own. ``@pytest.mark.openrouter(faults=[...], catalog=..., key=..., at=...)`` makes it of
something else than the demonstration catalogue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orpolicy.emulator.local import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.emulator.server import Server
    from orpolicy.emulator.transport import EmulatorTransport

__all__ = ["openrouter", "openrouter_server"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "openrouter(faults, catalog, key, at): what the emulated OpenRouter is made of"
    )


@pytest.fixture
def openrouter(request: pytest.FixtureRequest) -> EmulatorTransport:
    """A transport for httpx clients, with an emulator behind it."""
    from orpolicy.emulator.transport import EmulatorTransport  # noqa: PLC0415 - loads httpx

    return EmulatorTransport(emulator=_make(request))


@pytest.fixture
def openrouter_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A running server; ``url`` is what clients are given as base URL."""
    from orpolicy.emulator.server import Server  # noqa: PLC0415 - needs the extra

    with Server(_make(request)) as server:
        yield server


def _make(request: pytest.FixtureRequest) -> Emulator:
    marker = request.node.get_closest_marker("openrouter")
    return Emulator(**(marker.kwargs if marker else {}))
