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
from typing import TYPE_CHECKING, Any

from orpolicy.errors import CatalogError
from orpolicy.routing.catalog import Catalog, Endpoint, Model
from orpolicy.routing.fields import (
    peek,
    read_count,
    read_day,
    read_facts,
    read_fields,
    read_flag,
    read_list,
    read_mapping,
    read_text,
    read_texts,
    read_whole,
)
from orpolicy.routing.rows import read_percentiles, read_prices, read_provider, reading
from orpolicy.routing.snapshot import parse_json, read_file, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from orpolicy.routing.fields import Reader


def load_catalog(path: Path) -> Catalog:
    """Read a snapshot file, or a folder of the API's answers.

    Raises:
        CatalogError: there is none, or it cannot be read.
    """
    return read_folder(path) if path.is_dir() else read_snapshot(read_file(path), path.name)


def read_folder(folder: Path, *, time: datetime | None = None, source: str = "") -> Catalog:
    """Read the API's answers from files; a model without a file in ``endpoints/`` has unknown endpoints.

    Raises:
        CatalogError: a file is missing, truncated, malformed or holds an impossible price.
    """

    def answer(name: str) -> Any:
        return parse_json(read_file(folder / name), f"{folder.name}/{name}")

    zdr = answer("zdr.json") if (folder / "zdr.json").exists() else None
    models = answer("models.json")
    answers = {}
    for row in _data(models, "models"):
        with reading("models"):
            model = read_text(row["id"], "id")
        name = f"endpoints/{model.replace('/', '__')}.json"
        if (folder / name).exists():
            answers[model] = answer(name)
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
        with reading(f"model {peek(row, 'id')}"):
            read.append(_model_from_api(row, endpoints.get(row["id"]), listed))
    named = []
    for row in _data(providers, "providers"):
        with reading(f"provider {peek(row, 'slug')}"):
            named.append(read_provider(row))
    with reading("models"):
        complete = not read_mapping(models.get("links") or {}, "links").get("next")
    return Catalog(models=read, providers=named, time=time, source=source, complete=complete)


def _data(answer: Any, name: str) -> Any:
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise CatalogError(f"{name}: the answer has no list 'data'")
    if not all(isinstance(row, dict) for row in data):
        raise CatalogError(f"{name}: a row in 'data' is no mapping")
    return data


def _read_details(value: Any, what: str) -> Any:
    """Read what the API nests in a model's row."""
    return read_fields(read_mapping(value, what), _DETAILS[what])


_DETAILS: Mapping[str, Mapping[str, Reader]] = {
    "architecture": {"input_modalities": read_texts, "output_modalities": read_texts, "tokenizer": read_text},
    "top_provider": {"max_completion_tokens": read_count, "is_moderated": read_flag},
    "alias_target": {"slug": read_text},
}
_MODEL: Mapping[str, Reader] = {
    **dict.fromkeys(_DETAILS, _read_details),
    "id": read_text,
    "name": read_text,
    "canonical_slug": read_text,
    "created": read_count,
    "expiration_date": lambda value, what: read_day(value, what) if value else None,
    "context_length": read_count,
    "hugging_face_id": read_text,
    "pricing": lambda value, _: read_prices(value, router=True),
    "supported_parameters": read_texts,
    "reasoning": read_facts,
}
_ENDPOINT: Mapping[str, Reader] = {
    "model_id": read_text,
    "tag": read_text,
    "provider_name": read_text,
    "quantization": read_text,
    "service_tier": read_text,
    "context_length": read_count,
    "max_completion_tokens": read_count,
    "max_prompt_tokens": read_count,
    "pricing": lambda value, _: read_prices(value),
    "status": read_whole,
    "supports_implicit_caching": read_flag,
    "latency_last_30m": read_percentiles,
    "throughput_last_30m": read_percentiles,
    "supported_parameters": read_texts,
}


def _model_from_api(row: Any, answer: Any | None, zdr: Counter[tuple[str, str]] | None) -> Model:
    fields = read_fields(row, _MODEL)
    architecture, top = fields["architecture"], fields.get("top_provider", {})
    return Model(
        id=fields["id"],
        name=fields["name"],
        canonical_slug=fields.get("canonical_slug") or fields["id"],
        alias_of=fields.get("alias_target", {}).get("slug"),
        created=fields.get("created", 0),
        expires=fields.get("expiration_date"),
        context_length=fields.get("context_length"),
        max_completion_tokens=top.get("max_completion_tokens"),
        moderated=top.get("is_moderated", False),
        input_modalities=architecture.get("input_modalities", ()),
        output_modalities=architecture.get("output_modalities", ()),
        tokenizer=architecture.get("tokenizer", ""),
        hugging_face_id=fields.get("hugging_face_id") or None,
        prices=fields["pricing"],
        parameters=frozenset(fields.get("supported_parameters", ())),
        reasoning=fields.get("reasoning"),
        endpoints=None if answer is None else _endpoints_from_api(fields["id"], answer, zdr),
    )


def _endpoints_from_api(
    model: str, answer: Any, zdr: Counter[tuple[str, str]] | None
) -> tuple[Endpoint, ...]:
    rows = read_list(read_mapping(answer["data"], "data")["endpoints"], "endpoints")
    twins = Counter(peek(row, "tag") for row in rows)
    read = []
    for row in rows:
        with reading(f"endpoint {peek(row, 'tag')}"):
            read.append(_endpoint_from_api(model, read_fields(row, _ENDPOINT), zdr, twins))
    return tuple(
        sorted(read, key=lambda endpoint: (endpoint.tag, endpoint.prices.prompt, endpoint.prices.completion))
    )


def _endpoint_from_api(
    model: str, fields: Mapping[str, Any], zdr: Counter[tuple[str, str]] | None, twins: Counter[str]
) -> Endpoint:
    served_as = fields.get("model_id") or model
    return Endpoint(
        model=model,
        tag=fields["tag"],
        provider=fields["provider_name"],
        served_as=served_as,
        quantization=fields.get("quantization") or "unknown",
        service_tier=fields.get("service_tier"),
        context_length=fields["context_length"],
        max_completion_tokens=fields.get("max_completion_tokens"),
        max_prompt_tokens=fields.get("max_prompt_tokens"),
        prices=fields["pricing"],
        zdr=_decide_zdr(zdr, (served_as, fields["tag"]), twins[fields["tag"]]),
        status=fields.get("status", 0),
        implicit_caching=fields.get("supports_implicit_caching", False),
        latency=fields.get("latency_last_30m"),
        throughput=fields.get("throughput_last_30m"),
        parameters=frozenset(fields.get("supported_parameters", ())),
    )


def _decide_zdr(listed: Counter[tuple[str, str]] | None, key: tuple[str, str], twins: int) -> bool | None:
    """Tell whether the ZDR list holds an endpoint; of two with one tag it may hold one, and does not say which."""
    if listed is None:
        return None
    rows = listed[key]
    return None if 0 < rows < twins else rows > 0
