"""Frameworks' arguments, proved by the bytes that the real packages put on the wire.

LiteLLM, LangChain and Pydantic AI are heavy: where the ``interop`` extra is not installed, their tests are skipped.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

import httpx
import pytest

from orpolicy.client import frameworks
from orpolicy.client.adapters import AdapterError
from orpolicy.client.frameworks import as_curl, for_instructor, for_langchain, for_litellm, for_pydantic_ai
from orpolicy.errors import UsageError
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.workspace import Workspace

MESSAGES = [{"role": "user", "content": "Hello there"}]
REPLY = {
    "id": "gen-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m/m",
    "provider": "OpenAI",
    "system_fingerprint": None,
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "native_finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hi."},
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
HEADERS = {"HTTP-Referer": "https://example.com", "X-OpenRouter-Title": "Support"}
TRIAGE = """\
model: anthropic/claude-sonnet-4.5
temperature: 0.3
max_tokens: 400
provider: {order: [anthropic], zdr: true, max_price: {prompt: 3, completion: 15.50}}
attribution: {referer: "https://example.com", title: Support}
"""
BODY = {
    "model": "anthropic/claude-sonnet-4.5",
    "provider": {"order": ["anthropic"], "zdr": True, "max_price": {"prompt": "3", "completion": "15.5"}},
    "temperature": 0.3,
    "max_tokens": 400,
}


def compiled(text: str = TRIAGE):
    return Compiler(Workspace(Memory({"presets/triage.yaml": text}))).compile("triage")


def package(name: str) -> Any:
    """Import a package of the ``interop`` extra, or skip."""
    try:
        return import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed: pip install 'orpolicy[interop]'")


class Seen(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Keep what arrives and answer with a completion."""

    def __init__(self) -> None:
        self.request: Any = None
        self.body: dict[str, Any] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.request, self.body = request, json.loads(request.read())
        return httpx.Response(200, json=REPLY)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.request, self.body = request, json.loads(await request.aread())
        return httpx.Response(200, json=REPLY)


@pytest.fixture
def server():
    """Listen on loopback, and keep what arrives."""
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            seen.request, seen.body = self, json.loads(content)
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(REPLY).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        seen.url = f"http://127.0.0.1:{listening.server_port}/api/v1"
        yield seen
        listening.shutdown()
        thread.join()


def configurations(shared: Any) -> list[tuple[str, dict[str, Any]]]:
    """Read the documented configurations as bodies; without a model they get one, since frameworks demand it."""
    found = []
    for line in (shared / "cases/presets.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        body = case["config"]
        prices = body.get("provider", {}).get("max_price", {})
        prices.update({key: str(value) for key, value in prices.items()})
        found.append((case["id"], {"model": "m/m", **body}))
    assert len(found) == 77
    return found


def without_call(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in {"messages", "stream"}}


@pytest.fixture
def litellm(monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    package("litellm")
    handler = import_module("litellm.llms.custom_httpx.http_handler").HTTPHandler
    seen = Seen()
    complete = import_module("litellm").completion

    def call(**arguments: Any) -> Seen:
        complete(
            **{"messages": MESSAGES} | arguments,
            api_key="sk-1",
            client=handler(client=httpx.Client(transport=seen)),
        )
        return seen

    return call


@pytest.mark.filterwarnings("ignore")  # the package's own
def test_litellm_carries_every_documented_configuration(shared, stub, litellm) -> None:
    for name, body in configurations(shared):
        seen = litellm(**for_litellm(stub(body)))
        assert without_call(seen.body) == {"usage": {"include": True}, **body}, name
        assert seen.body["messages"] == MESSAGES


@pytest.mark.filterwarnings("ignore")
def test_litellm_carries_headers_region_and_messages(litellm) -> None:
    seen = litellm(**for_litellm(compiled(TRIAGE + "region: eu\nsystem: Be brief.\n"), "Hello", seed=7))
    assert {key: seen.body[key] for key in (*BODY, "seed")} == {**BODY, "seed": 7}
    assert [message["role"] for message in seen.body["messages"]] == ["system", "user"]
    assert seen.request.url.host == "eu.openrouter.ai"
    assert {name: seen.request.headers[name] for name in HEADERS} == HEADERS


def test_litellm_s_arguments_are_plain() -> None:
    rest = {key: value for key, value in BODY.items() if key != "model"}
    arguments = {
        "model": "openrouter/anthropic/claude-sonnet-4.5",
        "extra_body": rest,
        "extra_headers": HEADERS,
    }
    assert for_litellm(compiled()) == arguments
    region = {"api_base": "https://eu.openrouter.ai/api/v1"}
    assert for_litellm(compiled(TRIAGE + "region: eu\n")) == arguments | region
    said = for_litellm(compiled(TRIAGE + "system: Be brief.\n"), "Hello")["messages"]
    assert [message["role"] for message in said] == ["system", "user"]
    assert for_litellm(compiled("model: m/m\n")) == {"model": "openrouter/m/m"}


def test_pydantic_ai_s_arguments_are_plain() -> None:
    rest = {key: value for key, value in BODY.items() if key != "model"}
    settings = {"extra_body": rest, "extra_headers": HEADERS}
    assert for_pydantic_ai(compiled()) == {"model_name": BODY["model"], "settings": settings}
    assert for_pydantic_ai(compiled("model: m/m\n")) == {"model_name": "m/m", "settings": {}}


def test_instructor_s_own_fields_are_named() -> None:
    package("openai")
    taken = "tool_choice: auto\ntools: [{type: function, function: {name: f, parameters: {type: object}}}]\n"
    with pytest.raises(AdapterError) as caught:
        for_instructor(compiled(TRIAGE + taken))
    assert caught.value.pointers == ("/tools", "/tool_choice")


def langchain(arguments: dict[str, Any], sdk: Any) -> None:
    model = package("langchain_openrouter").ChatOpenRouter
    model(**arguments, api_key="sk-1", client=sdk).invoke([("user", "Hello there")])


@pytest.mark.filterwarnings("ignore")
def test_langchain_carries_what_it_knows_and_names_the_rest(shared, stub) -> None:
    package("langchain_openrouter")
    seen = Seen()
    sdk = package("openrouter").OpenRouter(api_key="sk-1", client=httpx.Client(transport=seen))
    carried = 0
    for name, body in configurations(shared):
        try:
            arguments = for_langchain(stub(body))
        except AdapterError as error:
            lost = {pointer.split("/")[1] for pointer in error.pointers}
            assert lost <= body.keys(), name
            rest = {key: value for key, value in body.items() if key not in lost or key == "model"}
            arguments = for_langchain(stub(rest))
        else:
            rest = body
            carried += 1
        langchain(arguments, sdk)
        assert without_call(seen.body) == rest, name
        assert seen.body["messages"] == MESSAGES
    assert carried > 30


@pytest.mark.filterwarnings("ignore")
def test_langchain_carries_headers_over_its_own_client(server) -> None:
    model = package("langchain_openrouter").ChatOpenRouter
    arguments = for_langchain(compiled())
    model(**arguments, api_key="sk-1", base_url=server.url).invoke("Hello there")
    assert without_call(server.body) == BODY
    assert {name: server.request.headers[name] for name in HEADERS} == HEADERS
    region = for_langchain(compiled(TRIAGE + "region: eu\n"))
    assert region["base_url"] == "https://eu.openrouter.ai/api/v1"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["openai.OpenAIChatModel", "openrouter.OpenRouterModel"])
def test_pydantic_ai_carries_every_documented_configuration(shared, stub, kind) -> None:
    package("pydantic_ai")
    module, name = kind.split(".")
    model = getattr(import_module(f"pydantic_ai.models.{module}"), name)
    provider = import_module("pydantic_ai.providers.openrouter").OpenRouterProvider
    agent = import_module("pydantic_ai").Agent

    async def run() -> None:
        for case, body in configurations(shared):
            seen = Seen()
            async with httpx.AsyncClient(transport=seen) as http:
                chat = model(
                    **for_pydantic_ai(stub(body)), provider=provider(api_key="sk-1", http_client=http)
                )
                await agent(chat).run("Hello there")
            assert without_call(seen.body) == body, case
            assert [message["content"] for message in seen.body["messages"]] == ["Hello there"]
        seen = Seen()
        async with httpx.AsyncClient(transport=seen) as http:
            chat = model(**for_pydantic_ai(compiled()), provider=provider(api_key="sk-1", http_client=http))
            await agent(chat).run("Hello there")
        assert {header: seen.request.headers[header] for header in HEADERS} == HEADERS

    asyncio.run(run())


@pytest.fixture(scope="module")
def instructor():
    library = pytest.importorskip("instructor", reason="instructor is not installed")
    openai = package("openai")
    flavour = sys.modules[openai.DefaultHttpxClient.__mro__[1].__module__.split(".")[0]]
    pydantic = package("pydantic")
    ticket = pydantic.create_model("Ticket", title=(str, ...))
    bodies: list[Any] = []
    call = {"id": "1", "type": "function", "function": {"name": "Ticket", "arguments": '{"title": "Twice"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer = {**REPLY, "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]}

    def reply(request: Any) -> Any:
        bodies.append(json.loads(request.read()))
        return flavour.Response(200, json=answer)

    http = openai.DefaultHttpxClient(transport=flavour.MockTransport(reply))
    client = library.from_openai(
        openai.OpenAI(api_key="sk-1", base_url="https://openrouter.ai/api/v1", http_client=http)
    )

    def create(**arguments: Any) -> dict[str, Any]:
        arguments = {"messages": MESSAGES} | arguments
        assert client.chat.completions.create(response_model=ticket, **arguments).title == "Twice"
        return bodies[-1]

    return create


@pytest.mark.filterwarnings("ignore")
def test_instructor_carries_every_configuration_that_leaves_it_its_own(shared, stub, instructor) -> None:
    for name, body in configurations(shared):
        taken = [
            key for key in ("response_format", "tools", "tool_choice", "parallel_tool_calls") if key in body
        ]
        if taken:
            with pytest.raises(AdapterError) as caught:
                for_instructor(stub(body))
            assert caught.value.pointers == tuple(f"/{key}" for key in taken), name
        else:
            sent = without_call(instructor(**for_instructor(stub(body))))
            own = {key: sent.pop(key) for key in ("tools", "tool_choice")}
            assert sent == body, name
            assert own["tool_choice"]["function"] == {"name": "Ticket"}


@pytest.mark.filterwarnings("ignore")
def test_instructor_takes_messages_with_the_system_prompt(instructor) -> None:
    sent = instructor(**for_instructor(compiled(TRIAGE + "system: Be brief.\n"), "Hello", seed=7))
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert {key: sent[key] for key in (*BODY, "seed")} == {**BODY, "seed": 7}


ADAPTERS = [for_litellm, for_langchain, for_pydantic_ai, for_instructor]
NEEDS = {for_langchain: "langchain_openrouter", for_instructor: "openai"}


@pytest.mark.parametrize("adapt", ADAPTERS)
@pytest.mark.parametrize(
    ("line", "pointer"), [("system: Be brief.\n", "/system"), ("max_cost: 1\n", "/max_cost")]
)
def test_what_stands_outside_the_body_is_never_lost_in_silence(adapt, line, pointer) -> None:
    if adapt in NEEDS:
        package(NEEDS[adapt])
    with pytest.raises(AdapterError) as caught:
        adapt(compiled(TRIAGE + line))
    assert pointer in caught.value.pointers


@pytest.mark.parametrize("adapt", [for_pydantic_ai, for_instructor])
def test_a_region_needs_a_client_made_for_it(adapt) -> None:
    if adapt in NEEDS:
        package(NEEDS[adapt])
    preset = compiled(TRIAGE + "region: eu\n")
    with pytest.raises(AdapterError, match="/region"):
        adapt(preset)
    assert adapt(preset, base_url="https://eu.openrouter.ai/api/v1")


@pytest.mark.parametrize("adapt", [for_litellm, for_pydantic_ai])
def test_a_preset_without_a_model_is_named(stub, adapt) -> None:
    with pytest.raises(AdapterError, match="/model is needed"):
        adapt(stub({"models": ["a/a", "b/b"]}))


def test_a_missing_package_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_openrouter", None)
    frameworks.langchain_stage.cache_clear()
    with pytest.raises(UsageError, match="for_langchain needs the langchain-openrouter package"):
        for_langchain(compiled())


NASTY = 'it\'s "quoted" $HOME `id` \\ \u2028 ☃\n@next'


def test_curl_sends_what_the_client_sends(server, monkeypatch, tmp_path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    preset = compiled(TRIAGE + "system: Be brief.\n")
    command = as_curl(preset, NASTY, seed=7).replace("https://openrouter.ai/api/v1", server.url)
    environment = {"OPENROUTER_API_KEY": "sk-1", "PATH": "/usr/local/bin:/usr/bin:/bin", "no_proxy": "*"}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, check=True, timeout=30
    )
    assert json.loads(done.stdout) == REPLY
    assert server.body == preset.request(NASTY, seed=7).body
    assert server.request.path == "/api/v1/chat/completions"
    assert server.request.headers["authorization"] == "Bearer sk-1"
    assert {name: server.request.headers[name] for name in HEADERS} == HEADERS


def test_a_curl_command_names_the_region_and_no_key(monkeypatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-secret")
    command = as_curl(compiled(TRIAGE + "region: eu\n"))
    assert command.startswith("curl https://eu.openrouter.ai/api/v1/chat/completions \\\n  -H ")
    assert "sk-secret" not in command
