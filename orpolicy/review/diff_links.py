"""What leads to a line that nobody touched, for the reader who looks for the line that did it.

.. code-block:: text

    the line is not on the other side        it did it itself
    a base's, which a preset extends now     the entry of ``extends`` that is new, be it three files away
    a policy's, which is in force now        the entry of ``policies`` that adopts it, or its ``applies_to``
    a finding's, which is an error now       the lines it speaks of that are new: of a policy, of another key

Everything holds the other way round for what is no longer so. A lock holds no lines, and nothing is traced beside one.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field

from orpolicy.review.changes import Cause
from orpolicy.review.diff_causes import join_causes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orpolicy.language.diagnostics import Diagnostic
    from orpolicy.language.files import Loaded
    from orpolicy.language.layers import PresetSource
    from orpolicy.language.source import Location
    from orpolicy.language.workspace import Workspace
    from orpolicy.review.changes import Side


@define(slots=False, eq=False)
class Lines:
    """The sources of one side."""

    workspace: Workspace
    _texts: dict[str, tuple[str, ...]] = field(factory=dict, init=False)
    _links: dict[tuple[str, str], tuple[Location, ...]] = field(factory=dict, init=False)

    def read(self, file: str) -> tuple[str, ...]:
        """Return the lines of a file; none, where it is not there."""
        if file not in self._texts:
            source = self.workspace.find_source(file)
            self._texts[file] = () if source is None else source.lines
        return self._texts[file]

    def cut(self, place: Location) -> tuple[str, ...]:
        """Return the lines of a place."""
        start, end = place.span.start, place.span.end
        last = end.line - 1 if end.column == 1 and end.line > start.line else end.line
        return self.read(place.file)[start.line - 1 : last]

    def find_links(self, preset: str, file: str) -> tuple[Location, ...]:
        """Name the places by which what a file says reaches a preset."""
        if (preset, file) not in self._links:
            self._links[preset, file] = (*self._find_extends(preset, file), *self._find_policy(file))
        return self._links[preset, file]

    def _find_extends(self, preset: str, file: str) -> tuple[Location, ...]:
        """Find the shortest way up to a base in a file."""
        waiting: deque[tuple[str, tuple[Location, ...]]] = deque([(preset, ())])
        seen = {preset}
        while waiting:
            name, way = waiting.popleft()
            source = self.workspace.find_preset(name)
            if source is None:
                continue
            if source.document.source.name == file:
                return way
            for index, base in enumerate(source.extends):
                if base not in seen:
                    seen.add(base)
                    waiting.append((base, (*way, _locate_base(source, index))))
        return ()

    def _find_policy(self, file: str) -> Iterator[Location]:
        for loaded, adopted in self._policies:
            document = loaded.document
            if document is not None and document.source.name == file:
                yield from () if adopted is None else (adopted,)
                if "applies_to" in document.data:
                    yield document.locate(("applies_to",))

    @cached_property
    def _policies(self) -> tuple[tuple[Loaded, Location | None], ...]:
        """The policies in force, with the places that adopt them; the last ones are those."""
        policies, adopted = self.workspace.policies, len(self.workspace.settings.policies)
        project = self.workspace.project.document
        own = len(policies) - adopted
        return tuple(
            (loaded, None if index < own or project is None else project.locate(("policies", index - own)))
            for index, loaded in enumerate(policies)
        )


def _locate_base(preset: PresetSource, index: int) -> Location:
    listed = isinstance(preset.document.data.get("extends"), list)
    return preset.document.locate(("extends", index) if listed else ("extends",))


@define(eq=False)
class Tracer:
    """Both sides of a comparison, each with its sources, if it has any."""

    old: Lines | None
    new: Lines | None

    @classmethod
    def between(cls, old: Workspace | None, new: Workspace | None) -> Tracer:
        """Trace between two projects."""
        return cls(*(None if workspace is None else Lines(workspace) for workspace in (old, new)))

    def trace(self, causes: Iterable[Cause], old: str, new: str) -> tuple[Cause, ...]:
        """Put what leads to lines that nobody touched before them; ``old`` and ``new`` are the preset's names."""
        presets = {"old": old, "new": new}
        return join_causes(
            one
            for cause in causes
            for one in (*self._find_leads(cause, presets.get(str(cause.side), "")), cause)
        )

    def blame(self, findings: Iterable[Diagnostic], preset: str) -> tuple[Cause, ...]:
        """Name the lines for which a preset has findings: those that are new, if any is."""
        places = [
            place
            for found in findings
            for place in (found.location, *(related.location for related in found.related))
        ]
        causes = [Cause("set", "new", place) for place in places]
        leads = [lead for cause in causes for lead in self._find_leads(cause, preset)]
        fresh = [cause for cause in causes if self._is_fresh(cause)]
        return join_causes((*leads, *fresh) or causes)

    def _find_leads(self, cause: Cause, preset: str) -> Iterator[Cause]:
        here = self._read(cause.side)
        if cause.side is None or cause.location is None or here is None or self._is_fresh(cause):
            return
        for place in here.find_links(preset, cause.location.file):
            link = Cause("through", cause.side, place)
            if self._is_fresh(link):
                yield link

    def _is_fresh(self, cause: Cause) -> bool:
        """Tell whether only one side has the lines of a cause."""
        here, there = self._read(cause.side), self._read("old" if cause.side == "new" else "new")
        if cause.location is None or here is None or there is None:
            return False
        known = set(there.read(cause.location.file))
        return any(line not in known for line in here.cut(cause.location))

    def _read(self, side: Side | None) -> Lines | None:
        return {"old": self.old, "new": self.new}.get(str(side))
