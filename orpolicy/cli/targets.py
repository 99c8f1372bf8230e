"""What a verb's arguments mean: presets by name, files, folders, standard input.

.. code-block:: text

    (nothing)              every preset of the project around the working directory, or of --project
    support/triage         a preset of that project, or a built-in one
    presets/a.yaml         the same preset by its file: files of a project are composed in it
    presets/a.test.yaml    scenarios, by their file
    presets/org.policy.yaml, orpolicy.yaml        the whole project, which they govern
    presets/support, ..    the presets and the scenarios below a folder; the projects below one that lies in none
    /tmp/a.yaml, /tmp      files outside any project, each for itself
    -                      a preset from standard input, able to extend those of the project

A name goes before a path. Files are named in reports as they are reached from the working directory, so that editors
and terminals can open them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from orpolicy.disk import Folder, Library, find_root
from orpolicy.errors import UsageError
from orpolicy.language.diagnostics import Diagnostic, Report
from orpolicy.language.document import MAX_BYTES
from orpolicy.language.files import (
    BUILTIN,
    POLICY_SUFFIXES,
    PRESET_SUFFIXES,
    PROJECT_FILE,
    TEST_SUFFIXES,
    Files,
)
from orpolicy.language.suggest import find_similar
from orpolicy.language.workspace import Workspace
from orpolicy.project import Project, load, load_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orpolicy.language.source import Location, Source

STDIN = "<stdin>"


@frozen
class Selection:
    """Presets and scenario files of one project; ``names`` is ``None`` for all of it."""

    project: Project
    names: tuple[str, ...] | None
    suites: tuple[str, ...] = ()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The names of the presets."""
        return self.project.names if self.names is None else self.names

    @property
    def files(self) -> tuple[str, ...]:
        """The files that a check is about, as they are reached from the working directory."""
        workspace = self.project.workspace
        files = dict(workspace.preset_files)
        if workspace.builtin is not None:
            files |= workspace.builtin.preset_files
        found = [files[name] for name in self.chosen if name in files]
        if self.names is None:
            project = [] if workspace.settings.document is None else [PROJECT_FILE]
            found = [*project, *workspace.policy_files, *found]
        return tuple(map(self.reach, (*found, *self.chosen_suites)))

    @property
    def chosen_suites(self) -> tuple[str, ...]:
        """The scenario files."""
        return self.project.suites if self.names is None else self.suites

    def is_mixin(self, name: str) -> bool:
        """Tell whether a preset is one that is never compiled by itself."""
        preset = self.project.workspace.find_preset(name)
        return preset is not None and preset.abstract

    def file_of(self, name: str) -> str | None:
        """Return the file of a preset as it is reached from the working directory; ``None`` for a built-in one."""
        file = self.project.workspace.preset_files.get(name)
        return None if file is None else self.reach(file)

    def find_source(self, file: str) -> Source | None:
        """Return the text of a file by the name that it has in a relocated report."""
        root = self.project.root
        if root is None or file.startswith(_UNMOVED):
            source = self.project.source(file)
            if source is not None or root is None:
                return source  # else a folder of the user's is called as the package is
        return self.project.source(_relative(Path(file).absolute(), root))

    def relocate(self, report: Report) -> Report:
        """Name the files of a report as they are reached from the working directory."""
        return Report(tuple(map(self._relocate, report)))

    def place(self, location: Location) -> Location:
        """Name the file of a place as it is reached from the working directory."""
        return evolve(location, file=self.reach(location.file))

    def reach(self, file: str) -> str:
        """Name a file as it is reached from the working directory."""
        root = self.project.root
        return file if root is None or file.startswith(_UNMOVED) else _relative(root / file, Path.cwd())

    def _relocate(self, found: Diagnostic) -> Diagnostic:
        related = tuple(evolve(other, location=self.place(other.location)) for other in found.related)
        return evolve(found, location=self.place(found.location), related=related)


_UNMOVED = (BUILTIN, "<")
"""How the names begin that no folder changes: files of the package, standard input, values of a call."""


def _relative(path: Path, start: Path) -> str:
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:  # another drive of Windows
        return path.as_posix()


@frozen
class WithInput:
    """The files of a project and the text of standard input, a preset beside its project file."""

    files: Files
    raw: bytes

    def list_yaml(self, folder: str) -> Iterable[str]:
        """Name the files, standard input last."""
        return (*self.files.list_yaml(folder), STDIN)

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes."""
        return self.raw if name == STDIN else self.files.read(name)


def find_source(selections: Iterable[Selection], file: str) -> Source | None:
    """Return the text of a file by the name that it has in a relocated report of one of the selections."""
    return next((source for one in selections if (source := one.find_source(file))), None)


def select(targets: Sequence[str], folder: str | None) -> list[Selection]:
    """Find what arguments mean, one selection a project; names are looked up in that of ``folder``, or around us.

    Raises:
        UsageError: a target is neither a preset nor a path, or a folder holds no presets.
    """
    home = load(folder)
    if not targets:
        return [Selection(home, None)]
    groups = _Groups(home)
    for target in targets:
        if target == "-":
            groups.others.append(_select_input(home))
        elif target in home.names or _is_builtin(home, target):
            groups.add(home, (target,))
        elif target and os.path.lexists(target):
            groups.add_path(Path(target))
        else:
            raise UsageError(_say_unknown(target, home))
    return list(groups)


def select_one(target: str, folder: str | None) -> Selection:
    """Find what one argument means; the selection holds one name.

    Raises:
        UsageError: the target is not exactly one preset.
    """
    [selection] = select([target], folder)
    if len(selection.chosen) != 1:
        raise UsageError(f"'{target}' holds {len(selection.chosen)} presets; name one of them")
    return selection


def read_input() -> bytes:
    """Read standard input, at most one byte more than a file may have."""
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _is_builtin(home: Project, name: str) -> bool:
    """Tell whether a name is that of a built-in preset; its prefix may be left out where there is no project."""
    return name in home.library or (not home.names and BUILTIN + name in home.library)


def _select_input(home: Project) -> Selection:
    raw = read_input()
    if not home.names or home.root is None:
        return Selection(load_files([], {STDIN: raw}), None)
    workspace = Workspace(WithInput(Folder(home.root), raw), Workspace(Library()))
    return Selection(Project(workspace, home.root), (STDIN,))


@define
class _Groups:
    """What is chosen so far, by the root of its project; ``loose`` files lie in none."""

    home: Project
    others: list[Selection] = field(factory=list)
    _chosen: dict[Path | None, Selection] = field(factory=dict)
    _loose: list[Path] = field(factory=list)

    def __iter__(self) -> Iterator[Selection]:
        yield from self._chosen.values()
        yield from self.others
        if self._loose:
            yield _select_loose(self._loose)

    def add(self, project: Project, names: tuple[str, ...] | None, suites: tuple[str, ...] = ()) -> None:
        """Add presets and scenario files of a project, ``None`` for all; what is chosen already stays."""
        before = self._chosen.get(project.root, Selection(project, ()))
        whole = names is None or before.names is None
        joined = None if whole else tuple(dict.fromkeys((*(before.names or ()), *(names or ()))))
        files = tuple(dict.fromkeys((*before.suites, *suites)))
        self._chosen[project.root] = evolve(before, names=joined, suites=files)

    def add_path(self, path: Path) -> None:
        """Add the presets at a path, in the project that it lies in or for themselves."""
        root = _find_project(path, self.home)
        if root is not None:
            project = self._open(root)
            names, suites = _names_at(path, project), _suites_at(path, project)
            if names != () or suites:
                self.add(project, names, suites)
                return
        files = _list_files(path)
        inner = _find_inner(path, files) if root is None else set()
        for place in sorted(inner):
            self.add(self._open(place), None)
        if not inner:
            self._loose.extend(files)

    def _open(self, root: Path) -> Project:
        return self.home if root == self.home.root else load(root)


def _select_loose(paths: Sequence[Path]) -> Selection:
    """Select files outside any project; beside scenarios stands the preset that they are about."""
    suites = [path for path in paths if path.name.endswith(TEST_SUFFIXES)]
    if not suites:
        return Selection(load_files(paths), None)
    about = [path.with_name(path.name.replace(".test.", ".")) for path in suites]
    project = load_files([*paths, *(path for path in about if path.exists())])
    chosen = {path.as_posix() for path in paths}
    names = (name for name, file in project.workspace.preset_files.items() if file in chosen)
    return Selection(project, tuple(names), tuple(path.as_posix() for path in suites))


def _find_project(path: Path, home: Project) -> Path | None:
    """Find the project that a path lies in: the one at hand, one with a project file, or one with ``presets/``."""
    folder = _absolute(path if path.is_dir() else path.parent)
    if home.root is not None and home.names and folder.is_relative_to(home.root):
        return home.root
    above = (parent.parent for parent in (folder, *folder.parents) if parent.name == "presets")
    return find_root(folder) or next(above, None)


def _find_inner(path: Path, files: Iterable[Path]) -> set[Path]:
    """Find the projects below a folder that lies in none: their files are no presets by themselves."""
    folders = {file.parent for file in files} if path.is_dir() else set()
    return {root for folder in folders if (root := find_root(folder)) is not None}


def _names_at(path: Path, project: Project) -> tuple[str, ...] | None:
    """Name the presets of a project at or below a path; ``None`` for a path that governs all of them."""
    root = project.root or Path()
    place = _absolute(path).relative_to(root).as_posix()
    files = project.workspace.preset_files
    presets = project.workspace.settings.presets
    if path.is_dir():
        if PurePosixPath(presets).is_relative_to(place):
            return None
        return tuple(name for name, file in files.items() if PurePosixPath(file).is_relative_to(place))
    if place == PROJECT_FILE or (
        place.endswith(POLICY_SUFFIXES) and PurePosixPath(place).is_relative_to(presets)
    ):
        return None
    return tuple(name for name, file in files.items() if file == place)


def _suites_at(path: Path, project: Project) -> tuple[str, ...]:
    """Name the scenario files of a project at or below a path; by itself, one may lie elsewhere in the project."""
    place = _absolute(path).relative_to(project.root or Path()).as_posix()
    if path.is_dir():
        return tuple(file for file in project.suites if PurePosixPath(file).is_relative_to(place))
    return (place,) if place.endswith(TEST_SUFFIXES) else ()


def _absolute(path: Path) -> Path:
    """Resolve the folders of a path, but not a link in its last place: a preset is where its name stands."""
    return path.resolve() if path.is_dir() else path.parent.resolve() / path.name


def _list_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = [path / name for name in Folder(path).list_yaml("")]
    if not files:
        raise UsageError(f"'{path}' holds no presets")
    return files


def _say_unknown(target: str, home: Project) -> str:
    similar = find_similar(target, (*home.names, *home.library))
    if similar:
        return f"there is no preset and no file '{target}'; did you mean '{similar}'?"
    listing = (
        "'orpolicy list' names all presets"
        if home.names
        else "and no project here: 'orpolicy init' writes one"
    )
    suffix = "" if target.endswith(PRESET_SUFFIXES) else f"; {listing}"
    return f"there is no preset and no file '{target}'{suffix}"
