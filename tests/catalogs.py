"""The demonstration catalogue as tests of the catalogue's rules see it, at a moment that does not move."""

from __future__ import annotations

from datetime import UTC, date, datetime

from attrs import evolve

from orpolicy.routing.snapshot import demonstration

NOW = datetime(2026, 8, 23, tzinfo=UTC)
LEAVING = {
    "google/gemini-3-flash-preview": date(2026, 10, 31),
    "meta-llama/llama-3.3-70b-instruct": date(2026, 8, 1),
    "deepseek/deepseek-v3.2": date(2098, 12, 31),
}
"""Models that leave, have left, or carry a day that means nothing."""

CATALOG = evolve(
    demonstration(),
    complete=True,
    models=[evolve(model, expires=LEAVING.get(model.id)) for model in demonstration().models],
)
"""As if it listed every model, so that it may deny the others."""
