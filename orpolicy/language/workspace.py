"""The files of a project as the compiler sees them: read on demand, each once, every finding kept.

Nothing here touches a disk: ``Files`` is where texts come from, be it a folder, a git revision or a dictionary.
"""

from __future__ import annotations

import posixpath
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field

from orpolicy.language.diagnostics import Diagnostic, Severity, holds_error
from orpolicy.language.document import Document, decode, read_document
from orpolicy.language.files import (
    BUILTIN,
    POLICY_SUFFIXES,
    PROJECT_FILE,
    TEST_SUFFIXES,
    FileProblem,
    Files,
    Loaded,
    report_file,
)
from orpolicy.language.governance import Governance
from orpolicy.language.inspect import inspect_document
from orpolicy.language.lockstep import Steps, run, run_abreast
from orpolicy.language.policy import read_policy
from orpolicy.language.reading import SHELF, build_preset, check_environment, policy_name, preset_name
from orpolicy.language.settings import Settings, build_settings
from orpolicy.language.source import Source
from orpolicy.language.suggest import find_similar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orpolicy.language.layers import PresetSource
    from orpolicy.language.policy import PolicyFile


@define(slots=False, eq=False)
class Workspace:
    """A project's files with everything read from them; ``builtin`` holds the presets under ``orpolicy/``."""

    files: Files
    builtin: Workspace | None = None
    _loaded: dict[str, Loaded] = field(factory=dict, init=False, repr=False)
    _presets: dict[str, Loaded | None] = field(factory=dict, init=False, repr=False)

    @cached_property
    def project(self) -> Loaded:
        """The project file, read: ``value`` is its ``Settings``, those of an empty file where it is broken."""
        loaded = self.load(PROJECT_FILE, "project", build_settings)
        return loaded if loaded.value is not None else evolve(loaded, value=Settings())

    @property
    def settings(self) -> Settings:
        """The project's settings."""
        settings: Settings = self.project.value
        return settings

    @cached_property
    def yaml_files(self) -> tuple[str, ...]:
        """Every YAML file below the presets folder, sorted."""
        return tuple(sorted(self.files.list_yaml(self.settings.presets)))

    @cached_property
    def preset_files(self) -> Mapping[str, str]:
        """Preset names, sorted, with their files."""
        folder = self.settings.presets
        found: dict[str, str] = {}
        for file in self.yaml_files:
            if not file.endswith((*POLICY_SUFFIXES, *TEST_SUFFIXES)) and file != PROJECT_FILE:
                found.setdefault(preset_name(file, folder), file)
        return found

    @cached_property
    def policy_files(self) -> tuple[str, ...]:
        """The policy files below the presets folder, sorted."""
        return tuple(file for file in self.yaml_files if file.endswith(POLICY_SUFFIXES))

    @cached_property
    def suite_files(self) -> tuple[str, ...]:
        """The scenario files below the presets folder, sorted."""
        return tuple(file for file in self.yaml_files if file.endswith(TEST_SUFFIXES))

    @cached_property
    def duplicates(self) -> tuple[Diagnostic, ...]:
        """Files that claim the name of another one (``triage.yaml`` and ``triage.yml``), or of a built-in preset."""
        folder = self.settings.presets
        extra = set(self.yaml_files) - set(self.preset_files.values()) - set(self.policy_files)
        doubled = {
            file: f"the preset '{preset_name(file, folder)}' has two files"
            for file in extra
            if not file.endswith(TEST_SUFFIXES) and file != PROJECT_FILE
        }
        if self.builtin is not None:
            reserved = self.preset_files.keys() & self.builtin.preset_files.keys()
            doubled |= {
                self.preset_files[name]: f"'{name}' is the name of a built-in preset" for name in reserved
            }
        return tuple(report_file(file, "duplicate-preset", doubled[file]) for file in sorted(doubled))

    @cached_property
    def environments(self) -> tuple[str, ...]:
        """The names of all environments: the project's closed list, else all that overlays and policies name, sorted."""
        if self.settings.environments is not None:
            return self.settings.environments
        presets = (self.load_preset(name).value for name in self.preset_files)
        named = {name for preset in presets if preset is not None for name in preset.overlays}
        return tuple(sorted(named | self.governance.environments))

    @cached_property
    def policy_values(self) -> tuple[PolicyFile, ...]:
        """The policies in force, but for those that cannot be read."""
        return tuple(loaded.value for loaded in self.policies if loaded.value is not None)

    @cached_property
    def governance(self) -> Governance:
        """Whom the policies in force govern."""
        return Governance(self.policy_values)

    def knows(self, name: str) -> bool:
        """Tell whether a preset has this name, here or in the built-in library; it is not read."""
        built_in = self.builtin is not None and name in self.builtin.preset_files
        return built_in or name in self.preset_files

    def forget(self, name: str) -> None:
        """Forget what was read of one of this project's presets."""
        self._presets.pop(name, None)
        self._loaded.pop(self.preset_files[name], None)
        self.governance.forget(name)

    def find_preset(self, name: str) -> PresetSource | None:
        """Return a preset of this project or of the built-in library, unless it is missing or broken."""
        loaded = self.find_loaded(name)
        preset: PresetSource | None = None if loaded is None else loaded.value
        return preset

    def find_loaded(self, name: str) -> Loaded | None:
        """Return what came of a preset's file; ``None`` where no file has this name."""
        if name not in self._presets:
            self._presets[name] = self._find_loaded(name)
        return self._presets[name]

    def _find_loaded(self, name: str) -> Loaded | None:
        if name in self.preset_files:
            return self.load_preset(name)
        if self.builtin is not None and name.startswith(BUILTIN):
            return self.builtin.find_loaded(name)
        return None

    def load_preset(self, name: str) -> Loaded:
        """Read the file of one of this project's presets."""
        self.load_presets((name,))
        return self._loaded[self.preset_files[name]]

    def load_presets(self, names: Iterable[str]) -> None:
        """Read the files of this project's presets side by side, those that were not read yet."""
        files = {self.preset_files[name]: name for name in names}
        missing = {file: name for file, name in files.items() if file not in self._loaded}
        read = run_abreast(
            self._read(file, "preset", partial(self._build_preset, name)) for file, name in missing.items()
        )
        self._loaded.update(zip(missing, read, strict=True))

    def _build_preset(self, name: str, document: Document) -> Loaded:
        return build_preset(name, document, self.files, self.settings.environments)

    def load_policy(self, file: str) -> Loaded:
        """Read a policy file; ``value`` is a ``PolicyFile``, governing the presets at and below the file's folder."""
        name = policy_name(file, self.settings.presets)

        def build(document: Document) -> Loaded:
            found: list[Diagnostic] = []
            environments: Any = document.data.get("applies_to", {})
            for index in range(len(environments.get("environments", ()))):
                path = ("applies_to", "environments", index)
                found.extend(check_environment(document, path, self.settings.environments))
            policy = read_policy(name, document, posixpath.dirname(name))
            return Loaded(None if found else policy, tuple(found))

        return self.load(file, "policy", build)

    @cached_property
    def policies(self) -> tuple[Loaded, ...]:
        """Every policy in force: those that lie among the presets, and those that the project adopts by name."""
        shelved = {file for _, file in self._shelf.values()}
        own = [self.load_policy(file) for file in self.policy_files if file not in shelved]
        return (*own, *(self._adopt(index, name) for index, name in enumerate(self.settings.policies)))

    @cached_property
    def library_policies(self) -> Mapping[str, Loaded]:
        """The built-in policies, by the names under which projects adopt them."""
        built_in = {name: where for name, where in self._shelf.items() if where[0] is self.builtin}
        return {name: workspace.load_policy(file) for name, (workspace, file) in built_in.items()}

    @cached_property
    def unadopted(self) -> Mapping[str, Loaded]:
        """The project's own policies that lie on the shelf and that it does not adopt, by name."""
        shelved = {name: file for name, (workspace, file) in self._shelf.items() if workspace is self}
        return {
            name: self.load_policy(file)
            for name, file in shelved.items()
            if name not in self.settings.policies
        }

    def is_abstract(self, name: str) -> bool:
        """Tell whether a preset is one that is never compiled by itself; a broken one is not known to be."""
        preset = self.find_preset(name)
        return preset is not None and preset.abstract

    @cached_property
    def _shelf(self) -> Mapping[str, tuple[Workspace, str]]:
        """The policies that govern nothing until they are adopted: those below ``policies/``, here and built in."""
        shelf: dict[str, tuple[Workspace, str]] = {}
        for file in self.policy_files:
            name = policy_name(file, self.settings.presets)
            if name.startswith(SHELF):
                shelf[name] = (self, file)
        if self.builtin is not None:
            for file in self.builtin.policy_files:
                shelf[policy_name(file, "")] = (self.builtin, file)
        return shelf

    def _adopt(self, index: int, name: str) -> Loaded:
        """Read a policy from the shelf, for the whole project."""
        if name not in self._shelf:
            document = self.project.document
            assert document is not None  # noqa: S101  # it named the policy
            similar = find_similar(name, self._shelf)
            known = ", ".join(sorted(self._shelf)) or "none"
            hint = f"did you mean '{similar}'?" if similar else f"there is {known}"
            place = document.locate(("policies", index))
            message = f"there is no policy '{name}' to adopt"
            return Loaded(None, (Diagnostic("unknown-policy", Severity.ERROR, message, place, hint),))
        workspace, file = self._shelf[name]
        loaded = workspace.load_policy(file)
        if loaded.value is None:
            return loaded
        return evolve(loaded, value=evolve(loaded.value, scope=evolve(loaded.value.scope, folder="")))

    def find_document(self, file: str) -> Document | None:
        """Return the document of a file that was read already; ``None`` where there is none."""
        if self.builtin is not None and file.startswith(BUILTIN):
            return self.builtin.find_document(file)
        loaded = self._loaded.get(file)
        return None if loaded is None else loaded.document

    def find_source(self, file: str) -> Source | None:
        """Return the text of a file as findings name it; ``None`` where it cannot be read."""
        if self.builtin is not None and file.startswith(BUILTIN):
            return self.builtin.find_source(file)
        try:
            raw = self.files.read(file)
        except FileProblem:
            return None
        source = None if raw is None else decode(file, raw)
        return source if isinstance(source, Source) else None

    def all_names(self) -> tuple[str, ...]:
        """Name every preset that can be extended or compiled, built-in ones included."""
        library = () if self.builtin is None else tuple(self.builtin.preset_files)
        return (*self.preset_files, *library)

    def load(self, file: str, kind: str, build: Callable[[Document], Loaded]) -> Loaded:
        """Read a file of some kind, once; ``build`` makes a value of a document of the right shape."""
        if file not in self._loaded:
            self._loaded[file] = run(self._read(file, kind, build))
        return self._loaded[file]

    def _read(self, file: str, kind: str, build: Callable[[Document], Loaded]) -> Steps[Loaded]:
        try:
            raw = self.files.read(file)
        except FileProblem as problem:
            return Loaded(None, (report_file(file, "unreadable-file", str(problem)),))
        if raw is None:
            missing = report_file(file, "unreadable-file", f"'{file}' leads to no file")
            return Loaded(None, () if file == PROJECT_FILE else (missing,))
        source = decode(file, raw)
        if isinstance(source, Diagnostic):
            return Loaded(None, (source,))
        yield
        reading = read_document(source)
        if reading.document is None:
            return Loaded(None, reading.diagnostics)
        yield
        shape = inspect_document(kind, reading.document)
        if holds_error(shape):
            return Loaded(None, shape, reading.document)
        yield
        built = build(reading.document)
        return Loaded(built.value, (*shape, *built.diagnostics), reading.document)
