"""``orpolicy import``: turn a request body, a curl command, a hosted preset or an SDK call into a preset."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from orpolicy.cli.arguments import PRESET, project_option
from orpolicy.cli.failures import FINDINGS, say
from orpolicy.cli.output import showing_findings, wants_color
from orpolicy.cli.render import View, render_full
from orpolicy.cli.targets import Selection, read_input
from orpolicy.errors import UsageError
from orpolicy.language.decompile import SOURCE, ImportProblem, import_preset
from orpolicy.language.diagnostics import Diagnostic, Report
from orpolicy.language.document import MAX_BYTES, decode
from orpolicy.language.source import Source
from orpolicy.project import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.project import Project

EXAMPLES = """\b
Examples:
  orpolicy import request.json -o presets/support/triage.yaml
  orpolicy import request.json --extends team > presets/draft.yaml   what 'team' does not say
  pbpaste | orpolicy import -                                        a curl command, or code
"""


@click.command(epilog=EXAMPLES)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE|-")
@click.option("--extends", "base", type=PRESET, metavar="NAME", help="Build on a preset; write what differs.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to a new file instead of stdout.",
)
@project_option
def command(file: str, base: str | None, output: Path | None, project_folder: str | None) -> int:
    """Turn what works somewhere else into a preset that compiles to the same body.

    Reads a request body (JSON), a curl command, a hosted preset as OpenRouter returns it, or a call of the OpenAI or
    OpenRouter SDK. The preset goes to stdout; what was left out, and what is wrong with it, to stderr.
    """
    if output is not None and output.exists():
        raise UsageError(f"'{output}' is there already; an import writes a new file")
    source = _read(file)
    if isinstance(source, Diagnostic):
        _say_findings([source], Source(source.location.file, ""))
        return FINDINGS
    project = load(project_folder)
    with showing_findings(Selection(project, None)):
        below = _compose_below(project, base, output)
    try:
        imported = import_preset(source.text, extends=below, extends_name=base)
    except ImportProblem as problem:
        say(f"Error: {problem}")
        return FINDINGS
    if output is None:
        click.echo(imported.text.encode("utf-8", errors="surrogatepass"), nl=False)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(imported.text, encoding="utf-8")
        say(f"{output} written")
    if below is not None and base is None:
        say("Note: the project's 'defaults' lie below: what they say is left out, what they add is removed")
    for note in imported.notes:
        say(f"Note: {note}")
    name = SOURCE if output is None else output.as_posix()
    found = [evolve(one, location=evolve(one.location, file=name)) for one in imported.report]
    _say_findings(found, Source(name, imported.text))
    return FINDINGS if imported.report.errors else 0


def _read(file: str) -> Source | Diagnostic:
    """Read the text to import, or say why that cannot be done."""
    if file == "-":
        return decode("<stdin>", read_input())
    with Path(file).open("rb") as stream:
        return decode(file, stream.read(MAX_BYTES + 1))


def _compose_below(project: Project, base: str | None, output: Path | None) -> dict[str, Any] | None:
    """Compose what will lie below the preset: the base, or the project's defaults, unless it goes elsewhere."""
    if base is not None:
        return project.compose(base)
    inside = output is None or (project.root is not None and output.resolve().is_relative_to(project.root))
    return (project.compose() or None) if inside else None


def _say_findings(found: Sequence[Diagnostic], source: Source) -> None:
    if found:
        view = View(Report(tuple(found)), lambda _: source, wants_color(sys.stderr))
        click.echo(render_full(view), nl=False, err=True, color=view.color)
