"""A diff as a comment on a pull request: what to look at, a short table, and the details folded below it.

Presets, values and file names come from whoever opened the pull request. None of it is written as Markdown: in a list it
stands in a code span that is longer than any run of backticks inside, in a table and in a summary in ``<code>`` with every
mark of Markdown as an entity. GitHub turns neither names nor links nor numbers inside code into anything. A comment takes
65,536 characters: what does not fit is counted, and the command that shows it is named.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orpolicy.cli.diff_words import Quote, say_change, say_look, say_members, say_summary, write
from orpolicy.cli.render import count
from orpolicy.cli.snippet import visible
from orpolicy.review.classes import Concern, Way
from orpolicy.review.diff_groups import group_changes, place_member

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orpolicy.review.changes import Cause, Change, Delta, Diff
    from orpolicy.review.diff_groups import Group, Member

LIMIT = 65_536
"""The most characters of a comment on GitHub."""

_RESERVE = 400
_MOST_ROWS = 40
_MOST_MEMBERS = 10


def render_markdown(diff: Diff) -> str:
    """Write a diff as a comment on a pull request."""
    lines = list(_write_head(diff))
    room = LIMIT - _RESERVE - _measure(lines)
    groups = group_changes(diff)
    for number, group in enumerate(groups):
        section = list(_write_group(group))
        size = _measure(section)
        if size > room:
            left = count(len(groups) - number, "group")
            lines += [
                "",
                f"{left} of changes left out: a comment has no room for more. `orpolicy diff` shows all.",
            ]
            break
        lines += section
        room -= size
    return "\n".join(lines) + "\n"


def _measure(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _write_head(diff: Diff) -> Iterator[str]:
    yield f"### orpolicy: {say_summary(diff)}"
    yield ""
    yield f"{quote(diff.old)} → {quote(diff.new)}"
    look = say_look(diff, _MOST_MEMBERS)
    if look:
        yield ""
        yield write(look, quote).replace("look at:", "**Look at:**", 1)
    for word, names in (("added", diff.environments_added), ("removed", diff.environments_removed)):
        if names:
            yield ""
            yield f"Environments {word}: {', '.join(map(quote, names))}"
    if diff.deltas:
        yield ""
        yield from _write_table(diff)


def _write_table(diff: Diff) -> Iterator[str]:
    yield "| preset | " + " | ".join(Concern) + " |"
    yield "|---" * (len(Concern) + 1) + "|"
    rows = _group_rows(diff)
    for (cells, _), members in list(rows.items())[:_MOST_ROWS]:
        yield f"| {write(say_members(members), tag)} | {' | '.join(cells)} |"
    if len(rows) > _MOST_ROWS:
        yield f"| and {count(len(rows) - _MOST_ROWS, 'row')} more |" + " |" * len(Concern)


def _group_rows(diff: Diff) -> dict[tuple[Any, ...], list[Member]]:
    """Put presets that change alike into one row, those that are looser first."""
    held: dict[str, list[Delta]] = {}
    for delta in diff.deltas:
        held.setdefault(delta.preset, []).append(delta)
    rows: dict[tuple[Any, ...], list[Member]] = {}
    for preset in sorted(held, key=lambda preset: not any(delta.alarming for delta in held[preset])):
        deltas = held[preset]
        member = place_member(preset, diff.variants[preset], [delta.environment for delta in deltas])
        cells = tuple(_say_cell(deltas, concern) for concern in Concern)
        rows.setdefault((cells, member.place), []).append(member)
    return rows


def _say_cell(deltas: Sequence[Delta], concern: Concern) -> str:
    ways = {change.way for delta in deltas for change in delta.changes if change.concern is concern}
    words = [f"**{way}**" if way is Way.LOOSENED else way for way in reversed(Way) if way in ways]
    said = [word for word in words if word != Way.NEUTRAL] or ["changed" for _ in words]
    return ", ".join(said)


def _write_group(group: Group) -> Iterator[str]:
    yield ""
    yield f"<details><summary>{write(say_members(group.members), tag)}</summary>"
    yield ""
    for causes, changes in group.by_cause():
        yield from _write_changes(causes, changes)
    yield ""
    yield "</details>"


def _write_changes(causes: Sequence[Cause], changes: Sequence[Change]) -> Iterator[str]:
    if causes:
        yield f"- {', '.join(quote(str(cause)) for cause in causes)}"
    indent = "  " if causes else ""
    for change in changes:
        way = f"**{change.way}**" if change.way is Way.LOOSENED else change.way
        said = [part if isinstance(part, Quote) else part.replace("$", "\\$") for part in say_change(change)]
        concern = "" if change.concern is Concern.OTHER else f", {change.concern}"
        yield f"{indent}- {way}{concern}: {write(said, quote)}"


def quote(text: str) -> str:
    """Write a text as a code span that nothing inside can end."""
    shown = visible(text) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    edge = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def tag(text: str) -> str:
    """Write a text as code where spans do not reach: in a cell of a table, inside HTML."""
    return f"<code>{_MARKS.sub(lambda mark: f'&#{ord(mark[0])};', visible(text))}</code>"


_MARKS = re.compile(r"[!-+:-@\[-`{-~]|(?<=www)\.", re.IGNORECASE)
"""Every ASCII mark that could mean something in Markdown or HTML, and what begins an address."""
