"""Arguments for frameworks on top of the SDKs, and the command line of curl.

.. code-block:: python

    litellm.completion(**for_litellm(triage), messages=messages)
    ChatOpenRouter(**for_langchain(triage))                                     # langchain-openrouter
    OpenAIChatModel(**for_pydantic_ai(triage), provider=OpenRouterProvider())   # pydantic-ai
    instructor_client.chat.completions.create(**for_instructor(triage), response_model=Ticket, messages=messages)

The law of ``adapters`` holds here, too: what arrives is the compiled body, or ``AdapterError`` names what would not. LangChain's
package goes through the official SDK and is rehearsed like it, instructor through OpenAI's. LiteLLM and Pydantic AI hand an extra body on
as it is, so nothing is rehearsed and nothing is imported for them. What a framework adds of its own is not the preset's: LiteLLM
says ``usage: {include: true}``, which changes nothing (fact 151), and an agent brings its tools.
"""

from __future__ import annotations

import shlex
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from orpolicy.client.adapters import (
    AdapterError,
    ask,
    find_left_behind,
    find_region,
    for_openai,
    plain,
    prove,
)
from orpolicy.client.rehearsal import DEFAULT_HOST, Stage, host, silent
from orpolicy.errors import UsageError
from orpolicy.language.request import CHAT, encode

if TYPE_CHECKING:
    from orpolicy.client.adapters import Compiled, Messages
    from orpolicy.client.rehearsal import Fault

_MODEL: Final = ("/model", "is needed: the framework names one model for each call")
_LANGCHAIN_S: Final = frozenset({"cache", "metadata", "name", "tags", "verbose"})
"""Fields of LangChain's models that mean something else than the key of a body."""

_TAKEN: Final = ("response_format", "tools", "tool_choice", "parallel_tool_calls")


def for_litellm(compiled: Compiled, messages: Messages | None = None, **overrides: Any) -> dict[str, Any]:
    """Return the arguments of ``litellm.completion``; everything but the model stands in ``extra_body``.

    Raises ``AdapterError`` where something would not arrive, ``UsageError`` on overrides without messages.
    """
    asked = ask(compiled, messages, overrides)
    body, headers = plain(asked.body), dict(asked.headers)
    model = body.pop("model", None)
    faults = find_left_behind(compiled, messages) + ([] if model else [_MODEL])
    if faults:
        raise AdapterError("litellm", tuple(faults))
    said = {"messages": body.pop("messages")} if messages is not None else {}
    region = {} if host(asked.base_url) == DEFAULT_HOST else {"api_base": asked.base_url}
    return (
        {"model": f"openrouter/{model}"}
        | said
        | ({"extra_body": body} if body else {})
        | ({"extra_headers": headers} if headers else {})
        | region
    )


def for_langchain(compiled: Compiled) -> dict[str, Any]:
    """Return the arguments of ``ChatOpenRouter``, a model and not a call: messages come later.

    Raises ``AdapterError`` where something would not arrive.
    """
    faults = find_left_behind(compiled, None) + ([] if compiled.body.get("model") else [_MODEL])
    return prove(langchain_stage(), compiled, faults, whole=False)


def for_pydantic_ai(compiled: Compiled, *, base_url: object = None) -> dict[str, Any]:
    """Return the arguments of Pydantic AI's ``OpenAIChatModel`` and ``OpenRouterModel``, but for the provider.

    Its client knows one address. For a preset with a region, say as ``base_url`` with which one yours was made.
    Raises ``AdapterError`` where something would not arrive.
    """
    body, headers = plain(compiled.body), dict(compiled.headers)
    model = body.pop("model", None)
    faults = [
        *find_left_behind(compiled, None),
        *([] if model else [_MODEL]),
        *find_region(compiled, base_url),
    ]
    if faults:
        raise AdapterError("pydantic-ai", tuple(faults))
    settings = ({"extra_body": body} if body else {}) | ({"extra_headers": headers} if headers else {})
    return {"model_name": model, "settings": settings}


def for_instructor(
    compiled: Compiled, messages: Messages | None = None, *, base_url: object = None, **overrides: Any
) -> dict[str, Any]:
    """Return the arguments of an instructor client's ``create``, made with ``instructor.from_openai``.

    The response model brings its own form and tools, so a preset that has some is refused.
    Raises ``AdapterError`` where something would not arrive, ``UsageError`` on overrides without messages.
    """
    asked = ask(compiled, messages, overrides)
    faults: list[Fault] = [
        (f"/{key}", "is what instructor sets itself") for key in _TAKEN if key in asked.body
    ]
    if faults:
        raise AdapterError("instructor", tuple(faults))
    return for_openai(compiled, messages, base_url=base_url, **overrides)


def as_curl(compiled: Compiled, messages: Messages = "Hello", **overrides: Any) -> str:
    """Return the call as a shell command, the whole body included; the key stays in ``$OPENROUTER_API_KEY``."""
    asked = compiled.request(messages, **overrides)
    headers = {"Content-Type": "application/json", **asked.headers}
    lines = [
        f"curl {shlex.quote(asked.base_url + CHAT)}",
        '-H "Authorization: Bearer $OPENROUTER_API_KEY"',
        *(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()),
        f"--data-binary {shlex.quote(encode(asked.body).decode())}",
    ]
    return " \\\n  ".join(lines)


@cache
def langchain_stage() -> Stage:
    """Set up the installed langchain-openrouter; raise ``UsageError`` where there is none."""
    try:
        langchain: Any = import_module("langchain_openrouter")  # optional, and heavy
        openrouter: Any = import_module("openrouter")
    except ImportError as exc:
        raise UsageError(
            "for_langchain needs the langchain-openrouter package, which is not installed"
        ) from exc
    import httpx  # noqa: PLC0415 - heavy, and needed only beside this package

    message: Any = import_module("langchain_core.messages").HumanMessage("-")
    model = langchain.ChatOpenRouter
    names = {key: field.alias or key for key, field in model.model_fields.items()}

    def arrange(body: dict[str, Any], headers: dict[str, str], base_url: str) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for key, value in body.items():
            if key == "model":
                arguments["model"] = value
            elif key == "provider":
                arguments["openrouter_provider"] = value
            elif key in names and key not in _LANGCHAIN_S:
                arguments[names[key]] = value
            else:
                rest[key] = value
        region = {} if host(base_url) in {DEFAULT_HOST, ""} else {"base_url": base_url}
        return (
            arguments
            | ({"model_kwargs": rest} if rest else {})
            | ({"default_headers": headers} if headers else {})
            | region
        )

    @lru_cache(maxsize=8)
    def sdk_with(headers: tuple[tuple[str, str], ...]) -> Any:
        return openrouter.OpenRouter(api_key="rehearsal", client=silent(httpx.Client, headers=headers))

    def call(messages: object, default_headers: Any = None, **arguments: Any) -> object:
        del messages  # a model has none; LangChain's own kind of message stands for them
        sdk = sdk_with(tuple((default_headers or {}).items()))
        chat = model(**{"model": "-"} | arguments, api_key="rehearsal", client=sdk, max_retries=0)
        generate = chat._generate  # noqa: SLF001 - `invoke` would report the rehearsal to tracers
        return generate([message])

    return Stage("langchain-openrouter", None, arrange, call)
