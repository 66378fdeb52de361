"""Spans of requests, searches and writes: their names, attributes and parents."""

from typing import Any

import httpx
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from tests.spans import RecordedSpans, attributes_of, check_conventions, trace_of
from tests.unit.core.tracing.test_spans import PARENT, TRACE, TRACEPARENT

SECRET = "Xanadu"
SEARCH = "POST /libraries/{library_id}/search"
VECTOR = {"embedding": [1, 0], "k": 2}


async def write(api: httpx.AsyncClient) -> None:
    chunk = {"id": "a", "text": f"{SECRET} chunk", "embedding": [1, 0], "metadata": {"n": SECRET}}
    body = {"title": SECRET, "source": SECRET, "chunks": [chunk]}
    written = await api.put("/libraries/l/documents/d", json=body)
    assert written.status_code == 201, written.text


async def test_a_search_has_a_span_below_its_request(
    api: httpx.AsyncClient, recorded: RecordedSpans
) -> None:
    await write(api)
    recorded.clear()
    for _ in range(2):  # the second one has a known head
        assert (await api.post("/libraries/planar/search", json=VECTOR)).status_code == 200
    assert recorded.names == ["search", SEARCH] * 2
    request = recorded.named(SEARCH)[1]
    assert request.kind is SpanKind.SERVER
    assert attributes_of(request) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/libraries/{library_id}/search",
        "network.protocol.version": "1.1",
        "server.address": "localhost",
        "url.path": "/libraries/planar/search",
        "url.scheme": "http",
    }
    search = recorded.named("search")[1]
    assert recorded.parent_of(search) == SEARCH
    assert search.kind is SpanKind.INTERNAL
    assert attributes_of(search) == {
        "db.system.name": "nalanda",
        "db.operation.name": "search",
        "db.collection.name": "l",
        "db.response.returned_rows": 1,
    }


async def test_a_batch_is_one_operation(api: httpx.AsyncClient, recorded: RecordedSpans) -> None:
    body = {"searches": [VECTOR, VECTOR]}
    assert (await api.post("/libraries/l/search/batch", json=body)).status_code == 200
    batch = attributes_of(recorded.one("BATCH search"))
    assert (batch["db.operation.batch.size"], batch["db.collection.name"]) == (2, "l")
    assert recorded.parent_of(recorded.one("BATCH search")) == f"{SEARCH}/batch"


async def test_a_write_has_a_span_below_its_request(
    api: httpx.AsyncClient, recorded: RecordedSpans
) -> None:
    await write(api)
    request = "PUT /libraries/{library_id}/documents/{document_id}"
    assert recorded.names[-1] == request
    write_span = recorded.named("write")[-1]
    assert recorded.parent_of(write_span) == request
    assert write_span.kind is SpanKind.CLIENT
    expected = {"db.system.name": "sqlite", "db.operation.name": "write"}
    assert attributes_of(write_span) == expected


async def test_the_trace_of_a_client_goes_on(
    api: httpx.AsyncClient, recorded: RecordedSpans
) -> None:
    await api.post("/libraries/l/search", json=VECTOR, headers=dict(TRACEPARENT))
    assert {f"{trace_of(span):032x}" for span in recorded.all} == {TRACE}
    parent = recorded.one(SEARCH).parent
    assert parent is not None
    assert f"{parent.span_id:016x}" == PARENT


async def test_a_malformed_trace_is_ignored(
    api: httpx.AsyncClient, recorded: RecordedSpans
) -> None:
    for malformed in ("", "x" * 9_000, "00-zz-1-01", "ff-" + "0" * 32 + "-" + "0" * 16 + "-01"):
        headers = {"traceparent": malformed, "tracestate": malformed}
        assert (await api.post("/libraries/l/search", json=VECTOR, headers=headers)).is_success
    assert all(span.parent is None for span in recorded.named(SEARCH))


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/version"])
async def test_probes_are_not_traced(
    api: httpx.AsyncClient, recorded: RecordedSpans, path: str
) -> None:
    await api.get(path)
    assert recorded.names == []


async def test_a_client_error_is_no_error_of_the_server(
    api: httpx.AsyncClient, recorded: RecordedSpans
) -> None:
    await api.get("/libraries/none")
    span = recorded.one("GET /libraries/{library_id}")
    assert attributes_of(span)["http.response.status_code"] == 404
    assert span.status.status_code is StatusCode.UNSET


async def test_a_server_error_has_its_status(
    api: httpx.AsyncClient, recorded: RecordedSpans
) -> None:
    assert (await api.post("/query", json={"library": "l", "query": SECRET})).status_code == 503
    span = recorded.one("POST /query")
    assert attributes_of(span)["error.type"] == "503"
    assert span.status.status_code is StatusCode.ERROR
    assert SECRET not in recorded.content


async def test_no_user_text_is_in_any_span(api: httpx.AsyncClient, recorded: RecordedSpans) -> None:
    await write(api)
    equal: dict[str, Any] = {"field": "n", "op": "eq", "value": SECRET}
    for mode in ("lexical", "vector"):
        body = {"text": SECRET, "mode": mode, "filter": equal}
        await api.post("/libraries/l/search", json=body)
    query = f'{{"field": "n", "op": "eq", "value": "{SECRET}"}}'
    assert (await api.get("/libraries/l/chunks", params={"filter": query})).is_success
    await api.get("/libraries", params={"name": SECRET})
    await api.get(f"/{SECRET}")
    await api.request(SECRET.upper(), "/libraries")
    await api.post("/libraries", json={"name": "n", "description": SECRET, "dimension": SECRET})
    headers = {"Authorization": f"Bearer {SECRET}", "Idempotency-Key": SECRET, "User-Agent": SECRET}
    await api.post("/libraries/l/search", json=VECTOR, headers=headers)
    assert len(recorded.all) > 10
    assert SECRET.lower() not in recorded.content.lower()


async def test_attributes_are_those_of_the_conventions(
    api: httpx.AsyncClient, recorded: RecordedSpans
) -> None:
    await write(api)
    await api.post("/libraries/l/search", json=VECTOR)
    await api.get("/libraries/none")
    for span in recorded.all:
        check_conventions(span.name, attributes_of(span))
        assert span.instrumentation_scope is not None
        assert span.instrumentation_scope.schema_url == "https://opentelemetry.io/schemas/1.44.0"
