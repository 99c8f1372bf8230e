"""Imports point downwards, between the wings and inside them, and what is heavy is imported late."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from orpolicy.cli.verbs import command
from orpolicy.lock_text import HEAD, digest_rest

HERE = Path(__file__).resolve().parents[1]

ORDER = """
errors resources strict_json
language
language.lockstep language.source language.diagnostics language.rules language.slugs
language.scalars language.secrets language.characters language.syntax language.nodes language.quick language.walk language.document
language.trees language.overrides language.building language.merge language.settle
language.mistakes language.suggest language.repairs language.validators language.violations language.schema language.inspect language.suppress
language.files language.settings
language.model language.writer_order language.writer
language.lint.check
language.lint.deprecated language.lint.limits language.lint.models language.lint.output language.lint.plugins
language.lint.privacy language.lint.providers language.lint.reasoning language.lint.sampling
language.lint.filters language.lint.search language.lint.session language.lint.tools language.lint.variants
language.lint
language.layers language.globs language.policy language.governance language.narrowing language.reports language.narrow_providers
language.extras language.narrow_models language.narrow_choices language.narrow_extras language.restrict language.guardrail
language.lowered language.lower language.values language.request language.explain language.effective
language.skin_parts language.skin_responses language.skin_messages language.skins
language.passes language.recompose language.compilation language.reading language.workspace language.chains language.survey language.suites language.compiler language.checker
language.decompile_literals language.decompile_headers language.decompile_curl language.decompile_forms
language.decompile_factor language.decompile
routing
routing.prices routing.fares routing.offers routing.fields routing.rows routing.catalog routing.snapshot routing.resolve
routing.answers routing.tokens routing.constraints routing.eligibility routing.availability routing.order
routing.router routing.cost routing.ceiling routing.mentions routing.lint.view routing.lint.names routing.lint.reach
routing.lint.choice routing.lint.policies routing.lint routing.pull
client.veil client.refusals client.answers client.faults client.judging client.attempts client.violations client.replies client.chunks
client.transcript client.sse client.flow client.ledger client.audit client.wire client.turns client.streams client.shapes client.structures
client.account client.lookups client.driving client.client client.rehearsal client.adapters
client.frameworks client
compiled lock_kinds lock_text lock_proof locked_preset locked inspection
emulator
emulator.memory emulator.wire emulator.instances emulator.faults emulator.refusals emulator.streams emulator.serving
emulator.reports emulator.wounds emulator.chat emulator.presets emulator.respond emulator.local emulator.transport
emulator.scripts emulator.server emulator.testing
processes disk
project loading
review
review.trees review.revision_names review.revision review.git
review.effects review.lock_facts review.lock review.lock_file review.lock_check
review.classes review.changes review.diff_body review.diff_causes review.diff_policy review.diff_reasons review.diff_outlets review.diff_route review.diff_links review.diff review.diff_groups
review.drift_kinds review.drift_offers review.drift_pairs review.drift_traces review.drift_patterns review.drift
review.naming review.outcomes review.promises review.expectations review.scenarios
review.sides
orpolicy
cli
cli.snippet cli.render cli.sarif cli.junit cli.formats cli.failures cli.arguments cli.targets cli.output
cli.tables cli.snapshots cli.routes cli.models cli.drifts cli.diff_words cli.diffs cli.diff_markdown
cli.init cli.check cli.compile cli.list cli.explain cli.policy cli.route cli.test cli.lock cli.run cli.serve cli.catalog cli.drift cli.diff cli.import_ cli.rule cli.schema cli.completion
cli.verbs cli.main
__main__
""".split()  # noqa: SIM905 - one wing a line reads better than one name a line
"""Every module, lowest first. ``orpolicy`` is the face, ``orpolicy/__init__.py``; a wing's name its ``__init__.py``."""

ALLOWED = {("errors", "language.diagnostics"), ("locked_preset", "locked")}
"""Upward imports that serve the type checker only: an exception that holds a report names the report's type."""

HEAVY = {"attr", "cattrs", "click", "httpx", "jsonschema", "jsonschema_rs", "rich", "yaml"}


def modules(root: Path) -> dict[str, Path]:
    """Map the short name of every module of the package to its file."""
    package = root / "orpolicy"
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name or "orpolicy"] = file
    return found


def imports(tree: ast.Module, known: set[str]) -> set[str]:
    """Name the modules of the package that this one imports, at any depth and under any condition."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {shorten(alias.name) for alias in node.names if alias.name.split(".")[0] == "orpolicy"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the order"
            if (node.module or "").split(".")[0] == "orpolicy":
                inner = [shorten(f"{node.module}.{alias.name}") for alias in node.names]
                found |= {name if name in known else shorten(node.module or "") for name in inner}
    return found


def shorten(name: str) -> str:
    return name.removeprefix("orpolicy.")


def test_every_module_has_its_place_in_the_order(root: Path) -> None:
    assert sorted(ORDER) == sorted(modules(root))


def test_imports_point_downwards_only(root: Path) -> None:
    known = modules(root)
    place = {name: number for number, name in enumerate(ORDER)}
    upward = [
        f"{name} imports {imported}"
        for name, file in known.items()
        for imported in sorted(imports(ast.parse(file.read_text(encoding="utf-8")), set(known)))
        if place[imported] >= place[name] and (name, imported) not in ALLOWED
    ]
    assert upward == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import orpolicy.client.sse", {"client.sse"}),
        ("from orpolicy.client import sse", {"client.sse"}),
        ("from orpolicy.client.sse import Event", {"client.sse"}),
        ("from orpolicy import load", {"orpolicy"}),
        ("def late():\n    if True:\n        from orpolicy.client import Client", {"client"}),
        ("import httpx", set()),
    ],
)
def test_every_form_of_import_is_seen(text: str, expected: set[str]) -> None:
    assert imports(ast.parse(text), {"client", "client.sse"}) == expected


def loaded_by(program: str, *flags: str) -> set[str]:
    """Run Python in a new process and name the modules that it has loaded at its end, but for those it starts with."""
    probe = f"import sys, atexit; sys.path.insert(0, {str(HERE)!r}); before = {{*sys.modules}}; "
    probe += "atexit.register(lambda: print('\\n' + ' '.join({*sys.modules} - before)));"
    command = [sys.executable, *flags, "-c", probe + program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def ours(loaded: set[str]) -> set[str]:
    return {shorten(name) for name in loaded if name.split(".")[0] == "orpolicy"}


IMPORT_NEEDS = {
    "__future__",
    "importlib",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "warnings",
    "_warnings",
}
IMPORT_NEEDS |= {"orpolicy"}
"""All modules that ``import orpolicy`` may wait for in a bare interpreter; not even ``typing``."""

VERSION_NEEDS = IMPORT_NEEDS | {"orpolicy.cli", "orpolicy.cli.main"}
"""The same for ``orpolicy --version``."""

VERSION = "sys.argv[1:] = [{flag!r}]; from orpolicy.cli.main import run; run()"


def test_importing_the_package_waits_for_nothing_else() -> None:
    assert loaded_by("import orpolicy", "-I", "-S") <= IMPORT_NEEDS


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_asking_for_the_version_waits_for_nothing_else(flag: str) -> None:
    assert loaded_by(VERSION.format(flag=flag), "-I", "-S") <= VERSION_NEEDS


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_quick_answer_about_the_version_is_the_commands(flag: str) -> None:
    quick = subprocess.run(
        [sys.executable, "-c", "import sys; " + VERSION.format(flag=flag)], capture_output=True, check=True
    )
    assert CliRunner().invoke(command, [flag], prog_name="orpolicy").stdout_bytes == quick.stdout


LOCK_NEEDS = {
    "orpolicy",
    "compiled",
    "errors",
    "language",
    "language.compilation",
    "language.lowered",
    "language.request",
    "language.values",
}
LOCK_NEEDS |= {"loading", "lock_kinds", "lock_proof", "lock_text", "locked", "locked_preset", "strict_json"}
"""All modules that a request from a lock may wait for."""


CALL_NEEDS = {"client", "client.answers", "client.client", "client.driving", "client.flow", "client.judging"}
CALL_NEEDS |= {
    "client.ledger",
    "client.lookups",
    "client.replies",
    "client.turns",
    "client.veil",
    "client.wire",
}
"""What a call needs besides: no error, no audit, no stream, no account."""

LOCK = """{
  "preset": "a", "environment": null, "base_url": "https://openrouter.ai/api/v1", "body": {"seed": 1}
}"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    rest = f'",\n"environments": [], "rules": {{}}, "policies": {{}}, "presets": [{LOCK}]}}'
    file = tmp_path / "orpolicy.lock"
    file.write_text(HEAD + digest_rest(rest) + rest)
    return file


def test_a_request_from_a_lock_waits_for_no_compiler(lock: Path) -> None:
    loaded = loaded_by(f"import orpolicy; orpolicy.load({str(lock)!r}).preset('a').request('hi').to_bytes()")
    assert ours(loaded) <= LOCK_NEEDS
    heavy = {*HEAVY, "asyncio", "importlib.resources", "pydantic", "referencing"} - {"attr"}
    assert {name.split(".")[0] for name in loaded} & heavy == set()


def test_a_call_that_goes_well_waits_for_nothing_that_serves_failures(lock: Path) -> None:
    program = f"""
import httpx, orpolicy
answer = httpx.Response(200, json={{"choices": [{{"message": {{"content": "Hello."}}}}]}})
http = httpx.Client(transport=httpx.MockTransport(lambda request: answer))
with orpolicy.Client("sk-1", http=http) as client:
    assert client.chat(orpolicy.load({str(lock)!r}).preset("a"), "hi").text == "Hello."
"""
    assert ours(loaded_by(program)) <= LOCK_NEEDS | CALL_NEEDS
