"""Projects as teams write them, made from a seed: the same seed, the same bytes, and not one finding.

.. code-block:: text

    orpolicy.yaml                     environments, defaults
    presets/org.policy.yaml           governs all of them
    presets/AREA/prod.policy.yaml     governs one area, in production
    presets/base/*.yaml               mixins, counted among the files
    presets/AREA/AREA-00001.yaml …    20 to 40 lines each, one in four with an overlay

Besides them ``write_singles``, presets that build on nothing and under no policy, ``write_chain``, where each preset
extends the one before, and ``write_family``, many presets on one base.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEED = 20261121

PROJECT = """\
# What every preset of the shop's assistants starts from.
presets: presets
environments: [dev, prod]
defaults:
  user: shop
  provider: {allow_fallbacks: true}
"""

ORG_POLICY = """\
description: What any assistant of the shop may do
zdr: true
max_price: {prompt: 20, completion: 80}   # USD per million tokens
max_tokens: 16000
models:
  deny: ["*:free", openrouter/free]
"""

PROD_POLICY = """\
description: Nothing dear where customers wait
applies_to: {environments: [prod]}
providers:
  deny: [deepinfra/turbo]
max_price: {prompt: 10, completion: 50}
"""

MIXINS = {
    "careful": """\
# Say no rather than something else: parameters count, and nobody charges more than this.
description: Parameters are kept, prices are bounded
abstract: true
provider:
  require_parameters: true
  max_price: {prompt: 5, completion: 25}   # USD per million tokens
max_tokens: 2000
""",
    "quick": """\
# For people who wait: short answers, the endpoint with the shortest wait first.
description: Short answers, soon
abstract: true
provider:
  sort: latency
max_tokens: 600
stop: ["\\n\\n\\n"]
""",
    "thrifty": """\
# For work that nobody waits for: the cheapest endpoint first.
description: Cheap, and in no hurry
abstract: true
extends: orpolicy/cheapest
provider:
  max_price: {prompt: 2, completion: 8}    # USD per million tokens
max_tokens: 4000
""",
    "traced": """\
# Calls can be found again by team.
description: Metadata for the bill
abstract: true
metadata:
  team: assistants
  ledger: "4711"
""",
}
AREAS = ("answers", "extraction", "research", "review", "search", "support")
GOVERNED = "support"

MODELS = (
    ("anthropic/claude-haiku-4.5", ("amazon-bedrock", "anthropic", "google-vertex")),
    ("anthropic/claude-sonnet-4.5", ("anthropic", "google-vertex", "amazon-bedrock")),
    ("google/gemini-3-flash-preview", ("google-vertex", "google-ai-studio")),
    ("moonshotai/kimi-k2.6", ("baseten", "atlas-cloud", "cloudflare")),
    ("z-ai/glm-5.2", ("baseten", "atlas-cloud", "cloudflare")),
)
"""A model, and providers that serve it with tools, most of them with structured answers."""

SUBJECTS = (
    "order",
    "invoice",
    "parcel",
    "refund",
    "warranty",
    "subscription",
    "voucher",
    "review",
    "address",
)
TASKS = (
    "Answer in the customer's language, in at most five sentences, and never promise money.",
    "Quote the passage that you rely on, word for word; where there is none, say that you do not know.",
    "Write for somebody who reads on a phone: short paragraphs, no tables, no headings.",
    "Ask back once where something is unclear, and name what you need to know.",
    "Use the shop's own names for things; do not translate the names of products.",
    "Be polite, but do not apologise for what the shop cannot change: weather, customs, carriers.",
)
KINDS = ("text", "integer", "number", "boolean")
TYPES = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}


def write_project(root: Path, files: int, *, seed: int = SEED, base: str | None = None) -> list[Path]:
    """Write a project with that many preset files, mixins among them, and return their paths."""
    presets = _write_frame(root)
    _write(presets / GOVERNED / "prod.policy.yaml", PROD_POLICY)
    written = []
    for name, text in MIXINS.items():
        written.append(_write(presets / "base" / f"{name}.yaml", text))
    dice = Random(seed)
    for number in range(len(written), files):
        area = AREAS[number % len(AREAS)]
        written.append(
            _write(presets / area / f"{area}-{number:05}.yaml", write_preset(dice, area, number, base))
        )
    return written[:files]


def write_singles(root: Path, files: int, *, seed: int = SEED) -> list[Path]:
    """Write presets of which each stands by itself, without mixins, overlays, defaults and policies."""
    dice = Random(seed)
    written = []
    for number in range(files):
        area = AREAS[number % len(AREAS)]
        text = write_preset(dice, area, number, "", overlays=False)
        written.append(_write(root / "presets" / area / f"{area}-{number:05}.yaml", text))
    return written


def write_chain(root: Path, length: int, *, seed: int = SEED) -> list[str]:
    """Write presets that extend one another, and return their names, the first of them the lowest."""
    presets = _write_frame(root)
    dice = Random(seed)
    names = [f"links/link-{number:03}" for number in range(length)]
    for number, name in enumerate(names):
        below = names[number - 1] if number else "base/careful"
        _write(presets / f"{name}.yaml", write_preset(dice, "links", number, below, overlays=False))
    _write(presets / "base" / "careful.yaml", MIXINS["careful"])
    return names


def write_family(root: Path, files: int, *, based: bool, seed: int = SEED) -> list[Path]:
    """Write presets that all extend one base, or say nothing of a base."""
    presets = _write_frame(root)
    dice = Random(seed)
    written = [_write(presets / "base" / "careful.yaml", MIXINS["careful"])]
    for number in range(files):
        text = write_preset(dice, "family", number, "base/careful" if based else "", overlays=False)
        written.append(_write(presets / "family" / f"family-{number:05}.yaml", text))
    return written


def write_preset(
    dice: Random, area: str, number: int, base: str | None = None, *, overlays: bool = True
) -> str:
    """Write one preset; ``base`` is what it extends, empty for nothing, ``None`` for a choice of mixins."""
    model, providers = dice.choice(MODELS)
    second = dice.choice([name for name, _ in MODELS if name != model])
    subject = dice.choice(SUBJECTS)
    lines = [f"# Number {number} of {area}: about a customer's {subject}."]
    lines += [f"description: Help with a customer's {subject} ({area} {number})"]
    below = choose_below(dice) if base is None else [base] if base else []
    if below:
        lines += [f"extends: [{', '.join(below)}]"]
    lines += [f"model: {model}", "models:", f"  - {second}"]
    lines += [f"temperature: {dice.choice(['0', '0.2', '0.3', '0.7', '1'])}"]
    lines += [f"max_tokens: {dice.randrange(1200, 4000, 100)}"]
    lines += _prefer(dice, providers, below)
    lines += dice.choice(FEATURES)(dice, subject)
    lines += ["system: |", f"  You help customers of a shop with their {subject}."]
    lines += [f"  {task}" for task in dice.sample(TASKS, dice.randint(1, 3))]
    if overlays and dice.random() < 0.25:
        lines += ["environments:", "  prod:", f"    max_tokens: {dice.randrange(1100, 1900, 50)}"]
        lines += ["    provider:", f"      max_price: {{prompt: {dice.randint(1, 5)}.5, completion: 24}}"]
    return "\n".join(lines) + "\n"


def _write_frame(root: Path) -> Path:
    _write(root / "orpolicy.yaml", PROJECT)
    _write(root / "presets" / "org.policy.yaml", ORG_POLICY)
    return root / "presets"


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def choose_below(dice: Random) -> list[str]:
    """Choose mixins that go together."""
    chosen = ["base/traced"] if dice.random() < 0.5 else []
    return [*chosen, *dice.choice([["base/quick"], ["base/thrifty"], []]), "base/careful"]


def _prefer(dice: Random, providers: tuple[str, ...], below: list[str]) -> Iterator[str]:
    """Say whom to prefer, and at what price."""
    yield "provider:"
    if not below:
        yield "  require_parameters: true"
    if dice.random() < 0.5:
        yield "  ignore:"
        yield f"    - {dice.choice(['novita', 'siliconflow', 'parasail', 'chutes'])}"
    else:
        yield f"  preferred_max_latency: {{p90: {dice.randint(2, 9)}}}   # seconds"
    if dice.random() < 0.4 and not {"base/quick", "base/thrifty"} & {*below}:
        yield f"  order: [{', '.join(providers[:2])}]"
    yield "  max_price:"
    yield f"    prompt: {dice.choice(['3', '3.5', '4', '5'])}"
    yield f"    completion: {dice.choice(['15', '17.50', '20'])}"


def _offer_functions(dice: Random, subject: str) -> Iterator[str]:
    yield "tools:"
    for verb in dice.sample(["find", "list", "propose", "close"], dice.randint(1, 2)):
        yield "  - type: function"
        yield "    function:"
        yield f"      name: {verb}_{subject}"
        yield f"      description: {verb.capitalize()} a customer's {subject}"
        yield "      parameters:"
        yield "        type: object"
        yield "        properties:"
        yield f'          {subject}: {{type: string, description: "The number of the {subject}"}}'
        yield "          customer: {type: string, description: The customer's address}"
        yield f"        required: [{subject}]"
    yield "tool_choice: auto"


def _ask_for_json(dice: Random, subject: str) -> Iterator[str]:
    fields = dice.sample(["topic", "summary", "urgency", "amount", "angry", "language"], dice.randint(2, 4))
    yield "response_format:"
    yield "  type: json_schema"
    yield "  json_schema:"
    yield f"    name: {subject}"
    yield "    strict: true"
    yield "    schema:"
    yield "      type: object"
    yield "      properties:"
    for name in fields:
        yield f"        {name}: {{type: {TYPES[dice.choice(KINDS)]}}}"
    yield f"      required: [{', '.join(fields)}]"
    yield "      additionalProperties: false"
    yield "plugins:"
    yield "  - id: response-healing"


def _read_files(dice: Random, subject: str) -> Iterator[str]:
    yield f"# a {subject} comes as a scan more often than not"
    yield "plugins:"
    yield "  - id: file-parser"
    yield "    pdf:"
    yield f"      engine: {dice.choice(['cloudflare-ai', 'mistral-ocr'])}"
    yield "top_p: 0.95"


def _think(dice: Random, subject: str) -> Iterator[str]:
    yield "reasoning:"
    yield f"  effort: {dice.choice(['low', 'medium'])}"
    yield "  exclude: true"
    yield "metadata:"
    yield f"  subject: {subject}"
    yield f'  version: "{dice.randint(1, 40)}"'


FEATURES: tuple[Callable[[Random, str], Iterator[str]], ...] = (
    _offer_functions,
    _ask_for_json,
    _read_files,
    _think,
)
