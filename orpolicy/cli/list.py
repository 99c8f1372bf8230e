"""``orpolicy list``: name the presets of a project, each with its own description."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from orpolicy.cli.arguments import LIBRARY, project_option
from orpolicy.cli.failures import say
from orpolicy.cli.render import count
from orpolicy.cli.snippet import visible
from orpolicy.cli.tables import align
from orpolicy.cli.targets import Selection
from orpolicy.errors import UsageError
from orpolicy.language.suggest import find_similar
from orpolicy.project import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.project import Project

EXAMPLES = """\b
Examples:
  orpolicy list              the presets here
  orpolicy list --all        with the built-in ones, to extend
  orpolicy list --builtin    the library: mixins to extend, presets to run, policies to adopt
  orpolicy list --json       for programs
  orpolicy list --show orpolicy/private    what a built-in mixin says
"""


@click.command(epilog=EXAMPLES)
@project_option
@click.option("--all", "with_library", is_flag=True, help="List the built-in presets as well.")
@click.option("--builtin", is_flag=True, help="List the built-in presets and policies alone, by kind.")
@click.option(
    "--show", "shown", type=LIBRARY, metavar="NAME", help="Print the file of a built-in preset or policy."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def command(
    project_folder: str | None, with_library: bool, builtin: bool, shown: str | None, as_json: bool
) -> None:
    """List the presets of a project with their descriptions; the built-in ones where there is no project."""
    if builtin and with_library:
        raise UsageError("--builtin lists what --all would add: give one of them")
    project = load(project_folder)
    if shown is not None:
        click.echo(_read_library(project, shown), nl=False)
        return
    if builtin:
        _list_library(project, as_json=as_json)
        return
    own = Selection(project, None)
    names = (*project.names, *project.library) if with_library or not project.names else project.names
    rows = [
        {
            "name": name,
            "description": project.describe(name),
            "abstract": own.is_mixin(name),
            "file": own.file_of(name),
        }
        for name in names
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = max((len(name) for name in names), default=0)
    for row in rows:
        mixin = "(mixin) " if row["abstract"] else ""
        click.echo(visible(f"{row['name']:<{width}}  {mixin}{row['description'] or ''}").rstrip())
    environments = ", ".join(project.environments)
    say(f"{count(len(names), 'preset')}{f'; environments: {environments}' if environments else ''}")


def _read_library(project: Project, name: str) -> str:
    """Return the text of a built-in preset or policy.

    Raises:
        UsageError: there is none of this name.
    """
    policies = project.workspace.library_policies
    known = (*project.library, *policies)
    if name not in known:
        similar = find_similar(name, known)
        hint = f"did you mean '{similar}'?" if similar else "'orpolicy list --builtin' names them all"
        raise UsageError(f"nothing built in is called '{name}'; {hint}")
    loaded = policies.get(name) or project.workspace.find_loaded(name)
    assert loaded is not None  # noqa: S101 - the library has no name without a file
    assert loaded.document is not None  # noqa: S101 - nor a broken one
    return loaded.document.source.text


KINDS = ("mixin", "preset", "policy")


def _list_library(project: Project, *, as_json: bool) -> None:
    rows = sorted(_find_library(project), key=lambda row: (KINDS.index(row["kind"]), row["name"]))
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for line in align([(row["name"], row["kind"], row["description"]) for row in rows]):
        click.echo(line)
    mixins, presets, policies = (sum(row["kind"] == kind for row in rows) for kind in KINDS)
    say(f"{count(mixins, 'mixin')}, {count(presets, 'preset')}, {policies} policies")


def _find_library(project: Project) -> Iterator[dict[str, Any]]:
    """Find everything that ships with the package."""
    selection = Selection(project, None)
    for name in project.library:
        kind = "mixin" if selection.is_mixin(name) else "preset"
        yield {"name": name, "kind": kind, "description": project.describe(name)}
    for name, loaded in project.workspace.library_policies.items():
        yield {"name": name, "kind": "policy", "description": loaded.value.document.data.get("description")}
