"""Projects on disk: which files there are, what may be read through them, and names that nothing reads."""

from __future__ import annotations

import errno
import os
import stat
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from orpolicy.language.document import MAX_BYTES
from orpolicy.language.files import (
    BUILTIN,
    POLICY_SUFFIXES,
    PRESET_SUFFIXES,
    PROJECT_FILE,
    TEST_SUFFIXES,
    FileProblem,
    report_file,
)
from orpolicy.resources import builtin_presets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from orpolicy.language.diagnostics import Diagnostic


@define(frozen=True, slots=False)
class Folder:
    """Files below a folder; a link that leads out of it is not followed."""

    root: Path

    @cached_property
    def _inside(self) -> str:
        """What the real path of every file of the folder starts with."""
        return os.path.join(os.path.realpath(self.root), "")  # noqa: PTH118 - pathlib takes five times as long

    @cached_property
    def _known(self) -> dict[str, bool]:
        """Folders that were looked at, and whether they really lie inside."""
        return {}

    def list_yaml(self, folder: str) -> Iterable[str]:
        """Name every YAML file below a folder, hidden ones left out."""
        for parent, folders, files in os.walk(self.root / folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            below = Path(parent).relative_to(self.root).as_posix()
            prefix = "" if below == "." else f"{below}/"
            for name in files:
                if name.endswith(PRESET_SUFFIXES) and not name.startswith("."):
                    yield prefix + name

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, at most one more than the limit, so that reading stays bounded.

        Raises:
            FileProblem: the file lies outside the folder, is no regular file, or may not be read.
        """
        try:
            raw = self._read_directly(name)
            return self._read_through_links(name) if raw is None else raw
        except FileNotFoundError:
            return None
        except (OSError, RuntimeError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise FileProblem(f"'{name}' cannot be read: {reason.lower()}") from error

    def _read_directly(self, name: str) -> bytes | None:
        """Read a regular file of a folder inside; ``None`` for whatever else the name leads to."""
        parent = name.rpartition("/")[0]
        if parent not in self._known:
            path = os.path.join(os.path.realpath(self.root / parent), "")  # noqa: PTH118 - see above
            self._known[parent] = bool(_NO_LINKS) and path.startswith(self._inside)
        if not self._known[parent]:
            return None
        try:
            descriptor = os.open(self._inside + name, _READ)
        except OSError as error:
            if error.errno in _LINK:
                return None
            raise
        try:
            status = os.fstat(descriptor)
            return _read_bounded(descriptor, status.st_size) if stat.S_ISREG(status.st_mode) else None
        finally:
            os.close(descriptor)

    def _read_through_links(self, name: str) -> bytes:
        path = os.path.realpath(self.root / name)
        if not path.startswith(self._inside):
            raise FileProblem(f"'{name}' leads outside the project")
        mode = os.stat(path).st_mode  # noqa: PTH116 - see above
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise FileProblem(f"'{name}' is {kind}")
        with open(path, "rb") as file:  # noqa: PTH123 - see above
            return file.read(MAX_BYTES + 1)


_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
"""The flag with which opening a link fails; zero on Windows, where every name is resolved first."""
_READ = os.O_RDONLY | _NO_LINKS | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
"""A pipe does not keep us waiting."""
_LINK = (errno.ELOOP, errno.EMLINK)
"""How systems say that a name is a link."""


def _read_bounded(descriptor: int, size: int) -> bytes:
    """Read a file of about this size to its end, or to one byte more than the limit."""
    raw = os.read(descriptor, min(size, MAX_BYTES) + 1)
    while len(raw) > size and len(raw) <= MAX_BYTES:  # it has grown, or does not say its size, as in /proc
        part = os.read(descriptor, MAX_BYTES + 1 - len(raw))
        if not part:
            break
        raw += part
    return raw


@frozen
class Library:
    """The built-in presets and policies, as files below ``orpolicy/``."""

    def list_yaml(self, _folder: str) -> Iterable[str]:
        """Name every file of the library."""
        return _list_library()

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, or ``None``."""
        file = builtin_presets()
        for part in name.removeprefix(BUILTIN).split("/"):
            file = file.joinpath(part)
        return file.read_bytes() if name.startswith(BUILTIN) and file.is_file() else None


def _list_library() -> list[str]:
    found = []
    waiting = [("orpolicy", builtin_presets())]
    while waiting:
        prefix, folder = waiting.pop()
        for entry in folder.iterdir():
            name = f"{prefix}/{entry.name}"
            if entry.is_dir():
                waiting.append((name, entry))
            elif name.endswith(PRESET_SUFFIXES):
                found.append(name)
    return found


@frozen
class Loose:
    """Single files outside any project, each a preset by its own name."""

    paths: Mapping[str, Path]
    texts: Mapping[str, bytes] = field(factory=dict)

    def list_yaml(self, _folder: str) -> Iterable[str]:
        """Name the files."""
        return [*self.paths, *self.texts]

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; files beside it may be read too, as system prompts are.

        Raises:
            FileProblem: the file cannot be read, or lies outside the folder of every named file.
        """
        if name in self.texts:
            return self.texts[name]
        path = self.paths.get(name)
        if path is not None:
            return Folder(path.parent).read(path.name)
        if name == PROJECT_FILE:
            return None
        for named, path in self.paths.items():
            below = os.path.relpath(name, Path(named).parent)
            if not below.startswith(".."):
                return Folder(path.parent).read(below)
        raise FileProblem(f"'{name}' lies outside the folder of the file that names it")


def find_root(start: Path) -> Path | None:
    """Walk up from a folder to the one that holds a project; ``None`` where there is none.

    Without a project file, the folder around ``presets/`` is one, seen from itself or from inside ``presets/``.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    if (start / "presets").is_dir():
        return start
    return next((folder.parent for folder in (start, *start.parents) if folder.name == "presets"), None)


def find_misnamed(root: Path, presets: str, read: AbstractSet[str]) -> Iterator[Diagnostic]:
    """Report files that look like a project file or a policy and are not among those ``read``: nobody would miss them."""
    for name in sorted(os.listdir(root)):  # noqa: PTH208 - names alone are wanted
        if name != PROJECT_FILE and name.lower() in (PROJECT_FILE, "orpolicy.yml"):
            yield _report_misnamed(name, f"a project file is called '{PROJECT_FILE}'")
        elif name.lower().endswith(POLICY_SUFFIXES) and presets not in ("", "."):
            yield _report_misnamed(
                name, f"a policy lies below '{presets}/', above the presets that it governs"
            )
        elif name.lower().endswith(TEST_SUFFIXES) and presets not in ("", "."):
            yield _report_misnamed(
                name, f"scenarios lie below '{presets}/', beside the presets that they are about"
            )
    for parent, folders, files in os.walk(root / presets):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        below = Path(parent).relative_to(root).as_posix()
        prefix = "" if below == "." else f"{below}/"
        for file in sorted(files):
            name = prefix + file
            if file.lower().endswith(PRESET_SUFFIXES) and name not in read:
                yield _report_misnamed(
                    name, "names do not start with a dot, and end in '.yaml' in small letters"
                )


def _report_misnamed(name: str, hint: str) -> Diagnostic:
    return evolve(report_file(name, "misnamed-file", f"nothing reads '{name}'"), hint=hint)
