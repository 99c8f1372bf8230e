"""Which catalogue a verb looks at: the project's snapshot, a file, or the small one for a first look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.failures import say
from orpolicy.errors import UsageError
from orpolicy.project import read_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.project import Project
    from orpolicy.routing.catalog import Catalog

PULL = "'orpolicy catalog pull' makes one, and --demo shows a small dated one"

_FILE = click.option(
    "--catalog",
    "catalog_file",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Another snapshot than the project's, or a folder of the API's answers.",
)
_DEMO = click.option(
    "--demo", is_flag=True, help="Look at the demonstration catalogue; its prices are history."
)


def takes_catalog(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Add ``--catalog`` and ``--demo`` to a verb, which receives them as ``catalog_file`` and ``demo``."""
    return _FILE(_DEMO(verb))


def choose_catalog(project: Project, file: Path | None, *, demo: bool) -> Catalog:
    """Read the catalogue that was asked for, and say on stderr what is to be known about it.

    Raises:
        UsageError: there is none.
        CatalogError: it cannot be read.
    """
    from orpolicy.routing.answers import load_catalog  # noqa: PLC0415 - other verbs need no catalogue
    from orpolicy.routing.snapshot import demonstration  # noqa: PLC0415

    if demo and file:
        raise UsageError("--demo and --catalog exclude each other")
    catalog = demonstration() if demo else load_catalog(file) if file else project.catalog
    if catalog is None:
        raise UsageError(
            f"there is no snapshot of the catalogue at {project.workspace.settings.catalog}: {PULL}"
        )
    if catalog.note:
        say(catalog.note)
    elif age := catalog.describe_age(read_clock()):
        say(f"Warning: {age}; pull a fresh one with 'orpolicy catalog pull'")
    return catalog


def name_catalog(catalog: Catalog) -> str:
    """Name a catalogue by its day."""
    kind = "demonstration catalogue" if catalog.note else "catalogue"
    return f"the {kind} of {catalog.time:%Y-%m-%d}" if catalog.time else f"a {kind} of unknown age"
