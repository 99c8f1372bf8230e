"""What looks like a credential, and how to keep it out of every output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orpolicy.language.diagnostics import Diagnostic, Related
from orpolicy.language.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orpolicy.language.source import Location

_START = r"(?:\b|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"
"""Where a word begins, also after a line feed that JSON and quoted YAML write as ``\\n``."""

_CREDENTIAL = re.compile(
    r"sk-or-[A-Za-z0-9_-]{8,}"  # OpenRouter
    rf"|{_START}(?:"
    r"sk-(?:ant-|proj-)?[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic
    r"|[Bb]earer(?:\s|\\[nrt])+[A-Za-z0-9._~+/=-]{8,}"
    r"|AKIA[0-9A-Z]{16}\b"  # Amazon Web Services
    r"|gh[pousr]_[A-Za-z0-9]{20,}"  # GitHub
    r"|AIza[0-9A-Za-z_-]{30,}"  # Google
    r")"
)


_MARKS = {
    "sk-": ("sk-",),
    "earer": ("earer",),
    "K": ("AKIA",),
    "gh": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    "AIza": ("AIza",),
}
"""What every credential holds, behind what is found more quickly: the pattern takes a hundred times as long."""


def holds_secret(text: str) -> bool:
    """Tell whether a text holds something that looks like a credential."""
    for hint, marks in _MARKS.items():
        if hint in text and any(mark in text for mark in marks):
            return _CREDENTIAL.search(text) is not None
    return False


def find_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Yield where in a text something looks like a credential: from which character, up to which."""
    return (match.span() for match in _CREDENTIAL.finditer(text))


def redact(text: str) -> str:
    """Replace whatever looks like a credential by as many asterisks, so that columns stay where they are."""
    return _CREDENTIAL.sub(lambda match: "*" * len(match[0]), text)


def report_secret(place: Location) -> Diagnostic:
    """Report a credential, without quoting it."""
    hint = "remove it, revoke it, and pass the key through the environment (OPENROUTER_API_KEY)"
    return diagnose(
        "secret-in-file", "this looks like a credential; files in git must not hold one", place, hint
    )


def diagnose(
    code: str, message: str, place: Location, hint: str | None, related: tuple[Related, ...] = ()
) -> Diagnostic:
    """Make a diagnostic that quotes no credential, whatever the text holds."""
    hint = None if hint is None else redact(hint)
    return Diagnostic(code, RULES[code].severity, redact(message), place, hint, related)
