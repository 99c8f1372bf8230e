"""Where texts come from: names of files, and what may be read through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from attrs import frozen

from orpolicy.errors import OrpolicyError
from orpolicy.language.diagnostics import Diagnostic
from orpolicy.language.rules import RULES
from orpolicy.language.source import Position, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orpolicy.language.document import Document

PROJECT_FILE = "orpolicy.yaml"
POLICY_SUFFIXES = (".policy.yaml", ".policy.yml")
TEST_SUFFIXES = (".test.yaml", ".test.yml")
PRESET_SUFFIXES = (".yaml", ".yml")
BUILTIN = "orpolicy/"
"""The prefix of the presets and policies that ship with the package."""


class FileProblem(OrpolicyError):  # it is a finding in the making, not a failure
    """A file that cannot be read, in words for its reader."""


class Files(Protocol):
    """Where texts come from; names are POSIX paths relative to the project."""

    def list_yaml(self, folder: str) -> Iterable[str]:
        """Name every YAML file below a folder."""

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, or ``None`` where there is none.

        Raises:
            FileProblem: it is there and cannot be read, or it lies outside the project.
        """


@frozen
class Memory:
    """Files held in a dictionary."""

    texts: Mapping[str, str]

    def list_yaml(self, folder: str) -> Iterable[str]:
        """Name every YAML file below a folder."""
        prefix = "" if folder in ("", ".") else folder.rstrip("/") + "/"
        return [name for name in self.texts if name.startswith(prefix) and name.endswith(PRESET_SUFFIXES)]

    def read(self, name: str) -> bytes | None:
        """Return a text as UTF-8, or ``None``."""
        text = self.texts.get(name)
        return None if text is None else text.encode("utf-8", errors="surrogatepass")


@frozen
class Loaded:
    """What came of one file: a value, unless findings say why there is none."""

    value: Any
    diagnostics: tuple[Diagnostic, ...] = ()
    document: Document | None = None


def report_file(file: str, code: str, message: str) -> Diagnostic:
    """Report what is wrong with a file as a whole."""
    start = Position(1, 1)
    return Diagnostic(code, RULES[code].severity, message, Source(file, "").locate(start, start))
