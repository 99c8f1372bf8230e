"""A lock: presets compiled before, with the policies and the catalogue that they rest on, as one file of JSON.

.. code-block:: text

    load ─ preset ─ request                 nothing but this file is read, no schema and no YAML
                    request(**overrides)    the composition is put together again, and every pass runs as in the project
    route, worst_case, max_cost             over the few models and endpoints that the lock keeps
    explain, origin                         a lock holds no sources

The digest in its head is over all that follows it: a file that does not match was edited or merged by hand, and is
refused. Law: what a project sends, and what it refuses, its lock sends and refuses.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from attrs import define, evolve, field

from orpolicy.errors import CatalogError, LockError, UsageError
from orpolicy.lock_proof import is_sound, is_sound_policy
from orpolicy.lock_text import AGAIN, LOCK_FILE, MAX_BYTES, read_members
from orpolicy.locked_preset import LockedPreset

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from orpolicy.language.diagnostics import Report
    from orpolicy.language.effective import Effective
    from orpolicy.language.lowered import Lowered
    from orpolicy.language.policy import Policy, PolicyFile
    from orpolicy.language.recompose import Recomposition
    from orpolicy.routing.catalog import Catalog

__all__ = ["AGAIN", "LOCK_FILE", "Lock", "LockedPreset", "parse_lock", "read_lock"]


@define(slots=False, eq=False)
class Lock:
    """Presets, policies and a catalogue as a lock holds them; ``name`` is how messages call the file.

    It has the face of a project. What needs sources (``check``, ``compose``, ``source``) raises ``UsageError``.
    """

    name: str
    text: str = field(repr=False)
    members: Mapping[str, Any] = field(repr=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the presets, sorted; a mixin is none."""
        return tuple(sorted({name for name, _ in self.entries}))

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of all environments of the project, those that change nothing included."""
        return tuple(self.members["environments"])

    def preset(self, name: str, environment: str | None = None) -> LockedPreset:
        """Return a preset compiled for an environment.

        Raises:
            UsageError: the lock holds no such preset or environment.
        """
        return LockedPreset(self, self._find(name, environment), environment)

    def variants(self, name: str) -> tuple[str | None, ...]:
        """Name the environments in which a preset comes to something of its own: ``None``, for no environment, first.

        Raises:
            UsageError: the lock holds no such preset.
        """
        self._find(name, None)
        return tuple(environment for preset, environment in self.entries if preset == name)

    def policy(self, name: str | None = None, environment: str | None = None) -> Effective:
        """Return the policy in force for a preset in an environment, or, without a name, that for every preset.

        Raises:
            UsageError: the lock holds no such preset or environment.
        """
        from orpolicy.language.effective import Effective  # noqa: PLC0415 - a call needs no policy

        entries = [self._find(name, environment)] if name is not None else [*self.entries.values()]
        governing = [set(entry.get("policies", ())) for entry in entries]
        common = set.intersection(*governing) if governing else set()
        files = self._policies
        chosen = tuple(files[file] for file in sorted(common))
        return Effective(chosen, tuple(file for name, file in files.items() if name not in common))

    def find_policy(self, name: str, environment: str | None) -> Policy:
        """Return all that policies demand of a preset in an environment."""
        return self.policy(name, environment).policy

    @cached_property
    def catalog(self) -> Catalog | None:
        """The models, endpoints and providers that the presets rest on; ``None`` where there was no catalogue.

        It is not complete, and holds nothing that changes daily: no times, no statistics.
        """
        rows = self.members.get("catalog")
        if rows is None:
            return None
        from orpolicy.routing.snapshot import build_catalog  # noqa: PLC0415 - most calls need no catalogue

        try:
            return evolve(build_catalog(rows), complete=False, source=self.name)
        except (CatalogError, KeyError) as error:
            raise LockError(f"{self.name} holds a broken catalogue ({error}); {AGAIN}") from error

    @cached_property
    def whole_catalog(self) -> Catalog | None:
        """The part of the catalogue that lists every endpoint of its models, also those that no preset reaches."""
        if self.catalog is None:
            return None
        whole = set(self.members["catalog"].get("whole", ()))
        return evolve(self.catalog, models=[model for model in self.catalog.models if model.id in whole])

    @property
    def resolved(self) -> Mapping[str, str | None]:
        """The models that presets name, as they write them, and the ids of those that serve; ``None`` for unknown ones."""
        rows = (self.members.get("catalog") or {}).get("names", ())
        return {row["written"]: row.get("model") for row in rows}

    @property
    def globs(self) -> Mapping[str, tuple[str, ...]]:
        """The patterns by which policies and routers allow models, and the ids that they covered."""
        globs = (self.members.get("catalog") or {}).get("globs", {})
        return {pattern: tuple(ids) for pattern, ids in globs.items()}

    def describe(self, name: str) -> None:
        """Return nothing: descriptions are not sent, and so not locked."""
        self._find(name, None)

    def check(self, *_: Any, **__: Any) -> Report:
        """Raise ``UsageError``: only sources can be checked."""
        self._lack_sources("check")

    def compose(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Raise ``UsageError``: only sources can be composed."""
        self._lack_sources("compose")

    def source(self, file: str) -> None:
        """Return nothing: a lock holds no texts of files."""
        del file

    def _lack_sources(self, what: str) -> Never:
        raise UsageError(f"{self.name} holds no sources to {what}: load the folder of the project")

    @cached_property
    def entries(self) -> Mapping[tuple[str, str | None], Mapping[str, Any]]:
        """The entries as they are written, by preset and environment."""
        return {(entry["preset"], entry["environment"]): entry for entry in self.members["presets"]}

    def _find(self, name: str, environment: str | None) -> Mapping[str, Any]:
        entry = self.entries.get((name, environment))
        if entry is None and environment in self.environments:
            entry = self.entries.get((name, None))
        if entry is None:
            known = (name, None) in self.entries
            raise UsageError(self._say_unknown(name, None if not known else environment))
        return entry

    def _say_unknown(self, name: str, environment: str | None) -> str:
        from orpolicy.language.suggest import find_similar  # noqa: PLC0415 - for mistakes only

        kind, word, known = ("preset", name, self.names)
        if environment is not None:
            kind, word, known = ("environment", environment, self.environments)
        similar = find_similar(word, known)
        hint = (
            f"did you mean '{similar}'?" if similar else f"there is {', '.join(known[:10]) or 'none at all'}"
        )
        return f"{self.name} holds no {kind} '{word}'; {hint}"

    @cached_property
    def _policies(self) -> Mapping[str, PolicyFile]:
        """The policies by their files, read from what the lock keeps of them: their demands."""
        from orpolicy.language.document import Document  # noqa: PLC0415 - a call needs no policy
        from orpolicy.language.policy import read_policy  # noqa: PLC0415 - as above
        from orpolicy.language.source import Source  # noqa: PLC0415 - as above

        rows: Mapping[str, Any] = self.members["policies"]
        for file, row in rows.items():
            if not is_sound_policy(row["demands"]):
                raise LockError(f"{self.name}: what it keeps of '{file}' is no policy; {AGAIN}")
        return {
            file: read_policy(row["name"], Document(Source(file, ""), row["demands"]), "")
            for file, row in rows.items()
        }

    def prove(self) -> None:
        """Hold all entries against the schema, which is not done where presets are only served.

        Raises:
            LockError: an entry is no preset, or what is kept of policies or the catalogue is none.
        """
        for entry in self.entries.values():
            self.prove_entry(entry)
        _ = self._policies, self.catalog

    def prove_entry(self, entry: Mapping[str, Any]) -> None:
        """Hold one entry against the schema; raise ``LockError`` where it does not pass."""
        if not is_sound(entry):
            raise LockError(
                f"{self.name}: what it holds of '{entry['preset']}' is nothing that orpolicy writes; {AGAIN}"
            )

    @cached_property
    def _compositions(self) -> Mapping[tuple[str, str | None], Mapping[str, Any]]:
        """What differs between composition and request, numbers digit by digit."""
        members = json.loads(self.text, parse_float=Decimal)
        return {
            (entry["preset"], entry["environment"]): entry.get("composed", {}) for entry in members["presets"]
        }

    def recompose(self, entry: Mapping[str, Any], lowered: Lowered) -> Recomposition:
        """Put the composition of an entry together again."""
        from orpolicy.language.diagnostics import Severity  # noqa: PLC0415 - most calls have no overrides
        from orpolicy.language.recompose import Recomposition, join, restore  # noqa: PLC0415 - as above

        key = (entry["preset"], entry["environment"])
        return Recomposition(
            name=entry["preset"],
            file=self.name,
            data=join(restore(lowered), self._compositions[key]),
            policy=self.find_policy(*key),
            severities={code: Severity(severity) for code, severity in self.members["rules"].items()},
            silences=frozenset(map(_read_silence, entry.get("silenced", ()))),
        )


def _read_silence(text: str) -> tuple[str, str, str]:
    """Read ``RULE POINTER key`` or ``RULE POINTER value``; a pointer may hold blanks."""
    code, _, place = text.partition(" ")
    pointer, _, anchor = place.rpartition(" ")
    return code, pointer, anchor


def read_lock(path: str | os.PathLike[str], name: str | None = None) -> Lock:
    """Read a lock file; ``name`` is how messages call it, by default its path.

    Raises:
        LockError: it is no file, cannot be read, or is broken, edited or of another version.
    """
    file = Path(path)
    try:
        if not file.is_file():
            raise LockError(f"'{file}' is {'a folder' if file.is_dir() else 'no file'}; {AGAIN}")
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise LockError(f"'{file}' cannot be read: {(error.strerror or str(error)).lower()}") from error
    return parse_lock(raw, name or file.as_posix())


def parse_lock(raw: bytes, name: str = LOCK_FILE) -> Lock:
    """Read the bytes of a lock; ``name`` is how messages call it.

    Raises:
        LockError: it is broken, edited or of another version.
    """
    text, members = read_members(raw, name)
    return Lock(name, text, members)
