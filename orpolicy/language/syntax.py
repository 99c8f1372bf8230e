"""Why a text is no YAML, in words that help.

libyaml is fast and terse; on an error only, the text is parsed again by PyYAML's pure loader, whose messages are the
same on every platform, and the mistake is looked up in a table of usual ones.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml
from attrs import frozen

from orpolicy.language.source import Position, Source

if TYPE_CHECKING:
    from collections.abc import Iterator


@frozen
class SyntaxProblem:
    """A syntax error: what is wrong, where, and what usually helps."""

    code: str
    message: str
    start: Position
    end: Position
    hint: str | None


_QUOTE = "put the value in quotes"
_INDENTATION = "the indentation of this line fits no level above it", "align it with its siblings"
_NO_COLON = "this line has no ': ' after its key", "write 'key: value'"
_OPEN_QUOTE = "a quote is opened and never closed", "close the quote"
_OPEN_BRACKET = "a bracket is opened and never closed (no '{}')", "close it with '{}'"
_SECOND_DOCUMENT = "a second document starts here; a file holds one", "split the file"

_USUAL_MISTAKES: tuple[tuple[str, str, str], ...] = (
    # what PyYAML says, what we say, what helps
    (r"found character '\\t'", "a tab indents this line", "indent with spaces; YAML forbids tabs there"),
    (r"found a tab character", "a tab indents this line", "indent with spaces; YAML forbids tabs there"),
    (r"found unexpected ':'", "a space is missing after this colon", "write 'key: value'"),
    (r"found character '@'", "'@' cannot start a value", f'{_QUOTE}: "@preset/name"'),
    (r"found character '(.)'", r"'\1' cannot start a value", _QUOTE),
    (r"while scanning an alias", "'*' starts an alias, and no name follows it", f'{_QUOTE}: "*/claude-*"'),
    (r"while scanning an anchor", "'&' starts an anchor, and no name follows it", _QUOTE),
    (r"while (?:parsing|scanning) a tag", "'!' starts a tag, and no name of one follows it", _QUOTE),
    (
        r"while scanning a directive",
        "'%' starts a directive at the start of a line",
        "indent the line, or drop it",
    ),
    (
        r"found undefined alias '?([^'\n]*)'?",
        r"the alias '\1' has no anchor",
        rf"define it with '&\1' above, or {_QUOTE}",
    ),
    (r"found duplicate anchor", "the same anchor is defined twice", "rename one of them"),
    (r"quoted scalar; found unexpected end", *_OPEN_QUOTE),
    (r"could not find expected ':'", *_NO_COLON),
    (
        r"unknown escape character '(.)'",
        r"'\\\1' is no escape sequence",
        "use single quotes, or double the backslash",
    ),
    (
        r"invalid Unicode character escape",
        "half of a surrogate pair is no character",
        "write the character itself",
    ),
    (
        r"expected escape sequence of (\d)",
        r"this escape sequence needs \1 hexadecimal digits",
        "use single quotes, or complete it",
    ),
    (
        r"block scalar; expected",
        "text follows the sign of a block on its line",
        "begin the text on the next line, indented",
    ),
    (
        r"sequence entries are not",
        "'- ' cannot start a value on the line of its key",
        f"begin a list on the next line, or {_QUOTE}",
    ),
    (r"mapping keys are not", "'? ' cannot start a value on the line of its key", _QUOTE),
    (
        r"expected ',' or '([\]}])'",
        r"',' or '\1' is missing before this",
        r"separate entries with ',' and close with '\1'",
    ),
    (r"node content, but found ','", "a comma has nothing before it", "drop the extra comma"),
    (
        r"node content, but found '[\]}]'",
        "a bracket is closed that was not opened, or not filled",
        "drop it, or write the value before it",
    ),
    (r"expected the node content", "a value is missing here", _QUOTE),
    (r"<block end>, but found ','", "a comma follows this value", "drop it; a line needs none at its end"),
    (r"<block end>, but found '([\]}])'", r"'\1' closes nothing here", "drop it"),
    (r"<block end>, but found ':'", "a key is missing before the colon", "write 'key: value'"),
    (
        r"<block end>, but found '-'",
        "a list entry stands among keys",
        "indent it below the key it belongs to",
    ),
    (r"<document start>', but found '<stream end>'", "a directive stands here, and no document", "drop it"),
    (r"expected <block end>|<document start>", *_INDENTATION),
    (r"incompatible YAML document", "only YAML 1.x is read", "drop the %YAML line"),
)
"""Texts that follow one another in the order of their precedence; a problem's place can overrule them."""


def explain_syntax_error(source: Source, error: yaml.YAMLError) -> SyntaxProblem:
    """Say why libyaml has refused a text with this error."""
    if len(source.text) <= _LONGEST_FOR_PURE_PARSER:
        try:
            yaml.compose(source.text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as clearer:
            error = clearer
        except (yaml.YAMLError, RecursionError):
            pass
    if isinstance(error, yaml.MarkedYAMLError):
        return _explain(source, error)
    start = Position(1, 1)
    return SyntaxProblem("yaml-syntax", "this is not YAML", start, start, None)


_LONGEST_FOR_PURE_PARSER = 64 * 1024
"""Characters; beyond them libyaml's terser words must do, for the pure parser takes a minute for a mebibyte."""


def _explain(source: Source, error: yaml.MarkedYAMLError) -> SyntaxProblem:
    said = "; ".join(part for part in (error.context, error.problem) if part)
    here = _position(error.problem_mark or error.context_mark)
    if "another document" in said or _follows_document_end(source, said, here):
        end = Position(here.line, here.column + 3)
        return SyntaxProblem("yaml-multiple-documents", *_swap(_SECOND_DOCUMENT, here, end))
    for explain in (_explain_open_bracket, _explain_second_colon, _explain_trailing_text):
        problem = explain(source, said, here)
        if problem is not None:
            return problem
    if error.context_mark is not None and _STARTS_BEFORE.search(said):
        here = _position(error.context_mark)
    elif "escape character" in said:
        here = Position(here.line, here.column - 1)
    elif "<stream end>" in said:
        here = _find_end(source)
    code = "yaml-alias" if "undefined alias" in said else "yaml-syntax"
    end = Position(here.line, here.column + 1)
    for pattern, message, hint in _USUAL_MISTAKES:
        match = re.search(pattern, said)
        if match and message == _NO_COLON[0]:
            line = source.line(here.line)
            return SyntaxProblem(code, message, here, _end_of_line(source, here), explain_missing_colon(line))
        if match:
            return SyntaxProblem(code, match.expand(message), here, end, match.expand(hint))
    return SyntaxProblem(code, said, here, end, None)


_STARTS_BEFORE = re.compile(
    "quoted scalar; found unexpected end|scanning an alias|could not find expected ':'"
)
"""What is noticed only later, and has to be corrected where it starts."""


def _find_end(source: Source) -> Position:
    number = next((number for number in range(len(source.lines), 0, -1) if source.line(number).strip()), 1)
    return Position(number, len(source.line(number).rstrip()) + 1)


def _follows_document_end(source: Source, said: str, here: Position) -> bool:
    before = next((line for line in reversed(source.lines[: here.line - 1]) if line.strip()), "")
    return "<document start>" in said and before.startswith("...")


def _explain_open_bracket(source: Source, said: str, here: Position) -> SyntaxProblem | None:
    """Point at a bracket that is still open where the text ends, or where it goes on as if the bracket were closed."""
    if "flow" not in said:
        return None
    opened = _find_open_bracket(source, here)
    if opened is None or opened.line == here.line:
        return None
    if "<stream end>" not in said and _indentation(source, here) > _indentation(source, opened):
        return None
    closing = {"[": "]", "{": "}"}[source.line(opened.line)[opened.column - 1]]
    message, hint = (text.format(closing) for text in _OPEN_BRACKET)
    return SyntaxProblem("yaml-syntax", message, opened, Position(opened.line, opened.column + 1), hint)


def _find_open_bracket(source: Source, here: Position) -> Position | None:
    opened: list[Position] = []
    for token in _scan(source):
        if _position(token.start_mark) >= here:
            break
        if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
            opened.append(_position(token.start_mark))
        elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken) and opened:
            opened.pop()
    return opened[-1] if opened else None


def _explain_second_colon(source: Source, said: str, here: Position) -> SyntaxProblem | None:
    """Tell a value with a second colon from a line that its predecessor swallows."""
    if "mapping values are not allowed" not in said:
        return None
    line = source.line(here.line)
    value = re.match(r"\s*(?:- )*[^:#]+:\s+", line)
    if value and value.end() < here.column:
        start, end = Position(here.line, value.end() + 1), _end_of_line(source, here)
        rest = line[value.end() :].rstrip()
        hint = _QUOTE
        if rest.endswith(":"):
            hint = f"drop the colon at the end, or {_QUOTE}"
        elif re.match(r"[\w.~-]+/|openrouter: ", rest):
            hint = f"drop the space after the colon (author/model:variant, openrouter:tool), or {_QUOTE}"
        elif re.match(r"[a-z_]+: ", rest):
            hint = f"begin nested keys on the next line, indented, or put them in braces: {{{rest}}}"
        return SyntaxProblem("yaml-syntax", "a second ': ' stands in this value", start, end, hint)
    number = next(
        (number for number in range(here.line - 1, 0, -1) if source.line(number).strip()), here.line
    )
    before = source.line(number)
    if re.search(r":(?: |$)", before.rstrip()):
        start = Position(here.line, _indentation(source, here) + 1)
        return SyntaxProblem(
            "yaml-syntax", *_swap(_INDENTATION, start, Position(start.line, start.column + 1))
        )
    start = Position(number, len(before) - len(before.lstrip()) + 1)
    return SyntaxProblem(
        "yaml-syntax", _NO_COLON[0], start, _end_of_line(source, start), explain_missing_colon(before)
    )


def explain_missing_colon(line: str) -> str:
    """Say what helps where a line has no ``key: value``, although its author may see one."""
    if line.lstrip().startswith(("//", ";", "/*", "--")):
        return "comments begin with '#'"
    if "\xa0" in line:
        return "a no-break space (U+00A0) follows the colon; replace it by an ordinary space"
    if "\uff1a" in line:
        return "the colon is a full-width one (U+FF1A); replace it by ':'"
    return "write a space after the colon" if re.match(r"\s*(?:- )?\w+:", line) else _NO_COLON[1]


def _explain_trailing_text(source: Source, said: str, here: Position) -> SyntaxProblem | None:
    """Tell text after a complete value from a line that is indented wrongly."""
    if "expected <block end>, but found '<" not in said or _indentation(source, here) + 1 >= here.column:
        return None
    quoted = [
        token
        for token in _scan(source)
        if isinstance(token, yaml.ScalarToken) and not token.plain and token.end_mark.line + 1 == here.line
    ]
    opened = next((token for token in quoted if token.start_mark.line < token.end_mark.line), None)
    if opened is not None:
        start = _position(opened.start_mark)
        return SyntaxProblem(
            "yaml-syntax", *_swap(_OPEN_QUOTE, start, Position(start.line, start.column + 1))
        )
    hint = "put the whole value in quotes; inside single quotes, write ' twice"
    return SyntaxProblem(
        "yaml-syntax", "text follows a value that is complete", here, _end_of_line(source, here), hint
    )


def _swap(text: tuple[str, str], start: Position, end: Position) -> tuple[str, Position, Position, str]:
    return text[0], start, end, text[1]


def _scan(source: Source) -> Iterator[yaml.Token]:
    try:
        yield from yaml.scan(source.text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return


def _indentation(source: Source, position: Position) -> int:
    line = source.line(position.line)
    return len(line) - len(line.lstrip())


def _end_of_line(source: Source, position: Position) -> Position:
    return Position(position.line, max(len(source.line(position.line).rstrip()), position.column) + 1)


def _position(mark: yaml.Mark | None) -> Position:
    return Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
