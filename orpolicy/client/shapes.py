"""An attrs class → the JSON Schema that a model has to answer by.

.. code-block:: text

    str  bool  int  float  Decimal        string  boolean  integer  number  number
    Literal  Enum                         enum, over the values
    T | None                              anyOf T, null
    list[T]  tuple[T, ...]                array of T
    tuple[T, T]                           array of two
    dict[str, T]                          object with values of T; strictness ends here
    another attrs class                   the same, in place

Every field is required and nothing else is allowed, as strict schemas demand, so a default is never the model's excuse.
Descriptions come from the class's docstring, from ``field(metadata={"description": …})`` and from ``Annotated[T, "…"]``.
Names on the wire are those of ``__init__``: ``_private`` is ``private``.
"""

from __future__ import annotations

import inspect
import types
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from orpolicy.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Schema = dict[str, Any]

_PLAIN: Final[Mapping[Any, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    Decimal: "number",
    type(None): "null",
}


@lru_cache(maxsize=256)
def describe_class(kind: type) -> tuple[Schema, bool]:
    """Return the schema of an attrs class, and whether it can be strict; raise ``UsageError`` naming the field."""
    schema = _object(kind, (), kind.__name__)
    return schema, not _is_open(schema)


def _object(kind: type, above: tuple[type, ...], where: str) -> Schema:
    if not attrs.has(kind):
        raise UsageError(f"{where} is no attrs class, and answers are read into attrs classes")
    if kind in above:
        raise UsageError(f"{where} holds itself, which no strict schema can say")
    try:
        hints = get_type_hints(kind, include_extras=True)
    except NameError as exc:
        raise UsageError(
            f"{where}: the name {exc.name!r} in its annotations is not known in its module"
        ) from exc
    properties: Schema = {}
    for attribute in attrs.fields(kind):
        if attribute.init:
            place = f"{where}.{attribute.name}"
            if attribute.name not in hints:
                raise UsageError(f"{place} has no type")
            schema = _schema(hints[attribute.name], (*above, kind), place)
            description = attribute.metadata.get("description")
            if description is not None:
                schema["description"] = str(description)
            properties[attribute.alias or attribute.name] = schema
    described = {"description": inspect.cleandoc(kind.__doc__)} if kind.__doc__ else {}
    return {
        "type": "object",
        **described,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _schema(hint: Any, above: tuple[type, ...], where: str) -> Schema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        schema = _schema(arguments[0], above, where)
        texts = [text for text in arguments[1:] if isinstance(text, str)]
        return {**schema, "description": texts[0]} if texts else schema
    make = _FORMS.get(origin)
    if make is not None and arguments:
        return make(hint, arguments, above, where)
    return _bare(hint, above, where)


def _bare(hint: Any, above: tuple[type, ...], where: str) -> Schema:
    """Describe a type without parameters."""
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _choice([member.value for member in hint], where)
    if isinstance(hint, type) and attrs.has(hint):
        return _object(hint, above, where)
    raise UsageError(
        f"{where}: no schema can be made of {getattr(hint, '__name__', hint)}; there is one for str, int, float, bool,"
        " Decimal, Literal, Enum, T | None, list[T], tuple[T, …], dict[str, T] and attrs classes"
    )


def _optional(_hint: Any, arguments: Sequence[Any], above: tuple[type, ...], where: str) -> Schema:
    others = [argument for argument in arguments if argument is not type(None)]
    if len(others) != 1:
        raise UsageError(f"{where}: of unions only T | None can be told apart in an answer")
    return {"anyOf": [_schema(others[0], above, where), {"type": "null"}]}


def _choice(values: Sequence[Any], where: str) -> Schema:
    kinds = list(dict.fromkeys(type(value) for value in values))
    if not kinds or not all(kind in {str, int, bool, type(None)} for kind in kinds):
        raise UsageError(f"{where}: a choice is among texts, integers, true, false and null")
    names = [_PLAIN[kind] for kind in kinds]
    return {"type": names[0] if len(names) == 1 else names, "enum": list(values)}


def _array(hint: Any, arguments: Sequence[Any], above: tuple[type, ...], where: str) -> Schema:
    if get_origin(hint) is list or (len(arguments) == 2 and arguments[1] is Ellipsis):
        return {"type": "array", "items": _schema(arguments[0], above, f"{where}[]")}
    if len(set(arguments)) != 1:
        raise UsageError(
            f"{where}: no strict schema tells the items of a mixed tuple apart: make it an attrs class"
        )
    items = _schema(arguments[0], above, f"{where}[]")
    return {"type": "array", "items": items, "minItems": len(arguments), "maxItems": len(arguments)}


def _mapping(hint: Any, arguments: Sequence[Any], above: tuple[type, ...], where: str) -> Schema:
    if arguments[0] is not str:
        raise UsageError(f"{where}: the keys of {hint} are no texts, and JSON has no others")
    return {"type": "object", "additionalProperties": _schema(arguments[1], above, f"{where}[]")}


def _is_open(schema: Any) -> bool:
    """Say whether keys of the model's choice occur, which a strict schema does not allow."""
    if isinstance(schema, dict):
        if isinstance(schema.get("additionalProperties"), dict):
            return True
        return any(_is_open(value) for value in schema.values())
    return isinstance(schema, list) and any(_is_open(value) for value in schema)


_FORMS: Final[Mapping[Any, Callable[[Any, tuple[Any, ...], tuple[type, ...], str], Schema]]] = {
    Union: _optional,
    types.UnionType: _optional,
    Literal: lambda _hint, values, _above, where: _choice(values, where),
    list: _array,
    tuple: _array,
    dict: _mapping,
}
