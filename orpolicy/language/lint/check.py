"""What rules about meaning look at, and what a rule is: a function to findings, and the place that wakes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import field, frozen

from orpolicy.language.diagnostics import Finding
from orpolicy.language.slugs import PRESET_MARK, ModelId, canonical_tool, list_models, read_model

if TYPE_CHECKING:
    from orpolicy.language.source import Path

Findings: TypeAlias = Iterator[Finding]


class Preset(dict[str, Any]):
    """A composed preset as plain data, schema-valid, without nulls; the models that it names are read once.

    ``named`` are the models that are tried, with their paths, in their order (fact 38), and ``models`` the same, read; a
    bare reference to a hosted preset is none. ``marked`` says that a name is more than an author and a slug, or that of
    the router of free models, or that the preset builds on a hosted one: most presets are not, and what is about marks is
    not asked about them.
    """

    named: tuple[tuple[Path, str], ...]
    models: tuple[ModelId, ...]
    marked: bool

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Read the names of the models."""
        super().__init__(data)
        self.named = tuple(list_models(self))
        names = [_read_name(text) for _, text in self.named]
        self.models = tuple([model for model, _ in names if model is not None])
        self.marked = "preset" in self or True in [marked for _, marked in names]

    @property
    def builds_on_hosted(self) -> bool:
        """Whether it builds on a preset that lives on OpenRouter's server."""
        return self.marked and ("preset" in self or any(PRESET_MARK in text for _, text in self.named))


@lru_cache(maxsize=4096)
def _read_name(text: str) -> tuple[ModelId | None, bool]:
    """Read a model's name, and tell whether it has a suffix, a tilde or a hosted preset, is a family's latest or free."""
    return read_model(text), any(mark in text for mark in _MARKS)


_MARKS = (":", "~", "@", "-latest", "openrouter/free")


def list_triggers(key: str, value: Any) -> Iterable[str]:
    """List what in a key's value can wake a check: keys of a mapping, types of tools, ids of plugins."""
    if isinstance(value, dict):
        return value
    if key == "tools":
        return {canonical_tool(tool["type"]): None for tool in value}
    return {plugin["id"]: None for plugin in value} if key == "plugins" else ()


def later_key(mapping: Mapping[str, Any], one: str, other: str) -> str:
    """Return which of two keys is written later: of two that exclude each other, readers take it for the mistake."""
    return max(one, other, key=list(mapping).index)


def _as_tuple(codes: str | tuple[str, ...]) -> tuple[str, ...]:
    return (codes,) if isinstance(codes, str) else codes


@frozen
class Check:
    """A function that finds, and the codes of what it finds.

    ``trigger`` is what must be there for the function to have anything to say: a key (``("tools",)``), a key inside it
    (``("provider", "order")``), a kind of entry in it (``("tools", "function")``, ``("plugins", "web")``), or nothing.
    Most presets say little, so most functions never run. ``marked`` functions are silent about a preset that is not
    ``marked``, and sleep there whatever else wakes them.
    """

    codes: tuple[str, ...] = field(converter=_as_tuple)
    trigger: tuple[str, ...]
    find: Callable[[Preset], Findings]
    marked: bool = False
