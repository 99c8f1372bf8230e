"""``orpolicy serve``: a local OpenRouter on a socket, for clients in any language."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.arguments import project_option
from orpolicy.cli.failures import say
from orpolicy.cli.snapshots import name_catalog
from orpolicy.errors import UsageError
from orpolicy.project import load

if TYPE_CHECKING:
    from orpolicy.routing.catalog import Catalog

EXAMPLES = """\b
Examples:
  orpolicy serve --port 8787
  OPENROUTER_BASE_URL=http://127.0.0.1:8787/api/v1 python application.py
  orpolicy serve --faults faults.yaml         429 now and then, streams that break

\b
A file of faults:
  faults:
    - {kind: status, status: 429, retry_after: 2, every: 20}
    - {kind: cut, after: 3, requests: [7, 8]}
"""
NEEDED = ("starlette", "uvicorn")


@click.command(epilog=EXAMPLES)
@project_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 for a free one."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Another address than the loopback: anybody may ask.",
)
@click.option(
    "--catalog",
    "catalog_file",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="A snapshot, or a folder of the API's answers; by default the project's snapshot, else the demonstration.",
)
@click.option(
    "--faults",
    "faults_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What goes wrong, as YAML or JSON.",
)
def command(
    project_folder: str | None, port: int, host: str, catalog_file: Path | None, faults_file: Path | None
) -> None:
    """Serve a local OpenRouter until Ctrl-C: no key, no network, no cost.

    It chooses, refuses and bills as OpenRouter would, from a catalogue; its text is made up. The base URL goes to
    stdout.
    """
    if not all(map(find_spec, NEEDED)):
        raise UsageError("serving needs the extra 'serve': pip install 'orpolicy[serve]'")
    from orpolicy.emulator.local import Emulator  # noqa: PLC0415 - other verbs need no emulator
    from orpolicy.emulator.scripts import read_faults  # noqa: PLC0415
    from orpolicy.emulator.server import listen, serve, url_of  # noqa: PLC0415 - loads uvicorn

    faults = read_faults(faults_file) if faults_file else ()
    catalog = _choose_catalog(project_folder, catalog_file)
    with listen(port, host) as listening:
        click.echo(url_of(listening))
        scripted = f", {len(faults)} scripted" if faults else ""
        say(f"a local OpenRouter out of {name_catalog(catalog)}{scripted}; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):  # none follows where the signal was ignored before
            serve(Emulator(catalog, faults), listening)
        say("ended")


def _choose_catalog(project_folder: str | None, file: Path | None) -> Catalog:
    """Take the file, else the project's snapshot, else the demonstration."""
    from orpolicy.routing.answers import load_catalog  # noqa: PLC0415 - other verbs need no catalogue
    from orpolicy.routing.snapshot import demonstration  # noqa: PLC0415

    return load_catalog(file) if file else load(project_folder).catalog or demonstration()
