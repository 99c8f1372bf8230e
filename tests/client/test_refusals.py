"""Answers that are no replies: each has its class, its reason and its advice, and none repeats what was sent."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.client import answers, refusals
from orpolicy.client.answers import Answer
from orpolicy.client.judging import judge
from orpolicy.client.refusals import BY_STATUS, ApiError, UnreadableAnswer
from orpolicy.client.veil import veil


def verdict(status: int, body: Any, **headers: str) -> ApiError | None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(Answer(status, names, raw), now=0.0, veil=str)[1]


@pytest.mark.parametrize("status", sorted(BY_STATUS))
def test_every_documented_status_has_its_class(status) -> None:
    for error in (
        verdict(status, {"error": {"code": status, "message": "m"}}),
        verdict(200, {"error": {"code": status, "message": "m"}}),
    ):
        assert type(error) is BY_STATUS[status]
        assert error.status == status
        assert str(error) == f"{status} {error.title}: m. {error.remedy}"


def test_the_documented_statuses_are_all_there(shared) -> None:
    facts = json.loads((shared / "facts/sdk-fields.json").read_text(encoding="utf-8"))
    statuses = {int(s) for kind in facts["errors"]["classes"] for s in kind["statuses"] if s.isdigit()}
    assert statuses - set(BY_STATUS) == {499}, "499 is what a server notes when we hang up"


def test_all_that_is_said_about_an_error_is_kept() -> None:
    error = verdict(
        503,
        {
            "error": {
                "code": 503,
                "message": "No endpoints.",
                "metadata": {
                    "error_type": "provider_unavailable",
                    "provider_name": "Azure",
                    "previous_errors": [{"code": 429, "message": "x"}],
                },
                "availability": {
                    "code": "constraint_filtered",
                    "retryable": False,
                    "retry_after": 2,
                    "requested_models": ["openai/gpt-5"],
                    "excluded_by": ["data_policy:zdr", "max_price"],
                    "fallback_models": ["openai/gpt-5-mini"],
                    "constraint": {"max_price": "1"},
                    "docs_url": "https://openrouter.ai/docs",
                },
            },
            "openrouter_metadata": {"strategy": "direct", "attempt": 0},
        },
        x_generation_id="gen-1",
        x_request_id="req-1",
        retry_after="3",
    )
    assert (error.error_type, error.provider, error.generation_id) == (
        "provider_unavailable",
        "Azure",
        "gen-1",
    )
    assert (error.request_id, error.retry_after) == ("req-1", 3.0)
    assert error.previous_errors == ({"code": 429, "message": "x"},)
    assert error.metadata == {"strategy": "direct", "attempt": 0}
    assert error.availability == refusals.Availability(
        code="constraint_filtered",
        retryable=False,
        retry_after=2.0,
        excluded_by=("data_policy:zdr", "max_price"),
        requested_models=("openai/gpt-5",),
        fallback_models=("openai/gpt-5-mini",),
        constraint={"max_price": "1"},
        docs_url="https://openrouter.ai/docs",
    )
    assert str(error) == (
        "503 Service Unavailable (constraint_filtered, from Azure, excluded by data_policy:zdr, max_price, "
        "retry after 3 s): No endpoints. Run `orpolicy route` on the preset to see which constraint leaves no endpoint."
    )


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (200, b"", UnreadableAnswer, "the body is empty"),
        (200, b" \n\n ", UnreadableAnswer, "the body is empty"),
        (200, b"<!doctype html><p>Sign in", UnreadableAnswer, "the body is an HTML page, not JSON"),
        (200, b'{"choices": [', UnreadableAnswer, "the body is not valid JSON"),
        (200, b'{"a": NaN}', UnreadableAnswer, "the body is not valid JSON"),
        (200, b'{"a": 1e999999999999999999999}', UnreadableAnswer, "the body is not valid JSON"),
        (200, b"\xff\xfe", UnreadableAnswer, "the body is not valid JSON"),
        (200, b"[" * 100_000, UnreadableAnswer, "the body is not valid JSON"),
        (200, b"[]", UnreadableAnswer, "the body is JSON, but not an object"),
        (302, b"", UnreadableAnswer, "the body is empty"),
        (302, b"{}", UnreadableAnswer, "the answer is a redirect, which is not followed"),
        (502, b"<html>Bad gateway</html>", refusals.BadGateway, "the body is an HTML page, not JSON"),
        (504, b"", refusals.GatewayTimeout, "the body is empty"),
        (429, b"{}", refusals.TooManyRequests, "the body holds no error object"),
        (418, b"{}", ApiError, "the body holds no error object"),
    ],
)
def test_each_unreadable_body_has_its_own_reason(status, body, kind, reason) -> None:
    error = verdict(status, body)
    assert (type(error), error.status, error.refusal.message) == (kind, status, reason)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": "502", "message": "m"}, 502),
        ({"code": "server_error", "message": "m"}, 500),
        ({"message": "m", "metadata": {"error_type": "rate_limit_exceeded"}}, 429),
        ({"code": "odd", "message": "m"}, None),
        ({"code": True}, None),
        ({"code": None, "message": 5, "metadata": "x", "availability": "y"}, None),
        ("plain words", None),
    ],
)
def test_a_code_may_be_a_number_a_word_or_missing(error, status) -> None:
    found = verdict(200, {"error": error})
    assert found.status == status
    assert type(found) is BY_STATUS.get(status or 0, ApiError)
    assert str(found)


def test_one_word_instead_of_a_list_is_a_list_of_one() -> None:
    error = verdict(
        404, {"error": {"message": "m", "availability": {"code": "x", "excluded_by": "max_price"}}}
    )
    assert error.availability.excluded_by == ("max_price",)


def test_an_error_may_stand_in_the_choice() -> None:
    body = {
        "choices": [{"finish_reason": "error", "error": {"code": 502, "message": "Provider disconnected"}}]
    }
    assert type(verdict(200, body)) is refusals.BadGateway


@pytest.mark.parametrize(
    "body", [{"error": None, "choices": []}, {"error": {}, "choices": 5}, {"choices": ["x"]}, {}]
)
def test_a_body_without_an_error_is_no_error(body) -> None:
    assert verdict(200, body) is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "code",
                    "message",
                    "metadata",
                    "availability",
                    "choices",
                    "retry_after",
                    "error_type",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(body=JSON, status=st.sampled_from([200, 302, 400, 404, 429, 500, 503, 599]))
def test_no_shape_of_error_breaks_the_reader(body, status) -> None:
    error = verdict(status, body)
    assert error is not None or status == 200
    if error is not None:
        assert str(error)
        assert pickle.loads(pickle.dumps(error)).refusal == error.refusal


def test_advice_goes_by_availability_then_type_then_status() -> None:
    by_type = verdict(400, {"error": {"message": "m", "metadata": {"error_type": "context_length_exceeded"}}})
    assert by_type.advice == "Shorten the messages, or choose a model with a longer context."
    by_code = verdict(404, {"error": {"message": "m", "availability": {"code": "free_variant_ended"}}})
    assert by_code.advice.startswith("Drop the `:free` suffix")


def test_every_error_class_can_be_pickled_with_its_message() -> None:
    for error in (refusals.Unreachable("gone", retryable=False), refusals.StreamError("cut")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_what_was_sent_is_taken_out_of_a_message() -> None:
    prompt = "My card number is 4111 1111 1111 1111, please refund it."
    said = veil(f"Invalid prompt: '{prompt}' (400)", [prompt])
    assert said == "Invalid prompt: '[…]' (400)"
    assert veil("cut: card number is 4111 1111 11", [prompt]) == "cut:[…]"
    assert veil("secret!! again", ["secret!!"]) == "[…] again"
    assert veil("No endpoints found", [prompt, "found"]) == "No endpoints found"
    assert veil("key sk-or-v1-abcdef012345 is bad", []) == "key sk-… is bad"
    assert veil("Bearer abcdef0123456789", []) == "Bearer …"
    assert len(veil("x" * 10_000, [])) == 400


@given(
    prompt=st.text(min_size=8, max_size=60),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
    cut=st.data(),
)
def test_no_long_run_of_what_was_sent_survives(prompt, before, after, cut) -> None:
    start = cut.draw(st.integers(0, len(prompt)))
    end = cut.draw(st.integers(start, len(prompt)))
    said = veil(before + prompt[start:end] + after, [prompt])
    run = min(16, len(prompt))
    shown = said.replace("[…]", "\0")
    assert not any(shown[at : at + run] in prompt for at in range(len(shown) - run + 1))


def test_decimals_come_from_the_text() -> None:
    document, _ = judge(Answer(200, {}, b'{"cost": 0.1000000000000000055511151231257827}'), now=0.0, veil=str)
    assert str(document["cost"]) == "0.1000000000000000055511151231257827"
    assert answers.decode_json("1e-7") == answers.Decimal("1e-7")
