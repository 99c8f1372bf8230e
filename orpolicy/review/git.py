"""Git, asked and never told: the only module that starts a process.

.. code-block:: text

    rev-parse       where the repository is; the commit that a revision means
    merge-base      where two branches parted
    ls-tree         the entries of a tree
    cat-file        sizes and contents of blobs, many at once
    for-each-ref    names like one that does not exist

Nothing is checked out, fetched, locked or written, no hook, pager, filter or monitor is started, and git is ended after
``TIME_LIMIT``. Which repository it is follows from the folder: the variables that git sets for a hook name the repository
whose hook runs, and its index. They are taken at their word in two ways only. Objects that a push has brought and nothing
holds yet are read. And a folder in no repository may be the work tree that ``GIT_DIR`` and ``GIT_WORK_TREE`` name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess  # this module is its only user
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from attrs import field, frozen

from orpolicy.errors import GitError, UsageError
from orpolicy.review.revision import Revision
from orpolicy.review.revision_names import refuse_other, split_steps, suggest
from orpolicy.review.trees import decode_name, parse_blobs, parse_sizes, parse_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from orpolicy.review.trees import Entry, Parts

__all__ = ["Repository", "Revision"]

TIME_LIMIT = 60.0
"""Seconds that one question to git may take."""

_OPTIONS = ("--no-pager", "-c", "core.fsmonitor=false")
_FIXED = {
    "LC_ALL": "C",  # what git says is read by the table below
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # the same for versions that do not know the line above
    "GIT_TERMINAL_PROMPT": "0",
}
_OF_HOOKS = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_SHALLOW_FILE"),
    *("GIT_IMPLICIT_WORK_TREE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE", "GIT_GRAFT_FILE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"),
)
_DEEPEN = "'git fetch --unshallow' brings the rest (in GitHub Actions: 'fetch-depth: 0' for actions/checkout)"

_UNTRUSTED = "git does not trust '{what}', which belongs to somebody else; if you do: "
_PARTIAL = "this is a partial clone, which lacks objects of that revision, and nothing is fetched for you: "
_REASONS: tuple[tuple[str, str], ...] = (
    (
        r"(?:dubious ownership|unsafe repository)[^']*'(?P<what>[^']*)'",
        f"{_UNTRUSTED}git config --global --add safe.directory '{{what}}'",
    ),
    (
        r"cannot use bare repository '(?P<what>[^']*)'",
        "git is told by 'safe.bareRepository' not to use the bare repository '{what}'; a clone of it will do",
    ),
    (
        r"not a git repository: '?(?P<what>[^'\n]+)",
        "the repository of '{folder}' should be at '{what}' and is not: it was moved or removed",
    ),
    (r"not a git repository", "'{folder}' lies in no git repository"),
    (
        r"promisor remote|transport '[^']*' not allowed",
        f"{_PARTIAL}'git fetch --refetch --no-filter' brings them",
    ),
)
"""What git says and what it means; the first that is found counts, and else git's own words are passed on."""


@frozen
class Git:
    """The program, the folder it is asked about, and the variables it sees."""

    program: str
    folder: Path
    variables: Mapping[str, str] = field(repr=False)

    @classmethod
    def find(cls, folder: Path) -> Git:
        """Find the program.

        Raises:
            GitError: there is none.
        """
        program = shutil.which("git")
        if program is None:
            raise GitError("revisions are read with git, and there is no program 'git' on the PATH")
        variables = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
        stores = [os.environ.get("GIT_OBJECT_DIRECTORY"), os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")]
        if any(stores):
            # To see objects of another repository does no harm, to see nothing else would.
            variables["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = os.pathsep.join(filter(None, stores))
        # A relative PATH would name another program from within the folder.
        return cls(str(Path(program).absolute()), folder, variables | _FIXED)

    def run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Ask something, and return what came of it, be it a failure.

        Raises:
            GitError: git cannot be started, or does not end in time.
        """
        try:
            return subprocess.run(  # noqa: S603 - a full path, and arguments that hold no option of others
                [self.program, *_OPTIONS, *arguments],
                cwd=self.folder,
                env=self.variables,
                input=given,
                capture_output=True,
                timeout=TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise GitError(f"git did not answer within {TIME_LIMIT:g} seconds and was ended") from exc
        except OSError as exc:
            raise GitError(f"git cannot be started in '{self.folder}': {exc.strerror or exc}") from exc

    def ask(self, *arguments: str, given: bytes = b"") -> bytes:
        """Ask something, and return the answer.

        Raises:
            GitError: git fails; its message says why.
        """
        done = self.run(*arguments, given=given)
        if done.returncode:
            raise GitError(self.explain(done))
        return done.stdout

    def explain(self, done: subprocess.CompletedProcess[bytes]) -> str:
        """Say in a sentence why git failed."""
        said = done.stderr.decode("utf-8", "replace")
        for pattern, message in _REASONS:
            if match := re.search(pattern, said):
                return message.format(folder=self.folder, **match.groupdict())
        lines = re.findall(r"^(?:fatal|error): (.*)", said, re.MULTILINE)
        reason = lines[-1] if lines else f"it ended with {done.returncode} and said nothing"
        return f"git cannot read the repository of '{self.folder}': {reason}"


@frozen
class Repository:
    """A repository as seen from a folder in it; ``prefix`` is that folder relative to the top, empty at the top.

    A bare repository has no folders: there the prefix is empty, and a project below the top is named when it is opened.
    """

    git: Git = field(repr=False)
    prefix: str
    bare: bool
    shallow: bool

    @classmethod
    def find(cls, folder: Path) -> Repository:
        """Find the repository that a folder lies in.

        Raises:
            GitError: there is none, or no git, or git refuses it: the message says what to do.
        """
        if not folder.is_dir():
            raise GitError(f"there is no folder '{folder}'")
        git = Git.find(folder.absolute())
        done = _locate(git)
        named = {name: os.environ.get(name) for name in ("GIT_DIR", "GIT_WORK_TREE")}
        if b"not a git repository" in done.stderr and all(named.values()):
            paths = {name: str(Path(path).absolute()) for name, path in named.items() if path}
            other = Git(git.program, git.folder, {**git.variables, **paths})
            if (answer := _locate(other)).stdout.startswith(b"false\ntrue\n"):
                git, done = other, answer
        if done.returncode:
            raise GitError(git.explain(done))
        bare, _, shallow, prefix = done.stdout.split(b"\n", 3)
        return cls(git, decode_name(prefix[:-1]).removesuffix("/"), bare == b"true", shallow == b"true")

    def resolve(self, revision: str) -> str:
        """Return the full id of the commit that a revision means; tags are followed.

        Raises:
            UsageError: it means none, or several, or is no revision at all.
            GitError: git cannot say.
        """
        refuse_other(revision)
        done = self._parse(revision)
        if done.returncode == 0 and _ID.fullmatch(done.stdout.strip()):
            return done.stdout.strip().decode("ascii")
        said = done.stderr.decode("utf-8", "replace")
        if kind := re.search(r"dereferences to (\w+) type", said):
            raise UsageError(f"'{revision}' is a {kind[1]}, not a commit")
        if re.search(r"short .* is ambiguous", said):
            raise UsageError(f"'{revision}' is the start of several ids; write more of it")
        if any(re.search(pattern, said) for pattern, _ in _REASONS):
            raise GitError(self.git.explain(done))
        raise UsageError(self._explain_unknown(revision, said))

    def merge_base(self, one: str, other: str) -> str:
        """Return the id of the commit at which two revisions parted: the old side of ``ONE...OTHER``.

        Raises:
            UsageError: a revision means no commit, or the two have no common history here.
            GitError: git cannot say.
        """
        done = self.git.run("merge-base", self.resolve(one), self.resolve(other))
        base = done.stdout.strip().decode("ascii")
        if done.returncode == 1 and not base:
            hint = f"; this clone is shallow: {_DEEPEN}" if self.shallow else ""
            raise UsageError(f"'{one}' and '{other}' have no common history{hint}")
        if done.returncode:
            raise GitError(self.git.explain(done))
        return base

    def open(self, revision: str, prefix: str | None = None) -> Revision:
        """Return the project as it was at a revision; ``prefix`` is its folder where it is not the one found.

        A project that did not exist there is empty.

        Raises:
            UsageError: the revision means no commit.
            GitError: git cannot say.
        """
        commit = self.resolve(revision)
        short = commit[:7]
        label = short if commit.startswith(revision) else f"{revision} ({short})"
        folder = self.prefix if prefix is None else PurePosixPath(prefix).as_posix()
        return Revision(self, commit, label, "" if folder == "." else folder)

    def list_names(self) -> list[str]:
        """Name branches and tags, as many as somebody looks through."""
        listed = self.git.ask("for-each-ref", f"--count={_MANY}", "--format=%(refname:short)")
        return decode_name(listed).splitlines()

    def list_tree(self, tree: str, *, whole: bool) -> Iterator[tuple[Parts, Entry]]:
        """Yield the entries of a tree, or of all trees below it too.

        Raises:
            GitError: git cannot read a tree.
        """
        deep = ("-r", "-t") if whole else ()
        return parse_tree(self.git.ask("ls-tree", "-z", "--full-tree", *deep, tree))

    def measure_blobs(self, blobs: Collection[str]) -> Mapping[str, int]:
        """Return the sizes of blobs in bytes.

        Raises:
            GitError: one is not there.
        """
        return parse_sizes(blobs, self._cat("--batch-check", blobs))

    def read_blobs(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        """Return the contents of blobs.

        Raises:
            GitError: one is not there.
        """
        return parse_blobs(blobs, self._cat("--batch", blobs))

    def _cat(self, how: str, blobs: Collection[str]) -> bytes:
        return self.git.ask(
            "cat-file", "--buffer", how, given="".join(f"{blob}\n" for blob in blobs).encode("ascii")
        )

    def _parse(self, revision: str) -> subprocess.CompletedProcess[bytes]:
        return self.git.run("rev-parse", "--verify", f"{revision}^{{commit}}")

    def _explain_unknown(self, revision: str, said: str) -> str:
        """Say why a revision means nothing here, and what was meant perhaps."""
        base, steps = split_steps(revision)
        if base in ("HEAD", "@") and self._parse("HEAD").returncode:
            return f"'{revision}' means nothing yet: nothing is committed"
        if steps and self._parse(base).returncode == 0:
            log = re.search(r"log for .* only has (\d+) entries", said)
            reason = f"'{base}' has no commit '{steps}'" + (f": its log has {log[1]} entries" if log else "")
        else:
            similar = suggest(base, self.list_names())
            reason = f"there is no revision '{revision}' in this repository"
            reason += f"; did you mean '{similar}'?" if similar else ""
        return f"{reason}; this clone is shallow: {_DEEPEN}" if self.shallow else reason


_ID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MANY = 2000
"""Names that are looked through for one like another."""


def _locate(git: Git) -> subprocess.CompletedProcess[bytes]:
    """Ask where the repository is; the prefix comes last, for a name may hold line feeds."""
    flags = ("--is-bare-repository", "--is-inside-work-tree", "--is-shallow-repository", "--show-prefix")
    return git.run("rev-parse", *flags)
