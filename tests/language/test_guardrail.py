"""Policies in the words of OpenRouter's guardrail API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from orpolicy.language.document import read_document
from orpolicy.language.guardrail import write_guardrail
from orpolicy.language.policy import find_bounds, read_policy
from orpolicy.language.source import Source

if TYPE_CHECKING:
    from pathlib import Path

FULL = {
    "models": {"allow": ["anthropic/*", "openai/gpt-5-mini"], "deny": ["*:free"]},
    "providers": {"allow": ["anthropic", "amazon-bedrock"], "deny": ["deepseek"]},
    "zdr": True,
    "data_collection": "deny",
    "max_cost": "0.5",
    "max_price": {"prompt": "5"},
    "regions": ["eu"],
    "plugins": {"deny": ["web"]},
}
KNOWN = ["anthropic/claude-opus-4.1", "openai/gpt-5", "openai/gpt-oss-20b:free"]


def bounds(data: dict[str, Any]) -> Any:
    document = read_document(Source("p", json.dumps(data))).document
    assert document is not None
    return find_bounds(read_policy("p", document, "").policy)


def test_what_a_guardrail_can_say_is_said_and_the_rest_is_named() -> None:
    guardrail = write_guardrail("org", bounds(FULL), KNOWN)
    assert guardrail.body == {
        "name": "org",
        "allowed_models": ["anthropic/claude-opus-4.1", "openai/gpt-5-mini"],
        "ignored_models": ["openai/gpt-oss-20b:free"],
        "allowed_providers": ["amazon-bedrock", "anthropic"],
        "ignored_providers": ["deepseek"],
        "enforce_zdr_anthropic": True,
        "enforce_zdr_openai": True,
        "enforce_zdr_google": True,
        "enforce_zdr_xai": True,
        "enforce_zdr_other": True,
        "enable_free_model_publication": False,
        "enable_free_model_training": False,
        "enable_paid_model_training": False,
    }
    assert [line.partition(":")[0] for line in guardrail.missing] == [
        "plugins.deny",
        "max_price",
        "max_cost",
        "regions",
    ]


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        ({"models": {"allow": ["anthropic/*"]}}, "models.allow"),
        ({"models": {"deny": ["*:free"]}}, "models.deny"),
        ({"providers": {"allow": ["google-vertex/us-east5"]}}, "providers.allow"),
    ],
)
def test_what_would_be_looser_than_the_policy_is_left_out_and_named(
    data: dict[str, Any], missing: str
) -> None:
    guardrail = write_guardrail("org", bounds(data))
    assert guardrail.body == {"name": "org"}
    assert [line.partition(":")[0] for line in guardrail.missing] == [missing]


def test_the_body_is_one_that_openrouter_accepts(shared: Path) -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    api = yaml.load((shared / "facts" / "openapi.yaml").read_text(encoding="utf-8"), Loader=loader)
    schema = {"$ref": "#/components/schemas/CreateGuardrailRequest", "components": api["components"]}
    body = write_guardrail("org", bounds(FULL), KNOWN).body
    assert list(Draft202012Validator(schema).iter_errors(body)) == []
    assert set(body) <= set(api["components"]["schemas"]["CreateGuardrailRequest"]["properties"])
