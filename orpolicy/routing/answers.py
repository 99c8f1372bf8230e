"""The API's own answers, and the catalogue that they make.

.. code-block:: text

    GET /models                             models.json
    GET /providers                          providers.json
    GET /endpoints/zdr                      zdr.json
    GET /models/AUTHOR/SLUG/endpoints       endpoints/AUTHOR__SLUG.json

A model that nobody asked about has unknown endpoints, and without the ZDR list nobody knows who retains nothing.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from orpolicy.errors import CatalogError
from orpolicy.routing.catalog import Catalog, Endpoint, Model
from orpolicy.routing.rows import read_percentiles, read_prices, read_provider, reading
from orpolicy.routing.snapshot import parse_json, read_snapshot, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def load_catalog(path: Path) -> Catalog:
    """Read a snapshot file, or a folder of the API's answers.

    Raises:
        CatalogError: there is none, or it cannot be read.
    """
    return read_folder(path) if path.is_dir() else read_snapshot(read_text(path), path.name)


def read_folder(folder: Path, *, time: datetime | None = None, source: str = "") -> Catalog:
    """Read the API's answers from files; a model without a file in ``endpoints/`` has unknown endpoints.

    Raises:
        CatalogError: a file is missing, truncated, malformed or holds an impossible price.
    """

    def answer(name: str) -> Any:
        return parse_json(read_text(folder / name), f"{folder.name}/{name}")

    zdr = answer("zdr.json") if (folder / "zdr.json").exists() else None
    models = answer("models.json")
    answers = {}
    for row in _data(models, "models"):
        with reading("models"):
            name = f"endpoints/{row['id'].replace('/', '__')}.json"
        if (folder / name).exists():
            answers[row["id"]] = answer(name)
    return assemble(models, answer("providers.json"), zdr, answers, time=time, source=source)


def assemble(  # noqa: PLR0913 - one parameter for each answer of the API
    models: Any,
    providers: Any,
    zdr: Any | None,
    endpoints: Mapping[str, Any],
    *,
    time: datetime | None = None,
    source: str = "",
) -> Catalog:
    """Make a catalogue of the API's answers; ``endpoints`` maps the model that was asked about to the answer.

    Raises:
        CatalogError: an answer is not of the documented shape or holds an impossible price.
    """
    with reading("endpoints/zdr"):
        rows = None if zdr is None else _data(zdr, "endpoints/zdr")
        listed = None if rows is None else Counter((row["model_id"], row["tag"]) for row in rows)
    read = []
    for row in _data(models, "models"):
        with reading(f"model {row.get('id')}"):
            read.append(_model_from_api(row, endpoints.get(row["id"]), listed))
    named = []
    for row in _data(providers, "providers"):
        with reading(f"provider {row.get('slug')}"):
            named.append(read_provider(row))
    complete = not (models.get("links") or {}).get("next")
    return Catalog(models=read, providers=named, time=time, source=source, complete=complete)


def _data(answer: Any, name: str) -> Any:
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise CatalogError(f"{name}: the answer has no list 'data'")
    return data


def _model_from_api(
    row: Mapping[str, Any], answer: Any | None, zdr: Counter[tuple[str, str]] | None
) -> Model:
    architecture = row["architecture"]
    top = row.get("top_provider") or {}
    return Model(
        id=row["id"],
        name=row["name"],
        canonical_slug=row.get("canonical_slug") or row["id"],
        alias_of=(row.get("alias_target") or {}).get("slug"),
        created=row.get("created", 0),
        expires=date.fromisoformat(row["expiration_date"]) if row.get("expiration_date") else None,
        context_length=row.get("context_length"),
        max_completion_tokens=top.get("max_completion_tokens"),
        moderated=bool(top.get("is_moderated")),
        input_modalities=tuple(architecture.get("input_modalities") or ()),
        output_modalities=tuple(architecture.get("output_modalities") or ()),
        tokenizer=architecture.get("tokenizer") or "",
        hugging_face_id=row.get("hugging_face_id") or None,
        prices=read_prices(row["pricing"], router=True),
        parameters=frozenset(row.get("supported_parameters") or ()),
        reasoning=row.get("reasoning"),
        endpoints=None if answer is None else _endpoints_from_api(row["id"], answer, zdr),
    )


def _endpoints_from_api(
    model: str, answer: Any, zdr: Counter[tuple[str, str]] | None
) -> tuple[Endpoint, ...]:
    rows: list[Mapping[str, Any]] = answer["data"]["endpoints"]
    twins = Counter(row["tag"] for row in rows)
    read = []
    for row in rows:
        with reading(f"endpoint {row.get('tag')}"):
            read.append(_endpoint_from_api(model, row, zdr, twins))
    return tuple(
        sorted(read, key=lambda endpoint: (endpoint.tag, endpoint.prices.prompt, endpoint.prices.completion))
    )


def _endpoint_from_api(
    model: str, row: Mapping[str, Any], zdr: Counter[tuple[str, str]] | None, twins: Counter[str]
) -> Endpoint:
    return Endpoint(
        model=model,
        tag=row["tag"],
        provider=row["provider_name"],
        served_as=row.get("model_id") or model,
        quantization=row.get("quantization") or "unknown",
        service_tier=row.get("service_tier"),
        context_length=int(row["context_length"]),
        max_completion_tokens=row.get("max_completion_tokens"),
        max_prompt_tokens=row.get("max_prompt_tokens"),
        prices=read_prices(row["pricing"]),
        zdr=_decide_zdr(zdr, (row.get("model_id") or model, row["tag"]), twins[row["tag"]]),
        status=row.get("status") or 0,
        implicit_caching=bool(row.get("supports_implicit_caching")),
        latency=read_percentiles(row.get("latency_last_30m")),
        throughput=read_percentiles(row.get("throughput_last_30m")),
        parameters=frozenset(row.get("supported_parameters") or ()),
    )


def _decide_zdr(listed: Counter[tuple[str, str]] | None, key: tuple[str, str], twins: int) -> bool | None:
    """Tell whether the ZDR list holds an endpoint; of two with one tag it may hold one, and does not say which."""
    if listed is None:
        return None
    rows = listed[key]
    return None if 0 < rows < twins else rows > 0
