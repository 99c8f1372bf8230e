"""Why a text is no YAML, in words that help.

libyaml is fast and terse; on an error only, the text is parsed again by PyYAML's pure loader, whose messages are the
same on every platform, and the mistake is looked up in a table of usual ones.
"""

from __future__ import annotations

import re

import yaml
from attrs import frozen

from orpolicy.language.source import Position, Source

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Characters outside YAML's printable set, and the byte-order mark (U+FEFF), which has no business inside."""


@frozen
class SyntaxProblem:
    """A syntax error: what is wrong, where, and what usually helps."""

    code: str
    message: str
    start: Position
    end: Position
    hint: str | None


_QUOTE = "put the value in quotes"
_USUAL_MISTAKES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    # (what PyYAML says), message, hint
    (re.compile(r"found character '\\t'"), "a tab indents this line", "indent with spaces; YAML forbids tabs there"),
    (re.compile(r"found character '@'"), "'@' cannot start a value", f'{_QUOTE}: "@preset/name"'),
    (re.compile(r"found character '(.)'"), r"'\1' cannot start a value", _QUOTE),
    (
        re.compile(r"mapping values are not allowed here"),
        "a second ': ' stands in this value",
        f"{_QUOTE}, or drop the space after the colon (author/model:variant)",
    ),
    (
        re.compile(r"while scanning an alias"),
        "'*' starts an alias, and no name follows it",
        f'{_QUOTE}: "*/claude-*"',
    ),
    (re.compile(r"found undefined alias '?([^'\n]*)'?"), r"the alias '\1' has no anchor", r"define it with '&\1' above"),
    (re.compile(r"found duplicate anchor"), "the same anchor is defined twice", "rename one of them"),
    (re.compile(r"found unexpected end of stream"), "a quote is opened and never closed", "close the quote"),
    (
        re.compile(r"could not find expected ':'"),
        "this line has no ': ' after its key",
        "write 'key: value', with a space after the colon",
    ),
    (
        re.compile(r"expected '?,'? or '?([\]}])'?, but got '<stream end>'"),
        r"a bracket is opened and never closed (no '\1')",
        r"close it with '\1'",
    ),
    (re.compile(r"expected '?,'? or '?([\]}])'?"), r"',' or '\1' is missing before this", r"separate entries with ',' and close with '\1'"),
    (re.compile(r"expected the node content, but found ','"), "a comma has nothing before it", "drop the extra comma"),
    (re.compile(r"expected the node content"), "a value is missing here", _QUOTE),
    (
        re.compile(r"expected <block end>"),
        "the indentation of this line fits no level above it",
        "align it with its siblings",
    ),
    (re.compile(r"incompatible YAML document"), "only YAML 1.x is read", "drop the %YAML line"),
)
_CODES = {"alias": "yaml-alias", "another document": "yaml-multiple-documents"}


def find_forbidden_character(source: Source) -> tuple[str, Position] | None:
    """Find the first character that YAML text may not hold: controls, lone surrogates, a late byte-order mark."""
    if source.text.isascii() and source.text.isprintable():
        return None
    found = _FORBIDDEN.search(source.text)
    if found is None:
        return None
    before = source.text[: found.start()]
    line = Source(source.name, before).lines
    name = "a byte-order mark" if found[0] == "\ufeff" else f"the character U+{ord(found[0]):04X}"
    return f"{name} is not allowed here", Position(len(line), len(line[-1]) + 1)


def explain_syntax_error(source: Source) -> SyntaxProblem:
    """Say why a text cannot be composed; call it only for a text that libyaml has refused."""
    try:
        yaml.compose(source.text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        return _explain(source, error)
    except (yaml.YAMLError, RecursionError):
        pass
    start = Position(1, 1)
    return SyntaxProblem("yaml-syntax", "this is not YAML", start, start, None)


def _explain(source: Source, error: yaml.MarkedYAMLError) -> SyntaxProblem:
    said = "; ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    start = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    if "another document" in said:
        end = Position(start.line, start.column + 3)
        message = "a second document starts here; a file holds one"
        return SyntaxProblem(_CODES["another document"], message, start, end, "split the file")
    start, end = _widen(source, said, start)
    code = _CODES["alias"] if "undefined alias" in said else "yaml-syntax"
    for pattern, message, hint in _USUAL_MISTAKES:
        match = pattern.search(said)
        if match:
            return SyntaxProblem(code, match.expand(message), start, end, match.expand(hint))
    return SyntaxProblem(code, said, start, end, None)


def _widen(source: Source, said: str, start: Position) -> tuple[Position, Position]:
    """Choose the stretch that the author has to look at: the value with a second colon, not the colon."""
    line = source.line(start.line)
    if "mapping values" in said:
        value = re.match(r"\s*(?:- )*[^:#]+:\s+", line)
        if value and value.end() < start.column:
            return Position(start.line, value.end() + 1), Position(start.line, len(line.rstrip()) + 1)
    if "could not find expected ':'" in said and not line.strip() and start.line > 1:
        before = source.line(start.line - 1)
        indent = len(before) - len(before.lstrip())
        return Position(start.line - 1, indent + 1), Position(start.line - 1, len(before.rstrip()) + 1)
    return start, Position(start.line, start.column + 1)
