"""The files of a project as the compiler sees them: read on demand, each once, every finding kept.

Nothing here touches a disk: ``Files`` is where texts come from, be it a folder, a git revision or a dictionary.
"""

from __future__ import annotations

import posixpath
from functools import cached_property, reduce
from operator import getitem
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, evolve, field, frozen

from orpolicy.errors import OrpolicyError
from orpolicy.language.diagnostics import Diagnostic, Finding, Related, Severity
from orpolicy.language.document import Ambiguity, Document, decode, read_document
from orpolicy.language.layers import PresetSource
from orpolicy.language.merge import build_layer
from orpolicy.language.policy import Scope, read_policy
from orpolicy.language.rules import RULES
from orpolicy.language.schema import check_shape, merge_strategies
from orpolicy.language.source import Location, Path, Position, Source
from orpolicy.language.suggest import find_similar
from orpolicy.language.suppress import may_suppress
from orpolicy.language.trees import Branch, Layer, Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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
class Settings:
    """A project's own settings; ``environments`` is ``None`` where the project does not close the list."""

    presets: str = "presets"
    policies: tuple[str, ...] = ()
    catalog: str = "catalog.json"
    environments: tuple[str, ...] | None = None
    severities: Mapping[str, Severity] = field(factory=dict)
    document: Document | None = None
    defaults: Branch | None = None


@frozen
class Loaded:
    """What came of one file: a value, unless findings say why there is none."""

    value: Any
    diagnostics: tuple[Diagnostic, ...] = ()
    document: Document | None = None


@define(slots=False, eq=False)
class Workspace:
    """A project's files with everything read from them; ``builtin`` holds the presets under ``orpolicy/``."""

    files: Files
    builtin: Workspace | None = None
    _loaded: dict[str, Loaded] = field(factory=dict, init=False, repr=False)

    @cached_property
    def project(self) -> Loaded:
        """The project file, read: ``value`` is its ``Settings``, those of an empty file where it is broken."""
        loaded = self._load(PROJECT_FILE, "project", _build_settings)
        return loaded if loaded.value is not None else evolve(loaded, value=Settings())

    @property
    def settings(self) -> Settings:
        """The project's settings."""
        settings: Settings = self.project.value
        return settings

    @cached_property
    def preset_files(self) -> Mapping[str, str]:
        """Preset names, sorted, with their files."""
        folder = self.settings.presets
        found: dict[str, str] = {}
        for file in sorted(self.files.list_yaml(folder)):
            if not file.endswith((*POLICY_SUFFIXES, *TEST_SUFFIXES)) and file != PROJECT_FILE:
                found.setdefault(preset_name(file, folder), file)
        return found

    @cached_property
    def policy_files(self) -> tuple[str, ...]:
        """The policy files below the presets folder, sorted."""
        return tuple(
            sorted(
                file for file in self.files.list_yaml(self.settings.presets) if file.endswith(POLICY_SUFFIXES)
            )
        )

    @cached_property
    def duplicates(self) -> tuple[Diagnostic, ...]:
        """Files that claim the name of another one (``triage.yaml`` and ``triage.yml``)."""
        folder = self.settings.presets
        extra = set(self.files.list_yaml(folder)) - set(self.preset_files.values()) - set(self.policy_files)
        return tuple(
            _report_file(file, "duplicate-preset", f"the preset '{preset_name(file, folder)}' has two files")
            for file in sorted(extra)
            if not file.endswith(TEST_SUFFIXES) and file != PROJECT_FILE
        )

    @cached_property
    def environments(self) -> tuple[str, ...]:
        """The names of all environments: the project's closed list, else all that overlays and policies name, sorted."""
        if self.settings.environments is not None:
            return self.settings.environments
        presets = (self.load_preset(name).value for name in self.preset_files)
        named = {name for preset in presets if preset is not None for name in preset.overlays}
        scopes = (loaded.value.scope for loaded in self.policies if loaded.value is not None)
        return tuple(sorted(named.union(*(scope.environments or () for scope in scopes))))

    def find_preset(self, name: str) -> PresetSource | None:
        """Return a preset of this project or of the built-in library, unless it is missing or broken."""
        loaded = self.find_loaded(name)
        preset: PresetSource | None = None if loaded is None else loaded.value
        return preset

    def find_loaded(self, name: str) -> Loaded | None:
        """Return what came of a preset's file; ``None`` where no file has this name."""
        if name in self.preset_files:
            return self.load_preset(name)
        if self.builtin is not None and name.startswith(BUILTIN):
            return self.builtin.find_loaded(name)
        return None

    def load_preset(self, name: str) -> Loaded:
        """Read the file of one of this project's presets."""

        def build(document: Document) -> Loaded:
            return self._build_preset(name, document)

        return self._load(self.preset_files[name], "preset", build)

    def load_policy(self, file: str) -> Loaded:
        """Read a policy file; ``value`` is a ``PolicyFile``, governing the presets at and below the file's folder."""
        name = policy_name(file, self.settings.presets)

        def build(document: Document) -> Loaded:
            found: list[Diagnostic] = []
            environments: Any = document.data.get("applies_to", {})
            for index in range(len(environments.get("environments", ()))):
                found.extend(self._check_environment(document, ("applies_to", "environments", index)))
            policy = read_policy(name, document, posixpath.dirname(name))
            return Loaded(None if found else policy, tuple(found))

        return self._load(file, "policy", build)

    @cached_property
    def policies(self) -> tuple[Loaded, ...]:
        """Every policy in force: those of the presets folder, and the built-in ones that the project adopts."""
        own = [self.load_policy(file) for file in self.policy_files]
        return (*own, *(self._adopt(index, name) for index, name in enumerate(self.settings.policies)))

    def _adopt(self, index: int, name: str) -> Loaded:
        """Read a built-in policy for the whole project."""
        library = (
            {}
            if self.builtin is None
            else {policy_name(file, ""): file for file in self.builtin.policy_files}
        )
        short = {f"{BUILTIN}{known.rpartition('/')[2]}": known for known in library}
        if name not in library and name not in short:
            document = self.project.document
            assert document is not None  # noqa: S101  # it named the policy
            similar = find_similar(name, short)
            hint = (
                f"did you mean '{similar}'?" if similar else f"there is {', '.join(sorted(short)) or 'none'}"
            )
            place = document.locate(("policies", index))
            return Loaded(
                None,
                (
                    Diagnostic(
                        "unknown-policy", Severity.ERROR, f"there is no built-in policy '{name}'", place, hint
                    ),
                ),
            )
        assert self.builtin is not None  # noqa: S101  # the library is its
        loaded = self.builtin.load_policy(library[short.get(name, name)])
        if loaded.value is None:
            return loaded
        return evolve(loaded, value=evolve(loaded.value, scope=Scope()))

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

    def _load(self, file: str, kind: str, build: Callable[[Document], Loaded]) -> Loaded:
        if file not in self._loaded:
            self._loaded[file] = self._read(file, kind, build)
        return self._loaded[file]

    def _read(self, file: str, kind: str, build: Callable[[Document], Loaded]) -> Loaded:
        try:
            raw = self.files.read(file)
        except FileProblem as problem:
            return Loaded(None, (_report_file(file, "unreadable-file", str(problem)),))
        if raw is None:
            missing = _report_file(file, "unreadable-file", f"'{file}' leads to no file")
            return Loaded(None, () if file == PROJECT_FILE else (missing,))
        source = decode(file, raw)
        if isinstance(source, Diagnostic):
            return Loaded(None, (source,))
        reading = read_document(source)
        if reading.document is None:
            return Loaded(None, reading.diagnostics)
        shape = tuple(inspect_document(kind, reading.document))
        if any(diagnostic.severity is Severity.ERROR for diagnostic in shape):
            return Loaded(None, shape, reading.document)
        built = build(reading.document)
        return Loaded(built.value, (*shape, *built.diagnostics), reading.document)

    def _build_preset(self, name: str, document: Document) -> Loaded:
        data = document.data
        found: list[Diagnostic] = []
        own = {
            key: value for key, value in data.items() if key not in ("extends", "abstract", "environments")
        }
        tree = self._build_tree(own, Layer(name, document), found)
        overlays = {}
        environments: Any = data.get("environments", {})
        for environment, overlay in environments.items():
            found.extend(self._check_environment(document, ("environments", environment)))
            layer = Layer(f"{name}[{environment}]", document, ("environments", environment))
            overlays[environment] = self._build_tree(overlay, layer, found)
        extends: Any = data.get("extends", ())
        bases = (extends,) if isinstance(extends, str) else tuple(extends)
        preset = PresetSource(name, document, bases, data.get("abstract") is True, tree, overlays)
        return Loaded(None if found else preset, tuple(found))

    def _build_tree(self, data: Any, layer: Layer, found: list[Diagnostic]) -> Branch:
        tree = build_layer(data, layer, merge_strategies())
        system = data.get("system")
        if isinstance(system, dict):
            path = ("system", "file")
            try:
                text = self._read_beside(layer.document, system["file"])
            except FileProblem as problem:
                place = layer.locate(path)
                assert place is not None  # noqa: S101  # a layer of a file has places
                found.append(Diagnostic("system-file", Severity.ERROR, str(problem), place))
            else:
                tree = evolve(tree, entries={**tree.entries, "system": Leaf(text, layer, path)})
        return tree

    def _read_beside(self, document: Document | None, name: str) -> str:
        """Read a text file named relative to a document, inside the project."""
        here = posixpath.dirname(document.source.name) if document else ""
        target = posixpath.normpath(posixpath.join(here, name.replace("\\", "/")))
        if posixpath.isabs(name):
            raise FileProblem(f"'{name}' is an absolute path; name the file relative to this one")
        raw = self.files.read(target)
        if raw is None:
            raise FileProblem(f"there is no file '{target}'")
        source = decode(target, raw)
        if isinstance(source, Diagnostic):
            raise FileProblem(f"'{target}' cannot be read: {source.message}")
        return source.text

    def _check_environment(self, document: Document, path: Path) -> Iterable[Diagnostic]:
        """Hold the name of an environment, a key or a list's item, against the project's closed list."""
        known = self.settings.environments
        item = isinstance(path[-1], int)
        name = _descend(document.data, path) if item else path[-1]
        if known is not None and name not in known:
            message = f"the project has no environment '{name}'"
            similar = find_similar(name, known)
            hint = (
                f"did you mean '{similar}'?" if similar else f"the project names {', '.join(known) or 'none'}"
            )
            place = document.locate(path, "value" if item else "key")
            yield Diagnostic("unknown-environment", Severity.ERROR, message, place, hint)


def preset_name(file: str, folder: str) -> str:
    """Derive a preset's name from its file: the path below the presets folder, without the suffix."""
    below = file.removeprefix("" if folder in ("", ".") else folder.rstrip("/") + "/")
    return below.removesuffix(".yaml").removesuffix(".yml")


def _descend(data: Any, path: Path) -> Any:
    return reduce(getitem, path, data)


def policy_name(file: str, folder: str) -> str:
    """Derive a policy's name from its file, as a preset's is, without the ``.policy`` before the suffix."""
    return preset_name(file, folder).removesuffix(".policy")


def inspect_document(kind: str, document: Document) -> Iterable[Diagnostic]:
    """Report what is wrong with a document's shape, and its scalars that other readers take for something else."""
    findings = check_shape(kind, document.data, strict_integers=document.has_whole_decimals)
    places = {finding.path for finding in findings}
    for ambiguity in document.ambiguities:
        if ambiguity.path not in places:
            findings.append(_explain_ambiguity(kind, document, ambiguity))
    for finding in findings:
        yield diagnose(finding, document.locate)


def diagnose(
    finding: Finding, locate: Callable[[Path, Any], Location], severity: Severity | None = None
) -> Diagnostic:
    """Put a finding at its place in a text."""
    related = tuple(Related(message, locate(path, "value")) for message, path in finding.related)
    place = locate(finding.path, finding.anchor)
    return Diagnostic(
        finding.code, severity or RULES[finding.code].severity, finding.message, place, finding.hint, related
    )


_KINDS_1_1 = {
    "bool": ("a boolean", True),
    "int": ("a number", 1),
    "float": ("a number", 1),
    "null": ("null", None),
    "timestamp": ("a date", None),
    "str": ("text", "text"),
}
"""Kinds of YAML 1.1: how they are called, and a value to try in the place of one."""


def _explain_ambiguity(kind: str, document: Document, ambiguity: Ambiguity) -> Finding:
    """Say how other readers take a scalar; where the schema would then reject it, that is an error."""
    name, stand_in = _KINDS_1_1[ambiguity.kind]
    trial = _replace(document.data, ambiguity.path, stand_in)
    rejected = ambiguity.kind == "timestamp" or any(
        finding.path == ambiguity.path for finding in check_shape(kind, trial)
    )
    code = "yaml-retyped" if rejected else "yaml-ambiguous"
    message = f"'{ambiguity.text}' is {'a number' if ambiguity.kind == 'str' else 'text'} here, and {name} to a YAML 1.1 reader"
    hint = "write the number plainly" if ambiguity.kind == "str" else f'put it in quotes: "{ambiguity.text}"'
    return Finding(code, ambiguity.path, message, hint)


def _replace(data: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    if isinstance(data, list):
        return [
            _replace(item, path[1:], value) if index == path[0] else item for index, item in enumerate(data)
        ]
    return {key: _replace(item, path[1:], value) if key == path[0] else item for key, item in data.items()}


def _build_settings(document: Document) -> Loaded:
    data: Any = document.data
    found: list[Diagnostic] = []
    for code, severity in data.get("rules", {}).items():
        found.extend(_check_severity(document, code, severity))
    environments = data.get("environments")
    defaults = data.get("defaults")
    layer = Layer("defaults", document, ("defaults",))
    settings = Settings(
        presets=data.get("presets", "presets"),
        policies=tuple(data.get("policies", ())),
        catalog=data.get("catalog", "catalog.json"),
        environments=None if environments is None else tuple(environments),
        severities={code: Severity(severity) for code, severity in data.get("rules", {}).items()},
        document=document,
        defaults=None if not defaults else build_layer(defaults, layer, merge_strategies()),
    )
    return Loaded(settings, tuple(found))


def _check_severity(document: Document, code: str, severity: str) -> Iterable[Diagnostic]:
    place = document.locate(("rules", code), "key")
    if code not in RULES:
        similar = find_similar(code, RULES)
        hint = f"did you mean '{similar}'?" if similar else "'orpolicy rule' lists all rules"
        yield Diagnostic("unknown-rule", Severity.ERROR, f"there is no rule '{code}'", place, hint)
    elif severity != "error" and not may_suppress(code):
        message = f"'{code}' cannot be turned {'off' if severity == 'off' else 'into a warning'}"
        hint = "what it reports cannot be compiled, or a policy forbids it"
        yield Diagnostic("unknown-rule", Severity.ERROR, message, place, hint)


def _report_file(file: str, code: str, message: str) -> Diagnostic:
    start = Position(1, 1)
    return Diagnostic(code, RULES[code].severity, message, Source(file, "").locate(start, start))
