"""What a project comes to, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace
from orpolicy.project import Project
from orpolicy.review.effects import Effects, collect_effects
from orpolicy.routing.snapshot import demonstration

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL = "openai/gpt-5-mini"
FILES = {
    "orpolicy.yaml": "environments: [prod, test]\n",
    "presets/base.yaml": "abstract: true\ntemperature: 0.5\n",
    "presets/one.yaml": f"extends: base\nmodel: {MODEL}\nenvironments:\n  prod:\n    provider: {{zdr: true}}\n",
    "presets/two.yaml": f"model: {MODEL}\nmax_tokens: 9000\n",
    "presets/low.policy.yaml": "applies_to: {environments: [prod]}\nmax_tokens: 1000\n",
    "presets/wrong.yaml": "model: 3\n",
}


def collect(files: Mapping[str, str] = FILES) -> Effects:
    return collect_effects(Project(Workspace(Memory(files)), given=demonstration()), "here")


def test_every_preset_has_an_effect_in_every_environment_that_changes_it() -> None:
    effects = collect()
    assert sorted(effects.found, key=str) == [("one", "prod"), ("one", None), ("two", None)]
    assert sorted(effects.broken, key=str) == [("two", "prod"), ("wrong", None)]
    assert effects.names == ("one", "two", "wrong")
    assert effects.environments == ("prod", "test")


def test_an_environment_that_changes_nothing_has_the_effect_of_none() -> None:
    effects = collect()
    assert effects.find("one", "test") is effects.find("one", None)
    assert effects.find("one", "prod") is not effects.find("one", None)
    assert effects.find("two", "prod") is None  # a policy refuses it, which is not the same as no difference
    assert effects.find("nothing", None) is None


def test_an_effect_says_what_is_sent_who_serves_it_and_who_said_so() -> None:
    effect = collect().find("one", "prod")
    assert effect is not None
    assert effect.body == {"model": MODEL, "provider": {"zdr": True}, "temperature": 0.5, "max_tokens": 1000}
    assert effect.reached is not None
    assert {attempt.endpoint.zdr for attempt in effect.reached.attempts} == {True}
    assert effect.reached.worst.usd is not None
    assert [statement.field for statement in effect.policy] == ["max_tokens"]
    [explained] = effect.explain("/temperature")
    assert str(explained.winner.location) == "presets/base.yaml:2:14"


def test_without_a_catalogue_nobody_is_reached() -> None:
    effects = collect_effects(Project(Workspace(Memory(FILES))), "here")
    assert {effect.reached for effect in effects.found.values()} == {None}
