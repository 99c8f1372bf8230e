"""``orpolicy run``: send a prompt under a preset and print the answer."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from orpolicy.cli.arguments import PRESET, environment_option, project_option
from orpolicy.cli.failures import say
from orpolicy.cli.output import showing_findings
from orpolicy.cli.targets import read_input, select_one
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from orpolicy.client.client import Client
    from orpolicy.client.replies import Reply
    from orpolicy.compiled import Compiled

EXAMPLES = """\b
Examples:
  orpolicy run support/triage "My card was charged twice" --offline
  orpolicy run support/triage -e prod --stream - < ticket.txt
  orpolicy run support/triage "Hello" --json | jq .usage
"""


@click.command(epilog=EXAMPLES)
@click.argument("target", type=PRESET, metavar="NAME|FILE")
@click.argument("prompt", metavar="PROMPT|-")
@environment_option
@project_option
@click.option("--offline", is_flag=True, help="Ask the built-in OpenRouter: no key, no network, no cost.")
@click.option("--stream", is_flag=True, help="Print the answer while it arrives.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print OpenRouter's answer; with --stream, a chunk a line."
)
def command(
    *,
    target: str,
    prompt: str,
    environment: str | None,
    project_folder: str | None,
    offline: bool,
    stream: bool,
    as_json: bool,
) -> None:
    """Send a prompt under a preset and print the answer; "-" reads the prompt from standard input.

    The answer goes to stdout; who gave it, the tokens and the cost go to stderr. The key comes from the environment
    variable OPENROUTER_API_KEY. With --offline a local OpenRouter answers from a small demonstration catalogue: it
    chooses, refuses and bills as OpenRouter would, and its text is made up.
    """
    selection = select_one(target, project_folder)
    message = _read_prompt() if prompt == "-" else prompt
    with showing_findings(selection):
        preset = selection.project.preset(selection.chosen[0], environment)
    with _open_client(offline=offline) as client:
        send = _stream if stream else _chat
        say(_describe(send(client, preset, message, as_json=as_json), offline=offline))


def _read_prompt() -> str:
    try:
        return read_input().decode("utf-8")
    except UnicodeDecodeError as failure:
        raise click.UsageError("standard input is not valid UTF-8") from failure


def _open_client(*, offline: bool) -> Client:
    """Make a client of the network, or of the emulator; both load httpx, which is why they are imported here."""
    from orpolicy.client.client import Client  # noqa: PLC0415

    if not offline:
        if not os.environ.get("OPENROUTER_API_KEY", "").strip():
            raise UsageError(
                "no API key: set OPENROUTER_API_KEY, or ask the built-in OpenRouter with --offline"
            )
        return Client()
    import httpx  # noqa: PLC0415

    from orpolicy.emulator.transport import EmulatorTransport  # noqa: PLC0415

    return Client("offline", http=httpx.Client(transport=EmulatorTransport()))


def _chat(client: Client, preset: Compiled, message: str, *, as_json: bool) -> Reply:
    reply = client.chat(preset, message)
    if as_json:
        click.echo(_to_json(reply.raw, indent=2))
    else:
        _print_whole(reply)
    return reply


def _stream(client: Client, preset: Compiled, message: str, *, as_json: bool) -> Reply:
    with client.stream(preset, message) as stream:
        for chunk in stream:
            if as_json:
                click.echo(_to_json(chunk.raw))
            elif chunk.text:
                _print(chunk.text, end="")
        reply = stream.reply()
    if not as_json:
        click.echo()
        _print_tool_calls(reply)
    return reply


def _print_whole(reply: Reply) -> None:
    text = reply.text or reply.refusal
    if text:
        _print(text)
    _print_tool_calls(reply)


def _print_tool_calls(reply: Reply) -> None:
    for call in reply.tool_calls:
        _print(f"{call.name}({call.arguments})")


def _print(text: str, end: str = "\n") -> None:
    """Print a model's words: a pipe gets them as they are, and no terminal is steered by them."""
    shown = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\ufffd", text) if sys.stdout.isatty() else text
    click.echo(shown + end, nl=False, color=True)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, default=float)


def _describe(reply: Reply, *, offline: bool) -> str:
    """Say in one line who answered, with how many tokens, for how much."""
    parts = [f"{'simulated answer' if offline else 'answer'} of {reply.model}"]
    if reply.provider:
        parts.append(f"provider {reply.provider}")
    if reply.usage:
        parts.append(
            f"{reply.usage.prompt_tokens} prompt + {reply.usage.completion_tokens} completion tokens"
        )
        cost = reply.usage.cost
        parts.append("cost unknown" if cost is None else f"cost ${cost:f}")
    return f"[{'; '.join(parts)}]"
