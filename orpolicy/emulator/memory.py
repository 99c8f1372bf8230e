"""What an emulator remembers between two requests: its answers, and the presets that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

_WRITER = "simulated"


@frozen
class Version:
    """The settings of a preset at one time."""

    number: int
    config: Mapping[str, Any] = field(repr=False)
    system: str | None = field(repr=False)
    created: str


@frozen
class HostedPreset:
    """A preset with all its versions; the last one is active."""

    slug: str
    versions: tuple[Version, ...]

    @property
    def active(self) -> Version:
        """The version that requests use."""
        return self.versions[-1]

    def to_json(self) -> dict[str, Any]:
        """Return it as a list shows it."""
        return {
            "id": _identify(self.slug),
            "slug": self.slug,
            "name": self.slug,
            "description": None,
            "status": "active",
            "status_updated_at": None,
            "designated_version_id": _identify(self.slug, self.active),
            "creator_user_id": _WRITER,
            "workspace_id": None,
            "created_at": self.versions[0].created,
            "updated_at": self.active.created,
        }

    def version_to_json(self, version: Version) -> dict[str, Any]:
        """Return one of its versions."""
        return {
            "id": _identify(self.slug, version),
            "preset_id": _identify(self.slug),
            "creator_id": _WRITER,
            "version": version.number,
            "system_prompt": version.system,
            "config": dict(version.config),
            "created_at": version.created,
            "updated_at": version.created,
        }


@frozen
class Memory:
    """What an emulator remembers: generations by their ids, presets by their slugs, the latest change last."""

    records: Mapping[str, Mapping[str, Any]] = field(factory=dict, repr=False)
    presets: Mapping[str, HostedPreset] = field(factory=dict, repr=False)


def _identify(slug: str, version: Version | None = None) -> str:
    return str(uuid5(NAMESPACE_URL, f"preset:{slug}" + (f":{version.number}" if version else "")))
