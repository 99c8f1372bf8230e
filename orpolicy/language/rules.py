"""The registry of rules: every code that a finding may carry, with its severity and its page.

A rule is one row of the table below plus one page, ``rulebook/CODE.md``: what it means, a failing and a passing
example, and the source that earns it its place. ``orpolicy rule CODE`` prints the page and the tests run its
examples, so the documentation cannot drift from the behaviour.
"""

from __future__ import annotations

import re
from functools import cache

from attrs import frozen

from orpolicy.language.diagnostics import Severity
from orpolicy.resources import rulebook

E, W = Severity.ERROR, Severity.WARNING

FAMILIES: dict[str, dict[str, Severity]] = {
    "syntax": {
        "yaml-syntax": E,
        "yaml-encoding": E,
        "yaml-limit": E,
        "yaml-multiple-documents": E,
        "yaml-root": E,
        "yaml-alias": E,
        "yaml-key": E,
        "yaml-merge-key": E,
        "yaml-tag": E,
        "yaml-number": E,
        "duplicate-key": E,
        "secret-in-file": E,
        "unreadable-file": E,
    },
    "shape": {
        "unknown-key": E,
        "misplaced-key": E,
        "call-time-key": E,
        "wrong-type": E,
        "bad-value": E,
        "out-of-range": E,
        "missing-key": E,
        "integer-as-decimal": W,
        "yaml-retyped": E,
        "yaml-ambiguous": W,
        "unknown-rule": E,
        "unused-suppression": W,
    },
    "composition": {
        "unknown-preset": E,
        "duplicate-preset": E,
        "extends-cycle": E,
        "inconsistent-extends": E,
        "unknown-environment": E,
        "abstract-preset": E,
        "nothing-to-remove": E,
        "system-file": E,
        "empty-project": E,
        "missing-catalog": E,
        "misnamed-file": E,
    },
    "policy": {
        "unknown-policy": E,
        "policy-conflict": E,
        "policy-require": E,
        "policy-empty": E,
        "policy-unused": W,
    },
    "meaning": {
        "bad-model-alias": E,
        "floating-model": Severity.OFF,
        "duplicate-model": W,
        "too-many-models": E,
        "free-with-paid-fallback": W,
        "nested-preset": W,
        "preset-provider-shadowed": E,
        "server-tools-with-fallbacks": W,
        "unknown-variant": E,
        "variant-conflict": E,
        "nitro-with-price-sort": W,
        "exacto-without-effect": W,
        "variant-without-effect": W,
        "tier-conflict": W,
        "sort-without-effect": W,
        "order-outside-only": E,
        "order-ignored": E,
        "only-all-ignored": E,
        "only-ignored": W,
        "ignore-without-effect": W,
        "redundant-provider": W,
        "provider-display-name": W,
        "ignored-display-name": E,
        "nothing-allowed": E,
        "no-fallback-single-point": W,
        "partition-without-models": W,
        "options-of-another-api": W,
        "per-token-price": W,
        "zero-price-ceiling": W,
        "latency-in-milliseconds": W,
        "throughput-per-minute": W,
        "percentile-without-effect": W,
        "redundant-quantization": W,
        "quantization-conflict": E,
        "false-without-effect": W,
        "collection-allowed-under-zdr": W,
        "zdr-with-web-plugin": W,
        "zdr-with-response-cache": W,
        "region-conflict": E,
        "top-logprobs-without-logprobs": E,
        "two-output-limits": W,
        "tiny-output-limit": W,
        "missing-max-tokens": Severity.OFF,
        "ignored-sampling": W,
        "verbosity-falls-back": W,
        "effort-without-effect": W,
        "parallel-calls-without-tools": W,
        "reasoning-effort-conflict": E,
        "effort-with-budget": E,
        "reasoning-budget-above-limit": E,
        "reasoning-budget-clamped": W,
        "ignored-reasoning-budget": W,
        "disabled-reasoning-at-high-effort": E,
        "reasoning-contradiction": W,
        "strict-output-without-require-parameters": W,
        "schema-left-to-the-call": W,
        "healing-without-json": W,
        "invalid-json-schema": E,
        "invalid-tool-schema": W,
        "audio-without-modality": W,
        "modality-without-audio": W,
        "tool-choice-without-tools": E,
        "unknown-tool-choice": E,
        "tool-choice-not-guaranteed": Severity.OFF,
        "duplicate-function": E,
        "duplicate-server-tool": W,
        "agent-name-clash": E,
        "tool-of-another-api": W,
        "defer-loading-unsupported": E,
        "strict-tool-without-beta": W,
        "advisor-stream-without-effect": W,
        "max-tool-calls-without-effect": W,
        "limit-without-server-tools": W,
        "stop-condition-never-met": W,
        "search-mode-ignored": W,
        "search-setting-ignored": W,
        "search-results-clamped": W,
        "google-search-with-domains": E,
        "domain-lists-exclusive": W,
        "domain-filter-ignored": W,
        "domain-allowed-and-excluded": W,
        "fetches-capped": W,
        "too-many-domains": W,
        "native-search-unsupported": W,
        "x-handles-exclusive": W,
        "x-dates-reversed": W,
        "x-search-filter-without-effect": W,
        "router-plugin-without-router": W,
        "auto-router-id-mismatch": W,
        "bad-model-pattern": E,
        "router-excludes-everything": E,
        "allowed-model-excluded": W,
        "pareto-score-without-effect": W,
        "fusion-preset-overridden": W,
        "nested-fusion": W,
        "retries-without-enforce": W,
        "output-mode-of-another-api": W,
        "duplicate-plugin": W,
        "cache-ttl-without-cache": W,
        "cache-control-without-claude": W,
        "prompt-cache-options-unsupported": W,
        "session-with-order": W,
        "beta-without-claude": W,
        "unknown-beta": W,
        "attribution-without-effect": W,
        "debug-in-preset": W,
        "unknown-time-zone": E,
        "deprecated": W,
    },
    "catalogue": {
        "unknown-model": E,
        "unlisted-alias": W,
        "deprecated-model": W,
        "expiring-model": W,
        "pattern-matches-nothing": W,
        "unknown-provider": E,
        "unreachable": E,
        "unreachable-model": W,
        "price-below-every-endpoint": E,
        "completion-limit": E,
        "context-too-small": E,
        "provider-serves-no-model": W,
        "unsupported-parameter": W,
        "unserved-tier": W,
        "single-endpoint": Severity.OFF,
        "policy-matches-nothing": W,
        "stale-catalog": W,
    },
    "scenarios": {
        "scenario-without-assertion": E,
        "duplicate-scenario": E,
        "scenario-without-catalog": E,
        "scenario-unknown-name": E,
        "scenario-failed": E,
    },
    "lock": {
        "lock-missing": E,
        "lock-unreadable": E,
        "lock-outdated": E,
    },
}
"""Family → code → default severity, in the order of the passes that find them."""


@frozen
class Rule:
    """One rule: its stable code, its family and its severity where a project says nothing else."""

    code: str
    family: str
    severity: Severity


RULES: dict[str, Rule] = {
    code: Rule(code, family, severity) for family, rows in FAMILIES.items() for code, severity in rows.items()
}


@frozen
class Page:
    """The documentation of a rule; ``fails`` and ``passes`` map file names to texts."""

    code: str
    text: str
    fails: dict[str, str]
    passes: dict[str, str]
    source: str

    @property
    def summary(self) -> str:
        """The first paragraph below the title."""
        return self.text.split("\n\n")[1].replace("\n", " ")


@cache
def read_page(code: str) -> Page:
    """Read a rule's page from the rulebook.

    Raises:
        KeyError: there is no rule of this code.
    """
    if code not in RULES:
        raise KeyError(code)
    text = rulebook().joinpath(f"{code}.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL))
    return Page(
        code=code,
        text=text,
        fails=_fenced_files(sections["Fails"]),
        passes=_fenced_files(sections["Passes"]),
        source=sections["Source"].strip(),
    )


def _fenced_files(section: str) -> dict[str, str]:
    """Map the name after a fence's language to the fence's text; an unnamed fence is the preset ``example``."""
    fences = re.findall(r"^```\w+ ?([^\n]*)\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    return {name or "presets/example.yaml": text for name, text in fences}
