"""``orpolicy route``: who may serve a preset, in which order, who may not and why, and what it costs at most."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from attrs import evolve, frozen

from orpolicy.cli.arguments import PRESET, environment_option, project_option
from orpolicy.cli.failures import FINDINGS
from orpolicy.cli.output import showing_findings
from orpolicy.cli.routes import Row, describe_all, describe_route, summarise_route
from orpolicy.cli.snapshots import choose_catalog, name_catalog, takes_catalog
from orpolicy.cli.targets import Selection, select, select_one
from orpolicy.errors import CompileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orpolicy.compiled import Compiled
    from orpolicy.language.source import Location
    from orpolicy.language.source import Path as Place
    from orpolicy.routing.catalog import Catalog
    from orpolicy.routing.cost import Bound
    from orpolicy.routing.router import Route

EXAMPLES = """\b
Examples:
  orpolicy route support/triage -e prod --prompt-tokens 2000 --completion-tokens 500
  orpolicy route support/triage --down anthropic     what if a provider is out
  orpolicy route --all                               one line a preset and environment
  orpolicy route presets/fast.yaml --demo            over a small catalogue
"""


@click.command(epilog=EXAMPLES)
@click.argument("target", type=PRESET, metavar="[NAME|FILE|-]", required=False)
@environment_option
@project_option
@click.option("--all", "everything", is_flag=True, help="Summarise every preset in every environment.")
@click.option("--prompt-tokens", type=click.IntRange(0), metavar="N", help="How long the prompt is.")
@click.option("--completion-tokens", type=click.IntRange(0), metavar="N", help="How long the answer is.")
@click.option("--down", multiple=True, metavar="PROVIDER", help="Leave a provider out; may be repeated.")
@takes_catalog
@click.option("--json", "as_json", is_flag=True, help="Print JSON; prices are USD per million tokens.")
def command(
    *,
    target: str | None,
    environment: str | None,
    project_folder: str | None,
    everything: bool,
    prompt_tokens: int | None,
    completion_tokens: int | None,
    down: tuple[str, ...],
    catalog_file: Path | None,
    demo: bool,
    as_json: bool,
) -> int:
    """Say which endpoints may serve a preset, which may not and why, and what nobody can know offline.

    Answers come from the project's snapshot of OpenRouter's catalogue, without the network. Exits 1 where nobody may
    serve a preset.
    """
    if (target is None) != everything:
        raise UsageError("name one preset, or --all")
    selection = select([], project_folder)[0] if target is None else select_one(target, project_folder)
    catalog = choose_catalog(selection.project, catalog_file, demo=demo)
    look = Look(selection, catalog, prompt_tokens, completion_tokens, check_providers(catalog, down))
    return look.show_all(environment, as_json) if target is None else look.show_one(environment, as_json)


@frozen
class Look:
    """Presets, a catalogue, and what is known about the calls."""

    selection: Selection
    catalog: Catalog
    prompt_tokens: int | None
    completion_tokens: int | None
    down: tuple[str, ...]

    def show_one(self, environment: str | None, as_json: bool) -> int:
        """Show the route of the preset that was selected."""
        name = self.selection.chosen[0]
        with showing_findings(self.selection):
            compiled = self.selection.project.preset(name, environment)
        answer = self._route(compiled, lambda path: self._find_place(compiled, path))
        if as_json:
            click.echo(json.dumps(answer.to_json(name, environment), indent=2))
        else:
            for line in describe_route(
                answer, self._worst(compiled), name, environment, name_catalog(self.catalog)
            ):
                click.echo(line)
        return FINDINGS if answer.availability else 0

    def show_all(self, environment: str | None, as_json: bool) -> int:
        """Show a line for every preset and environment."""
        rows = list(self._summarise(environment))
        if not rows:
            raise UsageError("there are no presets here to route")
        if as_json:
            click.echo(json.dumps([row.to_json() for row in rows], indent=2))
        else:
            for line in describe_all(rows):
                click.echo(line)
        return FINDINGS if any(row.problem for row in rows) else 0

    def _summarise(self, environment: str | None) -> Iterator[Row]:
        project = self.selection.project
        environments = (None, *project.environments) if environment is None else (environment,)
        for name in project.names:
            if self.selection.is_mixin(name):
                continue
            variants = project.variants(name) if environment is None else environments
            rows = {
                variant: self._summarise_one(name, variant) for variant in environments if variant in variants
            }
            for variant in environments:  # in all others it is what it is without one
                yield rows.get(variant) or evolve(rows[None], environment=variant)

    def _summarise_one(self, name: str, environment: str | None) -> Row:
        try:
            compiled = self.selection.project.preset(name, environment)
        except CompileError as failure:
            count = len(failure.report.errors)
            problem = f"does not compile: {count} error{'s' if count > 1 else ''}"
            return Row(name, environment, problem=problem)
        answer = self._route(compiled, lambda _: None)  # a summary shows no places, which are dear to find
        return summarise_route(answer, self._worst(compiled), name, environment)

    def _find_place(self, compiled: Compiled, path: Place) -> Location | None:
        place = compiled.origin(path)
        return None if place is None else self.selection.place(place)

    def _route(self, compiled: Compiled, origin: Callable[[Place], Location | None]) -> Route:
        return compiled.route(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            down=self.down,
            catalog=self.catalog,
            origin=origin,
        )

    def _worst(self, compiled: Compiled) -> Bound:
        return compiled.worst_case(
            self.prompt_tokens, self.completion_tokens, down=self.down, catalog=self.catalog
        )


def check_providers(catalog: Catalog, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the slugs of providers that were named in any spelling.

    Raises:
        UsageError: a name is no provider's.
    """
    from orpolicy.routing.resolve import resolve_provider  # noqa: PLC0415 - seldom asked for

    slugs = []
    for name in names:
        found = resolve_provider(catalog, name)
        if not found.found and catalog.providers:
            close = f"; did you mean '{found.suggestions[0]}'?" if found.suggestions else ""
            raise UsageError(f"the catalogue lists no provider '{name}'{close}")
        slugs.append(found.written_well or name)
    return tuple(slugs)
