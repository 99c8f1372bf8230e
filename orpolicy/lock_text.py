"""The text of a lock, before anything in it means something: its head, its digest, and the kinds of its members.

.. code-block:: text

    {
      "format": "orpolicy-lock",
      "version": 1,
      "digest": "sha256:…",        over all that follows
      …

Whatever does not look like what a program wrote is refused in one sentence.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from orpolicy.errors import LockError
from orpolicy.language.lowered import REGIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCK_FILE = "orpolicy.lock"
FORMAT = "orpolicy-lock"
VERSION = 1
AGAIN = "write it again with 'orpolicy lock'"
MAX_BYTES = 64 * 1024 * 1024
HEAD = f'{{\n  "format": "{FORMAT}",\n  "version": {VERSION},\n  "digest": "'
"""How every lock begins; its digest follows, and all that the digest is over."""

_MARKERS = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?: |$)", re.MULTILINE)
_MEMBERS = {"environments": list, "rules": dict, "policies": dict, "presets": list}
_PARTS: Mapping[str, tuple[type, ...]] = {
    "preset": (str,),
    "environment": (str, type(None)),
    "base_url": (str,),
    "body": (dict,),
    # and these, where they are there
    "headers": (dict,),
    "max_cost": (str,),
    "system": (list,),
    "policies": (list,),
    "composed": (dict,),
    "silenced": (list,),
}
_ALWAYS = ("preset", "environment", "base_url", "body")


def read_members(raw: bytes, name: str) -> tuple[str, Mapping[str, Any]]:
    """Read the bytes of a lock as text, and as JSON; ``name`` is how messages call it.

    Raises:
        LockError: it is too large, broken, edited or of another version.
    """
    if len(raw) > MAX_BYTES:
        raise LockError(f"{name} is larger than {MAX_BYTES // 1024**2} MiB; {AGAIN}")
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise LockError(
            f"{name} is not UTF-8: byte {error.start + 1} is no part of a text; {AGAIN}"
        ) from error
    members = _parse(text, name)
    if not isinstance(members, dict) or members.get("format") != FORMAT:
        raise LockError(f"{name} is no lock: its 'format' is not '{FORMAT}'; {AGAIN}")
    if members.get("version") != VERSION:
        shown = json.dumps(members.get("version"))[:20]
        raise LockError(f"{name} has version {shown}, this program reads {VERSION}; {AGAIN}")
    _check_digest(text, name)
    _check_members(members, name)
    return text, members


def _parse(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        if _MARKERS.search(text):
            what = "holds the conflict markers of a merge"
        elif error.pos >= len(text.rstrip()):
            what = f"is truncated: it ends at {where}"
        else:
            what = f"is not JSON: {error.msg} at {where}"
        raise LockError(f"{name} {what}; {AGAIN}") from error
    except (RecursionError, ValueError) as error:
        raise LockError(
            f"{name} is nested too deeply, or holds a number too long, to be a lock; {AGAIN}"
        ) from error


def _check_digest(text: str, name: str) -> None:
    """Hold a text against the digest in its head, which is over all that follows it."""
    end = len(HEAD) + len(digest_rest(""))
    if not text.startswith(HEAD) or text[len(HEAD) : end] != digest_rest(text[end:]):
        raise LockError(f"{name} does not match its digest: it was edited or merged by hand; {AGAIN}")


def digest_rest(text: str) -> str:
    """Return ``sha256:…`` over what follows the digest in a lock; blanks at the end do not count."""
    return "sha256:" + hashlib.sha256(text.rstrip().encode()).hexdigest()


def _check_members(members: Mapping[str, Any], name: str) -> None:
    """Hold the members of a lock against their kinds: a digest may be right for what no program wrote."""
    kinds = all(isinstance(members.get(key), kind) for key, kind in _MEMBERS.items())
    if not (
        kinds
        and all(_is_policy(row) for row in members["policies"].values())
        and all(_is_entry(row, members["policies"]) for row in members["presets"])
    ):
        raise LockError(f"{name} lacks a part, or has one of a wrong kind; {AGAIN}")


def _is_policy(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("name"), str) and isinstance(row.get("demands"), dict)


def _is_entry(row: Any, policies: Mapping[str, Any]) -> bool:
    return (
        isinstance(row, dict)
        and all(key in row for key in _ALWAYS)
        and all(isinstance(value, _PARTS[key]) for key, value in row.items() if key in _PARTS)
        and row["base_url"] in REGIONS
        and all(file in policies for file in row.get("policies", ()))
    )
