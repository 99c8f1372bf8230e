"""``orpolicy drift``: a whole story in every format, over files and over a wire, and how it fails."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from attrs import evolve
from catalogs import CATALOG, NOW

from orpolicy.emulator.transport import EmulatorTransport
from orpolicy.project import load
from orpolicy.review.lock import write_lock
from orpolicy.routing import pull as network
from orpolicy.routing.catalog import Catalog, Endpoint, Prices
from orpolicy.routing.snapshot import demonstration, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    Run = Callable[..., Result]

CASES = Path(__file__).resolve().parents[1] / "cases/drift"
LATER = datetime(2026, 9, 20, 8, tzinfo=UTC)
MINI, HAIKU, LLAMA = "openai/gpt-5-mini", "anthropic/claude-haiku-4.5", "meta-llama/llama-3.3-70b-instruct"
ALIAS, DEEPSEEK, GEMINI = (
    "~anthropic/claude-haiku-latest",
    "deepseek/deepseek-v3.2",
    "google/gemini-3-flash-preview",
)
FILES = {
    "orpolicy.yaml": "environments: [dev, prod]\n",
    "presets/base.yaml": "abstract: true\nmax_tokens: 500\n",
    "presets/triage.yaml": f"extends: base\nmodel: {MINI}\nenvironments: {{prod: {{provider: {{zdr: true}}}}}}\n",
    "presets/summary.yaml": f"extends: base\nmodel: {LLAMA}\nmodels: [{DEEPSEEK}]\n",
    "presets/chat/latest.yaml": f"extends: base\nmodel: {ALIAS}\n",
    "presets/chat/cheap.yaml": f"extends: base\nmodel: {HAIKU}\ntemperature: 0\nmax_cost: 1\n",
    "presets/chat/quick.yaml": f"extends: base\nmodel: {GEMINI}:nitro\n",
    "presets/org.policy.yaml": "models:\n  allow: ['openai/*', 'anthropic/*', '~anthropic/*', 'google/*', 'deepseek/*', 'meta-llama/*']\n",
}


BEFORE = evolve(
    CATALOG,
    time=NOW,
    note="",
    models=[evolve(model, expires=None) if model.id == LLAMA else model for model in CATALOG.models],
)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orpolicy.cli.snapshots.read_clock", lambda: LATER)
    monkeypatch.setattr("orpolicy.cli.drift.read_clock", lambda: LATER)
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)


def make_project(folder: Path, catalog: Catalog, files: dict[str, str] = FILES) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "catalog.json").write_text(write_snapshot(catalog))
    (folder / "orpolicy.lock").write_text(write_lock(load(folder)))
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its lock as the working directory."""
    folder = make_project(tmp_path / "project", BEFORE)
    monkeypatch.chdir(folder)
    return folder


def change_first(catalog: Catalog, name: str, change: Callable[[Endpoint], Endpoint]) -> Catalog:
    def alter(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        return (change(endpoints[0]), *endpoints[1:])

    models = [
        evolve(model, endpoints=alter(model.endpoints or ())) if model.id == name else model
        for model in catalog.models
    ]
    return evolve(catalog, models=models)


def scale(factor: str) -> Callable[[Endpoint], Endpoint]:
    def change(endpoint: Endpoint) -> Endpoint:
        rates = {kind: rate * Decimal(factor) for kind, rate in endpoint.prices.rates.items()}
        return evolve(endpoint, prices=Prices(rates))

    return change


def four_weeks_later() -> Catalog:
    """The catalogue in which something of every sort has happened."""
    fresh = change_first(BEFORE, HAIKU, scale("10"))
    fresh = change_first(fresh, DEEPSEEK, scale("0.8"))
    fresh = change_first(fresh, HAIKU, lambda e: evolve(e, parameters=e.parameters - {"temperature"}))
    models = {model.id: model for model in fresh.models}
    del models[LLAMA]
    private = tuple(evolve(endpoint, zdr=False) for endpoint in models[MINI].endpoints or ())
    models[MINI] = evolve(models[MINI], endpoints=private, canonical_slug="openai/gpt-5-mini-2026-09-01")
    models[ALIAS] = evolve(models[ALIAS], alias_of="anthropic/claude-sonnet-4.5")
    models[GEMINI] = evolve(models[GEMINI], expires=date(2026, 10, 12))
    newcomer = evolve(
        (models[DEEPSEEK].endpoints or ())[0], tag="newcomer/fp8", provider="Newcomer", zdr=False
    )
    models[DEEPSEEK] = evolve(models[DEEPSEEK], endpoints=(*(models[DEEPSEEK].endpoints or ()), newcomer))
    models["openai/gpt-6"] = evolve(models[MINI], id="openai/gpt-6", endpoints=None)
    return evolve(fresh, models=models.values(), time=LATER)


@pytest.fixture
def fresh(project: Path) -> Path:
    path = project / "fresh.json"
    path.write_text(write_snapshot(four_weeks_later()))
    return path


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_story_is_told_in_every_format(fresh: Path, run: Run, form: str) -> None:
    before = sorted(Path().rglob("*"))
    result = run("drift", "--from", "fresh.json", "--format", form)
    assert result.exit_code == 1
    assert sorted(Path().rglob("*")) == before
    expected = CASES / f"{form}.out"
    if os.environ.get("ORPOLICY_UPDATE"):
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(result.output, encoding="utf-8")
    assert result.output == expected.read_text(encoding="utf-8")


def test_where_nothing_drifted_nothing_is_printed(project: Path, run: Run) -> None:
    result = run("drift", "--catalog", "catalog.json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "orpolicy.lock against the catalogue of 2026-08-23: no drift\n"


@pytest.mark.parametrize(
    ("name", "change", "codes"),
    [
        (LLAMA, None, {"breaking": 1, "attention": 1, "any": 1}),
        (DEEPSEEK, scale("1.01"), {"breaking": 0, "attention": 1, "any": 1}),
        (DEEPSEEK, scale("0.99"), {"breaking": 0, "attention": 0, "any": 1}),
        (DEEPSEEK, lambda e: e, {"breaking": 0, "attention": 0, "any": 0}),
    ],
)
def test_what_fails_is_chosen_and_news_does_not_by_default(
    project: Path, run: Run, name: str, change: Any, codes: dict[str, int]
) -> None:
    models = [model for model in BEFORE.models if model.id != name]
    altered = change_first(BEFORE, name, change) if change else evolve(BEFORE, models=models)
    (project / "fresh.json").write_text(write_snapshot(evolve(altered, time=LATER)))
    for level, code in codes.items():
        assert run("drift", "--from", "fresh.json", "--fail-on", level).exit_code == code
    assert run("drift", "--from", "fresh.json").exit_code == codes["attention"]


def test_the_lock_is_that_of_the_project_around_or_the_one_named(
    fresh: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir("presets/chat")
    inside = run("drift", "--from", str(fresh))
    assert inside.stderr.startswith("../../orpolicy.lock against the catalogue of 2026-09-20: ")
    monkeypatch.chdir(tmp_path)
    named = run("drift", "project/orpolicy.lock", "--from", str(fresh))
    elsewhere = run("drift", "--project", "project", "--from", str(fresh))
    assert inside.stdout == named.stdout == elsewhere.stdout
    assert named.stderr == elsewhere.stderr


def test_a_catalogue_that_is_old_or_lists_some_models_is_warned_of(project: Path, run: Run) -> None:
    old = datetime(2026, 8, 1, tzinfo=UTC)
    (project / "fresh.json").write_text(write_snapshot(evolve(BEFORE, complete=False, time=old)))
    result = run("drift", "--from", "fresh.json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines()[:2] == [
        "Warning: the catalogue is 50 days old: prices and endpoints have changed",
        "Warning: the catalogue of 2026-08-01 does not list every model: what it lacks may still be there",
    ]


# Real data


def test_the_api_s_answers_in_files_are_a_catalogue(
    tmp_path: Path, shared: Path, run: Run, real_catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(
        tmp_path / "real", real_catalog, {"presets/one.yaml": f"model: {HAIKU}\nmodels: [{MINI}]\n"}
    )
    monkeypatch.chdir(folder)
    answers = tmp_path / "answers"
    (answers / "endpoints").mkdir(parents=True)
    for name in ("models.json", "providers.json", "zdr.json"):
        shutil.copy(shared / "catalog" / name, answers)
        (answers / name).chmod(0o644)
    for name in (HAIKU, MINI):
        shutil.copy(shared / f"catalog/endpoints/{name.replace('/', '__')}.json", answers / "endpoints")
    moment = datetime(2026, 9, 1, tzinfo=UTC).timestamp()
    os.utime(answers / "models.json", (moment, moment))
    same = run("drift", "--from", str(answers))
    assert (same.exit_code, same.stdout) == (0, "")
    assert same.stderr == "orpolicy.lock against the catalogue of 2026-09-01: no drift\n"
    (answers / f"endpoints/{MINI.replace('/', '__')}.json").unlink()
    asked = run("drift", "--from", str(answers))
    assert asked.exit_code == 1
    assert f"  Model not in the fresh catalogue: {MINI}\n" in asked.stdout
    (answers / "zdr.json").unlink()
    assert "Zero retention no longer known: every endpoint" in run("drift", "--from", str(answers)).stdout


def test_five_weeks_of_zero_retention_are_told(
    tmp_path: Path, shared: Path, run: Run, real_catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = json.loads((shared / "catalog/more/zdr-projection-2026-09-27.json").read_text())["modelos"]
    models = [
        evolve(
            model,
            endpoints=model.endpoints
            and tuple(
                evolve(e, zdr=any(row["tag"] == e.tag for row in kept[model.id])) for e in model.endpoints
            ),
        )
        for model in real_catalog.models
        if model.id in kept
    ]
    moment = datetime(2026, 9, 27, tzinfo=UTC)
    later = evolve(real_catalog, models=models, time=moment)
    monkeypatch.setattr("orpolicy.cli.drift.read_clock", lambda: moment)
    presets = {
        f"presets/m{number:03}.yaml": f"model: {model.id!r}\nmax_tokens: 100\n"
        for number, model in enumerate(real_catalog.models)
        if model.endpoints
    }
    folder = make_project(tmp_path / "real", real_catalog, presets)
    monkeypatch.chdir(folder)
    (folder / "later.json").write_text(write_snapshot(later))
    result = run("drift", "--from", "later.json", "--format", "json")
    assert result.exit_code == 1
    told: dict[str, set[str]] = {}
    for item in json.loads(result.stdout)["items"]:
        told.setdefault(item["kind"], set()).add(" ".join(item["subject"]))
    served = {model.id: model for model in real_catalog.models if model.endpoints}
    assert told["model-removed"] == served.keys() - kept.keys()
    assert len(told["preset-unserved"]) == len(told["model-removed"])
    fresh = {(e.model, e.tag): e.zdr for e in later.endpoints}
    assert told["zdr-lost"] == {
        f"{e.model} {e.tag}"
        for e in real_catalog.endpoints
        if e.zdr and e.tier is None and fresh.get((e.model, e.tag)) is False
    }
    assert told.keys() <= {"model-removed", "preset-unserved", "zdr-lost", "zdr-gained", "model-leaving"}


# The weekly job of the documentation

GH = """\
import json, os, pathlib, sys

store = pathlib.Path(os.environ["ISSUES"])
issues = json.loads(store.read_text()) if store.exists() else []
_, verb, *rest = sys.argv[1:]
values = dict(zip(rest[-2 * (len(rest) // 2)::2], rest[-2 * (len(rest) // 2) + 1::2]))
if verb == "list":
    opened = [issue for issue in issues if issue["state"] == "open"]
    print(json.dumps([{key: issue[key] for key in ("number", "title")} for issue in opened]))
elif verb == "create":
    body = pathlib.Path(values["--body-file"]).read_text()
    issues.append({"number": len(issues) + 1, "title": values["--title"], "body": body, "state": "open"})
else:
    [issue] = [issue for issue in issues if issue["number"] == int(rest[0])]
    if verb == "edit":
        issue["body"] = pathlib.Path(values["--body-file"]).read_text()
    else:
        issue["state"] = "closed"
store.write_text(json.dumps(issues))
"""
"""As much of GitHub's command line as the job uses."""


@pytest.mark.skipif(shutil.which("jq") is None, reason="the job is written with jq, which is not installed")
def test_the_job_opens_an_issue_once_rewrites_it_and_closes_it(
    project: Path, run: Run, root: Path, tmp_path: Path
) -> None:
    text = (root / "docs/review.md").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text.partition("```yaml .github/workflows/drift.yml\n")[2].partition("```")[0])
    *_, command, job = (step["run"] for step in workflow["jobs"]["drift"]["steps"] if "run" in step)
    assert command == "orpolicy drift --format json --fail-on any > drift.json || [ $? -eq 1 ]"
    issues, programs = tmp_path / "issues.json", tmp_path / "bin"
    programs.mkdir()
    (programs / "gh").write_text(f"#!{sys.executable}\n{GH}")
    (programs / "gh").chmod(0o755)
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "ISSUES": str(issues)}

    def weekly(fresh: Catalog) -> list[dict[str, Any]]:
        (project / "fresh.json").write_text(write_snapshot(evolve(fresh, time=LATER)))
        result = run("drift", "--from", "fresh.json", "--format", "json", "--fail-on", "any")
        Path("drift.json").write_text(result.stdout, encoding="utf-8")
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", job],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        found: list[dict[str, Any]] = json.loads(issues.read_text())
        return found

    first = weekly(change_first(BEFORE, DEEPSEEK, scale("1.5")))
    price = next(issue for issue in first if issue["title"].startswith("Price up: "))
    assert "+50 %" in price["body"]
    assert {issue["state"] for issue in first} == {"open"}
    second = weekly(change_first(BEFORE, DEEPSEEK, scale("2")))
    assert [issue["title"] for issue in second] == [issue["title"] for issue in first]
    assert "+100 %" in second[first.index(price)]["body"]
    third = weekly(change_first(BEFORE, DEEPSEEK, scale("0.5")))
    assert len(third) == len(first)
    assert {issue["state"] for issue in third} == {"closed"}


# Over a wire


def serve(monkeypatch: pytest.MonkeyPatch, transport: httpx.BaseTransport) -> list[Any]:
    """Let pulls reach a transport instead of the network, without waiting; return what they are asked."""

    def pull(names: Any, **options: Any) -> network.Pulled:
        asked.append((names, options.pop("key")))
        with httpx.Client(transport=transport, base_url=network.BASE_URL) as client:
            return genuine(
                names, source=network.Source(client, sleep=lambda _: None, now=lambda: LATER), **options
            )

    genuine = network.pull
    asked: list[Any] = []
    monkeypatch.setattr(network, "pull", pull)
    return asked


def test_only_the_models_of_the_lock_are_asked_for_and_the_key_stays_out_of_sight(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"presets/one.yaml": f"model: {HAIKU}:nitro\nmodels: [{ALIAS}]\n"}
    monkeypatch.chdir(make_project(tmp_path / "here", demonstration(), files))
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-secret")
    paths: list[str] = []
    emulator = EmulatorTransport()

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return emulator.handle_request(request)

    asked = serve(monkeypatch, httpx.MockTransport(answer))
    result = run("drift")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "orpolicy.lock against the catalogue of 2026-09-20: no drift\n"
    assert asked == [([HAIKU, ALIAS], "sk-or-v1-secret")]
    assert {path for path in paths if path.endswith("/endpoints")} == {
        f"/api/v1/models/{name}/endpoints" for name in (HAIKU, ALIAS)
    }


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (httpx.Response(429, headers={"retry-after": "7"}), "failed 5 times, the last time with status 429"),
        (httpx.Response(500), "failed 5 times, the last time with status 500"),
        (httpx.Response(401), "GET /models answered with status 401"),
        (httpx.Response(200, text='{"data": ['), "GET /models is truncated"),
        (httpx.Response(200, json={"data": []}), "GET /models: the answer has no list 'data'"),
        (httpx.ConnectError("refused"), "failed 5 times, the last time with ConnectError: refused"),
    ],
)
def test_a_pull_that_fails_is_one_line_and_no_drift(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch, reply: Any, said: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(reply, Exception):
            raise reply
        return reply

    serve(monkeypatch, httpx.MockTransport(answer))
    fails(run("drift"), said)


def test_a_machine_that_answers_nobody_is_one_line(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setattr(network, "BASE_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/api/v1")
        monkeypatch.setattr(network, "FIRST_WAIT", 0.0)
        fails(run("drift"), "GET /models failed 5 times, the last time with ConnectError")


def fails(result: Result, said: str, code: int = 3) -> None:
    """Demand one line on stderr that says this, no report, and no traceback."""
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


# Bad input


def spoil_lock(text: str | None) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        lock = folder / "orpolicy.lock"
        if text is None:
            lock.unlink()
        else:
            lock.write_text(text)

    return change


def edit_lock(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        lock = folder / "orpolicy.lock"
        lock.write_text(lock.read_text().replace(old, new))

    return change


def put(name: str, text: str | None) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "fresh" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text)

    return change


@pytest.mark.parametrize(
    ("spoil", "source", "said"),
    [
        (spoil_lock(None), "catalog.json", "'orpolicy.lock' is no file; write it again with 'orpolicy lock'"),
        (spoil_lock(""), "catalog.json", "orpolicy.lock is truncated"),
        (spoil_lock("{}"), "catalog.json", "orpolicy.lock is no lock"),
        (edit_lock('"version": 1', '"version": 9'), "catalog.json", "orpolicy.lock has version 9"),
        (edit_lock('"max_tokens": 500', '"max_tokens": 900'), "catalog.json", "does not match its digest"),
        (put("models.json", None), "fresh", "there is no catalogue at fresh/models.json"),
        (put("models.json", '{"data": ['), "fresh", "fresh/models.json is truncated"),
        (put("models.json", '{"data": []}'), "fresh", "there is no catalogue at fresh/providers.json"),
        (put("models.json", "\udc00".encode("utf-8", "surrogatepass").hex()), "fresh", "fresh/models.json"),
        (
            put("catalog.json", '{"format": "orpolicy-catalog", "version": 9}'),
            "fresh/catalog.json",
            "version 9",
        ),
        (put("catalog.json", "[]"), "fresh/catalog.json", "is no catalogue snapshot"),
        (put("catalog.json", ""), "fresh/catalog.json", "catalog.json is truncated"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    project: Path, run: Run, spoil: Callable[[Path], None], source: str, said: str
) -> None:
    spoil(project)
    fails(run("drift", "--from", source), said)


def test_a_lock_that_rests_on_no_catalogue_cannot_drift(project: Path, run: Run) -> None:
    (project / "catalog.json").rename(project / "fresh.json")
    (project / "orpolicy.lock").write_text(write_lock(load(project)))
    fails(run("drift", "--from", "fresh.json"), "orpolicy.lock rests on no catalogue", code=2)


def test_what_is_not_there_is_wrong_usage(project: Path, run: Run) -> None:
    assert run("drift", "--from", "nowhere").exit_code == 2
    assert run("drift", "--fail-on", "everything").exit_code == 2
    assert run("drift", "--format", "yaml").exit_code == 2
