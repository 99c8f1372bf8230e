"""A small client of the language server protocol, over standard input and output.

It speaks as editors do: opens one document, answers what the server asks, and keeps the diagnostics that it is sent.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType


class LanguageServer:
    """``yaml-language-server`` in a process of its own, with a folder as its workspace."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        self._last = 0
        uri = folder.as_uri()
        self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": uri,
                "workspaceFolders": [{"uri": uri, "name": "project"}],
                "capabilities": {
                    "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}},
                    "workspace": {"configuration": True, "workspaceFolders": True},
                },
            },
        )
        self.notify("initialized", {})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def open(self, file: Path, text: str) -> str:
        """Open a text as the content of a file and wait until it has been judged; return its URI."""
        uri = file.as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        while uri not in self.diagnostics:
            self._receive()
        return uri

    def complete(self, uri: str, line: int, character: int) -> list[dict[str, Any]]:
        """Ask what may stand at a place, both numbers from 0."""
        found = self.request("textDocument/completion", _at(uri, line, character))
        items: list[dict[str, Any]] = found["items"] if isinstance(found, dict) else found
        return items

    def hover(self, uri: str, line: int, character: int) -> str:
        """Ask what a place means."""
        found = self.request("textDocument/hover", _at(uri, line, character))
        return "" if found is None else str(found["contents"]["value"])

    def request(self, method: str, parameters: Mapping[str, Any]) -> Any:
        """Ask, and wait for the answer."""
        self._last += 1
        self._send({"id": self._last, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if message.get("id") == self._last and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def notify(self, method: str, parameters: Mapping[str, Any]) -> None:
        """Tell, without an answer."""
        self._send({"method": method, "params": parameters})

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        """Read one message, and do what it asks for."""
        stream = self.process.stdout
        assert stream is not None
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server went away"
        message: dict[str, Any] = json.loads(stream.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": _answer(message)})
        return message


def _answer(message: Mapping[str, Any]) -> Any:
    """Answer as an editor with default settings, but without a way to the outside."""
    if message["method"] != "workspace/configuration":
        return None
    yaml = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
    return [yaml if item.get("section") == "yaml" else {} for item in message["params"]["items"]]


def _at(uri: str, line: int, character: int) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
