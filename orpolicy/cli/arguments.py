"""What several verbs take: names that are known beforehand, and the project they are looked up in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.shell_completion import CompletionItem

from orpolicy.language.rules import RULES
from orpolicy.resources import schema_kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orpolicy.project import Project


class Known(click.ParamType[str]):
    """One of the names that are there; a misspelled one is refused with the closest, or with ``listing``: who names all."""

    def __init__(self, name: str, names: Callable[[], Iterable[str]], listing: str | None = None) -> None:
        self.name = name
        self._names = names
        self._listing = listing

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Accept a name that is there."""
        names = sorted(self._names())
        if value not in names:
            self._refuse(str(value), names, param, ctx)
        return str(value)

    def _refuse(
        self, value: str, names: list[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> NoReturn:
        from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

        close = get_close_matches(value, names, n=1)
        hint = self._listing or f"there are: {', '.join(names)}"
        hint = f"did you mean {close[0]!r}?" if close else hint
        self.fail(f"there is no {self.name} {value!r}; {hint}", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the names that start like this."""
        del ctx, param
        return [CompletionItem(name) for name in sorted(self._names()) if name.startswith(incomplete)]


class InProject(click.ParamType[str]):
    """A name that the project decides about; the shell completes those that it has."""

    def __init__(self, name: str, list_names: Callable[[Project], Iterable[str]]) -> None:
        self.name = name
        self._list_names = list_names

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the names that start like this, and files where there are none."""
        from orpolicy.project import load  # noqa: PLC0415 - verbs without a project need not wait for the compiler

        del param
        names = self._list_names(load(ctx.params.get("project_folder")))
        found = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return found or [CompletionItem(incomplete, type="file")]


class Revision(click.ParamType[str]):
    """A revision, a lock or a folder; the shell completes branches and tags, and files beside them."""

    name = "revision"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the names that start like this, after ``OLD...`` those of the second revision."""
        from orpolicy.errors import OrpolicyError  # noqa: PLC0415 - a press of a key, not a verb
        from orpolicy.review.git import Repository  # noqa: PLC0415 - as above

        del param
        before, dots, start = incomplete.rpartition("...")
        try:
            repository = Repository.find(Path(ctx.params.get("project_folder") or "."))
            names = [name for name in repository.list_names() if name.startswith(start)]
        except OrpolicyError:
            names = []
        found = [CompletionItem(before + dots + name) for name in names]
        return found or [CompletionItem(incomplete, type="file")]


RULE = Known("rule", lambda: RULES, "'orpolicy rule' lists them all")
SCHEMA_KIND = Known("kind", schema_kinds)
REVISION = Revision()
PRESET = InProject("preset", lambda project: (*project.names, *project.library))
LIBRARY = InProject("built-in name", lambda project: (*project.library, *project.workspace.library_policies))
ENVIRONMENT = InProject("environment", lambda project: project.environments)

environment_option = click.option(
    "-e", "--environment", type=ENVIRONMENT, metavar="ENV", help="The environment, such as prod."
)
project_option = click.option(
    "--project",
    "project_folder",
    type=click.Path(file_okay=False, exists=True),
    metavar="DIR",
    help="The project's folder; by default the one around the working directory.",
)


def format_option(help_text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add ``--format`` to a verb that reports changes, which receives it as ``form``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "markdown"]),
        default="text",
        show_default=True,
        help=help_text,
    )
