"""Tools and the choice between them.

A tool is told apart by OpenRouter's own rule: functions by name, advisors and subagents by type and name, other server tools
by type (fact 86). Sources: guides/features/tool-calling.mdx, guides/features/server-tools.mdx,
guides/features/server-tools/*.mdx, guides/features/presets.mdx, guides/routing/provider-selection.mdx.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orpolicy.language.diagnostics import Finding
from orpolicy.language.lint.check import Check, Findings, Preset
from orpolicy.language.slugs import canonical_tool

if TYPE_CHECKING:
    from orpolicy.language.source import Path

_NAMED_AGENTS = ("openrouter:advisor", "openrouter:subagent")
_ELSEWHERE = {"openrouter:bash": "Messages API", "openrouter:tool_search": "Responses and Messages APIs"}
_STRICT_BETA = "structured-outputs-2025-11-13"
_FINISH_REASONS = ("tool_calls", "stop", "length", "content_filter", "error")


def check_choice_without_tools(preset: Preset) -> Findings:
    """Report a tool that must be called where there is none."""
    choice = preset["tool_choice"]
    if choice in ("auto", "none") or preset.get("tools") or _brings_tools(preset) or not preset.models:
        return
    message = "a tool must be called, and there are no tools"
    yield Finding(
        "tool-choice-without-tools", ("tool_choice",), message, "add 'tools', or drop it", anchor="key"
    )


def check_unknown_choice(preset: Preset) -> Findings:
    """Report a choice of a tool that is not among the tools."""
    choice, tools = preset["tool_choice"], preset.get("tools")
    if not isinstance(choice, Mapping) or not tools or _brings_tools(preset):
        return
    if choice["type"] == "function":
        path: Path = ("tool_choice", "function", "name")
        wanted = choice.get("function", {}).get("name")
        names = [tool["function"]["name"] for tool in tools if tool["type"] == "function"]
    else:
        path = ("tool_choice", "type")
        wanted = canonical_tool(choice["type"])
        names = [canonical_tool(tool["type"]) for tool in tools if tool["type"] != "function"]
    if wanted not in names:
        message = f"'{wanted}' must be called, and there is no such tool"
        hint = f"there is {', '.join(repr(name) for name in names)}" if names else "add it to 'tools'"
        related = (("the tools", ("tools",)),)
        yield Finding("unknown-tool-choice", path, message, hint, related=related)


def check_choice_not_guaranteed(preset: Preset) -> Findings:
    """Report a forced call that an endpoint without ``tool_choice`` may ignore (facts 5 and 6)."""
    choice, provider = preset["tool_choice"], preset.get("provider", {})
    if (
        choice not in ("auto", "none")
        and preset.get("tools")
        and provider.get("require_parameters") is not True
    ):
        message = (
            "a forced call is not guaranteed: endpoints that do not know 'tool_choice' may serve the request"
        )
        hint = "add 'provider: {require_parameters: true}'"
        yield Finding("tool-choice-not-guaranteed", ("tool_choice",), message, hint, anchor="key")


def check_duplicates(preset: Preset) -> Findings:
    """Report functions of one name, of which a model cannot choose one."""
    first: dict[str, int] = {}
    for index, tool in enumerate(preset["tools"]):
        if tool["type"] == "function":
            name = tool["function"]["name"]
            if name in first:
                related = (("the first one", ("tools", first[name], "function", "name")),)
                path = ("tools", index, "function", "name")
                message = f"there is another function '{name}': functions are told apart by name"
                yield Finding("duplicate-function", path, message, "rename or remove one", related=related)
            first.setdefault(name, index)


def check_duplicate_server_tools(preset: Preset) -> Findings:
    """Report server tools of one type, of which one takes effect."""
    first: dict[str, int] = {}
    for index, tool in enumerate(preset["tools"]):
        kind = canonical_tool(tool["type"])
        if kind == "function" or kind in _NAMED_AGENTS:
            continue
        if kind in first:
            related = (("the first one", ("tools", first[kind], "type")),)
            message = f"'{kind}' is listed already: there is one of each type"
            path = ("tools", index, "type")
            yield Finding("duplicate-server-tool", path, message, "merge the two entries", related=related)
        first.setdefault(kind, index)


def check_agent_names(preset: Preset) -> Findings:
    """Report advisors, or subagents, that cannot be told apart: two without a name, or two of one name (fact 104)."""
    first: dict[tuple[str, str], Path] = {}
    for index, tool in enumerate(preset["tools"]):
        if tool["type"] not in _NAMED_AGENTS:
            continue
        name = str((tool.get("parameters") or {}).get("name") or "").strip()
        path: Path = ("tools", index, "parameters", "name") if name else ("tools", index)
        kind = tool["type"].partition(":")[2]
        if (kind, name) in first:
            said = (
                f"another {kind} is called '{name}'"
                if name
                else f"one {kind} may go without a name, and this is the second"
            )
            related = (("the first one", first[kind, name]),)
            yield Finding("agent-name-clash", path, said, "give each its own name", related=related)
        first.setdefault((kind, name), path)


def check_tools_of_other_apis(preset: Preset) -> Findings:
    """Report tools that the chat API refuses by its documentation, and takes by its schema (fact 105)."""
    for index, tool in enumerate(preset["tools"]):
        where = _ELSEWHERE.get(tool["type"])
        if where is not None:
            message = (
                f"'{tool['type']}' is documented for the {where} only: a chat request with it may be refused"
            )
            yield Finding(
                "tool-of-another-api", ("tools", index, "type"), message, "remove it, or try it first"
            )


def check_deferred(preset: Preset) -> Findings:
    """Report deferred tools on models whose endpoints cannot load them."""
    models = preset.models
    if (
        not models
        or "deferred_tools" in preset
        or any(tool["type"] == "openrouter:tool_search" for tool in preset["tools"])
        or any(model.author == "anthropic" or model.router for model in models)
    ):
        return
    for index, tool in enumerate(preset["tools"]):
        for path, holder in (
            (("tools", index), tool),
            (("tools", index, "function"), tool.get("function", {})),
        ):
            if holder.get("defer_loading") is True:
                message = "tools are loaded on demand by Anthropic's models only; others answer with 400"
                yield Finding(
                    "defer-loading-unsupported", (*path, "defer_loading"), message, "drop it", anchor="key"
                )


def check_strict_tools(preset: Preset) -> Findings:
    """Report strict functions that OpenRouter makes lenient on the way to Claude."""
    if _STRICT_BETA in preset.get("anthropic_beta", ()):
        return
    if any(model.author == "anthropic" for model in preset.models):
        for index, tool in enumerate(preset["tools"]):
            if tool["type"] == "function" and tool["function"].get("strict") is True:
                message = "'strict' is dropped on the way to Claude unless a beta feature is requested"
                path = ("tools", index, "function", "strict")
                hint = f"add 'anthropic_beta: [{_STRICT_BETA}]'"
                yield Finding("strict-tool-without-beta", path, message, hint, anchor="key")


def check_advisor_stream(preset: Preset) -> Findings:
    """Report streamed advice, which the chat API does not know."""
    for index, tool in enumerate(preset["tools"]):
        if tool["type"] == "openrouter:advisor" and (tool.get("parameters") or {}).get("stream") is True:
            message = "advice is streamed by the Responses API only; here it arrives at once"
            path = ("tools", index, "parameters", "stream")
            yield Finding("advisor-stream-without-effect", path, message, "drop it", anchor="key")


def check_subagent_limit(preset: Preset) -> Findings:
    """Report a number of calls for a subagent that has nothing to call."""
    for index, tool in enumerate(preset["tools"]):
        settings = (tool.get("parameters") if tool["type"] == "openrouter:subagent" else None) or {}
        if "max_tool_calls" in settings and not settings.get("tools"):
            message = "'max_tool_calls' limits the calls of a subagent that has no tools"
            path = ("tools", index, "parameters", "max_tool_calls")
            hint = "give it tools, or drop the limit"
            yield Finding("limit-without-server-tools", path, message, hint, anchor="key")


def check_call_limit(preset: Preset) -> Findings:
    """Report a number of calls that stop conditions take the place of (fact 103)."""
    if "stop_server_tools_when" in preset and _has_server_tools(preset):
        message = "'stop_server_tools_when' takes the place of 'max_tool_calls', which is ignored"
        related = (("the stop conditions", ("stop_server_tools_when",)),)
        hint = "add a 'step_count_is' condition instead"
        path = ("max_tool_calls",)
        yield Finding("max-tool-calls-without-effect", path, message, hint, anchor="key", related=related)


def check_call_limit_without_tools(preset: Preset) -> Findings:
    """Report a number of calls for a loop that never runs."""
    yield from _check_limit_without_tools(preset, "max_tool_calls")


def check_stop_without_tools(preset: Preset) -> Findings:
    """Report stop conditions of a loop that never runs."""
    yield from _check_limit_without_tools(preset, "stop_server_tools_when")


def _check_limit_without_tools(preset: Preset, key: str) -> Findings:
    if not _has_server_tools(preset):
        message = f"'{key}' limits server tools, and there are none"
        yield Finding(
            "limit-without-server-tools", (key,), message, "add a server tool, or drop it", anchor="key"
        )


def check_stop_conditions(preset: Preset) -> Findings:
    """Report stop conditions that can never be met: an unknown tool, an unknown reason (fact 152)."""
    tools = preset.get("tools", ())
    names = {tool["function"]["name"] if tool["type"] == "function" else tool["type"] for tool in tools}
    names |= {name.rpartition(":")[2] for name in names} | {canonical_tool(name) for name in names}
    for index, condition in enumerate(preset["stop_server_tools_when"]):
        path = ("stop_server_tools_when", index)
        if condition["type"] == "finish_reason_is" and condition["reason"] not in _FINISH_REASONS:
            message = f"'{condition['reason']}' is no finish reason: the condition is never met"
            hint = f"there are {', '.join(_FINISH_REASONS)}"
            yield Finding("stop-condition-never-met", (*path, "reason"), message, hint)
        if condition["type"] == "has_tool_call" and tools and condition["tool_name"] not in names:
            message = f"there is no tool '{condition['tool_name']}': the condition is never met"
            yield Finding("stop-condition-never-met", (*path, "tool_name"), message, "name one of the tools")


def _has_server_tools(preset: Preset) -> bool:
    return any(tool["type"] != "function" for tool in preset.get("tools", ())) or _brings_tools(preset)


def _brings_tools(preset: Preset) -> bool:
    """Tell whether tools arrive that the preset does not list: from fusion, or from a hosted preset."""
    plugins: tuple[Mapping[str, Any], ...] = preset.get("plugins", ())
    fused = any(plugin["id"] == "fusion" and plugin.get("enabled") is not False for plugin in plugins)
    return (
        fused
        or preset.builds_on_hosted
        or any(model.router and model.slug.startswith("fusion") for model in preset.models)
    )


CHECKS = (
    Check("tool-choice-without-tools", ("tool_choice",), check_choice_without_tools),
    Check("unknown-tool-choice", ("tool_choice",), check_unknown_choice),
    Check("tool-choice-not-guaranteed", ("tool_choice",), check_choice_not_guaranteed),
    Check("duplicate-function", ("tools", "function"), check_duplicates),
    Check("duplicate-server-tool", ("tools",), check_duplicate_server_tools),
    Check("agent-name-clash", ("tools",), check_agent_names),
    Check("tool-of-another-api", ("tools",), check_tools_of_other_apis),
    Check("defer-loading-unsupported", ("tools", "function"), check_deferred),
    Check("strict-tool-without-beta", ("tools", "function"), check_strict_tools),
    Check("advisor-stream-without-effect", ("tools", "openrouter:advisor"), check_advisor_stream),
    Check("max-tool-calls-without-effect", ("max_tool_calls",), check_call_limit),
    Check("limit-without-server-tools", ("max_tool_calls",), check_call_limit_without_tools),
    Check("limit-without-server-tools", ("stop_server_tools_when",), check_stop_without_tools),
    Check("limit-without-server-tools", ("tools", "openrouter:subagent"), check_subagent_limit),
    Check("stop-condition-never-met", ("stop_server_tools_when",), check_stop_conditions),
)
