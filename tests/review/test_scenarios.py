"""Scenario files: what is wrong with them, what fails at which line for which reason, and what is not tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from catalogs import CATALOG
from hypothesis import given, settings
from hypothesis import strategies as st

from orpolicy.disk import Library
from orpolicy.language.files import Memory
from orpolicy.language.source import Position
from orpolicy.language.suites import load_suite
from orpolicy.language.workspace import Workspace
from orpolicy.project import Project
from orpolicy.review.expectations import needs_catalog
from orpolicy.review.scenarios import Verdict, run_suites
from orpolicy.routing.catalog import Model, Prices

if TYPE_CHECKING:
    from orpolicy.routing.catalog import Catalog

PRESET = (
    "model: openai/gpt-5-mini\nmax_tokens: 300\ntemperature: 0.20\nprovider:\n  max_price: {prompt: 0.5}\n"
)


def try_out(suite: str, catalog: Catalog | None = CATALOG, **files: str) -> tuple[list[str], list[Verdict]]:
    """Try a suite about ``a``; findings as ``line:column code``."""
    texts = {
        "orpolicy.yaml": "environments: [dev, prod]\n",
        "presets/a.yaml": PRESET,
        "presets/a.test.yaml": suite,
    }
    workspace = Workspace(
        Memory(texts | {f"presets/{name}.yaml": text for name, text in files.items()}), Workspace(Library())
    )
    loaded = [load_suite(workspace, file) for file in workspace.suite_files]
    verdicts = list(run_suites(Project(workspace), [one.value for one in loaded if one.value], catalog))
    found = [
        *(d for one in loaded for d in one.diagnostics),
        *(d for one in verdicts for d in one.diagnostics),
    ]
    return [f"{d.location.span.start.line}:{d.location.span.start.column} {d.code}" for d in found], verdicts


def expecting(*lines: str, given: str = "") -> str:
    return (
        "scenarios:\n  - name: x\n" + given + "    expect:\n" + "".join(f"      {line}\n" for line in lines)
    )


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("body: {/temperature: 0.2}", True),
        ("body: {/temperature: 0.3}", False),
        ('body: {/temperature: "0.2"}', False),
        ("body: {/max_tokens: 300}", True),
        ("body: {/max_tokens: true}", False),
        ("body: {/max_tokens: null}", False),
        ("body: {/tools: null}", True),
        ("body: {/tools: []}", False),
        ("body: {/provider/max_price/prompt: 0.50}", True),
        ("body: {/provider: {max_price: {prompt: 0.5}}}", False),
        ('body: {/provider: {max_price: {prompt: "0.5"}}}', True),
        ("body: {/models/0: null}", True),
        ("body: {/model/0: openai}", False),
        ("compiles: true", True),
        ("compiles: false", False),
        ("error: policy-conflict", False),
    ],
)
def test_values_of_a_body_are_compared_as_json(line: str, holds: bool) -> None:
    column = {"body": line.find(":", 8) + 2, "compiles": 10, "error": 7}[line.split(":", 1)[0]]
    assert try_out(expecting(line), None)[0] == ([] if holds else [f"4:{column + 7} scenario-failed"])


def test_a_failure_names_the_line_that_is_the_reason() -> None:
    _, [verdict] = try_out(expecting("body: {/temperature: 0.3}", "worst_cost: 0", "never: [openai]"))
    assert not verdict.passed
    assert [
        (d.location.span.start.line, str(d.related[0].location), d.related[0].message)
        for d in verdict.diagnostics
    ] == [
        (4, "presets/a.yaml:3:14", "it is set here"),
        (5, "presets/a.yaml:1:8", "'openai/gpt-5-mini' is named here"),
        (6, "presets/a.yaml:1:8", "'openai/gpt-5-mini' is named here"),
    ]


def test_a_policy_three_files_away_is_named() -> None:
    files = {"org.policy": "providers: {deny: [openai]}\n"}
    _, [verdict] = try_out(expecting("eligible_includes: [azure, openai]"), **files)
    [found] = verdict.diagnostics
    assert (found.location.span.start, found.message) == (
        Position(4, 34),
        "'x' fails: 'openai' may not serve it: allowed_providers",
    )
    assert [str(related.location) for related in found.related] == ["presets/org.policy.yaml:1:20"]


def test_a_refusal_is_expected_by_the_code_of_a_rule() -> None:
    files = {"org.policy": "models: {deny: [openai/*]}\n"}
    assert try_out(expecting("error: policy-conflict"), **files)[0] == []
    assert try_out(expecting("error: unknown-key"), **files)[0] == ["4:14 scenario-failed"]
    assert try_out(expecting("compiles: false"), **files)[0] == []
    found, [verdict] = try_out(expecting("compiles: false", "never: [azure]", "zdr: true"), **files)
    assert found == ["5:14 scenario-failed"]
    assert "does not compile: policy-conflict" in verdict.diagnostics[0].message


def test_environments_are_tried_each_and_named_where_it_fails() -> None:
    overlay = PRESET + "environments: {prod: {temperature: 1}}\n"
    given = "    environment: dev\n    environments: [prod, dev]\n"
    _, [verdict] = try_out(expecting("body: {/temperature: 0.2}", given=given), a=overlay)
    assert verdict.scenario.environments == ("dev", "prod")
    assert [d.message for d in verdict.diagnostics] == [
        "'x' fails in prod: /temperature is the number 1, where the number 0.2 is expected"
    ]
    _, [verdict] = try_out(expecting("body: {/seed: 1}", given=given))
    [found] = verdict.diagnostics
    assert found.message.startswith("'x' fails in dev, prod: the body has nothing at /seed")


def test_outages_are_imagined() -> None:
    down = "    down: [azure]\n"
    assert try_out(expecting("first: openai", "eligible_within: [openai]", given=down))[0] == []
    nobody = "    down: [azure, openai]\n"
    assert try_out(expecting("reachable: false", "zdr: true", "worst_cost: 0", given=nobody))[0] == []


@pytest.mark.parametrize(
    "key", ["never: [deepinfra]", "zdr: true", "worst_cost: 9", "eligible_within: [openai]"]
)
def test_of_nobody_nothing_is_proved_unless_that_is_expected(key: str) -> None:
    down = "    down: [azure, openai]\n"
    assert try_out(expecting(key, "models: [openai/*]", given=down))[0] == [
        f"5:{key.find(' ') + 8} scenario-failed"
    ]
    assert try_out(expecting(key, "availability: no_endpoints", given=down))[0] == []
    assert try_out(expecting(key, "availability: model_deprecated", given=down))[0] == [
        "6:21 scenario-failed"
    ]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["never: [azure, opennai]"], "4:22 scenario-unknown-name"),
        (["first: opnai"], "4:14 scenario-unknown-name"),
        (["eligible_within: [openai/gpt-5-mini]"], "4:25 scenario-unknown-name"),
        (["models: [openai]"], "4:16 scenario-unknown-name"),
        (['eligible_includes: ["zzz/*"]'], "4:27 scenario-unknown-name"),
    ],
)
def test_a_name_that_means_nothing_is_an_error_and_nothing_else_is_judged(
    lines: list[str], found: str
) -> None:
    assert try_out(expecting(*lines, "worst_cost: 0"))[0] == [found]


def test_the_right_name_is_suggested() -> None:
    _, [verdict] = try_out(
        expecting("never: [opennai]", "models: [openai, openai/gpt5-mini]", given="    down: [azur]\n")
    )
    assert [d.hint for d in sorted(verdict.diagnostics, key=lambda d: d.sort_key)] == [
        "did you mean 'azure'?",
        "did you mean 'openai'?",
        "that is a provider; name it under 'eligible_within'",
        "did you mean 'openai/gpt-5-mini'?",
    ]


def test_without_a_catalogue_only_what_needs_none_is_tried() -> None:
    found, [verdict] = try_out(expecting("body: {/max_tokens: 1}", "never: [azure]"), None)
    assert found == ["5:7 scenario-without-catalog"]
    assert "orpolicy catalog pull" in (verdict.diagnostics[0].hint or "")
    assert try_out(expecting("body: {/max_tokens: 300}"), None)[0] == []
    assert needs_catalog({"body": {}, "compiles": True}) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("scenarios: []\n", ["1:12 scenario-without-assertion"]),
        ("description: none yet\n", ["1:1 scenario-without-assertion"]),
        ("scenarios:\n  - name: x\n", ["2:11 scenario-without-assertion"]),
        ("scenarios:\n  - {name: x, expect: {}}\n", ["2:23 scenario-without-assertion"]),
        ("scenarios:\n  - {name: x, exepct: {zdr: true}}\n", ["2:15 unknown-key"]),
        ("scenarios:\n  - {name: x, expect: {nevr: [azure]}}\n", ["2:24 unknown-key"]),
        ("scenarios:\n  - {name: x, preset: b, expect: {zdr: true}}\n", ["2:23 unknown-preset"]),
        ("preset: b\nscenarios:\n  - {name: x, expect: {zdr: true}}\n", ["1:9 unknown-preset"]),
        (
            "scenarios:\n  - {name: x, environment: prd, expect: {compiles: true}}\n",
            ["2:28 unknown-environment"],
        ),
        ("scenarios:\n  - {name: x, expect: {error: policy-conflit}}\n", ["2:31 unknown-rule"]),
        ("scenarios:\n  - {name: x, expect: {error: unreachable}}\n", ["2:31 bad-value"]),
        ("scenarios:\n  - {name: x, expect: {body: {/provider/zdrr: null}}}\n", ["2:31 unknown-key"]),
        ("scenarios:\n  - {name: x, expect: {body: {/messages: null}}}\n", ["2:31 unknown-key"]),
        (
            "scenarios:\n  - {name: x, expect: {compiles: true}}\n  - {name: x, expect: {compiles: true}}\n",
            ["3:12 duplicate-scenario"],
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_found_before_it_is_tried(text: str, found: list[str]) -> None:
    assert try_out(text, None)[0] == found


@settings(max_examples=20)
@given(order=st.permutations(range(4)))
def test_the_order_of_scenarios_does_not_matter(order: list[int]) -> None:
    rows = [
        "{name: a, expect: {reachable: true}}",
        "{name: b, expect: {never: [openai]}}",
        "{name: c, expect: {body: {/seed: 1}}}",
        "{name: d, expect: {}}",
    ]
    _, verdicts = try_out("scenarios:\n" + "".join(f"  - {rows[number]}\n" for number in order))
    assert {one.scenario.name for one in verdicts if one.passed} == {"a"}
    assert [one.scenario.name for one in verdicts] == ["abcd"[number] for number in order]


def test_a_file_full_of_mistakes_is_read_to_the_thousandth() -> None:
    text = "scenarios:\n" + "".join(
        f"  - {{name: s{n}, preset: nobody-{n}, expect: {{zdr: true}}}}\n" for n in range(1100)
    )
    found, verdicts = try_out(text)
    assert len(found) == 1000
    assert len(verdicts) == 1100
    assert not any(one.passed for one in verdicts)


def test_a_broken_preset_is_refused_in_the_environments_that_it_would_have() -> None:
    files = {"orpolicy.yaml": "", "presets/b.yaml": "modle: x\nenvironments: {qa: {}}\n"}
    files["presets/b.test.yaml"] = "scenarios: [{name: x, environment: qa, expect: {error: unknown-key}}]\n"
    workspace = Workspace(Memory(files), Workspace(Library()))
    [verdict] = run_suites(Project(workspace), [load_suite(workspace, "presets/b.test.yaml").value], None)
    assert verdict.passed


def test_models_of_a_partial_catalogue_are_no_strangers_where_it_lists_them() -> None:
    lonely = evolve(
        CATALOG, models=[Model("openai/gpt-5-mini", "x", Prices({}), endpoints=())], complete=False
    )
    found, [verdict] = try_out(expecting("never: [zzz]"), lonely)
    assert found == ["4:15 scenario-unknown-name"]
    assert verdict.diagnostics[0].hint == "'orpolicy catalog pull --all' asks for every model"


def test_a_cost_without_a_bound_is_no_promise() -> None:
    web = PRESET + "plugins: [{id: web}]\n"
    found, [verdict] = try_out(expecting("worst_cost: 100"), a=web)
    assert found == ["4:19 scenario-failed"]
    assert "nothing bounds what it costs: " in verdict.diagnostics[0].message


def test_long_values_are_shown_in_short() -> None:
    listed = PRESET + f"stop: [{', '.join('abcdefghijklmnop'[n] * 30 for n in range(4))}]\n"
    _, [verdict] = try_out(expecting("body: {/stop: [a], /logit_bias/5: 1}"), a=listed)
    first, second = verdict.diagnostics
    assert "…, where [" in first.message
    assert second.message.endswith("the body has nothing at /logit_bias/5, where the number 1 is expected")


@pytest.mark.parametrize(("environment", "known"), [("qa", True), ("staging", True), ("qb", False)])
def test_without_a_closed_list_the_overlays_of_all_bases_count(environment: str, known: bool) -> None:
    files = {
        "presets/a.yaml": "extends: [b, c]\nmodel: openai/gpt-5-mini\n",
        "presets/b.yaml": "extends: c\nabstract: true\nenvironments: {qa: {}}\n",
        "presets/c.yaml": "abstract: true\nenvironments: {staging: {}}\n",
        "presets/a.test.yaml": f"scenarios: [{{name: x, environment: {environment}, expect: {{compiles: true}}}}]\n",
    }
    workspace = Workspace(Memory(files), Workspace(Library()))
    loaded = load_suite(workspace, "presets/a.test.yaml")
    assert [found.code for found in loaded.diagnostics] == ([] if known else ["unknown-environment"])
    [verdict] = run_suites(Project(workspace), [loaded.value], None)
    assert verdict.passed is known
