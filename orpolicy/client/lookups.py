"""The rest of OpenRouter's API, for both clients: lists of the catalogue, the account, and any other path.

Lists are tuples of mappings as they came: prices per token are decimal texts, other fractions are ``Decimal``. Reading is retried like a call;
any other method is sent once, because nobody can tell whether a lost answer was a done deed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orpolicy.client.account import Credits, Generation, Key
    from orpolicy.client.refusals import UnreadableAnswer

Row: TypeAlias = "Mapping[str, Any]"


class Lookups(ABC):
    """What a client can look up."""

    @abstractmethod
    def request(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """Send a request to any path of the API and return the JSON body."""

    def models(self) -> tuple[Row, ...]:
        """List all models."""
        return _rows(self.request("GET", "/models"))

    def endpoints(self, model: str) -> tuple[Row, ...]:
        """List the endpoints of a model."""
        return _rows(self.request("GET", _endpoints_of(model)), "endpoints")

    def zdr_endpoints(self) -> tuple[Row, ...]:
        """List the endpoints with zero data retention."""
        return _rows(self.request("GET", "/endpoints/zdr"))

    def providers(self) -> tuple[Row, ...]:
        """List all providers."""
        return _rows(self.request("GET", "/providers"))

    def generation(self, generation_id: str) -> Generation:
        """Look a past generation up by ``reply.id``; the record may take a moment to appear."""
        return _read_generation(self.request("GET", "/generation", params={"id": generation_id}))

    def key(self) -> Key:
        """Return limits and usage of the client's key."""
        return _read_key(self.request("GET", "/key"))

    def credits(self) -> Credits:
        """Return the account's credits; needs a management key."""
        return _read_credits(self.request("GET", "/credits"))


class AsyncLookups(ABC):
    """The same for async."""

    @abstractmethod
    async def request(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Any:
        """Send a request to any path of the API and return the JSON body."""

    async def models(self) -> tuple[Row, ...]:
        """List all models."""
        return _rows(await self.request("GET", "/models"))

    async def endpoints(self, model: str) -> tuple[Row, ...]:
        """List the endpoints of a model."""
        return _rows(await self.request("GET", _endpoints_of(model)), "endpoints")

    async def zdr_endpoints(self) -> tuple[Row, ...]:
        """List the endpoints with zero data retention."""
        return _rows(await self.request("GET", "/endpoints/zdr"))

    async def providers(self) -> tuple[Row, ...]:
        """List all providers."""
        return _rows(await self.request("GET", "/providers"))

    async def generation(self, generation_id: str) -> Generation:
        """Look a past generation up by ``reply.id``; the record may take a moment to appear."""
        return _read_generation(await self.request("GET", "/generation", params={"id": generation_id}))

    async def key(self) -> Key:
        """Return limits and usage of the client's key."""
        return _read_key(await self.request("GET", "/key"))

    async def credits(self) -> Credits:
        """Return the account's credits; needs a management key."""
        return _read_credits(await self.request("GET", "/credits"))


def _read_generation(document: Any) -> Generation:
    from orpolicy.client.account import read_generation  # noqa: PLC0415 - few programs look anything up

    return read_generation(_data(document))


def _read_key(document: Any) -> Key:
    from orpolicy.client.account import read_key  # noqa: PLC0415 - as above

    return read_key(_data(document))


def _read_credits(document: Any) -> Credits:
    from orpolicy.client.account import read_credits  # noqa: PLC0415 - as above

    return read_credits(_data(document))


def _endpoints_of(model: str) -> str:
    author, slash, slug = model.partition("/")
    if not (author and slash and slug) or "/" in slug:
        raise UsageError(f"{model!r} is no model id: author/slug")
    return f"/models/{quote(author, safe='~')}/{quote(slug, safe=':')}/endpoints"


def _data(document: Any) -> Any:
    data = document.get("data")
    if not isinstance(data, dict):
        raise _unreadable("no object under `data`", document)
    return data


def _rows(document: Any, key: str | None = None) -> tuple[Row, ...]:
    rows = document.get("data")
    if key is not None and isinstance(rows, dict):
        rows = rows.get(key)
    if not isinstance(rows, list):
        raise _unreadable("no list under `data`", document)
    return tuple(rows)


def _unreadable(what: str, document: Any) -> UnreadableAnswer:
    from orpolicy.client.refusals import Refusal, UnreadableAnswer  # noqa: PLC0415 - for failures only

    return UnreadableAnswer(Refusal(f"the body holds {what}", status=200, http_status=200, raw=document))
