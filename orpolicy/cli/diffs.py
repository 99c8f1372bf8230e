"""A diff for a terminal and for programs.

.. code-block:: text

    main (1a2b3c4) → the working tree

    support/triage in prod
      presets/base.yaml:4:3
        loosened   privacy  /provider/zdr: true → not set

    1 preset loosened (privacy: 1); look at: support/triage in prod

What files say is made visible before it is shown, and credentials are starred out (see :mod:`orpolicy.cli.snippet`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orpolicy.cli.diff_words import say_change, say_look, say_members, say_summary, write
from orpolicy.cli.render import View
from orpolicy.cli.snippet import visible
from orpolicy.language.diagnostics import Report
from orpolicy.language.secrets import redact
from orpolicy.review.classes import Concern, Way
from orpolicy.review.diff_groups import find_alarming, group_changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orpolicy.review.changes import Cause, Change, Diff

VERSION = 1
"""Of the JSON form; it grows where something that was there means something else."""

COLOURS: Mapping[Way, str | None] = {Way.LOOSENED: "red", Way.TIGHTENED: "green", Way.NEUTRAL: None}
MOST_MEMBERS = 8
_WIDTH = max(map(len, Way))
_CONCERN = max(map(len, Concern))


def render_text(diff: Diff, *, color: bool = False) -> str:
    """Write a diff for people."""
    view = View(Report(), lambda _: None, color)
    return "".join(line + "\n" for line in _write_lines(diff, view))


def _write_lines(diff: Diff, view: View) -> Iterator[str]:
    if diff:
        yield view.paint(visible(f"{diff.old} → {diff.new}"), None)
        yield ""
    for word, names in (("added", diff.environments_added), ("removed", diff.environments_removed)):
        if names:
            yield visible(f"environments {word}: {', '.join(names)}")
            yield ""
    for group in group_changes(diff):
        yield view.paint(write(say_members(group.members), visible), None)
        for causes, changes in group.by_cause():
            yield from _write_changes(causes, changes, view)
        yield ""
    look = write(say_look(diff, MOST_MEMBERS), visible)
    yield say_summary(diff) + (f"; {look}" if look else "")


def _write_changes(causes: Sequence[Cause], changes: Sequence[Change], view: View) -> Iterator[str]:
    if causes:
        yield "  " + view.paint(", ".join(visible(str(cause)) for cause in causes), "cyan", bold=False)
    for change in changes:
        way = view.paint(f"{change.way:<{_WIDTH}}", COLOURS[change.way], bold=change.way is not Way.NEUTRAL)
        indent = "    " if causes else "  "
        yield f"{indent}{way}  {_name(change.concern):<{_CONCERN}}  {write(say_change(change), visible)}"


def _name(concern: Concern) -> str:
    return "" if concern is Concern.OTHER else concern


def render_json(diff: Diff) -> str:
    """Write a diff for programs, complete for every preset and environment, in ASCII."""
    return redact(json.dumps(_as_object(diff), indent=2)) + "\n"


def _as_object(diff: Diff) -> dict[str, Any]:
    ways = {way.value: diff.count(way) for way in Way if way is not Way.NEUTRAL}
    concerns = {concern.value: diff.count(Way.LOOSENED, concern) for concern in Concern}
    return {
        "version": VERSION,
        "old": diff.old,
        "new": diff.new,
        "summary": {
            "text": say_summary(diff),
            "presets": len({delta.preset for delta in diff.deltas}),
            **ways,
            "loosened_by_concern": concerns,
            "look_at": [str(member) for member in find_alarming(diff)],
        },
        "environments": {
            "added": list(diff.environments_added),
            "removed": list(diff.environments_removed),
        },
        "presets": [delta.to_json() for delta in diff.deltas],
    }
