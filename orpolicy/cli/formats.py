"""The table of formats: what ``--output-format`` may name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orpolicy.cli.render import render_concise, render_full, render_github, render_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from orpolicy.cli.render import View


def render_sarif(view: View) -> str:
    """Write a SARIF log; see :mod:`orpolicy.cli.sarif`."""
    from orpolicy.cli import sarif  # noqa: PLC0415 - only who asks for it pays for it

    return sarif.render_sarif(view)


def render_junit(view: View) -> str:
    """Write a JUnit report; see :mod:`orpolicy.cli.junit`."""
    from orpolicy.cli import junit  # noqa: PLC0415 - only who asks for it pays for the XML library

    return junit.render_junit(view)


FORMATS: dict[str, Callable[[View], str]] = {
    "full": render_full,
    "concise": render_concise,
    "json": render_json,
    "github": render_github,
    "sarif": render_sarif,
    "junit": render_junit,
}
