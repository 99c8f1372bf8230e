"""Whatever form a configuration comes in, the preset made of it compiles back to the same request."""

from __future__ import annotations

import json
import re
import shlex
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import presets

from orpolicy.disk import Library
from orpolicy.errors import UsageError
from orpolicy.language.building import build_layer
from orpolicy.language.compiler import Compiler
from orpolicy.language.decompile import ImportProblem, import_preset, read_foreign
from orpolicy.language.document import read_document
from orpolicy.language.files import Memory
from orpolicy.language.lower import lower, write_json, write_price
from orpolicy.language.schema import merge_strategies
from orpolicy.language.settle import settle
from orpolicy.language.source import Source
from orpolicy.language.trees import Layer, to_data
from orpolicy.language.values import canonical_json
from orpolicy.language.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from orpolicy.language.compilation import Compilation
    from orpolicy.language.decompile import Imported

URL = "https://openrouter.ai/api/v1/chat/completions"
KEY = "sk-or-v1-0123456789abcdef"
BODY: dict[str, Any] = {
    "model": "openai/gpt-5-mini",
    "provider": {"max_price": {"prompt": "0.250", "completion": 2}, "only": ["azure"]},
    "temperature": 0.2,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "t", "schema": {"enum": ["it's", None]}},
    },
    "metadata": {"team": 'say "hi"', "note": "a\\b\n$HOME `x` é \U0001f600"},
}
MESSAGES = [{"role": "user", "content": "Don't: \\ $ ` \" é"}]


def compile_text(text: str) -> Compilation:
    workspace = Workspace(Memory({"presets/imported.yaml": text}), Workspace(Library()))
    return Compiler(workspace).compile("imported")


def canonical(body: Any) -> str:
    """Write a body as it is compiled: whole numbers without a fraction, prices as the shortest decimal strings."""
    exact = json.loads(json.dumps(body), parse_float=Decimal)
    ceilings = exact.get("provider", {}).get("max_price", {})
    for key, price in ceilings.items():
        ceilings[key] = write_price(Decimal(str(price)))
    return canonical_json(write_json(exact))


def assert_gives_back(text: str, body: Any = BODY) -> Compilation:
    imported = import_preset(text)
    assert list(imported.report) == []
    compiled = compile_text(imported.text)
    assert canonical(compiled.body) == canonical(body)
    return compiled


def as_curl(body: Any, *, flag: str = "-d") -> str:
    return (
        f"curl {URL} \\\n  -H 'Content-Type: application/json' \\\n  {flag} {shlex.quote(json.dumps(body))}"
    )


def as_ansi(text: str) -> str:
    """Quote a text as browsers copy it for bash."""
    escaped = "".join(
        c if c.isascii() and c.isprintable() and c not in "\\'!" else _escape_unit(c) for c in text
    )
    return f"$'{escaped}'"


def as_double_quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\$`])', r"\\\1", text) + '"'


def _escape_unit(character: str) -> str:
    if character in "\\'":
        return "\\" + character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


EXTRA = {key: value for key, value in BODY.items() if key not in ("model", "temperature")}
ARGUMENTS = "model='openai/gpt-5-mini', temperature=2e-1"
CALL = {**BODY, "messages": MESSAGES, "stream": True}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(BODY),
        "\ufeff\n" + json.dumps(CALL, indent=2) + "\n",
        repr(CALL),
        as_curl(CALL),
        as_curl(CALL, flag="--data-raw"),
        f"$ OPENROUTER=x curl -sS -XPOST --compressed --json {as_ansi(json.dumps(CALL, ensure_ascii=False))} {URL} | jq .x",
        f"curl -X POST --url {URL} --data-binary {as_double_quoted(json.dumps(CALL))}",
        f"# try it, it's free\ncurl {URL} -o out.json 2>/dev/null -d{shlex.quote(json.dumps(CALL))} && echo done",
        f"client.chat.completions.create(**{CALL!r})",
        f"c = client.chat.completions.create({ARGUMENTS}, messages=messages,\n    extra_body={EXTRA!r})\nprint(c)",
        f"{ARGUMENTS}, extra_body={EXTRA!r},",
        f"extra_body = {BODY!r}",
        json.dumps({"extra_body": BODY, "timeout": 30}),
        f'requests.post(url="{URL}", headers={{"Authorization": f"Bearer {{KEY}}"}}, data=json.dumps({CALL!r}))',
        f"httpx.post({URL!r}, json={CALL!r})",
        json.dumps({"data": {"id": "1", "version": 3, "config": BODY, "system_prompt": None}}),
    ],
    ids=[
        "body",
        "body of a call",
        "Python dictionary",
        "curl",
        "curl --data-raw",
        "curl with ANSI quotes",
        "curl with double quotes",
        "curl among other commands",
        "call with two asterisks",
        "OpenAI SDK",
        "arguments alone",
        "assignment",
        "JSON with extra_body",
        "requests",
        "httpx",
        "hosted preset",
    ],
)
def test_every_form_of_a_body_compiles_back_to_it(text: str) -> None:
    assert_gives_back(text)


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30))
@example("'\"'\\'' $(x) \\u0041 ! `")
def test_quoting_in_a_shell_does_not_change_a_body(text: str) -> None:
    body = {"model": "openai/gpt-5-mini", "metadata": {"note": text}}
    for quoted in (shlex.quote(json.dumps(body)), as_ansi(json.dumps(body, ensure_ascii=False))):
        assert read_foreign(f"curl {URL} -d {quoted}").data == body


def read_cases(shared: Path) -> Iterable[tuple[str, Any]]:
    for line in (shared / "cases" / "presets.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        yield case["id"], case["config"]


def test_every_documented_configuration_is_given_back(shared: Path) -> None:
    count = 0
    for _, config in read_cases(shared):
        for text in (json.dumps(config), as_curl({**config, "messages": MESSAGES}), repr(config)):
            assert_gives_back(text, config)
            count += 1
    assert count == 3 * 77


@settings(max_examples=60)
@given(presets())
def test_whatever_a_preset_can_send_is_imported_without_a_loss(preset: dict[str, Any]) -> None:
    body = lower(preset).body
    imported = import_preset(json.dumps(body))
    assert imported.notes == ()
    assert list(imported.report) == []
    document = read_document(Source("x", imported.text)).document
    assert document is not None
    again = to_data(settle(build_layer(document.data, Layer("x"), merge_strategies())))
    assert canonical_json(lower(again).body) == canonical_json(body)


def test_headers_and_the_host_become_keys() -> None:
    headers = {
        "Authorization": f"Bearer {KEY}",
        "HTTP-Referer": "https://example.com",
        "X-Title": "Example",
        "X-OpenRouter-Categories": "legal, game",
        "X-OpenRouter-Cache": "true",
        "X-OpenRouter-Cache-TTL": "600",
        "x-anthropic-beta": "interleaved-thinking-2025-05-14",
        "X-OpenRouter-Metadata": "enabled",
    }
    options = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items())
    imported = import_preset(f"curl https://eu.openrouter.ai/api/v1/chat/completions {options} -d '{{}}'")
    assert imported.text == (
        "region: eu\n"
        "cache_enabled: true\n"
        "cache_ttl_seconds: 600\n"
        "attribution:\n"
        "  referer: https://example.com\n"
        "  title: Example\n"
        "  categories: [legal, game]\n"
        "anthropic_beta: [interleaved-thinking-2025-05-14]\n"
    )
    assert imported.notes == (
        "the key is left out: the client takes it from OPENROUTER_API_KEY",
        "the header 'X-OpenRouter-Metadata' is left out: a preset has no place for it, the client has",
    )


def test_headers_of_a_compiled_preset_come_back_through_curl() -> None:
    text = (
        "model: openai/gpt-5-mini\nregion: us\ncache_enabled: false\n"
        "attribution:\n  referer: https://example.com\n  title: X\n"
    )
    compiled = compile_text(text)
    options = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in compiled.headers.items())
    curl = f"curl {compiled.base_url}/chat/completions {options} -d {shlex.quote(json.dumps(compiled.body))}"
    again = compile_text(import_preset(curl).text)
    assert again.digest == compiled.digest


CLIENT = "OpenAI(base_url='https://us.openrouter.ai/api/v1', api_key=KEY, default_headers={'X-Title': 'T'})"


@pytest.mark.parametrize(
    ("options", "data"),
    [
        ("-e https://example.com -d '{}'", {"attribution": {"referer": "https://example.com"}}),
        ("-H 'no colon' -H 'X-OpenRouter-Cache-TTL: soon' -d '{}'", {"cache_ttl_seconds": "soon"}),
        ("--json '{\"seed\":' --json ' 7}'", {"seed": 7}),
        ("-d '{\"user\": \"a' -d 'b\"}'", {"user": "a&b"}),
        ("--next --request=POST -d '{}' extra", {}),
        ("-d '{}' \\\n  # the end", {}),
        ("-d '{}' -o", {}),
        ("-d {}", {}),
        ("-d \\{\\}", {}),
    ],
)
def test_options_of_curl_mean_what_they_mean_to_curl(options: str, data: dict[str, Any]) -> None:
    assert read_foreign(f"curl openrouter.ai/api/v1/chat/completions {options}").data == data


def test_another_host_is_the_clients() -> None:
    foreign = read_foreign("curl http://localhost:4000/v1/chat/completions -d '{}'")
    assert foreign.data == {}
    assert foreign.notes == ("the host is left out: another one than OpenRouter's is the client's base_url",)


@pytest.mark.parametrize(
    ("call", "headers"),
    [
        (
            f"{CLIENT}\nclient.chat.completions.create(model='a/b', messages=[])",
            {"region": "us", "attribution": {"title": "T"}, "model": "a/b"},
        ),
        (
            'c.chat.send(model="a/b", http_referer="https://e.com", x_open_router_title="T", timeout_ms=1)',
            {"attribution": {"referer": "https://e.com", "title": "T"}, "model": "a/b"},
        ),
        (
            'c.create(model="a/b", extra_headers={"x-session-id": "s"}, extra_body={"model": "c/d"})',
            {"session_id": "s", "model": "c/d"},
        ),
    ],
)
def test_what_an_sdk_keeps_apart_is_joined(call: str, headers: dict[str, Any]) -> None:
    assert read_foreign(call).data == headers


def test_a_leading_system_message_becomes_the_system_prompt() -> None:
    messages = [{"role": "system", "content": "Be brief.\nBe kind."}, *MESSAGES]
    imported = import_preset(json.dumps({"model": "openai/gpt-5-mini", "messages": messages}))
    assert imported.text == "model: openai/gpt-5-mini\nsystem: |-\n  Be brief.\n  Be kind.\n"
    assert imported.notes == ("'messages' is left out: it belongs to a call",)
    assert compile_text(imported.text).system == "Be brief.\nBe kind."


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        ({"messages": []}, ("'messages' is left out: it belongs to a call",)),
        ({"messages": [{"role": "system", "content": "s"}]}, ()),
        (
            {
                "messages": [
                    {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": {}}]}
                ]
            },
            ("the system message's cache_control is left out: a preset sends plain text",),
        ),
        (
            {"system": "s", "messages": [{"role": "system", "content": "t"}]},
            ("the system message is left out: a system prompt is given besides",),
        ),
        (
            {"prompt": "p", "input": "i", "stream": False},
            tuple(f"'{key}' is left out: it belongs to a call" for key in ("prompt", "input", "stream")),
        ),
        (
            {"stop": None, "tools": [{"type": "function", "function": {"name": "f", "strict": None}}]},
            (
                "the null at /stop is left out: in a preset it would remove something",
                "the null at /tools/0/function/strict is left out: in a preset it would remove something",
            ),
        ),
        (
            {"model": "a/b", "extra_body": {"model": "c/d"}, "extra_query": {}},
            (
                "'model' stands in extra_body, too, and that one counts",
                "'extra_query' is left out: it is the client's",
            ),
        ),
    ],
)
def test_what_is_left_out_is_noted(body: dict[str, Any], notes: tuple[str, ...]) -> None:
    assert read_foreign(json.dumps(body)).notes == notes


def test_a_key_that_is_written_twice_is_noted() -> None:
    foreign = read_foreign('{"seed": 1, "model": "a/b", "seed": 2}')
    assert foreign.data == {"seed": 2, "model": "a/b"}
    assert foreign.notes == ("the key 'seed' is written twice; the last one counts",)


def test_unknown_keys_stay_and_are_reported_where_they_stand() -> None:
    imported = import_preset(
        '{"model": "openai/gpt-5-mini", "temprature": 0, "provider": {"sorting": "price"}}'
    )
    document = read_document(Source("x", imported.text)).document
    assert document is not None
    assert document.data["temprature"] == 0
    found = [(str(finding.location), finding.code) for finding in imported.report]
    assert found == [("<import>:3:3", "unknown-key"), ("<import>:4:1", "unknown-key")]


@pytest.mark.parametrize("price", ["0.250", "0.25", 0.25, "2.5e-1"])
def test_price_ceilings_are_read_as_numbers_in_whatever_form_they_come(price: Any) -> None:
    body = {"model": "a/b", "provider": {"max_price": {"prompt": price, "completion": "1"}}}
    compiled = compile_text(import_preset(json.dumps(body)).text)
    assert compiled.body["provider"]["max_price"] == {"prompt": "0.25", "completion": "1"}


def test_whole_numbers_are_written_without_a_fraction() -> None:
    imported = import_preset('{"max_tokens": 1e3, "temperature": 1.0, "top_p": 0.950}')
    assert imported.text == "temperature: 1\ntop_p: 0.950\nmax_tokens: 1000\n"


def test_a_hosted_preset_keeps_its_slug_and_its_system_prompt() -> None:
    hosted = {
        "data": {
            "slug": "email-copywriter",
            "name": "Email",
            "description": "Writes mails",
            "designated_version": {
                "config": {"model": "a/b", "cache_enabled": True},
                "system_prompt": "Write.",
            },
        }
    }
    foreign = read_foreign(json.dumps(hosted))
    assert foreign.kind == "hosted"
    assert foreign.data == {
        "slug": "email-copywriter",
        "description": "Writes mails",
        "model": "a/b",
        "cache_enabled": True,
        "system": "Write.",
    }
    assert read_foreign(json.dumps({"data": [hosted["data"]]})).data == foreign.data
    assert read_foreign(json.dumps(hosted["data"])).data == foreign.data


def test_a_curl_that_makes_a_hosted_preset_names_its_slug() -> None:
    url = "https://openrouter.ai/api/v1/presets/mails/chat/completions"
    assert read_foreign(f"curl {url} -d '{{}}'").data == {"slug": "mails"}


SECRETS = (
    f'{{"model": "a/b", "metadata": {{"k": "{KEY}"}}}}',
    f'{{"model": "a/b", "metadata": {{"{KEY}": "k"}}}}',
    f"""curl {URL} -d '{{"messages": [{{"role": "system", "content": "{KEY}"}}]}}'""",
)


@pytest.mark.parametrize("text", SECRETS)
def test_a_credential_in_a_body_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ImportProblem, match="looks like a credential") as caught:
        import_preset(text)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"curl {URL} -H 'Authorization: Bearer {KEY}' -d '{{\"model\": \"a/b\"}}'",
        f'curl {URL} -u user:{KEY} -d \'{{"model": "a/b"}}\'',
        f"curl {URL} --oauth2-bearer {KEY} -H 'Cookie: {KEY}' -H 'X-Mine: {KEY}' -d '{{\"model\": \"a/b\"}}'",
        f'OpenAI(base_url="https://openrouter.ai/api/v1", api_key="{KEY}").create()\nc.create(model="a/b")',
        f'requests.post(url="{URL}", headers={{"Authorization": "Bearer {KEY}"}}, json={{"model": "a/b"}})',
        f'{{"model": "a/b", "api_key": "{KEY}", "extra_headers": {{"Authorization": "{KEY}"}}}}',
    ],
)
def test_the_key_of_a_request_is_dropped_and_shown_nowhere(text: str) -> None:
    imported = import_preset(text)
    assert imported.text == "model: a/b\n"
    assert KEY not in repr(imported)


PROBLEMS = {
    "": "nothing to import",
    "hello": "no request body",
    "model: openai/gpt-5-mini": "no request body",
    "say what you mean": "no request body",
    "[1, 2]": "no mapping of keys",
    "[]": "no mapping of keys",
    '{"model": }': "this is not JSON: expecting value (line 1, column 11)",
    '{"seed": NaN}': "NaN",
    '{"seed": 1e9999999999999999999}': "too large or too small",
    '{"seed": ' + "9" * 5000 + "}": "too long",
    '{"metadata": {"a": "\\ud800"}}': "lone surrogate",
    '{"temperature": 1e-999}': "outside the range",
    '{"a":' * 5000 + "1" + "}" * 5000: "nested deeper than 64",
    '{"a":' * 65 + "1" + "}" * 65: "nested deeper than 64",
    "{'model': MODEL}": "'model' holds an expression on line 1",
    "{'metadata': {'a': [f'{x}']}}": "'metadata' holds an expression",
    "{1: 2}": "no mapping of keys",
    "f(model='a/b', **settings)": "'**' holds an expression",
    "f(model='a/b')\ng(model='c/d')": "2 calls",
    "f(model='a/b', extra_body=EXTRA)": "'extra_body' is no mapping",
    "f(model='a/b', extra_headers={'X-Title': TITLE})": "the header 'X-Title'",
    "f(model='a/b', messages=[{'role': 'system', 'content': PROMPT}])": "expression on line 1",
    '{"messages": [{"role": "system", "content": [{"text": "a"}, {"text": "b"}]}]}': "no single text",
    '{"data": []}': "one version at a time",
    '{"data": [{"slug": "a"}, {"slug": "b"}]}': "one version at a time",
    f"curl {URL}": "sends no body",
    f"curl {URL} -d @body.json": "stands in a file",
    f"curl {URL} -d @- <<EOF\n{{}}\nEOF": "on standard input",
    f"curl {URL} -F model=a": "form or a file",
    f"curl {URL} -d '{{": "never closed (line 1",
    f"curl {URL} -d $'\\xff'": "not UTF-8",
    f"curl {URL} -d 'a=1'": "not JSON",
    f"curl {URL} -d '{{}}'\ncurl {URL} -d '{{}}'": "several curl commands",
    "curl https://openrouter.ai/api/v1/messages -d '{}'": "calls /messages",
    "curl https://openrouter.ai/api/v1/responses -d '{}'": "calls /responses",
    "x = 1\0": "no request body",
    "-" * 100_000 + "1": "no request body",
    "f(model=" + "{'a':" * 70 + "1" + "}" * 70 + ")": "nested deeper than 64",
    "{'seed': 1e999}": "'seed' holds an expression",
    "{'seed': -SEED, 'a': 1}": "'seed' holds an expression",
    json.dumps({"metadata": {"a": "x" * 1_100_000}}): "no preset can hold this",
    "x" * 1_100_000: "longer than 1024 KiB",
}


@pytest.mark.parametrize(("text", "message"), PROBLEMS.items(), ids=[text[:40] for text in PROBLEMS])
def test_what_cannot_be_imported_is_said_in_words(text: str, message: str) -> None:
    with pytest.raises(ImportProblem) as caught:
        import_preset(text)
    assert message in str(caught.value)


def import_or_refuse(text: str, **base: Any) -> Imported | None:
    try:
        return import_preset(text, **base)
    except ImportProblem:
        return None


@settings(max_examples=150)
@given(
    st.text(max_size=60)
    | st.text(st.sampled_from("curl -d'\"\\${}[]:,\n#@&|<>=()ab1 "), max_size=60).map("curl ".__add__)
    | st.text(st.sampled_from("{}[]()'\":,=\n ab1.*"), max_size=40)
)
def test_garbage_is_a_problem_and_never_a_crash(text: str) -> None:
    imported = import_or_refuse(text)
    assert imported is None or read_document(Source("x", imported.text)).document is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MISSHAPEN = st.dictionaries(
    st.sampled_from(["model", "provider", "tools", "plugins", "messages", "data", "config", "extra_body"]),
    JSON | st.fixed_dictionaries({"max_price": JSON}),
)


@settings(max_examples=150)
@given(MISSHAPEN)
@example({"tools": [{"type": "function", "function": "f"}]})
@example({"plugins": [5], "tools": {"append": []}})
def test_misshapen_bodies_are_imported_and_reported_or_refused(body: dict[str, Any]) -> None:
    base = {"plugins": [{"id": "web"}], "tools": [{"type": "openrouter:datetime"}], "provider": {"zdr": True}}
    alone = import_or_refuse(json.dumps(body))
    above = import_or_refuse(json.dumps(body), extends=base, extends_name="base")
    assert above is None or alone is not None


def test_what_a_base_says_already_is_left_out() -> None:
    base = {
        "description": "Base",
        "slug": "base",
        "provider": {"zdr": True, "data_collection": "deny"},
        "seed": 1,
    }
    body = {"model": "openai/gpt-5-mini", "provider": {"zdr": True, "sort": "price"}}
    imported = import_preset(json.dumps(body), extends=base, extends_name="orpolicy/private")
    assert imported.text == (
        "extends: orpolicy/private\n"
        "model: openai/gpt-5-mini\n"
        "provider:\n"
        "  sort: price\n"
        "  data_collection: null\n"
        "seed: null\n"
    )


def test_a_base_that_cannot_be_undone_is_named() -> None:
    base = {"response_format": {"type": "grammar", "grammar": "x"}}
    body = '{"response_format": {"type": "text"}}'
    with pytest.raises(ImportProblem, match="on top of 'base': at /response_format/grammar"):
        import_preset(body, extends=base, extends_name="base")


def test_what_lies_below_without_a_name_is_left_out_as_well() -> None:
    body = '{"model": "a/b", "temperature": 1}'
    assert import_preset(body, extends={"temperature": 1, "user": "app"}).text == "model: a/b\nuser: null\n"


def test_a_name_needs_what_it_says() -> None:
    with pytest.raises(UsageError):
        import_preset("{}", extends_name="base")


def test_the_examples_of_the_documentation_are_what_an_import_gives(root: Path) -> None:
    page = (root / "docs" / "import.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    private = {"provider": {"zdr": True, "data_collection": "deny"}}
    for (language, text), (_, written) in zip(blocks[::2], blocks[1::2], strict=True):
        base = {"extends": private, "extends_name": "orpolicy/private"} if language == "json" else {}
        imported = import_or_refuse(text, **base)
        assert imported is not None
        assert imported.text == written
        assert list(imported.report) == []
