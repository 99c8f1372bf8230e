"""The policy in force, with the lines that make it; and policies that are in force nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import policies

from orpolicy.disk import Library
from orpolicy.errors import CompileError, PolicyViolation, UsageError
from orpolicy.language.checker import check
from orpolicy.language.compiler import Compiler
from orpolicy.language.effective import to_json
from orpolicy.language.files import Memory
from orpolicy.language.policy import find_contradictions
from orpolicy.language.workspace import Workspace


def project(files: dict[str, str]) -> Compiler:
    texts = {"presets/it.yaml": "model: a/b\n", "presets/support/triage.yaml": "model: a/b\n", **files}
    return Compiler(Workspace(Memory(texts), Workspace(Library())))


def told(files: dict[str, str], name: str | None = None, environment: str | None = None) -> list[str]:
    """Write demands as lines: what is demanded, by which lines, over which."""
    lines = []
    for demand in project(files).find_policy(name, environment).demands:
        said = [f"{author.location}" for author in demand.authors]
        over = [f"{author.value}@{author.location}" for author in demand.weaker]
        value = json.dumps(demand.value)
        lines.append(f"{demand.field} {value} {' '.join(said)}" + (f" < {' '.join(over)}" if over else ""))
    return lines


ORG = """
models: {allow: ["anthropic/*", "openai/*"], deny: ["*:free"]}
providers: {allow: [google-vertex, azure], deny: [deepseek]}
quantizations: {deny: [fp4]}
zdr: true
max_price: {prompt: 5}
max_cost: 0.50
max_tokens: 900
plugins: {allow: []}
regions: [us, eu]
require: [user]
"""
TEAM = """
models: {allow: ["anthropic/*"], deny: ["*:free"]}
providers: {allow: [google-vertex/us-east5, anthropic]}
max_price: {prompt: 2.50, completion: 5}
regions: [eu]
"""


def test_every_part_is_told_with_the_lines_that_make_it() -> None:
    files = {"presets/org.policy.yaml": ORG, "presets/support/team.policy.yaml": TEAM}
    org, team = "presets/org.policy.yaml", "presets/support/team.policy.yaml"
    assert told(files, "support/triage") == [
        f'models.allow ["anthropic/*"] {team}:2:17',
        f'models.allow ["anthropic/*", "openai/*"] {org}:2:17',
        f'models.deny "*:free" {org}:2:53 {team}:2:41',
        f'providers.allow "google-vertex/us-east5" {org}:3:21 {team}:3:21',
        f'providers.deny "deepseek" {org}:3:51',
        f"quantizations {json.dumps(FORMATS)} {org}:4:24",
        f"zdr true {org}:5:6",
        f'max_price.prompt "2.5" {team}:4:21 < 5@{org}:6:21',
        f'max_price.completion "5" {team}:4:39',
        f'max_cost "0.5" {org}:7:11',
        f"max_tokens 900 {org}:8:13",
        f"plugins.allow [] {org}:9:18",
        f'regions "eu" {org}:10:15 {team}:5:11',
        f'require "user" {org}:11:11',
    ]


FORMATS = ["int4", "int8", "fp6", "mxfp8", "fp16", "bf16", "fp32", "fp8", "unknown"]


def test_without_a_preset_it_is_what_governs_every_one_and_the_others_are_named() -> None:
    files = {
        "orpolicy.yaml": "environments: [dev, prod]\npolicies: [orpolicy/no-training]\n",
        "presets/all.policy.yaml": "zdr: true\n",
        "presets/any.policy.yaml": 'applies_to: {presets: ["*"]}\nallow_fallbacks: false\n',
        "presets/prod.policy.yaml": "applies_to: {environments: [prod]}\nmax_tokens: 5\n",
        "presets/some.policy.yaml": 'applies_to: {presets: ["it", "support/*"]}\nmax_tokens: 9\n',
        "presets/support/team.policy.yaml": "max_tokens: 7\n",
    }
    found = project(files).find_policy()
    assert [file.name for file in found.files] == ["all", "any", "orpolicy/no-training"]
    assert [file.name for file in found.others] == ["prod", "some", "support/team"]
    assert [file.name for file in project(files).find_policy(environment="prod").others] == [
        "some",
        "support/team",
    ]
    assert [file.name for file in project(files).find_policy("it", "dev").others] == ["prod", "support/team"]


def test_who_is_unknown_is_said_with_a_suggestion() -> None:
    compiler = project({"orpolicy.yaml": "environments: [prod]\n"})
    with pytest.raises(UsageError, match="did you mean 'support/triage'"):
        compiler.find_policy("suport/triage")
    with pytest.raises(UsageError, match="did you mean 'prod'"):
        compiler.find_policy(environment="prd")


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"presets/a.policy.yaml": "zdr: 5\n"}, "wrong-type"),
        (
            {"presets/a.policy.yaml": "regions: [eu]\n", "presets/b.policy.yaml": "regions: [us]\n"},
            "policy-empty",
        ),
        ({"orpolicy.yaml": "policies: [orpolicy/nothing]\n"}, "unknown-policy"),
    ],
)
def test_what_cannot_be_in_force_is_not_shown(files: dict[str, str], code: str) -> None:
    with pytest.raises(PolicyViolation) as stopped:
        project(files).find_policy()
    assert [error.code for error in stopped.value.report.errors] == [code]


@settings(max_examples=60)
@given(st.lists(policies(), min_size=1, max_size=3))
def test_every_demand_has_an_author_and_every_statement_has_its_demand(said: list[dict[str, Any]]) -> None:
    files = {
        f"presets/p{number}.policy.yaml": json.dumps(
            {key: value for key, value in policy.items() if key != "applies_to"}, default=str
        )
        for number, policy in enumerate(said)
    }
    workspace = project(files).workspace
    if any(loaded.diagnostics for loaded in workspace.policies) or find_contradictions(
        workspace.governance.find("it", None)
    ):
        return
    demands = project(files).find_policy("it").demands
    assert all(demand.authors for demand in demands)
    known = {
        (author.layer, str(author.location))
        for demand in demands
        for author in (*demand.authors, *demand.weaker)
    }
    for statement in workspace.governance.find("it", None):
        if statement.field in ("providers.allow", "regions"):
            continue  # their authors are entries, of which some are left and some are not
        assert (statement.layer.name, str(statement.location)) in known, to_json(statement.value)


def unused(files: dict[str, str]) -> list[tuple[str, str, str]]:
    found = check(project(files))
    return [
        (one.code, str(one.location), str(one.severity)) for one in found if one.code.startswith("policy")
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"presets/p.policy.yaml": "applies_to: {presets: [suport/*]}\nzdr: true\n"},
        {
            "presets/p.policy.yaml": "applies_to: {presets: [base]}\nzdr: true\n",
            "presets/base.yaml": "abstract: true\n",
        },
        {"presets/nobody/p.policy.yaml": "zdr: true\n"},
        {"presets/policies/p.policy.yaml": "zdr: true\n"},
        {
            "orpolicy.yaml": "policies: [policies/p]\n",
            "presets/policies/p.policy.yaml": "applies_to: {presets: [nobody]}\nzdr: true\n",
        },
    ],
)
def test_a_policy_that_governs_nothing_is_a_warning(files: dict[str, str]) -> None:
    file = next(name for name in files if name.endswith(".policy.yaml"))
    assert unused(files) == [("policy-unused", f"{file}:1:1", "warning")]


def test_a_policy_governs_where_it_is_adopted_from_the_shelf() -> None:
    files = {
        "orpolicy.yaml": "policies: [policies/p, orpolicy/no-training]\n",
        "presets/policies/p.policy.yaml": "zdr: true\n",
    }
    assert unused(files) == []
    assert project(files).compile("it").body["provider"] == {"data_collection": "deny", "zdr": True}


def test_a_broken_policy_on_the_shelf_is_reported() -> None:
    report = check(project({"presets/policies/p.policy.yaml": "zdr: 5\n"}))
    assert [(one.code, str(one.location)) for one in report] == [
        ("wrong-type", "presets/policies/p.policy.yaml:1:6")
    ]


def test_the_severity_of_an_unused_policy_is_the_project_s_to_choose() -> None:
    files = {"presets/nobody/p.policy.yaml": "zdr: true\n"}
    assert unused({**files, "orpolicy.yaml": "rules: {policy-unused: 'off'}\n"}) == []
    assert unused({**files, "orpolicy.yaml": "rules: {policy-unused: error}\n"})[0][2] == "error"


def test_a_preset_broken_or_not_counts_as_governed() -> None:
    files = {"presets/team/a.yaml": "modle: x/y\n", "presets/team/p.policy.yaml": "zdr: true\n"}
    assert unused(files) == []


def test_policies_that_leave_nothing_are_reported_once_with_the_fewest_lines() -> None:
    files = {
        "orpolicy.yaml": "environments: [dev, prod]\n",
        "presets/a.policy.yaml": "regions: [eu]\n",
        "presets/b.policy.yaml": "regions: [us]\n",
        "presets/c.policy.yaml": "applies_to: {environments: [prod]}\nregions: [us]\n",
        "presets/support/d.policy.yaml": "regions: [eu]\n",
    }
    (found,) = check(project(files))
    assert (found.code, str(found.location)) == ("policy-empty", "presets/a.policy.yaml:1:10")
    assert [str(related.location) for related in found.related] == ["presets/b.policy.yaml:1:10"]


def test_the_name_of_a_built_in_preset_is_taken() -> None:
    files = {"presets/orpolicy/private.yaml": "abstract: true\n"}
    (found,) = check(project(files))
    assert (found.code, str(found.location)) == ("duplicate-preset", "presets/orpolicy/private.yaml:1:1")
    assert found.message == "'orpolicy/private' is the name of a built-in preset"


@pytest.mark.parametrize(
    ("name", "environment", "composed"),
    [
        ("base", None, {"user": "app", "temperature": 0, "stop": ["a"]}),
        ("base", "prod", {"user": "app", "temperature": 1, "stop": ["a"]}),
        ("top", None, {"user": "app", "stop": ["a", "b"], "model": "x/y", "description": "Top"}),
        ("orpolicy/cheapest", None, {"user": "app", "provider": {"sort": "price"}}),
    ],
)
def test_composing_tells_what_layers_say_together_before_any_policy(
    name: str, environment: str | None, composed: dict[str, Any]
) -> None:
    files = {
        "orpolicy.yaml": "environments: [prod]\ndefaults: {user: app}\n",
        "presets/base.yaml": "abstract: true\ntemperature: 0\nstop: [a]\nenvironments: {prod: {temperature: 1}}\n",
        "presets/top.yaml": "extends: base\ndescription: Top\nmodel: x/y\ntemperature: null\nstop: {append: [b]}\n",
        "presets/p.policy.yaml": "zdr: true\n",
    }
    found = project(files).compose(name, environment)
    if name.startswith("orpolicy/"):
        del found["description"]
    assert found == composed


def test_what_cannot_be_composed_is_reported() -> None:
    files = {"presets/loop.yaml": "extends: loop\n", "presets/typo.yaml": "modle: x\n"}
    for name, code in (("loop", "extends-cycle"), ("typo", "unknown-key")):
        with pytest.raises(CompileError) as stopped:
            project(files).compose(name)
        assert code in [error.code for error in stopped.value.report.errors]
    with pytest.raises(UsageError, match="did you mean 'loop'"):
        project(files).compose("lop")
