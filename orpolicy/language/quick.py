"""The nodes of an ordinary document as data, at once; of any other, nothing.

Most documents hold nothing to report: no tags, no aliases, no key twice, no scalar that two readers take differently.
``read_quickly`` reads those, and leaves whatever else there is to :mod:`orpolicy.language.walk`, which says what and
where. A property test keeps the two in agreement: where this one answers, the walk gives the same data and no finding.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from yaml import MappingNode, ScalarNode, SequenceNode

from orpolicy.language.nodes import IMPLICIT
from orpolicy.language.scalars import NotJsonError, kind_of_key, read_plain
from orpolicy.language.secrets import holds_secret

if TYPE_CHECKING:
    import yaml

    from orpolicy.language.scalars import Json

LONGEST = 50_000
"""Characters; a text of so many holds fewer nodes than the limit, which then need not be counted."""

MOST_SCALARS = 4_096
"""Plain scalars and keys to remember; files repeat themselves."""


class Unusual(Exception):
    """There is something to say; it never leaves this module."""


def read_quickly(text: str, root: yaml.Node | None) -> dict[str, Json] | None:
    """Return the data of a document of which there is nothing to say, else ``None``.

    No credential is looked for in the text as it is written, only behind its escapes.
    """
    unusual = len(text) > LONGEST or ("&" in text and "*" in text) or ("\\" in text and _may_hide(text))
    if unusual or type(root) is not MappingNode:
        return None
    try:
        return _read_mapping(root)
    except Unusual:
        return None


_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
"""What people write; another escape may stand for anything."""

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def _may_hide(text: str) -> bool:
    """Tell whether an escape may stand for what is worth a finding: an unusual character, or a credential around it."""
    if not _ESCAPES.keys() >= set(_ESCAPE.findall(text)):
        return True
    return holds_secret(_ESCAPE.sub(lambda found: _ESCAPES[found[1]], text))


def _read_mapping(node: Any) -> dict[str, Json]:
    if node.tag != IMPLICIT:
        raise Unusual
    data: dict[str, Json] = {}
    for key, value in node.value:
        if type(key) is not ScalarNode or key.tag != IMPLICIT:
            raise Unusual
        name = key.value
        if name in data or not (key.style or name in _PLAIN_KEYS or _is_plain_key(name)):
            raise Unusual
        kind = type(value)
        if kind is ScalarNode:
            if value.tag != IMPLICIT:
                raise Unusual
            text = value.value
            data[name] = text if value.style else _PLAIN[text] if text in _PLAIN else _read_plain(text)
        else:
            data[name] = _read_mapping(value) if kind is MappingNode else _read_sequence(value)
    return data


def _read_sequence(node: Any) -> list[Json]:
    if type(node) is not SequenceNode or node.tag != IMPLICIT:
        raise Unusual
    data: list[Json] = []
    for value in node.value:
        kind = type(value)
        if kind is ScalarNode:
            if value.tag != IMPLICIT:
                raise Unusual
            text = value.value
            data.append(text if value.style else _PLAIN[text] if text in _PLAIN else _read_plain(text))
        else:
            data.append(_read_mapping(value) if kind is MappingNode else _read_sequence(value))
    return data


_PLAIN: Final[dict[str, Any]] = {}
_PLAIN_KEYS: Final[set[str]] = set()
"""What was read before. Nothing is ever forgotten singly: when it is full, all of it goes."""


def _read_plain(text: str) -> Any:
    """Read a plain scalar that every reader takes for the same."""
    try:
        scalar = read_plain(text)
    except NotJsonError as error:
        raise Unusual from error
    value = scalar.value
    if scalar.other is not None or (type(value) is Decimal and value == value.to_integral_value()):
        raise Unusual
    if len(_PLAIN) >= MOST_SCALARS:
        _PLAIN.clear()
    _PLAIN[text] = value
    return value


def _is_plain_key(name: str) -> bool:
    """Tell whether a plain key is one, and remember it."""
    if name in ("", "<<") or kind_of_key(name) is not None:
        return False
    if len(_PLAIN_KEYS) >= MOST_SCALARS:
        _PLAIN_KEYS.clear()
    _PLAIN_KEYS.add(name)
    return True
