"""``orpolicy rule``: list the rules, or explain one from its page in the rulebook."""

from __future__ import annotations

import click

from orpolicy.cli.arguments import RULE
from orpolicy.language.rules import FAMILIES, RULES, read_page

EXAMPLES = """\b
Examples:
  orpolicy rule                 every code, its severity, what it is about
  orpolicy rule unknown-key     one rule with its examples
"""


@click.command(epilog=EXAMPLES)
@click.argument("code", type=RULE, required=False)
def command(code: str | None) -> None:
    """Explain a rule: what it means, a failing and a passing example, and the source it rests on.

    Without CODE, list all rules.
    """
    if code is not None:
        click.echo(read_page(code).text, nl=False)
        return
    width = max(map(len, RULES))
    for family, rules in FAMILIES.items():
        if rules:
            click.echo(f"{family}:")
        for name, severity in rules.items():
            click.echo(f"  {name:<{width}}  {severity:<7}  {read_page(name).summary}")
