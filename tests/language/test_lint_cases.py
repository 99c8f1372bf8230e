"""Presets that people wrote: one realistic mistake each, and configurations from OpenRouter's documentation."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orpolicy.language.diagnostics import Severity
from orpolicy.language.document import read_document
from orpolicy.language.lint import lint
from orpolicy.language.rules import RULES
from orpolicy.language.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"

MEANING = {
    23: "per-token-price",
    27: "nothing-allowed",
    29: "only-all-ignored",
    31: "order-outside-only",
    33: "sort-without-effect",
    35: "redundant-provider",
    37: "provider-display-name",
    41: "latency-in-milliseconds",
    49: "nitro-with-price-sort",
    51: "variant-conflict",
    53: "deprecated",
    63: "bad-model-alias",
    67: "duplicate-model",
    73: "nested-preset",
    91: "top-logprobs-without-logprobs",
    99: "two-output-limits",
    107: "reasoning-budget-above-limit",
    109: "disabled-reasoning-at-high-effort",
    111: "deprecated",
    121: "duplicate-function",
    129: "duplicate-server-tool",
    131: "agent-name-clash",
    139: "unknown-tool-choice",
    141: "tool-choice-without-tools",
    145: "google-search-with-domains",
    153: "max-tool-calls-without-effect",
    159: "deprecated",
    161: "search-mode-ignored",
    163: "deprecated",
    165: "router-excludes-everything",
    167: "router-plugin-without-router",
    175: "deprecated",
    177: "deprecated",
    181: "cache-ttl-without-cache",
    193: "x-handles-exclusive",
}
"""Number of a case about meaning → the rule that finds it; the other cases are found before meaning is looked at."""

ALSO = {161: {("deprecated", "3:9")}}
"""Cases that state a second finding themselves."""

QUIET = {
    "deprecated",
    "domain-filter-ignored",
    "duplicate-model",
    "ignored-reasoning-budget",
    "ignored-sampling",
    "schema-left-to-the-call",
    "sort-without-effect",
}
"""What the documentation's own configurations get wrong by the documentation's own words."""


def read_cases(name: str) -> Iterator[dict[str, Any]]:
    if CASES.is_dir():
        for line in (CASES / name).read_text(encoding="utf-8").splitlines():
            yield json.loads(line, parse_float=Decimal)


INVALID = {int(case["id"].rpartition("-")[2]): case for case in read_cases("invalid.jsonl")}
REAL = {case["id"]: case["config"] for case in read_cases("presets.jsonl")}

needs_cases = pytest.mark.skipif(
    not CASES.is_dir(), reason="the folder of real cases is not beside this checkout"
)


@needs_cases
@pytest.mark.parametrize("number", MEANING)
def test_a_mistake_is_reported_once_at_its_place_and_as_severely_as_it_is(number):
    case = INVALID[number]
    document = read_document(Source("case.yaml", case["yaml"])).document
    found = {
        (finding.code, str(document.locate(finding.path, finding.anchor)).partition(":")[2])
        for finding in lint(document.data)
        if RULES[finding.code].severity is not Severity.OFF
    }
    code = MEANING[number]
    assert found - ALSO.get(number, set()) == {(code, case["at"])}
    assert RULES[code].severity == case["expect"]


@needs_cases
@pytest.mark.parametrize("name", REAL)
def test_a_documented_configuration_is_no_error_and_seldom_a_warning(name):
    codes = {finding.code for finding in lint(REAL[name]) if RULES[finding.code].severity is not Severity.OFF}
    assert not [code for code in codes if RULES[code].severity is Severity.ERROR]
    assert codes <= QUIET
