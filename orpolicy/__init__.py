"""A policy compiler for OpenRouter: presets and policies in git, one canonical request body out.

    >>> import orpolicy
    >>> project = orpolicy.load()                                     # the folder with orpolicy.yaml
    >>> triage = project.preset("support/triage", environment="prod")  # compiled, or CompileError with every finding
    >>> triage.body                                                   # read-only
    >>> triage.explain("/provider/order")                             # who set it, who was overruled
    >>> with orpolicy.Client() as client:                             # OPENROUTER_API_KEY from the environment
    ...     reply = client.chat(triage, "My card was charged twice")

Names are imported when they are first used, so that ``import orpolicy`` stays quick.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # ``typing`` takes longer to import than all of this
if TYPE_CHECKING:
    from typing import Any

    from orpolicy.client.audit import RoutingViolation
    from orpolicy.client.client import AsyncClient, Client
    from orpolicy.client.ledger import BudgetExceeded
    from orpolicy.client.structures import StructureError
    from orpolicy.compiled import Compiled
    from orpolicy.errors import (
        CatalogError,
        ClientError,
        CompileError,
        CostCeilingExceeded,
        LockError,
        OrpolicyError,
        PolicyViolation,
        UsageError,
    )
    from orpolicy.language.diagnostics import Diagnostic, Report, Severity
    from orpolicy.language.explain import Explanation
    from orpolicy.language.request import Request
    from orpolicy.loading import load
    from orpolicy.locked import Lock
    from orpolicy.project import Project

__version__ = "0.1.0"

_HOMES = {
    "orpolicy.client.audit": ("RoutingViolation",),
    "orpolicy.client.client": ("AsyncClient", "Client"),
    "orpolicy.client.ledger": ("BudgetExceeded",),
    "orpolicy.client.structures": ("StructureError",),
    "orpolicy.errors": (
        "CatalogError",
        "ClientError",
        "CompileError",
        "CostCeilingExceeded",
        "LockError",
        "OrpolicyError",
        "PolicyViolation",
        "UsageError",
    ),
    "orpolicy.compiled": ("Compiled",),
    "orpolicy.language.request": ("Request",),
    "orpolicy.language.diagnostics": ("Diagnostic", "Report", "Severity"),
    "orpolicy.language.explain": ("Explanation",),
    "orpolicy.loading": ("load",),
    "orpolicy.locked": ("Lock",),
    "orpolicy.project": ("Project",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AsyncClient",
    "BudgetExceeded",
    "CatalogError",
    "Client",
    "ClientError",
    "CompileError",
    "Compiled",
    "CostCeilingExceeded",
    "Diagnostic",
    "Explanation",
    "Lock",
    "LockError",
    "OrpolicyError",
    "PolicyViolation",
    "Project",
    "Report",
    "Request",
    "RoutingViolation",
    "Severity",
    "StructureError",
    "UsageError",
    "load",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its module the first time somebody asks for it."""
    if name not in _MODULES:
        raise AttributeError(f"module 'orpolicy' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
