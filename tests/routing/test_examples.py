"""OpenRouter's documented examples, and those of the rules around them, as case files: ``cases/*.json``.

A case names its facts, the endpoints (model, tag, USD per million prompt and completion tokens, more), a body, and what
the router must answer. What a case does not mention must be empty.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orpolicy.language.source import to_pointer
from orpolicy.routing.router import route

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.routing.catalog import Catalog, Endpoint
    from orpolicy.routing.router import Route

FOLDER = Path(__file__).parent / "cases"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted(FOLDER.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)["cases"]
]


@pytest.mark.parametrize("case", CASES)
def test_the_router_answers_as_documented(
    case: dict[str, Any], endpoint: Callable[..., Endpoint], catalog: Callable[..., Catalog]
) -> None:
    rows = [endpoint(*row[:4], **(row[4] if len(row) > 4 else {})) for row in case.get("endpoints", ())]
    models = {name: _read_model(fields) for name, fields in case.get("models", {}).items()}
    options = dict(case.get("options", {}))
    if "at" in options:
        options["at"] = datetime.fromisoformat(options["at"])
    answer = route(case["body"], catalog(rows, models, **case.get("catalog", {})), **options)
    assert _summarise(answer, case) == {
        "attempts": case.get("attempts", []),
        "excluded": case.get("excluded", {}),
        "unknown": case.get("unknown", {}),
        "availability": case.get("availability"),
        "reserves": case.get("reserves", []),
        "weights": [w if w is None else float(w) for w in case["weights"]] if "weights" in case else None,
        "basis": case.get("basis"),
        "because": case.get("because"),
    }


def _read_model(fields: dict[str, Any]) -> dict[str, Any]:
    if fields.get("endpoints", ()) is None:
        return fields
    return {key: value for key, value in fields.items() if key != "endpoints"}


def _label(model: str, tag: str, body: dict[str, Any]) -> str:
    return tag if not body.get("models") else f"{model} {tag}"


def _summarise(answer: Route, case: dict[str, Any]) -> dict[str, Any]:
    """Say of an answer as much as a case can; what it does not ask about is left out."""
    body = case["body"]

    def label(entry: Any) -> str:
        return _label(entry.model, entry.endpoint.tag, body) if entry.endpoint else entry.model

    availability = answer.availability
    return {
        "attempts": [label(attempt) for attempt in answer.attempts],
        "excluded": {label(entry): list(entry.excluded_by) for entry in answer.excluded},
        "unknown": {label(entry): list(entry.needs) for entry in answer.unknown},
        "availability": availability
        and {
            "code": availability.code,
            "excluded_by": list(availability.excluded_by),
            "blame": [to_pointer(because.path) for because in availability.blame],
        },
        "reserves": [label(attempt) for attempt in answer.attempts if attempt.reserve],
        "weights": [attempt.weight for attempt in answer.attempts] if "weights" in case else None,
        "basis": answer.basis if "basis" in case else None,
        "because": {label(e): [to_pointer(b.path) for b in e.because] for e in answer.excluded}
        if "because" in case
        else None,
    }


def test_every_case_names_the_facts_it_shows() -> None:
    assert all(param.values[0]["facts"] for param in CASES)
    names = [param.id for param in CASES]
    assert len(names) == len(set(names)) > 40
