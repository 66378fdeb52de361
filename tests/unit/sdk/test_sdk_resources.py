"""Each method: its request, and its conversion of the response."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from nalanda import HandOver, InvalidValue, Nalanda, TimedOut
from tests.unit.sdk.script import (
    CHUNK,
    DOCUMENT,
    FOUND,
    HIT,
    INDEX,
    LIBRARY,
    Script,
    ok,
    page,
)

LIB, DOC, CHK, IDX = (ok(body) for body in (LIBRARY, DOCUMENT, CHUNK, INDEX))
GONE = httpx.Response(204)
HANDED = ok({"to": "b", "epoch": 1}, status=202)
CLUSTER = {"node_id": "a", "role": "leader", "epoch": 1, "position": 2, "nodes": []}
A, B = "AACAPw==", "AAAAQA=="  # 1.0 and 2.0
ONE = np.ones(1, np.float32)
F = {"field": "year", "op": "gt", "value": 1900}
F_URL = '{"field":"year","op":"gt","value":1900}'

Call = Callable[[Nalanda], Any]
CALLS: list[tuple[Call, httpx.Response, str, str, Any]] = [
    (
        lambda c: c.libraries.create(name="b", metric="dot", dimension=None),
        LIB,
        "POST",
        "/libraries",
        {"name": "b", "metric": "dot"},
    ),
    (lambda c: c.libraries.get("my books"), LIB, "GET", "/libraries/my%20books", None),
    (lambda c: c.libraries.replace("l1", "b"), LIB, "PUT", "/libraries/l1", {"name": "b"}),
    (
        lambda c: c.libraries.update("l1", {"description": None}),
        LIB,
        "PATCH",
        "/libraries/l1",
        {"description": None},
    ),
    (lambda c: c.libraries.delete("l1"), GONE, "DELETE", "/libraries/l1", None),
    (
        lambda c: c.documents.create("l1", title="t", text="words"),
        DOC,
        "POST",
        "/libraries/l1/documents",
        {"title": "t", "text": "words"},
    ),
    (
        lambda c: c.documents.create("l1", chunks=iter([{"text": "a", "embedding": ONE}])),
        DOC,
        "POST",
        "/libraries/l1/documents",
        {"chunks": [{"text": "a", "embedding": A}]},
    ),
    (lambda c: c.documents.get("l1", "d1"), DOC, "GET", "/libraries/l1/documents/d1", None),
    (
        lambda c: c.documents.replace("l1", "d1", source="s"),
        DOC,
        "PUT",
        "/libraries/l1/documents/d1",
        {"source": "s"},
    ),
    (
        lambda c: c.documents.update("l1", "d1", {"title": "t"}),
        DOC,
        "PATCH",
        "/libraries/l1/documents/d1",
        {"title": "t"},
    ),
    (lambda c: c.documents.delete("l1", "d1"), GONE, "DELETE", "/libraries/l1/documents/d1", None),
    (
        lambda c: c.chunks.add("l1", "d1", [{"text": "a", "embedding": [1, 2]}]),
        ok({"items": [CHUNK]}, status=201),
        "POST",
        "/libraries/l1/documents/d1/chunks",
        {"chunks": [{"text": "a", "embedding": [1.0, 2.0]}]},
    ),
    (lambda c: c.chunks.get("l1", "c1"), CHK, "GET", "/libraries/l1/chunks/c1", None),
    (
        lambda c: c.chunks.get("l1", "c1", include=["embedding"]),
        CHK,
        "GET",
        "/libraries/l1/chunks/c1?include=embedding",
        None,
    ),
    (
        lambda c: c.chunks.put("l1", "c1", document_id="d1", text="a", embedding=ONE),
        CHK,
        "PUT",
        "/libraries/l1/chunks/c1",
        {"document_id": "d1", "text": "a", "embedding": A},
    ),
    (
        lambda c: c.chunks.update("l1", "c1", {"embedding": ONE, "metadata": None}),
        CHK,
        "PATCH",
        "/libraries/l1/chunks/c1",
        {"embedding": A, "metadata": None},
    ),
    (lambda c: c.chunks.delete("l1", "c1"), GONE, "DELETE", "/libraries/l1/chunks/c1", None),
    (
        lambda c: c.chunks.delete_many("l1", filter=F),
        ok({"deleted": 3}),
        "POST",
        "/libraries/l1/chunks/delete",
        {"filter": F},
    ),
    (lambda c: c.index.get("l1"), IDX, "GET", "/libraries/l1/index", None),
    (
        lambda c: c.index.configure("l1", "hnsw", ef=64),
        ok(INDEX, status=202),
        "PUT",
        "/libraries/l1/index",
        {"kind": "hnsw", "ef": 64},
    ),
    (
        lambda c: c.search("l1", embedding=ONE, k=3, filter=F, include=["text"]),
        ok(FOUND),
        "POST",
        "/libraries/l1/search",
        {"embedding": A, "k": 3, "filter": F, "include": ["text"]},
    ),
    (
        lambda c: c.search_batch("l1", [{"text": "a"}, {"embedding": 2 * ONE}]),
        ok({"results": [FOUND, FOUND]}),
        "POST",
        "/libraries/l1/search/batch",
        {"searches": [{"text": "a"}, {"embedding": B}]},
    ),
    (lambda c: c.version(), ok({"version": "1"}), "GET", "/version", None),
    (lambda c: c.cluster.status(), ok(CLUSTER), "GET", "/cluster", None),
    (lambda c: c.cluster.hand_over(), HANDED, "POST", "/cluster/hand-over", {}),
    (lambda c: c.cluster.hand_over("b"), HANDED, "POST", "/cluster/hand-over", {"to": "b"}),
]


@pytest.mark.parametrize(("call", "answer", "method", "path", "body"), CALLS)
def test_what_is_sent(
    call: Call, answer: httpx.Response, method: str, path: str, body: Any
) -> None:
    script = Script(answer)
    with script.client() as client:
        call(client)
    assert script.last.method == method
    assert script.last.url.raw_path.decode() == path
    assert (script.last.content == b"") if body is None else (script.body == body)


def test_a_library_as_a_model() -> None:
    rule = {"type": "integer", "required": True}
    body = {**LIBRARY, "metadata_schema": {"fields": {"year": rule}}, "something_new": 1}
    with Script(ok(body)).client() as client:
        library = client.libraries.get("books")
    assert library.metadata_schema is not None
    assert library.metadata_schema.fields["year"].required
    assert (library.name, library.version, library.created_at.year) == ("books", 7, 2026)


@pytest.mark.parametrize("sent", ["AACAPw==", [1.0]])
def test_a_chunk_with_its_embedding(sent: object) -> None:
    with Script(ok({**CHUNK, "embedding": sent})).client() as client:
        assert client.chunks.get("l1", "c1").embedding == [1.0]


def test_a_chunk_without_its_embedding() -> None:
    with Script(CHK).client() as client:
        assert client.chunks.get("l1", "c1").embedding is None


def test_added_chunks_come_back() -> None:
    with Script(ok({"items": [CHUNK, CHUNK]})).client() as client:
        added = client.chunks.add("l1", "d1", [{"text": "a"}, {"text": "b"}])
    assert [chunk.ordinal for chunk in added] == [0, 0]


def test_how_many_were_deleted() -> None:
    with Script(ok({"deleted": 3})).client() as client:
        assert client.chunks.delete_many("l1", ids=["c1", "c2"]) == 3


def test_hits_with_their_documents() -> None:
    document = {"id": "d1", "title": "T", "source": "s", "metadata": {"a": 1}}
    body = {**FOUND, "hits": [{**HIT, "document": document, "embedding": "AACAPw=="}, HIT]}
    with Script(ok(body)).client() as client:
        first, second = client.search("l1", text="x").hits
    assert first.document is not None
    assert (first.document.title, first.embedding) == ("T", [1.0])
    assert (second.document, second.text, second.metadata) == (None, None, None)


def test_a_search_at_a_position() -> None:
    script = Script(ok(FOUND), ok({"results": [FOUND]}))
    with script.client() as client:
        client.search("l1", text="x", min_position=12)
        assert script.last.headers["Nalanda-Min-Position"] == "12"
        client.search_batch("l1", [{"text": "x"}], min_position=13)
        assert script.last.headers["Nalanda-Min-Position"] == "13"
    assert "Idempotency-Key" not in script.last.headers


def test_chunks_of_a_library() -> None:
    script = Script(page([CHUNK]))
    with script.client() as client:
        chunks = client.chunks.list("l1", filter=F, order_by="-year", min_position=4, page_size=5)
        assert [chunk.id for chunk in chunks] == ["e1"]
    assert script.last.url.path == "/libraries/l1/chunks"
    assert dict(script.last.url.params) == {"filter": F_URL, "order_by": "-year", "limit": "5"}
    assert script.last.headers["Nalanda-Min-Position"] == "4"


def test_a_filter_too_long_for_a_url_goes_in_a_body(sleeps: list[float]) -> None:
    ids = [f"chunk-{number}" for number in range(400)]
    wanted = {"field": "chunk.id", "op": "in", "value": ids}
    script = Script(page([CHUNK], "next"), httpx.Response(503), page([CHUNK]))
    with script.client() as client:
        chunks = client.chunks.list(
            "l1", filter=wanted, order_by="-n", include=["embedding"], min_position=4, page_size=5
        )
        ids.append("too late")
        assert len(list(chunks)) == 2
    first, _, second = script.requests
    assert (first.method, first.url.raw_path) == ("POST", b"/libraries/l1/chunks/query")
    body = json.loads(first.content)
    assert body == {
        "filter": {**wanted, "value": ids[:400]},
        "order_by": "-n",
        "include": ["embedding"],
        "limit": 5,
    }
    assert json.loads(second.content) == {**body, "cursor": "next"}
    assert second.headers["Nalanda-Min-Position"] == "4"
    assert "Idempotency-Key" not in second.headers


def test_characters_count_as_a_url_has_them() -> None:
    for text, method in (("a" * 3900, "GET"), ("a" * 4100, "POST"), ("é" * 700, "POST")):
        script = Script(page([]))
        with script.client() as client:
            list(client.chunks.list("l1", filter={"field": "f", "op": "eq", "value": text}))
        assert script.last.method == method


def test_one_documents_chunks_have_no_filter_and_no_order() -> None:
    script = Script(page([]))
    with script.client() as client:
        with pytest.raises(InvalidValue, match="filter is for a whole library"):
            client.chunks.list("l1", document_id="d1", filter=F)
        with pytest.raises(InvalidValue, match="order_by is for a whole library"):
            client.chunks.list("l1", document_id="d1", order_by="n")
    assert script.requests == []


def test_chunks_of_a_document() -> None:
    script = Script(page([CHUNK]))
    with script.client() as client:
        list(client.chunks.list("l1", document_id="d1", include=["embedding"]))
    assert script.last.url.path == "/libraries/l1/documents/d1/chunks"
    assert dict(script.last.url.params) == {"include": "embedding", "limit": "100"}


def test_documents_of_a_library() -> None:
    with Script(page([DOCUMENT])).client() as client:
        assert [document.library_id for document in client.documents.list("l1")] == ["l1"]


def test_the_wait_for_a_leader_ends(sleeps: list[float]) -> None:
    led = {**CLUSTER, "epoch": 2, "leader": {"node_id": "b", "address": "http://b"}}
    begun = HandOver(to="b", epoch=1)
    with Script(ok(CLUSTER), ok({**led, "leader": None}), ok(led)).client() as client:
        cluster = client.cluster.wait_for_leader(begun)
    assert cluster.leader is not None
    assert (cluster.leader.node_id, len(sleeps)) == ("b", 2)
    with Script(ok(CLUSTER)).client() as client, pytest.raises(TimedOut, match="epoch 1"):
        client.cluster.wait_for_leader(begun, timeout_s=0)


def test_a_ready_server() -> None:
    body = {"ready": True, "checks": {"temporal": "out of reach"}}
    with Script(ok(body)).client() as client:
        readiness = client.ready()
    assert readiness.ready
    assert readiness.checks["temporal"] == "out of reach"


@pytest.mark.parametrize(
    ("answer", "checks"),
    [
        (ok({"ready": False, "checks": {"storage": "no"}}, status=503), {"storage": "no"}),
        (httpx.Response(502, text="proxy"), {"server": "502 Bad Gateway: proxy"}),
    ],
)
def test_a_server_that_is_not_ready(
    answer: httpx.Response, checks: dict[str, str], sleeps: list[float]
) -> None:
    with Script(answer).client() as client:
        readiness = client.ready()
    assert (readiness.ready, readiness.checks) == (False, checks)
    assert sleeps == []
