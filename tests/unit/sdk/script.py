"""A server with scripted responses that records its requests."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx

from nalanda import AsyncNalanda, Nalanda

NOW = "2026-01-02T03:04:05Z"
ENTITY = {"id": "e1", "version": 7, "created_at": NOW, "updated_at": NOW}
LIBRARY = {**ENTITY, "name": "books"}
DOCUMENT = {**ENTITY, "library_id": "l1"}
CHUNK = {**ENTITY, "library_id": "l1", "document_id": "d1", "ordinal": 0, "text": "t"}
INDEX = {
    "kind": "auto",
    "state": "ready",
    "segments": 1,
    "vectors": 2,
    "deleted": 0,
    "memory_bytes": 3,
}
PLAN = {"index": "flat", "filter": "none", "exact": True}
HIT = {"chunk_id": "c1", "document_id": "d1", "score": 0.5, "version": 7}
FOUND = {"hits": [HIT], "plan": PLAN, "position": 9, "took_ms": 0.1}
HANDLE = {"workflow_id": "q1", "run_id": "r1", "status_url": "/s", "events_url": "/e"}
RESULT = {"answer": "42", "position": 9, "provider": "local", "model": "m"}

Step = httpx.Response | Exception
Answer = Step | Callable[[httpx.Request], Step]


class Script(httpx.MockTransport):
    """A script whose steps run in order; the last one repeats."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(self._play)
        self._steps = list(steps)
        self.requests: list[httpx.Request] = []

    def _play(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    @property
    def body(self) -> Any:
        """Return the last request's body."""
        return json.loads(self.last.content)

    def client(self, **options: Any) -> Nalanda:
        return Nalanda("http://server", transport=self, **options)

    def async_client(self, **options: Any) -> AsyncNalanda:
        return AsyncNalanda("http://server", transport=self, **options)


class Nodes(httpx.MockTransport):
    """Nodes by host: a response, an error, or a function of the request; a node may be changed."""

    def __init__(self, **nodes: Answer) -> None:
        super().__init__(self._answer)
        self.nodes = nodes
        self.requests: list[httpx.Request] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.nodes[request.url.host]
        step = answer(request) if callable(answer) else answer
        if isinstance(step, Exception):
            raise step
        return httpx.Response(step.status_code, headers=step.headers, content=step.content)

    @property
    def hosts(self) -> list[str]:
        """Return the hosts that were asked since the last look."""
        hosts = [request.url.host for request in self.requests]
        self.requests.clear()
        return hosts

    def client(self, **options: Any) -> Nalanda:
        return Nalanda([f"http://{host}" for host in self.nodes], transport=self, **options)


def ok(body: object, *, status: int = 200, position: int | None = None) -> httpx.Response:
    headers = {} if position is None else {"Nalanda-Position": str(position)}
    return httpx.Response(status, json=body, headers=headers)


def problem(status: int, *, retry_after: str | None = None, **members: Any) -> httpx.Response:
    headers = {"Content-Type": "application/problem+json"}
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    return httpx.Response(status, json={"status": status, **members}, headers=headers)


def page(items: Iterable[object], next_cursor: str | None = None) -> httpx.Response:
    return ok({"items": list(items), "next_cursor": next_cursor})


def state(status: str, **members: Any) -> httpx.Response:
    return ok({"workflow_id": "q1", "status": status, **members})
