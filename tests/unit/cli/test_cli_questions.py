"""`nalanda search`, `ask`, `status` and `cancel`."""

import json
from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import ENTITY, NOW, Run, Server

DOCUMENT = {**ENTITY, "id": "d1", "library_id": "l", "title": "The Odyssey", "source": "homer.txt"}
HIT = {
    "chunk_id": "c1",
    "document_id": "d1",
    "score": 0.51234,
    "version": 1,
    "text": "Tell me,\n\x1b[31mMuse",
    "metadata": {},
    "document": {"id": "d1", "title": "The Odyssey", "source": None, "metadata": {}},
}
PLAN = {"index": "flat", "filter": "none", "exact": True}
HANDLE = {"workflow_id": "q1", "run_id": "r", "status_url": "/", "events_url": "/"}
STAGES = ("preprocess", "retrieve")


def citation(start: int, end: int, chunk_id: str, quote: str) -> dict[str, Any]:
    at = {"start": start, "end": end, "quote_start": 0, "quote_end": len(quote)}
    return {**at, "chunk_id": chunk_id, "document_id": "d1", "quote": quote}


RESULT = {
    "answer": "A man. Of many turns.",
    "citations": [citation(7, 21, "c2", "many turns"), citation(0, 6, "c1", "the man")],
    "position": 3,
    "degraded": ["rerank"],
}


def state(status: str, *ended: str, **members: Any) -> dict[str, Any]:
    stages = [{"name": s, "status": "completed" if s in ended else "pending"} for s in STAGES]
    return {"workflow_id": "q1", "status": status, "stages": stages, **members}


def test_search_has_a_line_for_each_hit(run: Run, server: Server) -> None:
    found = {"hits": [HIT], "plan": PLAN, "position": 1, "took_ms": 0.2}
    server.answer("/libraries/books/search", found)
    where = '{"field": "year", "op": "gt", "value": 1}'
    outcome = run("search", "muse", "-l", "books", "-k", "3", "--filter", where)
    assert outcome.out == "  1. 0.5123  The Odyssey  Tell me, \N{REPLACEMENT CHARACTER}[31mMuse\n"
    sent = json.loads(server.requests[0].content)
    assert (sent["text"], sent["k"], sent["filter"]["value"]) == ("muse", 3, 1)
    assert sent["mode"] == "vector"
    as_json = json.loads(run("search", "muse", "-l", "books", "--mode", "hybrid", "--json").out)
    assert json.loads(server.requests[1].content)["mode"] == "hybrid"
    assert as_json["hits"][0]["chunk_id"] == "c1"


def test_search_without_hits(run: Run, server: Server) -> None:
    server.answer(
        "/libraries/books/search", {"hits": [], "plan": PLAN, "position": 1, "took_ms": 0.2}
    )
    assert run("search", "muse", "-l", "books").out == "Nothing was found.\n"


def test_ask(run: Run, server: Server) -> None:
    server.documents["d1"] = DOCUMENT
    server.answer("/libraries/books/documents/d1", DOCUMENT)
    server.answer("/query", HANDLE)
    server.answer(
        "/query/q1",
        state("running", "preprocess"),
        state("completed", *STAGES, result=RESULT),
    )
    outcome = run("ask", "Who?", "-l", "books")
    assert outcome.status == 0
    assert outcome.err.splitlines() == ["✓ preprocess", "✓ retrieve"]
    assert outcome.out.splitlines() == [
        "A man. [1] Of many turns. [2]",
        "Degraded: rerank",
        "",
        "[1] The Odyssey  homer.txt",
        "    “the man”",
        "[2] The Odyssey  homer.txt",
        "    “many turns”",
    ]


def test_ask_as_json(run: Run, server: Server) -> None:
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("completed", result=RESULT))
    assert json.loads(run("ask", "Who?", "-l", "books", "--json").out)["result"]["position"] == 3


def test_a_source_that_is_gone(run: Run, server: Server) -> None:
    server.answer("/libraries/books/documents/d1", httpx.Response(404))
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("completed", result=RESULT))
    assert "[1] document d1, deleted since" in run("ask", "Who?", "-l", "books").out


def test_a_question_that_fails(run: Run, server: Server) -> None:
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("failed", error="no provider"))
    outcome = run("ask", "Who?", "-l", "books")
    assert outcome.status == 1
    assert outcome.err == "nalanda: The question q1 ended as failed: no provider\n"


def test_interrupted_it_goes_on(run: Run, server: Server) -> None:
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("running"), KeyboardInterrupt())
    outcome = run("ask", "Who?", "-l", "books")
    assert outcome.status == 130
    assert outcome.err == (
        "The question q1 goes on. See it with `nalanda status q1`, "
        "stop it with `nalanda cancel q1`.\n"
    )


def test_recent_questions(run: Run, server: Server) -> None:
    recent = {"workflow_id": "q1", "status": "failed", "library": "l1", "stage": "answer"}
    recent["started_at"] = NOW
    server.answer("/query", {"items": [recent] * 3, "next_cursor": None})
    assert (
        run("status", "--limit", "2").out.splitlines()
        == ["q1\tfailed\tanswer\t2026-01-02 03:04:05+00:00\tl1"] * 2
    )
    assert json.loads(run("status", "--limit", "1", "--json").out)["library"] == "l1"


def test_one_question(run: Run, server: Server) -> None:
    server.answer("/query/q1", state("failed", "preprocess", error="why"))
    assert run("status", "q1").out.splitlines() == [
        "q1  failed",
        "✓ preprocess   · retrieve",
        "why",
    ]
    assert json.loads(run("status", "q1", "--json").out)["error"] == "why"


def test_one_answered_question(run: Run, server: Server) -> None:
    server.answer("/query/q1", state("completed", *STAGES, result=RESULT))
    assert "A man. [1] Of many turns. [2]" in run("status", "q1").out


@pytest.mark.parametrize(("code", "status"), [(202, 0), (409, 1)])
def test_cancel(code: int, status: int, run: Run, server: Server) -> None:
    server.answer("/query/q1/cancel", httpx.Response(code))
    assert run("cancel", "q1").status == status
