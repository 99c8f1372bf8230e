"""Trying scenarios: each is compiled and routed as its call would be, and what it expects is held against that.

.. code-block:: text

    suite ─ sound? ─ names known? ─ compile ─ route ─ judge       per scenario and environment

Nothing is sent. A scenario passes where all it expects holds in all its environments; one that cannot be tried fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from orpolicy.errors import CompileError, UsageError
from orpolicy.language.diagnostics import Diagnostic, Finding, Related
from orpolicy.language.inspect import diagnose
from orpolicy.review.expectations import judge, needs_catalog
from orpolicy.review.naming import Lexicon
from orpolicy.review.outcomes import Failure, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orpolicy.compiled import Compiled
    from orpolicy.language.suites import Scenario, Suite
    from orpolicy.project import Project
    from orpolicy.routing.catalog import Catalog

PULL = "'orpolicy catalog pull' writes a snapshot; --demo takes a small dated one"
_MOST_RELATED = 3


@frozen
class Verdict:
    """What came of a scenario; one that is not sound was not tried, and its file's findings say why."""

    suite: Suite
    scenario: Scenario
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all it expects holds."""
        return self.scenario.sound and not self.diagnostics


def run_suites(project: Project, suites: Iterable[Suite], catalog: Catalog | None) -> Iterator[Verdict]:
    """Try every scenario of these suites, in their order."""
    trial = _Trial(project, None if catalog is None else Lexicon(catalog))
    for suite in suites:
        for scenario in suite.scenarios:
            found = tuple(dict.fromkeys(trial.try_out(suite, scenario))) if scenario.sound else ()
            yield Verdict(suite, scenario, found)


@frozen
class _Refusal:
    """Why a preset does not compile: in a sentence, by the codes of rules, and at which lines."""

    message: str
    codes: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()

    @classmethod
    def of(cls, failure: CompileError) -> _Refusal:
        """Keep of a failure what a scenario may be about."""
        errors = failure.report.errors
        related = tuple(Related(f"{error.message} [{error.code}]", error.location) for error in errors)
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        codes = tuple(dict.fromkeys(error.code for error in errors))
        return cls(f"{errors[0].code}{more}" if errors else "", codes, related[:_MOST_RELATED])


@define
class _Trial:
    """A project and a catalogue in which scenarios are tried; what was compiled and routed is kept."""

    project: Project
    lexicon: Lexicon | None
    _outcomes: dict[tuple[str | int | None, ...], Outcome] = field(factory=dict, init=False)
    _compiled: dict[tuple[str, str | None], Compiled | _Refusal] = field(factory=dict, init=False)

    def try_out(self, suite: Suite, scenario: Scenario) -> Iterator[Diagnostic]:
        """Yield what does not hold, or, where there is something, what keeps it from being judged."""
        obstacles = list(self._find_obstacles(scenario))
        failures: dict[Failure, list[str | None]] = {}
        for environment in () if obstacles else scenario.environments:
            for failure in self._judge(scenario, environment):
                failures.setdefault(failure, []).append(environment)
        for failure, where in failures.items():
            found = diagnose(_describe(scenario, where, failure), suite.document.locate)
            yield evolve(found, related=failure.related)
        yield from (diagnose(obstacle, suite.document.locate) for obstacle in obstacles)

    def _find_obstacles(self, scenario: Scenario) -> Iterator[Finding]:
        """Yield names that the catalogue does not list, or that there is none to ask."""
        key = needs_catalog(scenario.expect)
        if self.lexicon is not None:
            yield from self.lexicon.find_strangers(scenario)
        elif key is not None:
            message = f"'{key}' needs a catalogue, and there is none"
            yield Finding("scenario-without-catalog", (*scenario.path, "expect", key), message, PULL, "key")

    def _judge(self, scenario: Scenario, environment: str | None) -> Iterator[Failure]:
        compiled = self._compile(scenario.preset, environment)
        expected = next((key for key in ("error", "compiles") if _expects_refusal(scenario, key)), None)
        if isinstance(compiled, _Refusal):
            yield from _judge_refusal(scenario, compiled)
        elif expected:
            yield Failure((expected,), f"'{scenario.preset}' compiles: nothing refuses it")
        else:
            yield from judge(scenario.expect, self._imagine(compiled, scenario))

    def _compile(self, preset: str, environment: str | None) -> Compiled | _Refusal:
        key = (preset, environment)
        if key not in self._compiled:
            try:
                self._compiled[key] = self.project.preset(preset, environment)
            except CompileError as failure:
                self._compiled[key] = _Refusal.of(failure)
            except UsageError as failure:  # a broken file does not say which environments it has
                broken = None if environment is None else self._compile(preset, None)
                self._compiled[key] = broken if isinstance(broken, _Refusal) else _Refusal(str(failure))
        return self._compiled[key]

    def _imagine(self, compiled: Compiled, scenario: Scenario) -> Outcome:
        if self.lexicon is None or needs_catalog(scenario.expect) is None:
            return Outcome(compiled.body, compiled.origin)
        tokens, down = (scenario.prompt_tokens, scenario.completion_tokens), scenario.down
        key = (compiled.name, compiled.environment, *tokens, *down)
        if key not in self._outcomes:
            catalog = self.lexicon.catalog
            route = compiled.route(
                prompt_tokens=tokens[0], completion_tokens=tokens[1], down=down, catalog=catalog
            )
            bound = compiled.worst_case(*tokens, down=down, catalog=catalog)
            self._outcomes[key] = Outcome(compiled.body, compiled.origin, route, bound)
        return self._outcomes[key]


def _expects_refusal(scenario: Scenario, key: str) -> bool:
    return key in scenario.expect and scenario.expect[key] is not True


def _judge_refusal(scenario: Scenario, refusal: _Refusal) -> Iterator[Failure]:
    """Hold a preset that does not compile against a scenario: only a refusal can be expected of it."""
    expect = scenario.expect
    for key, value in expect.items():
        if key == "error":
            if value not in refusal.codes:
                message = f"'{scenario.preset}' is refused by {', '.join(refusal.codes)}, not by '{value}'"
                yield Failure((key,), message, refusal.related, refused=True)
        elif not (key == "compiles" and value is False):
            message = f"'{scenario.preset}' does not compile: {refusal.message}"
            yield Failure((key,), message, refusal.related, refused=True)
            return


def _describe(scenario: Scenario, where: Sequence[str | None], failure: Failure) -> Finding:
    names = [environment for environment in where if environment]
    place = f" in {', '.join(names)}" if names else ""
    message = f"'{scenario.name}' fails{place}: {failure.message}"
    path = (*scenario.path, "expect", *failure.path)
    return Finding("scenario-failed", path, message, _advise(scenario, where[0], failure))


def _advise(scenario: Scenario, environment: str | None, failure: Failure) -> str:
    """Name the command that shows more."""
    name = f"{scenario.preset} -e {environment}" if environment else scenario.preset
    if failure.refused:
        return f"'orpolicy check {name}' shows what is wrong with it"
    if failure.path[0] in ("error", "compiles"):
        return f"'orpolicy compile {name}' prints what comes of it"
    if failure.path[0] == "body":
        return f"'orpolicy explain {name}' shows who set what"
    tokens = {"--prompt-tokens": scenario.prompt_tokens, "--completion-tokens": scenario.completion_tokens}
    given = [f"{option} {count}" for option, count in tokens.items() if count is not None]
    words = [f"orpolicy route {name}", *given, *(f"--down {provider}" for provider in scenario.down)]
    return f"'{' '.join(words)}' shows the whole route"
