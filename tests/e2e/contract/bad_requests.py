"""Refused requests to a library `bad`, with their status and pointers."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.integration.api.calls import JSON

SCHEMA = {
    "fields": {
        "year": {"type": "integer", "required": True},
        "kind": {"type": "string", "enum": ["book"]},
        "price": {"type": "number"},
        "lent": {"type": "boolean"},
        "read_at": {"type": "datetime"},
        "tags": {"type": "string_list"},
    },
    "additional": False,
}
LIBRARY = {"name": "bad", "dimension": 3, "metadata_schema": SCHEMA}
DOCUMENT = {
    "chunks": [{"id": "c", "text": "T", "embedding": [1, 0, 0], "metadata": {"year": 2001}}]
}

L = "/libraries/bad"
D = f"{L}/documents/d"
C = f"{L}/chunks/c"
SEARCH = f"{L}/search"
STALE = {"If-Match": '"0"'}


@dataclass(frozen=True)
class Case:
    """A request with its status and pointers; `body` is JSON, or raw bytes."""

    status: int
    method: str
    path: str
    body: Any = None
    pointers: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def sent_with(self, client: httpx.Client) -> httpx.Response:
        if self.body is None:
            return client.request(self.method, self.path, headers=self.headers)
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body)
        return client.request(self.method, self.path, content=body, headers=JSON | self.headers)


def _post(path: str, body: Any, *pointers: str, status: int = 422) -> Case:
    return Case(status, "POST", path, body, pointers)


def _chunk(**changes: Any) -> dict[str, Any]:
    return {"text": "T", "embedding": [1, 0, 0], "metadata": {"year": 1}, **changes}


def _add(*pointers: str, **changes: Any) -> Case:
    """Return a case of a valid chunk followed by one that breaks a rule."""
    body = {"chunks": [_chunk(), _chunk(**changes)]}
    return _post(f"{D}/chunks", body, *(f"/chunks/1{pointer}" for pointer in pointers))


def _raw(embedding: str, *pointers: str) -> Case:
    """Return a case with numbers that Python's JSON would not write."""
    return _post(SEARCH, b'{"embedding": %s}' % embedding.encode(), *pointers)


def _filter(filter_: Any, *pointers: str) -> Case:
    body = {"embedding": [1, 0, 0], "filter": filter_}
    return _post(SEARCH, body, *(f"/filter{pointer}" for pointer in pointers))


def _condition(name: str, op: Any, value: Any) -> dict[str, Any]:
    return {"field": name, "op": op, "value": value}


PUT_CHUNK = {"document_id": "d", **_chunk()}
ONE_SEARCH = {"embedding": [1, 0, 0]}
UNKNOWN_OP = _condition("year", "like", 1)

NOT_THERE: dict[str, dict[str, Any]] = {
    "/libraries/none": {"GET": None, "PATCH": {}, "DELETE": None},
    "/libraries/none/documents": {"GET": None, "POST": DOCUMENT},
    "/libraries/none/documents/d": {"GET": None, "PUT": {}, "PATCH": {}, "DELETE": None},
    "/libraries/none/documents/d/chunks": {"GET": None, "POST": {"chunks": [_chunk()]}},
    "/libraries/none/chunks": {"GET": None},
    "/libraries/none/chunks/c": {"GET": None, "PUT": PUT_CHUNK, "PATCH": {}, "DELETE": None},
    "/libraries/none/chunks/delete": {"POST": {"ids": ["c"]}},
    "/libraries/none/chunks/query": {"POST": {}},
    "/libraries/none/index": {"GET": None, "PUT": {"kind": "flat"}},
    "/libraries/none/map": {"POST": {}},
    "/libraries/none/search": {"POST": ONE_SEARCH},
    "/libraries/none/search/batch": {"POST": {"searches": [ONE_SEARCH]}},
    f"{L}/documents/none": {"GET": None, "PATCH": {}, "DELETE": None},
    f"{L}/documents/none/chunks": {"GET": None, "POST": {"chunks": [_chunk()]}},
    f"{L}/chunks/none": {"GET": None, "PATCH": {}, "DELETE": None},
    "/query": {"POST": {"library": "none", "query": "Q?"}},
    "/query?library=none": {"GET": None},
    "/query/none": {"GET": None, "DELETE": None},
    "/query/none/events": {"GET": None},
    "/query/none/cancel": {"POST": None},
    "/query/none/feedback": {"POST": {"rating": 1}},
    "/query/none/adjust": {"POST": {"k": 1}},
    "/query/none/review": {"POST": {"decision": "approve"}},
    "/query/none/rerun": {"POST": {"from": "answer"}},
    "/query/none/diff/none": {"GET": None},
    "/conversations": {"POST": {"library": "none"}},
    "/conversations/none": {"GET": None, "DELETE": None},
    "/conversations/%3Cscript%3E": {"GET": None, "DELETE": None},
}
UNKNOWN_IDS = [
    Case(404, method, path, body)
    for path, calls in NOT_THERE.items()
    for method, body in calls.items()
] + [
    _post("/query", {"library": "other-bad", "query": "Q?", "conversation_id": name}, status=404)
    for name in ("none", "<script>", "")
]

TAKEN = [
    _post("/libraries", {"name": "bad"}, status=409),
    _post("/libraries", {"name": "other-bad"}, status=409),
    Case(409, "PUT", "/libraries/brand-new", {"name": "bad"}),
    Case(409, "PATCH", L, {"name": "name of other-bad"}),
    _post(f"{D}/chunks", {"chunks": [_chunk(id="new"), _chunk(id="c")]}, status=409),
    _post(f"{L}/documents", {"chunks": [_chunk(id="c")]}, status=409),
    Case(409, "PUT", f"{L}/documents/e", {"chunks": [_chunk(id="c")]}),
]

VECTORS = [
    _add("/embedding", embedding=[1, 0]),
    _add("/embedding", embedding=[0, 0, 0]),
    _add("/embedding", embedding=[]),
    _add("/embedding/1", embedding=[1, True, 0]),
    _add("/embedding/1", embedding=[1, "1.5", 0]),
    _add("/embedding/1", embedding=[1, None, 0]),
    _add("/embedding/1", embedding=[1, [0], 0]),
    _add("/embedding/2", embedding=[1, 0, float("nan")]),
    _add("/embedding/2", embedding=[1, 0, float("inf")]),
    _add("/embedding", embedding="not base64!"),
    _add("/embedding", embedding="AAAA"),
    _add("/embedding", embedding="AADAfwAAAAAAAAAA"),  # its first number is NaN
    _add("/embedding", embedding={"0": 1}),
    _post(f"{L}/documents", {"chunks": [_chunk(embedding=[1])]}, "/chunks/0/embedding"),
    Case(422, "PUT", C, {**PUT_CHUNK, "embedding": [1]}, ("/embedding",)),
    Case(422, "PATCH", C, {"embedding": [0, 0, 0]}, ("/embedding",)),
    _raw("[1, 0]", "/embedding"),
    _raw("[0, 0, 0.0]", "/embedding"),
    _raw("[1, true, 0]", "/embedding/1"),
    _raw("[1, 1e999, 0]", "/embedding/1"),
    _raw("[1, -1e999, 0]", "/embedding/1"),
    _raw("[NaN, 1, 0]", "/embedding/0"),
    _raw("[1, 0, -Infinity]", "/embedding/2"),
    _raw("[1, 0, 1e39]", "/embedding/2"),  # beyond float32
    _post(
        f"{SEARCH}/batch", {"searches": [ONE_SEARCH, {"embedding": [1]}]}, "/searches/1/embedding"
    ),
]

NUMBERS = [
    _post(SEARCH, {**ONE_SEARCH, "k": True}, "/k"),
    _post(SEARCH, {**ONE_SEARCH, "k": "3"}, "/k"),
    _post(SEARCH, {**ONE_SEARCH, "k": 1.5}, "/k"),
    _post(SEARCH, {**ONE_SEARCH, "k": 0}, "/k"),
    _post(SEARCH, {**ONE_SEARCH, "k": 10_001}, "/k"),
    _post(SEARCH, {**ONE_SEARCH, "exact": 1}, "/exact"),
    _post(
        SEARCH, {**ONE_SEARCH, "parameters": {"ef": 0, "m": 1}}, "/parameters/ef", "/parameters/m"
    ),
    _post("/libraries", {"name": "new", "dimension": True}, "/dimension"),
    _post("/libraries", {"name": "new", "dimension": "3"}, "/dimension"),
    _post("/libraries", {"name": "new", "dimension": 0}, "/dimension"),
    _post("/libraries", b'{"name": "new", "metadata": {"a": [1, NaN]}}', "/metadata/a/1"),
    _post("/libraries", b'{"name": "new", "metadata": {"a": 1e999}}', "/metadata/a"),
    Case(422, "PATCH", D, b'{"metadata": {"a": 1e999}}', ("/metadata/a",)),
    Case(422, "PUT", f"{L}/index", {"kind": "hnsw", "m": True}, ("/m",)),
    Case(422, "PUT", f"{L}/index", {"kind": "flat", "m": 8}, ("/m",)),
    _post("/query", {"library": "bad", "query": "Q?", "k": True}, "/k"),
    _post("/query", {"library": "bad", "query": "Q?", "top_n": 0}, "/top_n"),
    _post("/query", b'{"library": "bad", "query": "Q?", "deadline_s": 1e999}', "/deadline_s"),
    _post("/query/none/feedback", {"rating": 1.5}, "/rating"),
    _post("/query/none/feedback", {"rating": 2}, "/rating"),
    _post("/query/none/adjust", {"k": True}, "/k"),
    _post("/query/none/review", {"decision": "approve", "drop": [1]}, "/drop/0"),
    _post("/query/none/rerun", {"from": "rerank", "top_n": "3"}, "/top_n"),
]

METADATA = [
    _add("/metadata/year", metadata={}),
    _add("/metadata/year", metadata={"year": 1.5}),
    _add("/metadata/year", metadata={"year": True}),
    _add("/metadata/year", metadata={"year": "1"}),
    _add("/metadata/kind", metadata={"year": 1, "kind": "film"}),
    _add("/metadata/read_at", metadata={"year": 1, "read_at": "yesterday"}),
    _add("/metadata/tags", metadata={"year": 1, "tags": "t"}),
    _add("/metadata/other", metadata={"year": 1, "other": 1}),
    _add("/metadata", metadata=[]),
    _add("/metadata/year", "/metadata/a~1b", metadata={"a/b": 1}),
    _post(f"{L}/documents", {"chunks": [_chunk(metadata={})]}, "/chunks/0/metadata/year"),
    Case(422, "PUT", C, {**PUT_CHUNK, "metadata": {}}, ("/metadata/year",)),
    Case(422, "PATCH", C, {"metadata": {"year": None}}, ("/metadata/year",)),
    _post(f"{L}/documents", {"text": "Some text."}, "/text"),
    _post(
        "/libraries",
        {"name": "new", "metadata_schema": {"fields": {"a": {"type": "uuid"}}}},
        "/metadata_schema/fields/a/type",
    ),
    Case(
        422,
        "PATCH",
        L,
        {"metadata_schema": {"fields": {"year": {"type": "string"}}}},
        ("/metadata_schema",),
    ),
]

FILTERS = [
    _filter(UNKNOWN_OP, "/op"),
    _filter(_condition("year", 1, 1), "/op"),
    _filter(_condition("pages", "eq", 1), "/field"),
    _filter(_condition("document.pages", "eq", 1), "/field"),
    _filter(_condition("chunk.pages", "eq", 1), "/field"),
    _filter(_condition("", "eq", 1), "/field"),
    _filter(_condition("year", "eq", "2001"), "/value"),
    _filter(_condition("year", "gt", True), "/value"),
    _filter(_condition("year", "in", 2001), "/value"),
    _filter(_condition("year", "between", [1]), "/value"),
    _filter(_condition("year", "exists", 1), "/value"),
    _filter(_condition("read_at", "gt", "yesterday"), "/value"),
    _filter({"and": [_condition("year", "eq", 1), UNKNOWN_OP]}, "/and/1/op"),
    _filter({"not": {"or": [UNKNOWN_OP]}}, "/not/or/0/op"),
    _filter({"and": _condition("year", "eq", 1)}, "/and"),
    _filter({}, ""),
    _filter({"and": []}, "/and"),
    _filter({"or": []}, "/or"),
    _filter("year = 1", ""),
    _filter([UNKNOWN_OP], ""),
    Case(422, "GET", f"{L}/chunks?filter={json.dumps(UNKNOWN_OP)}", None, ("/filter/op",)),
    Case(422, "GET", f"{L}/chunks?filter=year", None, ("/filter",)),
    Case(422, "GET", f"{L}/chunks?filter=", None, ("/filter",)),
    Case(422, "GET", f"{L}/chunks?order_by=pages", None, ("/order_by",)),
    _post(f"{L}/chunks/query", {"filter": UNKNOWN_OP}, "/filter/op"),
    _post(f"{L}/chunks/query", {"filter": "year"}, "/filter"),
    _post(f"{L}/chunks/query", b'{"filter": {"value": 1e999}}', "/filter/value"),
    _post(f"{L}/chunks/query", {"order_by": "pages"}, "/order_by"),
    _post(f"{L}/chunks/query", {"limit": 1001}, "/limit"),
    _post(f"{L}/chunks/query", {"cursor": "made-up"}, "/cursor"),
    _post(f"{L}/chunks/query", {"include": ["text"]}, "/include/0"),
    _post(f"{L}/chunks/delete", {"filter": UNKNOWN_OP}, "/filter/op"),
    _post(f"{L}/chunks/delete", {}, ""),
    _post(f"{L}/chunks/delete", {"ids": ["c"], "filter": {"and": []}}, ""),
    _post("/query", {"library": "bad", "query": "Q?", "filter": UNKNOWN_OP}, "/filter/op"),
    _post(
        f"{SEARCH}/batch",
        {"searches": [{**ONE_SEARCH, "filter": UNKNOWN_OP}]},
        "/searches/0/filter/op",
    ),
]

SHAPES = [
    _post("/libraries", {}, "/name"),
    _post("/libraries", {"name": ""}, "/name"),
    _post("/libraries", {"name": "a/b"}, "/name"),
    _post("/libraries", {"name": "n" * 129}, "/name"),
    _post("/libraries", {"name": "new", "metric": "hamming"}, "/metric"),
    _post("/libraries", {"name": "new", "index": {"kind": "tree"}}, "/index/kind"),
    _post("/libraries", {"name": "new", "embedding_model": "nobody's"}, "/embedding_model"),
    _post("/libraries", [], ""),
    Case(422, "PUT", "/libraries/a%20b", {"name": "new"}, ("/library_id",)),
    Case(422, "PUT", f"{L}/documents/{'d' * 129}", {}, ("/document_id",)),
    Case(422, "PUT", f"{L}/chunks/%C3%A4", PUT_CHUNK, ("/chunk_id",)),
    _add("/id", id="a b"),
    _add("/text", text=None),
    _post(f"{L}/documents", {"text": "T", "chunks": []}, "/chunks"),
    _post(SEARCH, {}, "/embedding"),
    _post(SEARCH, {**ONE_SEARCH, "text": "T"}, "/text"),
    _post(SEARCH, {"text": "The client's own vectors have no model."}, "/text"),
    _post(f"{L}/map", {"text": "The client's own vectors have no model."}, "/text"),
    _post(f"{L}/map", {"color_by": "chunk.colour"}, "/color_by"),
    _post(f"{L}/map", {"include": ["texts"]}, "/include/0"),
    _post(SEARCH, {**ONE_SEARCH, "include": ["author"]}, "/include/0"),
    _post(SEARCH, {**ONE_SEARCH, "group_by": "library_id"}, "/group_by"),
    _post(SEARCH, {**ONE_SEARCH, "mode": "psychic"}, "/mode"),
    _post("/query", {"library": "bad", "query": "  "}, "/query"),
    _post("/query", {"query": "Q?"}, "/library"),
    _post("/query", {"library": "bad", "query": "Q?"}, "/library"),
    _post("/query?wait_s=0", {"library": "bad", "query": "Q?"}, "/wait_s"),
    _post("/query", {"library": "bad", "query": "long " * 20_000}, "/query"),
    _post(
        "/query",
        {"library": "bad", "query": "Q?", "conversation_id": "c" * 129},
        "/conversation_id",
    ),
    _post("/query", {"library": "bad", "query": "Q?", "conversation_id": 1}, "/conversation_id"),
    _post("/conversations", {"library": 1}, "/library"),
    _post("/conversations", {"library": "bad", "turns": []}, "/turns"),
    _post("/conversations", [], ""),
    Case(422, "PATCH", L, {"name": None}, ("/name",)),
    Case(422, "PATCH", L, {"dimension": 4}, ("/dimension",)),
    Case(422, "PATCH", L, [], ("",)),
]

PARAMETERS = [
    Case(422, "GET", f"{path}?{query}", None, (pointer,))
    for path in ("/libraries", f"{L}/documents", f"{L}/chunks", f"{D}/chunks", "/query")
    for query, pointer in {
        "limit=0": "/limit",
        "limit=1001": "/limit",
        "limit=many": "/limit",
        "cursor=made-up": "/cursor",
    }.items()
] + [
    Case(422, "GET", f"{C}?include=vector", None, ("/include",)),
    Case(422, "GET", "/query?status=lost", None, ("/status",)),
    Case(422, "GET", "/query?since=yesterday", None, ("/since",)),
    Case(422, "GET", "/query?until=0001-01-01T00:00:00%2B05:00", None, ("/until",)),
]

STALENESS = [
    Case(412, method, path, body, headers=STALE)
    for path in (L, D, C)
    for method, body in {
        "PUT": {L: LIBRARY, D: DOCUMENT, C: PUT_CHUNK}[path],
        "PATCH": {},
        "DELETE": None,
    }.items()
]

CASES = [
    *UNKNOWN_IDS, *TAKEN, *VECTORS, *NUMBERS, *METADATA, *FILTERS, *SHAPES, *PARAMETERS, *STALENESS
]  # fmt: skip
