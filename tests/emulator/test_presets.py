"""Presets on the server: versions of what requests were made of, and how they merge into the requests that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from orpolicy.emulator.memory import Version
from orpolicy.emulator.presets import KEPT, merge, unite_tools
from orpolicy.language.lower import BODY

if TYPE_CHECKING:
    import httpx

MINI = "openai/gpt-4o-mini"
OTHER = "anthropic/claude-haiku-4.5"
HELLO = [{"role": "user", "content": "Hello"}]


def store(client: httpx.Client, slug: str = "mine", kind: str = "chat/completions", **body: Any) -> Any:
    reply = client.post(f"/presets/{slug}/{kind}", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()["data"]


def ask(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post("/chat/completions", json={"messages": HELLO, **body})


def test_what_is_kept_is_what_a_preset_can_send() -> None:
    assert set(BODY) - {"preset"} == KEPT


@pytest.mark.parametrize(
    ("kind", "prompt"),
    [
        ("chat/completions", {"messages": [{"role": "system", "content": "Be brief"}, *HELLO]}),
        (
            "chat/completions",
            {"messages": [{"role": "system", "content": [{"type": "text", "text": "Be brief"}]}]},
        ),
        ("messages", {"system": "Be brief", "messages": HELLO}),
        ("responses", {"instructions": "Be brief", "input": "Hello"}),
    ],
)
def test_a_version_keeps_settings_and_the_system_prompt(
    client: httpx.Client, kind: str, prompt: dict[str, Any]
) -> None:
    made = store(client, kind=kind, model=MINI, temperature=0.5, stream=True, unheard_of=1, **prompt)
    version = made["designated_version"]
    assert version["config"] == {"model": MINI, "temperature": 0.5}
    assert version["system_prompt"] == "Be brief"
    assert (version["version"], made["status"]) == (1, "active")


def test_the_latest_version_is_active_and_the_others_stay(client: httpx.Client) -> None:
    store(client, model=MINI)
    store(client, slug="other", model=OTHER)
    latest = store(client, model=OTHER)["designated_version"]
    assert client.get("/presets/mine").json()["data"]["designated_version"] == latest
    versions = client.get("/presets/mine/versions").json()
    assert [row["config"]["model"] for row in versions["data"]] == [MINI, OTHER]
    assert client.get("/presets/mine/versions/1").json()["data"] == versions["data"][0]
    listed = client.get("/presets").json()
    assert [row["slug"] for row in listed["data"]] == ["mine", "other"]
    assert ask(client, model="@preset/mine").json()["model"] == OTHER


def test_pages_have_an_offset_and_a_limit(client: httpx.Client) -> None:
    for number in range(5):
        store(client, slug=f"p{number}", model=MINI)
    page = client.get("/presets", params={"offset": 1, "limit": 2}).json()
    assert ([row["slug"] for row in page["data"]], page["total_count"]) == (["p3", "p2"], 5)
    for wrong in ({"limit": 0}, {"limit": 101}, {"offset": -1}, {"limit": "x"}):
        assert client.get("/presets", params=wrong).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/presets/none", 404),
        ("GET", "/presets/none/versions", 404),
        ("GET", "/presets/mine/versions/2", 404),
        ("GET", "/presets/mine/nothing", 404),
        ("DELETE", "/presets/mine", 405),
        ("POST", "/presets/mine/versions", 405),
        ("POST", "/presets/a.b/chat/completions", 400),
    ],
)
def test_what_is_not_there_is_refused(client: httpx.Client, method: str, path: str, status: int) -> None:
    store(client, model=MINI)
    reply = client.request(method, path, json={} if method == "POST" else None)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, status)


def test_a_preset_is_made_of_an_object(client: httpx.Client) -> None:
    assert client.post("/presets/mine/messages", json=[]).status_code == 400


@pytest.mark.parametrize(
    ("named", "serves"),
    [
        ({"model": "@preset/mine"}, OTHER),
        ({"model": f"{MINI}@preset/mine"}, MINI),
        ({"model": MINI, "preset": "mine"}, MINI),
        ({"preset": "mine"}, OTHER),
    ],
)
def test_a_request_names_a_preset_in_four_ways(
    client: httpx.Client, named: dict[str, str], serves: str
) -> None:
    store(client, model=OTHER, max_tokens=2)
    reply = ask(client, **named).json()
    assert reply["model"] == serves
    assert reply["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("named", [{"model": "@preset/none"}, {"preset": "none"}, {"preset": 3}])
def test_a_preset_that_is_not_there_is_not_found(client: httpx.Client, named: dict[str, Any]) -> None:
    assert ask(client, **named).status_code == 404


def test_a_field_of_the_request_replaces_the_whole_field(client: httpx.Client) -> None:
    store(client, model=MINI, provider={"only": ["openai"], "zdr": True})
    assert ask(client, model="@preset/mine", provider={"only": ["azure"]}).json()["provider"] == "Azure"
    version = Version(1, {"provider": {"only": ["openai"], "zdr": True}, "seed": 1}, None, "")
    assert merge(version, {"provider": {"sort": "price"}}) == {"provider": {"sort": "price"}, "seed": 1}


def function(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


def test_tools_are_united_and_the_request_wins() -> None:
    kept = [function("a", description="old"), function("b"), {"type": "openrouter:web_search"}]
    asked = [
        function("c"),
        {"type": "openrouter:web_search", "parameters": {"max_results": 2}},
        function("a"),
    ]
    assert unite_tools(kept, asked) == [function("a"), function("b"), asked[1], function("c")]


def test_advisors_and_subagents_are_told_apart_by_their_names() -> None:
    one, other = (
        {"type": "openrouter:advisor", "parameters": {"name": name, "model": "x/y"}}
        for name in ("law", "tax")
    )
    newer = {"type": "openrouter:advisor", "parameters": {"name": "tax", "model": "x/z"}}
    assert unite_tools([one, other], [newer]) == [one, newer]


def test_tools_of_the_preset_alone_are_kept(client: httpx.Client) -> None:
    store(client, model=MINI, tools=[function("f", parameters={"type": "object"})], tool_choice="required")
    message = ask(client, model="@preset/mine").json()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["name"] == "f"


def test_the_system_prompt_goes_before_the_messages() -> None:
    version = Version(1, {}, "Be brief", "")
    assert merge(version, {"messages": HELLO})["messages"] == [
        {"role": "system", "content": "Be brief"},
        *HELLO,
    ]


def test_answers_validate_against_the_specification(
    client: httpx.Client, specification: dict[str, Any]
) -> None:
    store(client, model=MINI, messages=[{"role": "system", "content": "Be brief"}])
    for path, name in [
        ("/presets", "ListPresetsResponse"),
        ("/presets/mine", "GetPresetResponse"),
        ("/presets/mine/versions", "ListPresetVersionsResponse"),
        ("/presets/mine/versions/1", "GetPresetVersionResponse"),
    ]:
        schema = {"$ref": f"#/components/schemas/{name}", "components": specification["components"]}
        jsonschema.Draft202012Validator(schema).validate(client.get(path).json())
