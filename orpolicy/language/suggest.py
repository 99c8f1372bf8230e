"""What was probably meant: similar spellings, the right level, the right kind of value."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from attrs import frozen

from orpolicy.language.diagnostics import Finding
from orpolicy.language.source import Path

CALL_TIME: dict[str, str] = {
    "messages": "pass messages when you call the preset; a standing prompt goes under 'system'",
    "prompt": "pass the prompt when you call the preset; a standing prompt goes under 'system'",
    "input": "pass the input when you call the preset; a standing prompt goes under 'system'",
    "stream": "choose streaming when you call the preset: client.stream(…) or 'orpolicy run --stream'",
}
"""Keys of OpenRouter's request that belong to a call, with what to do instead."""

_ELSEWHERE: dict[str, str] = {
    # keys of other APIs and of hosted presets: what to write here
    "api_key": "keys never stand in files; set OPENROUTER_API_KEY in the environment",
    "base_url": "use 'region: eu' or 'region: us'; other hosts are the client's base_url",
    "extra_body": "write its keys here, at the top level",
    "fallbacks": "that is a key of the Messages API; list fallback models under 'models'",
    "function_call": "use 'tool_choice'",
    "functions": "use 'tools' with entries of type 'function'",
    "headers": "use 'attribution', 'anthropic_beta' or 'cache_enabled', or pass headers to the client",
    "instructions": "use 'system'",
    "max_output_tokens": "use 'max_completion_tokens'",
    "system_prompt": "use 'system'",
    "inherit_functions": "only the Responses API knows it",
    "input_price": "use 'prompt'",
    "output_price": "use 'completion'",
    "output": "did you mean 'completion'?",
    "stop_sequences": "use 'stop'",
    "timeout": "pass a timeout to the client",
}


@frozen
class KeyIndex:
    """Every key of a schema with the mappings in which it may stand (paths without list numbers)."""

    parents: Mapping[str, tuple[tuple[str, ...], ...]]

    @classmethod
    def build(cls, schema: Mapping[str, Any], resolve: Callable[[Mapping[str, Any], Any], Any]) -> KeyIndex:
        """Index the keys of a schema; ``resolve`` follows its references."""
        parents: dict[str, dict[tuple[str, ...], None]] = {}
        for parent, key in _walk_keys(lambda node: resolve(schema, node), schema, ()):
            parents.setdefault(key, {})[parent] = None
        return cls({key: tuple(found) for key, found in parents.items()})

    def find_home(self, path: Path, key: str) -> tuple[str, ...] | None:
        """Return where a key should stand, if that is near: inside here, else further up, else in a top-level mapping."""
        here = tuple(part for part in path if isinstance(part, str))
        homes = [home for home in self.parents.get(key, ()) if home != here]
        inside = [home for home in homes if home[: len(here)] == here]
        above = [home for home in homes if here[: len(home)] == home]
        beside = [] if key in _COMMON else [home for home in homes if len(home) <= 2]
        for candidates in (inside, above, beside):
            if candidates:
                return min(candidates, key=lambda home: (abs(len(home) - len(here)), home))
        return None


_COMMON = {"name", "type", "id", "description", "model", "models", "enabled", "engine", "parameters", "format"}
"""Keys at home in so many places that another place is no explanation."""


def _walk_keys(
    resolve: Callable[[Any], Any], node: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(node, Mapping) or len(path) > _DEEPEST:
        return
    node = resolve(node)
    if "x-orpolicy-merge" in node and node.get("if") == {"type": "object"}:
        node = node["else"]  # the list itself; its edits hold the same items once more
    for key, child in node.get("properties", {}).items():
        yield path, key
        if key != "environments":
            yield from _walk_keys(resolve, child, (*path, key))
    for keyword in ("items", "then", "else"):
        yield from _walk_keys(resolve, node.get(keyword), path)
    for child in node.get("allOf", ()):
        yield from _walk_keys(resolve, child, path)


_DEEPEST = 4
"""Levels; a key further down is no near home, and schemas may be recursive."""


def explain_unknown_key(path: Path, key: str, allowed: Sequence[str], index: KeyIndex) -> Finding:
    """Say what is wrong with a key that may not stand here: its name, its level, or its time."""
    place = (*path, key)
    top = not path or (path[0] == "environments" and len(path) == 2) or path == ("defaults",)
    if top and key in CALL_TIME:
        return Finding("call-time-key", place, f"'{key}' belongs to a call, not to a preset", CALL_TIME[key], "key")
    message = f"unknown key '{key}'"
    alike = next((name for name in allowed if _normal(name) == _normal(key)), None)
    if alike is not None:
        return Finding("unknown-key", place, message, f"did you mean '{alike}'?", "key")
    scope = path[2:] if path[:1] == ("environments",) else path[1:] if path[:1] == ("defaults",) else path
    home = index.find_home(scope, key)
    if home is not None:
        where = f"it belongs in '{'.'.join(home)}'" if home else "it belongs at the top level"
        return Finding("misplaced-key", place, f"'{key}' stands at the wrong level", where, "key")
    if key in _ELSEWHERE:
        return Finding("unknown-key", place, message, _ELSEWHERE[key], "key")
    similar = find_similar(key, allowed)
    if similar is None:
        far = find_similar(key, tuple(index.parents), cutoff=0.85)
        home = index.find_home(scope, far) if far else None
        if far is not None and home is not None:
            where = f"in '{'.'.join(home)}'" if home else "at the top level"
            return Finding("unknown-key", place, message, f"did you mean '{far}', {where}?", "key")
        return Finding("unknown-key", place, message, suggest_whole(allowed), "key")
    return Finding("unknown-key", place, message, f"did you mean '{similar}'?", "key")


def find_similar(text: Any, choices: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the choice that is written most like a text, if one is close enough."""
    if not isinstance(text, str):
        return None
    choices = tuple(choices)
    prefix = os.path.commonprefix([text, *choices]).rpartition(":")[0]  # what all share says nothing
    by_normal = {_normal(choice[len(prefix) :]): choice for choice in choices}
    text = text[len(prefix) :]
    found = difflib.get_close_matches(_normal(text), list(by_normal), n=1, cutoff=cutoff)
    if found:
        return by_normal[found[0]]
    starts = [choice for normal, choice in by_normal.items() if len(normal) > 2 and _normal(text).startswith(normal)]
    return starts[0] if starts else None


def suggest_whole(allowed: Sequence[str]) -> str | None:
    """List what may stand here, where that is short enough to be read."""
    if not allowed or len(allowed) > 12:
        return None
    return f"allowed here: {', '.join(allowed)}"


def _normal(text: str) -> str:
    """Reduce a name to what spelling conventions leave of it: ``maxTokens``, ``max-tokens`` and ``max_tokens`` agree."""
    return re.sub(r"[^a-z0-9/:*]", "", text.lower())


_SWITCHES = {**dict.fromkeys(("yes", "on", "y", "true"), "true"), **dict.fromkeys(("no", "off", "n", "false"), "false")}
_NUMBER_IN_TEXT = re.compile(r"\s*[$€]?\s*([-+]?[0-9][0-9_,]*(?:\.[0-9]+)?)\s*[$€]?\s*(?:USD)?\s*\Z")


def suggest_value(value: Any, wanted: Sequence[str], schema: Mapping[str, Any], path: Path) -> str | None:
    """Return what to write in place of a value of the wrong kind; the schema's properties are resolved."""
    if isinstance(value, str) and re.search("[“”‘’«»„]", value):
        return "replace the typographic quotes by straight ones"
    if isinstance(value, str) and ({"number", "integer"} & set(wanted)):
        return _suggest_number(value, integer="number" not in wanted)
    if "boolean" in wanted and not isinstance(value, list | dict):
        word = _SWITCHES.get(str(value).lower()) or {1: "true", 0: "false"}.get(value)
        return f"write {word}" if word else "write true or false"
    if "array" in wanted and isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        return f"write [{value}]"
    if "object" in wanted and isinstance(value, str | bool):
        return _suggest_short_form(value, schema)
    if isinstance(value, list) and path and path[-1] == "model":
        return "list fallbacks under 'models'"
    if "string" in wanted and isinstance(value, int | Decimal):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return None if schema.get("enum") else f'write "{text}", in quotes'
    if isinstance(value, str) and "pattern" in wanted:
        return _suggest_text(value, schema)
    return None


def _suggest_number(text: str, *, integer: bool) -> str | None:
    found = _NUMBER_IN_TEXT.match(text)
    if not found:
        return None
    plain = found[1].replace("_", "")
    plain = plain.replace(",", ".") if plain.count(",") == 1 and not re.search(r",\d{3}\Z", plain) else plain.replace(",", "")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return None
    if integer and number != number.to_integral_value():
        return None
    return f"write {int(number) if number == number.to_integral_value() else number}"


def _suggest_short_form(value: str | bool, schema: Mapping[str, Any]) -> str | None:
    """Find the one key of a mapping that takes this value: ``reasoning: high`` was meant as ``{effort: high}``."""
    shown = str(value).lower() if isinstance(value, bool) else value
    for key, child in schema.get("properties", {}).items():
        choices = child.get("enum", ())
        if value in choices and not (isinstance(value, bool) ^ any(isinstance(choice, bool) for choice in choices)):
            return f"write {{{key}: {shown}}}"
    if isinstance(value, bool) and "enabled" in schema.get("properties", {}):
        return f"write {{enabled: {shown}}}"
    return None


def _suggest_text(value: str, schema: Mapping[str, Any]) -> str | None:
    """Repair a text that does not match its pattern, if a usual repair makes it match."""
    pattern = schema.get("pattern")
    if pattern is None or "timezone" in schema.get("description", ""):
        return None
    repairs = (
        value.strip(),
        re.sub(r"\Ahttps?://(?:www\.)?openrouter\.ai/(?:models/)?", "", value),
        re.sub(r"\s+", "-", value.strip()),
        re.sub(r"[\s_]+", "-", value.strip()).lower(),
        re.sub(r"[^A-Za-z0-9-]+", "-", value).strip("-").lower(),
        re.sub(r"[^A-Za-z0-9_-]+", "_", value).strip("_"),
    )
    fixed = next((repair for repair in repairs if repair != value and re.search(pattern, repair)), None)
    return f"did you mean '{fixed}'?" if fixed else None
