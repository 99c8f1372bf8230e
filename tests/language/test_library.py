"""The built-in library: every file is right, does what it says, and is documented."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

import orpolicy
from orpolicy.disk import Library
from orpolicy.language.checker import check
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import TEST_SUFFIXES, Memory
from orpolicy.language.globs import matches
from orpolicy.language.suites import load_suite
from orpolicy.language.workspace import Workspace
from orpolicy.language.writer import write_preset
from orpolicy.review.scenarios import run_suites
from orpolicy.routing.answers import read_folder
from orpolicy.routing.router import requested_models, route
from orpolicy.routing.snapshot import demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from orpolicy.language.compilation import Compilation
    from orpolicy.language.diagnostics import Report
    from orpolicy.routing.catalog import Catalog
    from orpolicy.routing.router import Route

TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
FORMAT = {"json_schema": {"name": "answer", "schema": {"type": "object"}}}
HAIKU, LLAMA, OSS = (
    "anthropic/claude-haiku-4.5",
    "meta-llama/llama-3.3-70b-instruct",
    "openai/gpt-oss-120b",
)

INTENTIONS: dict[str, dict[str, Any]] = {
    "private": {"model": HAIKU},
    "cheapest": {"model": LLAMA},
    "fastest": {"model": LLAMA},
    "lowest-latency": {"model": LLAMA},
    "tool-quality": {"model": LLAMA, "tools": [TOOL], "tool_choice": "required"},
    "reproducible": {"model": OSS, "provider": {"only": ["deepinfra/bf16"]}},
    "strict-json": {"model": HAIKU, "response_format": FORMAT},
    "resilient": {"model": HAIKU},
    "long-context": {},
    "free-tier": {},
    "auto-router": {},
    "capped": {"model": HAIKU},
}
"""Every intention with the little that a preset must add to it."""

POLICIES = ("eu-only", "no-free-models", "no-training", "open-weights-only", "zdr-only")


def compile_data(data: Mapping[str, Any], project: str = "{}") -> Compilation:
    return _compiler(data, project).compile("mine")


def check_data(data: Mapping[str, Any], project: str = "{}") -> Report:
    return check(_compiler(data, project))


def _compiler(data: Mapping[str, Any], project: str) -> Compiler:
    files = Memory({"presets/mine.yaml": write_preset(data), "orpolicy.yaml": project})
    return Compiler(Workspace(files, Workspace(Library())))


def compose(name: str, **more: Any) -> Compilation:
    return compile_data({"extends": f"orpolicy/{name}", "max_tokens": 500, **INTENTIONS[name], **more})


@pytest.fixture(scope="module")
def catalog(shared: Path) -> Catalog:
    """A complete real catalogue."""
    return read_folder(shared / "catalog")


@pytest.fixture(scope="module")
def library(root: Path) -> orpolicy.Project:
    return orpolicy.load(root)


def candidates(found: Route) -> list[Any]:
    """List the endpoints that may serve, those included of which nobody knows everything offline."""
    return [*found.attempts, *(unknown for unknown in found.unknown if unknown.endpoint is not None)]


def files(root: Path, pattern: str = "*.yaml") -> Iterator[tuple[str, Path]]:
    folder = root / "presets"
    presets = (file for file in sorted(folder.rglob(pattern)) if not file.name.endswith(TEST_SUFFIXES))
    for file in presets:
        yield file.relative_to(folder).as_posix().removesuffix(".yaml"), file


def test_the_library_holds_every_intention_and_policy(root: Path, library: orpolicy.Project) -> None:
    assert {name for name in library.names if "/" not in name} == set(INTENTIONS)
    assert {name.removesuffix(".policy") for name, _ in files(root, "policies/*.yaml")} == {
        f"policies/{name}" for name in POLICIES
    }
    assert 4 <= sum("/" in name for name in library.names) <= 8


def test_what_the_library_promises_holds_over_the_demonstration_catalogue(library: orpolicy.Project) -> None:
    loaded = [load_suite(library.workspace, file) for file in library.suites]
    verdicts = list(run_suites(library, [one.value for one in loaded], demonstration()))
    assert verdicts
    assert [found.message for one in verdicts for found in one.diagnostics] == []
    assert all(one.passed for one in verdicts)


def test_nothing_in_the_library_is_reported(library: orpolicy.Project) -> None:
    found = [f"{found.location}: {found.message}" for found in library.check() if not _waits(found)]
    assert found == []


def _waits(found: Any) -> bool:
    """Tell whether a finding says that a policy of the library governs nothing, as it does until it is adopted."""
    return bool(found.code == "policy-unused" and found.location.file.startswith("presets/policies/"))


def test_every_file_opens_with_what_it_sets_costs_and_is_not_for(root: Path) -> None:
    for name, file in files(root):
        head = re.match(r"(?:#.*\n)+", file.read_text(encoding="utf-8"))
        assert head, name
        labels = re.findall(r"^# (\w[\w ]*?)  +\S", head[0], flags=re.MULTILINE)
        assert labels == ["Sets", "Costs", "Not for"], name
        assert max(map(len, head[0].splitlines())) <= 100, name


def test_every_page_of_the_documentation_is_about_a_file_and_every_file_is_documented(root: Path) -> None:
    page = (root / "docs" / "library.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (.+)$", page, flags=re.MULTILINE)
    rows = re.findall(r"^\| \[?`([\w/-]+)`", page, flags=re.MULTILINE)
    assert sorted(headings) == sorted(INTENTIONS)
    assert Counter(rows) == Counter(
        name.removesuffix(".policy").removeprefix("policies/") for name, _ in files(root)
    )
    for section in re.split(r"^###? ", page, flags=re.MULTILINE):
        name, _, text = section.partition("\n")
        if name in INTENTIONS:
            assert all(re.search(rf"\b{word}\b", text) for word in ("Sets", "costs", "not")), name


def test_the_examples_of_the_documentation_compile(root: Path) -> None:
    page = (root / "docs" / "library.md").read_text(encoding="utf-8")
    texts = dict(re.findall(r"^```yaml (\S+)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL))
    compiler = Compiler(Workspace(Memory(texts), Workspace(Library())))
    assert list(check(compiler)) == []
    assert compiler.compile("answers").body["provider"]["zdr"] is True


def test_mixins_and_only_they_leave_something_to_be_said(library: orpolicy.Project) -> None:
    for name in library.names:
        try:
            library.preset(name)
        except orpolicy.CompileError as error:
            assert [found.code for found in error.report.errors] == ["abstract-preset"], name  # noqa: PT017
            assert INTENTIONS[name] or name == "long-context"


@pytest.mark.parametrize("name", INTENTIONS)
def test_an_intention_and_a_small_preset_compile_without_a_finding(name: str) -> None:
    data = {"extends": f"orpolicy/{name}", "max_tokens": 500, **INTENTIONS[name]}
    assert list(check_data(data)) == []
    assert compile_data(data).body


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("cheapest", {"models": [OSS], "provider": {"sort": {"by": "price", "partition": "none"}}}),
        ("reproducible", {"model": HAIKU, "provider": {"only": ["anthropic"], "quantizations": None}}),
        ("resilient", {"model": "openai/gpt-5-mini", "models": {"remove": ["openai/gpt-5-mini"]}}),
        ("long-context", {"models": None}),
    ],
)
def test_what_the_comments_advise_compiles_without_a_finding(name: str, data: dict[str, Any]) -> None:
    whole = {"extends": f"orpolicy/{name}", "max_tokens": 500, **INTENTIONS[name], **data}
    assert list(check_data(whole)) == []


@pytest.mark.parametrize("name", INTENTIONS)
def test_somebody_can_serve_every_intention(name: str, catalog: Catalog) -> None:
    found = route(compose(name).body, catalog, prompt_tokens=1000)
    assert found.availability is None
    assert found.attempts or found.unknown


def test_models_and_providers_of_the_library_exist(library: orpolicy.Project, catalog: Catalog) -> None:
    for compiled in _complete(library):
        assert set(requested_models(compiled.body)) <= set(catalog.by_id), compiled.name
        named = compiled.body.get("provider", {}).get("only", ())
        assert set(named) <= {*catalog.tags, *catalog.by_slug}, compiled.name
    for name in INTENTIONS:
        assert set(requested_models(compose(name).body)) <= set(catalog.by_id)


def test_somebody_serves_every_example_in_the_demonstration(library: orpolicy.Project) -> None:
    offline = demonstration()
    for compiled in _complete(library):
        found = route(compiled.body, offline, prompt_tokens=1000)
        assert candidates(found) or found.unknown[0].needs == ("router",), compiled.name
        if compiled.name not in ("free-tier", "auto-router"):
            assert set(requested_models(compiled.body)) <= set(offline.by_id), compiled.name


def _complete(library: orpolicy.Project) -> Iterator[Any]:
    for name in library.names:
        preset = library.workspace.find_preset(name)
        assert preset is not None
        if not preset.abstract:
            yield library.preset(name)
    yield library.preset("support/triage", "prod")


def test_triage_is_served_without_retention_in_the_demonstration(library: orpolicy.Project) -> None:
    for environment in (None, "prod"):
        found = candidates(route(library.preset("support/triage", environment).body, demonstration()))
        assert {entry.model for entry in found} == {HAIKU, OSS}
        assert all(entry.endpoint.zdr for entry in found)


def test_private_leaves_only_endpoints_that_retain_nothing(catalog: Catalog) -> None:
    found = route(compose("private").body, catalog)
    assert all(entry.endpoint.zdr for entry in candidates(found))
    assert {entry.needs for entry in found.unknown} == {("data_policy:training",)}
    assert {word for entry in found.excluded for word in entry.excluded_by} == {"data_policy:zdr"}


def test_cheapest_ranks_by_price(catalog: Catalog) -> None:
    found = route(compose("cheapest").body, catalog, prompt_tokens=1000, completion_tokens=1000)
    prices = [attempt.prices.prompt + attempt.prices.completion for attempt in found.attempts]
    assert found.basis == "price"
    assert len(set(prices)) > 3
    assert prices == sorted(prices)


@pytest.mark.parametrize(
    ("name", "metric", "put"),
    [
        ("fastest", "throughput", lambda endpoint, figures: evolve(endpoint, throughput=figures)),
        ("lowest-latency", "latency", lambda endpoint, figures: evolve(endpoint, latency=figures)),
    ],
)
def test_fastest_and_lowest_latency_rank_by_what_is_measured(
    name: str, metric: str, put: Any, catalog: Catalog
) -> None:
    plain = route({"model": LLAMA}, catalog)
    model = catalog.by_id[LLAMA]
    endpoints = tuple(
        put(endpoint, {"p50": Decimal(number * 37 % 101)})
        for number, endpoint in enumerate(model.endpoints or (), start=1)
    )
    measured = evolve(catalog, models=(evolve(model, endpoints=endpoints),))
    found = route(compose(name).body, measured)
    assert found.basis == metric
    assert len(found.attempts) == len(plain.attempts), "a preference leaves nobody out"
    figures = [getattr(attempt.endpoint, metric)["p50"] for attempt in found.attempts]
    assert figures == sorted(figures, reverse=metric == "throughput")


def test_tool_quality_sorts_by_exacto_among_endpoints_that_know_the_parameters(catalog: Catalog) -> None:
    found = route(compose("tool-quality").body, catalog)
    assert found.basis == "exacto"
    assert all({"tools", "tool_choice"} <= attempt.endpoint.parameters for attempt in found.attempts)
    assert "require_parameters" in {word for entry in found.excluded for word in entry.excluded_by}


def test_reproducible_leaves_one_endpoint_at_full_precision(catalog: Catalog) -> None:
    (attempt,) = route(compose("reproducible").body, catalog).attempts
    assert attempt.endpoint.tag == "deepinfra/bf16"
    unpinned = route(compile_data({"extends": "orpolicy/reproducible", "model": OSS}).body, catalog)
    assert {entry.endpoint.quantization for entry in unpinned.attempts} <= {"fp16", "bf16", "fp32"}
    assert all("seed" in entry.endpoint.parameters for entry in unpinned.attempts)
    assert [entry.reserve is None for entry in unpinned.attempts].count(True) == 1


def test_strict_json_leaves_endpoints_that_can_hold_to_a_schema(catalog: Catalog) -> None:
    compiled = compose("strict-json")
    assert compiled.body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"strict": True, **FORMAT["json_schema"]},
    }
    found = route(compiled.body, catalog)
    assert all("structured_outputs" in attempt.endpoint.parameters for attempt in found.attempts)
    assert found.excluded


def test_resilient_survives_the_outage_of_any_provider_and_author(catalog: Catalog) -> None:
    body = compose("resilient").body
    assert len({name.partition("/")[0] for name in requested_models(body)}) == 3
    for provider in sorted({entry.endpoint.prefix for entry in route(body, catalog).attempts}):
        assert any(entry.reserve is None for entry in route(body, catalog, down=[provider]).attempts), (
            provider
        )


def test_long_context_reads_nearly_a_million_tokens(catalog: Catalog) -> None:
    found = route(compose("long-context").body, catalog, prompt_tokens=950_000)
    assert {attempt.model for attempt in found.attempts} == {
        "google/gemini-3-flash-preview",
        "anthropic/claude-sonnet-4.5",
    }
    short = compile_data({"extends": "orpolicy/long-context", "model": HAIKU, "models": None})
    assert not route(short.body, catalog, prompt_tokens=950_000).attempts


def test_free_tier_never_costs_anything(catalog: Catalog) -> None:
    body = {**compose("free-tier").body}
    found = route(body, catalog)
    assert {(a.prices.prompt, a.prices.completion, a.prices.request) for a in found.attempts} == {
        (Decimal(0),) * 3
    }
    paid = route({**body, "models": ["openai/gpt-5-mini"]}, catalog)
    assert {entry.model for entry in paid.attempts} == {body["model"]}
    assert "max_price" in {word for entry in paid.excluded for word in entry.excluded_by}


def test_auto_router_bounds_what_it_may_resolve_to(catalog: Catalog) -> None:
    body = compose("auto-router").body
    assert [unknown.needs for unknown in route(body, catalog).unknown] == [("router",)]
    dear = route({**body, "model": "anthropic/claude-opus-4.5"}, catalog)
    assert not dear.attempts
    for pattern in body["plugins"][0]["allowed_models"]:
        assert any(matches(pattern, name) for name in catalog.by_id)


def test_capped_bounds_price_length_and_cost(catalog: Catalog) -> None:
    compiled = compile_data({"extends": "orpolicy/capped", "model": "anthropic/claude-opus-4.5"})
    assert compiled.max_cost == Decimal("0.10")
    assert compiled.body["max_tokens"] == 4000
    found = route(compiled.body, catalog)
    assert found.availability is not None
    assert found.availability.excluded_by == ("max_price",)
    sonnet = {**compiled.body, "model": "anthropic/claude-sonnet-4.5"}
    assert route(sonnet, catalog).attempts


def adopt(*names: str) -> str:
    return json.dumps({"policies": [f"orpolicy/{name}" for name in names]})


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_can_be_adopted_and_governs_every_preset(name: str) -> None:
    data = {"model": OSS, "max_tokens": 500}
    assert list(check_data(data, adopt(name))) == []


def test_all_policies_can_be_adopted_together() -> None:
    data = {"model": OSS, "max_tokens": 500}
    compiled = compile_data(data, adopt(*POLICIES))
    assert compiled.body["provider"] == {"data_collection": "deny", "zdr": True}
    assert compiled.base_url.startswith("https://eu.")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("zdr-only", {"provider": {"zdr": False}}),
        ("no-training", {"provider": {"data_collection": "allow"}}),
        ("eu-only", {"region": "us"}),
        ("no-free-models", {"models": ["google/gemma-4-31b-it:free"]}),
        ("no-free-models", {"model": "openrouter/free"}),
        ("open-weights-only", {"models": [HAIKU]}),
        ("open-weights-only", {"model": "openrouter/auto"}),
    ],
)
def test_a_policy_refuses_what_it_is_against(name: str, data: dict[str, Any]) -> None:
    with pytest.raises(orpolicy.PolicyViolation) as caught:
        compile_data({"model": OSS, "max_tokens": 500, **data}, adopt(name))
    assert {found.code for found in caught.value.report.errors} == {"policy-conflict"}


def test_policies_leave_somebody_to_serve(catalog: Catalog) -> None:
    body = compile_data({"model": OSS, "max_tokens": 500}, adopt("zdr-only", "open-weights-only")).body
    assert all(attempt.endpoint.zdr for attempt in route(body, catalog).attempts)
    assert route(body, catalog).attempts


def test_every_model_that_open_weights_only_admits_has_published_weights(root: Path, shared: Path) -> None:
    text = (root / "presets/policies/open-weights-only.policy.yaml").read_text(encoding="utf-8")
    patterns = re.findall(r"^ +- (\S+)$", text, flags=re.MULTILINE)
    listed = json.loads((shared / "catalog" / "models.json").read_text(encoding="utf-8"))["data"]
    weights = {model["id"]: bool(model["hugging_face_id"]) for model in listed}
    admitted = {name for name in weights if any(matches(pattern, name) for pattern in patterns)}
    assert len(admitted) > 90
    assert {name for name in admitted if not weights[name]} == set()
    assert all(any(matches(pattern, name) for name in weights) for pattern in patterns)
