"""Holding the models that a preset names against a policy's lists.

Suffixes that only sort (``:nitro``) do not make another model; an alias (``~author/…``) may turn into any model of its
author; a preset on OpenRouter's server may bring anything. Facts 43 to 54 and 83 to 86.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.language.extras import find_models
from orpolicy.language.globs import contains, matches
from orpolicy.language.policy import select
from orpolicy.language.slugs import PRESET_MARK, SORTING_VARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.language.narrowing import Work
    from orpolicy.language.policy import Policy, Statement
    from orpolicy.language.source import Path


def narrow_models(work: Work) -> None:
    """Hold every model that the preset names against the lists (model, fallbacks, and those of plugins and tools)."""
    for path, model in find_models(work):
        _judge_model(work, path, model)
    if not work.named_models:
        statements = (*select(work.policy, "models.allow"), *select(work.policy, "models.deny"))
        work.report((), "the preset names no model, so the account's default would serve, and a policy limits models",
                    statements, "name a model")  # fmt: skip


def _judge_model(work: Work, path: Path, model: str) -> None:
    known = work.policy.refusals  # presets name the same few models again and again
    if model not in known:
        known[model] = _find_refusal(work.policy, model)
    against = known[model]
    if against is not None:
        message, statement = against
        work.report(path, message, [statement])


def _find_refusal(policy: Policy, model: str) -> tuple[str, Statement] | None:
    """Find the statement that keeps a model out."""
    for statement in select(policy, "models.deny"):
        if any(matches(statement.value, name) for name in _spellings(model)):
            return f"a policy forbids the model '{model}' ('{statement.value}')", statement
    for statement in select(policy, "models.allow"):
        if not any(_allows(glob, model) for glob in statement.value):
            allowed = ", ".join(sorted(statement.value))
            return f"the model '{model}' is not among the policy's ({allowed})", statement
    return None


def _spellings(model: str) -> Iterator[str]:
    """Write a model in the ways that a deny list may name it: as is, without suffixes that only sort, as no alias."""
    name = model.partition(PRESET_MARK)[0]
    plain = _drop_dynamic(name)
    yield from (model, name, plain, plain.removeprefix("~"), plain.partition(":")[0].removeprefix("~"))


def _allows(glob: str, model: str) -> bool:
    """Tell whether an allow list's pattern covers a model, or every model that an alias stands for.

    Suffixes that only sort (``:nitro``) do not make another model. An alias (``~author/…``) may turn into any model of
    its author, so that only a pattern for the whole author covers it.
    """
    name = model.partition(PRESET_MARK)[0]
    if contains(glob, name) or contains(glob, _drop_dynamic(name)):
        return True
    return name.startswith("~") and contains(glob, name[1:].partition("/")[0] + "/*")


def _drop_dynamic(name: str) -> str:
    base, *variants = name.split(":")
    return ":".join(
        [base, *(variant for variant in variants if variant not in (*SORTING_VARIANTS, "online"))]
    )


def refuse_hosted(work: Work) -> None:
    """Refuse presets on OpenRouter's server: what they add is out of a policy's sight (fact 85)."""
    hosted = [path for path, model in find_models(work) if PRESET_MARK in model]
    if not hosted and work.get(("preset",)) is None:
        return
    statements = sorted(work.policy, key=lambda said: said.sort_key)[:1]
    hint = "write its settings into this preset"
    message = "a preset on OpenRouter's server cannot be held to a policy"
    if work.get(("preset",)) is not None:
        work.report(("preset",), message, statements, hint, "key")
    for path in hosted:
        work.report(path, message, statements, hint)
