"""Narrowing the lists of providers and quantisations (facts 19 to 24)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orpolicy.language.policy import QUANTIZATIONS, Statement, select
from orpolicy.language.slugs import (
    TIERS,
    TIERS_OF_SERVICE,
    TIERS_OF_SUFFIX,
    covers,
    denies,
    is_provider_slug,
    meant_provider,
    read_model,
)
from orpolicy.language.trees import Layer, Leaf, Node, to_data
from orpolicy.language.trees import Sequence as Listed

if TYPE_CHECKING:
    from orpolicy.language.narrowing import Work
    from orpolicy.language.source import Path


def narrow_providers(work: Work) -> None:
    """Narrow ``only`` and ``order`` to the allowed providers, and add the denied ones to ``ignore``."""
    left = work.bounds.providers_left
    if left is not None:
        _narrow_slugs(work, "only", left)
        _narrow_slugs(work, "order", left)
        if not work.get(("provider", "only")):  # an empty list restricts nothing
            _fill_only(work, left)
    if work.bounds.providers_deny:
        for key in ("only", "order"):
            _refuse_slugs(work, key)
        _fill_ignore(work)


def _narrow_slugs(work: Work, key: str, left: frozenset[str]) -> None:
    """Narrow each entry to what is left of it; one that is on no list of allowed ones is a contradiction."""
    path = ("provider", key)
    allowed = work.bounds.providers_allow or frozenset()
    statements = select(work.policy, "providers.allow")
    narrowed: list[Node] = []
    for index, slug in enumerate(work.get(path) or ()):
        if any(covers(broad, slug) for broad in allowed):
            narrowed.append(work.item((*path, index)))
            continue
        inside = sorted(narrow for narrow in left if covers(slug, narrow))
        if not inside:
            shown = ", ".join(sorted(allowed))
            forbidding = [said for said in statements if not any(covers(broad, slug) for broad in said.value)]
            message = f"the provider '{slug}' in '{key}' is not among the policy's ({shown})"
            work.report((*path, index), message, forbidding or statements)
        said = next((said for said in statements if set(inside) & said.value), statements[0])
        taken = (work.item((*path, index)),)
        narrowed += [Leaf(name, said.layer, _path_of_item(said, name), taken) for name in inside]
    if work.get(path) is not None and to_data(Listed(tuple(narrowed), Layer(""), ())) != work.get(path):
        work.fill_list(path, _once(narrowed), statements[0])


def _fill_only(work: Work, allowed: frozenset[str]) -> None:
    """Allow what the policy allows; a service tier only where the preset asks for it, since naming one lets it in."""
    statements = select(work.policy, "providers.allow")
    tiers, order = _find_tiers(work), work.get(("provider", "order")) or ()
    named = {slug for slug in allowed if slug.rpartition("/")[2] in TIERS}
    admitted = {slug for slug in named if slug.rpartition("/")[2] in tiers or slug in order}
    if allowed == named - admitted:
        message = (
            f"a policy allows service tiers only ({', '.join(sorted(named))}), and the preset asks for none"
        )
        work.require("service_tier", message, statements)
        return
    leaves: list[Node] = []
    for slug in sorted(allowed - named | admitted):
        said = next((said for said in statements if slug in said.value), statements[0])
        leaves.append(Leaf(slug, said.layer, _path_of_item(said, slug)))
    work.fill_list(("provider", "only"), leaves, statements[0])


def _refuse_slugs(work: Work, key: str) -> None:
    """Refuse what is denied, and what is no slug: OpenRouter may know a display name that no list names (fact 23)."""
    path = ("provider", key)
    denied = select(work.policy, "providers.deny")
    for index, slug in enumerate(work.get(path) or ()):
        if not is_provider_slug(slug):
            message = f"'{slug}' in '{key}' is no provider slug, and a policy denies providers by their slugs"
            work.report((*path, index), message, denied, f"write '{meant_provider(slug)}'")
            continue
        for statement in denied:
            if denies(statement.value, slug):
                message = f"a policy forbids the provider '{slug}' in '{key}' ('{statement.value}')"
                work.report((*path, index), message, [statement])
                break


def _fill_ignore(work: Work) -> None:
    """Add denied providers to ``ignore``, unless ``only`` keeps them out already.

    A base slug does not cover service tiers (fact 22), so that these are named, where the preset admits any.
    """
    path = ("provider", "ignore")
    said = work.get(path) or []
    only = work.get(("provider", "only")) or None
    items: list[Node] = [work.item((*path, index)) for index in range(len(said))]
    tiers = _find_tiers(work)
    statements = {statement.value: statement for statement in reversed(select(work.policy, "providers.deny"))}
    for slug, statement in sorted(statements.items()):
        for name in (slug, *(f"{slug}/{tier}" for tier in sorted(tiers))):
            reachable = only is None or any(covers(kept, name) or covers(name, kept) for kept in only)
            if reachable and not any(covers(broad, name) for broad in said):
                items.append(Leaf(name, statement.layer, statement.path))
    if len(items) > len(said):
        work.fill_list(path, items, next(iter(statements.values())))


def _find_tiers(work: Work) -> frozenset[str]:
    """Name the service tiers whose endpoints a preset may let in (facts 44, 45 and 59; both words count: fact 64)."""
    services = [work.get(("service_tier",)) or "", "fast" if work.get(("speed",)) == "fast" else ""]
    admitted = [_find_tiers_of_model(name) for _, name in work.named_models]
    return frozenset().union(*admitted, *(TIERS_OF_SERVICE.get(service, frozenset()) for service in services))


@lru_cache(maxsize=4096)
def _find_tiers_of_model(name: str) -> frozenset[str]:
    model = read_model(name)
    suffixes = () if model is None else model.variants
    return frozenset().union(*(TIERS_OF_SUFFIX.get(suffix, frozenset()) for suffix in suffixes))


def narrow_quantizations(work: Work) -> None:
    """Narrow the quantisations to those that stand for allowed number formats only."""
    allowed = work.bounds.quantizations
    if allowed is None:
        return
    path = ("provider", "quantizations")
    statements = (*select(work.policy, "quantizations.allow"), *select(work.policy, "quantizations.deny"))
    said = work.get(path)
    if not said:  # an empty list restricts nothing
        leaves = [
            Leaf(value, statements[0].layer, _path_of_item(statements[0], value))
            for value in QUANTIZATIONS
            if value in allowed
        ]
        work.fill_list(path, leaves, statements[0])
        return
    narrowed: list[Node] = []
    for index, value in enumerate(said):
        inside = [
            name for name in QUANTIZATIONS if name in allowed and QUANTIZATIONS[name] <= QUANTIZATIONS[value]
        ]
        if value in allowed:
            narrowed.append(work.item((*path, index)))
        elif inside:
            shadowed = (work.item((*path, index)),)
            said_by, places = (
                statements[0].layer,
                {name: _path_of_item(statements[0], name) for name in inside},
            )
            narrowed += [Leaf(name, said_by, places[name], shadowed) for name in inside]
        else:
            work.report((*path, index), f"a policy does not allow the quantisation '{value}'", statements)
    if to_data(Listed(tuple(narrowed), Layer(""), ())) != said:
        work.fill_list(path, _once(narrowed), statements[0])


def _path_of_item(statement: Statement, value: str) -> Path:
    """Return the place of a value in a statement's list, or the list's where it stands there in another form."""
    document = statement.layer.document
    data: Any = {} if document is None else document.data
    for part in statement.path:
        data = data.get(part, {}) if isinstance(data, Mapping) else {}
    return (
        (*statement.path, data.index(value)) if isinstance(data, list) and value in data else statement.path
    )


def _once(nodes: Sequence[Node]) -> list[Node]:
    """Drop later nodes of the same data."""
    kept: dict[Any, Node] = {}
    for node in nodes:
        kept.setdefault(to_data(node), node)
    return list(kept.values())
