"""Where a report goes: ``--output-format FORMAT[=FILE]``, repeatable, and colour where somebody sees it."""

from __future__ import annotations

import os
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen
from click.shell_completion import CompletionItem

from orpolicy.cli.failures import FINDINGS
from orpolicy.cli.render import FORMATS, View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orpolicy.language.diagnostics import Report
    from orpolicy.language.source import Source


@frozen
class Target:
    """A format and the file to write it to; ``None`` is stdout."""

    format: str
    file: Path | None = None


class TargetType(click.ParamType[Target]):
    """``full``, or ``json=report.json``."""

    name = "FORMAT[=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        """Split at the first ``=`` and accept a known format."""
        if isinstance(value, Target):
            return value
        name, _, file = value.partition("=")
        if name not in FORMATS:
            self.fail(f"there is no format {name!r}; there are: {', '.join(FORMATS)}", param, ctx)
        return Target(name, Path(file) if file else None)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the formats."""
        del ctx, param
        return [CompletionItem(name) for name in FORMATS if name.startswith(incomplete)]


@frozen
class Output:
    """What ``--output-format`` and ``--color`` ask for."""

    targets: tuple[Target, ...]
    color: bool | None

    def write(self, report: Report, sources: Mapping[str, Source]) -> int:
        """Write a report to every target and return its exit code: 1 where it holds an error."""
        for target in self.targets:
            if target.file is None:
                color = wants_color(self.color)
                click.echo(FORMATS[target.format](View(report, sources, color)), nl=False, color=color)
            else:
                target.file.write_text(FORMATS[target.format](View(report, sources)), encoding="utf-8")
        return FINDINGS if report.errors else 0


def wants_color(choice: bool | None) -> bool:
    """Decide about colour on stdout: as asked for, else on a terminal that nobody has asked to stay plain.

    ``NO_COLOR`` counts where it is not empty (no-color.org).
    """
    if choice is not None:
        return choice
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def takes_output(verb: Callable[..., int]) -> Callable[..., int]:
    """Add ``--output-format`` and ``--color`` to a verb, which receives them as one ``output``."""

    @click.option(
        "--output-format",
        "targets",
        type=TargetType(),
        multiple=True,
        default=["full"],
        help=f"How to report: {', '.join(FORMATS)}; on stdout or into FILE; may be given several times.",
    )
    @click.option("--color/--no-color", default=None, help="Colour the report; by default on a terminal.")
    @wraps(verb)
    def verb_with_output(
        *values: Any, targets: tuple[Target, ...], color: bool | None, **options: Any
    ) -> int:
        if sum(target.file is None for target in targets) > 1:
            raise click.UsageError(
                "only one --output-format can go to stdout; give the others a file: json=report.json"
            )
        return verb(*values, output=Output(targets, color), **options)

    return verb_with_output
