"""`nalanda rerun`, `nalanda diff` and `nalanda forget`."""

import json
from typing import Any

import httpx

from tests.unit.cli.conftest import Run, Server

HIT = {"document_id": "d", "version": 1, "score": 0.5}
HANDLE = {"workflow_id": "q2", "run_id": "r", "status_url": "/", "events_url": "/"}


def citation(quote: str) -> dict[str, Any]:
    at = {"start": 0, "end": 1, "quote_start": 0, "quote_end": 1}
    return {**at, "chunk_id": "c", "document_id": "d", "quote": quote}


DIFF = {
    "hits": {
        "gained": [{**HIT, "chunk_id": "c1"}],
        "lost": [{**HIT, "chunk_id": "c2"}],
        "moved": [{"chunk_id": "c3", "before": 2, "after": 1}],
    },
    "answer": {"before": "Nine.", "after": None},
    "citations": {"gained": [citation("new")], "lost": [citation("old")]},
}
LINES = [
    "+ hit c1",
    "- hit c2",
    "  hit c3: rank 2 is now 1",
    "+ “new”",
    "- “old”",
    "- Nine.",
    "+ no answer",
]


def test_rerun_waits_and_shows_the_difference(run: Run, server: Server) -> None:
    server.answer("/query/q1/rerun", HANDLE)
    server.answer("/query/q2", {"workflow_id": "q2", "status": "completed"})
    server.answer("/query/q1/diff/q2", DIFF)
    outcome = run("rerun", "q1", "--from", "rerank", "--at", "now", "--top-n", "2")
    assert json.loads(server.requests[0].content) == {"from": "rerank", "at": "now", "top_n": 2}
    assert outcome.err == "The new question is q2.\n"
    assert outcome.out.splitlines() == LINES
    assert run("rerun", "q1", "--from", "preprocess").status == 2


def test_diff(run: Run, server: Server) -> None:
    same = {
        "hits": {"gained": [], "lost": [], "moved": []},
        "answer": {"before": "Nine.", "after": "Nine."},
        "citations": {"gained": [], "lost": []},
    }
    server.answer("/query/q1/diff/q2", DIFF)
    server.answer("/query/q1/diff/q1", same)
    assert run("diff", "q1", "q2").out.splitlines() == LINES
    assert run("diff", "q1", "q1").out == "The answer is the same.\n"
    assert json.loads(run("diff", "q1", "q2", "--json").out)["answer"]["before"] == "Nine."


def test_forget(run: Run, server: Server) -> None:
    server.answer("/query/q1", httpx.Response(204))
    running = httpx.Response(409, json={"detail": "The question is still running."})
    server.answer("/query/q2", running)
    assert run("forget", "q1").out == "Deleted the question q1.\n"
    assert server.requests[0].method == "DELETE"
    outcome = run("forget", "q2")
    assert outcome.status == 1
    assert "still running" in outcome.err
