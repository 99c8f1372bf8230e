"""``orpolicy diff``: what changed in effect between two versions of a project."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orpolicy.cli.arguments import ENVIRONMENT, PRESET, REVISION, format_option
from orpolicy.cli.failures import FINDINGS, say
from orpolicy.cli.output import wants_color
from orpolicy.errors import UsageError
from orpolicy.language.suggest import find_similar
from orpolicy.review.classes import Concern, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from orpolicy.review.changes import Change, Diff
    from orpolicy.review.effects import Effects
    from orpolicy.review.sides import Compared

EXAMPLES = """\b
Examples:
  orpolicy diff                          what is not committed yet
  orpolicy diff main                     the working tree against a branch
  orpolicy diff origin/main...           what this branch changed since it left
  orpolicy diff orpolicy.lock            what the lock does not know yet
  orpolicy diff v1 v2 -e prod --fail-on privacy --fail-on cost
  orpolicy diff origin/main... --format markdown > comment.md
"""


def _loosens(concern: Concern) -> Callable[[Change], bool]:
    return lambda change: change.way is Way.LOOSENED and change.concern is concern


FAIL_ON: Mapping[str, Callable[[Change], bool]] = {
    "loosened": lambda change: change.way is Way.LOOSENED,
    "privacy": _loosens(Concern.PRIVACY),
    "cost": _loosens(Concern.COST),
    "route": lambda change: change.part == "route",
    "any": lambda _: True,
}
"""What ``--fail-on`` takes → the changes for which the verb exits 1."""


@click.command(epilog=EXAMPLES)
@click.argument("old", type=REVISION, required=False, metavar="[OLD")
@click.argument("new", type=REVISION, required=False, metavar="[NEW]]")
@click.option("-e", "--environment", type=ENVIRONMENT, metavar="ENV", help="Compare in one environment only.")
@click.option("--preset", "presets", type=PRESET, multiple=True, metavar="NAME", help="Compare one preset only; may be repeated.")  # fmt: skip
@click.option(
    "--project",
    "project_folder",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="The project's folder, which need not exist any more; by default the one around the working directory.",
)
@click.option(
    "--catalog",
    "catalog_file",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="A snapshot for both sides, instead of the one that each side has.",
)
@click.option(
    "--fail-on",
    type=click.Choice(list(FAIL_ON)),
    multiple=True,
    help="Exit 1 where anything is loosened, loosened in privacy or cost, routed otherwise, or differs; may be repeated.",
)
@click.option("--exit-code", is_flag=True, help="Exit 1 where anything differs, as git does.")
@format_option("How to report; Markdown is a comment for a pull request.")
@click.option("--color/--no-color", default=None, help="Colour the report; by default on a terminal.")
def command(
    *,
    old: str | None,
    new: str | None,
    environment: str | None,
    presets: tuple[str, ...],
    project_folder: str | None,
    catalog_file: Path | None,
    fail_on: tuple[str, ...],
    exit_code: bool,
    form: str,
    color: bool | None,
) -> int:
    """Say what changed in effect: requests, policies, who may serve them, what they cost, and which line did it.

    OLD and NEW are a git revision, a lock file or a folder; OLD...NEW is NEW against the place where both parted. By
    default HEAD is compared with the working tree. Both sides are compiled completely, each with its own snapshot of the
    catalogue; nothing is checked out. Exits 0 whatever differs, unless --fail-on or --exit-code say otherwise.
    """
    from orpolicy.review.diff import compare, relocate  # noqa: PLC0415 - loads the router
    from orpolicy.review.sides import open_sides  # noqa: PLC0415

    catalog = None
    if catalog_file is not None:
        from orpolicy.routing.answers import load_catalog  # noqa: PLC0415 - seldom asked for

        catalog = load_catalog(catalog_file)
    before, after = open_sides(old, new, project_folder, catalog)
    check_names("environment", environment, [*before.effects.environments, *after.effects.environments])
    for preset in presets:
        check_names("preset", preset, [*before.effects.names, *after.effects.names])
    _say_blind(before, after)
    diff = compare(before.effects, after.effects, environment=environment, presets=presets or None)
    diff = relocate(diff, {"old": before.place, "new": after.place})
    click.echo(_render(diff, form, color), nl=False, color=True)
    return _decide(diff, fail_on, exit_code=exit_code)


def _render(diff: Diff, form: str, color: bool | None) -> str:
    if form == "markdown":
        from orpolicy.cli.diff_markdown import render_markdown  # noqa: PLC0415 - one format is wanted

        return render_markdown(diff)
    from orpolicy.cli.diffs import render_json, render_text  # noqa: PLC0415 - as above

    return render_json(diff) if form == "json" else render_text(diff, color=wants_color(sys.stdout, color))


def check_names(kind: str, name: str | None, known: Collection[str]) -> None:
    """Refuse a name that neither side knows.

    Raises:
        UsageError: it is not known.
    """
    if name is None or name in known:
        return
    similar = find_similar(name, tuple(dict.fromkeys(known)))
    hint = f"; did you mean '{similar}'?" if similar else ""
    raise UsageError(f"there is no {kind} '{name}' on either side{hint}")


def _say_blind(before: Compared, after: Compared) -> None:
    """Say where routes and costs could not be compared."""
    blind = [side.effects for side in (before, after) if side.effects.catalog is None and side.effects.found]
    if len(blind) == 2:
        say("no snapshot of the catalogue on either side: who serves and what it costs is not compared")
    for effects in blind if len(blind) == 1 else ():
        say(f"no snapshot of the catalogue in {effects.label}: who serves and what it costs is not compared")
    unlisted = sorted(_find_unlisted(after.effects))
    if unlisted:
        say(
            f"the snapshot of {after.effects.label} knows no endpoints of {', '.join(unlisted)}:"
            " 'orpolicy catalog pull' asks for them"
        )


def _find_unlisted(effects: Effects) -> set[str]:
    """Name the models that are asked for and whose endpoints nobody looked up."""
    reached = [effect.reached for effect in effects.found.values() if effect.reached is not None]
    return {
        one.model
        for route in reached
        for one in route.unknown
        if one.endpoint is None and "endpoints" in one.needs
    }


def _decide(diff: Diff, fail_on: Collection[str], *, exit_code: bool) -> int:
    """Return the exit code; a preset that no longer compiles fails whatever was asked for, for nobody can judge it."""
    failed = [name for name in fail_on if any(FAIL_ON[name](change) for _, change in diff)]
    if fail_on and not failed and any(_is_broken(change) for _, change in diff):
        say("a preset does not compile, so that nobody can say what it comes to")
        return FINDINGS
    environments = diff.environments_added or diff.environments_removed
    if not failed and "any" in fail_on and environments:
        failed = ["any"]
    if failed:
        say(f"exit 1 because of --fail-on {', '.join(failed)}")
    return FINDINGS if failed or (exit_code and diff) else 0


def _is_broken(change: Change) -> bool:
    found = change.new if isinstance(change.new, dict) else {}
    return change.part == "preset" and (change.kind == "broken" or "findings" in found)
