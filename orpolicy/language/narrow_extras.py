"""Holding plugins and tools against a policy's lists, whichever key brings them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orpolicy.language.globs import matches
from orpolicy.language.slugs import read_model
from orpolicy.language.policy import select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.language.narrowing import Work
    from orpolicy.language.source import Path


def narrow_plugins(work: Work) -> None:
    """Refuse the plugins that a policy does not let run."""
    for path, plugin in _find_plugins(work):
        _judge(work, "plugins", path, plugin, f"the plugin '{plugin}'")


def _find_plugins(work: Work) -> Iterator[tuple[Path, str]]:
    """Find the plugins that run: those listed and not switched off, and those that other settings stand for."""
    for index, plugin in enumerate(work.get(("plugins",)) or ()):
        if plugin.get("enabled") is not False:
            yield ("plugins", index, "id"), plugin["id"]
    if work.get(("transforms",)):
        yield ("transforms",), "context-compression"
    for path, name in work.named_models():
        model = read_model(name)
        if model is not None and "online" in model.variants:
            yield path, "web"


def narrow_tools(work: Work) -> None:
    """Refuse the tools that a policy does not let be offered."""
    for path, tool in _find_tools(work.get(("tools",)) or [], ("tools",)):
        _judge(work, "tools", path, tool, f"the tool '{tool}'")
    for path, tool in _find_plugin_tools(work):
        _judge(work, "tools", path, tool, f"the tool '{tool}'")


def _find_plugin_tools(work: Work) -> Iterator[tuple[Path, str]]:
    for index, plugin in enumerate(work.get(("plugins",)) or ()):
        yield from _find_tools(plugin.get("tools", []), ("plugins", index, "tools"))


def _find_tools(tools: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Find tools by the names that policies use, those of advisors and subagents included."""
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        place = (*path, index)
        if tool.get("type") == "function":
            yield (*place, "function", "name"), f"function:{tool['function']['name']}"
        else:
            yield (*place, "type"), tool["type"]
            nested = tool.get("parameters", {})
            yield from _find_tools(nested.get("tools", []), (*place, "parameters", "tools"))


def _judge(work: Work, key: str, path: Path, name: str, what: str) -> None:
    """Hold a name against the allow and deny lists of a field."""
    for statement in select(work.policy, f"{key}.deny"):
        if matches(statement.value, name):
            work.report(path, f"a policy forbids {what} ('{statement.value}')", [statement])
            return
    for statement in select(work.policy, f"{key}.allow"):
        if not any(matches(glob, name) for glob in statement.value):
            allowed = ", ".join(sorted(statement.value)) or "none"
            work.report(path, f"{what} is not among the policy's ({allowed})", [statement])
            return
