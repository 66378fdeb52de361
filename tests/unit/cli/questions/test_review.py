"""`nalanda review`, `nalanda adjust`, and `nalanda ask --review`."""

import json
from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import ENTITY, NOW, Run, Server

HIT = {"document_id": "d", "version": 1, "score": 0.5}
PREVIEW = {
    "query": "Who?",
    "hits": [{**HIT, "chunk_id": "c1"}, {**HIT, "chunk_id": "c2"}],
    "candidates": [{**HIT, "chunk_id": "c3"}],
    "position": 3,
}
CHUNK = {**ENTITY, "id": "c1", "document_id": "d", "library_id": "l", "ordinal": 0}
HANDLE = {"workflow_id": "q1", "run_id": "r", "status_url": "/", "events_url": "/"}


def waiting(**members: Any) -> dict[str, Any]:
    reviews = [{**PREVIEW, "until": NOW}]
    state = {"workflow_id": "q1", "status": "running", "stages": [], "library": "l"}
    return {**state, "waiting_for": "review", "reviews": reviews, **members}


def test_what_is_to_be_reviewed_is_shown(run: Run, server: Server) -> None:
    server.answer("/query/q1", waiting())
    server.answer("/libraries/l/chunks/c1", {**CHUNK, "text": "A man\nof turns."})
    server.answer("/libraries/l/chunks/c2", httpx.Response(404))
    lines = run("review", "q1").out.splitlines()
    assert lines[:3] == ["Who?", "  1. c1  A man of turns.", "  2. c2  (deleted since)"]
    assert lines[3].startswith("1 more candidates")
    assert "nalanda review q1 approve|reject" in lines[3]
    assert json.loads(run("review", "q1", "--json").out)["candidates"][0]["chunk_id"] == "c3"


@pytest.mark.parametrize("reviews", [[], [{**PREVIEW, "until": NOW}]])
def test_nothing_to_review(run: Run, server: Server, reviews: list[Any]) -> None:
    server.answer("/query/q1", waiting(waiting_for=None, reviews=reviews))
    outcome = run("review", "q1")
    assert outcome.status == 1
    assert outcome.err == "The question q1 does not wait for a review.\n"


def test_a_decision(run: Run, server: Server) -> None:
    server.answer("/query/q1/review", {"workflow_id": "q1", **PREVIEW})
    outcome = run("review", "q1", "approve", "--drop", "c4", "--pin", "c1", "--pin", "c2")
    assert outcome.out == "Approved: the question q1 answers from 2 chunks.\n"
    sent = json.loads(server.requests[0].content)
    assert sent == {"decision": "approve", "drop": ["c4"], "pin": ["c1", "c2"]}
    assert run("review", "q1", "reject").out.startswith("Rejected what the question q1 has found")
    again = run("review", "q1", "reject", "--query", "Why?")
    assert again.out == "The question q1 searches for 'Why?', and then asks for another review.\n"
    assert json.loads(server.requests[2].content)["query"] == "Why?"
    assert json.loads(run("review", "q1", "approve", "--json").out)["position"] == 3


def test_a_review_that_is_refused(run: Run, server: Server) -> None:
    fault = {"pointer": "/drop/0", "detail": "The chunk 'x' was not offered for review."}
    server.answer("/query/q1/review", httpx.Response(422, json={"errors": [fault]}))
    outcome = run("review", "q1", "approve", "--drop", "x")
    assert outcome.status == 1
    assert "/drop/0" in outcome.err
    assert run("review", "q1", "--drop", "x").status == 2


def test_adjust(run: Run, server: Server) -> None:
    server.answer("/query/q1/adjust", httpx.Response(202, json={"workflow_id": "q1"}))
    condition = '{"field": "year", "op": "gt", "value": 1}'
    outcome = run("adjust", "q1", "-k", "9", "--mode", "lexical", "--filter", condition)
    assert outcome.out == "Adjusted the question q1.\n"
    sent = json.loads(server.requests[0].content)
    assert sent == {"k": 9, "mode": "lexical", "filter": json.loads(condition)}
    run("adjust", "q1", "--no-filter", "--top-n", "2")
    assert json.loads(server.requests[1].content) == {"top_n": 2, "filter": None}
    assert run("adjust", "q1").status == 2
    assert run("adjust", "q1", "--no-filter", "--filter", condition).status == 2


def test_ask_says_that_a_review_is_awaited(run: Run, server: Server) -> None:
    server.answer("/query", HANDLE)
    done = {"answer": "A man.", "position": 3}
    server.answer(
        "/query/q1", waiting(), waiting(status="completed", waiting_for=None, result=done)
    )
    outcome = run("ask", "Who?", "-l", "books", "--review")
    assert json.loads(server.requests[0].content)["review"] is True
    assert outcome.err == "Waiting for a review: see `nalanda review q1`.\n"
    assert outcome.out == "A man.\n"


def test_the_event_of_a_review(run: Run, server: Server) -> None:
    request = json.dumps({**PREVIEW, "until": NOW})
    error = json.dumps({"status": "failed", "detail": "No."})
    text = f"id: 33\nevent: review\ndata: {request}\n\nid: 1000000\nevent: error\ndata: {error}\n\n"
    server.answer("/query/q1/events", httpx.Response(200, text=text))
    line = run("events", "q1").out.splitlines()[0]
    assert line.startswith("A review of 2 hits is awaited until ")
