"""Compare who served a reply with whom the request allows.

.. code-block:: text

    /model, /models                      the serving model is one of them, or among an auto router's allowed_models
    /provider/only                       the serving provider is one of them
    /provider/ignore                     the serving provider is none of them
    /provider/order, no fallbacks        the serving provider is one of them
    /provider/zdr, with a catalogue      the provider has an endpoint of zero retention for the model

Replies name the provider, not its endpoint (fact 133), so an entry such as ``google-vertex/us-east5`` is held by its
provider. Where a reply does not say who served it (a cache hit, fact 134), or a request leaves the choice to OpenRouter (an
alias, a router, a hosted preset), nothing is known, and nothing is claimed.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import frozen

from orpolicy.client.violations import Violation
from orpolicy.errors import ClientError
from orpolicy.language.globs import matches
from orpolicy.language.slugs import TIERS, meant_provider, read_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orpolicy.client.ledger import Ledger
    from orpolicy.client.replies import Reply
    from orpolicy.routing.catalog import Catalog

Mode: TypeAlias = Literal["raise", "warn", "record"]
"""What follows from a violation: an exception, a warning, or a line in the ledger alone. It stands there in any case."""

_DATED: Final = re.compile(r"-(\d{4}(-?\d\d-?\d\d)?|\d{6}|\d\d-\d\d(-\d{4})?)")


class RoutingWarning(UserWarning):
    """A reply came from where its preset does not allow."""


class RoutingViolation(ClientError):
    """A reply came from where its preset does not allow; it has been billed, and ``reply`` holds it."""

    def __init__(self, violation: Violation, reply: Reply) -> None:
        super().__init__(violation)
        self.violation = violation
        self.reply = reply

    def __str__(self) -> str:
        return str(self.violation)


@frozen
class Finding:
    """What an audit found: breaches, and whether the reply says enough to find any."""

    breaches: tuple[tuple[str, str], ...]
    known: bool


def audit(body: Mapping[str, Any], reply: Reply, catalog: Catalog | None = None) -> Finding:
    """Compare a reply with the request body that it answers."""
    provider = reply.provider
    routing = body.get("provider") or {}
    bound = any(routing.get(key) for key in ("only", "ignore", "order", "zdr"))
    breaches = [*_model_breaches(body, reply.model, catalog)] if reply.model else []
    if provider is not None:
        breaches += _provider_breaches(routing, provider, reply, catalog)
    return Finding(tuple(breaches), known=bool(reply.model) and (provider is not None or not bound))


def enforce(mode: Mode, ledger: Ledger, preset: str, finding: Finding, reply: Reply) -> None:
    """Write a finding into the ledger, and raise or warn where the mode says so."""
    if not finding.known:
        ledger.note_unaudited(preset)
    if not finding.breaches:
        return
    violation = Violation(preset, reply.id, reply.model, reply.provider, finding.breaches)
    ledger.note(violation)
    if mode == "raise":
        raise RoutingViolation(violation, reply)
    if mode == "warn":
        warnings.warn(RoutingWarning(str(violation)), stacklevel=5)  # the line that called the client


def _model_breaches(
    body: Mapping[str, Any], served: str, catalog: Catalog | None
) -> Iterator[tuple[str, str]]:
    asked = [name for name in (body.get("model"), *(body.get("models") or ())) if isinstance(name, str)]
    patterns = [
        pattern
        for plugin in body.get("plugins") or ()
        if isinstance(plugin, dict) and str(plugin.get("id", "")).startswith("auto")
        for pattern in plugin.get("allowed_models") or ()
    ]
    for name in asked:
        model = read_model(name)
        if model is None or model.alias or model.hosted:
            return
        if model.router:
            if not patterns:
                return
        elif _same_model(name, served, catalog):
            return
    if any(matches(pattern, _bare(served)) or _same_model(pattern, served, catalog) for pattern in patterns):
        return
    if asked:
        yield "/models" if body.get("models") else "/model", served


def _same_model(asked: str, served: str, catalog: Catalog | None) -> bool:
    """Tell whether a served id is the one that was asked for, whatever its variant or the date of its version."""
    asked, served = _bare(asked), _bare(served)
    if asked == served or (served.startswith(asked) and _DATED.fullmatch(served[len(asked) :])):
        return True
    model = catalog.by_id.get(asked) if catalog is not None else None
    if model is None:
        return False
    return served == model.canonical_slug or any(served == offer.served_as for offer in model.endpoints or ())


def _bare(name: str) -> str:
    return name.partition(":")[0]


def _provider_breaches(
    routing: Mapping[str, Any], provider: str, reply: Reply, catalog: Catalog | None
) -> Iterator[tuple[str, str]]:
    known = catalog.by_name.get(provider) if catalog is not None else None
    slug = known.slug if known is not None else meant_provider(provider)
    only, order, ignore = (_bases(routing.get(key)) for key in ("only", "order", "ignore"))
    if only and slug not in only:
        yield "/provider/only", provider
    if order and routing.get("allow_fallbacks") is False and slug not in order:
        yield "/provider/order", provider
    whole = {entry for entry in routing.get("ignore") or () if "/" not in entry}
    if slug in ignore & whole and reply.service_tier not in TIERS:  # a base slug spares the tiers (fact 22)
        yield "/provider/ignore", provider
    if routing.get("zdr") is True and catalog is not None:
        name = _bare(reply.model)
        model = catalog.by_id.get(name) or catalog.by_canonical_slug.get(name)
        offered = (model.endpoints if model is not None else None) or ()
        here = [endpoint for endpoint in offered if endpoint.provider == provider]
        if here and all(endpoint.zdr is False for endpoint in here):
            yield "/provider/zdr", provider


def _bases(slugs: Any) -> set[str]:
    """Return the providers of slugs; a tag may also carry its speed in the first part (``sambanova-turbo``)."""
    return {slug.partition("/")[0].removesuffix("-turbo") for slug in slugs or ()}
