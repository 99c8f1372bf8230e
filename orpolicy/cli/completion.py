"""``orpolicy completion``: print the script that teaches a shell to complete our verbs, presets and rules."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


EXAMPLES = """\b
Add one line to your shell's start-up file:
  bash   eval "$(orpolicy completion bash)"
  zsh    eval "$(orpolicy completion zsh)"
  fish   orpolicy completion fish | source
"""


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script for a shell; it completes verbs, options, presets, environments and rules."""
    script = SHELLS[shell](context.find_root().command, {}, "orpolicy", "_ORPOLICY_COMPLETE")
    # bash's own source() starts a shell to ask for its version; the base class only fills in the template
    click.echo(ShellComplete.source(script))
