"""The files of a project: their names, what is read of them, and a project's own settings."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from attrs import define, field

from orpolicy.disk import Folder, Library
from orpolicy.errors import CompileError
from orpolicy.language.checker import check as check_all
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import FileProblem, Memory
from orpolicy.language.reading import preset_name
from orpolicy.language.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from orpolicy.language.diagnostics import Report

MODEL = "model: openai/gpt-5\n"


def check(files: dict[str, str]) -> Report:
    return check_all(Compiler(Workspace(Memory(files))))


def say(files: dict[str, str]) -> list[str]:
    return [f"{found.location}: {found.message} [{found.code}]" for found in check(files)]


@define
class Counting:
    """Files that count how often each is read."""

    files: Memory
    reads: dict[str, int] = field(factory=dict)

    def list_yaml(self, folder: str) -> Iterable[str]:
        return self.files.list_yaml(folder)

    def read(self, name: str) -> bytes | None:
        self.reads[name] = self.reads.get(name, 0) + 1
        return self.files.read(name)


@pytest.mark.parametrize(
    ("file", "folder", "name"),
    [
        ("presets/support/triage.yaml", "presets", "support/triage"),
        ("presets/a.yml", "presets/", "a"),
        ("a.yaml", "", "a"),
        ("a.yaml", ".", "a"),
        ("presets/a.b.yaml", "presets", "a.b"),
    ],
)
def test_a_preset_is_named_after_its_file(file: str, folder: str, name: str) -> None:
    assert preset_name(file, folder) == name


def test_policies_tests_and_the_project_file_are_no_presets() -> None:
    names = [
        "a.yaml",
        "b.yml",
        "sub/c.yaml",
        "org.policy.yaml",
        "d.policy.yml",
        "e.test.yaml",
        "f.test.yml",
        "orpolicy.yaml",
        "g.json",
    ]
    workspace = Workspace(Memory({**dict.fromkeys(names, MODEL), "orpolicy.yaml": "presets: .\n"}))
    assert list(workspace.preset_files) == ["a", "b", "sub/c"]


def test_two_files_of_one_name_are_reported_at_the_second() -> None:
    assert say({"presets/a.yaml": MODEL, "presets/a.yml": MODEL}) == [
        "presets/a.yml:1:1: the preset 'a' has two files [duplicate-preset]"
    ]


def test_a_file_is_read_once_however_many_extend_it() -> None:
    files = {f"presets/{name}.yaml": f"extends: base\n{MODEL}" for name in "abc"}
    counting = Counting(Memory({**files, "presets/base.yaml": "temperature: 0.5\n"}))
    check_all(Compiler(Workspace(counting)))
    assert counting.reads == {"orpolicy.yaml": 1, "presets/base.yaml": 1, **dict.fromkeys(files, 1)}


@pytest.mark.parametrize("names", list(permutations("abcd")), ids="".join)
def test_presets_that_extend_the_same_come_to_the_same_whoever_is_first(names: tuple[str, ...]) -> None:
    files = {
        "presets/a.yaml": MODEL + "extends: b\n",
        "presets/b.yaml": MODEL + "extends: a\n",
        "presets/c.yaml": MODEL + "extends: [a]\n",
        "presets/d.yaml": MODEL + "extends: [torn, whole]\n",
        "presets/e.yaml": MODEL + "extends: [torn, whole]\n",
        "presets/torn.yaml": "model: 7\n",
        "presets/whole.yaml": MODEL + "abstract: true\n",
    }
    compiler = Compiler(Workspace(Memory(files)))
    outcomes = {name: compiler.try_compile(name, None) for name in (*names, "e")}
    codes = {name: [found.code for found in outcome.diagnostics] for name, outcome in outcomes.items()}
    circle = ["extends-cycle"]
    assert codes == {"a": circle, "b": circle, "c": circle, "d": [], "e": []}
    assert all(outcome.compiled is None for outcome in outcomes.values())


def test_a_broken_base_is_reported_once_and_its_heirs_are_not() -> None:
    files = {f"presets/{name}.yaml": f"extends: base\n{MODEL}" for name in "abc"}
    assert say({**files, "presets/base.yaml": "modle: x\n"}) == [
        "presets/base.yaml:1:1: unknown key 'modle' [unknown-key]"
    ]


def test_all_findings_of_all_files_are_reported_in_one_run() -> None:
    codes = [
        found.code
        for found in check(
            {"orpolicy.yaml": "x: 1\n", "presets/a.yaml": "modle: x\n", "presets/b.yaml": "a: [\n"}
        )
    ]
    assert codes == ["unknown-key", "unknown-key", "yaml-syntax"]


def test_a_rule_may_be_turned_off_or_made_worse() -> None:
    preset = {"presets/a.yaml": MODEL + "max_tokens: 100.0\nroute: fallback\n"}
    severities = {found.code: found.severity for found in check(preset)}
    assert severities["integer-as-decimal"] == severities["deprecated"] == "warning"
    rules = "rules: {integer-as-decimal: off, deprecated: error}\n"
    severities = {found.code: found.severity for found in check({**preset, "orpolicy.yaml": rules})}
    assert severities["deprecated"] == "error"
    assert "integer-as-decimal" not in severities


def test_a_warning_made_an_error_stops_the_compilation_and_an_error_made_a_warning_does_not() -> None:
    deprecated = {"presets/a.yaml": MODEL + "models: [openai/gpt-5-mini]\nroute: fallback\n"}
    Compiler(Workspace(Memory(deprecated))).compile("a")
    with pytest.raises(CompileError):
        Compiler(Workspace(Memory({**deprecated, "orpolicy.yaml": "rules: {deprecated: error}\n"}))).compile(
            "a"
        )
    vain = {"presets/a.yaml": MODEL + "provider: {only: [azure], ignore: [azure]}\n"}
    with pytest.raises(CompileError):
        Compiler(Workspace(Memory(vain))).compile("a")
    Compiler(Workspace(Memory({**vain, "orpolicy.yaml": "rules: {only-all-ignored: warning}\n"}))).compile(
        "a"
    )


@pytest.mark.parametrize("severity", ["off", "warning"])
def test_what_cannot_be_compiled_cannot_be_turned_off(severity: str) -> None:
    found = say({"orpolicy.yaml": f"rules: {{unknown-key: {severity}}}\n", "presets/a.yaml": MODEL})
    assert len(found) == 1
    assert found[0].startswith("orpolicy.yaml:1:9: 'unknown-key' cannot be turned ")


def test_an_error_may_be_called_an_error() -> None:
    assert say({"orpolicy.yaml": "rules: {unknown-key: error}\n", "presets/a.yaml": MODEL}) == []


def test_a_broken_project_file_is_reported_and_the_presets_are_checked_all_the_same() -> None:
    assert say({"orpolicy.yaml": "rules: [\n", "presets/a.yaml": "modle: x\n"}) == [
        "orpolicy.yaml:1:8: a bracket is opened and never closed (no ']') [yaml-syntax]",
        "presets/a.yaml:1:1: unknown key 'modle' [unknown-key]",
    ]


def test_a_closed_list_of_environments_knows_no_other() -> None:
    files = {
        "orpolicy.yaml": "environments: [prod, staging]\n",
        "presets/a.yaml": MODEL + "environments: {prd: {seed: 1}}\n",
    }
    (found,) = check(files)
    assert (found.code, str(found.location), found.hint) == (
        "unknown-environment",
        "presets/a.yaml:2:16",
        "did you mean 'prod'?",
    )


def test_without_a_list_the_overlays_name_the_environments() -> None:
    files = {
        "presets/a.yaml": MODEL + "environments: {prod: {}, dev: {}}\n",
        "presets/b.yaml": MODEL + "environments: {prod: {}}\n",
    }
    assert Workspace(Memory(files)).environments == ("dev", "prod")


def test_a_file_that_cannot_be_read_is_a_finding() -> None:
    class Broken(Counting):
        def read(self, name: str) -> bytes | None:
            raise FileProblem(f"'{name}' is on fire")

    report = check_all(Compiler(Workspace(Broken(Memory({"presets/a.yaml": MODEL})))))
    assert [f"{found.location}: {found.message} [{found.code}]" for found in report] == [
        "orpolicy.yaml:1:1: 'orpolicy.yaml' is on fire [unreadable-file]",
        "presets/a.yaml:1:1: 'presets/a.yaml' is on fire [unreadable-file]",
    ]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one preset whose prompt stands in a file, beside a file that is none of its business."""
    folder = tmp_path / "project"
    (folder / "presets" / "support").mkdir(parents=True)
    (tmp_path / "outside.md").write_text("the neighbour's")
    return folder


def compile_prompt(project: Path, file: str) -> str:
    """Compile a preset with this system file; return the prompt, or the one finding."""
    (project / "presets" / "support" / "a.yaml").write_text(f"{MODEL}system:\n  file: {file}\n")
    compiler = Compiler(Workspace(Folder(project), Workspace(Library())))
    report = check_all(compiler)
    if not report.errors:
        return f"{compiler.compile('support/a').system}"
    (found,) = report
    assert str(found.location) == "presets/support/a.yaml:3:9"
    return f"{found.message} [{found.code}]"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("presets/support/prompt.md", "prompt.md"),
        ("presets/support/deep/er/prompt.md", "deep/er/prompt.md"),
        ("presets/prompt.md", "../prompt.md"),
        ("prompts/prompt.md", "../../prompts/prompt.md"),
        ("presets/support/prompt.md", "./nowhere/../prompt.md"),
        ("presets/support/with blank é.md", "with blank é.md"),
    ],
)
def test_a_prompt_is_read_from_a_file_inside_the_project(project: Path, file: str, name: str) -> None:
    (project / file).parent.mkdir(parents=True, exist_ok=True)
    (project / file).write_bytes("\ufeffBe kind, é.\r\n".encode())
    assert compile_prompt(project, name) == "Be kind, é.\r\n"


def test_a_link_inside_the_project_is_followed(project: Path) -> None:
    (project / "real.md").write_text("Be kind.")
    (project / "presets" / "support" / "prompt.md").symlink_to("../../real.md")
    assert compile_prompt(project, "prompt.md") == "Be kind."


def test_a_prompt_outside_the_project_is_not_read(project: Path) -> None:
    assert (
        compile_prompt(project, "../../../outside.md")
        == "'../outside.md' leads outside the project [system-file]"
    )


def test_a_link_out_of_the_project_is_not_followed(project: Path) -> None:
    (project / "presets" / "support" / "prompt.md").symlink_to(project.parent / "outside.md")
    assert (
        compile_prompt(project, "prompt.md")
        == "'presets/support/prompt.md' leads outside the project [system-file]"
    )
    (project / "way").symlink_to(project.parent)
    assert (
        compile_prompt(project, "../../way/outside.md")
        == "'way/outside.md' leads outside the project [system-file]"
    )


def test_a_folder_that_starts_like_the_project_is_outside(project: Path) -> None:
    beside = project.with_name("project-2")
    beside.mkdir()
    (beside / "prompt.md").write_text("the neighbour's")
    assert "leads outside the project" in compile_prompt(project, "../../../project-2/prompt.md")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prompt.md", "there is no file 'presets/support/prompt.md'"),
        ("..", "'presets' is a folder"),
        ("latin1.md", "'presets/support/latin1.md' cannot be read: byte 0xe9 is not valid UTF-8"),
        ("large.md", "'presets/support/large.md' cannot be read: the file is larger than 1024 KiB"),
        ("loop.md", "'presets/support/loop.md' cannot be read: too many levels of symbolic links"),
        ("a.yaml/prompt.md", "'presets/support/a.yaml/prompt.md' cannot be read: not a directory"),
    ],
)
def test_a_prompt_that_cannot_be_read_is_a_finding_at_its_name(project: Path, name: str, said: str) -> None:
    folder = project / "presets" / "support"
    (folder / "latin1.md").write_bytes(b"caf\xe9")
    (folder / "large.md").write_bytes(b"x" * (1024 * 1024 + 1))
    (folder / "loop.md").symlink_to("loop.md")
    assert compile_prompt(project, name) == f"{said} [system-file]"


@pytest.mark.parametrize("name", ["/etc/hostname", "~/prompt.md", "C:\\prompt.md", "''"])
def test_a_prompt_is_named_relative_to_its_preset(project: Path, name: str) -> None:
    assert compile_prompt(project, name).endswith("[bad-value]")


def test_an_overlay_has_a_prompt_of_its_own(project: Path) -> None:
    (project / "presets" / "prod.md").write_text("Be brief.")
    (project / "presets" / "a.yaml").write_text(
        f"{MODEL}system: Be kind.\nenvironments: {{prod: {{system: {{file: prod.md}}}}}}\n"
    )
    compiler = Compiler(Workspace(Folder(project)))
    assert [compiler.compile("a", environment).system for environment in (None, "prod")] == [
        "Be kind.",
        "Be brief.",
    ]
