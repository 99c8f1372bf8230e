"""A policy as OpenRouter's guardrail API takes it, and what such a guardrail cannot say.

=============================  ======================================================================================
of a policy                    in the body of ``POST /guardrails``
=============================  ======================================================================================
``models.allow``, ``deny``     ``allowed_models``, ``ignored_models``: ids; patterns are expanded over known models
``providers.allow``, ``deny``  ``allowed_providers``, ``ignored_providers``: base slugs, no regions
``zdr``                        ``enforce_zdr_anthropic`` … ``enforce_zdr_other``, all five
``data_collection: deny``      ``enable_free_model_training``, ``…_publication``, ``enable_paid_model_training``: false
everything else                nothing: named as not expressible
=============================  ======================================================================================

Source: OpenRouter's OpenAPI document, ``CreateGuardrailRequest``; guides/features/guardrails.mdx (facts 67 to 69, 108).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import fields, frozen

from orpolicy.language.globs import matches
from orpolicy.language.policy import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ZDR = ("anthropic", "openai", "google", "xai", "other")
_TRAINING = ("enable_free_model_publication", "enable_free_model_training", "enable_paid_model_training")
_EXPRESSED = {"zdr", "data_collection", "models_allow", "models_deny", "providers_allow", "providers_deny"}


@frozen
class Guardrail:
    """The body of a request that creates a guardrail, and the demands that it leaves out, in words."""

    body: dict[str, Any]
    missing: tuple[str, ...]


def write_guardrail(name: str, bounds: Bounds, models: Iterable[str] = ()) -> Guardrail:
    """Write bounds as a guardrail; ``models`` are the ids over which patterns are expanded."""
    body: dict[str, Any] = {"name": name}
    missing = list(_write_models(bounds, tuple(models), body))
    missing += _write_providers(bounds, body)
    if bounds.zdr:
        body.update({f"enforce_zdr_{scope}": True for scope in _ZDR})
    if bounds.data_collection == "deny":
        body.update(dict.fromkeys(_TRAINING, False))
    missing += _name_missing(bounds)
    return Guardrail(body, tuple(missing))


def _write_models(bounds: Bounds, models: tuple[str, ...], body: dict[str, Any]) -> Iterator[str]:
    plain = {glob for globs in bounds.models_allow for glob in globs if "*" not in glob}
    known = sorted({*models, *plain})
    if bounds.models_allow:
        patterns = sorted({glob for globs in bounds.models_allow for glob in globs if "*" in glob})
        allowed = [
            model
            for model in known
            if all(any(matches(glob, model) for glob in globs) for globs in bounds.models_allow)
        ]
        if patterns and not models:
            yield f"models.allow: patterns ({', '.join(patterns)}) need a catalogue to be expanded"
        elif not allowed:
            yield "models.allow: no known model is on every list, and a guardrail takes no empty one"
        else:
            body["allowed_models"] = allowed
    if bounds.models_deny:
        patterns = sorted(glob for glob in bounds.models_deny if "*" in glob)
        denied = sorted(
            {glob for glob in bounds.models_deny if "*" not in glob}
            | {model for model in models if any(matches(glob, model) for glob in bounds.models_deny)}
        )
        if denied:
            body["ignored_models"] = denied
        if patterns and not models:
            yield f"models.deny: patterns ({', '.join(patterns)}) need a catalogue to be expanded"


def _write_providers(bounds: Bounds, body: dict[str, Any]) -> Iterator[str]:
    for key, side, slugs in (
        ("allowed_providers", "allow", bounds.providers_allow),
        ("ignored_providers", "deny", bounds.providers_deny),
    ):
        if not slugs:
            continue
        exact = sorted(slug for slug in slugs if "/" in slug)
        base = sorted(slug for slug in slugs if "/" not in slug)
        if exact:
            yield f"providers.{side}: endpoint slugs ({', '.join(exact)}); a guardrail knows whole providers only"
        if base and not (side == "allow" and exact):
            body[key] = base


def _name_missing(bounds: Bounds) -> Iterator[str]:
    empty = Bounds()
    for attribute in fields(Bounds):
        name = attribute.name
        if name not in _EXPRESSED and getattr(bounds, name) != getattr(empty, name):
            key, _, side = name.partition("_") if name.startswith(("plugins", "tools")) else (name, "", "")
            yield f"{f'{key}.{side}' if side else key}: a guardrail has no such field"
