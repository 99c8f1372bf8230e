"""Finding the data that ships with the package: JSON Schemas, the built-in presets, pages and templates.

.. code-block:: text

    installed wheel      orpolicy/schemas      orpolicy/presets        inside the package
    checkout, editable   schemas               presets                 beside the package
    zipped wheel         orpolicy/schemas      orpolicy/presets        inside the archive

The first folder that exists is taken. ``importlib.resources`` costs 30 ms to import, half the start of the command
line, so it is asked only where there is no folder: in an archive.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_PACKAGE = Path(__file__).parent
_SCHEMA = ".schema.json"


def builtin_presets() -> Traversable:
    """Return the folder of presets and policies that ship under the prefix ``orpolicy/``."""
    return _find_folder("presets")


def rulebook() -> Traversable:
    """Return the folder of pages that document the rules, one Markdown file a rule."""
    return _find_folder("language/rulebook")


def template_text(name: str) -> str:
    """Return the text of a file from which ``orpolicy init`` makes a project."""
    return _find_folder("cli/templates").joinpath(name).read_text(encoding="utf-8")


def schema_kinds() -> tuple[str, ...]:
    """List the kinds of file that have a schema, sorted: ``policy``, ``preset``, ``project``, ``test``."""
    names = (entry.name for entry in _find_folder("schemas").iterdir())
    return tuple(sorted(name.removesuffix(_SCHEMA) for name in names if name.endswith(_SCHEMA)))


def schema_text(kind: str) -> str:
    """Return the text of the JSON Schema for this kind of file.

    Raises:
        UsageError: there is no such kind.
    """
    if kind not in schema_kinds():
        raise UsageError(f"there is no schema for {kind!r}; there is one for {', '.join(schema_kinds())}")
    return _find_folder("schemas").joinpath(kind + _SCHEMA).read_text(encoding="utf-8")


def read_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema for this kind of file, parsed afresh for every caller.

    Raises:
        UsageError: there is no such kind.
    """
    schema: dict[str, Any] = json.loads(schema_text(kind))
    return schema


@cache
def _find_folder(name: str) -> Traversable:
    for folder in (_PACKAGE / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    from importlib import resources  # noqa: PLC0415 - see the module docstring

    return resources.files("orpolicy").joinpath(name)
