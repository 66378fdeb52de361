"""`nalanda search`, `ask`, `status` and `cancel`."""

import json
from typing import Any

import httpx
import pytest

from tests.event_stream import event_stream
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
    result = {"hits": [HIT], "plan": PLAN, "position": 1, "took_ms": 0.2}
    server.answer("/libraries/books/search", result)
    where = '{"field": "year", "op": "gt", "value": 1}'
    outcome = run("search", "muse", "-l", "books", "-k", "3", "--filter", where)
    assert outcome.out == "  1. 0.5123  The Odyssey  Tell me, \N{REPLACEMENT CHARACTER}[31mMuse\n"
    sent = json.loads(server.requests[0].content)
    assert (sent["text"], sent["k"], sent["filter"]["value"]) == ("muse", 3, 1)
    assert sent["mode"] == "hybrid"
    as_json = json.loads(run("search", "muse", "-l", "books", "--mode", "vector", "--json").out)
    assert json.loads(server.requests[1].content)["mode"] == "vector"
    assert as_json["hits"][0]["chunk_id"] == "c1"


def test_search_without_hits(run: Run, server: Server) -> None:
    server.answer(
        "/libraries/books/search", {"hits": [], "plan": PLAN, "position": 1, "took_ms": 0.2}
    )
    assert run("search", "muse", "-l", "books").out == "No chunk was found.\n"


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


def test_a_citation_s_place_is_shown(run: Run, server: Server) -> None:
    def placed(number: int, **place: Any) -> dict[str, Any]:
        return {**citation(0, 6, f"c{number}", f"quote {number}"), "place": place}

    cited = [
        placed(1, source="docs/ports.md", title="Ports", headings=["Ports", "Depth"], line=7),
        placed(2, source="atlas.pdf", title=None, headings=["Harbours"], page=3, line=9),
        placed(3, source=None, title="Ports", headings=[]),
        placed(4, source=None, title=None, headings=[], line=2),
        placed(5, source="a.txt", title=None, headings=[]),
    ]
    server.answer("/query/q1", state("completed", *STAGES, result={**RESULT, "citations": cited}))
    shown = run("status", "q1").out.splitlines()
    assert [line for line in shown if line.startswith("[")] == [
        "[1] Ports › Depth  docs/ports.md:7",
        "[2] Harbours  atlas.pdf, page 3",
        "[3] Ports",
        "[4] untitled document  line 2",
        "[5] untitled document  a.txt",
    ]


def test_ask_as_json(run: Run, server: Server) -> None:
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("completed", result=RESULT))
    assert json.loads(run("ask", "Who?", "-l", "books", "--json").out)["result"]["position"] == 3


def test_a_source_that_is_gone(run: Run, server: Server) -> None:
    server.answer("/libraries/books/documents/d1", httpx.Response(404))
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("completed", result=RESULT))
    assert "[1] document d1, since deleted" in run("ask", "Who?", "-l", "books").out


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
        "The question q1 is still running. Show it with `nalanda status q1`, "
        "or stop it with `nalanda cancel q1`.\n"
    )


def test_recent_questions(run: Run, server: Server) -> None:
    recent = {"workflow_id": "q1", "status": "failed", "library": "l1", "stage": "answer"}
    recent |= {"started_at": NOW, "query": "Who is he?"}
    server.answer("/libraries", {"items": [{**ENTITY, "id": "l1", "name": "books"}]})
    server.answer("/query", {"items": [recent] * 3, "next_cursor": None})
    assert (
        run("status", "--limit", "2").out.splitlines()
        == ["q1\tfailed\tanswer\t2026-01-02 03:04:05+00:00\tbooks\tWho is he?"] * 2
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


def refusal(pointer: str) -> httpx.Response:
    """Return the server's response for a library without a model."""
    return httpx.Response(422, json={"errors": [{"pointer": pointer, "detail": "No model."}]})


def test_search_by_words_where_there_is_no_model(run: Run, server: Server) -> None:
    result = {"hits": [HIT], "plan": PLAN, "position": 1, "took_ms": 0.2}
    server.answer("/libraries/books/search", refusal("/embedding"), result)
    outcome = run("search", "muse", "-l", "books")
    assert (outcome.status, outcome.err) == (
        0,
        "The library has no model, so only words count (--mode lexical).\n",
    )
    assert [json.loads(r.content)["mode"] for r in server.requests] == ["hybrid", "lexical"]


def test_a_mode_that_is_named_has_no_other_in_its_place(run: Run, server: Server) -> None:
    server.answer("/libraries/books/search", refusal("/embedding"))
    assert run("search", "muse", "-l", "books", "--mode", "hybrid").status == 1
    assert len(server.requests) == 1


def test_a_field_that_no_chunk_has_is_named(run: Run, server: Server) -> None:
    plan = {**PLAN, "unknown_fields": ["yaer"]}
    server.answer(
        "/libraries/books/search", {"hits": [], "plan": plan, "position": 1, "took_ms": 0.2}
    )
    outcome = run("search", "muse", "-l", "books", "--filter", "{}")
    assert outcome.err == "No chunk of the library has the field 'yaer' of the filter.\n"


def test_ask_with_mode_and_deadline(run: Run, server: Server) -> None:
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("completed", result={**RESULT, "citations": []}))
    assert run("ask", "Who?", "-l", "books", "--mode", "lexical", "--deadline", "2.5").status == 0
    sent = json.loads(server.requests[0].content)
    assert (sent["mode"], sent["deadline_s"]) == ("lexical", 2.5)


def test_ask_with_a_budget(run: Run, server: Server) -> None:
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("completed", result={**RESULT, "citations": []}))
    assert run("ask", "Who?", "-l", "books", "--budget-calls", "2").status == 0
    assert json.loads(server.requests[0].content)["budget"] == {"calls": 2}


def test_ask_by_words_where_there_is_no_model(run: Run, server: Server) -> None:
    server.answer("/query", refusal("/library"), HANDLE)
    server.answer("/query/q1", state("completed", result={**RESULT, "citations": []}))
    outcome = run("ask", "Who?", "-l", "books")
    assert outcome.status == 0
    assert "--mode lexical" in outcome.err
    assert json.loads(server.requests[1].content)["mode"] == "lexical"


def test_a_question_with_its_sources(run: Run, server: Server) -> None:
    server.answer("/libraries/l/documents/d1", DOCUMENT)
    ended = state("completed", *STAGES, result=RESULT, library="l", query="Who is he?")
    server.answer("/query/q1", ended)
    lines = run("status", "q1").out.splitlines()
    assert lines[:2] == ["q1  completed", "Who is he?"]
    assert "[1] The Odyssey  homer.txt" in lines


def stream(*events: tuple[int, str, object]) -> httpx.Response:
    return httpx.Response(200, text=f": a comment\n\n{event_stream(*events)}")


STAGE = {"name": "retrieve", "status": "completed"}
EVENTS = ((22, "stage", STAGE), (23, "hits", {"hits": [1, 2], "position": 7}))


def test_events_are_taken_up_where_they_broke_off(run: Run, server: Server) -> None:
    last = (1_000_000, "result", RESULT)
    path = "/query/q1/events"
    server.answer(path, stream(*EVENTS), stream((100, "later", {"a": 1}), last))
    assert run("events", "q1").out.splitlines() == [
        "✓ retrieve",
        "2 hits at position 7",
        "later: {'a': 1}",
        "A man. Of many turns.",
        "Degraded: rerank",
    ]
    assert [r.headers.get("Last-Event-ID") for r in server.requests] == [None, "23"]


def test_events_as_json_and_after_one(run: Run, server: Server) -> None:
    error = {"status": "failed", "detail": "No key."}
    server.answer("/query/q1/events", stream((1_000_000, "error", error)))
    outcome = run("events", "q1", "--last-event-id", "22", "--json")
    assert json.loads(outcome.out) == {"id": 1_000_000, "event": "error", "data": error}
    assert server.requests[0].headers["Last-Event-ID"] == "22"
    assert run("events", "q1").out == "failed: No key.\n"


def test_events_that_are_over_and_a_question_that_is_not_there(run: Run, server: Server) -> None:
    server.answer("/query/q1/events", httpx.Response(204))
    outcome = run("events", "q1", "--last-event-id", "1000000")
    assert (outcome.status, outcome.out) == (0, "")
    server.answer("/query/q2/events", httpx.Response(404, json={"detail": "There is no q2."}))
    assert run("events", "q2").err == "nalanda: 404 Not Found: There is no q2.\n"
