"""What a verb's arguments mean: presets by name, files, folders, standard input.

.. code-block:: text

    (nothing)              every preset of the project around the working directory, or of --project
    support/triage         a preset of that project, or a built-in one
    presets/a.yaml         the same preset by its file: files of a project are composed in it
    presets/org.policy.yaml, orpolicy.yaml        the whole project, which they govern
    presets/support, ..    the presets below a folder
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

from attrs import evolve, frozen

from orpolicy.errors import UsageError
from orpolicy.language.diagnostics import Diagnostic, Report
from orpolicy.language.document import MAX_BYTES
from orpolicy.language.suggest import find_similar
from orpolicy.language.workspace import (
    BUILTIN,
    POLICY_SUFFIXES,
    PRESET_SUFFIXES,
    PROJECT_FILE,
    Files,
    Workspace,
)
from orpolicy.project import Folder, Library, Project, find_root, load, load_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orpolicy.language.source import Location, Source

STDIN = "<stdin>"


@frozen
class Selection:
    """Presets of one project, ``None`` for all of it; ``prefix`` leads from the working directory to its files."""

    project: Project
    names: tuple[str, ...] | None
    prefix: str = ""

    @property
    def chosen(self) -> tuple[str, ...]:
        """The names of the presets."""
        return self.project.names if self.names is None else self.names

    def is_mixin(self, name: str) -> bool:
        """Tell whether a preset is one that is never compiled by itself."""
        preset = self.project.workspace.find_preset(name)
        return preset is not None and preset.abstract

    def file_of(self, name: str) -> str | None:
        """Return the file of a preset as it is reached from the working directory; ``None`` for a built-in one."""
        file = self.project.workspace.preset_files.get(name)
        return None if file is None else self.prefix + file

    def find_source(self, file: str) -> Source | None:
        """Return the text of a file by the name that it has in a relocated report."""
        return self.project.source(file.removeprefix(self.prefix))

    def relocate(self, report: Report) -> Report:
        """Name the files of a report as they are reached from the working directory."""
        return Report(tuple(map(self._relocate, report))) if self.prefix else report

    def place(self, location: Location) -> Location:
        """Name the file of a place as it is reached from the working directory."""
        inside = location.file.startswith((BUILTIN, "<"))
        return location if inside else evolve(location, file=self.prefix + location.file)

    def _relocate(self, found: Diagnostic) -> Diagnostic:
        related = tuple(evolve(other, location=self.place(other.location)) for other in found.related)
        return evolve(found, location=self.place(found.location), related=related)


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


def select(targets: Sequence[str], folder: str | None) -> list[Selection]:
    """Find what arguments mean; the first selection is of the project in ``folder``, or around the working directory.

    Raises:
        UsageError: a target is neither a preset nor a path, or a folder holds no presets.
    """
    home = load(folder)
    if not targets:
        return [select_in(home, None)]
    named = [target for target in targets if target in home.names or _is_builtin(home, target)]
    selections = [select_in(home, tuple(named))] if named else []
    paths = [target for target in targets if target not in named]
    if "-" in paths:
        selections.append(_select_input(home))
    return [*selections, *_select_paths([path for path in paths if path != "-"], home)]


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


def select_in(project: Project, names: tuple[str, ...] | None) -> Selection:
    """Choose presets of a project, ``None`` for all."""
    return Selection(project, names, _lead_to(project.root))


def _lead_to(root: Path | None) -> str:
    """Return the path from the working directory to a project, empty or ending in a slash."""
    if root is None:
        return ""
    try:
        path = PurePosixPath(Path(os.path.relpath(root)).as_posix())
    except ValueError:  # another drive of Windows
        path = PurePosixPath(root.as_posix())
    return "" if path == PurePosixPath() else f"{path}/"


def _select_input(home: Project) -> Selection:
    raw = read_input()
    if not home.names or home.root is None:
        return Selection(load_files([], {STDIN: raw}), None)
    workspace = Workspace(WithInput(Folder(home.root), raw), Workspace(Library()))
    return select_in(Project(workspace, home.root), (STDIN,))


def _select_paths(targets: Sequence[str], home: Project) -> Iterator[Selection]:
    """Group paths by the project they lie in; those that lie in none are presets for themselves."""
    projects = {} if home.root is None else {home.root: home}
    names: dict[Path, dict[str, None] | None] = {}
    loose: list[Path] = []
    for target in targets:
        path = Path(target)
        if not target or not os.path.lexists(path):
            raise UsageError(_say_unknown(target, home))
        root = _find_project(path, home)
        project = None if root is None else projects.setdefault(root, load(root))
        found = None if project is None else _names_at(path, project)
        if root is None or (found is not None and not found):
            loose.extend(_list_files(path))
        elif found is None or names.get(root, {}) is None:
            names[root] = None
        else:
            names[root] = {**(names.get(root) or {}), **dict.fromkeys(found)}
    for root, chosen in names.items():
        yield select_in(projects[root], None if chosen is None else tuple(chosen))
    if loose:
        yield Selection(load_files(loose), None)


def _find_project(path: Path, home: Project) -> Path | None:
    """Find the project that a path lies in: the one at hand, one with a project file, or one with ``presets/``."""
    folder = _absolute(path if path.is_dir() else path.parent)
    if home.root is not None and home.names and folder.is_relative_to(home.root):
        return home.root
    above = (parent.parent for parent in (folder, *folder.parents) if parent.name == "presets")
    return find_root(folder) or next(above, None)


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
        else "and no project here: see 'orpolicy check --help'"
    )
    suffix = "" if target.endswith(PRESET_SUFFIXES) else f"; {listing}"
    return f"there is no preset and no file '{target}'{suffix}"
