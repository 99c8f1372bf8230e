"""Where a report goes: ``--output-format FORMAT[=FILE]``, repeatable, and colour where somebody sees it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from attrs import evolve, frozen
from click.shell_completion import CompletionItem

from orpolicy.cli.failures import FINDINGS
from orpolicy.cli.formats import FORMATS
from orpolicy.cli.render import View, render_full
from orpolicy.errors import CompileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orpolicy.cli.targets import Selection
    from orpolicy.language.diagnostics import Report
    from orpolicy.language.source import Source


@frozen
class Destination:
    """A format and the file to write it to; ``None`` is stdout."""

    format: str
    file: Path | None = None


class DestinationType(click.ParamType[Destination]):
    """``full``, or ``json=report.json``."""

    name = "FORMAT[=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Destination:
        """Split at the first ``=`` and accept a known format."""
        if isinstance(value, Destination):
            return value
        name, _, file = value.partition("=")
        if name not in FORMATS:
            self.fail(f"there is no format {name!r}; there are: {', '.join(FORMATS)}", param, ctx)
        return Destination(name, Path(file) if file else None)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the formats."""
        del ctx, param
        return [CompletionItem(name) for name in FORMATS if name.startswith(incomplete)]


@frozen
class Output:
    """What ``--output-format`` and ``--color`` ask for."""

    destinations: tuple[Destination, ...]
    color: bool | None

    def write(
        self,
        report: Report,
        find_source: Callable[[str], Source | None],
        list_checked: Callable[[], Iterable[str]] = tuple,
    ) -> int:
        """Write a report to every destination and return its exit code: 1 where it holds an error.

        Args:
            report: The findings.
            find_source: Returns the text of a file that a finding names.
            list_checked: Lists the files that were looked at; few formats ask.

        Raises:
            OSError: a file cannot be written.
        """
        plain = View(report, find_source, list_checked=list_checked)
        for destination in self.destinations:
            render = FORMATS[destination.format]
            if destination.file is None:
                color = wants_color(sys.stdout, self.color)
                click.echo(render(evolve(plain, color=color)), nl=False, color=color)
            else:
                _write_file(destination.file, render(plain))
        return FINDINGS if report.errors else 0


def _write_file(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:  # of a full disk the system does not say which file it was for
        raise OSError(error.errno, error.strerror, file.as_posix()) from error


def wants_color(stream: TextIO, choice: bool | None = None) -> bool:
    """Decide about colour: as asked for, else on a terminal that nobody has asked to stay plain.

    ``NO_COLOR`` counts where it is not empty (no-color.org).
    """
    if choice is not None:
        return choice
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def showing_findings(selection: Selection) -> Iterator[None]:
    """Show the findings that stop a compilation on stderr, and leave with their exit code."""
    try:
        yield
    except CompileError as failure:
        show_findings(selection, failure.report)
        raise click.exceptions.Exit(FINDINGS) from failure


def show_findings(selection: Selection, report: Report) -> None:
    """Show findings on stderr, for a verb whose result is something else."""
    color = wants_color(sys.stderr)
    view = View(selection.relocate(report), selection.find_source, color)
    click.echo(render_full(view), nl=False, err=True, color=color)


def takes_output(verb: Callable[..., int]) -> Callable[..., int]:
    """Add ``--output-format`` and ``--color`` to a verb, which receives them as one ``output``."""

    @click.option(
        "--output-format",
        "destinations",
        type=DestinationType(),
        multiple=True,
        default=["full"],
        help=f"How to report: {', '.join(FORMATS)}; on stdout or into FILE; may be given several times.",
    )
    @click.option("--color/--no-color", default=None, help="Colour the report; by default on a terminal.")
    @wraps(verb)
    def verb_with_output(
        *values: Any, destinations: tuple[Destination, ...], color: bool | None, **options: Any
    ) -> int:
        if sum(destination.file is None for destination in destinations) > 1:
            raise click.UsageError(
                "only one --output-format can go to stdout; give the others a file: json=report.json"
            )
        return verb(*values, output=Output(destinations, color), **options)

    return verb_with_output
