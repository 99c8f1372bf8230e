"""Presets that live on the server: made from a request, kept in versions, merged into the requests that name them.

.. code-block:: text

    POST /presets/{slug}/chat/completions    a new version of the body's settings, active at once (facts 87, 88)
         …/responses · …/messages            the same from the other two kinds of body
    GET  /presets · /presets/{slug}          a page of presets · one with its active version
    GET  /presets/{slug}/versions[/{n}]      its versions, oldest first · one of them

    model: "@preset/slug"                    the preset's model and settings (fact 83)
    model: "author/name@preset/slug"         its settings with this model
    preset: slug                             its settings beside the model, if any

Laws: a request's field replaces the preset's whole field (fact 85); ``tools`` is the union, the preset's first, and of
two tools of one identity the request's stays (fact 86). The preset's system prompt goes before the messages, which no
document says. There is no way to delete a preset (fact 89).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve

from orpolicy.emulator.chat import answer_refusal, tell_moment
from orpolicy.emulator.memory import HostedPreset, Version
from orpolicy.emulator.refusals import refuse
from orpolicy.emulator.streams import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orpolicy.emulator.memory import Memory
    from orpolicy.emulator.reports import Call
    from orpolicy.emulator.serving import World

KINDS = {"chat/completions": "messages", "messages": "system", "responses": "instructions"}
"""What a preset is made from, and the field of it that holds the system prompt."""

MARK = "@preset/"
KEPT = frozenset(
    """
    model models provider service_tier speed temperature top_p top_k min_p top_a frequency_penalty presence_penalty
    repetition_penalty seed stop logit_bias logprobs top_logprobs max_completion_tokens max_tokens reasoning
    reasoning_effort include_reasoning thinking verbosity response_format structured_outputs tools tool_choice
    parallel_tool_calls max_tool_calls stop_server_tools_when deferred_tools plugins web_search_options x_search_filter
    modalities audio image_config prediction cache_control prompt_cache_key prompt_cache_options session_id user metadata
    trace usage stream_options debug
    """.split()  # noqa: SIM905 - the names of a specification read better as prose
)
"""The fields of a request that a preset has, too (fact 87)."""

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NAMED_BY_PARAMETERS = ("openrouter:advisor", "openrouter:subagent")
PAGE = 50
"""Rows of a page where nobody says how many; 100 are the most."""


def answer_presets(call: Call, path: str, world: World, memory: Memory) -> Answer:
    """Answer everything under ``/presets``."""
    slug, _, rest = path.removeprefix("/presets").strip("/").partition("/")
    if call.method == "POST" and rest in KINDS:
        return _store(call, slug, rest, world, memory)
    if call.method != "GET":
        return answer_refusal(refuse(405, f"{call.method} is not allowed here"))
    if not slug:
        rows = [preset.to_json() for preset in [*memory.presets.values()][::-1]]
        return _answer_page(call, rows)
    preset = memory.presets.get(slug)
    return _miss(slug) if preset is None else _show(call, preset, rest)


def _show(call: Call, preset: HostedPreset, rest: str) -> Answer:
    if not rest:
        return _answer_whole(preset)
    shown = [preset.version_to_json(version) for version in preset.versions]
    if rest == "versions":
        return _answer_page(call, shown)
    number = rest.removeprefix("versions/")
    found = next((row for row in shown if str(row["version"]) == number), None)
    return Answer(body={"data": found}) if found else answer_refusal(refuse(404))


def expand(body: Any, memory: Memory) -> Any:
    """Merge the preset that a body names into it; return an ``Answer`` that says no where there is none."""
    if not isinstance(body, Mapping):
        return body
    named, _, slug = str(body.get("model") or "").partition(MARK)
    slug = slug or body.get("preset") or ""
    if not slug:
        return body
    preset = memory.presets.get(slug) if isinstance(slug, str) else None
    if preset is None:
        return _miss(str(slug))
    asked = {key: value for key, value in body.items() if key not in ("model", "preset")}
    model = {"model": named} if MARK in str(body.get("model")) else {"model": body.get("model")}
    return merge(preset.active, asked | {key: value for key, value in model.items() if value})


def merge(version: Version, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request that a version and a request make together (facts 85, 86)."""
    merged = {**version.config, **asked}
    if version.config.get("tools") and asked.get("tools"):
        merged["tools"] = unite_tools(version.config["tools"], asked["tools"])
    messages = asked.get("messages")
    if version.system and isinstance(messages, list):
        merged["messages"] = [{"role": "system", "content": version.system}, *messages]
    return merged


def unite_tools(kept: Sequence[Any], asked: Sequence[Any]) -> list[Any]:
    """Return the union of two lists of tools: a preset's first, the request's where both have one (fact 86)."""
    of_request = {_identify_tool(tool): tool for tool in asked}
    names = [_identify_tool(tool) for tool in kept]
    first = [of_request.get(name, tool) for name, tool in zip(names, kept, strict=True)]
    return first + [tool for name, tool in of_request.items() if name not in names]


def _identify_tool(tool: Any) -> tuple[Any, ...]:
    if not isinstance(tool, Mapping):
        return (repr(tool),)
    kind = tool.get("type")
    inner = {"function": "function"}.get(str(kind)) or ("parameters" if kind in _NAMED_BY_PARAMETERS else "")
    named = tool.get(inner)
    return (kind, named.get("name")) if isinstance(named, Mapping) else (kind, tool.get("name"))


def _store(call: Call, slug: str, kind: str, world: World, memory: Memory) -> Answer:
    if not _SLUG.fullmatch(slug):
        return answer_refusal(refuse(400, f"Not a slug: {slug}"))
    if not isinstance(call.body, Mapping):
        return answer_refusal(refuse(400, "Expected a JSON object in the request body"))
    config = {key: value for key, value in call.body.items() if key in KEPT and value is not None}
    system = _read_system(call.body.get(KINDS[kind]), from_messages=kind == "chat/completions")
    before = memory.presets.get(slug) or HostedPreset(slug, ())
    version = Version(len(before.versions) + 1, config, system, tell_moment(world).isoformat())
    preset = evolve(before, versions=(*before.versions, version))
    return evolve(_answer_whole(preset), preset=preset)


def _read_system(value: Any, *, from_messages: bool) -> str | None:
    """Return the text of a system prompt, of a system message where ``from_messages``."""
    if from_messages:
        messages = value if isinstance(value, list) else []
        value = next(
            (m.get("content") for m in messages if isinstance(m, Mapping) and m.get("role") == "system"), None
        )
    if isinstance(value, list):
        value = "\n".join(str(part.get("text") or "") for part in value if isinstance(part, Mapping))
    return value if isinstance(value, str) and value else None


def _answer_whole(preset: HostedPreset) -> Answer:
    designated = preset.version_to_json(preset.active)
    return Answer(body={"data": preset.to_json() | {"designated_version": designated}})


def _answer_page(call: Call, rows: list[dict[str, Any]]) -> Answer:
    offset, limit = call.query.get("offset", "0"), call.query.get("limit", str(PAGE))
    if not (offset.isdecimal() and limit.isdecimal() and 1 <= int(limit) <= 100):
        return answer_refusal(refuse(400))
    page = rows[int(offset) :][: int(limit)]
    return Answer(body={"data": page, "total_count": len(rows)})


def _miss(slug: str) -> Answer:
    return answer_refusal(refuse(404, f"Preset not found: {slug}"))
