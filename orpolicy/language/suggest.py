"""What was probably meant by a name: similar spellings, the right level, the name in this API."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from orpolicy.language.diagnostics import Finding

if TYPE_CHECKING:
    from orpolicy.language.source import Path

CALL_TIME: dict[str, str] = {
    "messages": "pass messages when you call the preset; a standing prompt goes under 'system'",
    "prompt": "pass the prompt when you call the preset; a standing prompt goes under 'system'",
    "input": "pass the input when you call the preset; a standing prompt goes under 'system'",
    "stream": "choose streaming when you call the preset: client.stream(…) or 'orpolicy run --stream'",
}
"""Keys of OpenRouter's request that belong to a call, with what to do instead."""


def _meant(name: str) -> str:
    return f"did you mean '{name}'?"


_ONLY = dict.fromkeys(("allow", "allowed", "allowlist", "whitelist", "include"), _meant("only"))
_IGNORE = dict.fromkeys(
    ("block", "blocked", "blocklist", "blacklist", "deny", "denied", "denylist", "exclude"), _meant("ignore")
)
_KEY = "keys never stand in files; set OPENROUTER_API_KEY in the environment"
_ANYWHERE = "*"
_INSTEAD: dict[str, dict[str, str]] = {
    # in which mapping, what is written there, what to do instead; "" is the top level of a preset
    "": {
        **dict.fromkeys(("base", "inherits", "parent"), _meant("extends")),
        "name": "a preset is named after its file; say what it is for under 'description'",
        "title": "say what the preset is for under 'description'; an app's title goes under 'attribution'",
        "max_length": "use 'max_completion_tokens'",
    },
    "provider": {
        **_ONLY,
        **_IGNORE,
        "fallbacks": _meant("allow_fallbacks"),
        "zero_data_retention": _meant("zdr"),
        "privacy": _meant("data_collection"),
        "speed": "use 'sort: throughput'",
    },
    "max_price": {
        "input": _meant("prompt"),
        "input_price": _meant("prompt"),
        "output": _meant("completion"),
        "output_price": _meant("completion"),
    },
    "sort": {"order": _meant("by"), "strategy": _meant("by")},
    "reasoning": {
        "budget": _meant("max_tokens"),
        "budget_tokens": _meant("max_tokens"),
        "level": _meant("effort"),
        "hidden": _meant("exclude"),
    },
    "function": dict.fromkeys(("arguments", "input_schema", "schema"), _meant("parameters")),
    "system": {
        "path": _meant("file"),
        **dict.fromkeys(("content", "prompt", "role", "text"), "write the text itself: 'system: You …'"),
    },
    _ANYWHERE: {
        # keys of other APIs and of hosted presets: what to write here
        **dict.fromkeys(("api_key", "authorization", "openrouter_api_key"), _KEY),
        **dict.fromkeys(
            ("app_name", "http_referer", "site_url", "x_title"), "use 'attribution: {referer: …, title: …}'"
        ),
        "base_url": "use 'region: eu' or 'region: us'; other hosts are the client's base_url",
        "extra_body": "write its keys here, at the top level",
        "fallbacks": "that is a key of the Messages API; list fallback models under 'models'",
        "function_call": "use 'tool_choice'",
        "functions": "use 'tools' with entries of type 'function'",
        "headers": "use 'attribution', 'anthropic_beta' or 'cache_enabled', or pass headers to the client",
        "inherit_functions": "only the Responses API knows it",
        "instructions": "use 'system'",
        "max_output_tokens": "use 'max_completion_tokens'",
        "stop_sequences": "use 'stop'",
        "system_prompt": "use 'system'",
        "retries": "set them on the client",
        "timeout": "pass a timeout to the client",
        "web_search": "use 'tools: [{type: openrouter:web_search}]'",
        **{
            plugin: f"use 'plugins: [{{id: {plugin}}}]'"
            for plugin in ("response-healing", "file-parser", "context-compression", "auto-router", "fusion")
        },
    },
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
        inside = [home for home in homes if home[: len(here)] == here and not {*here} & {*home[len(here) :]}]
        above = [home for home in homes if here[: len(home)] == home]
        beside = [home for home in homes if len(home) <= 2]
        if key in _COMMON:
            inside, beside = [home for home in inside if here or home == ("defaults",)], []
        for candidates in (inside, above, beside):
            if candidates:
                return min(candidates, key=lambda home: abs(len(home) - len(here)))
        return None


_COMMON = {
    *("name", "type", "id", "description", "model", "models", "enabled", "engine", "parameters", "format"),
    *("environment", "content", "text", "title"),
}
"""Keys at home in so many places, or in so remote ones, that another place is no explanation."""


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
    overlay = path[0] == "environments" if path else False
    scope = path[2:] if overlay else path[1:] if path[:1] == ("defaults",) else path
    if not scope:
        call = find_similar(key, CALL_TIME, cutoff=0.85, partial=False)
        if call is not None:
            return Finding(
                "call-time-key", place, f"'{key}' belongs to a call, not to a preset", CALL_TIME[call], "key"
            )
    home = index.find_home(scope, key)
    if overlay and not scope and () in index.parents.get(key, ()):
        home = ()  # an overlay may not hold every key of a preset
    hint = _find_other_name(scope, key, allowed)
    if hint is None and (home is None or key in _COMMON):
        similar = find_similar(key, allowed)
        hint = _look_up(_ANYWHERE, key) or (_meant(similar) if similar else None)
    if hint is None and home is not None:
        return Finding(
            "misplaced-key",
            place,
            f"'{key}' stands at the wrong level",
            _say_where("put it", home),
            "key",
        )
    hint = hint or _find_remote_name(scope, key, index) or _list_allowed(allowed)
    return Finding("unknown-key", place, f"unknown key '{key}'{_name_stranger(key)}", hint, "key")


def _find_other_name(scope: Path, key: str, allowed: Sequence[str]) -> str | None:
    """Find what a key is called here: other spellings of the same name, then what other APIs call it, then slips."""
    alike = next((name for name in allowed if _normal(name) == _normal(key)), None)
    if alike is not None:
        return _meant(alike)
    parent = next(
        (part for part in reversed(scope) if isinstance(part, str)), "" if "model" in allowed else None
    )
    instead = _look_up(parent, key)
    if instead is not None:
        return instead
    slip = find_similar(key, allowed, cutoff=0.86, partial=False)
    return _meant(slip) if slip is not None else None


def _look_up(parent: str | None, key: str) -> str | None:
    hints = _INSTEAD.get(parent, {}) if parent is not None else {}
    return next((hint for name, hint in hints.items() if _normal(name) == _normal(key)), None)


def _find_remote_name(scope: Path, key: str, index: KeyIndex) -> str | None:
    """Find a key of another level that is spelled like this one."""
    similar = find_similar(key, tuple(index.parents), cutoff=0.85, partial=False)
    home = index.find_home(scope, similar) if similar else None
    return None if home is None else _say_where(f"did you mean '{similar}',", home) + "?"


def _say_where(what: str, home: tuple[str, ...]) -> str:
    return f"{what} in '{'.'.join(home)}'" if home else f"{what} at the top level"


def _name_stranger(key: str) -> str:
    """Name the first character of a key that no key has: most look like a letter or a blank that they are not."""
    stranger = next((character for character in key if not character.isascii()), None)
    if stranger is None:
        return ""
    return f" (it holds U+{ord(stranger):04X}, {unicodedata.name(stranger, 'a character').lower()})"


def find_similar(
    text: Any, choices: Iterable[str], *, cutoff: float = 0.7, partial: bool = True
) -> str | None:
    """Return the choice that is written most like a text, if one is close enough.

    With ``partial`` a text that is the start of a choice, or some of its words, is close enough too.
    """
    if not isinstance(text, str):
        return None
    choices = tuple(choices)
    prefix = text[: text.find(":") + 1]
    if not all(choice.startswith(prefix) for choice in choices):
        prefix = ""  # only what all share says nothing
    by_normal = {_normal(choice[len(prefix) :]): choice for choice in choices}
    text = text[len(prefix) :]
    normal = _normal(text)
    close = _find_closest(normal, by_normal, cutoff)
    if close is not None and (not partial or close[0] >= 0.85):
        return by_normal[close[1]]
    if partial and len(normal) > 2 and (words := _split(text)):
        longer = [
            name for name, choice in by_normal.items() if name.startswith(normal) or words <= _split(choice)
        ]
        if longer:
            return by_normal[min(longer, key=len)]
    if close is not None:
        return by_normal[close[1]]
    shorter = [name for name in by_normal if len(name) > 2 and normal.startswith(name)]
    return by_normal[min(shorter, key=len)] if partial and shorter else None


def _find_closest(text: str, names: Iterable[str], cutoff: float) -> tuple[float, str] | None:
    """Return the name most like a text, with how alike they are; the first one, where several are."""
    import difflib  # noqa: PLC0415 - for mistakes only

    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(text)
    best = None
    for name in names:
        total = len(name) + len(text)
        if total and 2 * min(len(name), len(text)) >= cutoff * total:  # no more letters than these can agree
            matcher.set_seq1(name)
            if matcher.quick_ratio() >= cutoff and (ratio := matcher.ratio()) >= cutoff:
                best, cutoff = (ratio, name), ratio + 1e-9
    return best


@lru_cache(maxsize=4096)
def _split(text: str) -> frozenset[str]:
    """Split a name into its words, in whatever convention it is written."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z]?[a-z0-9.]+|[A-Z]+", text))


def _list_allowed(allowed: Sequence[str]) -> str | None:
    """List what may stand here, where that is short enough to be read."""
    if not allowed or len(allowed) > 12:
        return None
    return f"allowed here: {', '.join(allowed)}"


@lru_cache(maxsize=4096)
def _normal(text: str) -> str:
    """Reduce a name to what spelling conventions leave of it: ``maxTokens``, ``max-tokens`` and ``max_tokens`` agree."""
    return re.sub(r"[^a-z0-9/:*]", "", text.lower())
