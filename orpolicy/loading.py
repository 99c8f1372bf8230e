"""``orpolicy.load``: a folder is a project, a file is a lock; each is read by a module of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, overload

from orpolicy.errors import UsageError

if TYPE_CHECKING:
    import os

    from orpolicy.locked import Lock
    from orpolicy.project import Project


@overload
def load(path: None = None) -> Project: ...


@overload
def load(path: str | os.PathLike[str]) -> Project | Lock: ...


def load(path: str | os.PathLike[str] | None = None) -> Project | Lock:
    """Load presets: those of a folder, those around the working directory, or those of a lock file.

    A folder is a project if it, or one above it, holds ``orpolicy.yaml``, or else if it holds ``presets/``. Of a project
    nothing is read before it is needed, and what is wrong in its files is reported by ``check`` and ``preset``, not here.
    A lock is read at once, and nothing else is.

    Raises:
        UsageError: there is nothing at the path, or one file of a project.
        LockError: the path leads to a file that is no lock, or one that was edited or is broken.
    """
    if path is not None and Path(path).is_file() and Path(path).suffix not in _SOURCES:
        from orpolicy.locked import read_lock  # noqa: PLC0415 - a project is read without it

        return read_lock(path)
    if path is not None and Path(path).suffix == ".lock" and not Path(path).exists():
        raise UsageError(f"there is no lock '{path}': 'orpolicy lock' writes one, at the root of its project")
    from orpolicy.project import load as load_project  # noqa: PLC0415 - a lock is read without the compiler

    return load_project(path)


_SOURCES = (".yaml", ".yml")
"""Suffixes of files that are certainly no lock: who names one means its folder."""
