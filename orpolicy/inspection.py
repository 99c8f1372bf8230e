"""What the catalogue says of a project: the rules that need it, with the places where their findings belong.

The compiler hands over what compiles; findings about a body go back to it, and it finds their places. Lists that a policy
fills, or that a base shares with other presets, may name providers that do not serve the model at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.language.diagnostics import Diagnostic
from orpolicy.language.files import BUILTIN, FileProblem
from orpolicy.language.inspect import diagnose
from orpolicy.language.rules import RULES
from orpolicy.language.slugs import PRESET_MARK
from orpolicy.language.source import Position, Source
from orpolicy.language.trees import author
from orpolicy.routing.lint import lint, lint_policy
from orpolicy.routing.mentions import mentioned_models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from orpolicy.language.compilation import Compilation
    from orpolicy.language.diagnostics import Finding
    from orpolicy.language.source import Location
    from orpolicy.language.workspace import Workspace
    from orpolicy.routing.catalog import Catalog

HEAD = 2048
"""The time stands within the first bytes of a snapshot."""


@frozen
class Inspection:
    """A project's catalogue at a moment (UTC)."""

    catalog: Catalog
    now: datetime

    def inspect(self, compiled: Compilation) -> Iterator[Finding]:
        """Yield what the catalogue says of a compiled preset; paths lead into its body."""
        found = lint(
            compiled.body,
            self.catalog,
            now=self.now,
            region=compiled.region,
            system=compiled.system,
        )
        return (finding for finding in found if _concerns(compiled, finding))

    def inspect_policies(self, workspace: Workspace) -> Iterator[Diagnostic]:
        """Yield what the project's own policies name in vain."""
        for loaded in workspace.policies:
            file = loaded.value
            if file is not None and not file.document.source.name.startswith(BUILTIN):
                for finding in lint_policy(file.document.data, self.catalog):
                    yield diagnose(finding, file.document.locate)

    def inspect_age(self, workspace: Workspace) -> Iterator[Diagnostic]:
        """Yield that the snapshot is old, at the line that says its time."""
        age = self.catalog.describe_age(self.now)
        if age is not None:
            severity = RULES["stale-catalog"].severity
            hint = "pull a fresh one: 'orpolicy catalog pull'"
            yield Diagnostic("stale-catalog", severity, age, _find_time(workspace), hint)


def list_models(workspace: Workspace) -> tuple[str, ...]:
    """Name every model that the presets of a project can name: in any layer, any environment, bases included."""
    project = workspace.project.document
    data = {} if project is None else project.data
    named = dict.fromkeys(name for _, name in mentioned_models(data))
    seen: set[str] = set()
    waiting = list(workspace.preset_files)
    while waiting:
        preset = waiting.pop()
        loaded = workspace.find_loaded(preset) if preset not in seen else None
        seen.add(preset)
        if loaded is not None and loaded.document is not None:
            named.update(dict.fromkeys(name for _, name in mentioned_models(loaded.document.data)))
            waiting.extend(loaded.value.extends if loaded.value is not None else ())
    return tuple(sorted({base for name in named if (base := name.partition(PRESET_MARK)[0])}))


def _concerns(compiled: Compilation, finding: Finding) -> bool:
    """Tell whether the preset itself says what a finding about a list of providers complains of."""
    if finding.code not in ("unknown-provider", "provider-serves-no-model"):
        return True
    layer = author(compiled.tree, compiled.trace(finding.path)).name
    if finding.code == "unknown-provider":
        return not layer.startswith("policy ")  # its own line is reported, once
    return layer in (compiled.name, f"{compiled.name}[{compiled.environment}]")


def _find_time(workspace: Workspace) -> Location:
    """Find the line of a snapshot that says its time, or its first line."""
    name = workspace.settings.catalog
    try:
        head = (workspace.files.read(name) or b"")[:HEAD].decode("utf-8", "replace")
    except FileProblem:  # a folder of the API's answers
        head = ""
    source = Source(name, head)
    for number, line in enumerate(source.lines, start=1):
        if line.startswith('"time":'):
            return source.locate(Position(number, 1), Position(number, len(line.rstrip(",")) + 1))
    return source.locate(Position(1, 1), Position(1, 1))
