"""``orpolicy compile``: print the request body that a preset stands for."""

from __future__ import annotations

import json
from typing import Any

import click

from orpolicy.cli.arguments import PRESET, environment_option, project_option
from orpolicy.cli.output import showing_findings
from orpolicy.cli.targets import select
from orpolicy.errors import UsageError
from orpolicy.language.skins import PATHS, wear
from orpolicy.language.values import canonical_json

EXAMPLES = """\b
Examples:
  orpolicy compile support/triage -e prod        one line, the same bytes every time
  orpolicy compile presets/fast.yaml --pretty    a file, for people
  orpolicy compile presets                       every preset below a folder, by name
  orpolicy compile fast --skin responses         for the Responses API, or what it cannot carry
  orpolicy compile - < draft.yaml                a draft, before it is saved
"""


@click.command(epilog=EXAMPLES)
@click.argument("target", type=PRESET, metavar="NAME|FILE|FOLDER|-")
@environment_option
@project_option
@click.option("--pretty", is_flag=True, help="Indent the JSON, keys in the order in which they are sent.")
@click.option("--skin", type=click.Choice(list(PATHS)), default="chat", help="Write it for another endpoint.")
def command(
    target: str, environment: str | None, project_folder: str | None, pretty: bool, skin: str
) -> None:
    """Print the request body of a preset as canonical JSON: sorted keys, no blanks, prices as decimal strings.

    It is the whole body but for the messages and the system prompt, which a call adds. For a folder the result is an
    object with one body under each name, mixins left out. Nothing is printed if anything is wrong, or if the endpoint of
    the skin cannot carry it.
    """
    [selection] = select([target], project_folder)
    if not selection.chosen:
        raise UsageError(f"'{target}' holds no presets")
    with showing_findings(selection):
        if target in selection.chosen or len(selection.chosen) == 1:
            body: Any = wear(selection.project.preset(selection.chosen[0], environment).body, skin)
        else:
            names = [name for name in selection.chosen if not selection.is_mixin(name)]
            body = {name: wear(selection.project.preset(name, environment).body, skin) for name in names}
    text = json.dumps(body, indent=2, ensure_ascii=False) if pretty else canonical_json(body)
    click.echo(text.encode("utf-8", errors="surrogatepass"))
