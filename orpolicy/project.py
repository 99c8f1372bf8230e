"""A project on disk: the thing that users hold.

``load`` finds it, ``Project.preset`` compiles one preset, ``Project.check`` reports on all of them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import define, evolve

from orpolicy.disk import Folder, Library, Loose, find_misnamed, find_root
from orpolicy.errors import CatalogError, UsageError
from orpolicy.language.checker import check
from orpolicy.language.compiler import Compiler
from orpolicy.language.diagnostics import Diagnostic
from orpolicy.language.files import BUILTIN, report_file
from orpolicy.language.rules import RULES
from orpolicy.language.workspace import Workspace
from orpolicy.processes import divide

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orpolicy.compiled import Compiled
    from orpolicy.language.diagnostics import Report
    from orpolicy.language.effective import Effective
    from orpolicy.language.source import Source
    from orpolicy.routing.catalog import Catalog


@define(slots=False, eq=False)
class Project:
    """A folder of presets and policies, or a few loose files, ready to be compiled.

    ``root`` is the folder on disk, where there is one; ``given`` is a catalogue that takes the place of its snapshot.
    """

    workspace: Workspace
    root: Path | None = None
    given: Catalog | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the project's own presets, sorted."""
        return tuple(self.workspace.preset_files)

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of its environments."""
        return self.workspace.environments

    @property
    def suites(self) -> tuple[str, ...]:
        """The scenario files that lie among the presets, sorted."""
        return self.workspace.suite_files

    @cached_property
    def library(self) -> tuple[str, ...]:
        """The names of the built-in presets, sorted, with their prefix."""
        return () if self.workspace.builtin is None else tuple(self.workspace.builtin.preset_files)

    def preset(self, name: str, environment: str | None = None) -> Compiled:
        """Compile a preset for an environment.

        Raises:
            UsageError: there is no such preset or environment.
            CompileError: the sources are wrong; ``report`` holds every finding.
            PolicyViolation: a policy forbids what the preset says.
        """
        from orpolicy.compiled import Compiled  # noqa: PLC0415 - a check hands no preset on

        return Compiled.of(self._compiler.compile(self._resolve(name), environment), lambda: self.catalog)

    def check(
        self,
        names: Sequence[str] | None = None,
        environment: str | None = None,
        *,
        suites: Sequence[str] = (),
        now: datetime | None = None,
        processes: int = 1,
    ) -> Report:
        """Report every finding in the project, or in some of its presets and of its scenario files.

        Where the project has a snapshot of the catalogue, the rules that need one take part; ``now`` (UTC) is the moment
        by which it is old, and models are gone. A snapshot that cannot be read is a finding. Where the presets are many, up to
        so many ``processes`` share the work.

        Raises:
            UsageError: there is no such preset or environment.
        """
        chosen = None if names is None else [self._resolve(name) for name in names]
        if chosen is None and not self.names and self.workspace.settings.document is None:
            raise UsageError(
                "there is no project here: no 'orpolicy.yaml' from this folder upwards, and no 'presets/';"
                " 'orpolicy init' writes one"
            )
        catalog, unreadable = self._try_catalog()
        further = [
            *unreadable,
            *self._survey_disk(chosen, no_catalog=catalog is None and not unreadable),
            *self._survey_suites(self.suites if names is None else suites),
        ]
        dividing = partial(divide, processes=processes)
        if catalog is None:
            return check(self._compiler, chosen, environment, further=further, divide=dividing)
        from orpolicy.inspection import Inspection  # noqa: PLC0415 - many projects have no snapshot

        inspection = Inspection(catalog, now or read_clock())
        further += inspection.inspect_age(self.workspace)
        if names is None:
            further += inspection.inspect_policies(self.workspace)
        return check(self._compiler, chosen, environment, inspection.inspect, further, divide=dividing)

    def _survey_disk(self, names: Sequence[str] | None, *, no_catalog: bool) -> Iterator[Diagnostic]:
        """Report files that nothing reads, and a snapshot that the project file names and that is not there."""
        if names is None and self.root is not None:
            files = frozenset(self.workspace.yaml_files)
            yield from find_misnamed(self.root, self.workspace.settings.presets, files)
        document = self.workspace.settings.document
        if no_catalog and document is not None and "catalog" in document.data:
            message = f"there is no catalogue snapshot '{self.workspace.settings.catalog}'"
            hint = "'orpolicy catalog pull' writes one; without it, names and prices are not checked"
            place = document.locate(("catalog",))
            yield Diagnostic("missing-catalog", RULES["missing-catalog"].severity, message, place, hint)

    def _survey_suites(self, files: Sequence[str]) -> Iterable[Diagnostic]:
        if not files:
            return ()
        from orpolicy.language.suites import diagnose_suites  # noqa: PLC0415 - many projects have none

        return diagnose_suites(self.workspace, files)

    def _try_catalog(self) -> tuple[Catalog | None, tuple[Diagnostic, ...]]:
        """Read the snapshot, or say why it cannot be read: presets are checked without one all the same."""
        try:
            return self.catalog, ()
        except CatalogError as failure:
            message, _, hint = str(failure).partition("; ")
            found = report_file(self.workspace.settings.catalog, "unreadable-file", message)
            return None, (evolve(found, hint=hint or None),)

    @cached_property
    def catalog(self) -> Catalog | None:
        """The project's snapshot of the catalogue; ``None`` where there is none.

        Raises:
            CatalogError: there is one, and it cannot be read.
        """
        if self.given is not None or self.root is None:
            return self.given
        file = self.root / self.workspace.settings.catalog
        if not file.exists():
            return None
        from orpolicy.routing.answers import load_catalog  # noqa: PLC0415 - many projects have no snapshot

        return load_catalog(file)

    def variants(self, name: str) -> tuple[str | None, ...]:
        """Name the environments in which a preset may come to something else: ``None``, for no environment, first.

        In every other environment it is what it is without one.
        """
        return tuple(self._compiler.list_variants(self._resolve(name)))

    def policy(self, name: str | None = None, environment: str | None = None) -> Effective:
        """Return the policy in force for a preset in an environment, or, without a name, that for every preset.

        Raises:
            UsageError: there is no such preset or environment.
            PolicyViolation: a policy cannot be read, or the policies contradict each other.
        """
        return self._compiler.find_policy(None if name is None else self._resolve(name), environment)

    def compose(self, name: str | None = None, environment: str | None = None) -> dict[str, Any]:
        """Return what a preset, also a mixin, says together with all below it; without a name, the defaults alone.

        Raises:
            UsageError: there is no such preset or environment.
            CompileError: the sources are wrong.
        """
        return self._compiler.compose(name, environment)

    def source(self, file: str) -> Source | None:
        """Return the text of a file that a finding names; ``None`` where it cannot be read."""
        return self.workspace.find_source(file)

    def describe(self, name: str) -> str | None:
        """Return a preset's own description, if it has one."""
        preset = self.workspace.find_preset(self._resolve(name))
        return None if preset is None else preset.description

    def _resolve(self, name: str) -> str:
        """Complete the name of a built-in preset where there is no project that could mean another."""
        if not self.names and self.workspace.find_loaded(name) is None and BUILTIN + name in self.library:
            return BUILTIN + name
        return name

    @cached_property
    def _compiler(self) -> Compiler:
        return Compiler(self.workspace)


def read_clock() -> datetime:
    """Return the present moment (UTC)."""
    return datetime.now(UTC)


def load(path: str | os.PathLike[str] | None = None) -> Project:
    """Load a project: a folder, or, without a path, the one around the working directory.

    A folder is a project if it, or one above it, holds ``orpolicy.yaml``, or else if it holds ``presets/``. Nothing is
    read before it is needed, and what is wrong in the files is reported by ``check`` and ``preset``, not here.

    Raises:
        UsageError: the path does not exist, or is not a folder.
    """
    start = Path(path if path is not None else ".")
    if not start.is_dir():
        raise UsageError(f"'{start}' is not a folder" if start.exists() else f"there is no folder '{start}'")
    root = find_root(start) or start.resolve()
    return Project(Workspace(Folder(root), Workspace(Library())), root)


def load_files(paths: Iterable[Path], texts: Mapping[str, bytes] | None = None) -> Project:
    """Load single files that belong to no project; each is a preset named by its path without the suffix.

    ``texts`` holds more of them by name, such as what was read from standard input.
    """
    loose = Loose({path.as_posix(): path for path in paths}, texts or {})
    return Project(Workspace(loose, Workspace(Library())))
