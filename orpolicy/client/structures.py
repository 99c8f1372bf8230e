"""Answers as values: a reply's text → an instance of an attrs class, and what to say where it is none.

The form is asked for by a JSON Schema (``shapes``) and yet checked here, because not every endpoint that takes a schema keeps to it.
Numbers are read exactly (a ``Decimal`` never passes through a float) and nothing is coerced: the text ``"3"`` is no
integer. What does not fit is sent back once, with its path; an answer that was refused or cut off is not: the second would be, too.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import cattrs
from cattrs.errors import BaseValidationError, ClassValidationError, IterableValidationError
from jsonschema import Draft202012Validator

from orpolicy.client.answers import UNREADABLE, decode_json
from orpolicy.client.shapes import describe_class
from orpolicy.errors import ClientError, UsageError
from orpolicy.language.source import to_pointer

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from jsonschema import ValidationError

    from orpolicy.client.replies import Reply
    from orpolicy.language.source import Path

T = TypeVar("T")

Misfit = tuple[str, str]
"""A JSON pointer into the answer, empty for the whole, and what is wrong there; never a value."""

_FENCED: Final = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*\Z", re.DOTALL)
_HOPELESS: Final = {
    "length": "was cut off at the limit of its length: raise max_tokens",
    "content_filter": "was stopped by a content filter",
}


class StructureError(ClientError):
    """A reply is no instance of the class that was asked for.

    ``misfits`` names each place and what is wrong there, ``reply`` is the last reply; the message shows nothing of its text.
    """

    def __init__(self, wanted: str, misfits: Sequence[Misfit], reply: Reply) -> None:
        super().__init__(wanted, tuple(misfits))
        self.wanted = wanted
        self.misfits = tuple(misfits)
        self.reply = reply

    def __str__(self) -> str:
        return f"the reply is no {self.wanted}: {say_misfits(self.misfits)}"


def complete(
    kind: type[T], messages: str | Sequence[Mapping[str, Any]], overrides: Mapping[str, Any]
) -> Generator[tuple[Any, Mapping[str, Any]], Reply, T]:
    """Yield messages and overrides to call with, be sent the reply, and return the value: two calls at most.

    Raises:
        StructureError: no reply is an instance of ``kind``.
        UsageError: no schema can be made of ``kind``.
    """
    asked = ask_for(kind, overrides)
    reply = yield messages, asked
    try:
        return read_into(kind, reply)
    except StructureError as exc:
        repair = write_repair(exc)
        if repair is None:
            raise
    conversation = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    reply = yield [*conversation, *repair], asked
    return read_into(kind, reply)


def ask_for(kind: type, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overrides of a call that asks for ``kind``; raise ``UsageError`` where they ask for another form."""
    if "response_format" in overrides:
        raise UsageError("'into' makes the response_format: give one of the two")
    schema, strict = describe_class(kind)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", kind.__name__)[:64]
    return {
        **overrides,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": name, "strict": strict, "schema": schema},
        },
    }


def read_into(kind: type[T], reply: Reply) -> T:
    """Read a reply's text as an instance of ``kind``; raise ``StructureError`` where it is none."""
    misfits: tuple[Misfit, ...]
    try:
        value = decode_json(_unfenced(reply.text))
    except UNREADABLE:
        reason = "is empty" if not reply.text.strip() else "is not valid JSON"
        reason = "was refused by the model" if reply.refusal else reason
        misfits = (("", _HOPELESS.get(reply.finish_reason or "", reason)),)
    else:
        misfits = _judge(kind, value)
        if not misfits:
            try:
                return _converter().structure(value, kind)
            except BaseValidationError as exc:  # by the class's own validators and converters
                misfits = tuple((_point(kind, path), what) for path, what in _objections(exc, ()))
    raise StructureError(kind.__name__, misfits, reply)


def write_repair(error: StructureError) -> list[dict[str, Any]] | None:
    """Write the messages that ask for a better answer, ``None`` where asking again cannot help."""
    reply = error.reply
    if reply.refusal or reply.finish_reason in _HOPELESS:
        return None
    asked = f"That is not the form that was asked for: {say_misfits(error.misfits)}. Answer again with the whole JSON, and nothing else."
    answered = [{"role": "assistant", "content": reply.text}] if reply.text else []
    return [*answered, {"role": "user", "content": asked}]


def say_misfits(misfits: Sequence[Misfit]) -> str:
    """Say what is wrong and where, in one line."""
    said = [f"{pointer or 'it'} {what}" for pointer, what in misfits[:5]]
    more = len(misfits) - len(said)
    return "; ".join(said) + (f"; and {more} more" if more else "")


def _unfenced(text: str) -> str:
    """Take a Markdown fence off, which models like to put around JSON."""
    found = _FENCED.match(text)
    return found[1] if found else text


def _judge(kind: type, value: Any) -> tuple[Misfit, ...]:
    """Compare a value with the schema it was asked for by."""
    errors = (leaf for error in _validator(kind).iter_errors(value) for leaf in _leaves(error))
    return tuple(
        sorted((_point(kind, tuple(error.absolute_path)), what) for error in errors for what in _say(error))
    )


def _point(kind: type, path: Path) -> str:
    """Write a path; a key of the model's choice is part of its answer, and shown as ``*``."""
    names = _names(kind)
    return to_pointer(tuple(part if isinstance(part, int) or part in names else "*" for part in path))


@lru_cache(maxsize=256)
def _names(kind: type) -> frozenset[str]:
    """Collect the names of all fields of a class and of those inside it."""
    found: set[str] = set()
    waiting: list[Any] = [describe_class(kind)[0]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found.update(node.get("properties", ()))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return frozenset(found)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Leave the null of ``T | None`` aside: what is there was meant to be a T."""
    if error.validator != "anyOf" or not error.context:
        yield error
        return
    for inner in error.context:
        if inner.schema_path[0] == 0:
            yield from _leaves(inner)


def _say(error: ValidationError) -> Iterator[str]:
    """Say what a value should have been: the validator's own words repeat what it is."""
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            instance: Any = error.instance
            yield from (f"lacks {name!r}" for name in wanted if name not in instance)
        case "additionalProperties":
            yield "has keys that were not asked for"
        case "type":
            yield f"must be of type {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
        case "enum":
            yield f"must be one of {', '.join(map(repr, wanted))}"
        case _:
            yield f"does not meet {error.validator} {wanted}"


def _objections(exc: BaseException, path: Path) -> Iterator[tuple[Path, str]]:
    """Find the places that a class's own validators object to; their words may repeat the value."""
    if isinstance(exc, ClassValidationError):
        named, rest = exc.group_exceptions()
        for inner, note in named:
            yield from _objections(inner, (*path, note.name.lstrip("_")))
    elif isinstance(exc, IterableValidationError):
        indexed, rest = exc.group_exceptions()
        for inner, place in indexed:
            yield from _objections(inner, (*path, place.index))
    else:
        rest = []
        yield path, f"is not accepted by its class ({type(exc).__name__})"
    for inner in rest:
        yield from _objections(inner, path)


@lru_cache(maxsize=256)
def _validator(kind: type) -> Draft202012Validator:
    return Draft202012Validator(describe_class(kind)[0])


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(use_alias=True)
    converter.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    return converter
