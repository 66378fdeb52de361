"""A fake of the server's REST API, behind the real client."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from nalanda import AsyncNalanda

WHEN = "2026-01-31T12:00:00Z"


@dataclass
class Rest:
    """A fake server; `chunks` are `(version, text)` by id, and any search finds `hits` at position
    42. `places` are those of chunks, and `documents` their members by id. `refusals` come first, in
    place of answers to searches.
    """

    chunks: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    hits: list[dict[str, Any]] = field(default_factory=list)
    places: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    documents: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    refusals: list[httpx.Response] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.endswith("/search"):
            if self.refusals:
                return self.refusals.pop(0)
            plan = {"index": "flat", "filter": "none", "exact": True}
            body = {"hits": self.hits, "plan": plan, "position": 42, "took_ms": 0.1}
            return httpx.Response(200, json=body)
        if request.url.path.endswith("/tokens"):
            sent = json.loads(request.content)
            return httpx.Response(200, json={"taken": sent["before"] + len(sent["texts"])})
        if request.url.path.endswith("/documents"):
            return self._documents(request.url.params.get_list("id"))
        ids = json.loads(request.url.params["filter"])["value"]
        items = [self._chunk(chunk_id) for chunk_id in reversed(ids) if chunk_id in self.chunks]
        return httpx.Response(200, json={"items": items, "next_cursor": None})

    def client(self) -> AsyncNalanda:
        return AsyncNalanda("http://rest", transport=httpx.MockTransport(self.answer))

    def _documents(self, ids: Iterable[str]) -> httpx.Response:
        about = {"library_id": "l", "version": 1, "created_at": WHEN, "updated_at": WHEN}
        items = [about | self.documents[id_] | {"id": id_} for id_ in ids if id_ in self.documents]
        return httpx.Response(200, json={"items": items, "next_cursor": None})

    def _chunk(self, chunk_id: str) -> dict[str, Any]:
        version, text = self.chunks[chunk_id]
        return {
            "id": chunk_id,
            "document_id": "d",
            "library_id": "l",
            "ordinal": 0,
            "text": text,
            "place": self.places.get(chunk_id),
            "version": version,
            "created_at": WHEN,
            "updated_at": WHEN,
        }
