"""The text of a lock, before anything in it means something: its head, its digest, and the request in an entry.

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
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orpolicy.errors import LockError
from orpolicy.language.lowered import Lowered
from orpolicy.lock_kinds import has_kinds
from orpolicy.strict_json import load_strictly

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
    if not has_kinds(members):
        raise LockError(f"{name} lacks a part, or has one of a wrong kind; {AGAIN}")
    return text, members


def _parse(text: str, name: str) -> Any:
    try:
        return load_strictly(text)
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
            f"{name} is nested too deeply, or holds a number or a text that no lock holds; {AGAIN}"
        ) from error


def _check_digest(text: str, name: str) -> None:
    """Hold a text against the digest in its head, which is over all that follows it."""
    end = len(HEAD) + len(digest_rest(""))
    if not text.startswith(HEAD) or text[len(HEAD) : end] != digest_rest(text[end:]):
        raise LockError(f"{name} does not match its digest: it was edited or merged by hand; {AGAIN}")


def digest_rest(text: str) -> str:
    """Return ``sha256:…`` over what follows the digest in a lock; blanks at the end do not count."""
    return "sha256:" + hashlib.sha256(text.rstrip().encode()).hexdigest()


def lower_entry(entry: Mapping[str, Any]) -> Lowered:
    """Read the request of an entry, without its messages."""
    system, ceiling = entry.get("system"), entry.get("max_cost")
    return Lowered(
        body=entry["body"],
        headers=entry.get("headers", {}),
        base_url=entry["base_url"],
        system=None if system is None else "\n".join(system),
        max_cost=None if ceiling is None else Decimal(ceiling),  # type: ignore[arg-type]  # USD by its place
        moved={},
    )
