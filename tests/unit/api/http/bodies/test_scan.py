"""Large bodies: limits that hold before parsing, and items parsed one by one."""

import json

import pytest
from starlette.exceptions import HTTPException

from api.http.bodies.json import parse
from api.http.bodies.scan import MAX_KEYS, MAX_VALUES
from api.wire.base import RequestModel
from api.wire.chunks import AddChunksRequest, DeleteChunksRequest
from api.wire.documents import DocumentRequest
from api.wire.libraries import LibraryRequest
from api.wire.search import SearchBatchRequest, SearchRequest
from core.domain.errors import Invalid

_PAD = "p" * 100_000
_LONG = 10**4_000


def _pointer(model: type[RequestModel], body: object) -> str:
    with pytest.raises(Invalid) as caught:
        parse(model, json.dumps(body).encode())
    return caught.value.faults[0].pointer


def test_a_large_body_is_parsed_as_a_small_one() -> None:
    tricky = 'a "quoted", [bracketed] {braced} \\ '
    chunks = [
        {"id": "a", "text": tricky + _PAD, "embedding": [1, 2.5e-3], "metadata": {"l": [1, [2]]}},
        {"text": "b"},
    ]
    body = {"title": "t, [", "chunks": chunks, "metadata": {"chunks": [1, {"x": []}]}}
    whole = parse(DocumentRequest, json.dumps(body, indent=1).encode())
    assert whole.title == "t, ["
    assert whole.metadata == {"chunks": [1, {"x": []}]}
    assert whole.chunks is not None
    assert [chunk.text for chunk in whole.chunks] == [tricky + _PAD, "b"]
    assert whole.chunks[0].metadata == {"l": [1, [2]]}


@pytest.mark.parametrize(
    ("model", "body", "pointer"),
    [
        (AddChunksRequest, {"chunks": [{"q": 1}] * 20_000}, "/chunks"),
        (SearchBatchRequest, {"searches": [{"q": 1}] * 20_000}, "/searches"),
        (SearchRequest, {str(n): 1 for n in range(500_000)}, ""),
        (
            AddChunksRequest,
            {"chunks": [{"text": "t", "metadata": {"n": [1] * 300_000}}]},
            "/chunks/0",
        ),
        (LibraryRequest, {"name": "n", "metadata": {str(n): 1 for n in range(MAX_KEYS + 1)}}, ""),
        (DeleteChunksRequest, {"ids": ["x"] * (MAX_VALUES + 1)}, ""),
        (
            AddChunksRequest,
            {"chunks": [{"text": "t", "embedding": [1] * 40_000}]},
            "/chunks/0/embedding",
        ),
        (AddChunksRequest, {"chunks": [{"text": _PAD}, {"q": 1}]}, "/chunks/1/text"),
        (AddChunksRequest, {"chunks": [{"text": _PAD}], "q": 1}, "/q"),
        (AddChunksRequest, {"chunks": [], "q": _PAD}, "/chunks"),
        (LibraryRequest, {"name": "n" * 2_000_000}, "/name"),
        (SearchRequest, {"text": '"' * 2_000_000}, "/text"),
        (SearchRequest, {"k": _LONG, "text": _PAD}, "/k"),
    ],
)
def test_the_first_place_beyond_a_limit_is_named(
    model: type[RequestModel], body: object, pointer: str
) -> None:
    assert _pointer(model, body).startswith(pointer)


@pytest.mark.parametrize(
    "body",
    [
        b'{"chunks": [{"text": "%s"},]}',
        b'{"chunks": [{"text": "%s"}, , {"text": "t"}]}',
        b'{"chunks": [{"text": "%s"}}',
        b'{"chunks": [{"text": "%s"}]]',
        b'{"chunks": [{"text": "%s"}]} x',
        b'{"chunks": [{"text": "%s',
        b"%s",
        b'{"chunks": [%s]}',
        b'{"chunks": [{"text": %s}]}',
        b'{"chunks": [] %s %s',
    ],
)
def test_large_text_that_is_no_json(body: bytes) -> None:
    with pytest.raises(HTTPException):
        parse(AddChunksRequest, body.replace(b"%s", _PAD.encode()))


def test_faults_are_collected_up_to_a_bound() -> None:
    body = {"chunks": [{"q": _PAD[:1000]}] * 1000}
    with pytest.raises(Invalid) as caught:
        parse(AddChunksRequest, json.dumps(body).encode())
    assert 50 <= len(caught.value.faults) < 60
