"""Lock files as they lie on disk: refused where they are broken, written in one step, and current or not."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from catalogs import CATALOG
from hypothesis import given
from hypothesis import strategies as st

import orpolicy
from orpolicy.disk import Folder, Library
from orpolicy.errors import LockError, UsageError
from orpolicy.language.workspace import Workspace
from orpolicy.lock_text import HEAD, MAX_BYTES, digest_rest
from orpolicy.locked import LOCK_FILE, Lock, parse_lock, read_lock
from orpolicy.project import Project
from orpolicy.review.lock import write_lock
from orpolicy.review.lock_check import check_lock
from orpolicy.review.lock_file import find_lock, store_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.routing.catalog import Catalog

MODEL = "openai/gpt-5-mini"
FILES = {
    "orpolicy.yaml": "environments: [prod, test]\n",
    "presets/one.yaml": f"model: {MODEL}\nenvironments:\n  prod: {{provider: {{zdr: true}}}}\n",
    "presets/two.yaml": "model: openai/gpt-4o-mini\nmax_tokens: 900\n",
    "presets/low.policy.yaml": "applies_to: {presets: ['two*']}\nmax_tokens: 1000\nmodels: {allow: ['openai/*']}\n",
}


def lay_out(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def open_project(root: Path, catalog: Catalog | None = CATALOG) -> Project:
    return Project(Workspace(Folder(root), Workspace(Library())), root, catalog)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project with a current lock."""
    lay_out(tmp_path, FILES)
    store_lock(tmp_path, write_lock(open_project(tmp_path)))
    return tmp_path


def sign(text: str) -> bytes:
    """Give a text that no program wrote the digest that it would have."""
    rest = text[len(HEAD) + len(digest_rest("")) :]
    return (HEAD + digest_rest(rest) + rest).encode()


TEXT = '{\n  "format": "orpolicy-lock",\n  "version": 1,\n  "digest": "sha256:' + "0" * 64 + '",\n'
EMPTY = TEXT + '  "environments": [],\n  "rules": {},\n  "policies": {},\n  "presets": []\n}\n'

ENTRY = {"preset": "a", "environment": None, "base_url": "https://openrouter.ai/api/v1", "body": {}}

BROKEN: list[tuple[bytes, str]] = [
    (b"", "is truncated: it ends at line 1, column 1"),
    (b"[]", "is no lock: its 'format' is not 'orpolicy-lock'"),
    (b'{"format": "orpolicy-catalog"}', "is no lock"),
    (b"not json", "is not JSON: Expecting value at line 1, column 1"),
    (b'{"format": "orpolicy-lock", "version": 2}', "has version 2, this program reads 1"),
    (b'{"format": "orpolicy-lock"}', "has version null"),
    (EMPTY.encode(), "does not match its digest: it was edited or merged by hand"),
    (sign(EMPTY)[:-20], "is truncated"),
    (sign(EMPTY).replace(b'"rules": {}', b'"rules": {"x": "off"}'), "does not match its digest"),
    (sign(EMPTY).replace(b"  ", b"\t"), "does not match its digest"),
    (sign(EMPTY).replace(b'"presets"', b'"presets": [],\n  "presets"'), "does not match its digest"),
    (b"<<<<<<< ours\n" + sign(EMPTY), "holds the conflict markers of a merge"),
    (sign(EMPTY).replace(b'  "rules"', b'=======\n  "rules"'), "holds the conflict markers of a merge"),
    (b"\xff\xfe" + sign(EMPTY), "is not UTF-8: byte 1 is no part of a text"),
    (b"[" * 100_000, "is nested too deeply"),
    (b" " * (MAX_BYTES + 1), "is larger than 64 MiB"),
    (sign(EMPTY.replace('"presets": []', '"presets": {}')), "lacks a part, or has one of a wrong kind"),
    (sign(EMPTY.replace('"presets": []', '"presets": [{}]')), "lacks a part, or has one of a wrong kind"),
    *(
        (
            sign(EMPTY.replace('"presets": []', f'"presets": [{json.dumps(ENTRY | part)}]')),
            "lacks a part, or has one of a wrong kind",
        )
        for part in (
            {"base_url": "https://example.com"},
            {"system": "x"},
            {"policies": ["x"]},
            {"environment": 1},
        )
    ),
    (
        sign(EMPTY.replace('"policies": {}', '"policies": {"a": {"name": "a"}}')),
        "lacks a part, or has one of a wrong kind",
    ),
    (sign(EMPTY.replace('  "policies": {},\n', "")), "lacks a part, or has one of a wrong kind"),
]


@pytest.mark.parametrize(("raw", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_a_broken_lock_is_refused_in_one_sentence_that_says_what_to_do(raw: bytes, message: str) -> None:
    with pytest.raises(LockError) as refused:
        parse_lock(raw)
    said = str(refused.value)
    assert said.startswith(f"orpolicy.lock {message}")
    assert said.endswith("; write it again with 'orpolicy lock'")


def test_a_lock_of_one_bare_entry_is_read() -> None:
    """What the broken ones above differ from in one part."""
    text = EMPTY.replace('"presets": []', f'"presets": [{json.dumps(ENTRY)}]')
    assert parse_lock(sign(text)).preset("a").request("hi").body == {
        "messages": [{"role": "user", "content": "hi"}]
    }


@given(st.data())
def test_a_lock_with_any_change_but_of_blanks_at_its_end_is_refused(data: Any) -> None:
    raw = sign(EMPTY)
    place = data.draw(st.integers(0, len(raw) - 3))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[place]))
    with pytest.raises(LockError):
        parse_lock(raw[:place] + bytes([byte]) + raw[place + 1 :])


@pytest.mark.parametrize(
    "change",
    [lambda raw: raw.replace(b"\n", b"\r\n"), lambda raw: raw.rstrip(), lambda raw: b"\xef\xbb\xbf" + raw],
)
def test_what_checkouts_and_editors_do_to_line_ends_is_no_edit(change: Callable[[bytes], bytes]) -> None:
    assert parse_lock(change(sign(EMPTY))).names == ()


def test_a_lock_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="is a folder"):
        read_lock(tmp_path)
    with pytest.raises(LockError, match="is no file"):
        read_lock(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LockError, match="is no file"):
        read_lock(tmp_path / "pipe")


def test_a_catalogue_that_no_program_wrote_is_refused_when_it_is_needed() -> None:
    text = EMPTY.replace("[]\n}", '[],\n  "catalog": {"models": [{}], "endpoints": [], "providers": []}\n}')
    lock = parse_lock(sign(text))
    with pytest.raises(LockError, match="holds a broken catalogue"):
        _ = lock.catalog


def test_load_tells_a_lock_from_a_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(orpolicy.load(home / "orpolicy.lock"), Lock)
    assert isinstance(orpolicy.load(str(home)), Project)
    monkeypatch.chdir(home)
    assert isinstance(orpolicy.load("orpolicy.lock"), Lock)
    assert isinstance(orpolicy.load(), Project)
    with pytest.raises(UsageError, match="there is no folder 'nowhere'"):
        orpolicy.load("nowhere")
    with pytest.raises(UsageError, match=r"there is no lock 'other\.lock': 'orpolicy lock' writes one"):
        orpolicy.load("other.lock")
    with pytest.raises(UsageError, match=r"'orpolicy\.yaml' is not a folder"):
        orpolicy.load("orpolicy.yaml")


def test_an_equal_lock_is_not_written_again(home: Path) -> None:
    file = home / "orpolicy.lock"
    os.utime(file, (1, 1))
    assert not store_lock(home, file.read_text())
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    os.utime(file, (1, 1))
    assert not store_lock(home, file.read_text())
    assert file.stat().st_mtime == 1
    assert store_lock(home, file.read_text() + " ")


def test_writing_leaves_nothing_beside_the_lock(home: Path) -> None:
    store_lock(home, "other")
    assert sorted(os.listdir(home)) == ["orpolicy.lock", "orpolicy.yaml", "presets"]  # noqa: PTH208


def test_a_lock_that_cannot_be_put_in_place_leaves_the_old_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (home / "orpolicy.lock").read_text()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="No space"):
        store_lock(home, "other")
    assert (home / "orpolicy.lock").read_text() == before
    assert sorted(os.listdir(home)) == ["orpolicy.lock", "orpolicy.yaml", "presets"]  # noqa: PTH208


def test_a_link_is_neither_read_nor_written_through(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "lock"
    (home / "orpolicy.lock").rename(outside)
    (home / "orpolicy.lock").symlink_to(outside)
    before = outside.read_bytes()
    with pytest.raises(LockError, match="is a link"):
        store_lock(home, "other")
    with pytest.raises(LockError, match="is a link"):
        find_lock(open_project(home))
    assert outside.read_bytes() == before


def test_a_folder_in_the_place_of_a_lock_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "orpolicy.lock").mkdir()
    with pytest.raises(LockError, match="is a folder"):
        store_lock(tmp_path, "x")


def list_findings(project: Project, names: list[str] | None = None) -> list[str]:
    return [f"{found.location}: {found.message} [{found.code}]" for found in check_lock(project, names)]


def test_a_current_lock_has_no_finding(home: Path) -> None:
    assert list_findings(open_project(home)) == []


def test_a_project_without_a_lock_is_told_so_at_its_own_file(home: Path) -> None:
    (home / "orpolicy.lock").unlink()
    assert list_findings(open_project(home)) == [
        "orpolicy.yaml:1:1: there is no 'orpolicy.lock' [lock-missing]"
    ]
    (home / "orpolicy.yaml").unlink()
    assert list_findings(open_project(home)) == [
        "orpolicy.lock:1:1: there is no 'orpolicy.lock' [lock-missing]"
    ]


def test_a_broken_lock_is_a_finding(home: Path) -> None:
    (home / "orpolicy.lock").write_text("{")
    [found] = check_lock(open_project(home))
    assert (found.code, found.hint) == ("lock-unreadable", "write it again with 'orpolicy lock'")
    assert found.message == "orpolicy.lock is truncated: it ends at line 1, column 2"


def drop_zdr(catalog: Catalog, model_id: str) -> Catalog:
    return evolve(
        catalog,
        models=[
            evolve(model, endpoints=[evolve(endpoint, zdr=None) for endpoint in model.endpoints or ()])
            if model.id == model_id
            else model
            for model in catalog.models
        ],
    )


CHANGES: list[tuple[dict[str, str], list[str]]] = [
    ({"presets/two.yaml": "model: openai/gpt-4o-mini\nmax_tokens: 901\n"}, ["presets/two.yaml:1:1: the lock holds another request of 'two'"]),
    (
        {"presets/one.yaml": FILES["presets/one.yaml"].replace("zdr: true", "zdr: true, sort: price")},
        ["presets/one.yaml:1:1: the lock holds another request of 'one' in 'prod'"],
    ),
    ({"presets/low.policy.yaml": FILES["presets/low.policy.yaml"].replace("1000", "999")}, ["presets/two.yaml:1:1: the lock holds another policy of 'two'"]),
    (
        {"presets/low.policy.yaml": FILES["presets/low.policy.yaml"] + "zdr: true\n"},
        ["presets/two.yaml:1:1: the lock holds another request, policy, treatment of overrides and catalogue of 'two'"],
    ),
    (
        {"orpolicy.yaml": FILES["orpolicy.yaml"] + "rules: {no-fallback-single-point: off}\n"},
        [
            f"presets/{name}.yaml:1:1: the lock holds another treatment of overrides of '{name}'{where}"
            for name, where in (("one", ""), ("one", " in 'prod'"), ("two", ""))
        ],
    ),
    ({"orpolicy.yaml": "environments: [prod, test, more]\n"}, ["orpolicy.lock:1:1: the lock is not what is written today"]),
    (
        {"presets/one.yaml": FILES["presets/one.yaml"].replace("prod:", "test:")},
        [
            "presets/one.yaml:1:1: the lock does not hold 'one' in 'test'",
            "presets/one.yaml:1:1: the lock holds 'one' in 'prod', which has nothing of its own any more",
        ],
    ),
    ({"presets/three.yaml": "model: openai/gpt-4o-mini\n"}, ["presets/three.yaml:1:1: the lock does not hold 'three'"]),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "expected"), CHANGES, ids=lambda said: str(said)[:50])
def test_each_preset_is_named_with_what_the_lock_holds_otherwise(
    home: Path, changed: dict[str, str], expected: list[str]
) -> None:
    lay_out(home, changed)
    project = open_project(home)
    assert sorted(list_findings(project)) == [f"{line} [lock-outdated]" for line in expected]
    store_lock(home, write_lock(project))
    assert list_findings(open_project(home)) == []


def test_a_preset_that_is_gone_is_named_at_the_lock(home: Path) -> None:
    (home / "presets/two.yaml").unlink()
    assert list_findings(open_project(home)) == [
        "orpolicy.lock:1:1: the lock holds 'two', which is no preset any more [lock-outdated]"
    ]


def test_only_presets_that_rest_on_a_changed_fact_are_named(home: Path) -> None:
    moved = drop_zdr(CATALOG, MODEL)
    assert {line.split(": ")[1] for line in list_findings(open_project(home, moved))} == {
        "the lock holds another catalogue of 'one' in 'prod' [lock-outdated]",
        "the lock holds another catalogue of 'one' [lock-outdated]",
    }
    assert list_findings(open_project(home, moved), ["two"]) == []
    other = drop_zdr(CATALOG, "deepseek/deepseek-v3.2")
    assert list_findings(open_project(home, other)) == []


def test_a_new_model_under_a_pattern_is_a_fact_of_those_whom_it_is_allowed_to(home: Path) -> None:
    fewer = evolve(CATALOG, models=[model for model in CATALOG.models if model.id != "openai/gpt-oss-120b"])
    assert list_findings(open_project(home, fewer)) == [
        "presets/two.yaml:1:1: the lock holds another catalogue of 'two' [lock-outdated]"
    ]


def test_what_does_not_compile_is_left_to_its_own_findings(home: Path) -> None:
    lay_out(home, {"presets/two.yaml": "model: 3\n"})
    assert list_findings(open_project(home)) == []


def test_a_lock_is_json_that_other_programs_read(home: Path) -> None:
    members = json.loads((home / "orpolicy.lock").read_text())
    assert [(row["preset"], row["environment"]) for row in members["presets"]] == [
        ("one", None),
        ("one", "prod"),
        ("two", None),
    ]
    assert members["policies"]["presets/low.policy.yaml"] == {
        "name": "low",
        "demands": {"max_tokens": 1000, "models": {"allow": ["openai/*"]}},
    }


def test_what_a_killed_run_left_keeps_no_later_one_from_writing(home: Path) -> None:
    (home / f".{LOCK_FILE}.{os.getpid()}").write_text("half")
    assert store_lock(home, "whole\n")
    assert (home / LOCK_FILE).read_text() == "whole\n"


def test_an_interrupted_run_leaves_nothing_beside_the_lock(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = sorted(home.iterdir())
    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store_lock(home, "whole\n")
    assert sorted(home.iterdir()) == before


def test_runs_at_once_leave_a_whole_lock(home: Path) -> None:
    texts = [f"{number}\n" * 20_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: store_lock(home, text), texts * 4))
    assert (home / LOCK_FILE).read_text() in texts
    assert [file.name for file in home.iterdir() if file.name.startswith(f".{LOCK_FILE}")] == []
