"""``orpolicy explain``: say of each value of a compiled preset who set it, and who was overruled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from orpolicy.cli.arguments import PRESET, environment_option, project_option
from orpolicy.cli.output import showing_findings
from orpolicy.cli.snippet import visible
from orpolicy.cli.targets import Selection, select_one
from orpolicy.errors import UsageError
from orpolicy.language.suggest import find_similar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.compiled import Compiled
    from orpolicy.language.explain import Author, Explanation

EXAMPLES = """\b
Examples:
  orpolicy explain support/triage                     every value
  orpolicy explain support/triage /provider -e prod   those below a pointer, in an environment
"""
LONGEST = 60
"""Characters of a value that are shown; ``--json`` has them all."""


@click.command(epilog=EXAMPLES)
@click.argument("target", type=PRESET, metavar="NAME|FILE|-")
@click.argument("pointer", default="")
@environment_option
@project_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects with whole values.")
def command(
    target: str, pointer: str, environment: str | None, project_folder: str | None, as_json: bool
) -> None:
    """Say of each value who set it and who was overruled: the file, line and column, and the layer it belongs to.

    POINTER is a JSON pointer into the preset, such as /provider/order. A layer is a preset, "preset[env]" for its
    overlay, or "defaults" for the project's. Losers are listed strongest first.
    """
    selection = select_one(target, project_folder)
    with showing_findings(selection):
        compiled = selection.project.preset(selection.chosen[0], environment)
    found = [_relocate(selection, explanation) for explanation in _explain(compiled, pointer)]
    if as_json:
        click.echo(json.dumps([explanation.to_json() for explanation in found], indent=2, default=float))
        return
    for explanation in found:
        for line in _describe(explanation):
            click.echo(visible(line))


def _explain(compiled: Compiled, pointer: str) -> tuple[Explanation, ...]:
    """Explain what lies at a pointer.

    Raises:
        UsageError: nothing does.
    """
    try:
        return compiled.explain(pointer)
    except UsageError as failure:
        above, _, key = pointer.rpartition("/")
        below = [
            one.pointer.removeprefix(f"{above}/")
            for one in compiled.explain()
            if one.pointer.startswith(f"{above}/")
        ]
        similar = find_similar(key, {rest.partition("/")[0] for rest in below}, cutoff=0.75, partial=False)
        raise UsageError(
            f"{failure}; did you mean '{above}/{similar}'?" if similar else str(failure)
        ) from failure


def _describe(explanation: Explanation) -> Iterator[str]:
    winner = explanation.winner
    yield f"{explanation.pointer}: {'removed' if winner.value is None else _shorten(winner.value)}"
    yield f"    set by {_name(winner)}"
    for loser in explanation.losers:
        said = "a removal by" if loser.value is None else f"{_shorten(loser.value)} of"
        yield f"    over {said} {_name(loser)}"


def _name(author: Author) -> str:
    return author.layer if author.location is None else f"{author.layer}, {author.location}"


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=float)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _relocate(selection: Selection, explanation: Explanation) -> Explanation:
    def place(author: Author) -> Author:
        return (
            author if author.location is None else evolve(author, location=selection.place(author.location))
        )

    losers = tuple(map(place, explanation.losers))
    return evolve(explanation, winner=place(explanation.winner), losers=losers)
