"""Writing locks, and reading them back as effects.

.. code-block:: text

    format, version, digest      the digest is over all that follows it
    environments                 all that the project names
    rules                        severities of rules about meaning, which calls with overrides are held to
    policies                     file → name, and what it demands; only those that govern a preset here
    presets                      one entry a preset, and one for every environment in which it comes to something else
    catalog                      the facts that the entries rest on (:mod:`orpolicy.review.lock_facts`), one row a line

An entry is a request without its messages, and what calls with overrides need: the files of its policies, what the preset
says otherwise than its request (``composed``), and what comments silence. Nothing in a lock tells how sources are written:
no lines, no bases, no order of keys or files. Laws: locking twice changes nothing; equal effects over equal facts are
equal locks; a lock sends what its project sends.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.errors import CompileError
from orpolicy.language.diagnostics import Report
from orpolicy.language.effective import to_json
from orpolicy.language.passes import describe_failure
from orpolicy.language.recompose import find_differences, find_silences
from orpolicy.language.rules import RULES
from orpolicy.language.settle import settle
from orpolicy.language.trees import to_data
from orpolicy.lock_text import HEAD, digest_rest
from orpolicy.review.effects import Effects, observe
from orpolicy.review.lock_facts import Facts, Resting, collect_facts
from orpolicy.routing.rows import write_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.compiled import Compiled
    from orpolicy.language.policy import Policy, Statement
    from orpolicy.locked import Lock
    from orpolicy.project import Project
    from orpolicy.review.effects import Key
    from orpolicy.routing.catalog import Catalog


def read_effects(lock: Lock, label: str | None = None, catalog: Catalog | None = None) -> Effects:
    """Read a lock as effects, routed over the catalogue that it keeps, or over another.

    Over its own, ``reached`` holds who may serve each effect; their order rests on what a lock does not keep.

    Raises:
        LockError: an entry, a policy or the catalogue is nothing that orpolicy writes.
    """
    lock.prove()
    chosen = catalog or lock.catalog
    found = {
        (name, environment): observe(
            lock.preset(name, environment), lock.find_policy(name, environment), chosen
        )
        for name in lock.names
        for environment in lock.variants(name)
    }
    return Effects(label or lock.name, found, {}, lock.environments, chosen)


@frozen
class Draft:
    """The text of a lock of all that compiles, and what does not, with its findings."""

    text: str
    broken: Mapping[Key, Report]


def draft_lock(project: Project, catalog: Catalog | None = None) -> Draft:
    """Write the lock of a project; ``catalog`` takes the place of its snapshot.

    Raises:
        CatalogError: the project's snapshot cannot be read.
    """
    chosen = catalog or project.catalog
    broken: dict[Key, Report] = {}
    compiled = list(_compile_all(project, broken))
    members: dict[str, Any] = {
        "environments": sorted(project.environments),
        "rules": _write_rules(project),
        "policies": _write_policies([policy for _, policy in compiled]),
        "presets": [_write_entry(one, policy) for one, policy in compiled],
    }
    parts = [f'"{key}": {write_json(value)}' for key, value in members.items()]
    if chosen is not None:
        resting = [
            Resting(one.body, one.region, policy, one.max_cost is not None) for one, policy in compiled
        ]
        parts.append(_write_facts(collect_facts(resting, chosen)))
    rest = '",\n  ' + ",\n  ".join(parts) + "\n}\n"
    return Draft(HEAD + digest_rest(rest) + rest, broken)


def write_lock(project: Project, catalog: Catalog | None = None) -> str:
    """Return the text of a project's lock; ``catalog`` takes the place of its snapshot.

    Raises:
        CompileError: a preset does not compile; the report holds the findings of all.
        CatalogError: the project's snapshot cannot be read.
    """
    draft = draft_lock(project, catalog)
    if draft.broken:
        report = Report(tuple(found for broken in draft.broken.values() for found in broken))
        raise describe_failure(report)
    return draft.text


def _compile_all(project: Project, broken: dict[Key, Report]) -> Iterator[tuple[Compiled, Policy]]:
    """Compile every preset in every environment that changes it; what does not compile goes into ``broken``."""
    for name in project.names:
        if project.workspace.is_abstract(name):
            continue
        for environment in sorted(project.variants(name), key=lambda environment: environment or ""):
            try:
                compiled = project.preset(name, environment)
            except CompileError as failure:
                broken[name, environment] = failure.report
            else:
                yield compiled, project.workspace.governance.find(name, environment)


def _write_rules(project: Project) -> dict[str, str]:
    """Write the severities that a project changes, of rules that a call may break."""
    severities = project.workspace.settings.severities
    return {
        code: str(severity)
        for code, severity in sorted(severities.items())
        if RULES[code].family == "meaning" and RULES[code].severity is not severity
    }


def _write_policies(policies: list[Policy]) -> dict[str, Any]:
    files: dict[str, set[Statement]] = {}
    for statement in set().union(*policies):
        files.setdefault(_name_file(statement), set()).add(statement)
    return {
        file: {
            "name": next(iter(said)).layer.name.removeprefix("policy "),
            "demands": _write_demands(said),
        }
        for file, said in sorted(files.items())
    }


def _name_file(statement: Statement) -> str:
    document = statement.layer.document
    return statement.layer.name if document is None else document.source.name


def _write_demands(statements: set[Statement]) -> dict[str, Any]:
    """Write statements in the language of policies, lists sorted."""
    demands: dict[str, Any] = {}
    for said in sorted(statements, key=lambda said: (said.field, str(to_json(said.value)))):
        key, _, part = said.field.partition(".")
        value = to_json(said.value)
        if part == "deny":
            demands.setdefault(key, {}).setdefault(part, []).append(value)
        elif part:
            demands.setdefault(key, {})[part] = value
        elif key == "require":
            demands.setdefault(key, []).append(value)
        else:
            demands[key] = value
    return demands


def _write_entry(compiled: Compiled, policy: Policy) -> dict[str, Any]:
    composed = settle(compiled.composed)
    entry = {
        "preset": compiled.name,
        "environment": compiled.environment,
        "digest": compiled.digest,
        "base_url": compiled.base_url,
        "headers": dict(sorted(compiled.headers.items())),
        "max_cost": None if compiled.max_cost is None else str(compiled.max_cost),
        "system": None if compiled.system is None else compiled.system.split("\n"),
        "policies": sorted({_name_file(statement) for statement in policy}),
        "body": compiled.lowered.body,
        "composed": find_differences(to_data(composed), compiled.lowered),
        "silenced": sorted({" ".join(silence) for silence in find_silences(composed)}),
    }
    kept = ("environment", "body")
    return {key: value for key, value in entry.items() if key in kept or value not in (None, [], {})}


def _write_facts(facts: Facts) -> str:
    names = [
        {"written": name, "model": found.model.id, "canonical_slug": found.model.canonical_slug}
        if found.exact and found.model is not None
        else {"written": name}
        for name, found in facts.names.items()
    ]
    parts = [
        f'"names": {_write_rows(names)}',
        f'"globs": {write_json(facts.globs, 2)}',
        f'"whole": {write_json(facts.whole, 2)}',
        _INDENTS.sub(_indent, write_content(facts.catalog.providers, facts.catalog.models)).lstrip(),
    ]
    return '"catalog": {\n    ' + ",\n    ".join(parts) + "\n  }"


_INDENTS = re.compile(r"^(?=[{\]\"])", re.MULTILINE)


def _indent(found: re.Match[str]) -> str:
    return " " * (6 if found.string.startswith("{", found.start()) else 4)


def _write_rows(rows: list[dict[str, Any]]) -> str:
    lines = [f"      {json.dumps(row, ensure_ascii=False)}" for row in rows]
    return "[\n" + ",\n".join(lines) + "\n    ]" if lines else "[]"


def write_json(value: Any, level: int = 1) -> str:
    """Write JSON over several lines, decimals digit by digit; ``level`` counts the mappings and lists around it."""
    return "".join(_write(value, "\n" + "  " * level))


def _write(value: Any, line: str) -> Iterator[str]:
    if isinstance(value, Decimal):
        yield str(value)
    elif isinstance(value, dict) and value:
        yield from _write_items(
            "{}", ((f"{json.dumps(key, ensure_ascii=False)}: ", item) for key, item in value.items()), line
        )
    elif isinstance(value, list | tuple) and value:
        yield from _write_items("[]", (("", item) for item in value), line)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _write_items(brackets: str, items: Iterator[tuple[str, Any]], line: str) -> Iterator[str]:
    before = brackets[0]
    for label, item in items:
        yield before + line + "  " + label
        yield from _write(item, line + "  ")
        before = ","
    yield line + brackets[1]
