"""What each preset of a workspace builds on, linearised once, and which presets others build on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from orpolicy.language.document import Document
from orpolicy.language.layers import PresetSource, linearise
from orpolicy.language.source import Source
from orpolicy.language.trees import Branch, Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.language.workspace import Workspace


@define(slots=False, eq=False)
class Chains:
    """The chains of a workspace's presets, strongest first: ``known`` so far, with the ``bases`` in any of them.

    Presets that extend the same have the same below them, which is looked up once.
    """

    workspace: Workspace
    known: dict[str, tuple[PresetSource, ...]] = field(factory=dict, init=False, repr=False)
    bases: set[str] = field(factory=set, init=False, repr=False)
    _orders: dict[str, tuple[str, ...]] = field(factory=dict, init=False, repr=False)
    _below: dict[tuple[str, ...], tuple[PresetSource, ...]] = field(factory=dict, init=False, repr=False)
    _torn: set[tuple[str, ...]] = field(factory=set, init=False, repr=False)

    def find(self, preset: PresetSource) -> tuple[PresetSource, ...]:
        """Return a preset and all that it extends.

        Raises:
            ExtendsError: a base does not exist, the chain runs in a circle, or no order agrees with every ``extends``.
        """
        if preset.name not in self.known:
            below = self._below.get(preset.extends) if preset.extends else ()
            if below is None or preset in below:  # a circle, which is told at its own place
                below = self._linearise(preset)
            self.known[preset.name] = (preset, *below)
        return self.known[preset.name]

    def is_torn(self, preset: PresetSource) -> bool:
        """Tell whether a file below a preset is broken: it has its own findings, and nothing comes of the preset."""
        return preset.extends in self._torn

    def _linearise(self, preset: PresetSource) -> tuple[PresetSource, ...]:
        """Find what lies below a preset, and keep it for others."""
        lookup = _Lookup(self.workspace)
        bases = linearise(preset.name, lookup, self._orders)[1:]
        self.bases.update(bases)
        if None in [self.workspace.find_preset(name) for name in bases]:
            self._torn.add(preset.extends)
        return self._below.setdefault(preset.extends, tuple([lookup[name] for name in bases]))


@frozen
class _Lookup(Mapping[str, PresetSource]):
    """Presets by name for ``linearise``: present where a file is, even a broken one, which then extends nothing."""

    workspace: Workspace

    def __getitem__(self, name: str) -> PresetSource:
        loaded = self.workspace.find_loaded(name)
        if loaded is None:
            raise KeyError(name)
        if loaded.value is None:
            empty = Branch({}, Layer(name))
            return PresetSource(name, Document(Source(name, ""), {}), (), False, empty, {})  # noqa: FBT003
        preset: PresetSource = loaded.value
        return preset

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.workspace.find_loaded(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.workspace.all_names())

    def __len__(self) -> int:
        return len(self.workspace.all_names())
