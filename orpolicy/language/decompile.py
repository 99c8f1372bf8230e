"""Foreign configurations → presets.

====================  ==============================================================================================
what is read          what becomes of it
====================  ==============================================================================================
a request body        its keys, under their own names
a ``curl`` command    its body; headers become ``attribution``, ``cache_…`` and ``anthropic_beta``, the host ``region``
a hosted preset       its ``config``; ``system_prompt`` becomes ``system``
an SDK call           its arguments; ``extra_body`` is laid over them, ``extra_headers`` are headers
====================  ==============================================================================================

What belongs to a call (``messages``, ``stream``, …) is left out with a note, but for a leading system message, which becomes
``system``. Nulls are left out, since in a preset they remove what is inherited, but for those of JSON Schemas. Everything else stays, also what OpenRouter
would not know, and is reported. Compiling the preset gives the body back, in canonical form. No note and no message
shows a key, a prompt or a header's value.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.errors import UsageError
from orpolicy.language.building import in_json_schema
from orpolicy.language.decompile_factor import factor
from orpolicy.language.decompile_forms import Kind, recognise
from orpolicy.language.decompile_headers import read_headers, read_url
from orpolicy.language.decompile_literals import ImportProblem, Opaque, find_opaque
from orpolicy.language.diagnostics import Report
from orpolicy.language.document import read_document
from orpolicy.language.inspect import inspect_document
from orpolicy.language.schema import check_shape, merge_strategies
from orpolicy.language.secrets import holds_secret
from orpolicy.language.source import Path, Source, to_pointer
from orpolicy.language.writer import write_preset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Foreign", "ImportProblem", "Imported", "import_preset", "read_foreign"]

SOURCE = "<import>"
"""What findings about an imported preset call its text."""


@frozen
class Foreign:
    """A foreign configuration as the data of a preset; ``notes`` say what of it was left out or changed."""

    kind: Kind
    data: dict[str, Any] = field(repr=False)
    notes: tuple[str, ...]


@frozen
class Imported:
    """A preset as YAML, the notes of its import, and what is wrong with its shape, placed in its own text."""

    text: str = field(repr=False)
    notes: tuple[str, ...]
    report: Report


def import_preset(
    text: str, *, extends: Mapping[str, Any] | None = None, extends_name: str | None = None
) -> Imported:
    """Turn a foreign configuration into a preset's YAML.

    Args:
        text: a request body, a ``curl`` command, a hosted preset, or an SDK call.
        extends: the composed data of what lies below; what it says already is left out.
        extends_name: the name of the preset that says it; without one it lies below any preset, as defaults do.

    Raises:
        ImportProblem: the text cannot be read, holds a credential, or cannot be said on top of that preset.
        UsageError: there is a name, and not what it says.
    """
    if extends is None and extends_name is not None:
        raise UsageError("'extends_name' needs 'extends', what that preset says")
    foreign = read_foreign(text)
    data = foreign.data
    if extends is not None:
        data = _factor_out(data, extends, extends_name or "what lies below")
    if extends_name is not None:
        data = {"extends": extends_name, **data}
    try:
        written = write_preset(data)
    except ValueError as error:
        raise ImportProblem(f"this cannot be written as YAML: {error}") from error
    reading = read_document(Source(SOURCE, written))
    if reading.document is None:
        raise ImportProblem(f"no preset can hold this: {reading.diagnostics[0].message}")
    kind = "composed" if extends is None else "preset"
    return Imported(written, foreign.notes, Report(inspect_document(kind, reading.document)))


_OF_THE_FILE = ("description", "slug")
"""Keys that no layer can remove and no body shows: what a base says of itself stays its own."""


def _factor_out(data: dict[str, Any], base: Mapping[str, Any], name: str) -> dict[str, Any]:
    factored = factor(data, {key: value for key, value in base.items() if key not in _OF_THE_FILE})
    found = check_shape("preset", factored)
    if found and not check_shape("preset", data):
        place = to_pointer(found[0].path)
        raise ImportProblem(f"this cannot be said on top of '{name}': at {place}, {found[0].message}")
    return factored


def read_foreign(text: str) -> Foreign:
    """Read a foreign configuration as the data of a preset.

    Raises:
        ImportProblem: the text is none of those that are understood, or holds a credential.
    """
    parts = recognise(text)
    notes = list(parts.notes)
    beside = {**parts.about, **read_url(parts.url, notes), **read_headers(parts.headers, notes)}
    data = {**beside, **parts.body}
    data.update(_take_calls_part(data, notes))
    data = _drop_nulls(data, (), notes)
    data = _settle_numbers(data)
    _read_prices(data)
    for path, value in _walk(data):
        if isinstance(value, str) and holds_secret(value):
            where = to_pointer(path)
            raise ImportProblem(f"the value at {where} looks like a credential; remove it before the import")
    return Foreign(parts.kind, data, tuple(dict.fromkeys(notes)))


def _take_calls_part(data: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Take out what belongs to a call; return a leading system message as ``system``."""
    messages = data.pop("messages", None)
    for key in ("prompt", "input", "stream"):
        if data.pop(key, None) is not None:
            notes.append(f"'{key}' is left out: it belongs to a call")  # noqa: PERF401 - it also takes the key out
    for key, value in data.items():
        for opaque in find_opaque(value):
            raise ImportProblem(f"'{key}' holds an expression on line {opaque.line}; write its value out")
    first = messages[0] if isinstance(messages, list) and messages else None
    system = _read_system(first, notes)
    if messages is not None and not (system is not None and len(messages) == 1):
        notes.append("'messages' is left out: it belongs to a call")
    if system is None:
        return {}
    if data.get("system"):
        notes.append("the system message is left out: a system prompt is given besides")
        return {}
    return {"system": system}


def _read_system(message: Any, notes: list[str]) -> str | None:
    """Return the text of a system message; ``None`` for any other."""
    if not isinstance(message, dict) or message.get("role") != "system":
        return None
    content = message.get("content")
    if isinstance(content, Opaque):
        raise ImportProblem(f"the system message is an expression on line {content.line}; write its text out")
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        if "cache_control" in content[0]:
            notes.append("the system message's cache_control is left out: a preset sends plain text")
        content = content[0].get("text")
    if not isinstance(content, str) or not content:
        raise ImportProblem("the system message is no single text; write it as one, or take it out")
    return content


def _drop_nulls(data: dict[str, Any], path: Path, notes: list[str]) -> dict[str, Any]:
    """Leave out nulls wherever a preset would take them for removals; in JSON Schemas and replaced lists they are values."""
    kept: dict[str, Any] = {}
    for key, value in data.items():
        place = (*path, key)
        if value is None and not in_json_schema(place):
            notes.append(
                f"the null at {to_pointer(place)} is left out: in a preset it would remove something"
            )
        elif isinstance(value, dict):
            kept[key] = _drop_nulls(value, place, notes)
        elif isinstance(value, list) and merge_strategies().get(place, "").startswith("keyed"):
            kept[key] = [
                _drop_nulls(item, (*place, index), notes) if isinstance(item, dict) else item
                for index, item in enumerate(value)
            ]
        else:
            kept[key] = value
    return kept


def _settle_numbers(value: Any) -> Any:
    """Write whole numbers without a fraction, as a compiled body has them."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.adjusted() < 30 else value
    if isinstance(value, dict):
        return {key: _settle_numbers(item) for key, item in value.items()}
    return [_settle_numbers(item) for item in value] if isinstance(value, list) else value


_PRICE = re.compile(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE]-?[0-9]{1,2})?)\s*\Z")


def _read_prices(data: dict[str, Any]) -> None:
    """Read the numeric strings of ``max_price``; a compiled body gets them back (fact 26)."""
    provider = data.get("provider")
    ceilings = provider.get("max_price") if isinstance(provider, dict) else None
    if isinstance(ceilings, dict):
        for key, price in ceilings.items():
            number = _PRICE.match(price) if isinstance(price, str) else None
            if number is not None:
                ceilings[key] = _settle_numbers(Decimal(number[1]))


def _walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        yield from ((path, key) for key in value)
        for key, item in value.items():
            yield from _walk(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, index))
