"""Foreign texts as plain data: JSON, and Python literals; numbers keep their digits.

Neither reader runs anything, and whatever they cannot read is an ``ImportProblem`` with a line and never the text itself:
what people paste holds prompts and keys.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Never, TypeAlias

from attrs import frozen

from orpolicy.errors import OrpolicyError
from orpolicy.language.document import MAX_BYTES
from orpolicy.language.nodes import MAX_DEPTH


class ImportProblem(OrpolicyError):
    """A foreign text cannot be read as a preset; the message says why and quotes nothing secret."""


class NotJsonProblem(ImportProblem):
    """A text is not JSON; it may still be something else."""


@frozen
class Opaque:
    """A Python expression that is no literal, such as a variable; ``line`` is where it stands."""

    line: int


Call: TypeAlias = Mapping[str, Any]
"""The keyword arguments of a call in Python source."""

UNRECOGNISED = "this is no request body, curl command, hosted preset or SDK call"


def read_json(text: str) -> tuple[Any, tuple[str, ...]]:
    """Read JSON, with the keys that are written twice; of those the last one counts, as in every JSON parser.

    Raises:
        NotJsonProblem: the text is not JSON.
        ImportProblem: it holds numbers or depths that a preset cannot.
    """
    twice: list[str] = []

    def build(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        data = dict(pairs)
        if len(data) < len(pairs):
            keys = [key for key, _ in pairs]
            twice.extend(key for key in data if keys.count(key) > 1)
        return data

    try:
        value = json.loads(
            text, object_pairs_hook=build, parse_float=_read_decimal, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise NotJsonProblem(
            f"this is not JSON: {error.msg.lower()} (line {error.lineno}, column {error.colno})"
        ) from error
    except RecursionError as error:
        raise ImportProblem(f"the JSON is nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:  # an integer of thousands of digits
        raise ImportProblem("the JSON holds a number that is too long") from error
    _limit_depth(value)
    return value, tuple(twice)


def _limit_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list)
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if level:
        raise ImportProblem(f"the JSON is nested deeper than {MAX_DEPTH} levels")


def _read_decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:  # an exponent beyond any use
        raise ImportProblem("the JSON holds a number that is too large or too small") from error


def _refuse_constant(name: str) -> Never:
    raise ImportProblem(f"the JSON holds {name}, which is no JSON number")


def read_python(text: str) -> tuple[Any, tuple[Call, ...]]:
    """Read Python source: the value of its only literal, and the calls in it; nothing is run.

    The value is ``None`` where the source is not a single dictionary. Keyword arguments on their own, as they are
    copied from a call, count as one.

    Raises:
        ImportProblem: the text is not Python either.
    """
    tree = _parse(text)
    body = tree.body
    if (
        len(body) == 1
        and isinstance(body[0], ast.Expr | ast.Assign | ast.AnnAssign)
        and isinstance(body[0].value, ast.Dict)
    ):
        return _read_node(body[0].value), ()
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return None, tuple(_read_call(call) for call in calls)


def _parse(text: str) -> ast.Module:
    if len(text) > MAX_BYTES:
        raise ImportProblem(f"the text is longer than {MAX_BYTES // 1024} KiB")
    first: SyntaxError | None = None
    for source in (text, f"({text}\n)", f"_({text}\n)"):  # as it stands, indented, keyword arguments alone
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # escapes such as \d, which are not our business
                return ast.parse(source)
        except SyntaxError as error:
            first = first or error
        except (ValueError, RecursionError, MemoryError) as error:  # a NUL, or thousands of brackets
            raise ImportProblem(UNRECOGNISED) from error
    raise ImportProblem(UNRECOGNISED) from first


def _read_call(call: ast.Call) -> Call:
    arguments = {word.arg: _read_node(word.value) for word in call.keywords if word.arg is not None}
    for word in call.keywords:
        if word.arg is None:  # **{"model": …}, or **settings
            inner = _read_node(word.value)
            arguments |= inner if isinstance(inner, dict) else {"**": inner}
    return arguments


def _read_node(node: ast.expr, depth: int = 0) -> Any:
    """Read a literal; whatever else is ``Opaque``."""
    if depth > MAX_DEPTH:
        raise ImportProblem(f"the value is nested deeper than {MAX_DEPTH} levels")
    value: Any = Opaque(node.lineno)
    match node:
        case ast.Constant(value=None | bool() | str() | int()):
            value = node.value
        case ast.Constant(value=float() as number):
            value = _read_float(number, node.lineno)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            operand = _read_node(node.operand, depth + 1)
            value = operand if isinstance(operand, Opaque) else -operand
        case ast.List() | ast.Tuple():
            value = [_read_node(item, depth + 1) for item in node.elts]
        case ast.Dict():
            value = _read_dict(node, depth)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="json"), attr="dumps"), args=[inner]):
            value = _read_node(inner, depth + 1)
        case ast.Call(func=ast.Name(id="dict"), args=[]):
            value = {word.arg or "**": _read_node(word.value, depth + 1) for word in node.keywords}
    return value


def _read_dict(node: ast.Dict, depth: int) -> Any:
    data: dict[str, Any] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = None if key is None else _read_node(key, depth + 1)
        if not isinstance(name, str):
            return Opaque(node.lineno)
        data[name] = _read_node(value, depth + 1)
    return data


def _read_float(number: float, line: int) -> Any:
    """Return a float's digits as Python itself would send them."""
    exact = Decimal(repr(number))
    return exact if exact.is_finite() else Opaque(line)


def find_opaque(value: Any) -> Iterator[Opaque]:
    """Yield every expression in a value that is no literal."""
    if isinstance(value, Opaque):
        yield value
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from find_opaque(item)
