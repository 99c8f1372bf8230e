"""The passes that follow composition, the same for what files say and for what a call lays over them.

.. code-block:: text

    composed ─ settle ─ restrict ─ check_shape("composed") ─ lint ─ lower

A call's values are one more layer, over what the preset came to: the edits of lists that made it are done by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.errors import CompileError, PolicyViolation
from orpolicy.language.building import build_layer
from orpolicy.language.diagnostics import Diagnostic, Finding, Report, holds_error
from orpolicy.language.inspect import diagnose
from orpolicy.language.lint import lint
from orpolicy.language.lower import lower
from orpolicy.language.merge import merge_layers
from orpolicy.language.overrides import read_overrides
from orpolicy.language.reports import NOWHERE, report_conflict
from orpolicy.language.restrict import Restricted, restrict
from orpolicy.language.rules import RULES
from orpolicy.language.schema import check_shape, merge_strategies
from orpolicy.language.settle import reopen, settle
from orpolicy.language.trees import Layer, author, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from orpolicy.language.lockstep import Steps
    from orpolicy.language.lowered import Lowered
    from orpolicy.language.policy import Policy
    from orpolicy.language.source import Location, Path
    from orpolicy.language.trees import Branch


@frozen
class Product:
    """What the passes make of a composition that is right: what is left of it, and the request."""

    restricted: Restricted
    lowered: Lowered

    @property
    def tree(self) -> Branch:
        """What is left, with the author of every value."""
        return self.restricted.tree


@frozen
class Passage:
    """What came of a composition: a product, unless findings say why there is none."""

    product: Product | None
    diagnostics: tuple[Diagnostic, ...] = ()


def _heed(_finding: Finding, _tree: Branch) -> bool:
    return False


def finish(
    composed: Branch,
    policy: Policy,
    before: tuple[Diagnostic, ...] = (),
    is_silenced: Callable[[Finding, Branch], bool] = _heed,
    unheard: AbstractSet[str] = frozenset(),
) -> Steps[Passage]:
    """Run the passes that follow composition.

    Args:
        composed: what all layers say together, settled or not.
        policy: the policy in force.
        before: findings of earlier passes; one that is an error stops these.
        is_silenced: tells of a finding about meaning, and of the tree it is about, that nobody wants to hear it.
        unheard: rules about meaning that nobody wants to hear of at all, so that their places are not looked up.
    """
    if policy.contradictions:
        return Passage(None, before)  # nothing can satisfy it, and that is reported once, at its own lines
    restricted = restrict(settle(composed), policy)
    data = restricted.data
    yield
    findings = before + place_findings(check_shape("composed", data), restricted)
    findings += tuple([report_conflict(conflict) for conflict in restricted.conflicts])
    if holds_error(findings):
        return Passage(None, findings)
    yield
    advice = [
        found
        for found in lint(data)
        if found.code not in unheard
        and author(restricted.tree, found.path).name not in policy.authors
        and not is_silenced(found, restricted.tree)
    ]
    findings += place_findings(advice, restricted)
    yield
    return Passage(Product(restricted, lower(data)), findings)


def lay_over(composed: Branch, overrides: Mapping[str, Any]) -> Branch:
    """Put call-time values over a composed preset.

    Raises:
        UsageError: a value has no JSON form, or its key belongs into a file.
        CompileError: the values are not valid.
    """
    document = read_overrides(overrides)
    shape = [diagnose(found, document.locate) for found in check_shape("preset", document.data)]
    if shape:
        raise CompileError(Report(tuple(shape)))
    strategies = merge_strategies()
    layer = build_layer(document.data, Layer("call", document), strategies)
    return merge_layers(reopen(settle(composed), strategies), layer)


def place_findings(findings: Iterable[Finding], restricted: Restricted) -> tuple[Diagnostic, ...]:
    """Put findings at their places in the files that a tree comes from."""

    def place(path: Path, anchor: str) -> Location:
        return locate(restricted.tree, path, key=anchor == "key") or NOWHERE

    return tuple([diagnose(finding, place) for finding in findings])


def describe_failure(report: Report) -> CompileError:
    """Return the exception for findings that stop a compilation: a policy's where a policy has one among them."""
    policy = any(RULES[error.code].family == "policy" for error in report.errors)
    return PolicyViolation(report) if policy else CompileError(report)
