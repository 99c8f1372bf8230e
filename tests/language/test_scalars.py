"""Plain scalars: the table of the module, row by row, and its laws."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from orpolicy.language.scalars import NotJsonError, kind_of_key, read_number, read_plain

SAME: list[tuple[str, Any]] = [
    *((text, True) for text in ("true", "True", "TRUE")),
    *((text, False) for text in ("false", "False", "FALSE")),
    *((text, None) for text in ("null", "Null", "NULL", "~", "")),
    *(("12", 12), ("-3", -3), ("+5", 5), ("0", 0), ("-0", 0), ("0x1f", 31), ("0xFF", 255)),
    *(
        ("0.25", Decimal("0.25")),
        ("1.0", Decimal("1.0")),
        ("-1.50", Decimal("-1.50")),
        (".5", Decimal("0.5")),
    ),
    *(("1.", Decimal(1)), ("1.5e+3", Decimal(1500)), ("2.5E-7", Decimal("2.5E-7"))),
    *(
        (text, text)
        for text in ("model", "tRUE", "nUll", "1.2.3", "12abc", "-", ".", "1e", "0x", "0o8", "y", "n")
    ),
    *(
        (text, text)
        for text in ("openai/gpt-5:free", "1 000", "1,5", "$1", "None", "NaN", "inf", "--1", "1-2")
    ),
]
"""Scalars that YAML 1.1 and 1.2 read alike."""

AMBIGUOUS: list[tuple[str, Any, str]] = [
    *(
        (text, text, "bool")
        for text in ("yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF")
    ),
    *((text, text, "int") for text in ("0755", "1_000", "0b11", "1:30", "-1:30", "12:30:45", "0x_1", "00")),
    *((text, text, "float") for text in ("1_0.5", "1:30.5", "08.5")),
    *((text, text, "timestamp") for text in ("2026-01-31", "2026-01-31T10:00:00Z", "2026-1-1 10:00:00")),
    *(
        ("1e3", Decimal(1000), "str"),
        ("1E-3", Decimal("0.001"), "str"),
        ("+.5", Decimal("0.5"), "str"),
        ("-1.5e3", Decimal(-1500), "str"),
    ),
    *(("0o17", 15, "str"), ("0o0", 0, "str")),
]
"""Scalars that YAML 1.1 reads as another kind."""


@pytest.mark.parametrize(("text", "value"), SAME)
def test_both_versions_of_yaml_read_it_alike(text: str, value: Any) -> None:
    scalar = read_plain(text)
    assert (scalar.value, type(scalar.value), scalar.other) == (value, type(value), None)


@pytest.mark.parametrize(("text", "value", "other"), AMBIGUOUS)
def test_yaml_1_1_reads_it_otherwise(text: str, value: Any, other: str) -> None:
    scalar = read_plain(text)
    assert (scalar.value, type(scalar.value), scalar.other) == (value, type(value), other)


@pytest.mark.parametrize(
    "text",
    [
        ".inf",
        "-.inf",
        "+.INF",
        ".nan",
        ".NaN",
        "1e400",
        "-1e-400",
        "1" * 65,
        "0x" + "f" * 63,
        "0." + "1" * 63,
    ],
)
def test_a_number_that_json_cannot_write_is_refused(text: str) -> None:
    with pytest.raises(NotJsonError):
        read_plain(text)
    with pytest.raises(NotJsonError):
        read_number(text)


@pytest.mark.parametrize("text", ["1" * 64, "1e300", "1e-300", "0e999"])
def test_a_number_at_the_limit_is_read(text: str) -> None:
    assert isinstance(read_plain(text).value, int | Decimal)


def test_digits_are_kept() -> None:
    assert [str(read_plain(text).value) for text in ("1.10", "0.00000025", "2.500")] == [
        "1.10",
        "2.5E-7",
        "2.500",
    ]


@given(number=st.one_of(st.integers(-(10**60), 10**60), st.floats(-1e300, 1e300)))
@example(number=1e-05)
@example(number=1e22)
def test_a_json_number_reads_as_itself(number: float) -> None:
    text = json.dumps(number)
    if number == 0 or abs(number) > 1e-300:
        assert read_plain(text).value == Decimal(text)
        assert read_number(text) == Decimal(text)


words = st.text(st.sampled_from("0123456789abefinox+-._:~yYNTZ "), max_size=10).map(str.strip)


@given(text=words)
@example(text="1e3")
@example(text="0o7")
@example(text="=")
def test_what_is_not_called_ambiguous_has_one_kind_in_both_versions(text: str) -> None:
    try:
        scalar = read_plain(text)
        loaded = yaml.safe_load(f"- !!str a\n- {text}\n")[1] if text else None
    except (NotJsonError, yaml.YAMLError, ValueError, TypeError, IndexError):
        return
    if not isinstance(loaded, list | dict) and scalar.other is None and text not in ("=", "<<", "-"):
        kinds = {int: int, float: Decimal, str: str, bool: bool, type(None): type(None)}
        assert type(scalar.value) is kinds[type(loaded)]


@given(text=words)
def test_reading_a_number_agrees_with_reading_a_scalar(text: str) -> None:
    try:
        number, scalar = read_number(text), read_plain(text).value
    except NotJsonError:
        return
    if number is None:
        assert isinstance(scalar, str | bool | None)
    else:
        assert (number, type(number)) == (scalar, type(scalar))


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("no", "bool"),
        ("true", "bool"),
        ("null", "null"),
        ("~", "null"),
        ("1.5", "float"),
        ("0755", "int"),
        ("1:30", "int"),
    ],
)
def test_a_key_that_other_readers_retype_is_told(key: str, kind: str) -> None:
    assert kind_of_key(key) == kind


@pytest.mark.parametrize("key", ["model", "50256", "-5", "0", "y", "1e3", "a:b"])
def test_a_key_with_the_same_text_everywhere_is_none(key: str) -> None:
    assert kind_of_key(key) is None
