"""The files of a project at a git revision, read as a checkout of it would be, and without one.

.. code-block:: text

    on the way to the project    a folder is listed alone: the rest of a large repository is none of our business
    below the project            a folder is listed whole, once
    a file                       is read together with those of its suffix that are listed: one process, not thousands

A revision holds what was committed: no untracked file, no change of the working tree. Bytes are those of the object:
attributes are not applied, so line ends are what the repository stores (mostly LF, whatever a checkout makes of them) and
a file kept by Git LFS is a pointer, which is refused. A link is followed inside the project, as on disk.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import PurePosixPath
from posixpath import splitext
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import define, field

from orpolicy.errors import GitError
from orpolicy.language.document import MAX_BYTES
from orpolicy.language.files import PRESET_SUFFIXES, PROJECT_FILE, FileProblem
from orpolicy.review.trees import Entry, Kind, Parts, decode_name, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

T = TypeVar("T")

MAX_BATCH = 64 * 1024 * 1024
"""Bytes that are read ahead at once, so that memory stays bounded."""

LFS_POINTER = b"version https://git-lfs.github.com/spec/"


class Objects(Protocol):
    """Where a revision's objects come from; every method is one process at most."""

    def list_tree(self, tree: str, *, whole: bool) -> Iterable[tuple[Parts, Entry]]:
        """Yield the entries of a tree, or of all trees below it too."""

    def measure_blobs(self, blobs: Collection[str]) -> Mapping[str, int]:
        """Return the sizes of blobs in bytes."""

    def read_blobs(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        """Return the contents of blobs."""


@define(slots=False, eq=False)
class Revision:
    """A project at a commit, as ``Files``; ``label`` is how people are told of it: ``main (1a2b3c4)``.

    ``prefix`` is the project's folder relative to the top of the repository, with slashes, empty at the top. A project
    that does not exist at the commit has no files.
    """

    objects: Objects
    commit: str
    label: str
    prefix: str = ""
    _folders: dict[Parts, dict[str, Entry]] = field(factory=dict, init=False, repr=False)
    _sizes: dict[str, int] = field(factory=dict, init=False, repr=False)
    _blobs: dict[str, bytes] = field(factory=dict, init=False, repr=False)

    @cached_property
    def holds_project(self) -> bool:
        """Tell whether there is a project at all: a project file, or the folder ``presets/``.

        Raises:
            GitError: git cannot say.
        """
        return self.holds(PROJECT_FILE, Kind.FILE) or self.holds("presets", Kind.FOLDER)

    def holds(self, name: str, kind: Kind) -> bool:
        """Tell whether a name leads to a file or a folder inside the project.

        Raises:
            GitError: git cannot say.
        """
        try:
            entry = self._find(name)[1]
        except FileProblem:
            return False
        return entry is not None and entry.kind is kind

    def list_yaml(self, folder: str) -> Iterable[str]:
        """Name every YAML file below a folder, hidden ones left out.

        Raises:
            GitError: git cannot say; the folder leads outside the project, or holds a submodule.
        """
        return [name for name in self.list_files(folder) if name.endswith(PRESET_SUFFIXES)]

    def list_files(self, folder: str) -> Iterator[str]:
        """Name every file below a folder, hidden ones left out; links to folders are not entered.

        Raises:
            GitError: git cannot say; the folder leads outside the project, or holds a submodule.
        """
        try:
            real, entry = self._find(folder)
        except FileProblem as problem:
            raise GitError(f"{problem} (in {self.label})") from problem
        start = PurePosixPath(folder).as_posix()
        waiting = [("" if start == "." else start, real, entry)]
        while waiting:
            name, place, entry = waiting.pop()
            if entry is None or entry.kind is Kind.FILE:
                continue
            self._refuse_submodule(name, entry)
            for own, found in sorted(self._list(place).items()):
                inner = f"{name}/{own}" if name else own
                if own.startswith("."):
                    continue
                if found.kind in (Kind.FOLDER, Kind.SUBMODULE):
                    waiting.append((inner, (*place, own), found))
                elif found.kind is Kind.FILE or not self._leads_to_folder(inner):
                    yield inner

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes; of one above the limit nothing is read but its size, and zeros tell of it.

        Raises:
            FileProblem: the file lies outside the project, is no file, or is not in the repository.
            GitError: git cannot give it.
        """
        return self._read(name, MAX_BYTES)

    def read_whole(self, name: str) -> bytes | None:
        """Return the bytes of a snapshot of the catalogue, which is larger than any preset.

        Raises:
            FileProblem: the file lies outside the project, is no file, is not in the repository, or is no snapshot by
                its size.
            GitError: git cannot give it.
        """
        raw = self._read(name, MAX_BATCH)
        if raw is not None and len(raw) > MAX_BATCH:
            raise FileProblem(f"'{name}' is larger than {MAX_BATCH // 1024**2} MiB")
        return raw

    def _read(self, name: str, limit: int) -> bytes | None:
        real, entry = self._find(name)
        if entry is None:
            self._refuse_detour(name, real)
            return None
        if entry.kind is not Kind.FILE:
            raise FileProblem(f"'{name}' is a {entry.kind}")
        raw = self._fetch(entry, _suffix(name), limit)
        if raw.startswith(LFS_POINTER):
            raise FileProblem(f"'{name}' is a Git LFS pointer: its text is not in the repository itself")
        return raw

    @cached_property
    def _root(self) -> Parts | None:
        """Where the project lies; ``None`` where it did not exist."""

        def look_up(parts: Parts) -> Entry | None:
            entry = self._look_up(parts, alone=True)
            if entry is not None:
                self._refuse_submodule("/".join(parts), entry)
            return entry

        try:
            root = follow(tuple(self.prefix.split("/")), look_up, self._read_link)
        except FileProblem as problem:
            raise GitError(f"'{self.prefix}' {problem} (in {self.label})") from problem
        entry = look_up(root)
        return root if entry is not None and entry.kind is Kind.FOLDER else None

    def _find(self, name: str) -> tuple[Parts, Entry | None]:
        """Return where a name leads, and what is there."""
        if self._root is None:
            return (), None
        try:
            real = follow((*self._root, *name.split("/")), self._look_up, self._read_link)
        except FileProblem as problem:
            raise FileProblem(f"'{name}' {problem}") from problem
        if name.startswith("/") or real[: len(self._root)] != self._root:
            raise FileProblem(f"'{name}' leads outside the project")
        return real, self._look_up(real)

    def _look_up(self, parts: Parts, *, alone: bool = False) -> Entry | None:
        if not parts:
            return Entry(Kind.FOLDER, self.commit)
        return self._list(parts[:-1], alone=alone).get(parts[-1])

    def _list(self, parts: Parts, *, alone: bool = False) -> Mapping[str, Entry]:
        """Return what a folder holds, nothing where it is none; ``alone`` leaves out what lies deeper."""
        if parts not in self._folders:
            entry = self._look_up(parts, alone=alone)
            if entry is None or entry.kind is not Kind.FOLDER:
                return {}
            whole = not alone and self._root is not None and _is_below(parts, self._root)
            listed: dict[Parts, dict[str, Entry]] = {parts: {}}
            for path, found in self.objects.list_tree(entry.id, whole=whole):
                listed.setdefault((*parts, *path[:-1]), {})[path[-1]] = found
            self._folders.update(listed)
        return self._folders[parts]

    def _leads_to_folder(self, name: str) -> bool:
        return self.holds(name, Kind.FOLDER) or self.holds(name, Kind.SUBMODULE)

    def _refuse_submodule(self, name: str, entry: Entry) -> None:
        if entry.kind is Kind.SUBMODULE:
            what = f"'{name}' is a submodule in {self.label}"
            raise GitError(f"{what}: its files are in another repository, where nothing is read")

    def _refuse_detour(self, name: str, real: Parts) -> None:
        """Refuse a name that leads through something that is no folder here."""
        for length in range(1, len(real)):
            entry = self._look_up(real[:length])
            if entry is not None and entry.kind is not Kind.FOLDER:
                raise FileProblem(f"'{name}' cannot be read: '{real[length - 1]}' is a {entry.kind}")

    def _read_link(self, entry: Entry) -> str:
        return decode_name(self._fetch(entry, _suffix(PROJECT_FILE), MAX_BYTES))

    def _fetch(self, entry: Entry, suffix: str, limit: int) -> bytes:
        """Return the content of an entry, or of one above the limit so many zeros that they are above it too."""
        wanted = entry.id
        if wanted not in self._blobs:
            peers = self._name_peers(suffix)
            if wanted not in self._sizes:
                beside = [peer for peer in peers if peer not in self._sizes]
                _ask(self.objects.measure_blobs, self._sizes, wanted, beside)
            if self._sizes[wanted] > limit:
                return bytes(limit + 1)
            _ask(self.objects.read_blobs, self._blobs, wanted, self._choose(wanted, peers))
        return self._blobs[wanted]

    def _name_peers(self, suffix: str) -> list[str]:
        """Name the objects that will be wanted as well: all links, and all files of the same suffix."""
        listed = (item for folder in self._folders.values() for item in folder.items())
        return [
            entry.id
            for name, entry in listed
            if entry.kind is Kind.LINK or (entry.kind is Kind.FILE and _suffix(name) == suffix)
        ]

    def _choose(self, wanted: str, peers: Iterable[str]) -> list[str]:
        """Choose what is read ahead: what may be read at all, as much as one batch holds."""
        total = self._sizes[wanted]
        chosen = []
        for peer in dict.fromkeys(peers):
            size = self._sizes.get(peer, MAX_BATCH)
            if peer != wanted and peer not in self._blobs and size <= min(MAX_BYTES, MAX_BATCH - total):
                total += size
                chosen.append(peer)
        return chosen


def _ask(
    ask: Callable[[Collection[str]], Mapping[str, T]], known: dict[str, T], wanted: str, beside: Iterable[str]
) -> None:
    """Ask for objects at once, or for the one alone if others fail: a partial clone may lack what nobody reads."""
    together = tuple(dict.fromkeys((wanted, *beside)))
    try:
        known.update(ask(together))
    except GitError:
        if len(together) == 1:
            raise
        known.update(ask((wanted,)))


def _is_below(parts: Parts, root: Parts) -> bool:
    return len(parts) > len(root) and parts[: len(root)] == root


def _suffix(name: str) -> str:
    return PRESET_SUFFIXES[0] if name.endswith(PRESET_SUFFIXES) else splitext(name)[1]
