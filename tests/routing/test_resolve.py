"""One function finds out what a name stands for, and what was meant on a miss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orpolicy.routing.resolve import resolve, split_suffixes

if TYPE_CHECKING:
    from orpolicy.routing.catalog import Catalog


@pytest.mark.parametrize(
    ("name", "model", "suffixes"),
    [
        ("anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4.5", ()),
        ("anthropic/claude-4.5-sonnet-20250929", "anthropic/claude-sonnet-4.5", ()),
        ("~anthropic/claude-haiku-latest", "anthropic/claude-haiku-4.5", ()),
        ("openai/gpt-4o-mini:nitro", "openai/gpt-4o-mini", ("nitro",)),
        ("z-ai/glm-5.2:free", "z-ai/glm-5.2:free", ()),
        ("z-ai/glm-5.2:free:online", "z-ai/glm-5.2:free", ("online",)),
        ("openai/gpt-5-mini:batch", "openai/gpt-5-mini:batch", ()),
    ],
)
def test_models_resolve_as_openrouter_reads_them(
    real: Catalog, name: str, model: str, suffixes: tuple[str, ...]
) -> None:
    found = resolve(real, name)
    assert found.exact
    assert found.model
    assert (found.model.id, found.suffixes, found.written_well) == (model, suffixes, name)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("Anthropic: Claude Sonnet 4.5", "anthropic/claude-sonnet-4.5"),
        ("Anthropic/Claude-Sonnet-4.5", "anthropic/claude-sonnet-4.5"),
        ("OpenAI/GPT-4o-mini:floor", "openai/gpt-4o-mini:floor"),
    ],
)
def test_display_names_and_capitals_are_understood_and_corrected(
    real: Catalog, name: str, right: str
) -> None:
    found = resolve(real, name)
    assert not found.exact
    assert found.written_well == right


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("anthropic/claude-sonet-4.5", "anthropic/claude-sonnet-4.5"),
        ("openai/gpt-4o-mini:free", "openai/gpt-4o-mini"),
        ("gpt-4o-mini", "openai/gpt-4o-mini"),
    ],
)
def test_a_miss_among_models_suggests(real: Catalog, name: str, suggestion: str) -> None:
    found = resolve(real, name)
    assert not found.found
    assert suggestion in found.suggestions


def test_nonsense_suggests_nothing(real: Catalog) -> None:
    assert resolve(real, "xyzzy/plugh").suggestions == ()
    assert resolve(real, "xyzzy", "provider").suggestions == ()


@pytest.mark.parametrize(
    ("name", "slug", "tag"),
    [
        ("google-vertex", "google-vertex", None),
        ("google-vertex/us-east5", "google-vertex", "google-vertex/us-east5"),
        ("xai/zdr/priority", "xai", "xai/zdr/priority"),
        ("sambanova-turbo", None, "sambanova-turbo"),
        ("fake-provider", "fake-provider", None),
    ],
)
def test_slugs_and_tags_resolve(real: Catalog, name: str, slug: str | None, tag: str | None) -> None:
    found = resolve(real, name, "provider")
    assert found.exact
    assert found.provider is real.by_slug.get(slug or "")
    assert found.tag == tag


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Google", "google-vertex"), ("Anthropic", "anthropic"), ("amazon bedrock", "amazon-bedrock")],
)
def test_a_display_name_is_not_exact_and_its_slug_is_told(real: Catalog, name: str, slug: str) -> None:
    found = resolve(real, name, "provider")
    assert not found.exact
    assert found.written_well == slug


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("antropic", "anthropic"),
        ("google-vertx/us-east5", "google-vertex/us-east5"),
        ("Amazon Bedrok", "amazon-bedrock"),
    ],
)
def test_a_miss_among_providers_suggests(real: Catalog, name: str, suggestion: str) -> None:
    found = resolve(real, name, "provider")
    assert not found.found
    assert suggestion in found.suggestions


def test_every_name_in_the_catalogue_resolves_to_itself(real: Catalog) -> None:
    assert all(resolve(real, model.id).listed is model for model in real.models)
    assert all(resolve(real, tag, "provider").exact for tag in real.tags)
    assert all(resolve(real, slug, "provider").provider is found for slug, found in real.by_slug.items())


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("m/a", ("m/a", ())),
        ("m/a:free", ("m/a:free", ())),
        ("m/a:free:online", ("m/a:free", ("online",))),
        ("m/a:nitro:online", ("m/a", ("nitro", "online"))),
        (":nitro", ("", ("nitro",))),
    ],
)
def test_dynamic_suffixes_come_off_from_the_right(name: str, parts: tuple[str, tuple[str, ...]]) -> None:
    assert split_suffixes(name) == parts
