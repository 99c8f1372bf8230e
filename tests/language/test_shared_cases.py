"""Presets with one realistic mistake each, and real configurations, through the whole checker."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml
from annotations import PRESET, check_text
from attrs import frozen

from orpolicy.disk import Library
from orpolicy.language.checker import check
from orpolicy.language.compiler import Compiler
from orpolicy.language.diagnostics import Severity
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace
from orpolicy.language.writer import write_preset

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.language.diagnostics import Diagnostic, Report

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
FACTS = CASES.parent / "facts"

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the folder of real cases is not beside this checkout"
)


def read_cases(name: str) -> list[dict[str, Any]]:
    if not CASES.is_dir():
        return []
    lines = (CASES / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_float=Decimal) for line in lines]


MISTAKES = read_cases("invalid.jsonl")
PRESETS = read_cases("presets.jsonl")


@frozen
class Verdict:
    """What became of one mistake; each flag is one promise."""

    case: dict[str, Any]
    report: Report

    @property
    def at(self) -> tuple[int, int]:
        line, column = self.case["at"].split(":")
        return int(line), int(column)

    @property
    def here(self) -> list[Diagnostic]:
        return [found for found in self.report if found.location.span.start.line == self.at[0]]

    @property
    def severe(self) -> bool:
        """An error is reported as an error, a warning at least as a warning."""
        wanted = self.report.errors if self.case["expect"] == Severity.ERROR else self.report
        return bool(len(wanted))

    @property
    def in_line(self) -> bool:
        return bool(self.here)

    @property
    def in_column(self) -> bool:
        return any(found.location.span.start.column == self.at[1] for found in self.here)

    @property
    def once(self) -> bool:
        """One finding, unless the case itself tells of a second one."""
        return len(self.report) == 1 or (
            "secondary" in self.case and len(self.here) == 1 and len(self.report) == 2
        )

    @property
    def named(self) -> bool:
        """A message or its help quotes what is written, or tells what is wrong with the text itself."""
        said = {word for found in self.report for word in words(f"{found.message} {found.hint}")}
        about_text = any(
            found.code.startswith("yaml-") or found.code == "secret-in-file" for found in self.report
        )
        return about_text or bool(said & words(self.case["yaml"]))


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z_]{2,}|[0-9][0-9.]*", text.lower()))


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    return [Verdict(case, check_text(case["yaml"])) for case in MISTAKES]


def tabulate(misses: list[Verdict]) -> str:
    rows = []
    for miss in misses:
        case = miss.case
        rows.append(f"{case['id']} [{case['category']}] {case['expect']} at {case['at']}: {case['mistake']}")
        rows += [
            f"    {found.location} {found.severity} [{found.code}] {found.message}" for found in miss.report
        ]
    return "\n".join(["", *rows])


def require(share: float, verdicts: list[Verdict], promise: str) -> None:
    misses = [verdict for verdict in verdicts if not getattr(verdict, promise)]
    if len(misses) > (1 - share) * len(verdicts):
        pytest.fail(tabulate(misses))


def test_an_error_is_reported_as_an_error_and_a_warning_at_least_as_a_warning(
    verdicts: list[Verdict],
) -> None:
    require(1, verdicts, "severe")


def test_nothing_is_reported_twice(verdicts: list[Verdict]) -> None:
    require(1, verdicts, "once")


def test_what_is_wrong_is_named(verdicts: list[Verdict]) -> None:
    require(0.99, verdicts, "named")


def test_the_line_is_right(verdicts: list[Verdict]) -> None:
    require(0.95, verdicts, "in_line")


def test_the_column_is_right(verdicts: list[Verdict]) -> None:
    require(0.9, [verdict for verdict in verdicts if verdict.case.get("at_exact", True)], "in_column")


def write_as_dumped(config: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(config, sort_keys=False)
    return text


STYLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "by hand": write_preset,
    "dumped": lambda config: write_as_dumped(to_floats(config)),
    "as JSON": lambda config: json.dumps(to_floats(config), indent=2),
}


def to_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: to_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_floats(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def canonical(config: dict[str, Any]) -> dict[str, Any]:
    """Write a configuration as a compiled body has it: prices as decimal strings."""
    body: dict[str, Any] = to_floats(config)
    prices = body.get("provider", {}).get("max_price", {})
    prices.update({key: f"{Decimal(str(price)).normalize():f}" for key, price in prices.items()})
    return body


def compile_text(text: str) -> tuple[Report, dict[str, Any]]:
    compiler = Compiler(Workspace(Memory({PRESET: text}), Workspace(Library())))
    report = check(compiler)
    return report, json.loads(json.dumps(compiler.compile("case").body, default=float))


@pytest.fixture(scope="module")
def chat_request() -> Any:
    """The validator of OpenRouter's chat request."""
    document = yaml.load((FACTS / "openapi.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    schema = {"$ref": "#/components/schemas/ChatRequest", "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", PRESETS, ids=lambda case: case["id"])
def test_a_real_configuration_compiles_to_itself(case: dict[str, Any], style: str, chat_request: Any) -> None:
    report, body = compile_text(STYLES[style](case["config"]))
    assert not report.errors, report.summary()
    assert body == canonical(case["config"])
    assert not [error.message for error in chat_request.iter_errors(bring_what_a_call_brings(body))]


def bring_what_a_call_brings(body: dict[str, Any]) -> dict[str, Any]:
    """Add messages, and the schema that one documented configuration leaves to the call."""
    request = {**body, "messages": [{"role": "user", "content": "hello"}]}
    if body.get("response_format") == {"type": "json_schema"}:
        request["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer"}}
    return request
