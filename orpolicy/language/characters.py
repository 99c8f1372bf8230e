"""Characters that YAML text may not hold."""

from __future__ import annotations

import re

from orpolicy.language.source import Position, Source

_FORBIDDEN = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""Characters outside YAML's printable set, and the byte-order mark (U+FEFF), which has no business inside."""
_PRINTABLE = bytes((0x09, 0x0A, 0x0D, *range(0x20, 0x7F)))
"""Those of ASCII that are inside; taking them away is faster than looking for others."""


def find_forbidden_character(source: Source) -> tuple[str, Position] | None:
    """Find the first character that YAML text may not hold: controls, lone surrogates, a late byte-order mark."""
    if source.text.isascii() and not source.text.encode().translate(None, _PRINTABLE):
        return None
    found = re.search(_FORBIDDEN, source.text)
    if found is None:
        return None
    before = source.text[: found.start()]
    line = Source(source.name, before).lines
    name = "a byte-order mark" if found[0] == "\ufeff" else f"the character U+{ord(found[0]):04X}"
    return f"{name} is not allowed here", Position(len(line), len(line[-1]) + 1)
