"""Searches by mode, and the conversion of their hits."""

import json

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.retrieve import Retrieve
from core.contracts.query import RankedChunk, RetrieveInput, SearchMode
from nalanda import AsyncNalanda, ValidationError
from tests.unit.activities.rest import Rest

HIT = {"chunk_id": "c", "document_id": "d", "score": 0.5, "version": 7}
QUESTION = RetrieveInput(
    library_id="l",
    query="how",
    embedding="AACAPw==",
    k=3,
    filter={"field": "year", "op": "gt", "value": 2000},
    min_position=40,
)


async def test_hits_are_pinned_to_their_versions() -> None:
    rest = Rest(hits=[HIT])
    async with rest.client() as client:
        output = await ActivityEnvironment().run(Retrieve(client).retrieve, QUESTION)
    assert output.hits == [RankedChunk(chunk_id="c", document_id="d", version=7, score=0.5)]
    assert output.position == 42
    [request] = rest.requests
    assert request.url.path == "/libraries/l/search"
    assert request.headers["Nalanda-Min-Position"] == "40"
    assert json.loads(request.content) == {
        "k": 3,
        "mode": "vector",
        "filter": QUESTION.filter,
        "include": [],
        "embedding": "AACAPw==",
    }


async def test_a_node_that_lags_is_passed_over() -> None:
    rest = Rest(hits=[HIT])

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "behind":
            assert request.headers["Nalanda-Consistency"] == "session"
            assert request.headers["Nalanda-Min-Position"] == "40"
            return httpx.Response(503, headers={"Nalanda-Position": "39", "Retry-After": "1"})
        return rest.answer(request)

    nodes = httpx.MockTransport(answer)
    async with AsyncNalanda(
        "http://behind,http://rest", consistency="eventual", max_retries=0, transport=nodes
    ) as client:
        output = await ActivityEnvironment().run(Retrieve(client).retrieve, QUESTION)
    assert output.position == 42


@pytest.mark.parametrize(
    ("mode", "given"),
    [("vector", {"embedding"}), ("lexical", {"text"}), ("hybrid", {"embedding", "text"})],
)
async def test_each_mode_searches_by_what_it_can(mode: SearchMode, given: set[str]) -> None:
    rest = Rest()
    question = QUESTION.model_copy(update={"mode": mode, "filter": None})
    async with rest.client() as client:
        await ActivityEnvironment().run(Retrieve(client).retrieve, question)
    body = json.loads(rest.requests[0].content)
    assert body.keys() & {"embedding", "text"} == given
    assert body["mode"] == mode


async def test_a_question_of_the_model_before_is_embedded_by_the_api() -> None:
    """The library's model was changed between two stages: its embedding means nothing now."""
    question = QUESTION.model_copy(update={"embedding_model": "old"})
    refusal = {"errors": [{"pointer": "/embedding_model", "detail": "The model is another."}]}
    rest = Rest(hits=[HIT], refusals=[httpx.Response(422, json=refusal)])
    async with rest.client() as client:
        found = await ActivityEnvironment().run(Retrieve(client).retrieve, question)
    assert [hit.chunk_id for hit in found.hits] == ["c"]
    first, second = (json.loads(request.content) for request in rest.requests)
    assert first["embedding_model"] == "old"
    assert second.keys() & {"embedding", "embedding_model", "text"} == {"text"}
    assert second["text"] == "how"


async def test_other_refusals_are_not_searched_again() -> None:
    refusal = {"errors": [{"pointer": "/filter", "detail": "It is wrong."}]}
    rest = Rest(refusals=[httpx.Response(422, json=refusal)])
    async with rest.client() as client:
        with pytest.raises(ValidationError):
            await ActivityEnvironment().run(Retrieve(client).retrieve, QUESTION)
    assert len(rest.requests) == 1
