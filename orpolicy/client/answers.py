"""Judge an HTTP answer: a JSON document, or the error it amounts to.

.. code-block:: text

    status    body                                  verdict
    204       nothing                               an empty document
    2xx       an object without `error`             the document
    2xx       an object with `error` (fact 137)     ApiError of the code inside
    2xx       empty, HTML, no JSON, no object       UnreadableAnswer, each with its own reason
    3xx       anything                              UnreadableAnswer: redirects are not followed
    4xx 5xx   anything                              ApiError of the HTTP status

Numbers with a fraction are decimals from the text on, so that no price passes through a float. Nothing here knows
a socket or a clock; the time of day that an HTTP date needs is passed in.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.client.refusals import ApiError


@frozen
class Answer:
    """What came back over HTTP; ``opened`` holds the open stream instead of a ``body`` that was read.

    ``headers`` are looked up by lower-case names.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    opened: Any = field(default=None, repr=False)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_decoder: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
_read_json: Final = _decoder.raw_decode


def decode_json(text: str) -> Any:
    """Parse a JSON text, fractions as decimals; ``UNREADABLE`` says what it raises."""
    if (
        text[:1] == "{"
    ):  # without blanks around it, as nearly every answer is, there is no need to look for any
        document, end = _read_json(text)
        if end == len(text):
            return document
    return _decoder.decode(text)


UNREADABLE: Final = (ValueError, ArithmeticError, RecursionError)
"""What ``decode_json`` raises: bad syntax, an exponent out of bounds, nesting without end."""


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


def find_error(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Find the error object of a body or chunk: at the top, or in its only choice (facts 137, 148)."""
    error = document.get("error")
    if not error:
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        error = choice.get("error") if isinstance(choice, dict) else None
    if not error:
        return None
    return error if isinstance(error, dict) else {"message": str(error)}


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
