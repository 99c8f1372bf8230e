"""What becomes of a file once it was read: a preset's trees, and the names that files go by."""

from __future__ import annotations

import posixpath
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any

from attrs import evolve

from orpolicy.language.building import build_layer
from orpolicy.language.diagnostics import Diagnostic, Severity
from orpolicy.language.document import decode
from orpolicy.language.files import BUILTIN, FileProblem, Loaded
from orpolicy.language.layers import PresetSource
from orpolicy.language.schema import merge_strategies
from orpolicy.language.secrets import holds_secret, report_secret
from orpolicy.language.suggest import find_similar
from orpolicy.language.trees import Branch, Layer, Leaf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.language.document import Document
    from orpolicy.language.files import Files
    from orpolicy.language.source import Path

SHELF = "policies/"
"""The folder, below the presets, of policies that govern nothing until the project adopts them."""


def build_preset(name: str, document: Document, files: Files, environments: Sequence[str] | None) -> Loaded:
    """Build the trees of a preset's document; ``environments`` is the project's closed list, where it has one."""
    data: Any = document.data
    found: list[Diagnostic] = []
    own = {key: value for key, value in data.items() if key not in ("extends", "abstract", "environments")}
    tree = _build_tree(own, Layer(name, document), files, found)
    overlays = {}
    for environment, overlay in data.get("environments", {}).items():
        found.extend(check_environment(document, ("environments", environment), environments))
        layer = Layer(f"{name}[{environment}]", document, ("environments", environment))
        overlays[environment] = _build_tree(overlay, layer, files, found)
    extends: Any = data.get("extends", ())
    bases = (extends,) if isinstance(extends, str) else tuple(extends)
    preset = PresetSource(name, document, bases, data.get("abstract") is True, tree, overlays)
    return Loaded(None if found else preset, tuple(found))


def _build_tree(data: Any, layer: Layer, files: Files, found: list[Diagnostic]) -> Branch:
    tree = build_layer(data, layer, merge_strategies())
    system = data.get("system")
    if isinstance(system, dict):
        path = ("system", "file")
        place = layer.locate(path)
        assert place is not None  # noqa: S101  # a layer of a file has places
        try:
            text = _read_beside(files, layer.document, system["file"])
        except FileProblem as problem:
            found.append(Diagnostic("system-file", Severity.ERROR, str(problem), place))
        else:
            if holds_secret(text):
                found.append(report_secret(place))
            tree = evolve(tree, entries={**tree.entries, "system": Leaf(text, layer, path)})
    return tree


def _read_beside(files: Files, document: Document | None, name: str) -> str:
    """Read a text file named relative to a document, inside the project."""
    here = posixpath.dirname(document.source.name) if document else ""
    target = posixpath.normpath(posixpath.join(here, name.replace("\\", "/")))
    if posixpath.isabs(name):
        raise FileProblem(f"'{name}' is an absolute path; name the file relative to this one")
    raw = files.read(target)
    if raw is None:
        raise FileProblem(f"there is no file '{target}'")
    source = decode(target, raw)
    if isinstance(source, Diagnostic):
        raise FileProblem(f"'{target}' cannot be read: {source.message}")
    return source.text


def check_environment(document: Document, path: Path, known: Sequence[str] | None) -> Iterator[Diagnostic]:
    """Hold the name of an environment, a key or a list's item, against the project's closed list."""
    item = isinstance(path[-1], int)
    data: Any = document.data
    name = reduce(getitem, path, data) if item else path[-1]
    if known is not None and name not in known:
        message = f"the project has no environment '{name}'"
        similar = find_similar(name, known)
        hint = f"did you mean '{similar}'?" if similar else f"the project names {', '.join(known) or 'none'}"
        place = document.locate(path, "value" if item else "key")
        yield Diagnostic("unknown-environment", Severity.ERROR, message, place, hint)


def preset_name(file: str, folder: str) -> str:
    """Derive a preset's name from its file: the path below the presets folder, without the suffix."""
    below = file.removeprefix("" if folder in ("", ".") else folder.rstrip("/") + "/")
    return below.removesuffix(".yaml").removesuffix(".yml")


def policy_name(file: str, folder: str) -> str:
    """Derive a policy's name from its file, as a preset's is, without the ``.policy`` before the suffix.

    A built-in one is called as projects adopt it, without the shelf.
    """
    name = preset_name(file, folder).removesuffix(".policy")
    return BUILTIN + name.removeprefix(BUILTIN + SHELF) if name.startswith(BUILTIN + SHELF) else name
