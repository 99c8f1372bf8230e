"""Findings as values: passes collect and return them, only the outermost call raises."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orpolicy.language.source import Location, Path


class Severity(StrEnum):
    """How bad a finding is. ``OFF`` occurs only in a project's ``rules``."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


@frozen(order=True)
class Related:
    """Another place that explains a finding: the other half of a contradiction, the layer that set a value."""

    message: str
    location: Location


@frozen
class Finding:
    """A finding that still speaks in paths, as rules and schemas know them.

    ``anchor`` says which text the path stands for: the value (a bad value, a bad item) or the key (an unknown key, a
    setting that has no business there).
    """

    code: str
    path: Path
    message: str
    hint: str | None = None
    anchor: str = "value"
    related: tuple[tuple[str, Path], ...] = ()


@frozen
class Diagnostic:
    """A finding at its place, ready to be shown."""

    code: str
    severity: Severity
    message: str
    location: Location
    hint: str | None = None
    related: tuple[Related, ...] = ()

    @property
    def sort_key(self) -> tuple[Location, str, str]:
        """Order by file, line, column, then code, then message."""
        return (self.location, self.code, self.message)


def holds_error(found: Iterable[Diagnostic]) -> bool:
    """Tell whether a finding among these stops what comes after."""
    return Severity.ERROR in [diagnostic.severity for diagnostic in found]


def _sorted_once(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(dict.fromkeys(found), key=lambda d: d.sort_key))


@frozen
class Report:
    """All findings of a run, sorted, each once."""

    diagnostics: tuple[Diagnostic, ...] = field(default=(), converter=_sorted_once)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.diagnostics)

    def __len__(self) -> int:
        return len(self.diagnostics)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The findings that stop a compilation."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The findings that do not."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.WARNING)

    def summary(self) -> str:
        """Say the first error with its hint, and how many more there are, on one line."""
        if not self.errors:
            return "no errors"
        first = self.errors[0]
        more = f" (and {len(self.errors) - 1} more)" if len(self.errors) > 1 else ""
        hint = f"; {first.hint}" if first.hint else ""
        return f"{first.location}: {first.message} [{first.code}]{hint}{more}"
