"""What to write in place of a wrong value.

=================  ==================================  ===========================================
wanted             written                             suggested
=================  ==================================  ===========================================
true or false      ``"yes"``, ``on``, ``1``            ``true``
a number           ``"0.7"``, ``0,7``, ``$1``, ``2s``  ``0.7``, ``0.7``, ``1``, without ``s``
a list             ``azure``, ``{type: x}``            ``[azure]``, ``- type: x``
a mapping          ``high``, ``2000``, ``[azure]``     ``{effort: high}``, ``{order: [azure]}``
text               ``42``, ``{id: a/b}``               ``"42"``, ``a/b``
a pattern          ``openai/gpt 4o``                   the nearest text that matches it
=================  ==================================  ===========================================
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from orpolicy.language.suggest import find_similar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orpolicy.language.source import Path


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a schema's pattern as JSON Schema means it: ``$`` is the end of the text, not also a line break before it."""
    return re.compile(re.sub(r"(?<!\\)\$(?=\)|\||\Z)", r"\\Z", pattern))


_LONGEST = 200
"""Characters of a text that may have been meant as something else."""


def suggest_value(value: Any, wanted: Sequence[str], schema: Mapping[str, Any], path: Path) -> str | None:
    """Return what to write in place of a value of the wrong kind.

    ``wanted`` holds JSON Schema's names of types, or ``pattern`` for text of the wrong form; ``schema`` has its references
    resolved, one level deep.
    """
    if isinstance(value, str):
        if len(value) > _LONGEST:
            return None
        warning = _explain_strange_text(value)
        if warning is not None:
            return warning
    single = isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list | dict)
    if single and not {"array", "object"} & {*wanted} and path[-1:] != ("model",):
        return f"write {value[0]}"
    for kind, suggest in _SUGGEST.items():
        if kind in wanted:
            hint = suggest(value, schema, path)
            if hint is not None and "\n" not in hint:  # it quotes a text of several lines
                return hint
    return None


def suggest_choice(value: Any, choices: Sequence[Any], path: Path) -> str | None:
    """Return the choice that was probably meant."""
    texts = [choice for choice in choices if isinstance(choice, str)]
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    meant = _SYNONYMS.get(key, {}).get(str(value).lower()) if not isinstance(value, list | dict) else None
    similar = meant if meant in texts else find_similar(value, texts)
    return f"did you mean '{similar}'?" if similar else suggest_value(value, (), {}, path)


_SYNONYMS: dict[str, dict[str, str]] = {
    # key, what is written there, what it is called
    "sort": {"speed": "throughput", "fastest": "throughput", "cost": "price", "cheapest": "price"},
    "by": {"speed": "throughput", "fastest": "throughput", "cost": "price", "cheapest": "price"},
    "data_collection": dict.fromkeys(("false", "no", "none", "never", "off", "denied"), "deny"),
    "tool_choice": {"any": "required"},
    "service_tier": {"cheap": "flex", "batch": "flex", "standard": "default"},
    "quantizations": {
        "float16": "fp16",
        "float32": "fp32",
        "bfloat16": "bf16",
        "8bit": "int8",
        "4bit": "int4",
    },
}


def _explain_strange_text(text: str) -> str | None:
    if re.search("[\u201c-\u201e\u2018\u2019\u00ab\u00bb]", text):
        return "replace the typographic quotes by straight ones"
    if re.search(r"\$\{|\$[A-Z]|\{\{|<[A-Z_]+>", text):
        return "nothing is filled in here, from the environment or a template; write the value itself"
    return None


_SWITCHES = {
    **dict.fromkeys(("yes", "on", "y", "true", "enabled", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "false", "disabled", "0"), "false"),
}


def _suggest_boolean(value: Any, _schema: Mapping[str, Any], _path: Path) -> str | None:
    if isinstance(value, list | dict):
        return None
    word = _SWITCHES.get(str(value).lower().strip(" ,;"))
    return f"write {word}" if word else "write true or false"


_NUMBER_IN_TEXT = re.compile(r"\s*[$€£]?\s*([-+]?[0-9][0-9_, \xa0]*(?:\.[0-9]+)?)\s*([^\s0-9.,_][^0-9]*)?\Z")
_CURRENCIES = ("$", "€", "£", "usd", "dollars")


def _suggest_number(value: Any, schema: Mapping[str, Any], _path: Path) -> str | None:
    found = _NUMBER_IN_TEXT.match(value) if isinstance(value, str) else None
    if not found:
        return None
    unit = (found[2] or "").strip()
    if unit and unit.lower() not in _CURRENCIES:
        return f"write the number alone, without '{unit}'"
    plain = re.sub(r"[_ \xa0]", "", found[1]).rstrip(",")
    comma_is_point = plain.count(",") == 1 and not re.search(r",\d{3}\Z", plain)
    try:
        number = Decimal(plain.replace(",", "." if comma_is_point else ""))
    except InvalidOperation:
        return None
    whole = number == number.to_integral_value()
    if not whole and "number" not in _kinds(schema):
        return None
    return f"write {int(number) if whole else number}"


def _suggest_list(value: Any, schema: Mapping[str, Any], path: Path) -> str | None:
    if isinstance(value, dict):
        return "begin each entry with '- '"
    if isinstance(value, bool | list) or value is None or "string" in _kinds(schema):
        return None
    if isinstance(value, str) and re.match(r"-\S", value):
        return "put a space after each '-'"
    item = schema.get("items", {})
    short = _suggest_mapping(value, item, path) if "object" in _kinds(item) else None
    return f"write [{short.removeprefix('write ') if short else value}]"


def _suggest_mapping(value: Any, schema: Mapping[str, Any], _path: Path) -> str | None:
    """Find the one key of a mapping that takes this value: ``reasoning: high`` was meant as ``{effort: high}``."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    if isinstance(value, bool):
        return f"write {{enabled: {str(value).lower()}}}" if "enabled" in properties else None
    if isinstance(value, str):
        for key, child in properties.items():
            if value in child.get("enum", ()):
                return f"write {{{key}: {value}}}"
        for key, child in properties.items():
            similar = find_similar(value, [choice for choice in child.get("enum", ()) if choice is not None])
            if similar:
                return f"write {{{key}: {similar}}}"
        taker = _find_text_key(value, schema)
        if taker is not None:
            return f"write {{{taker}: {value}}}"
    kinds = _TAKEN_BY.get(type(value), set())
    takers = [key for key, child in properties.items() if kinds & {*_kinds(child)}]
    if isinstance(value, str | list):
        items = [value] if isinstance(value, str) else value
        plain = len(items) <= 4 and all(isinstance(item, str) and item.isprintable() for item in items)
        return f"write {{{takers[0]}: [{', '.join(items)}]}}" if takers and plain else None
    return f"write {{{takers[0]}: {value}}}" if len(takers) == 1 else _list_keys(properties)


def _find_text_key(value: str, schema: Mapping[str, Any]) -> str | None:
    """Find the key of a mapping that takes a text of this form, a required one before others."""
    required = [*schema.get("required", ()), *schema.get("x-orpolicy-required", ())]
    properties: Mapping[str, Any] = schema.get("properties", {})
    for key in sorted(properties, key=lambda key: key not in required):
        child = properties[key]
        if "string" in _kinds(child) and compile_pattern(child.get("pattern", "")).search(value):
            return key
    return None


_TAKEN_BY: dict[type, set[str]] = {
    str: {"array"},
    list: {"array"},
    int: {"integer", "number"},
    Decimal: {"number"},
}
"""The types of the keys of a mapping that may take a value which stands in the mapping's place."""


def _list_keys(properties: Mapping[str, Any]) -> str | None:
    return f"its keys are {', '.join(properties)}" if 1 < len(properties) <= 8 else None


def _suggest_text(value: Any, schema: Mapping[str, Any], path: Path) -> str | None:
    if isinstance(value, list) and path and path[-1] == "model":
        return "list fallbacks under 'models'"
    if isinstance(value, dict):
        texts = [item for item in value.values() if isinstance(item, str)]
        return f"write {texts[0]}" if len(value) == len(texts) == 1 else None
    if not isinstance(value, int | Decimal) or schema.get("enum"):
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    fits = "pattern" not in schema or compile_pattern(schema["pattern"]).search(text)
    return f'write "{text}", in quotes' if fits else None


def _suggest_match(value: Any, schema: Mapping[str, Any], path: Path) -> str | None:
    """Repair a text that does not match its pattern, if a usual repair makes it match."""
    pattern = schema.get("pattern")
    if pattern is None or not isinstance(value, str) or "timezone" in path:
        return None
    matches = compile_pattern(pattern).search
    fixed = next((fixed for repair in _REPAIRS if (fixed := repair(value)) != value and matches(fixed)), None)
    if fixed is not None:
        return f"did you mean '{fixed}'?"
    parts = [part for part in re.split(r"[\s,;|]+(?:-\s+)?", value.strip()) if part]
    if len(parts) > 1 and all(matches(part) for part in parts):
        shown = ", ".join(parts)
        return (
            f"list them under 'models': [{shown}]"
            if path[-1:] == ("model",)
            else f"make entries of them: {shown}"
        )
    stranger = next(
        (character for character in value if not (character.isascii() and character.isprintable())), None
    )
    if stranger is not None:
        return f"it holds U+{ord(stranger):04X}, {unicodedata.name(stranger, 'a control character').lower()}"
    fixed = next((fixed for repair in _LAST_REPAIRS if matches(fixed := repair(value))), None)
    return f"did you mean '{fixed}'?" if fixed is not None else None


def _replace(pattern: str, by: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(by, text).strip()


_REPAIRS: tuple[Callable[[str], str], ...] = (
    lambda text: text.strip(" \t\n\"'`,;/"),
    lambda text: text.strip().lower(),
    lambda text: unicodedata.normalize("NFKC", re.sub("[\u00ad\u200b-\u200f\u2060\ufeff]", "", text)),
    _replace("[\u2010-\u2015\u2212]", "-"),
    _replace(r"\A(?:https?://)?(?:www\.)?openrouter(?:\.ai)?/(?:models/)?", ""),
    _replace(r"\A@preset/", ""),
    _replace(r"\A\w+://(?:www\.)?", ""),
    _replace(r"\s+(?://|#|--).*|[#?].*", ""),  # a comment of another language, the rest of an address
    _replace(r"\s*([:/@])\s*", r"\1"),
    _replace(r"[\\/]+", "/"),
    _replace(r"\s+", "-"),
    lambda text: re.sub(r"[\s_]+", "-", text.strip()).lower(),
    lambda text: f"{_AUTHORS.get(re.split('[-:._0-9]', text)[0], '')}/{text}",
    _replace(r"\A([a-z-]+)[:.]", r"\1/"),
)
"""Usual repairs, the gentlest first."""

_LAST_REPAIRS: tuple[Callable[[str], str], ...] = (
    lambda text: re.sub(r"[^A-Za-z0-9-]+", "-", text).strip("-").lower(),
    lambda text: re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_"),
)

_AUTHORS: dict[str, str] = {
    # how a model's name begins, and who makes it
    "auto": "openrouter",
    "claude": "anthropic",
    "command": "cohere",
    "deepseek": "deepseek",
    "gemini": "google",
    "gemma": "google",
    "gpt": "openai",
    "grok": "x-ai",
    "kimi": "moonshotai",
    "llama": "meta-llama",
    "mistral": "mistralai",
    "mixtral": "mistralai",
    "o": "openai",
    "qwen": "qwen",
}


def _kinds(schema: Mapping[str, Any]) -> Sequence[str]:
    """Return the types that a schema takes, also where a choice by type hides them."""
    kinds = schema.get("type", schema.get("else", {}).get("type", ()))
    return [kinds] if isinstance(kinds, str) else kinds


_SUGGEST: dict[str, Callable[[Any, Mapping[str, Any], Path], str | None]] = {
    # in this order: text where a number stands is quoted rather than put into a list
    "integer": _suggest_number,
    "number": _suggest_number,
    "boolean": _suggest_boolean,
    "string": _suggest_text,
    "pattern": _suggest_match,
    "array": _suggest_list,
    "object": _suggest_mapping,
}
