"""Call-time values as one more document, so that they are read, checked and pointed at like any other layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orpolicy.errors import CompileError, UsageError
from orpolicy.language.diagnostics import Report
from orpolicy.language.document import Document, read_document
from orpolicy.language.source import Source

OF_THE_FILE = ("extends", "abstract", "environments", "description", "slug")
"""Keys that say something about a preset's file, which a call cannot change."""


def read_overrides(overrides: Mapping[str, Any]) -> Document:
    """Turn call-time values into a document, so that findings can point into it.

    Raises:
        UsageError: a value has no JSON form, or its key belongs into a file.
        CompileError: the values cannot be read.
    """
    misplaced = [key for key in OF_THE_FILE if key in overrides]
    if misplaced:
        raise UsageError(f"'{misplaced[0]}' belongs into a preset's file, not into a call")
    text = _write_overrides(overrides)
    reading = read_document(Source("<call>", text))
    if reading.document is None:
        raise CompileError(Report(reading.diagnostics))
    return reading.document


def _write_overrides(value: Any) -> str:
    """Write values as JSON with decimals digit by digit.

    Raises:
        UsageError: a value has no JSON form.
    """
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(
                f"{_write_overrides(str(key))}: {_write_overrides(item)}" for key, item in value.items()
            )
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_write_overrides(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"an override is not JSON: {error}") from error
