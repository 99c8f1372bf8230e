"""``orpolicy catalog``: pull a snapshot of OpenRouter's catalogue, and look at what it says of a model."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve

from orpolicy.cli.arguments import project_option
from orpolicy.cli.failures import say
from orpolicy.cli.models import describe_catalog, describe_model, model_to_json
from orpolicy.cli.render import count
from orpolicy.cli.snapshots import choose_catalog, takes_catalog
from orpolicy.errors import UsageError
from orpolicy.project import load

if TYPE_CHECKING:
    from orpolicy.routing.catalog import Catalog
    from orpolicy.routing.pull import Pulled

EXAMPLES = """\b
Examples:
  orpolicy catalog pull                        what the presets here can name
  orpolicy catalog pull --all -o catalog.json  every model
  orpolicy catalog show openai/gpt-5-mini      its endpoints and their prices
"""


@click.group(epilog=EXAMPLES)
def command() -> None:
    """Keep a snapshot of OpenRouter's catalogue: models, endpoints, prices, zero retention.

    Routes, worst cases and the rules of the family "catalogue" come from it, without the network. It is one JSON file
    with one line a row, to be committed.
    """


@command.command()
@project_option
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Read models.json, providers.json, zdr.json and endpoints/*.json instead of asking OpenRouter.",
)
@click.option(
    "--time",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    metavar="WHEN",
    help="When those files were fetched (UTC), where the date of models.json does not say it.",
)
@click.option(
    "--all", "everything", is_flag=True, help="The endpoints of every model, not of the presets' alone."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write; by default the project's snapshot.",
)
def pull(
    project_folder: str | None,
    folder: Path | None,
    time: datetime | None,
    everything: bool,
    output: Path | None,
) -> None:
    """Write a fresh snapshot, whole or not at all: a pull that fails leaves the old one as it was.

    Asks about every model that the presets can name. With an API key in OPENROUTER_API_KEY it also learns how fast
    endpoints are. Exits 3 where OpenRouter does not answer.
    """
    from orpolicy.inspection import list_models  # noqa: PLC0415 - reads every preset
    from orpolicy.routing.pull import replace_snapshot  # noqa: PLC0415 - loads httpx

    if time and not folder:
        raise UsageError("--time goes with --from: a pull over the network knows its time")
    project = load(project_folder)
    names = None if everything else list_models(project.workspace)
    if names == ():
        raise UsageError("no preset here names a model; --all asks about every model")
    target = output or (project.root or Path()) / project.workspace.settings.catalog
    pulled = _read(folder, names, time) if folder else _pull(names)
    replace_snapshot(pulled.catalog, target)
    for warning in pulled.warnings:
        say(f"Warning: {warning}")
    say(f"{output or project.workspace.settings.catalog}: {_count(pulled.catalog)}")


def _count(catalog: Catalog) -> str:
    asked = sum(model.endpoints is not None for model in catalog.models)
    return (
        f"{count(len(catalog.models), 'model')}, {count(len(catalog.endpoints), 'endpoint')} of {asked} of them, "
        f"{count(len(catalog.providers), 'provider')}"
    )


def _read(folder: Path, names: tuple[str, ...] | None, time: datetime | None) -> Pulled:
    """Make a catalogue of answers in files, as old as the list of models where nobody says its age."""
    from orpolicy.routing.answers import read_folder  # noqa: PLC0415 - other verbs need no catalogue
    from orpolicy.routing.pull import Pulled, list_substitutes  # noqa: PLC0415 - loads httpx
    from orpolicy.routing.resolve import resolve_model  # noqa: PLC0415

    models = folder / "models.json"
    moment = time
    if moment is None and models.exists():
        moment = datetime.fromtimestamp(int(models.stat().st_mtime), UTC)
    catalog = read_folder(folder, time=moment and moment.replace(tzinfo=UTC), source=folder.name)
    if names is None:
        return Pulled(catalog, tuple(list_substitutes(catalog)))
    found = {name: resolve_model(catalog, name) for name in names}
    wanted = {model.id for one in found.values() for model in (one.listed, one.model) if model}
    kept = [model if model.id in wanted else evolve(model, endpoints=None) for model in catalog.models]
    made = evolve(catalog, models=kept)
    missing = [f"OpenRouter lists no model {name}" for name, one in found.items() if not one.listed]
    return Pulled(made, (*missing, *list_substitutes(made)))


def watches() -> bool:
    """Tell whether somebody sees what goes to stderr."""
    return sys.stderr.isatty()


def _pull(names: tuple[str, ...] | None) -> Pulled:
    """Ask OpenRouter, with a bar on stderr where somebody sees it."""
    import orpolicy.routing.pull as network  # noqa: PLC0415 - loads httpx

    key = os.environ.get("OPENROUTER_API_KEY")
    if not watches():
        return network.pull(names, key=key)
    with click.progressbar(length=1, label="models", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return network.pull(names, key=key, progress=progress)


@command.command()
@click.argument("model", required=False)
@project_option
@takes_catalog
@click.option("--json", "as_json", is_flag=True, help="Print JSON; prices are USD per million tokens.")
def show(
    model: str | None, project_folder: str | None, catalog_file: Path | None, demo: bool, as_json: bool
) -> None:
    """Show a model with its endpoints; without one, what the snapshot holds.

    An alias, a dated slug, a name with a suffix and a display name are understood.
    """
    from orpolicy.routing.resolve import resolve_model  # noqa: PLC0415 - as above

    catalog = choose_catalog(load(project_folder), catalog_file, demo=demo)
    if model is None:
        if as_json:
            raise UsageError("--json shows a model: name one")
        lines = describe_catalog(catalog)
    else:
        found = resolve_model(catalog, model)
        if found.listed is None:
            close = " or ".join(f"'{name}'" for name in found.suggestions)
            raise UsageError(
                f"the catalogue lists no model '{model}'" + (f"; did you mean {close}?" if close else "")
            )
        if as_json:
            click.echo(json.dumps(model_to_json(found), indent=2))
            return
        lines = describe_model(found)
    for line in lines:
        click.echo(line)
