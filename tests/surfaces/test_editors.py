"""The schemas in a YAML language server, which is what editors ask: completion, explanation, mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from language_server import LanguageServer

from orpolicy.resources import read_schema, schema_kinds, schema_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRESET = """\
# yaml-language-server: $schema=preset.schema.json
model: openai/gpt-5-mini
provider:
  zdr: true
  \nplugins:
  - id: web
    \nenvironments:
  prod:
    \n"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the schemas, written as ``orpolicy schema`` prints them."""
    folder = tmp_path_factory.mktemp("editor")
    for kind in schema_kinds():
        (folder / f"{kind}.schema.json").write_text(schema_text(kind), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(judges: Path, folder: Path) -> Iterator[LanguageServer]:
    program = judges / "yaml-language-server" / "bin" / "yaml-language-server"
    with LanguageServer(["node", str(program), "--stdio"], folder) as server:
        yield server


@pytest.fixture(scope="module")
def preset(server: LanguageServer, folder: Path) -> str:
    return server.open(folder / "preset.yaml", PRESET)


@pytest.mark.parametrize(
    ("line", "character", "keys", "present"),
    [
        (4, 2, {"order", "only", "ignore", "sort", "max_price", "data_collection"}, {"zdr"}),
        (7, 4, {"engine", "max_results", "search_prompt"}, {"id"}),
        (10, 4, {"max_tokens", "provider", "temperature"}, {"environments", "extends"}),
    ],
)
def test_it_completes_the_keys_that_are_missing_here(
    *, line: int, character: int, keys: set[str], present: set[str], server: LanguageServer, preset: str
) -> None:
    labels = {item["label"] for item in server.complete(preset, line, character)}
    assert keys <= labels
    assert not labels & present


def test_it_completes_every_key_below_provider(server: LanguageServer, preset: str) -> None:
    labels = {item["label"] for item in server.complete(preset, 4, 2)}
    assert labels == read_schema("preset")["properties"]["provider"]["properties"].keys() - {"zdr"}


@pytest.mark.parametrize("kind", schema_kinds())
def test_no_example_is_a_mapping_which_editors_offer_as_object_object(kind: str) -> None:
    def walk(node: object) -> Iterator[object]:
        if isinstance(node, dict):
            yield from node.get("examples", ()) if isinstance(node.get("examples"), list) else ()
            node = list(node.values())
        for child in node if isinstance(node, list) else ():
            yield from walk(child)

    found = list(walk(read_schema(kind)))
    assert found
    assert not [example for example in found if isinstance(example, dict)]


def test_it_completes_values(server: LanguageServer, folder: Path) -> None:
    uri = server.open(folder / "values.yaml", PRESET + "service_tier: \n")
    values = {item["label"] for item in server.complete(uri, PRESET.count("\n"), len("service_tier: "))}
    assert values == {*read_schema("preset")["properties"]["service_tier"]["enum"][:-1], "null"}


def test_it_explains_a_key(server: LanguageServer, preset: str) -> None:
    said = server.hover(preset, 3, 3)
    assert read_schema("preset")["properties"]["provider"]["properties"]["zdr"]["description"] in said


@pytest.mark.parametrize(
    ("kind", "text", "line", "said"),
    [
        ("preset", "modle: openai/gpt-5\n", 1, "Property modle is not allowed."),
        ("preset", "provider:\n  allow_fallback: false\n", 2, "Property allow_fallback is not allowed."),
        ("preset", "max_tokens: 0\n", 1, "Value is below the minimum of 1."),
        ("preset", "provider: {data_collection: never}\n", 1, "Value is not accepted."),
        ("preset", "plugins:\n  - id: web\n    engin: exa\n", 3, "Property engin is not allowed."),
        ("policy", "zdr: true\nmodels: {forbid: []}\n", 2, "Property forbid is not allowed."),
        ("project", "enviroments: [dev]\n", 1, "Property enviroments is not allowed."),
        ("test", "scenarios:\n  - expects: {}\n", 2, "Property expects is not allowed."),
    ],
)
def test_it_flags_a_mistake_at_its_line(
    *, kind: str, text: str, line: int, said: str, server: LanguageServer, folder: Path
) -> None:
    modeline = f"# yaml-language-server: $schema={kind}.schema.json\n"
    uri = server.open(folder / f"{kind}-{line}-{len(text)}.yaml", modeline + text)
    found = [(one["range"]["start"]["line"], one["message"]) for one in server.diagnostics[uri]]
    assert any(place == line and message.startswith(said) for place, message in found), found
