"""Which policies govern a preset in an environment, and in which environments that differs.

Presets that are governed alike share one meet, and with it all that is worked out from it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field

from orpolicy.language.policy import Policy, meet

if TYPE_CHECKING:
    from orpolicy.language.policy import PolicyFile


@define(slots=False, eq=False)
class Governance:
    """The policies in force, and what they come to for each preset."""

    files: tuple[PolicyFile, ...]
    _meets: dict[tuple[int, ...], Policy] = field(factory=dict, init=False, repr=False)
    _found: dict[tuple[str, str | None], Policy] = field(factory=dict, init=False, repr=False)
    _apart: dict[str, frozenset[str]] = field(factory=dict, init=False, repr=False)

    @cached_property
    def environments(self) -> frozenset[str]:
        """The environments that policies name: the only ones in which they differ."""
        return frozenset(name for file in self.files for name in file.scope.environments or ())

    def find(self, name: str, environment: str | None) -> Policy:
        """Return the meet of all policies that govern a preset in an environment."""
        place = self._find_place(name)
        if (place, environment) not in self._found:
            files = [file for file in self.files if file.scope.covers(name, environment)]
            key = tuple(map(id, files))
            if key not in self._meets:
                self._meets[key] = meet(*(file.policy for file in files))
            self._found[place, environment] = self._meets[key]
        return self._found[place, environment]

    def find_apart(self, name: str) -> frozenset[str]:
        """Name the environments in which a preset is governed otherwise than it is without one."""
        place = self._find_place(name)
        if place not in self._apart:
            plain = self.find(name, None)
            others = (one for one in self.environments if self.find(name, one) != plain)
            self._apart[place] = frozenset(others)
        return self._apart[place]

    def forget(self, name: str) -> None:
        """Forget what governs a preset, unless it is what governs its folder."""
        if self._picks_by_name:
            self._apart.pop(name, None)
            for environment in (None, *self.environments):
                self._found.pop((name, environment), None)

    def _find_place(self, name: str) -> str:
        """Return what decides which policies govern a preset: its folder, or its name where any policy picks by that."""
        return name if self._picks_by_name else name.rpartition("/")[0]

    @cached_property
    def _picks_by_name(self) -> bool:
        return any(file.scope.presets is not None for file in self.files)
