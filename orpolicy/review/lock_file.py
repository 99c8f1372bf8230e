"""The lock of a project on disk: read where the project lies, and written in one step or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING

from orpolicy.errors import LockError
from orpolicy.language.files import FileProblem
from orpolicy.locked import AGAIN, LOCK_FILE, parse_lock, read_lock

if TYPE_CHECKING:
    from pathlib import Path

    from orpolicy.locked import Lock
    from orpolicy.project import Project


def find_lock(project: Project) -> Lock | None:
    """Read the lock at the root of a project; ``None`` where there is none.

    Raises:
        LockError: there is one, and it is broken, edited, of another version, or lies outside the project.
    """
    if project.root is None:
        try:
            raw = project.workspace.files.read(LOCK_FILE)
        except FileProblem as problem:
            raise LockError(f"{problem}; {AGAIN}") from problem
        return None if raw is None else parse_lock(raw)
    file = project.root / LOCK_FILE
    if not os.path.lexists(file):
        return None
    _refuse_link(file)
    return read_lock(file, LOCK_FILE)


def store_lock(root: Path, text: str) -> bool:
    """Write a lock at the root of a project, and tell whether that changed anything; an equal file is left alone.

    Raises:
        LockError: a link or a folder stands in its place.
        OSError: it cannot be written.
    """
    file = root / LOCK_FILE
    _refuse_link(file)
    if file.is_dir():
        raise LockError(f"'{LOCK_FILE}' is a folder: remove it")
    content = text.encode()
    with suppress(FileNotFoundError):
        if file.read_bytes().replace(b"\r\n", b"\n") == content:
            return False
    draft = root / f".{LOCK_FILE}.{token_hex(8)}"  # a number of a process comes again, beside what it left
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(opened, "wb") as stream:
            stream.write(content)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return True


def _refuse_link(file: Path) -> None:
    if file.is_symlink():
        raise LockError(f"'{LOCK_FILE}' is a link, which may lead out of the project: remove it")
