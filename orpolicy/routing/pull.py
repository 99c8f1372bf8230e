"""A fresh catalogue over the network, whole or not at all.

``/models``, ``/providers`` and ``/endpoints/zdr`` first, then the endpoints of every wanted model, a few at a time. A
request that fails in passing is repeated; one that fails for good ends the pull, and the old snapshot stays as it was.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from attrs import frozen

from orpolicy.errors import CatalogError
from orpolicy.routing.answers import assemble
from orpolicy.routing.resolve import resolve_model
from orpolicy.routing.snapshot import parse_json, write_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orpolicy.routing.catalog import Catalog

BASE_URL = "https://openrouter.ai/api/v1"
CONCURRENCY = 8
ATTEMPTS = 5
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 524, 529})
"""Statuses that may be gone at the next attempt."""


@frozen
class Pulled:
    """A fresh catalogue, and what was odd about the answers."""

    catalog: Catalog
    warnings: tuple[str, ...] = ()


@frozen
class Source:
    """Where to pull from; ``sleep`` and ``now`` are there for tests."""

    client: httpx.Client
    attempts: int = ATTEMPTS
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def get(self, path: str) -> Any:
        """Get a JSON answer, ``None`` for a 404.

        Raises:
            CatalogError: there is no answer after all attempts, or it is not JSON.
        """
        failure = ""
        for attempt in range(1, self.attempts + 1):
            try:
                reply = self.client.get(path)
            except httpx.TransportError as exc:
                failure, hint = f"{type(exc).__name__}: {exc}", None
            else:
                if reply.is_success:
                    return parse_json(reply.text, f"GET {path}")
                if reply.status_code == 404:
                    return None
                failure, hint = f"status {reply.status_code}", reply.headers.get("retry-after")
                if reply.status_code not in PASSING:
                    raise CatalogError(f"GET {path} answered with {failure}")
            if attempt < self.attempts:
                self.sleep(_wait(attempt, hint))
        raise CatalogError(f"GET {path} failed {self.attempts} times, the last time with {failure}")


def _wait(attempt: int, hint: str | None) -> float:
    """Return the seconds to wait after this attempt: what the server says, or a random part of a doubling span."""
    if hint and hint.isdecimal():
        return min(float(hint), LONGEST_WAIT)
    return random.uniform(0, min(FIRST_WAIT * 2**attempt, LONGEST_WAIT))  # noqa: S311 - spreads retries, hides nothing


def pull(
    names: Iterable[str] | None = None,
    *,
    source: Source | None = None,
    key: str | None = None,
    concurrency: int = CONCURRENCY,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Pulled:
    """Pull a fresh catalogue.

    Args:
        names: the models to ask for endpoints of, as presets write them; ``None`` asks for all.
        source: where to pull from; by default OpenRouter itself.
        key: an API key, with which OpenRouter also tells latency and throughput.
        concurrency: how many requests are under way at once.
        progress: is told how many of how many models are done.

    Raises:
        CatalogError: an answer is missing or not of the documented shape.
    """
    if source is None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with httpx.Client(base_url=BASE_URL, headers=headers, timeout=30.0) as client:
            return _pull(names, Source(client), concurrency, progress)
    return _pull(names, source, concurrency, progress)


def _pull(
    names: Iterable[str] | None, source: Source, concurrency: int, progress: Callable[[int, int], None]
) -> Pulled:
    started = source.now()
    models = _get_models(source)
    providers, zdr = source.get("/providers"), source.get("/endpoints/zdr")
    listed = assemble(models, providers, zdr, {})
    ids, warnings = _select(listed, names)
    with ThreadPoolExecutor(concurrency) as pool:
        pending = [(name, pool.submit(source.get, f"/models/{name}/endpoints")) for name in ids]
        answers = {}
        try:
            for done, (name, answer) in enumerate(pending, start=1):
                answers[name] = answer.result()
                progress(done, len(ids))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    gone = [name for name, answer in answers.items() if answer is None]
    warnings += [f"{name} is listed, but its endpoints are not found" for name in gone]
    found = {name: answer for name, answer in answers.items() if answer is not None}
    where = str(source.client.base_url).rstrip("/")
    catalog = assemble(models, providers, zdr, found, time=started.replace(microsecond=0), source=where)
    return Pulled(catalog, (*warnings, *list_substitutes(catalog)))


def _get_models(source: Source) -> dict[str, Any]:
    """Get all pages of the list of models."""
    page = source.get("/models")
    rows = list(page["data"]) if isinstance(page, dict) and isinstance(page.get("data"), list) else []
    following = _next_page(page)
    while following:
        page = source.get(following)
        rows += page["data"] if isinstance(page, dict) else []
        following = _next_page(page)
    if not rows:
        raise CatalogError("GET /models: the answer has no list 'data', or an empty one")
    return {"data": rows}


def _next_page(page: Any) -> str | None:
    following = (page.get("links") or {}).get("next") if isinstance(page, dict) else None
    return str(following).removeprefix("/api/v1") if following else None


def _select(listed: Catalog, names: Iterable[str] | None) -> tuple[list[str], list[str]]:
    """Choose whose endpoints to ask for: the named models and what their aliases stand for."""
    if names is None:
        return [model.id for model in listed.models], []
    chosen: dict[str, None] = {}
    warnings = []
    for name in dict.fromkeys(names):
        found = resolve_model(listed, name)
        if found.listed is None:
            warnings.append(f"OpenRouter lists no model {name}")
        for model in (found.listed, found.model):
            if model is not None:
                chosen[model.id] = None
    return list(chosen), warnings


def list_substitutes(catalog: Catalog) -> list[str]:
    """Tell which models were answered for by another."""
    pairs = {
        endpoint.model: endpoint.served_as
        for endpoint in catalog.endpoints
        if endpoint.served_as not in ("", endpoint.model)
    }
    return [f"the endpoints of {model} are those of {other}" for model, other in sorted(pairs.items())]


def replace_snapshot(catalog: Catalog, path: Path) -> None:
    """Write a snapshot so that the file is the old one or the new one, and never half of either.

    Raises:
        CatalogError: the file cannot be written.
    """
    text = write_snapshot(catalog)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        fresh = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.chmod(0o644)
            fresh.replace(path)
        except BaseException:
            fresh.unlink()
            raise
    except OSError as exc:
        raise CatalogError(f"{path} cannot be written: {exc}") from exc
