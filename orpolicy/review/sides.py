"""The two sides of a comparison: what an argument names, and what it comes to.

=============================  =====================================================================================
argument                       side
=============================  =====================================================================================
(none)                         ``HEAD`` on the old side, the working tree on the new one
``main``, ``v1.2``, ``HEAD~3``  the project at a git revision, with the snapshot of that revision
``main...feature``             both sides: where the two parted, and the second; either may be left out, for ``HEAD``
``orpolicy.lock``              an existing file: a lock
``../other``                   an existing folder: the project in it
=============================  =====================================================================================

A bare name that is both a revision and a path is refused, as git refuses it; ``./main`` is the path and ``heads/main`` the
revision. In a bare repository it is the revision. A revision is read out of the repository around the project: nothing is checked out, and nothing is written.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from attrs import define, evolve, frozen

from orpolicy.disk import Library, find_root
from orpolicy.errors import CatalogError, GitError, UsageError
from orpolicy.language.files import BUILTIN, FileProblem
from orpolicy.language.workspace import Workspace
from orpolicy.locked import read_lock
from orpolicy.project import Project, load
from orpolicy.review.effects import Effects, collect_effects
from orpolicy.review.git import Repository
from orpolicy.review.lock import read_effects

if TYPE_CHECKING:
    from orpolicy.language.source import Location
    from orpolicy.review.revision import Revision
    from orpolicy.routing.catalog import Catalog

WORKING_TREE = "the working tree"
RANGE = "..."


@frozen
class Compared:
    """One side: its effects, and the folder from which its files are reached, ``None`` where they lie on no disk.

    ``prefix`` is that of a bare repository; ``holds_project`` is false where nothing is there to compare.
    """

    effects: Effects
    folder: Path | None
    holds_project: bool = True
    prefix: str = ""

    def place(self, location: Location) -> Location:
        """Name the file of a place as it is reached from the working directory."""
        if location.file.startswith((BUILTIN, "<")):
            return location
        if self.folder is None:
            return evolve(location, file=(PurePosixPath(self.prefix) / location.file).as_posix())
        try:
            file = Path(os.path.relpath(self.folder / location.file, Path.cwd())).as_posix()
        except ValueError:  # another drive of Windows
            file = (self.folder / location.file).as_posix()
        return evolve(location, file=file)


def open_sides(
    old: str | None, new: str | None, folder: str | None, catalog: Catalog | None = None
) -> tuple[Compared, Compared]:
    """Read what is to be compared; ``folder`` is the project's, else the one around the working directory.

    Raises:
        UsageError: an argument names nothing, or more than one thing; there is no project on either side.
        GitError: there is no repository, or git cannot read it.
        LockError: a lock is broken, or was edited.
        CatalogError: a snapshot cannot be read.
    """
    opener = _Opener(folder, catalog)
    if old is not None and RANGE in old and not os.path.lexists(old):
        if new is not None:
            raise UsageError(f"'{old}' names both sides already: leave out '{new}'")
        sides = opener.open_range(old)
    else:
        after = opener.open(new)
        sides = opener.open("HEAD" if old is None else old), after
    if not any(side.holds_project for side in sides):
        raise UsageError("there is no project here: no 'orpolicy.yaml' and no 'presets/' on either side")
    return sides


@define(slots=False)
class _Opener:
    """Opens sides of one project; the repository is looked for only where a revision is named."""

    folder: str | None
    catalog: Catalog | None

    @cached_property
    def start(self) -> Path:
        """The folder of the project, or what is named as one."""
        start = Path(self.folder or ".")
        return (find_root(start) or start.resolve()) if start.is_dir() else start.absolute()

    @cached_property
    def repository(self) -> Repository:
        """The repository around the project, which need not exist any more."""
        there = next(folder for folder in (self.start, *self.start.parents) if folder.is_dir())
        return Repository.find(there)

    @cached_property
    def prefix(self) -> str:
        """The project's folder below the top of the repository."""
        there = next(folder for folder in (self.start, *self.start.parents) if folder.is_dir())
        below = self.start.relative_to(there).as_posix()
        return (PurePosixPath(self.repository.prefix) / below).as_posix()

    def open(self, argument: str | None) -> Compared:
        """Open what an argument names; without one, the working tree."""
        if argument is None:
            return self._open_working_tree()
        exists = os.path.lexists(argument)
        if exists and not _is_path(argument) and self._is_revision(argument):
            if self.repository.bare:  # its own files are nobody's project
                return self._open_revision(argument)
            raise UsageError(
                f"'{argument}' is a revision and a path: write './{argument}' for the path, or the full name of the"
                f" revision, such as 'heads/{argument}'"
            )
        if not exists:
            if _is_path(argument) and argument.startswith((".", "/", "~")):
                raise UsageError(f"there is no folder and no lock '{argument}'")
            return self._open_revision(argument)
        path = Path(argument)
        return self._open_folder(path, argument) if path.is_dir() else self._open_lock(path)

    def open_range(self, argument: str) -> tuple[Compared, Compared]:
        """Open both sides of ``OLD...NEW``."""
        old, _, new = argument.partition(RANGE)
        old, new = old or "HEAD", new or "HEAD"
        base = self.repository.merge_base(old, new)
        label = f"where {new} left {old} ({base[:7]})"
        return self._read_revision(self.repository.open(base, self.prefix), label), self._open_revision(new)

    def _is_revision(self, name: str) -> bool:
        try:
            self.repository.resolve(name)
        except (UsageError, GitError):
            return False
        return True

    def _open_working_tree(self) -> Compared:
        if self.folder is None or not Path(self.folder).is_dir():
            self._refuse_bare()
        return self._open_folder(self.start, WORKING_TREE)

    def _refuse_bare(self) -> None:
        try:
            bare = self.repository.bare
        except GitError:
            return
        if bare:
            raise UsageError("a bare repository has no working tree: name two revisions to compare")

    def _open_folder(self, folder: Path, label: str) -> Compared:
        found = load(folder)
        project = Project(found.workspace, found.root, self.catalog)
        effects = collect_effects(project, label)
        return Compared(
            effects, project.root, bool(project.names) or project.workspace.settings.document is not None
        )

    def _open_lock(self, path: Path) -> Compared:
        """Read a lock; it does not say in which order endpoints are tried, so that none is kept."""
        effects = read_effects(read_lock(path), path.as_posix(), self.catalog)
        found = {
            key: evolve(effect, reached=evolve(effect.reached, basis=""))
            if effect.reached is not None and self.catalog is None
            else effect
            for key, effect in effects.found.items()
        }
        return Compared(evolve(effects, found=found), None)

    def _open_revision(self, name: str) -> Compared:
        revision = self.repository.open(name, self.prefix)
        return self._read_revision(revision, revision.label)

    def _read_revision(self, revision: Revision, label: str) -> Compared:
        workspace = Workspace(revision, Workspace(Library()))
        project = Project(workspace, given=self.catalog or _read_catalog(revision, workspace))
        folder = None if self.repository.bare else self.start
        return Compared(collect_effects(project, label), folder, revision.holds_project, self.prefix)


def _is_path(argument: str) -> bool:
    """Tell whether an argument is written as a path, which no revision is."""
    return (
        argument.startswith(("./", "../", "/", "~"))
        or argument in (".", "..")
        or argument.endswith(("/", ".lock"))
    )


def _read_catalog(revision: Revision, workspace: Workspace) -> Catalog | None:
    """Read the snapshot that was committed with a revision; ``None`` where there was none.

    Raises:
        CatalogError: it cannot be read.
    """
    name = workspace.settings.catalog
    try:
        raw = revision.read_whole(name)
    except FileProblem as problem:
        raise CatalogError(f"{problem} (in {revision.label})") from problem
    if raw is None:
        return None
    from orpolicy.routing.snapshot import read_snapshot  # noqa: PLC0415 - many projects have no snapshot

    try:
        return read_snapshot(raw.decode("utf-8"), f"{name} (in {revision.label})")
    except UnicodeDecodeError as error:
        raise CatalogError(f"{name} (in {revision.label}) is not UTF-8") from error
