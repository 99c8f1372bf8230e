"""The snapshot: a catalogue as one compact file that is committed.

.. code-block:: text

    {
    "format": "orpolicy-catalog", "version": 1, "source": …, "time": …, "complete": …, "digest": "sha256:…",
    "providers": [ … ],
    "models": [ … ],
    "endpoints": [ … ]
    }

A snapshot has one line a row, sorted, so that a diff of two of them is a diff of the catalogue. Its digest is over the
rows alone; a file that does not match it was edited by hand or merged, and is refused.
"""

from __future__ import annotations

import json
import pkgutil
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from orpolicy.errors import CatalogError
from orpolicy.routing.catalog import Catalog, Endpoint, digest_text
from orpolicy.routing.fields import peek, read_fields, read_flag, read_list, read_text
from orpolicy.routing.rows import read_endpoint, read_model, read_provider, reading, write_content
from orpolicy.strict_json import load_strictly

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from orpolicy.routing.fields import Reader

FORMAT = "orpolicy-catalog"
VERSION = 1
MAX_BYTES = 64 * 1024 * 1024
PULL = "pull it again with `orpolicy catalog pull`"


def write_snapshot(catalog: Catalog) -> str:
    """Return the text of the snapshot file for this catalogue; equal catalogues have equal texts."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "note": catalog.note or None,
        "source": catalog.source or None,
        "time": catalog.time.astimezone(UTC).isoformat().replace("+00:00", "Z") if catalog.time else None,
        "complete": catalog.complete,
        "digest": catalog.digest,
    }
    lines = [
        f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in head.items()
        if value is not None
    ]
    return "{\n" + ",\n".join(lines) + ",\n" + write_content(catalog.providers, catalog.models) + "\n}\n"


def read_snapshot(text: str, name: str = "catalog.json") -> Catalog:
    """Read a snapshot; ``name`` is what an error calls it.

    Raises:
        CatalogError: it is truncated, malformed, of another version, or does not match its digest.
    """
    data = parse_json(text, name)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise CatalogError(f"{name} is no catalogue snapshot: its 'format' is not {FORMAT!r}; {PULL}")
    if data.get("version") != VERSION:
        raise CatalogError(
            f"{name} has version {data.get('version')!r}, this program reads {VERSION}; {PULL}"
        )
    with reading(name):
        catalog = build_catalog(data)
    if data.get("digest") != _digest_of_text(text) and data.get("digest") != catalog.digest:
        raise CatalogError(f"{name} does not match its digest: it was edited or merged by hand; {PULL}")
    return catalog


def _digest_of_text(text: str) -> str:
    """Return the digest of the rows as they stand in the file: the catalogue's own, unless somebody reformatted it."""
    start, end = text.find('"providers": ['), text.rfind("\n}")
    return digest_text(text[start:end])


def build_catalog(data: Mapping[str, Any]) -> Catalog:
    """Build a catalogue from the members of a snapshot.

    Raises:
        CatalogError: a row cannot be read.
        KeyError: a member is missing.
    """
    data = {name: read_list(data[name], name) for name in CONTENT} | read_fields(data, _HEAD)
    endpoints: dict[str, list[Endpoint]] = {}
    for row in data["endpoints"]:
        with reading(f"endpoint {peek(row, 'tag')} of {peek(row, 'model')}"):
            endpoint = read_endpoint(row)
        endpoints.setdefault(endpoint.model, []).append(endpoint)
    models, providers = [], []
    for row in data["models"]:
        with reading(f"model {peek(row, 'id')}"):
            models.append(read_model(row, endpoints))
    for row in data["providers"]:
        with reading(f"provider {peek(row, 'slug')}"):
            providers.append(read_provider(row))
    return Catalog(models=models, providers=providers, **{key: data[key] for key in _HEAD if key in data})


def _read_time(value: Any, what: str) -> datetime:
    """Read a moment; one that does not say its zone is UTC."""
    try:
        moment = datetime.fromisoformat(read_text(value, what))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise CatalogError(f"{what} is no moment: {value!r:.40}") from exc


CONTENT = ("endpoints", "models", "providers")
_HEAD: Mapping[str, Reader] = {
    "time": _read_time,
    "source": read_text,
    "complete": read_flag,
    "note": read_text,
}


def parse_json(text: str, name: str) -> Any:
    """Read JSON, decimals as decimals; ``name`` is what an error calls the text.

    Raises:
        CatalogError: it is truncated or malformed.
    """
    try:
        return load_strictly(text, parse_float=Decimal)
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        if exc.pos >= len(text.rstrip()):
            raise CatalogError(f"{name} is truncated: it ends at {where}; {PULL}") from exc
        raise CatalogError(f"{name} is not JSON: {exc.msg} at {where}; {PULL}") from exc
    except RecursionError as exc:
        raise CatalogError(f"{name} is nested too deeply to be a catalogue") from exc
    except ValueError as exc:
        raise CatalogError(f"{name} holds a number or a text that no catalogue holds; {PULL}") from exc


@cache
def demonstration() -> Catalog:
    """Return the small, dated catalogue that ships with the package for trying things out; its prices are history."""
    text = (pkgutil.get_data("orpolicy.routing", "demonstration.json") or b"").decode()
    return read_snapshot(text, "the demonstration catalogue")


def read_file(path: Path) -> str:
    """Read a text file.

    Raises:
        CatalogError: there is none, it is not readable as UTF-8, or larger than any catalogue.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise CatalogError(f"{path} is larger than {MAX_BYTES // 1024**2} MiB, as no catalogue is")
        return raw.decode("utf-8").replace("\r\n", "\n")
    except FileNotFoundError as exc:
        raise CatalogError(f"there is no catalogue at {path}; {PULL}") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise CatalogError(f"{path} cannot be read: {exc}") from exc
