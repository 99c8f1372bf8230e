"""``orpolicy schema``: print the JSON Schema of a kind of file."""

from __future__ import annotations

import click

from orpolicy.cli.arguments import SCHEMA_KIND
from orpolicy.resources import schema_text

EXAMPLES = """\b
For editors and other checkers:
  orpolicy schema preset > preset.schema.json
  check-jsonschema --schemafile preset.schema.json presets/**/*.yaml
"""


@click.command(epilog=EXAMPLES)
@click.argument("kind", type=SCHEMA_KIND)
def command(kind: str) -> None:
    """Print the JSON Schema (draft 2020-12) of a kind of file: preset, policy, project or test."""
    click.echo(schema_text(kind), nl=False)
