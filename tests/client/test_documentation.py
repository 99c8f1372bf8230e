"""The page about the client: what it shows runs."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx

import orpolicy

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TICKET = '{"title": "Charged twice", "kind": "bill", "amount": 12.5}'
MODEL = "openai/gpt-5-mini"


def answer(request: httpx.Request) -> httpx.Response:
    """Answer whatever the page asks."""
    body = json.loads(request.content or b"{}")
    if request.method == "GET":
        data: Any = {
            "id": "gen-1",
            "total_cost": 0.5,
            "limit_remaining": 1,
            "total_credits": 2,
            "endpoints": [],
        }
        path = request.url.path
        return httpx.Response(
            200, json={"data": [] if path.endswith(("models", "zdr", "providers")) else data}
        )
    message = {"role": "assistant", "content": TICKET}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.5}
    if body.get("stream"):
        choice = {"delta": message, "finish_reason": "stop"}
        event = {"model": MODEL, "choices": [choice], "usage": usage}
        text = f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n"
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=text)
    choice = {"message": message, "finish_reason": "stop"}
    return httpx.Response(200, json={"id": "gen-1", "model": MODEL, "choices": [choice], "usage": usage})


def test_what_the_page_shows_runs(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (root / "docs" / "client.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "presets" / "support").mkdir(parents=True)
    (tmp_path / "orpolicy.yaml").write_text("environments: [prod]\n")
    (tmp_path / "presets" / "support" / "triage.yaml").write_text(f"model: {MODEL}\n")
    monkeypatch.chdir(tmp_path)
    http = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(orpolicy, "Client", partial(orpolicy.Client, "sk-1", http=http))
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    names = module.__dict__
    names.update(client=orpolicy.Client())
    ran = 0
    for block in blocks:
        code = compile(block, "docs/client.md", "exec", dont_inherit=True)
        if "openai_client" not in block:  # packages that need not be here
            exec(code, names)
            ran += 1
    assert ran == len(blocks) - 1
    assert (names["ticket"].kind, str(names["ticket"].amount)) == ("bill", "12.5")
    assert names["answer"]["usage"]["cost"]
    assert names["client"].ledger.presets["support/triage"].calls == 2
    http.close()


def test_every_adapter_on_the_page_is_a_method_of_a_preset(root: Path) -> None:
    page = (root / "docs" / "client.md").read_text(encoding="utf-8")
    named = set(re.findall(r"triage\.(\w+)\(", page))
    assert {name for name in dir(orpolicy.Compiled) if name.startswith(("for_", "as_"))} <= named
    assert all(hasattr(orpolicy.Compiled, name) for name in named)
