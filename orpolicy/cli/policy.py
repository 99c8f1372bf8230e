"""``orpolicy policy``: show the policy in force, with the lines that make it, and as OpenRouter's guardrail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from orpolicy.cli.arguments import ENVIRONMENT, PRESET, project_option
from orpolicy.cli.failures import say
from orpolicy.cli.output import showing_findings
from orpolicy.cli.snippet import visible
from orpolicy.cli.targets import Selection
from orpolicy.errors import UsageError
from orpolicy.project import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.language.effective import Demand, Effective
    from orpolicy.language.explain import Author
    from orpolicy.language.policy import PolicyFile, Scope
    from orpolicy.project import Project

EXAMPLES = """\b
Examples:
  orpolicy policy show                             what governs every preset
  orpolicy policy show --preset support/triage -e prod
  orpolicy policy show -e prod --guardrail         the body of POST /guardrails
"""


@click.group(epilog=EXAMPLES)
def command() -> None:
    """Look at policies: what all that apply demand together, and which line demands it."""


@command.command(epilog=EXAMPLES)
@click.option("-e", "--environment", type=ENVIRONMENT, metavar="ENV", help="The environment, such as prod.")
@click.option("--preset", type=PRESET, metavar="NAME", help="What governs one preset; else what governs all.")
@click.option("--guardrail", is_flag=True, help="Print it as a guardrail of OpenRouter's, which is JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; amounts are decimal strings in USD.")
@project_option
def show(
    environment: str | None, preset: str | None, guardrail: bool, as_json: bool, project_folder: str | None
) -> None:
    """Show the policy in force: the meet of all policies that apply, each part with the lines that make it.

    Policies that govern only some presets, or another environment, are named on stderr. A guardrail holds the same
    against requests that are made without orpolicy; what it cannot express is named on stderr as well.
    """
    if guardrail and as_json:
        raise UsageError("--guardrail is JSON already: leave out --json")
    project = load(project_folder)
    selection = Selection(project, None)
    with showing_findings(selection):
        effective = project.policy(preset, environment)
    if guardrail:
        if not effective.files:
            raise UsageError("no policy governs this, so there is no guardrail to write")
        _print_guardrail(effective, project)
    elif as_json:
        click.echo(json.dumps(_to_json(selection, effective, preset, environment), indent=2))
    else:
        for line in _describe(selection, effective):
            click.echo(visible(line))
    if not effective.files:
        say("no policy governs " + (f"'{preset}'" if preset else "every preset"))
    for file in effective.others if preset is None else ():
        say(f"'{file.name}' governs only some: {_say_scope(file.scope)} ({_place(selection, file)})")


def _describe(selection: Selection, effective: Effective) -> Iterator[str]:
    for demand in effective.demands:
        yield f"{demand.field}: {_show(demand.value)}"
        for author in demand.authors:
            yield f"    set by {_name(selection, author)}"
        for author in demand.weaker:
            yield f"    over {_show(author.value)} of {_name(selection, author)}"


def _show(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value)


def _name(selection: Selection, author: Author) -> str:
    where = author.location
    return author.layer if where is None else f"{author.layer}, {selection.place(where)}"


def _to_json(
    selection: Selection, effective: Effective, preset: str | None, environment: str | None
) -> dict[str, Any]:
    demands = [_relocate(selection, demand).to_json() for demand in effective.demands]
    policies = [{"name": file.name, "file": _place(selection, file)} for file in effective.files]
    return {"preset": preset, "environment": environment, "policies": policies, "demands": demands}


def _relocate(selection: Selection, demand: Demand) -> Demand:
    def place(author: Author) -> Author:
        where = author.location
        return author if where is None else evolve(author, location=selection.place(where))

    authors, weaker = tuple(map(place, demand.authors)), tuple(map(place, demand.weaker))
    return evolve(demand, authors=authors, weaker=weaker)


def _place(selection: Selection, file: PolicyFile) -> str:
    return selection.place(file.document.locate(())).file


def _say_scope(scope: Scope) -> str:
    said = [f"below '{scope.folder}/'"] if scope.folder else []
    if scope.presets is not None:
        said.append("presets " + ", ".join(f"'{glob}'" for glob in scope.presets))
    if scope.environments is not None:
        said.append("environments " + ", ".join(f"'{name}'" for name in scope.environments))
    return "; ".join(said)


def _print_guardrail(effective: Effective, project: Project) -> None:
    catalog = project.catalog
    models = (
        [model.id for model in catalog.models if model.id[0] != "~"] if catalog and catalog.complete else []
    )
    guardrail = effective.write_guardrail(models)
    click.echo(json.dumps(guardrail.body, indent=2, ensure_ascii=False))
    for missing in guardrail.missing:
        say(f"not in the guardrail: {missing}")
