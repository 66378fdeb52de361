"""The whole command, run in this process against an in-memory server."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from cli import main
from nalanda import Nalanda

NOW = "2026-01-02T03:04:05Z"
ENTITY = {"version": 1, "created_at": NOW, "updated_at": NOW}


@dataclass
class Outcome:
    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@dataclass
class Server(httpx.MockTransport):
    """A server of stored libraries and documents, with scripted responses for other paths."""

    libraries: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, list[httpx.Response | BaseException]] = field(default_factory=dict)
    handlers: dict[str, Callable[[httpx.Request], httpx.Response]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self._handle)

    def answer(self, path: str, *answers: object) -> None:
        """Script the responses in order; the last one repeats. A body stands for a 200 with it."""
        self.answers[path] = [
            a if isinstance(a, httpx.Response | BaseException) else httpx.Response(200, json=a)
            for a in answers
        ]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path
        if handler := self.handlers.get(path):
            return handler(request)
        if answers := self.answers.get(path):
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, BaseException):
                raise answer
            return answer
        if match := re.fullmatch(r"/libraries/l-\w+/documents/(.+)", path):
            return self._document(request, match[1])
        if re.fullmatch(r"/libraries/l-\w+/documents", path):
            items = list(self.documents.values())
            return httpx.Response(200, json={"items": items, "next_cursor": None})
        return self._library(request, path.removeprefix("/libraries").strip("/"))

    def _library(self, request: httpx.Request, name: str) -> httpx.Response:
        if request.method == "POST":
            body = json.loads(request.content)
            made = {**ENTITY, **body, "id": f"l-{body['name']}"}
            self.libraries[body["name"]] = self.libraries[made["id"]] = made
            return httpx.Response(201, json=made)
        return self._held(request, self.libraries, name)

    def _document(self, request: httpx.Request, document_id: str) -> httpx.Response:
        if request.method == "PUT":
            body = {"id": document_id, "library_id": "l", **json.loads(request.content)}
            body.setdefault("title", unquote(body.get("source", "")).rpartition("/")[2])
            self.documents[document_id] = {**ENTITY, **body}
        return self._held(request, self.documents, document_id)

    def _held(
        self, request: httpx.Request, held: dict[str, dict[str, Any]], key: str
    ) -> httpx.Response:
        if key not in held:
            problem = {"title": "Not Found", "detail": f"There is no {key!r}."}
            return httpx.Response(404, json=problem)
        if request.method == "DELETE":
            del held[key]
            return httpx.Response(204)
        return httpx.Response(200, json=held[key])


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("NALANDA_", "CO_API_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr("cli.connection.Nalanda", partial(Nalanda, transport=made))
    monkeypatch.setattr("nalanda._sync.transport.time.sleep", lambda _seconds: None)
    return made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `nalanda` with these words."""

    def call(*words: str) -> Outcome:
        monkeypatch.setattr("sys.argv", ["nalanda", *words])
        with pytest.raises(SystemExit) as ended:
            main.main()
        captured = capsys.readouterr()
        status = ended.value.code
        return Outcome(status if isinstance(status, int) else 0, captured.out, captured.err)

    return call
