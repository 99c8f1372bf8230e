"""Scenario files as values: what is imagined, what is expected of it, and what is wrong with that before it is tried.

.. code-block:: text

    presets/support/triage.test.yaml     about the preset support/triage, unless it names another
    └── scenarios                        each in no environment, in one, or in several
        └── expect                       one expectation at least: a test that cannot fail is none

A scenario with a flaw of its own is not tried; the others of its file are.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from orpolicy.language.diagnostics import Diagnostic, Finding
from orpolicy.language.files import Loaded
from orpolicy.language.inspect import diagnose
from orpolicy.language.lower import BODY
from orpolicy.language.reading import preset_name
from orpolicy.language.rules import RULES
from orpolicy.language.source import from_pointer
from orpolicy.language.suggest import find_similar
from orpolicy.language.validators import load_schema, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orpolicy.language.document import Document
    from orpolicy.language.source import Path
    from orpolicy.language.workspace import Workspace

SCENARIOS: Path = ("scenarios",)

_MOST = 1000
"""Findings in a file, after which nobody reads on: what follows is not looked at, and not tried."""


@frozen
class Scenario:
    """A call that is imagined: a preset in its environments (``None`` for none), tokens, outages, expectations."""

    path: Path
    name: str
    preset: str
    environments: tuple[str | None, ...]
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    down: tuple[str, ...] = ()
    expect: Mapping[str, Any] = field(factory=dict)
    sound: bool = True


@frozen
class Suite:
    """The scenarios of one file."""

    document: Document
    scenarios: tuple[Scenario, ...]

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.document.source.name


def load_suite(workspace: Workspace, file: str) -> Loaded:
    """Read a scenario file; ``value`` is a ``Suite``, which may hold scenarios that are not sound."""

    def build(document: Document) -> Loaded:
        return _build(workspace, document)

    return workspace.load(file, "test", build)


def diagnose_suites(workspace: Workspace, files: Iterable[str] | None = None) -> Iterator[Diagnostic]:
    """Report what is wrong with scenario files, by default all of them, as far as it shows without trying them."""
    for file in workspace.suite_files if files is None else files:
        yield from load_suite(workspace, file).diagnostics


def _build(workspace: Workspace, document: Document) -> Loaded:
    data: Any = document.data
    default = data.get("preset") or name_of(document.source.name, workspace)
    scenarios: list[Scenario] = []
    found: list[Finding] = [] if data.get("scenarios") else [_report_emptiness(data)]
    names: dict[str, Path] = {}
    for number, entry in enumerate(data.get("scenarios", ())):
        path: Path = (*SCENARIOS, number)
        if len(found) >= _MOST:
            scenarios.append(_read(path, entry, default, sound=False))
            continue
        flaws = [
            *_find_flaws(path, entry),
            *_find_strangers(workspace, path, entry, data, default),
        ]
        earlier = names.setdefault(entry["name"], path)
        if earlier != path:
            message = f"another scenario is called '{entry['name']}' as well"
            related = (("the other one stands here", (*earlier, "name")),)
            flaws.append(Finding("duplicate-scenario", (*path, "name"), message, related=related))
        scenarios.append(_read(path, entry, default, sound=not flaws))
        found.extend(flaws)
    diagnostics = dict.fromkeys(diagnose(finding, document.locate) for finding in found)
    return Loaded(Suite(document, tuple(scenarios)), tuple(diagnostics))


def name_of(file: str, workspace: Workspace) -> str:
    """Derive the preset that a scenario file is about from its own name."""
    return preset_name(file, workspace.settings.presets).removesuffix(".test")


def _read(path: Path, entry: Mapping[str, Any], default: str, *, sound: bool) -> Scenario:
    named = [entry["environment"]] if "environment" in entry else []
    environments = tuple(dict.fromkeys((*named, *entry.get("environments", ()))))
    return Scenario(
        path=path,
        name=entry["name"],
        preset=entry.get("preset", default),
        environments=environments or (None,),
        prompt_tokens=_read_count(entry.get("prompt_tokens")),
        completion_tokens=_read_count(entry.get("completion_tokens")),
        down=tuple(entry.get("down", ())),
        expect=entry.get("expect", {}),
        sound=sound,
    )


def _read_count(value: Any) -> int | None:
    """Read a whole number, also one that is written with a fraction (``1000.0``)."""
    return None if value is None else int(value)


def _report_emptiness(data: Mapping[str, Any]) -> Finding:
    path: Path = SCENARIOS if "scenarios" in data else ()
    hint = "list them under 'scenarios', each with a 'name' and an 'expect'"
    return Finding("scenario-without-assertion", path, "this file tries nothing: it holds no scenario", hint)


def _find_flaws(path: Path, entry: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with a scenario by itself."""
    expect = entry.get("expect")
    if not expect:
        place = (*path, "expect") if "expect" in entry else (*path, "name")
        message = f"the scenario '{entry['name']}' expects nothing, so it cannot fail"
        hint = "say under 'expect' what has to hold, such as 'reachable: true'"
        yield Finding("scenario-without-assertion", place, message, hint)
        return
    code = expect.get("error")
    if code is not None and code not in RULES:
        similar = find_similar(code, RULES)
        hint = f"did you mean '{similar}'?" if similar else "'orpolicy rule' lists all rules"
        yield Finding("unknown-rule", (*path, "expect", "error"), f"there is no rule '{code}'", hint)
    elif code is not None and RULES[code].family in ("catalogue", "scenarios"):
        message = f"'{code}' never stops a preset from being compiled"
        hint = "for what the catalogue says, expect 'reachable: false' or an 'availability'"
        yield Finding("bad-value", (*path, "expect", "error"), message, hint)
    for pointer in expect.get("body", ()):
        yield from _check_pointer((*path, "expect", "body", pointer), pointer)


def _check_pointer(place: Path, pointer: str) -> Iterator[Finding]:
    """Yield a pointer to what no body has: that it is absent would always hold."""
    node: Any = _body_schema()
    for part in from_pointer(pointer):
        known = node.get("properties", {})
        if isinstance(part, int) or not known or node.get("additionalProperties") is not False:
            return
        if part not in known:
            similar = find_similar(part, known)
            right = pointer.replace(f"/{part}", f"/{similar}", 1)
            hint = f"did you mean '{right}'?" if similar else "'orpolicy compile --pretty' shows a body"
            yield Finding("unknown-key", place, f"no compiled body has a key '{part}' there", hint, "key")
            return
        node = resolve(load_schema("preset"), known[part])


@cache
def _body_schema() -> Mapping[str, Any]:
    keys = load_schema("preset")["properties"]
    return {"properties": {key: keys[key] for key in BODY}, "additionalProperties": False}


def _find_strangers(
    workspace: Workspace, path: Path, entry: Mapping[str, Any], data: Mapping[str, Any], default: str
) -> Iterator[Finding]:
    """Yield names of presets and environments that the project does not have."""
    name = entry.get("preset", default)
    if workspace.find_loaded(name) is None:
        where: Path = (*path, "preset") if "preset" in entry else ("preset",) if "preset" in data else ()
        similar = find_similar(name, workspace.all_names())
        hint = f"did you mean '{similar}'?" if similar else "'orpolicy list' names all presets"
        if not where:
            hint = f"the file's name says which preset it is about; name another under 'preset' ({hint})"
        yield Finding(
            "unknown-preset", where or SCENARIOS, f"there is no preset '{name}'", hint, _anchor(where)
        )
        return
    known = _list_environments(workspace, name)
    if known is None:
        return
    listed = [("environments", number) for number in range(len(entry.get("environments", ())))]
    for place in [("environment",)] * ("environment" in entry) + listed:
        value = entry[place[0]] if len(place) == 1 else entry[place[0]][place[1]]
        if value not in known:
            similar = find_similar(value, known)
            hint = f"did you mean '{similar}'?" if similar else f"there is {', '.join(known) or 'none'}"
            message = f"the project has no environment '{value}'"
            yield Finding("unknown-environment", (*path, *place), message, hint)


def _anchor(path: Path) -> str:
    return "value" if path else "key"


def _list_environments(workspace: Workspace, name: str) -> Sequence[str] | None:
    """Name the environments in which a preset may be called; ``None`` where a broken file does not say."""
    if workspace.settings.environments is not None:
        return workspace.settings.environments
    known = set(workspace.environments)
    waiting, seen = [name], set()
    while waiting:
        preset = workspace.find_preset(waiting.pop())
        if preset is None:
            return None
        if preset.name not in seen:
            seen.add(preset.name)
            known.update(preset.overlays)
            waiting.extend(preset.extends)
    return sorted(known)
