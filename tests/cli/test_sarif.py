"""SARIF: valid by the official schema, true to the findings, and recognisable from run to run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft7Validator

import orpolicy
from orpolicy.cli import sarif
from orpolicy.cli.render import View
from orpolicy.language.diagnostics import Diagnostic, Related, Report, Severity
from orpolicy.language.rules import RULES, read_page
from orpolicy.language.source import Location, Position, Source, Span

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

TEXT = "description: quick\nmodel: openai/gpt-5\nprovider:\n  modle: no\n"


@pytest.fixture(scope="session")
def official(judges: Path) -> Draft7Validator:
    """The schema of SARIF 2.1.0, as its authors publish it; closed wherever it names what an object may hold."""
    file = judges / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    # its pattern for languages has a bracket too many, which only a lenient engine takes; no language is written here
    for name in ("run", "toolComponent"):
        del schema["definitions"][name]["properties"]["language"]["pattern"]
    return Draft7Validator(schema)


def finding(
    line: int = 4,
    *,
    code: str = "unknown-key",
    severity: Severity = Severity.ERROR,
    message: str = "unknown key",
    file: str = "presets/fast.yaml",
    **more: Any,
) -> Diagnostic:
    place = Location(file, Span(Position(line, 3), Position(line, 8)))
    return Diagnostic(code, severity, message, place, **more)


def log(*found: Diagnostic, text: str = TEXT) -> Any:
    sources = {one.location.file: Source(one.location.file, text) for one in found}
    return json.loads(sarif.render_sarif(View(Report(found), sources.get)))


def run_of(*found: Diagnostic, text: str = TEXT) -> Any:
    [run] = log(*found, text=text)["runs"]
    return run


def fingerprints(*found: Diagnostic, text: str = TEXT) -> list[str]:
    return [
        result["partialFingerprints"]["primaryLocationLineHash"]
        for result in run_of(*found, text=text)["results"]
    ]


texts = st.text(max_size=30)
numbers = st.integers(min_value=1, max_value=9)
places = st.builds(
    Location,
    st.sampled_from(
        ["a b/ü%.yaml", "<stdin>", "orpolicy/private.yaml", "/tmp/x:y.yaml", "../c.yaml", "a:b.yaml"]
    ),
    st.builds(Span, st.builds(Position, numbers, numbers), st.builds(Position, numbers, numbers)),
)
diagnostics = st.builds(
    Diagnostic,
    st.sampled_from(sorted(RULES)),
    st.sampled_from([Severity.ERROR, Severity.WARNING]),
    texts,
    places,
    st.none() | texts,
    st.lists(st.builds(Related, texts, places), max_size=2).map(tuple),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(found=st.lists(diagnostics, max_size=4), text=texts)
def test_every_report_is_a_valid_log(found: list[Diagnostic], text: str, official: Draft7Validator) -> None:
    written = log(*found, text=text)
    official.validate(written)
    [run] = written["runs"]
    assert len(run["results"]) == len(set(found))
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_the_schema_would_notice_a_mistake(official: Draft7Validator) -> None:
    written = log(finding())
    written["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not official.is_valid(written)


def test_a_finding_keeps_all_that_it_says() -> None:
    other = Related("the policy", Location("presets/org.policy.yaml", Span(Position(1, 1), Position(1, 10))))
    run = run_of(finding(hint="did you mean 'model'?", related=(other,)))
    assert run["results"] == [
        {
            "ruleId": "unknown-key",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "unknown key\nhelp: did you mean 'model'?"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "presets/fast.yaml", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 4, "startColumn": 3, "endLine": 4, "endColumn": 8},
                    }
                }
            ],
            "partialFingerprints": {"primaryLocationLineHash": fingerprints(finding())[0]},
            "relatedLocations": [
                {
                    "id": 1,
                    "message": {"text": "the policy"},
                    "physicalLocation": {
                        "artifactLocation": {"uri": "presets/org.policy.yaml", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 10},
                    },
                }
            ],
        }
    ]


def test_a_rule_comes_with_its_page_its_level_and_its_family() -> None:
    driver = run_of(finding())["tool"]["driver"]
    page = read_page("unknown-key")
    assert (driver["name"], driver["version"]) == ("orpolicy", orpolicy.__version__)
    assert "informationUri" not in driver
    [rule] = driver["rules"]
    assert rule["id"] == "unknown-key"
    assert rule["shortDescription"]["text"] == page.summary
    assert rule["help"]["markdown"] == page.text
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"] == {"tags": ["shape"]}


@pytest.mark.parametrize(
    ("file", "uri", "base"),
    [
        ("presets/a b/ü.yaml", "presets/a%20b/%C3%BC.yaml", "%SRCROOT%"),
        ("100%.yaml", "100%25.yaml", "%SRCROOT%"),
        ("a:b.yaml", "a%3Ab.yaml", "%SRCROOT%"),
        ("../other/a.yaml", "../other/a.yaml", "%SRCROOT%"),
        ("/tmp/a#1.yaml", "file:///tmp/a%231.yaml", None),
        ("<stdin>", "%3Cstdin%3E", None),
        ("orpolicy/private.yaml", "orpolicy/private.yaml", "ORPOLICY"),
        ("orpolicy/presets/mine.yaml", "orpolicy/presets/mine.yaml", "%SRCROOT%"),
        ("presets/\udcff.yaml", "presets/%FF.yaml", "%SRCROOT%"),
    ],
)
def test_a_file_is_named_by_a_uri(file: str, uri: str, base: str | None) -> None:
    [result] = run_of(finding(file=file))["results"]
    named = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert (named["uri"], named.get("uriBaseId")) == (uri, base)
    assert unquote(named["uri"], errors="surrogateescape").removeprefix("file://") == file


def test_a_fingerprint_stays_when_lines_come_before_it_or_blanks_around_it() -> None:
    assert fingerprints(finding(4)) == fingerprints(finding(6), text="\n# new\n" + TEXT)
    assert fingerprints(finding(4)) == fingerprints(finding(4), text=TEXT.replace("modle:", "modle: "))


def test_a_fingerprint_changes_with_the_file_the_rule_and_the_line() -> None:
    others = [
        fingerprints(finding(4, file="presets/slow.yaml")),
        fingerprints(finding(4, code="misplaced-key")),
        fingerprints(finding(4), text=TEXT.replace("no", "yes")),
    ]
    assert fingerprints(finding(4)) not in others


def test_two_findings_that_cannot_be_told_apart_are_numbered() -> None:
    first, second = fingerprints(finding(1), finding(2), text="modle: x\nmodle: x\n")
    assert first.removesuffix(":1") == second.removesuffix(":2")


def test_a_fingerprint_is_not_made_of_a_secret() -> None:
    def secret(text: str) -> list[str]:
        return fingerprints(finding(1, code="secret-in-file", message="a key"), text=f"user: {text}\n")

    assert secret("sk-or-v1-0123456789") == secret("sk-or-v1-9876543210")


def test_a_finding_without_a_text_is_known_by_what_it_says() -> None:
    bare = View(Report([finding(message="a"), finding(message="b")]), lambda _: None)
    results = json.loads(sarif.render_sarif(bare))["runs"][0]["results"]
    assert len({str(result["partialFingerprints"]) for result in results}) == 2


def test_what_code_scanning_would_not_keep_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 2)
    warning = finding(1, severity=Severity.WARNING, code="deprecated")
    run = run_of(warning, finding(2), finding(3))
    assert [result["level"] for result in run["results"]] == ["error", "error"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["unknown-key"]
    [notice] = run["invocations"][0]["toolExecutionNotifications"]
    assert notice["message"]["text"].startswith("3 findings, of which the first 2 are listed")
    assert "toolExecutionNotifications" not in run_of(warning, finding(2))["invocations"][0]


def test_check_writes_a_log_beside_annotations(run: Run, project: Path, official: Draft7Validator) -> None:
    (project / "presets/fast.yaml").write_text("modle: x\n")
    result = run("check", "--output-format", "github", "--output-format", "sarif=out.sarif")
    assert result.exit_code == 1
    assert result.stdout.startswith("::error file=presets/fast.yaml")
    text = (project / "out.sarif").read_text()
    assert text.endswith("}\n")
    written = json.loads(text)
    official.validate(written)
    assert written["runs"][0]["results"][0]["ruleId"] == "unknown-key"


def test_a_log_of_nothing_still_says_that_the_run_took_place(
    run: Run, project: Path, official: Draft7Validator
) -> None:
    result = run("check", "--output-format", "sarif")
    assert result.exit_code == 0
    written = json.loads(result.stdout)
    official.validate(written)
    assert written["runs"][0]["results"] == []
    assert written["runs"][0]["invocations"] == [{"executionSuccessful": True}]
