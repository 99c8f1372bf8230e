"""Judge an HTTP answer: a JSON document, or the error it amounts to.

.. code-block:: text

    status    body                                  verdict
    204       nothing                               an empty document
    2xx       an object without `error`             the document
    2xx       an object with `error` (fact 137)     ApiError of the code inside
    2xx       empty, HTML, no JSON, no object       UnreadableAnswer, each with its own reason
    3xx       anything                              UnreadableAnswer: redirects are not followed
    4xx 5xx   anything                              ApiError of the HTTP status

Nothing here knows a socket or a clock; the time of day that an HTTP date needs is passed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orpolicy.client.answers import UNREADABLE, decode_json, find_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.client.answers import Answer
    from orpolicy.client.refusals import ApiError


def judge(
    answer: Answer, *, now: float, veil: Callable[[str], str]
) -> tuple[dict[str, Any] | None, ApiError | None]:
    """Return the document of an answer, or the error that it is; ``now`` is in seconds since 1970."""
    if answer.body is None:
        return None, None
    if answer.status == 204:
        return {}, None
    document, fault = _read(answer)
    error = find_error(document) if document is not None else None
    if answer.status < 300 and document is not None and error is None:
        return document, None
    if error is None:
        error = {"message": fault or _without_error(answer)}
    from orpolicy.client.faults import read_error  # noqa: PLC0415 - most answers are none

    return None, read_error(answer, error, document, now=now, veil=veil)


def _read(answer: Answer) -> tuple[dict[str, Any] | None, str | None]:
    body = answer.body or b""
    if not body.strip():
        return None, "the body is empty"
    if body.lstrip()[:1] == b"<" or "html" in answer.headers.get("content-type", ""):
        return None, "the body is an HTML page, not JSON"
    try:
        document = decode_json(body.decode())
    except UNREADABLE:
        return None, "the body is not valid JSON"
    if not isinstance(document, dict):
        return None, "the body is JSON, but not an object"
    return document, None


def _without_error(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return "the answer is a redirect, which is not followed"
    return "the body holds no error object"
