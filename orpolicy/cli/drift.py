"""``orpolicy drift``: what of a lock is no longer so, by a fresh catalogue."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve

from orpolicy.cli.arguments import format_option, project_option
from orpolicy.cli.drifts import Report, render_json, render_markdown, render_text
from orpolicy.cli.failures import FINDINGS, say
from orpolicy.cli.snapshots import name_catalog
from orpolicy.errors import UsageError
from orpolicy.locked import LOCK_FILE, read_lock
from orpolicy.project import load, read_clock
from orpolicy.review.drift_kinds import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.locked import Lock
    from orpolicy.review.effects import Effects
    from orpolicy.routing.catalog import Catalog

EXAMPLES = """\b
Examples:
  orpolicy drift                       orpolicy.lock against OpenRouter's catalogue of now
  orpolicy drift --from answers/       against the API's answers in files, or a snapshot
  orpolicy drift --format markdown --fail-on any > drift.md
"""

FAIL_ON = {
    "breaking": (Severity.BREAKING,),
    "attention": (Severity.BREAKING, Severity.ATTENTION),
    "any": tuple(Severity),
}
"""What ``--fail-on`` takes → the severities for which the verb exits 1."""


@click.command(epilog=EXAMPLES)
@click.argument("lock", required=False, type=click.Path(path_type=Path), metavar="[LOCK]")
@project_option
@click.option(
    "--from",
    "--catalog",
    "source",
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR|FILE",
    help="A folder of the API's answers, or a snapshot, instead of asking OpenRouter.",
)
@click.option(
    "--fail-on",
    type=click.Choice(list(FAIL_ON)),
    default="attention",
    show_default=True,
    help="From which severity on drift exits 1; news alone is nothing to act on.",
)
@format_option("How to report; Markdown has a section a drift, with a title that stays the same.")
def command(
    lock: Path | None, project_folder: str | None, source: Path | None, fail_on: str, form: str
) -> int:
    """Say what of a lock is no longer so: models removed or leaving, prices, zero retention, parameters, routes.

    Every body in orpolicy.lock is routed once more over a fresh catalogue: OpenRouter's own, of which only the models in
    the lock are asked for, or one in files. No key is needed; one in OPENROUTER_API_KEY is sent. Nothing is written.
    Exits 1 where something drifted that needs a person, and 3 where the lock or the catalogue cannot be read.
    """
    from orpolicy.review.drift import find_drift  # noqa: PLC0415 - loads the router

    kept = read_lock(lock or _find_lock(project_folder))
    locked = _read_effects(kept)
    fresh = _read(source) if source else _pull(locked)
    for warning in _warn(fresh):
        say(f"Warning: {warning}")
    found = find_drift(locked, fresh, read_clock(), globs=kept.globs)
    report = Report(found, kept.name, name_catalog(fresh), locked.catalog, fresh)
    if form == "json":
        click.echo(render_json(report))
    else:
        for line in render_text(report) if form == "text" else render_markdown(report):
            click.echo(line)
    if form != "markdown":
        say(report.summarise())
    return FINDINGS if any(one.severity in FAIL_ON[fail_on] for one in found) else 0


def _find_lock(project_folder: str | None) -> Path:
    """Return the lock of a project, as it is reached from here."""
    root = load(project_folder).root or Path()
    return Path(os.path.relpath(root / LOCK_FILE))


def _read_effects(lock: Lock) -> Effects:
    """Read a lock that was made over a catalogue.

    Raises:
        UsageError: it was made over none, so that it holds nothing that could drift.
        LockError: its catalogue is broken.
    """
    from orpolicy.review.lock import read_effects  # noqa: PLC0415 - loads the router

    if lock.catalog is None:
        raise UsageError(
            f"{lock.name} rests on no catalogue, so nothing in it can drift: 'orpolicy catalog pull' makes one, "
            "and 'orpolicy lock' keeps its facts"
        )
    return read_effects(lock)


def _read(path: Path) -> Catalog:
    """Read a catalogue from files; answers of the API are as old as their list of models."""
    from orpolicy.routing.answers import load_catalog  # noqa: PLC0415 - loads the catalogue

    catalog = load_catalog(path)
    models = path / "models.json"
    if catalog.time is None and models.exists():
        return evolve(catalog, time=datetime.fromtimestamp(int(models.stat().st_mtime), UTC))
    return catalog


def _pull(locked: Effects) -> Catalog:
    """Ask OpenRouter about the models that the lock names, and no others."""
    import orpolicy.routing.pull as network  # noqa: PLC0415 - loads httpx
    from orpolicy.review.drift_traces import strip_name  # noqa: PLC0415 - as above
    from orpolicy.routing.mentions import mentioned_models  # noqa: PLC0415 - as above

    bodies = [effect.body for effect in locked.found.values()]
    names = {strip_name(name) for body in bodies for _, name in mentioned_models(body) if "*" not in name}
    pulled = network.pull(sorted(names - {""}), key=os.environ.get("OPENROUTER_API_KEY"))
    return pulled.catalog


def _warn(fresh: Catalog) -> Iterator[str]:
    """Yield what a reader should know about the catalogue before its news."""
    if age := fresh.describe_age(read_clock()):
        yield age
    if not fresh.complete:
        yield f"{name_catalog(fresh)} does not list every model: what it lacks may still be there"
