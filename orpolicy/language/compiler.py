"""The order of the passes, written once.

.. code-block:: text

    text ─ read_document ─ check_shape ─ build_layer      one file at a time       (workspace)
         ─ linearise ─ merge ─ settle                     one preset, one environment
         ─ restrict                                       by policy
         ─ check_shape("composed") ─ lint                 errors stop here
         ─ lower                                          the request

Findings of one pass are collected; a pass with errors stops the next. What a file says wrongly is reported once,
however many presets build on it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, evolve, field, frozen

from orpolicy.errors import CompileError, PolicyViolation, UsageError
from orpolicy.language.chains import Chains
from orpolicy.language.compilation import Compilation
from orpolicy.language.diagnostics import Diagnostic, Report, Severity
from orpolicy.language.layers import ExtendsError, PresetSource
from orpolicy.language.lockstep import Steps, run, run_abreast
from orpolicy.language.merge import merge_layers
from orpolicy.language.passes import describe_failure, finish, lay_over
from orpolicy.language.reports import (
    report_abstract,
    report_vain_removals,
)
from orpolicy.language.rules import RULES
from orpolicy.language.settle import settle
from orpolicy.language.suggest import find_similar
from orpolicy.language.suppress import Suppression, find_suppressions, holds_comments, suppress
from orpolicy.language.survey import (
    diagnose_files,
    diagnose_policies,
    diagnose_project,
)
from orpolicy.language.trees import Branch, to_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from orpolicy.language.effective import Effective
    from orpolicy.language.lowered import Lowered
    from orpolicy.language.workspace import Workspace


Key: TypeAlias = tuple[int, ...]
"""Layers by identity; who keeps a key keeps the layers too."""


@frozen
class Outcome:
    """What came of compiling one preset in one environment."""

    compiled: Compilation | None
    diagnostics: tuple[Diagnostic, ...]


@define(slots=False, eq=False)
class Compiler:
    """Compiles the presets of a workspace; composed bases are kept, so that each is composed once."""

    workspace: Workspace
    compositions: int = field(default=0, init=False)
    _composed: dict[Key, tuple[list[Branch], Branch]] = field(factory=dict, init=False, repr=False)
    _keys: dict[str, set[Key]] = field(factory=dict, init=False, repr=False)

    def compile(self, name: str, environment: str | None = None) -> Compilation:
        """Compile a preset, or say everything that is wrong with it.

        Raises:
            UsageError: there is no such preset or environment.
            PolicyViolation: a policy forbids what the preset says.
            CompileError: the sources are wrong.
        """
        self.require(environment, [name])
        outcome = self.try_compile(name, environment)
        preset = self.workspace.find_preset(name)
        if preset is not None and preset.abstract:
            outcome = Outcome(None, (report_abstract(preset),))
        diagnostics = (
            *diagnose_project(self.workspace, [name]),
            *diagnose_files(self.workspace, [name]),
            *outcome.diagnostics,
        )
        report = Report(tuple(self._finish(diagnostics)))
        if outcome.compiled is None or report.errors:
            raise describe_failure(report)
        return outcome.compiled

    def compose(self, name: str | None = None, environment: str | None = None) -> dict[str, Any]:
        """Return what a preset, also an abstract one, says together with all below it, before any policy.

        Without a name, what lies below every preset: the project's defaults.

        Raises:
            UsageError: there is no such preset or environment.
            CompileError: the sources are wrong.
        """
        names = [] if name is None else [name]
        self.require(environment, names)
        tree, found = (
            (self.workspace.settings.defaults, ()) if name is None else self._stack(name, environment)
        )
        found = (*self.workspace.project.diagnostics, *diagnose_files(self.workspace, names), *found)
        report = Report(tuple(self._finish(found)))
        if report.errors or (tree is None and name is not None):
            raise CompileError(report)
        composed: dict[str, Any] = {} if tree is None else to_data(settle(tree))
        return composed

    def find_policy(self, name: str | None = None, environment: str | None = None) -> Effective:
        """Return the policy in force for a preset, or, without a name, that for every preset.

        Raises:
            UsageError: there is no such preset or environment.
            PolicyViolation: a policy cannot be read, or the policies contradict each other.
        """
        self.require(environment, [] if name is None else [name])
        from orpolicy.language.effective import choose_files  # noqa: PLC0415 - compiling needs no summary of policies

        effective = choose_files(self.workspace.policy_values, name, environment)
        found = diagnose_policies(self.workspace, [(None, effective.policy)])
        report = Report(tuple(self._finish((*self.workspace.project.diagnostics, *found))))
        if report.errors:
            raise PolicyViolation(report)
        return effective

    def list_variants(self, name: str, environment: str | None = None) -> Iterator[str | None]:
        """Name the environments in which a preset has to be compiled: none, and those that change anything."""
        if environment is not None:
            yield environment
            return
        yield None
        preset = self.workspace.find_preset(name)
        if preset is None:
            return
        try:
            chain = self._chains.find(preset)
        except ExtendsError:
            return
        touched = self.workspace.governance.find_apart(name).union(*[source.overlays for source in chain])
        listed = self.workspace.settings.environments
        yield from sorted(touched) if listed is None else (name for name in listed if name in touched)

    def try_compile(self, name: str, environment: str | None) -> Outcome:
        """Compile a preset, and keep what is wrong with it; what its file says wrongly by itself is not part of that."""
        return run(self._compile(name, environment))

    def try_all(self, variants: Iterable[tuple[str, str | None]]) -> list[Outcome]:
        """Compile presets, each in an environment, side by side, as ``try_compile`` does."""
        return run_abreast(self._compile(name, environment) for name, environment in variants)

    def _compile(self, name: str, environment: str | None) -> Steps[Outcome]:
        preset = self.workspace.find_preset(name)
        composed, found = self._stack(name, environment)
        if preset is None or composed is None or preset.abstract:
            return Outcome(None, found)
        yield
        vain = tuple(report_vain_removals(composed, _own_layers(preset, environment)))
        return (yield from self._finish_composition(name, environment, composed, vain))

    def _stack(self, name: str, environment: str | None) -> tuple[Branch | None, tuple[Diagnostic, ...]]:
        """Lay what a preset says over all below it; nothing comes of a broken file, whose own findings say so."""
        preset = self.workspace.find_preset(name)
        if preset is None:
            return None, ()
        try:
            chain = self._chains.find(preset)
        except ExtendsError as error:
            return None, (self._report_extends(error),)
        if self._chains.is_torn(preset):
            return None, ()
        defaults = self.workspace.settings.defaults
        layers = [] if defaults is None else [defaults]
        for source in reversed(chain):
            layers += _own_layers(source, environment)
        key = tuple(map(id, layers))
        self._keys.setdefault(name, set()).add(key)
        whole = self._compose(key, layers)
        return Branch(whole.entries, preset.tree.layer, whole.path, whole.cleared, whole.shadowed), ()

    def _finish_composition(
        self, name: str, environment: str | None, composed: Branch, before: tuple[Diagnostic, ...]
    ) -> Steps[Outcome]:
        """Run the passes that follow composition; call-time overrides pass through here like anything else."""
        policy = self.workspace.governance.find(name, environment)
        passage = yield from finish(composed, policy, before, unheard=self._find_unheard(name))
        product = passage.product
        if product is None:
            return Outcome(None, passage.diagnostics)

        def override(overrides: Mapping[str, Any]) -> Lowered:
            return self._override(name, environment, composed, overrides)

        compilation = Compilation(name, environment, product.lowered, product.restricted, override, composed)
        return Outcome(compilation, passage.diagnostics)

    def _find_unheard(self, name: str) -> AbstractSet[str]:
        """Name the rules that are off, unless a comment in a preset's files might be about one of them."""
        for source in self._chains.known[name]:
            if holds_comments(source.document):
                return frozenset()
        return self._off

    @cached_property
    def _chains(self) -> Chains:
        return Chains(self.workspace)

    @cached_property
    def _off(self) -> AbstractSet[str]:
        """The rules that are off, unless a comment in the project file might be about one of them."""
        document, severities = self.workspace.settings.document, self.workspace.settings.severities
        if document is not None and holds_comments(document):
            return frozenset()
        return {code for code, rule in RULES.items() if severities.get(code, rule.severity) is Severity.OFF}

    def _override(
        self, name: str, environment: str | None, composed: Branch, overrides: Mapping[str, Any]
    ) -> Lowered:
        """Put call-time values over a composed preset and run every pass again."""
        policy = self.workspace.governance.find(name, environment)
        passage = run(finish(lay_over(composed, overrides), policy))
        report = Report(tuple(self._finish(passage.diagnostics)))
        if passage.product is None or report.errors:
            raise describe_failure(report)
        return passage.product.lowered

    def _compose(self, key: Key, layers: list[Branch]) -> Branch:
        """Merge layers, weakest first, keeping what earlier presets composed of the same first layers."""
        if len(layers) == 1:
            return layers[0]
        if key not in self._composed:
            below = self._compose(key[:-1], layers[:-1])
            self.compositions += 1
            self._composed[key] = (layers, merge_layers(below, layers[-1]))
        return self._composed[key][1]

    def forget(self, name: str) -> None:
        """Forget what was made of a preset, unless others build on it; it is read again should it be wanted."""
        if name in self._chains.bases or name not in self.workspace.preset_files:
            return
        for key in self._keys.pop(name, ()):
            self._composed.pop(key, None)
        self._chains.known.pop(name, None)
        self.workspace.forget(name)

    def _finish(self, diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Apply the comments of the files and the project's severities."""
        return self.weigh(suppress(diagnostics, self.find_comments))

    def find_comments(self, file: str) -> tuple[Suppression, ...]:
        """Find the comments of a file that silence rules; none in a file that was not read."""
        document = self.workspace.find_document(file)
        return () if document is None else find_suppressions(document)

    def weigh(self, diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Give findings the severities that the project wants; those that it does not want to hear are left out."""
        severities = self.workspace.settings.severities
        for diagnostic in diagnostics:
            severity = severities.get(diagnostic.code, diagnostic.severity)
            if severity is not Severity.OFF:
                yield evolve(diagnostic, severity=severity)

    def _report_extends(self, error: ExtendsError) -> Diagnostic:
        loaded = self.workspace.find_loaded(error.name)
        assert loaded is not None  # noqa: S101  # the chain came from this file
        assert loaded.document is not None  # noqa: S101
        hint = None
        if error.code == "unknown-preset":
            similar = find_similar(error.message.split("'")[1], self.workspace.all_names())
            hint = f"did you mean '{similar}'?" if similar else "'orpolicy list' names all presets"
        return Diagnostic(
            error.code, RULES[error.code].severity, error.message, loaded.document.locate(error.path), hint
        )

    def require(self, environment: str | None, names: Iterable[str]) -> None:
        """Refuse names that nobody knows; an environment may be one of the project's or of the presets' own overlays."""
        for name in names:
            if not self.workspace.knows(name):
                raise UsageError(self._say_unknown("preset", name, self.workspace.all_names()))
        if environment is None:
            return
        listed = self.workspace.settings.environments
        if listed is None and any(environment in self._find_overlays(name) for name in names):
            return
        known = self.workspace.environments
        if environment not in known:
            raise UsageError(self._say_unknown("environment", environment, known))

    def _find_overlays(self, name: str) -> set[str]:
        preset = self.workspace.find_preset(name)
        if preset is None:
            return set()
        try:
            return {overlay for source in self._chains.find(preset) for overlay in source.overlays}
        except ExtendsError:
            return set(preset.overlays)

    @staticmethod
    def _say_unknown(kind: str, name: str, known: Sequence[str]) -> str:
        similar = find_similar(name, known)
        if similar:
            return f"there is no {kind} '{name}'; did you mean '{similar}'?"
        return f"there is no {kind} '{name}'; there is {', '.join(known[:10]) or 'none at all'}"


def _own_layers(preset: PresetSource, environment: str | None) -> list[Branch]:
    overlay = preset.overlays.get(environment) if environment is not None else None
    return [preset.tree] if overlay is None else [preset.tree, overlay]
