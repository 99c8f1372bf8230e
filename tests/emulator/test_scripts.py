"""Files of faults: what is right is a fault, what is wrong is named with its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from orpolicy.emulator.faults import KINDS, Fault
from orpolicy.emulator.scripts import read_faults
from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_every_field_of_a_fault_can_be_written(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    row = {
        "kind": "stall",
        "status": 503,
        "retry_after": "Wed, 21 Oct 2026 07:28:00 GMT",
        "model": "a/b",
        "provider": "azure",
        "requests": [1, 2],
        "every": 2,
        "after": 0,
        "seconds": 0.5,
        "size": 3,
        "text": "words",
        "message": "why",
    }
    file.write_text(json.dumps({"faults": [row, *({"kind": kind} for kind in KINDS)]}))
    first, *others = read_faults(file)
    assert first == Fault(**(row | {"requests": (1, 2)}))  # type: ignore[arg-type]
    assert others == [Fault(kind) for kind in KINDS]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("faults: [{kind: stat}]", ":1:17: 'kind' must be one of status, error_body"),
        ("faults: [{status: 500}]", ":1:10: 'kind' is missing"),
        ("faults: [{kind: cut, afer: 2}]", ":1:22: a fault has no 'afer'; did you mean 'after'?"),
        ("faults: [{kind: cut, zzz: 2}]", "a fault has no 'zzz'; there are: kind, status"),
        ("faults: [{kind: status, status: 200}]", "'status' must be an HTTP status from 400 to 599"),
        ("faults: [{kind: status, status: '500'}]", "'status' must be an HTTP status from 400 to 599"),
        ("faults: [{kind: status, retry_after: -1}]", "'retry_after' must be a whole number of seconds"),
        ("faults: [{kind: status, requests: 3}]", "'requests' must be a list of whole numbers from 1"),
        ("faults: [{kind: status, requests: [0]}]", "'requests' must be a list of whole numbers from 1"),
        ("faults: [{kind: status, every: true}]", "'every' must be a whole number from 1"),
        ("faults: [{kind: slow, seconds: -0.5}]", "'seconds' must be a number of seconds from 0"),
        ("faults: [{kind: text, text: 3}]", "'text' must be a text"),
        ("faults: [slow]", ":1:10: a fault is a mapping"),
        ("faults: 3", ":1:9: 'faults' must be a list of faults"),
        ("{}", "'faults' must be a list of faults"),
        ("fault: []", ":1:1: there is no key 'fault' here; the only one is 'faults'"),
        ("faults: [", "faults.yaml:1:"),
        ("faults: []\nfaults: []", ":2:1: "),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_faults(file)
    assert said in str(caught.value)


def test_every_mistake_is_named(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n- {kind: x}\n- {kind: cut, after: -1}\n")
    with pytest.raises(UsageError, match=r"(?s):2:10: 'kind'.*\n.*:3:22: 'after'"):
        read_faults(file)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_bytes(b"faults: \xff")
    with pytest.raises(UsageError, match="not valid UTF-8"):
        read_faults(file)
