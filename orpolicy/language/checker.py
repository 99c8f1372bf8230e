"""Checking many presets: in shares, so that several processes can take part, and forgetting what nobody needs any more.

.. code-block:: text

    names ─ check_share ─ Share ┐
    names ─ check_share ─ Share ┼─ conclude ─ Report
    names ─ check_share ─ Share ┘

How names are divided into shares changes no report. A preset is forgotten once ``MOST_REMEMBERED`` others were checked
after it and none of them builds on it; should one do so later, it is read again.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from attrs import evolve, field, frozen

from orpolicy.language.diagnostics import Diagnostic, Report, holds_error
from orpolicy.language.passes import place_findings
from orpolicy.language.reports import name_environments
from orpolicy.language.suppress import suppress
from orpolicy.language.survey import (
    diagnose_files,
    diagnose_project,
    find_emptiness,
    find_unused_policies,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from orpolicy.language.compilation import Compilation
    from orpolicy.language.compiler import Compiler, Outcome
    from orpolicy.language.diagnostics import Finding
    from orpolicy.language.suppress import Suppression

BATCH = 200
"""Presets that are compiled side by side. Twice as many gain nothing that can be measured, and take more memory."""

MOST_REMEMBERED = 200
"""Presets; as many as lie between a preset and the first that builds on it, in most projects."""


@frozen
class Share:
    """What came of checking some presets, ready to travel between processes.

    ``files`` are the findings about files, ``found`` those about presets with the environments in which they hold.
    ``asked`` holds the comments of the presets' own files, ``comments`` those of other files with findings. ``concrete``
    names the presets that are no mixins.
    """

    files: tuple[Diagnostic, ...] = ()
    found: Mapping[Diagnostic, tuple[str | None, ...]] = field(factory=dict)
    asked: Mapping[str, tuple[Suppression, ...]] = field(factory=dict)
    comments: Mapping[str, tuple[Suppression, ...]] = field(factory=dict)
    concrete: tuple[str, ...] = ()


def check_share(
    compiler: Compiler,
    names: Iterable[str],
    environment: str | None = None,
    inspect: Callable[[Compilation], Iterable[Finding]] | None = None,
) -> Share:
    """Compile presets in every environment (or in one) and collect what is wrong with them and with their files.

    ``inspect`` looks further at what compiles without an error; its findings point into the body.
    """
    workspace = compiler.workspace
    files: list[Diagnostic] = []
    found: dict[Diagnostic, list[str | None]] = {}
    asked: dict[str, tuple[Suppression, ...]] = {}
    concrete: list[str] = []
    seen: set[str] = set()
    recent: deque[str] = deque()
    for batch in _divide(names):
        workspace.load_presets(name for name in batch if name in workspace.preset_files)
        variants = [(name, one) for name in batch for one in compiler.list_variants(name, environment)]
        for (_, variant), outcome in zip(variants, compiler.try_all(variants), strict=True):
            for diagnostic in (*outcome.diagnostics, *_look_further(outcome, inspect)):
                found.setdefault(diagnostic, []).append(variant)
        files.extend(diagnose_files(workspace, batch, seen))
        for name in batch:
            if not workspace.is_abstract(name):
                concrete.append(name)
            file = workspace.preset_files.get(name)
            if file is not None and (said := compiler.find_comments(file)):
                asked[file] = said
        recent.extend(batch)
        while len(recent) > MOST_REMEMBERED:
            compiler.forget(recent.popleft())
    others = {diagnostic.location.file for diagnostic in (*files, *found)} - asked.keys()
    comments = {file: compiler.find_comments(file) for file in others}
    return Share(
        tuple(files),
        {diagnostic: tuple(where) for diagnostic, where in found.items()},
        asked,
        {file: said for file, said in comments.items() if said},
        tuple(concrete),
    )


def _divide(names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Divide names into batches that are compiled side by side."""
    left = iter(names)
    while batch := tuple(islice(left, BATCH)):
        yield batch


def _look_further(
    outcome: Outcome, inspect: Callable[[Compilation], Iterable[Finding]] | None
) -> tuple[Diagnostic, ...]:
    """Inspect what compiled, unless an earlier pass found an error: a stage with errors stops the next."""
    compiled = outcome.compiled
    if inspect is None or compiled is None or holds_error(outcome.diagnostics):
        return ()
    return place_findings([_trace(found, compiled) for found in inspect(compiled)], compiled.restricted)


def _trace(found: Finding, compiled: Compilation) -> Finding:
    """Turn the paths of a finding about a body into the preset's."""
    related = tuple((message, compiled.trace(path)) for message, path in found.related)
    return evolve(found, path=compiled.trace(found.path), related=related)


def conclude(  # noqa: PLR0913 - what was checked, and how
    compiler: Compiler,
    shares: Sequence[Share],
    names: Iterable[str],
    *,
    whole: bool,
    unchecked: Sequence[str] = (),
    further: Iterable[Diagnostic] = (),
) -> Report:
    """Put shares together to the report on all of their presets.

    Args:
        compiler: the compiler of the project.
        shares: what came of the presets.
        names: all of these presets.
        whole: whether they are all that the project has.
        unchecked: the families of rules that were not looked at.
        further: findings from elsewhere, to which the project's severities and comments apply as well.
    """
    workspace = compiler.workspace
    diagnostics = [*diagnose_project(workspace, names), *further]
    found: dict[Diagnostic, list[str | None]] = {}
    asked: dict[str, tuple[Suppression, ...]] = {}
    comments: dict[str, tuple[Suppression, ...]] = {}
    for share in shares:
        diagnostics.extend(share.files)
        asked |= share.asked
        comments |= share.comments
        for diagnostic, where in share.found.items():
            found.setdefault(diagnostic, []).extend(where)
    if whole:
        concrete = [name for share in shares for name in share.concrete]
        diagnostics.extend(workspace.duplicates)
        diagnostics.extend(find_unused_policies(workspace, concrete))
        diagnostics.extend(find_emptiness(workspace))
    diagnostics.extend(name_environments(diagnostic, where) for diagnostic, where in found.items())

    def find(file: str) -> tuple[Suppression, ...]:
        return comments[file] if file in comments else compiler.find_comments(file)

    return Report(tuple(compiler.weigh(suppress(diagnostics, find, asked, unchecked))))


Divide: TypeAlias = "Callable[[Callable[[Sequence[str]], Share], Sequence[str]], Sequence[Share]]"
"""Has names checked, in parts that together are all of them, in their order."""


def _do_at_once(work: Callable[[Sequence[str]], Share], names: Sequence[str]) -> Sequence[Share]:
    return [work(names)]


def check(  # noqa: PLR0913 - what to check, and how
    compiler: Compiler,
    names: Sequence[str] | None = None,
    environment: str | None = None,
    inspect: Callable[[Compilation], Iterable[Finding]] | None = None,
    further: Iterable[Diagnostic] = (),
    *,
    divide: Divide = _do_at_once,
) -> Report:
    """Check presets, all of them where none are named; ``divide`` says who works on which of them.

    Raises:
        UsageError: there is no such preset or environment.
    """
    compiler.require(environment, names or ())
    chosen = tuple(compiler.workspace.preset_files) if names is None else tuple(names)

    def work(part: Sequence[str]) -> Share:
        return check_share(compiler, part, environment, inspect)

    unchecked = () if inspect else ("catalogue",)
    shares = divide(work, chosen)
    return conclude(compiler, shares, chosen, whole=names is None, unchecked=unchecked, further=further)
