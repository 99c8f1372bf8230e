r"""A ``curl`` command line → what it sends: URL, headers and body.

.. code-block:: text

    'as it stands'     "with \" and \$ escaped"     $'ANSI-C: \n \x41 \u00e9'     \ at the end of a line

The words are those of a POSIX shell, and of bash for ``$'…'``. Nothing is expanded or run: ``$NAME`` stays what it is, and
a file that curl would read (``-d @body.json``) is not read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from orpolicy.language.decompile_literals import ImportProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COMMAND = re.compile(r"(?m)^[ \t]*(?:[$%>]\s+)?(?:\w+=\S*\s+)*(?:\S*/)?curl(?:\.exe)?[ \t\\]")

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r]+|\\\r?\n)
    |(?P<end>\n|[;&|]+)
    |(?P<redirect>\d?[<>]+(?:&\d)?)
    |\$'(?P<ansi>(?:[^'\\]|\\.)*)'
    |'(?P<single>[^']*)'
    |\$?"(?P<double>(?:[^"\\]|\\.)*)"
    |\\(?P<escaped>.)
    |(?P<plain>(?:[^\s'"\\;&|<>$]|\$(?!['"]))+)
    """,
    re.VERBOSE | re.DOTALL,
)

_DATA = frozenset({"-d", "--data", "--data-ascii", "--data-binary", "--data-raw", "--json"})
_FORMS = frozenset(
    {"-F", "--form", "--form-string", "--data-urlencode", "-T", "--upload-file", "-K", "--config"}
)
_KEYS = frozenset({"-u", "--user", "-U", "--proxy-user", "--oauth2-bearer"})
_SETTINGS = """
-A -b -c -C -D -e -E -h -H -m -o -P -Q -r -t -w -x -X -y -Y -z --request --header --url --output --max-time
--connect-timeout --retry --retry-delay --retry-max-time --user-agent --referer --cookie --cookie-jar --proxy --cacert
--capath --cert --key --write-out --dump-header --resolve --connect-to --interface --limit-rate --stderr --max-redirs
--trace --trace-ascii --unix-socket --noproxy --ciphers --url-query
"""
_WITH_VALUE = frozenset({*_DATA, *_FORMS, *_KEYS, *_SETTINGS.split()})
"""Options that take a value; any other is a switch."""


@define
class Sending:
    """What a command sends."""

    url: str = ""
    headers: list[tuple[str, str]] = field(factory=list)
    body: str | None = None


def is_curl(text: str) -> bool:
    """Tell whether a line of the text starts with ``curl``, a prompt or assignments left aside."""
    return _COMMAND.search(text) is not None


def read_curl(text: str) -> Sending:
    """Read the one ``curl`` command of a text.

    Raises:
        ImportProblem: a quote is not closed, there are several commands, or no body that can be read here.
    """
    start = _COMMAND.search(text)
    words, end = split_command(text, start.start() if start else 0)
    if _COMMAND.search(text, end):
        raise ImportProblem("there are several curl commands here; import one at a time")
    sending = Sending()
    for option, value in _read_options(words):
        _apply(sending, option, value)
    if sending.body is None:
        raise ImportProblem("the curl command sends no body (-d, --data, --json)")
    return sending


def split_command(text: str, start: int = 0) -> tuple[list[str], int]:
    """Split the first shell command from ``start`` on into words without their quotes; return also where it ends.

    Raises:
        ImportProblem: a quote is opened and never closed.
    """
    words: list[str] = []
    word: str | None = None
    place = start
    kind = ""
    while place < len(text) and kind != "end":
        token = _TOKEN.match(text, place)
        if token is None:
            line = text.count("\n", start, place) + 1
            raise ImportProblem(f"a quote is opened and never closed (line {line} of the command)")
        place = token.end()
        kind = token.lastgroup or ""
        if kind in _UNQUOTE and not (word is None and token[0].startswith("#")):
            word = (word or "") + _UNQUOTE[kind](token[kind])
            continue
        if word is not None:
            words.append(word)
            word = None
        if kind == "plain":  # a comment
            place = _find_end_of_line(text, token.start())
        elif kind == "redirect":
            words.append(_REDIRECT)
    if word is not None:
        words.append(word)
    return list(_drop_redirects(words)), place


_REDIRECT = "\0>"
"""Stands for an unquoted redirection; no word of a command line can hold a NUL."""


def _drop_redirects(words: list[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word == _REDIRECT:
            next(rest, None)
        else:
            yield word


def _find_end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _unquote_double(text: str) -> str:
    return re.sub(r'\\(?:\r?\n|(["\\$`]))', lambda match: match[1] or "", text)


_ANSI = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
}
_ANSI_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.DOTALL
)


def _unquote_ansi(text: str) -> str:
    """Resolve the escapes of ``$'…'``: bytes and characters, of which two may be halves of one in UTF-16."""

    def resolve(match: re.Match[str]) -> bytes:
        if match[1] or match[4]:
            return bytes([int(match[1], 16) if match[1] else int(match[4], 8) & 0xFF])
        if match[2] or match[3]:
            code = int(match[2] or match[3], 16)
            return chr(min(code, 0x10FFFF)).encode("utf-8", "surrogatepass")
        plain = _ANSI.get(match[5]) or (match[5] if match[5] in "\\'\"?" else match[0])
        return plain.encode("utf-8", "surrogatepass")

    parts, place = [], 0
    for match in _ANSI_ESCAPE.finditer(text):
        parts += [text[place : match.start()].encode("utf-8", "surrogatepass"), resolve(match)]
        place = match.end()
    parts.append(text[place:].encode("utf-8", "surrogatepass"))
    try:
        halves = b"".join(parts).decode("utf-8", "surrogatepass")
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeError as error:
        raise ImportProblem("the command holds bytes that are not UTF-8") from error


_UNQUOTE: dict[str, Callable[[str], str]] = {
    "ansi": _unquote_ansi,
    "single": str,
    "double": _unquote_double,
    "escaped": str,
    "plain": str,
}


@frozen
class _Words:
    """Options as they come: ``-XPOST``, ``-X POST``, ``-sSX POST``, ``--request POST``, ``--request=POST``."""

    words: Iterator[str]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for word in self.words:
            if word.startswith("--"):
                option, equals, value = word.partition("=")
                takes = option in _WITH_VALUE
                yield option, value if equals else next(self.words, "") if takes else ""
            elif word.startswith("-") and len(word) > 1:
                yield from self._read_short(word[1:])
            else:
                yield "", word

    def _read_short(self, letters: str) -> Iterator[tuple[str, str]]:
        for index, letter in enumerate(letters):
            if f"-{letter}" in _WITH_VALUE:
                yield f"-{letter}", letters[index + 1 :] or next(self.words, "")
                return
            yield f"-{letter}", ""


def _read_options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what follows the word ``curl``; the prompt and assignments before it are left aside."""
    rest = iter(words)
    for word in rest:
        if re.fullmatch(r"(?:.*/)?curl(?:\.exe)?", word):
            break
    return iter(_Words(rest))


def _apply(sending: Sending, option: str, value: str) -> None:
    if option in _DATA:
        _add_body(sending, option, value)
    elif option in ("-H", "--header"):
        name, colon, content = value.partition(":")
        if colon:
            sending.headers.append((name.strip(), content.strip()))
    elif option in ("-e", "--referer"):
        sending.headers.append(("Referer", value))
    elif option in _FORMS:
        raise ImportProblem(f"'{option}' sends a form or a file; a preset is made of a JSON body")
    elif option in _KEYS:
        sending.headers.append(("Authorization", ""))
    elif option == "--url" or (
        not option and not sending.url and re.match(r"https?://|[\w.-]+\.\w+/", value)
    ):
        sending.url = value


def _add_body(sending: Sending, option: str, value: str) -> None:
    if value.startswith("@") and option != "--data-raw":
        where = "on standard input" if value == "@-" else "in a file"
        raise ImportProblem(f"the body of the curl command stands {where}; import that text instead")
    if sending.body is None:
        sending.body = value
    else:  # as curl joins them
        sending.body += value if option == "--json" else f"&{value}"
