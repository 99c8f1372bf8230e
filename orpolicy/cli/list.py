"""``orpolicy list``: name the presets of a project, each with its own description."""

from __future__ import annotations

import json

import click

from orpolicy.cli.arguments import project_option
from orpolicy.cli.failures import say
from orpolicy.cli.render import count
from orpolicy.cli.snippet import visible
from orpolicy.cli.targets import Selection
from orpolicy.project import load

EXAMPLES = """\b
Examples:
  orpolicy list              the presets here
  orpolicy list --all        with the built-in ones, to extend
  orpolicy list --json       for programs
"""


@click.command(epilog=EXAMPLES)
@project_option
@click.option("--all", "with_library", is_flag=True, help="List the built-in presets as well.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def command(project_folder: str | None, with_library: bool, as_json: bool) -> None:
    """List the presets of a project with their descriptions; the built-in ones where there is no project."""
    project = load(project_folder)
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
