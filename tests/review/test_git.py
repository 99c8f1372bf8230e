"""Git as it is: every state of a repository gives a right answer or a clear error, and none is ever changed."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import orpolicy
from orpolicy.disk import Folder, Library
from orpolicy.errors import GitError, UsageError
from orpolicy.language.document import MAX_BYTES
from orpolicy.language.files import FileProblem
from orpolicy.language.workspace import Workspace
from orpolicy.project import Project
from orpolicy.review import git as module
from orpolicy.review import revision as reading
from orpolicy.review.git import Repository

PRESET = "model: openai/gpt-5-mini\n"
CONFIG = """
[user]
    name = Somebody
    email = somebody@example.com
[init]
    defaultBranch = main
[protocol "file"]
    allow = always
[commit]
    gpgSign = false
"""


@frozen
class Box:
    """A repository to play with; every method is what a user would do."""

    folder: Path

    def git(self, *arguments: str, given: str | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, input=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: dict[str, str | bytes] | None = None) -> str:
        """Commit files and everything else that changed; return the commit's id."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def clone(self, where: Path, *options: str) -> Box:
        self.git("clone", "--quiet", *options, f"file://{self.folder}", str(where))
        return Box(where)


def start(folder: Path) -> Box:
    folder.mkdir(parents=True)
    box = Box(folder)
    box.git("init", "--quiet")
    return box


@pytest.fixture(autouse=True, scope="module")
def isolated(tmp_path_factory: pytest.TempPathFactory):
    """Keep the settings of whoever runs the tests out of them."""
    home = tmp_path_factory.mktemp("home")
    config = home / "gitconfig"
    config.write_text(CONFIG, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_GLOBAL", str(config))
        patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        yield


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return start(tmp_path / "box")


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Keep time and content of everything below a folder."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in [folder, *folder.rglob("*")]
    }


# What a revision holds


def test_a_revision_holds_what_was_committed_and_nothing_of_the_working_tree(box: Box) -> None:
    box.commit({"presets/a.yaml": PRESET, "presets/gone.yaml": PRESET})
    box.write(
        {"presets/a.yaml": "model: openai/gpt-5\n", "presets/new.yaml": PRESET, "presets/staged.yaml": PRESET}
    )
    box.git("add", "presets/staged.yaml")
    (box.folder / "presets" / "gone.yaml").unlink()
    revision = Repository.find(box.folder).open("HEAD")
    assert sorted(revision.list_yaml("presets")) == ["presets/a.yaml", "presets/gone.yaml"]
    assert revision.read("presets/a.yaml") == PRESET.encode()
    assert revision.read("presets/new.yaml") is None
    assert revision.read("presets/staged.yaml") is None


def test_a_renamed_preset_has_in_each_revision_the_name_of_that_time(box: Box) -> None:
    old = box.commit({"presets/a.yaml": PRESET})
    box.git("mv", "presets/a.yaml", "presets/b.yaml")
    new = box.commit()
    repository = Repository.find(box.folder)
    assert list(repository.open(old).list_yaml("presets")) == ["presets/a.yaml"]
    assert list(repository.open(new).list_yaml("presets")) == ["presets/b.yaml"]


def test_a_project_that_did_not_exist_yet_is_empty(box: Box) -> None:
    old = box.commit({"README.md": "hello"})
    new = box.commit({"services/chat/presets/a.yaml": PRESET})
    repository = Repository.find(box.folder / "services" / "chat")
    assert repository.prefix == "services/chat"
    before, after = repository.open(old), repository.open(new)
    assert (before.holds_project, after.holds_project) == (False, True)
    assert list(before.list_yaml("presets")) == []
    assert before.read("orpolicy.yaml") is None
    assert not before.read_whole("catalog.json")
    assert list(after.list_yaml("presets")) == ["presets/a.yaml"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"orpolicy.yaml": "presets: routes\n"}, True),
        ({"presets/a.yaml": PRESET}, True),
        ({"presets": "a file\n"}, False),
        ({"orpolicy.yaml/a": "a folder\n"}, False),
        ({"README.md": ""}, False),
    ],
)
def test_a_project_is_there_if_its_file_or_the_folder_of_presets_is(box: Box, files, expected: bool) -> None:
    box.commit(files)
    assert Repository.find(box.folder).open("HEAD").holds_project is expected


def test_a_revision_compiles_to_what_its_checkout_compiles_to(box: Box) -> None:
    files = {
        "orpolicy.yaml": "defaults:\n  provider: {zdr: true}\n",
        "presets/base.yaml": f"abstract: true\n{PRESET}system: {{file: prompts/base.md}}\n",
        "presets/prompts/base.md": "Be brief.\n",
        "presets/support/triage.yaml": "extends: base\nmax_tokens: 100\n",
    }
    box.commit(files)
    expected = orpolicy.load(box.folder).preset("support/triage")
    shutil.rmtree(box.folder / "presets")
    files = Repository.find(box.folder).open("HEAD")
    compiled = Project(Workspace(files, Workspace(Library()))).preset("support/triage")
    assert (compiled.digest, compiled.system) == (expected.digest, "Be brief.\n")


ODD = ["a b.yaml", '"quoted".yaml', "line\nfeed.yaml", "tab\t.yaml", "back\\slash.yaml", "-x.yaml", "*.yaml"]
ODD += ["caf\u00e9.yaml", "cafe\u0301.yaml", "\u65e5\u672c.yaml", ":(top)x.yaml", os.fsdecode(b"\xff.yaml")]


def test_names_are_taken_as_they_are_stored(box: Box) -> None:
    folder = "pro ject\n\u00e9"
    box.commit({f"{folder}/presets/{name}": f"description: {number}\n" for number, name in enumerate(ODD)})
    revision = Repository.find(box.folder / folder).open("HEAD")
    assert revision.prefix == folder
    assert sorted(revision.list_yaml("presets")) == sorted(f"presets/{name}" for name in ODD)
    for number, name in enumerate(ODD):
        assert revision.read(f"presets/{name}") == f"description: {number}\n".encode()


def test_line_ends_are_those_that_the_repository_stores(box: Box) -> None:
    box.commit({".gitattributes": "*.yaml text eol=crlf\n", "presets/a.yaml": b"model: x\r\n"})
    box.git("checkout", "--quiet", "HEAD", "--", ".")
    assert (box.folder / "presets" / "a.yaml").read_bytes().endswith(b"\r\n")
    assert Repository.find(box.folder).open("HEAD").read("presets/a.yaml") == b"model: x\n"


def test_hidden_files_and_folders_are_left_out(box: Box) -> None:
    box.commit({f"presets/{name}": PRESET for name in ("a.yaml", ".b.yaml", ".c/d.yaml", "e.txt", "f/g.yml")})
    revision = Repository.find(box.folder).open("HEAD")
    assert sorted(revision.list_yaml("presets")) == ["presets/a.yaml", "presets/f/g.yml"]
    assert sorted(revision.list_yaml(".")) == ["presets/a.yaml", "presets/f/g.yml"]
    assert sorted(revision.list_files("presets")) == ["presets/a.yaml", "presets/e.txt", "presets/f/g.yml"]


def test_a_file_above_the_limit_is_not_read_unless_it_is_asked_for_whole(box: Box, monkeypatch) -> None:
    large = b"x" * (3 * MAX_BYTES)
    box.commit({"presets/large.yaml": large, "presets/a.yaml": PRESET, "catalog.json": large})
    asked = []
    read = Repository.read_blobs
    monkeypatch.setattr(
        Repository, "read_blobs", lambda self, blobs: asked.append(len(blobs)) or read(self, blobs)
    )
    revision = Repository.find(box.folder).open("HEAD")
    list(revision.list_yaml("presets"))
    assert len(revision.read("presets/large.yaml") or b"") == MAX_BYTES + 1
    assert asked == []
    assert revision.read("presets/a.yaml") == PRESET.encode()
    assert asked == [1]
    assert revision.read_whole("catalog.json") == large
    project = Project(Workspace(revision, Workspace(Library())))
    assert [finding.code for finding in project.check(["large"])] == ["yaml-limit"]


def test_a_catalogue_may_be_a_folder_of_answers(box: Box) -> None:
    answers = {f"answers/{name}": "{}" for name in ("models.json", "endpoints/a__b.json")}
    box.commit({**answers, "presets/a.yaml": PRESET})
    revision = Repository.find(box.folder).open("HEAD")
    assert sorted(revision.list_files("answers")) == sorted(answers)
    assert revision.read_whole("answers/endpoints/a__b.json") == b"{}"
    with pytest.raises(FileProblem, match="'answers' is a folder"):
        revision.read_whole("answers")


def test_a_pointer_of_git_lfs_is_not_taken_for_the_file(box: Box) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"
    box.commit({"presets/a.yaml": pointer, "catalog.json": pointer})
    revision = Repository.find(box.folder).open("HEAD")
    for read, name in ((revision.read, "presets/a.yaml"), (revision.read_whole, "catalog.json")):
        with pytest.raises(FileProblem, match=f"'{name}' is a Git LFS pointer"):
            read(name)


# Links


def test_links_are_followed_inside_the_project_and_refused_outside(box: Box) -> None:
    box.write({"project/presets/a.yaml": PRESET, "project/shared/b.yaml": PRESET, "outside.yaml": PRESET})
    links = {
        "alias.yaml": "a.yaml",
        "up.yaml": "../shared/b.yaml",
        "around.yaml": "../../project/shared/b.yaml",
        "chain.yaml": "alias.yaml",
        "folder.yaml": "../shared",
        "escape.yaml": "../../outside.yaml",
        "absolute.yaml": "/etc/hostname",
        "loop.yaml": "loop.yaml",
        "far.yaml": "../../../../../../../../x",
        "broken.yaml": "nowhere",
        "through.yaml": "a.yaml/x",
    }
    for name, target in links.items():
        (box.folder / "project" / "presets" / name).symlink_to(target)
    box.commit()
    revision = Repository.find(box.folder / "project").open("HEAD")
    assert set(revision.list_yaml("presets")) == {
        f"presets/{name}" for name in {"a.yaml", *links} - {"folder.yaml"}
    }
    for name in ("alias", "up", "around", "chain"):
        assert revision.read(f"presets/{name}.yaml") == PRESET.encode()
    assert revision.read("presets/folder.yaml/b.yaml") == PRESET.encode()
    assert revision.read("presets/broken.yaml") is None
    for name in ("escape", "absolute", "far"):
        with pytest.raises(FileProblem, match=f"'presets/{name}.yaml' leads outside the"):
            revision.read(f"presets/{name}.yaml")
    with pytest.raises(FileProblem, match="one that leads to itself"):
        revision.read("presets/loop.yaml")
    with pytest.raises(FileProblem, match=r"'a\.yaml' is a file"):
        revision.read("presets/through.yaml")


@pytest.mark.parametrize("name", ["../outside.yaml", "/etc/hostname", "presets/../../outside.yaml", ".."])
def test_names_that_lead_outside_are_refused(box: Box, name: str) -> None:
    box.commit({"project/presets/a.yaml": PRESET, "outside.yaml": PRESET})
    with pytest.raises(FileProblem, match="leads outside the project"):
        Repository.find(box.folder / "project").open("HEAD").read(name)


def test_a_presets_folder_may_be_a_link_inside_the_project(box: Box) -> None:
    box.write({"project/config/a.yaml": PRESET, "shared/b.yaml": PRESET})
    (box.folder / "project" / "presets").symlink_to("config")
    (box.folder / "project" / "foreign").symlink_to("../shared")
    box.commit()
    revision = Repository.find(box.folder / "project").open("HEAD")
    assert list(revision.list_yaml("presets")) == ["presets/a.yaml"]
    assert revision.holds_project
    with pytest.raises(GitError, match=r"'foreign' leads outside the project \(in HEAD \("):
        revision.list_yaml("foreign")


def test_a_project_that_used_to_be_a_link_is_read_through_it(box: Box) -> None:
    box.write({"real/presets/a.yaml": PRESET})
    (box.folder / "project").symlink_to("real")
    old = box.commit()
    assert list(Repository.find(box.folder).open(old, "project").list_yaml("presets")) == ["presets/a.yaml"]
    (box.folder / "circle").symlink_to("circle")
    box.commit()
    with pytest.raises(GitError, match="leads to itself"):
        Repository.find(box.folder).open("HEAD", "circle").list_yaml("presets")


NAMES = st.sampled_from(
    ["a.yaml", "b.yml", "c.md", "sub", "presets", ".hidden", "cafe\u0301.yaml", "x y.yaml"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TARGETS = st.builds(lambda up, path: "../" * up + path, st.integers(0, 4), PATHS)
TREES = st.lists(st.tuples(PATHS, st.one_of(st.none(), TARGETS)), max_size=12)


def outcome(act, *problems: type[Exception]) -> object:
    try:
        return act()
    except problems:
        return "a problem"


@given(tree=TREES, prefix=st.sampled_from(["", "presets", "sub/presets"]), asked=st.lists(PATHS, max_size=6))
@example(tree=[("presets/a.yaml", "../sub"), ("sub/b.yml", None)], prefix="", asked=["presets/a.yaml/b.yml"])
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_a_revision_reads_as_its_checkout_does(tree, prefix: str, asked) -> None:
    with tempfile.TemporaryDirectory() as top:
        box = start(Path(top, "box"))
        for name, target in [*tree, (f"{prefix}/z.yaml".lstrip("/"), None)]:
            path = box.folder / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(name, encoding="utf-8") if target is None else path.symlink_to(target)
            except OSError:  # the name is taken
                continue
        box.git("add", "--all")
        box.git("commit", "--quiet", "--message", "a change")
        box.git("clean", "-dfq")  # empty folders are on disk only
        root = box.folder / prefix
        if not root.is_dir():
            return
        root = root.resolve()
        if not root.is_relative_to(box.folder.resolve()):
            return
        disk, revision = Folder(root), Repository.find(root).open("HEAD")
        for folder in ("presets", ".", "sub"):
            listed = outcome(lambda: sorted(revision.list_yaml(folder)), GitError)  # noqa: B023
            if listed == "a problem":
                assert not (root / folder).exists() or not (root / folder).resolve().is_relative_to(root)
            else:
                assert listed == sorted(disk.list_yaml(folder))
        for name in [*(name for name, _ in tree), *asked, *disk.list_yaml(".")]:
            expected = outcome(lambda: disk.read(name), FileProblem)  # noqa: B023
            assert outcome(lambda: revision.read(name), FileProblem) == expected  # noqa: B023


# Where the repository is


def test_a_bare_repository_is_read_with_the_prefix_it_is_given(box: Box, tmp_path: Path) -> None:
    box.commit({"services/chat/presets/a.yaml": PRESET})
    bare = box.clone(tmp_path / "bare.git", "--bare")
    repository = Repository.find(bare.folder)
    assert (repository.bare, repository.prefix) == (True, "")
    revision = repository.open("main", "services/chat/")
    assert list(revision.list_yaml("presets")) == ["presets/a.yaml"]
    assert not repository.open("main", ".").holds_project


def test_a_bare_repository_that_git_is_told_not_to_use_is_named(box: Box, tmp_path, monkeypatch) -> None:
    box.commit({"presets/a.yaml": PRESET})
    bare = box.clone(tmp_path / "bare.git", "--bare")
    configure(monkeypatch, "safe.bareRepository", "explicit")
    with pytest.raises(GitError, match=r"'safe\.bareRepository' not to use the bare repository"):
        Repository.find(bare.folder)


def configure(monkeypatch: pytest.MonkeyPatch, key: str, value: str) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", key)
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", value)


def test_a_linked_worktree_has_its_own_head(box: Box, tmp_path: Path) -> None:
    box.commit({"presets/a.yaml": PRESET})
    box.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    side = Box(tmp_path / "side")
    side.commit({"presets/b.yaml": PRESET})
    assert len(list(Repository.find(box.folder).open("HEAD").list_yaml("presets"))) == 1
    assert len(list(Repository.find(side.folder).open("HEAD").list_yaml("presets"))) == 2
    assert len(list(Repository.find(box.folder).open("side").list_yaml("presets"))) == 2


def test_a_worktree_whose_repository_is_gone_says_where_it_was(box: Box, tmp_path: Path) -> None:
    box.commit({"presets/a.yaml": PRESET})
    box.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    shutil.rmtree(box.folder)
    with pytest.raises(GitError, match=f"should be at '{box.folder}/.git/worktrees/side' and is not"):
        Repository.find(tmp_path / "side")


def test_a_project_inside_a_submodule_is_read_from_the_submodule(box: Box, tmp_path: Path) -> None:
    inner = start(tmp_path / "inner")
    inner.commit({"presets/a.yaml": PRESET})
    box.git("submodule", "--quiet", "add", f"file://{inner.folder}", "vendor/inner")
    box.commit()
    repository = Repository.find(box.folder / "vendor" / "inner")
    assert repository.prefix == ""
    assert list(repository.open("HEAD").list_yaml("presets")) == ["presets/a.yaml"]


def test_a_submodule_among_the_presets_is_an_error_and_no_silence(box: Box, tmp_path: Path) -> None:
    inner = start(tmp_path / "inner")
    inner.commit({"b.yaml": PRESET})
    box.commit({"presets/a.yaml": PRESET})
    box.git("submodule", "--quiet", "add", f"file://{inner.folder}", "presets/inner")
    box.commit()
    repository = Repository.find(box.folder)
    revision = repository.open("HEAD")
    with pytest.raises(GitError, match=r"'presets/inner' is a submodule in HEAD \(.{7}\)"):
        revision.list_yaml("presets")
    with pytest.raises(FileProblem, match="'inner' is a submodule"):
        revision.read("presets/inner/b.yaml")
    with pytest.raises(FileProblem, match="'presets/inner' is a submodule"):
        revision.read("presets/inner")
    with pytest.raises(GitError, match="'presets/inner' is a submodule"):
        repository.open("HEAD", "presets/inner").list_yaml(".")
    assert list(repository.open("HEAD~1").list_yaml("presets")) == ["presets/a.yaml"]


def test_a_folder_in_no_repository_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(GitError, match=rf"'{tmp_path}' lies in no git repository"):
        Repository.find(tmp_path)
    with pytest.raises(GitError, match="there is no folder"):
        Repository.find(tmp_path / "missing")


def test_a_repository_of_somebody_else_is_named_with_the_way_to_trust_it(box: Box, monkeypatch) -> None:
    box.commit({"presets/a.yaml": PRESET})
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitError, match=f"git config --global --add safe.directory '{box.folder}'"):
        Repository.find(box.folder)
    configure(monkeypatch, "safe.directory", str(box.folder))
    assert Repository.find(box.folder).open("HEAD").holds_project


def test_a_broken_repository_is_an_error_in_gits_words(box: Box) -> None:
    commit = box.commit({"presets/a.yaml": PRESET})
    repository = Repository.find(box.folder)
    revision = repository.open(commit)
    blob = box.git("rev-parse", "HEAD:presets/a.yaml")
    (box.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError, match=f"the object {blob} is missing"):
        revision.read("presets/a.yaml")
    tree = box.git("rev-parse", "HEAD:presets")
    (box.folder / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(GitError, match="git cannot read the repository of"):
        repository.open(commit).list_yaml("presets")
    (box.folder / ".git" / "config").write_text("[broken", encoding="utf-8")
    with pytest.raises(GitError, match="bad config"):
        Repository.find(box.folder)


def test_what_is_missing_beside_a_file_does_not_hinder_its_reading(box: Box) -> None:
    commit = box.commit({"presets/a.yaml": PRESET, "presets/b.yaml": "lost: true\n"})
    blob = box.git("rev-parse", "HEAD:presets/b.yaml")
    (box.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert Repository.find(box.folder).open(commit).read("presets/a.yaml") == PRESET.encode()


def test_without_git_the_error_says_so(box: Box, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="no program 'git' on the PATH"):
        Repository.find(box.folder)


def put_program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    folder.mkdir()
    program = folder / "git"
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_git_that_does_not_end_is_ended(box: Box, tmp_path: Path, monkeypatch) -> None:
    put_program(tmp_path / "bin", monkeypatch, f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    monkeypatch.setattr(module, "TIME_LIMIT", 0.5)
    started = time.monotonic()
    with pytest.raises(GitError, match=r"did not answer within 0\.5 seconds"):
        Repository.find(box.folder)
    assert time.monotonic() - started < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_git_that_cannot_be_started_is_an_error(box: Box, tmp_path: Path, monkeypatch) -> None:
    put_program(tmp_path / "bin", monkeypatch, "#!/no/such/interpreter\n")
    with pytest.raises(GitError, match="git cannot be started"):
        Repository.find(box.folder)


def test_a_git_that_fails_without_a_word_is_an_error(box: Box, tmp_path: Path, monkeypatch) -> None:
    put_program(tmp_path / "bin", monkeypatch, "#!/bin/sh\nexit 3\n")
    with pytest.raises(GitError, match="it ended with 3 and said nothing"):
        Repository.find(box.folder)


# What a revision is called


def test_revisions_mean_what_they_mean_to_git(box: Box) -> None:
    first = box.commit({"presets/a.yaml": PRESET})
    box.git("tag", "light")
    box.git("tag", "--annotate", "--message", "a release", "v1")
    box.git("tag", "--annotate", "--message", "a tag of a tag", "v1-again", "v1")
    second = box.commit({"presets/b.yaml": PRESET})
    box.git("checkout", "--quiet", "--detach")
    repository = Repository.find(box.folder)
    for name in ("light", "v1", "v1-again", "HEAD~1", "main^", "main@{1}", "refs/tags/v1", first, first[:8]):
        assert repository.resolve(name) == first
    for name in ("HEAD", "@", "main", "HEAD^{/a change}", "HEAD@{2037-12-31 10:00:00}"):
        assert repository.resolve(name) == second
    assert repository.open("v1").label == f"v1 ({first[:7]})"
    assert repository.open(first).label == first[:7]
    assert repository.open(first[:10]).label == first[:7]


@pytest.mark.parametrize(
    ("revision", "reason"),
    [
        ("", "it is empty"),
        (" ", "it is empty"),
        ("-x", "it reads like an option"),
        ("--upload-pack=touch x", "it reads like an option"),
        ("--output=x", "it reads like an option"),
        ("a\nb", "a character that no name has"),
        ("a\0b", "a character that no name has"),
        ("main..HEAD", "it is a range"),
        ("main...HEAD", "it is a range"),
        ("main:presets/a.yaml", "it names a file"),
        (":/a change", "it names a file or a search"),
        ("^main", "it excludes a commit"),
        ("main^@", "it means several commits"),
        ("main^!", "it means several commits"),
    ],
)
def test_what_is_no_revision_never_reaches_git(box: Box, revision: str, reason: str, monkeypatch) -> None:
    box.commit({"presets/a.yaml": PRESET})
    repository = Repository.find(box.folder)
    monkeypatch.setattr(module.Git, "run", None)
    with pytest.raises(UsageError, match=reason):
        repository.resolve(revision)


@pytest.mark.parametrize(
    ("revision", "message"),
    [
        ("mian", r"there is no revision 'mian' in this repository; did you mean 'main'\?$"),
        ("feature/router", r"there is no revision 'feature/router' in this repository$"),
        ("topic", r"did you mean 'origin/topic'\?$"),
        ("main~7", r"^'main' has no commit '~7'$"),
        ("main@{40}", r"^'main' has no commit '@\{40\}': its log has \d+ entries$"),
        ("0" * 39 + "1", "there is no revision"),
        ("HEAD^{tree}", "'HEAD\\^\\{tree\\}' is a tree, not a commit"),
        ("file", "'file' is a blob, not a commit"),
    ],
)
def test_an_unknown_revision_is_wrong_usage_with_what_was_meant(
    box: Box, revision: str, message: str
) -> None:
    commit = box.commit({"presets/a.yaml": PRESET})
    box.git("update-ref", "refs/remotes/origin/topic", commit)
    box.git("tag", "file", "HEAD:presets/a.yaml")
    with pytest.raises(UsageError, match=message):
        Repository.find(box.folder).resolve(revision)


def test_the_start_of_several_ids_is_too_short(box: Box) -> None:
    commits = "".join(
        f"commit refs/heads/main\ncommitter A <a@example.com> {number} +0000\ndata 0\n"
        for number in range(900)
    )
    box.git("fast-import", "--quiet", given=commits)
    starts = [line[:4] for line in box.git("rev-list", "main").splitlines()]
    twice = next(start for start in starts if starts.count(start) > 1)
    with pytest.raises(UsageError, match=f"'{twice}' is the start of several ids"):
        Repository.find(box.folder).resolve(twice)


def test_a_repository_without_a_commit_says_so(box: Box) -> None:
    box.write({"presets/a.yaml": PRESET})
    repository = Repository.find(box.folder)
    for revision in ("HEAD", "@", "HEAD~1"):
        with pytest.raises(UsageError, match=f"'{revision}' means nothing yet: nothing is committed"):
            repository.open(revision)
    with pytest.raises(UsageError, match="there is no revision 'main'"):
        repository.open("main")


def test_the_merge_base_is_where_two_branches_parted(box: Box) -> None:
    base = box.commit({"presets/a.yaml": PRESET})
    box.git("checkout", "--quiet", "-b", "side")
    box.commit({"presets/b.yaml": PRESET})
    box.git("checkout", "--quiet", "main")
    box.commit({"presets/c.yaml": PRESET})
    repository = Repository.find(box.folder)
    assert repository.merge_base("main", "side") == repository.merge_base("side", "main") == base
    box.git("checkout", "--quiet", "--orphan", "alone")
    box.commit()
    with pytest.raises(UsageError, match=r"'main' and 'alone' have no common history$"):
        repository.merge_base("main", "alone")
    with pytest.raises(UsageError, match="did you mean 'side'"):
        repository.merge_base("main", "sied")


# Clones that lack something


def test_a_shallow_clone_says_how_to_deepen_it(box: Box, tmp_path: Path) -> None:
    old = box.commit({"presets/a.yaml": PRESET})
    box.git("branch", "side")
    box.commit({"presets/b.yaml": PRESET})
    box.git("checkout", "--quiet", "side")
    box.commit({"presets/c.yaml": PRESET})
    clone = box.clone(tmp_path / "clone", "--depth=1", "--no-single-branch", "--branch=main")
    repository = Repository.find(clone.folder)
    assert repository.shallow
    assert len(list(repository.open("HEAD").list_yaml("presets"))) == 2
    for revision in ("HEAD~1", old, "gone"):
        with pytest.raises(
            UsageError, match=r"this clone is shallow: 'git fetch --unshallow'.*fetch-depth: 0"
        ):
            repository.open(revision)
    with pytest.raises(UsageError, match="have no common history; this clone is shallow"):
        repository.merge_base("main", "origin/side")
    clone.git("fetch", "--quiet", "--unshallow")
    assert Repository.find(clone.folder).merge_base("main", "origin/side") == old


@pytest.mark.parametrize("what", ["blob:none", "tree:0"])
def test_a_partial_clone_is_never_completed_behind_its_owners_back(
    box: Box, tmp_path: Path, what: str
) -> None:
    box.commit({"presets/a.yaml": PRESET})
    box.git("config", "uploadpack.allowFilter", "true")
    clone = box.clone(tmp_path / "clone", f"--filter={what}", "--no-checkout")
    before = snapshot(clone.folder)
    revision = Repository.find(clone.folder).open("HEAD")
    with pytest.raises(
        GitError, match=r"this is a partial clone.*'git fetch --refetch --no-filter' brings them"
    ):
        revision.read("presets/a.yaml")
    assert snapshot(clone.folder) == before
    clone.git("fetch", "--quiet", "--refetch", "--no-filter")
    assert revision.read("presets/a.yaml") == PRESET.encode()


# What the surroundings say

PROGRAM = """
import sys
from pathlib import Path
from orpolicy.review.git import Repository
folder, revision, *prefix = sys.argv[1:]
found = Repository.find(Path(folder)).open(revision, *prefix)
print(found.commit, *sorted(found.list_yaml("presets")), (found.read("presets/a.yaml") or b"").decode().strip())
"""


def install_hook(box: Box, name: str, command: str, root: Path) -> None:
    """Install a hook that runs a program with this package."""
    hook = Path(box.git("rev-parse", "--absolute-git-dir")) / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    program = hook.parent / "program.py"
    program.write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    run = f'PYTHONPATH="{root}" "{sys.executable}" "{program}"'
    hook.write_text(
        f"#!/bin/sh\nset -e\nenv > {hook.parent}/env\n{command.format(run=run)}\n", encoding="utf-8"
    )
    hook.chmod(0o755)


@pytest.mark.parametrize("worktree", [False, True])
def test_a_hook_before_a_commit_sees_the_last_commit(box: Box, tmp_path: Path, root: Path, worktree) -> None:
    box.commit({"services/chat/presets/a.yaml": "model: old\n"})
    install_hook(box, "pre-commit", f"cd services/chat; {{run}} . HEAD > {tmp_path}/out", root)
    if worktree:
        box.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
        box = Box(tmp_path / "side")
    before = box.git("rev-parse", "HEAD")
    box.write({"services/chat/presets/a.yaml": "model: new\n"})
    box.git("commit", "--quiet", "--message", "new", "--", "services")
    assert (tmp_path / "out").read_text().split("\n")[0] == f"{before} presets/a.yaml model: old"
    environment = Path(
        box.git("rev-parse", "--path-format=absolute", "--git-common-dir"), "hooks", "env"
    ).read_text()
    assert "GIT_INDEX_FILE=" in environment
    assert ("GIT_DIR=" in environment) is worktree


def test_a_hook_before_a_push_is_taken_in_sees_what_is_pushed(box: Box, tmp_path: Path, root: Path) -> None:
    box.commit({"presets/a.yaml": "model: old\n"})
    bare = box.clone(tmp_path / "bare.git", "--bare")
    install_hook(bare, "pre-receive", f"read old new name; {{run}} . $new '' > {tmp_path}/out", root)
    new = box.commit({"presets/a.yaml": "model: new\n"})
    box.git("push", "--quiet", str(bare.folder), "main")
    assert (tmp_path / "out").read_text().strip() == f"{new} presets/a.yaml model: new"
    assert "GIT_QUARANTINE_PATH=" in (bare.folder / "hooks" / "env").read_text()


def test_the_folder_decides_and_no_variable_of_a_hook(box: Box, tmp_path: Path, monkeypatch) -> None:
    box.commit({"presets/a.yaml": PRESET})
    other = start(tmp_path / "other")
    other.commit({"presets/other.yaml": PRESET})
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.folder / ".git" / "objects"))
    monkeypatch.setenv("GIT_PREFIX", "elsewhere/")
    assert list(Repository.find(box.folder).open("HEAD").list_yaml("presets")) == ["presets/a.yaml"]


def test_a_folder_in_no_repository_may_be_the_work_tree_that_the_variables_name(
    box: Box, tmp_path: Path, monkeypatch
) -> None:
    box.commit({"site/presets/a.yaml": PRESET})
    tree = tmp_path / "tree"
    shutil.copytree(box.folder, tree, ignore=shutil.ignore_patterns(".git"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(box.folder / ".git"))
    with pytest.raises(GitError, match="lies in no git repository"):
        Repository.find(tree)
    monkeypatch.setenv("GIT_WORK_TREE", str(tree))
    repository = Repository.find(tree / "site")
    assert repository.prefix == "site"
    assert list(repository.open("HEAD").list_yaml("presets")) == ["presets/a.yaml"]
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(GitError, match="lies in no git repository"):
        Repository.find(outside)


def test_nothing_that_the_settings_name_is_started(box: Box, tmp_path: Path) -> None:
    box.commit({".gitattributes": "*.yaml filter=spy diff=spy\n", "presets/a.yaml": PRESET})
    spy = tmp_path / "spy"
    spy.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n", encoding="utf-8")
    spy.chmod(0o755)
    keys = ("core.fsmonitor", "core.pager", "filter.spy.smudge", "filter.spy.clean", "diff.spy.textconv")
    for key in (*keys, "core.sshCommand", "core.askPass", "credential.helper", "diff.external"):
        box.git("config", key, str(spy))
    box.git("config", "alias.ls-tree", f"!{spy}")
    revision = Repository.find(box.folder).open("HEAD")
    assert revision.read(next(iter(revision.list_yaml("presets")))) == PRESET.encode()
    assert not (tmp_path / "started").exists()


def test_the_language_of_the_user_changes_no_message(box: Box, monkeypatch) -> None:
    box.commit()
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    with pytest.raises(UsageError, match="'main' has no commit '~7'"):
        Repository.find(box.folder).resolve("main~7")


# What it costs, and what it leaves


def count_runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Keep the arguments of every process that is started from here on."""
    runs: list[tuple[str, ...]] = []
    run = module.Git.run

    def counted(self: module.Git, *arguments: str, given: bytes = b""):
        runs.append(arguments)
        return run(self, *arguments, given=given)

    monkeypatch.setattr(module.Git, "run", counted)
    return runs


def test_a_thousand_presets_and_their_prompts_take_a_dozen_processes(box: Box, monkeypatch) -> None:
    box.write({"orpolicy.yaml": "presets: presets\n", "mkdocs.yml": "x: y\n"})
    box.write({f"presets/{n % 20}/{n}.yaml": f"description: {n}\n" for n in range(1000)})
    box.write({f"prompts/{n % 20}/{n}.md": f"{n}" for n in range(1000)})
    (box.folder / "presets" / "link.yaml").symlink_to("1/1.yaml")
    box.commit()
    runs = count_runs(monkeypatch)
    revision = Repository.find(box.folder).open("HEAD")
    assert revision.read("orpolicy.yaml")
    names = list(revision.list_yaml("presets"))
    assert len(names) == 1001
    assert all(revision.read(name) for name in names)
    assert all(revision.read(f"prompts/{n % 20}/{n}.md") == b"%d" % n for n in range(1000))
    assert len(runs) <= 12, runs


def test_the_rest_of_a_large_repository_is_not_listed(box: Box, monkeypatch) -> None:
    box.commit(
        {"services/chat/presets/a.yaml": PRESET, "services/huge/x/y.yaml": PRESET, "huge/z.yaml": PRESET}
    )
    runs = count_runs(monkeypatch)
    revision = Repository.find(box.folder / "services" / "chat").open("HEAD")
    list(revision.list_yaml("presets"))
    whole = [arguments[-1] for arguments in runs if "-r" in arguments]
    assert whole == [box.git("rev-parse", "HEAD:services/chat/presets")]


def test_memory_stays_bounded_however_much_there_is(box: Box, monkeypatch) -> None:
    box.commit({f"presets/{number}.yaml": f"# {number}" + "x" * 100 for number in range(10)})
    monkeypatch.setattr(reading, "MAX_BATCH", 350)
    runs = count_runs(monkeypatch)
    revision = Repository.find(box.folder).open("HEAD")
    assert all(revision.read(name) for name in revision.list_yaml("presets"))
    assert sum(arguments == ("cat-file", "--buffer", "--batch") for arguments in runs) == 4


def test_nothing_in_the_repository_changes(box: Box) -> None:
    box.commit({"presets/a.yaml": PRESET})
    box.commit({"presets/b.yaml": PRESET})
    box.write({"presets/a.yaml": "dirty: true\n", "presets/new.yaml": PRESET})
    (box.folder / "presets" / "b.yaml").touch()  # the index would be refreshed now
    before = snapshot(box.folder)
    repository = Repository.find(box.folder)
    for revision in ("HEAD", "HEAD~1", repository.merge_base("HEAD", "HEAD~1")):
        Project(Workspace(repository.open(revision), Workspace(Library()))).check()
    with pytest.raises(UsageError):
        repository.resolve("gone")
    assert snapshot(box.folder) == before


STARTERS = {"system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile"}


def test_no_other_module_starts_a_program_and_one_copies_itself(root: Path) -> None:
    package = root / "orpolicy"
    found, copying = set(), set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            starts = any(name.split(".")[0] in ("subprocess", "pty") for name in names)
            if any(name.split(".")[0] == "multiprocessing" for name in names):
                copying.add(file.relative_to(package).as_posix())
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
                starts = node.attr in STARTERS or node.attr.startswith(("exec", "spawn"))
            if isinstance(node, ast.Attribute) and node.attr.startswith("create_subprocess"):
                starts = True
            if starts:
                found.add(file.relative_to(package).as_posix())
    assert found == {"review/git.py"}
    assert copying == {"processes.py"}


def test_a_blob_too_large_for_a_snapshot_is_never_read(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orpolicy.review.revision.MAX_BATCH", 1024 * 1024)
    box.commit({"catalog.json": b"x" * (1024 * 1024 + 1)})
    revision = Repository.find(box.folder).open("HEAD")
    with pytest.raises(FileProblem, match=r"'catalog.json' is larger than 1 MiB"):
        revision.read_whole("catalog.json")


def test_no_program_that_a_repository_names_is_run(box: Box, tmp_path: Path) -> None:
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\necho $0 $* >> '{sprung}'\n")
    trap.chmod(0o755)
    box.commit({"presets/a.yaml": PRESET})
    keys = [
        *("core.fsmonitor", "core.pager", "core.sshCommand", "core.askPass", "core.alternateRefsCommand"),
        *("diff.external", "diff.x.textconv", "filter.x.clean", "filter.x.smudge", "filter.x.process"),
        *(
            "pager.ls-tree",
            "pager.rev-parse",
            "credential.helper",
            "gpg.program",
            "uploadpack.packObjectsHook",
        ),
    ]
    aliases = [f"alias.{verb}" for verb in ("rev-parse", "merge-base", "ls-tree", "cat-file", "for-each-ref")]
    told = {**dict.fromkeys(keys, str(trap)), **dict.fromkeys(aliases, f"!{trap}")}
    told |= {
        "extensions.partialClone": "origin",
        "remote.origin.url": f"ext::{trap}",
        "protocol.allow": "always",
    }
    for key, value in told.items():
        box.git("config", key, value)
    (box.folder / ".git" / "info").mkdir(exist_ok=True)
    (box.folder / ".git" / "info" / "attributes").write_text("* filter=x diff=x\n")
    repository = Repository.find(box.folder)
    assert list(repository.open("HEAD").list_yaml("presets")) == ["presets/a.yaml"]
    assert repository.open("HEAD").read("presets/a.yaml") == PRESET.encode()
    assert repository.merge_base("HEAD", "HEAD")
    blob = box.git("rev-parse", "HEAD:presets/a.yaml").strip()
    (box.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError):
        repository.open("HEAD").read("presets/a.yaml")
    with pytest.raises(UsageError):
        repository.open("nothing")
    assert not sprung.exists()
