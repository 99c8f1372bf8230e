"""The client against the emulator: both read OpenRouter's documentation, and each checks the other."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from orpolicy.client import refusals
from orpolicy.client.client import AsyncClient, Client
from orpolicy.client.flow import Retry
from orpolicy.client.refusals import ApiError, StreamError, Unreachable
from orpolicy.emulator.faults import Fault
from orpolicy.emulator.transport import EmulatorTransport

QUICK = Retry(base=0.0)


@pytest.fixture(params=["sync", "async"])
def send(request, stub):
    """Send one message to an emulator, plain or streamed, and return the reply."""

    def run(*faults: Fault, stream: bool = False, body: dict[str, Any] | None = None, **settings: Any):
        transport = EmulatorTransport(faults=faults)
        model = next(iter(transport.world.catalog.models))
        preset = stub(body or {"model": getattr(model, "id", model)})
        settings = {"api_key": "offline", "retry": QUICK, **settings}

        def sync():
            with httpx.Client(transport=transport) as http, Client(http=http, **settings) as client:
                if not stream:
                    return client.chat(preset, "Hello there")
                with client.stream(preset, "Hello there") as stream_:
                    return stream_.reply()

        async def run_async():
            async with (
                httpx.AsyncClient(transport=transport) as http,
                AsyncClient(http=http, **settings) as client,
            ):
                if not stream:
                    return await client.chat(preset, "Hello there")
                async with client.stream(preset, "Hello there") as stream_:
                    return await stream_.reply()

        return sync() if request.param == "sync" else asyncio.run(run_async())

    return run


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_is_the_same_streamed_or_not(send, stream) -> None:
    reply = send(stream=stream, metadata=True)
    assert "[simulated]" in reply.text
    assert reply.finish_reason == "stop"
    assert reply.provider
    assert reply.id.startswith("gen-")
    assert isinstance(reply.usage.cost, Decimal)
    assert reply.usage.cost > 0
    assert reply.metadata["attempt"] == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_passing_fault_is_ridden_out(send, status, stream) -> None:
    assert send(Fault("status", status=status, requests=(1, 2)), stream=stream).finish_reason == "stop"
    with pytest.raises(refusals.BY_STATUS[status]):
        send(Fault("status", status=status), stream=stream)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", ["refuse", "reset"])
def test_a_failing_network_is_ridden_out(send, kind, stream) -> None:
    assert send(Fault(kind, requests=(1,)), stream=stream).finish_reason == "stop"
    with pytest.raises(Unreachable):
        send(Fault(kind), stream=stream)


def test_an_error_in_the_body_is_an_error(send) -> None:
    with pytest.raises(refusals.BadGateway):
        send(Fault("error_body", status=502))


def test_an_error_after_content_ends_the_stream(send) -> None:
    with pytest.raises(ApiError):
        send(Fault("error_after_content", status=502, after=2), stream=True)


@pytest.mark.parametrize("fault", [Fault("cut", after=2), Fault("stall", after=2, seconds=3600)])
def test_a_stream_that_breaks_or_stalls_is_a_stream_error(send, fault) -> None:
    with pytest.raises(StreamError):
        send(fault, stream=True)


def test_what_no_endpoint_can_serve_says_why(send) -> None:
    with pytest.raises(refusals.BadRequest) as caught:
        send(body={"model": "no/such"})
    assert caught.value.availability.code == "model_not_found"
    assert caught.value.availability.retryable is False
