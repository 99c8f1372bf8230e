"""Names of revisions: which are none, and what was meant by one that means nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orpolicy.errors import UsageError
from orpolicy.language.suggest import find_similar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def refuse_other(revision: str) -> None:
    """Refuse what git takes for something else than one commit: an option, a range, a file.

    Raises:
        UsageError: it is one of these.
    """
    bare = re.sub(r"\{[^}]*\}", "{}", revision)  # a date or a search may hold anything
    for is_wrong, reason in _OTHER:
        if is_wrong(bare):
            raise UsageError(f"'{revision}' is no revision: {reason}")


_OTHER: Sequence[tuple[Callable[[str], bool], str]] = (
    (lambda text: not text.strip(), "it is empty"),
    (
        lambda text: text.startswith("-"),
        "it reads like an option; a branch of this name is 'refs/heads/NAME'",
    ),
    (lambda text: not text.isprintable(), "it holds a character that no name has"),
    (
        lambda text: ".." in text,
        "it is a range; 'OLD NEW' are two commits, 'OLD...NEW' what NEW changed since it left OLD",
    ),
    (lambda text: ":" in text, "it names a file or a search; name the commit alone"),
    (lambda text: text.startswith("^"), "it excludes a commit; name one"),
    (lambda text: text.endswith(("^@", "^!", "^-")), "it means several commits; name one"),
)


def split_steps(revision: str) -> tuple[str, str]:
    """Split a revision into a name and what leads from there to another commit: ``~2``, ``^``, ``@{1}``."""
    match = re.search(r"(?<=.)(?:[~^]|@\{)", revision)
    return (revision[: match.start()], revision[match.start() :]) if match else (revision, "")


def suggest(name: str, known: Sequence[str]) -> str | None:
    """Return what was meant by a name perhaps: the same branch of a remote, or a name that is written alike."""
    remote = next((other for other in known if other.partition("/")[2] == name), None)
    return remote or find_similar(name, known)
