"""A project's own settings, as ``orpolicy.yaml`` says them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.language.building import build_layer
from orpolicy.language.diagnostics import Diagnostic, Severity
from orpolicy.language.files import Loaded
from orpolicy.language.rules import RULES
from orpolicy.language.schema import merge_strategies
from orpolicy.language.suggest import find_similar
from orpolicy.language.suppress import may_suppress
from orpolicy.language.trees import Branch, Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orpolicy.language.document import Document


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


def build_settings(document: Document) -> Loaded:
    """Read the project file, already valid by the schema."""
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
