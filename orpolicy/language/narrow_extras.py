"""Holding plugins and tools against a policy's lists, whichever key brings them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.language.extras import Part, find_plugins, find_tools
from orpolicy.language.globs import matches
from orpolicy.language.policy import select

if TYPE_CHECKING:
    from orpolicy.language.narrowing import Work


def narrow_plugins(work: Work) -> None:
    """Refuse the plugins that a policy does not let run."""
    for plugin in find_plugins(work):
        _judge(work, "plugins", plugin, f"the plugin {plugin.shown}")


def narrow_tools(work: Work) -> None:
    """Refuse the tools that a policy does not let be offered."""
    for tool in find_tools(work):
        _judge(work, "tools", tool, f"the tool {tool.shown}")


def _judge(work: Work, key: str, part: Part, what: str) -> None:
    """Hold the names of a part against the allow and deny lists of a field."""
    for statement in select(work.policy, f"{key}.deny"):
        if any(matches(statement.value, name) for name in part.names):
            work.report(part.path, f"a policy forbids {what} ('{statement.value}')", [statement])
            return
    for statement in select(work.policy, f"{key}.allow"):
        if not any(matches(glob, name) for glob in statement.value for name in part.names):
            allowed = ", ".join(sorted(statement.value)) or "none"
            work.report(part.path, f"{what} is not among the policy's ({allowed})", [statement])
            return
