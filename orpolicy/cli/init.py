"""``orpolicy init``: write a small project that explains itself, and never over a file that is there.

.. code-block:: text

    the project    orpolicy.yaml, a preset, its base, a policy, a test    where there is no project yet
    for editors    .orpolicy/KIND.schema.json, named in a file's first line
    for CI         a workflow and a configuration of pre-commit           not below the root of a repository

A file is created or left alone, so that a second run changes nothing.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

import orpolicy
from orpolicy.cli.failures import say
from orpolicy.cli.snippet import visible
from orpolicy.disk import Folder
from orpolicy.language.files import PROJECT_FILE
from orpolicy.resources import schema_kinds, schema_text, template_text

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = """\b
Examples:
  orpolicy init                a project in the working directory
  orpolicy init llm            one in a folder of its own, made where it is missing
"""

PROJECT = {
    PROJECT_FILE: "orpolicy.yaml",
    "presets/base.yaml": "base.yaml",
    "presets/answers.yaml": "answers.yaml",
    "presets/answers.test.yaml": "answers.test.yaml",
    "presets/team.policy.yaml": "team.policy.yaml",
}
"""File of the project → template."""

SERVERS = {
    ".github/workflows/orpolicy.yml": "workflow.yaml",
    ".pre-commit-config.yaml": "pre-commit.yaml",
}
"""File → template, read by GitHub and by pre-commit at the root of a repository only."""

NEXT = """
Next:
  orpolicy check                 every mistake, with its place
  orpolicy compile answers       the request body that the preset stands for
  orpolicy test                  what the preset must come to
  orpolicy run answers "Where is my order?" --offline"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
def command(folder: Path) -> int:
    """Write a project to start from: a preset, a policy, a test, and what editors and CI need.

    What is there already stays as it is, and is named.
    """
    fresh = not _holds_project(folder)
    if not fresh:
        say(f"'{folder.as_posix()}' holds a project already: its presets stay as they are")
    for name, text in _plan(folder, fresh=fresh):
        file = folder / name
        if Path(os.path.realpath(folder)) not in Path(os.path.realpath(file)).parents:
            say(f"left out: {file.as_posix()}, which a link would take out of '{folder.as_posix()}'")
        elif _create(file, text):
            click.echo(visible(file.as_posix()))
        else:
            say(f"left as it is: {file.as_posix()}")
    if fresh:
        place = (
            ""
            if os.path.realpath(folder) == os.path.realpath(".")
            else f"\n  cd {shlex.quote(folder.as_posix())}"
        )
        say(NEXT.replace("Next:", f"Next:{place}"))
    return 0


def _plan(folder: Path, *, fresh: bool) -> Iterator[tuple[str, str]]:
    """Yield the files that a folder should have, with their texts."""
    if fresh:
        for name, template in PROJECT.items():
            yield name, template_text(template)
    for kind in schema_kinds():
        yield f".orpolicy/{kind}.schema.json", schema_text(kind)
    above = _find_repository(folder)
    if above is not None:
        say(f"no files for CI: they would be read in '{above}' only, the root of the repository")
        return
    for name, template in SERVERS.items():
        yield name, template_text(template).replace("==VERSION", f"=={orpolicy.__version__}")


def _holds_project(folder: Path) -> bool:
    """Tell whether there is a project file, or a preset that one would govern."""
    return (folder / PROJECT_FILE).exists() or any(Folder(folder).list_yaml("presets"))


def _find_repository(folder: Path) -> Path | None:
    """Return the root of the repository that a folder lies below; ``None`` for a root itself, and outside any."""
    place = Path(os.path.realpath(folder))  # of links in a circle, 'resolve' makes an error
    root = next((one for one in (place, *place.parents) if (one / ".git").exists()), place)
    return None if root == place else root


def _create(file: Path, text: str) -> bool:
    """Write a file that is not there yet, link or not; tell whether it was written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        return False
    return True
