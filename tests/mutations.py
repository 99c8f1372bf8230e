"""Hypothesis strategies that break what is right: documents with one or a few mistakes anywhere in them.

================================  ===================================================================
``mutations(values)``             data: keys renamed, dropped, added; values of other kinds, moved, wrapped
``garbled(texts)``                text: bytes and lines deleted, doubled, swapped, inserted, cut off
``json_values()``                 any JSON, with decimals
================================  ===================================================================
"""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

ODD_NUMBERS = st.sampled_from(
    [0, -1, 1, 2**31, 2**63, 10**30, Decimal("0.5"), Decimal("-0.1"), Decimal("1E-30"), Decimal("1E+30")]
)
ODD_TEXTS = st.sampled_from(
    [
        "",
        " ",
        "true",
        "no",
        "0",
        "1.5",
        "\n",
        "a/b\n",
        "é",
        "\U0001f600",
        "sort",
        "web",
        "openrouter:auto",
        "x" * 600,
    ]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), ODD_NUMBERS, ODD_TEXTS, st.text(max_size=8))
KEYS = st.text(max_size=6)
SNIPPETS = st.sampled_from(
    [
        *(
            "\t",
            ": ",
            "- ",
            "#",
            " #",
            '"',
            "'",
            "{",
            "}",
            "[",
            "]",
            ",",
            "&a ",
            "*a",
            "!!str ",
            "!x ",
            "|\n",
            ">-\n",
        ),
        *(
            "---\n",
            "...\n",
            "%YAML 1.1\n",
            "? ",
            "@",
            "`",
            "<<: ",
            "\x00",
            "\x07",
            "\x85",
            "\u2028",
            "\ufeff",
            "\ud800",
        ),
        *(
            "no",
            "0o7",
            "1:30",
            ".nan",
            "~",
            "\r\n",
            "\\",
            "# orpolicy: ignore[",
            "sk-or-v1-" + "0" * 16,
            "\xa0",
            "é",
        ),
    ]
)


def json_values(
    leaves: Strategy = SCALARS, *, keys: st.SearchStrategy[str] = KEYS, max_leaves: int = 12
) -> Strategy:
    """Generate any JSON whose keys are texts."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=max_leaves,
    )


@st.composite
def mutations(draw: st.DrawFn, values: Strategy, *, most: int = 3) -> Any:
    """Generate values with up to ``most`` changes, each at a random place."""
    value = copy.deepcopy(draw(values))
    for _ in range(draw(st.integers(1, most)) if most > 1 else 1):
        holders = [(holder, key) for holder in _collections(value) for key in _keys(holder)]
        if holders:
            holder, key = draw(st.sampled_from(holders))
            draw(st.sampled_from(_CHANGES))(draw, holder, key)
    return value


@st.composite
def garbled(draw: st.DrawFn, texts: st.SearchStrategy[str], *, most: int = 4) -> str:
    """Generate texts with up to ``most`` accidents: of an editor, of a merge, of a shell."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, most))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 20)))
        lines = text.splitlines(keepends=True)
        match draw(st.sampled_from(("delete", "double", "insert", "cut", "line", "lines"))):
            case "delete":
                text = text[:start] + text[end:]
            case "double":
                text = text[:end] + text[start:]
            case "insert":
                text = text[:start] + draw(SNIPPETS) + text[start:]
            case "cut":
                text = text[:end]
            case "line" if lines:
                lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(lines)))
                text = "".join(lines)
            case "lines" if len(lines) > 1:
                one, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
                lines[one], lines[other] = lines[other], lines[one]
                text = "".join(lines)
    return text


def _collections(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value, *(inner for item in value.values() for inner in _collections(item))]
    if isinstance(value, list):
        return [value, *(inner for item in value for inner in _collections(item))]
    return []


def _keys(holder: Any) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def _replace(draw: st.DrawFn, holder: Any, key: Any) -> None:
    holder[key] = draw(json_values(max_leaves=3))


def _nudge(draw: st.DrawFn, holder: Any, key: Any) -> None:
    """Change a scalar a little: another case, a letter more, a number just past its bound."""
    value = holder[key]
    if isinstance(value, str):
        holder[key] = draw(
            st.sampled_from([value.upper(), value + " ", value[:-1], value + "\n", value * 2, f"é{value}"])
        )
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        holder[key] = draw(
            st.sampled_from([-value, value + 1, value * 10**6, Decimal(value) / 10, str(value)])
        )
    else:
        holder[key] = [value]


def _drop(_draw: st.DrawFn, holder: Any, key: Any) -> None:
    del holder[key]


def _rename(draw: st.DrawFn, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        name = draw(
            st.sampled_from(
                [key[:-1], key + "s", key.upper(), key.replace("_", ""), "order", "type", "messages"]
            )
        )
        holder[name] = holder.pop(key)
    else:
        holder.append(holder[key])


def _wrap(draw: st.DrawFn, holder: Any, key: Any) -> None:
    holder[key] = draw(st.sampled_from([[holder[key]], {"append": [holder[key]]}, {"type": holder[key]}]))


def _add(draw: st.DrawFn, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[draw(st.sampled_from(["zdr", "modle", "name", "id", "enabled", "é"]))] = draw(SCALARS)
    else:
        holder.insert(key, draw(SCALARS))


_CHANGES = (_replace, _nudge, _nudge, _nudge, _drop, _rename, _wrap, _add)
