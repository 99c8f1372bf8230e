"""One finding a mistake: what a schema says about one mistake may be several things, and only one of them helps.

==========================================  ==========================================================
several findings                            the one that is kept
==========================================  ==========================================================
at one place                                the first in the order of ``_PRECEDENCE``
keys that stand at the same wrong level     one for all, at the first
a misplaced key, and its home is missing    the misplaced key
a missing key beside an unknown one         the unknown key, which was meant to be the missing one
several missing keys in one mapping         one for all
the whole file, and something in it         what is in it
inside a value that should not be there     that it should not be there
==========================================  ==========================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from orpolicy.language.diagnostics import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orpolicy.language.source import Path

_PRECEDENCE = ("call-time-key", "misplaced-key", "unknown-key", "bad-value", "wrong-type", "out-of-range")


def keep_one_a_mistake(found: Iterable[Finding]) -> list[Finding]:
    """Keep one finding for each place, and none that only follows from another.

    Several keys that stand one level too high are one mistake, and the key that they should stand in is not missing
    besides. What is wrong inside a value that should not be there at all is not said.
    """
    best: dict[tuple[Path, str], Finding] = {}
    for finding in found:
        place = (finding.path, finding.anchor)
        if place not in best or _rank(finding) < _rank(best[place]):
            best[place] = finding
    findings = _join_all_missing(_join_missing(_join_misplaced(list(best.values()))))
    keys = {finding.path for finding in findings if finding.anchor == "key"}
    return [
        finding
        for finding in findings
        if (finding.path or len(findings) == 1)
        and not any(finding.path[:depth] in keys for depth in range(len(finding.path)))
        and not (finding.anchor == "value" and finding.path in keys)
    ]


def _rank(finding: Finding) -> int:
    return _PRECEDENCE.index(finding.code) if finding.code in _PRECEDENCE else len(_PRECEDENCE)


def _join_misplaced(findings: list[Finding]) -> list[Finding]:
    groups: dict[tuple[Path, str | None], list[Finding]] = {}
    for finding in findings:
        if finding.code == "misplaced-key":
            groups.setdefault((finding.path[:-1], finding.hint), []).append(finding)
    joined: list[Finding] = []
    for group in groups.values():
        first = group[0]
        if len(group) > 1:
            message = f"{_enumerate(group)} stand at the wrong level"
            hint = None if first.hint is None else first.hint.replace("put it", "put them")
            first = evolve(first, message=message, hint=hint)
        joined.append(first)
    kept = [
        finding
        for finding in findings
        if finding.code != "misplaced-key"
        and not (finding.code == "missing-key" and _is_destination(finding, groups))
    ]
    return joined + kept


def _is_destination(missing: Finding, groups: Mapping[tuple[Path, str | None], list[Finding]]) -> bool:
    return any(
        parent == missing.path[:-1] and hint is not None and hint.endswith(f"{missing.path[-1]}'")
        for parent, hint in groups
    )


def _join_missing(findings: list[Finding]) -> list[Finding]:
    """Take a missing key and the one unknown key beside it for one mistake: a wrong name.

    Where the unknown key is explained in other words, those say what to do about the missing one, too.
    """
    joined = list(findings)
    for missing in findings:
        if missing.code != "missing-key":
            continue
        key = missing.path[-1]
        beside = [found for found in joined if found.anchor == "key" and found.path[:-1] == missing.path[:-1]]
        if any(f"'{key}'" in (found.hint or "") or _explains(found) for found in beside):
            joined.remove(missing)
        elif len(beside) == 1 and "did you mean" not in (beside[0].hint or ""):
            stranger = beside[0]
            message, hint = f"unknown key '{stranger.path[-1]}'", f"did you mean '{key}'?"
            joined.remove(missing)
            joined[joined.index(stranger)] = Finding("unknown-key", stranger.path, message, hint, "key")
    return joined


def _join_all_missing(findings: list[Finding]) -> list[Finding]:
    groups: dict[Path, list[Finding]] = {}
    for finding in findings:
        if finding.code == "missing-key":
            groups.setdefault(finding.path[:-1], []).append(finding)
    joined = [finding for finding in findings if finding.code != "missing-key"]
    for first, *others in groups.values():
        where = first.message.rsplit(" needs ", 1)[0]
        message = f"{where} needs the keys {_enumerate([first, *others])}" if others else first.message
        joined.append(evolve(first, message=message))
    return joined


def _enumerate(findings: Sequence[Finding]) -> str:
    names = [f"'{finding.path[-1]}'" for finding in findings]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _explains(finding: Finding) -> bool:
    guesses = ("did you mean", "allowed here", "put it")
    return finding.hint is not None and not finding.hint.startswith(guesses)
