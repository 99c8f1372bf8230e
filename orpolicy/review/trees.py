"""What git prints of trees and blobs, and where a name leads once every link on the way is followed.

.. code-block:: text

    100644, 100755   file        a blob
    120000           link        a blob that holds the target
    040000           folder      a tree
    160000           submodule   a commit of another repository: its files are not here

Names are bytes in git; as text they are UTF-8, and what is not UTF-8 is kept as surrogates, as Python does for the names of
files. Nothing is normalised: a name composed otherwise is another name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.errors import GitError
from orpolicy.language.files import FileProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

Parts = tuple[str, ...]
"""A path from the top of the repository, one name a folder."""

MAX_LINKS = 40
"""As many links in one name as Linux follows."""


class Kind(StrEnum):
    """What an entry of a tree is."""

    FILE = "file"
    LINK = "link"
    FOLDER = "folder"
    SUBMODULE = "submodule"


@frozen
class Entry:
    """One entry of a tree; ``id`` is the object's full hexadecimal id."""

    kind: Kind
    id: str


_KINDS = {"04": Kind.FOLDER, "12": Kind.LINK, "16": Kind.SUBMODULE}


def parse_tree(raw: bytes) -> Iterator[tuple[Parts, Entry]]:
    """Yield the entries that ``git ls-tree -z`` printed, with their paths below the tree."""
    for line in raw.split(b"\0")[:-1]:
        head, _, name = line.partition(b"\t")
        mode, _, identity = head.decode("ascii").split(" ")
        path = tuple(decode_name(name).split("/"))
        yield path, Entry(_KINDS.get(mode[:2], Kind.FILE), identity)


def parse_sizes(blobs: Collection[str], raw: bytes) -> dict[str, int]:
    """Return the sizes that ``git cat-file --batch-check`` printed of blobs, in bytes.

    Raises:
        GitError: one is not there.
    """
    lines = raw.split(b"\n")
    return {blob: _read_size(blob, line) for blob, line in zip(blobs, lines, strict=False)}


def parse_blobs(blobs: Collection[str], raw: bytes) -> dict[str, bytes]:
    """Return the contents that ``git cat-file --batch`` printed of blobs.

    Raises:
        GitError: one is not there.
    """
    found = {}
    start = 0
    for blob in blobs:
        end = raw.find(b"\n", start)
        size = _read_size(blob, raw[start : max(start, end)])
        found[blob] = raw[end + 1 : end + 1 + size]
        start = end + size + 2
    return found


def _read_size(blob: str, line: bytes) -> int:
    words = line.split(b" ")
    if len(words) != 3 or not words[2].isdigit():
        raise GitError(f"the repository is broken: the object {blob} is missing; 'git fsck' says more")
    return int(words[2])


def decode_name(raw: bytes) -> str:
    """Return a name, or a link's target, as text."""
    return raw.decode("utf-8", "surrogateescape")


def follow(
    parts: Parts, look_up: Callable[[Parts], Entry | None], read_link: Callable[[Entry], str]
) -> Parts:
    """Return where a path leads: without links, without dots; what does not exist is taken as it is written.

    Raises:
        FileProblem: it leads out of the repository, or in circles.
    """
    real: list[str] = []
    waiting = list(reversed(parts))
    links = 0
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not real:
                raise FileProblem("leads outside the repository")
            real.pop()
            continue
        entry = look_up((*real, part))
        if entry is None or entry.kind is not Kind.LINK:
            real.append(part)
            continue
        links += 1
        target = read_link(entry)
        if links > MAX_LINKS:
            raise FileProblem("cannot be read: too many links, or one that leads to itself")
        if target.startswith("/"):
            raise FileProblem("leads outside the project: it is a link to an absolute path")
        waiting.extend(reversed(target.split("/")))
    return tuple(real)
