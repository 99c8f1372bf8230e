"""The control flow by itself: no socket, no clock, no chance."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.client.answers import Answer
from orpolicy.client.attempts import Attempt
from orpolicy.client.flow import RETRIED_STATUSES, RETRIED_TYPES, Retry, Surroundings, exchange
from orpolicy.client.refusals import BY_STATUS, ApiError, Unreachable
from orpolicy.errors import ClientError

GOOD = Answer(200, {}, b'{"choices": []}')
LOST = Unreachable("no connection")
NOW = 1_790_000_000.0


def refused(status: int, headers: dict[str, str] | None = None, **error: Any) -> Answer:
    body = {"error": {"code": status, "message": "no", **error}}
    return Answer(status, headers or {}, json.dumps(body).encode())


@define
class Run:
    """A flow driven by hand: every attempt takes ``seconds``, every wait is slept."""

    waits: list[float] = field(factory=list)
    seen: list[Attempt] = field(factory=list)
    time: float = 0.0
    error: ClientError | None = None
    answer: Answer | None = None

    @property
    def attempts(self) -> int:
        return len(self.seen)


def run(
    *script: Answer | Unreachable, retry: Retry | None = None, chance: float = 1.0, seconds: float = 0.0
) -> Run:
    result = Run()
    world = Surroundings(clock=lambda: result.time, now=lambda: NOW, random=lambda: chance)
    steps = exchange(retry or Retry(), world, on_attempt=result.seen.append)
    try:
        after = next(steps)
        while True:
            if result.attempts:
                result.waits.append(after)
            result.time += after + seconds
            step = script[min(result.attempts, len(script) - 1)]
            after = steps.throw(step) if isinstance(step, Unreachable) else steps.send(step)
    except StopIteration as stop:
        result.answer, _ = stop.value
    except ClientError as exc:
        result.error = exc
    return result


@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 524, 529, 418]
)
def test_the_status_decides_where_nothing_else_is_said(status) -> None:
    done = run(refused(status), GOOD)
    if status in {408, 429, 500, 502, 503, 524, 529}:
        assert (done.answer, done.attempts) == (GOOD, 2)
    else:
        assert (done.error.status, done.attempts) == (status, 1)


def test_a_lost_connection_is_tried_again() -> None:
    assert run(LOST, LOST, GOOD).answer is GOOD


def test_a_lost_cause_is_not_tried_again() -> None:
    lost = Unreachable("no such protocol", retryable=False)
    done = run(lost, GOOD)
    assert (done.error, done.attempts) == (lost, 1)


@given(
    status=st.sampled_from(sorted(BY_STATUS)),
    retryable=st.booleans(),
    error_type=st.sampled_from(["timeout", "not_found", None]),
)
def test_availability_decides_before_type_and_status(status, retryable, error_type) -> None:
    done = run(
        refused(
            status,
            metadata={"error_type": error_type} if error_type else {},
            availability={"code": "temporarily_unavailable", "retryable": retryable},
        ),
        GOOD,
    )
    assert (done.attempts == 2) is retryable


@given(
    status=st.sampled_from(sorted(BY_STATUS)),
    error_type=st.sampled_from(
        [*RETRIED_TYPES, "content_policy_violation", "invalid_request", "not_yet_invented"]
    ),
)
def test_the_type_decides_before_the_status(status, error_type) -> None:
    done = run(refused(status, metadata={"error_type": error_type}), GOOD)
    assert (done.attempts == 2) is (error_type in RETRIED_TYPES)


@given(status=st.sampled_from(sorted(BY_STATUS)))
def test_an_unmapped_type_leaves_it_to_the_status(status) -> None:
    done = run(refused(status, metadata={"error_type": "unmapped"}), GOOD)
    assert (done.attempts == 2) is (status in RETRIED_STATUSES)


def test_an_error_inside_http_200_counts_like_its_status() -> None:
    inside = Answer(200, {}, b'{"error": {"code": 502, "message": "Provider returned error"}}')
    assert run(inside, GOOD).answer is GOOD
    assert run(Answer(200, {}, b'{"error": {"code": 400, "message": "no"}}'), GOOD).attempts == 1


def test_an_open_stream_ends_the_flow() -> None:
    opened = Answer(200, {}, opened=object())
    assert run(refused(503), opened).answer is opened


@given(attempts=st.integers(1, 6))
def test_attempts_are_bounded(attempts) -> None:
    done = run(refused(503), retry=Retry(attempts=attempts, elapsed=1e9))
    assert done.attempts == attempts
    assert done.error.status == 503


@given(
    retry=st.builds(Retry, st.integers(1, 20), st.floats(0, 100), st.floats(0, 10), st.floats(0, 30)),
    chance=st.floats(0, 1, exclude_max=True),
    seconds=st.floats(0, 20),
    asked=st.none() | st.integers(0, 50),
)
def test_no_attempt_begins_after_the_bound_and_every_wait_is_long_enough(
    retry, chance, seconds, asked
) -> None:
    headers = {} if asked is None else {"retry-after": str(asked)}
    done = run(refused(503, headers), retry=retry, chance=chance, seconds=seconds)
    assert done.attempts <= retry.attempts
    assert done.time - seconds <= retry.elapsed + 1e-6 or done.attempts == 1
    for n, wait in enumerate(done.waits):
        backoff = chance * min(retry.cap, retry.base * 2**n)
        assert wait == pytest.approx(max(backoff, asked or 0))


def test_backoff_doubles_up_to_its_cap_under_full_jitter() -> None:
    retry = Retry(attempts=6, base=1, cap=5, elapsed=1000)
    assert run(LOST, retry=retry, chance=1.0).waits == [1, 2, 4, 5, 5]
    assert run(LOST, retry=retry, chance=0.25).waits == [0.25, 0.5, 1, 1.25, 1.25]
    assert run(LOST, retry=retry, chance=0.0).waits == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("headers", "error", "wait"),
    [
        ({"retry-after": "7"}, {}, 7.0),
        ({"retry-after": " 1.5 "}, {}, 1.5),
        ({"retry-after": "0"}, {}, 0.5),
        ({"retry-after": "-3"}, {}, 0.5),
        ({"retry-after": "soon"}, {}, 0.5),
        ({"retry-after": "nan"}, {}, 0.5),
        ({"retry-after": "inf"}, {}, 0.5),
        ({"retry-after": formatdate(NOW + 9, usegmt=True)}, {}, 9.0),
        ({"retry-after": formatdate(NOW - 9, usegmt=True)}, {}, 0.5),
        ({"retry-after": formatdate(500, usegmt=True), "date": formatdate(480, usegmt=True)}, {}, 20.0),
        ({}, {"availability": {"code": "capacity_exhausted", "retryable": True, "retry_after": 11}}, 11.0),
        ({"retry-after": "3"}, {"availability": {"code": "capacity_exhausted", "retry_after": 11.5}}, 11.5),
        ({"retry-after": "12"}, {"availability": {"code": "capacity_exhausted", "retry_after": 11}}, 12.0),
        ({}, {"availability": {"code": "capacity_exhausted", "retry_after": "x", "retryable": None}}, 0.5),
        ({}, {"metadata": {"availability": {"code": "capacity_exhausted", "retry_after": 4}}}, 4.0),
    ],
)
def test_the_longest_of_what_is_asked_is_waited(headers, error, wait) -> None:
    assert run(refused(429, headers, **error), GOOD).waits == [wait]


def test_a_wait_beyond_the_bound_gives_the_error_at_once() -> None:
    done = run(refused(429, {"retry-after": "3600"}), GOOD)
    assert (done.attempts, done.error.retry_after) == (1, 3600.0)


def test_the_hook_sees_every_attempt() -> None:
    done = run(refused(503), LOST, GOOD, seconds=2.0, chance=1.0)
    first, second, third = done.seen
    assert (first.number, first.status, first.retry_in, first.seconds) == (1, 503, 0.5, 2.0)
    assert isinstance(first.error, ApiError)
    assert (second.number, second.status, second.retry_in, second.error) == (2, None, 1.0, LOST)
    assert third == Attempt(3, 2.0, 200, None, None)


def test_the_last_error_says_how_often_it_was_tried() -> None:
    assert run(refused(503), seconds=1.0).error.__notes__ == ["after 3 attempts in 4.5 s"]
    assert not hasattr(run(refused(404)).error, "__notes__")


@pytest.mark.parametrize("bad", [{"attempts": 0}, {"elapsed": -1}, {"base": -1}, {"cap": -1}])
def test_a_retry_policy_that_makes_no_sense_is_refused(bad) -> None:
    with pytest.raises(ValueError, match="must be >="):
        Retry(**bad)
