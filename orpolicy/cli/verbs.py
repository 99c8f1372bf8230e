"""The command ``orpolicy``: a group whose verbs are modules, each imported when it is called."""

from __future__ import annotations

import gc
import importlib
import sys
from keyword import iskeyword
from typing import Any, NoReturn

import click

import orpolicy
from orpolicy.cli.failures import exit_code_of

VERBS = (
    "init",
    "check",
    "compile",
    "list",
    "explain",
    "policy",
    "route",
    "test",
    "diff",
    "lock",
    "run",
    "serve",
    "catalog",
    "drift",
    "import",
    "rule",
    "schema",
    "completion",
)
"""In the order in which ``--help`` shows them: that of a first day."""


class Verbs(click.Group):
    """A group that finds a verb in the module of its name and ends every run with an exit code."""

    def __init__(self, **options: Any) -> None:
        # click suggests a verb for a misspelled one from the names of these stand-ins
        super().__init__(commands={name: click.Command(name) for name in VERBS}, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Keep our order where click would sort."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Import the verb."""
        if cmd_name not in VERBS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = importlib.import_module(f"orpolicy.cli.{module}").command
        gc.enable()
        return command

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Run a verb and leave with its exit code."""
        for stream in (sys.stdout, sys.stderr):
            # a terminal that cannot show a character shows its code instead of failing
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text stream, always
        run = super().invoke
        ctx.exit(exit_code_of(lambda: run(ctx)))


EXAMPLES = """\b
A first look, in a folder with presets/:
  orpolicy check                            every mistake, with its place
  orpolicy compile support/triage           the request body that it stands for
  orpolicy explain support/triage           which line set which value
  orpolicy run support/triage "Hello" --offline

Results go to stdout, everything about the run to stderr. Exit codes: 0 nothing to report, 1 findings, 2 wrong usage,
3 a failure of the program or the outside world.
"""


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXAMPLES,
    no_args_is_help=True,
)
@click.version_option(orpolicy.__version__, "-V", "--version", message="%(prog)s %(version)s")
def command() -> None:
    """Check, compile and run presets for OpenRouter that are kept as YAML in git."""
