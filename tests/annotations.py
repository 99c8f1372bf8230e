"""Texts with their findings written under the lines, as a person would point at them.

.. code-block:: text

    == a misspelled key
    model: openai/gpt-5
    provider:
      allow_fallback: false
      ^^^^^^^^^^^^^^ error unknown-key: unknown key 'allow_fallback'
      = help: did you mean 'allow_fallbacks'?

A block begins with ``== title``; ``== title [orpolicy.yaml]`` names the file, which else is a preset. The carets cover
the span of a finding, up to the end of its first line. A block without carets is one without findings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from orpolicy.language.checker import check
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.source import Source
from orpolicy.language.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orpolicy.language.diagnostics import Diagnostic, Report

PRESET = "presets/case.yaml"

_TITLE = re.compile(r"== (.*?)(?: \[(.*)\])?")
_NOTE = re.compile(r" *(?:\^+ (?:error|warning) [a-z-]+: |= (?:help|note): ).*")


@frozen
class Block:
    """One annotated text."""

    title: str
    file: str
    text: str
    annotated: str


def read_blocks(path: Path) -> Iterator[Block]:
    """Read the blocks of a file, in order."""
    for block in re.split(r"^(?=== )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, body = block.partition("\n")
        title = _TITLE.fullmatch(head)
        assert title is not None
        annotated = body.rstrip("\n") + "\n"
        lines = [line for line in annotated.split("\n") if not _NOTE.fullmatch(line)]
        yield Block(title[1], title[2] or PRESET, "\n".join(lines), annotated)


def write_block(block: Block, annotated: str) -> str:
    """Write a block with other annotations."""
    file = "" if block.file == PRESET else f" [{block.file}]"
    return f"== {block.title}{file}\n{annotated}\n"


def check_text(text: str, file: str = PRESET) -> Report:
    """Check one text as a project of its own, with a preset where it is none itself."""
    files = (
        {file: text}
        if file.startswith("presets/") and "policy" not in file
        else {PRESET: "model: openai/gpt-5\n"}
    )
    return check(Compiler(Workspace(Memory({**files, file: text}))))


def annotate(text: str, report: Report, file: str = PRESET) -> str:
    """Write every finding under the line where it starts."""
    source = Source(file, text)
    notes: dict[int, list[str]] = {}
    for diagnostic in report:
        notes.setdefault(diagnostic.location.span.start.line, []).extend(_describe(source, diagnostic))
    annotated = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        annotated += [line, *notes.pop(number, ())]
    assert not notes, "a finding lies past the end of its text"
    return "\n".join(annotated) + "\n"


def _describe(source: Source, diagnostic: Diagnostic) -> Iterator[str]:
    span = diagnostic.location.span
    assert diagnostic.location.file == source.name
    end = span.end.column if span.end.line == span.start.line else len(source.line(span.start.line)) + 1
    margin = " " * (span.start.column - 1)
    carets = "^" * max(1, end - span.start.column)
    yield f"{margin}{carets} {diagnostic.severity} {diagnostic.code}: {diagnostic.message}"
    if diagnostic.hint:
        yield f"{margin}= help: {diagnostic.hint}"
    for related in diagnostic.related:
        yield f"{margin}= note: {related.message}, {related.location.span.start.line}:{related.location.span.start.column}"
