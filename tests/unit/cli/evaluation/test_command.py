"""`nalanda eval` against a scripted server."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import ENTITY, Run, Server

LIBRARY = {**ENTITY, "id": "l-ports", "name": "ports", "embedding_model": "m"}
QUOTE = "Nine fathoms."
CITATION = {
    "start": 0,
    "end": 13,
    "chunk_id": "c1",
    "document_id": "d1",
    "quote": QUOTE,
    "quote_start": 0,
    "quote_end": 13,
}
HITS = [
    {"chunk_id": "c2", "document_id": "d2", "version": 1, "score": 0.9},
    {"chunk_id": "c1", "document_id": "d1", "version": 1, "score": 0.8},
]
RESULT = {
    "answer": QUOTE,
    "citations": [CITATION],
    "hits": HITS,
    "position": 1,
    "provider": "local",
    "timings_ms": {"answer": 4.0, "total": 9.0},
    "usage": {"input_tokens": 3},
}
NOTHING: dict[str, Any] = {
    "answer": None,
    "citations": [],
    "hits": HITS,
    "position": 1,
    "timings_ms": {},
}


def document(id_: str, source: str | None) -> dict[str, Any]:
    return {**ENTITY, "id": id_, "library_id": "l-ports", "source": source}


@pytest.fixture(autouse=True)
def _library(server: Server) -> None:
    server.libraries["ports"] = LIBRARY
    server.documents = {"d1": document("d1", "/notes/a.md"), "d2": document("d2", None)}
    chunk = {**ENTITY, "id": "c1", "document_id": "d1", "library_id": "l-ports", "ordinal": 0}
    server.answer("/libraries/l-ports/chunks/c1", {**chunk, "text": f"{QUOTE} And more."})
    server.handlers["/query"] = _start
    for name, result in (("deep", RESULT), ("foreign", NOTHING)):
        server.answer(
            f"/query/{name}", {"workflow_id": name, "status": "completed", "result": result}
        )
    failed = {"workflow_id": "broken", "status": "failed", "error": "It broke."}
    server.answer("/query/broken", failed)


def _start(request: httpx.Request) -> httpx.Response:
    asked = json.loads(request.content)["query"]
    handle = {"workflow_id": asked, "run_id": "r", "status_url": "/", "events_url": "/"}
    return httpx.Response(202, json=handle)


def written(*questions: dict[str, Any]) -> str:
    Path("q.jsonl").write_text("\n".join(map(json.dumps, questions)))
    return "q.jsonl"


DEEP = {"question": "deep", "sources": ["notes/a.md"], "answers": ["nine fathoms"], "tags": ["en"]}
FOREIGN = {"question": "foreign", "answerable": False}


def test_the_metrics_are_a_line_each(run: Run) -> None:
    outcome = run("eval", written(DEEP, FOREIGN), "-l", "ports")
    assert outcome.status == 0
    rows = dict(line.split("\t", 1) for line in outcome.out.splitlines() if "\t" in line)
    assert rows["hit@1"] == "0.000\t1"
    assert rows["hit@5"] == "1.000\t1"
    assert rows["cited_first"] == "1.000\t1"
    assert rows["answer_quoted"] == rows["quotes_verified"] == "1.000\t1"
    assert rows["refused_right"] == "1.000\t1"
    assert rows["refused_wrong"] == "0.000\t1"
    assert rows["total"] == "9\t9"
    assert outcome.out.splitlines()[-1] == "2 questions; 3 input_tokens"


def test_a_file_uri_is_named_by_its_path(run: Run, server: Server) -> None:
    server.documents["d1"] = document("d1", "file:///notes/C%2B%2B%20caf%C3%A9.md")
    outcome = run("eval", written(DEEP | {"sources": ["C++ café.md"]}), "-l", "ports")
    assert "cited_first\t1.000\t1" in outcome.out


def test_a_ranking_of_ten_is_asked_for_without_an_answer(run: Run, server: Server) -> None:
    run("eval", written(DEEP), "-l", "ports")
    asked = [json.loads(r.content) for r in server.requests if r.url.path == "/query"]
    assert [(one["top_n"], one["answer"]) for one in asked] == [(5, True), (10, False)]
    server.requests.clear()
    run("eval", written(DEEP, FOREIGN), "-l", "ports", "--top-n", "10")
    assert sum(r.url.path == "/query" for r in server.requests) == 2
    server.requests.clear()
    outcome = run("eval", written(DEEP), "-l", "ports", "--no-ranking")
    assert sum(r.url.path == "/query" for r in server.requests) == 1
    assert "hit@1" not in outcome.out


def test_json_can_be_compared_with(run: Run) -> None:
    outcome = run("eval", written(DEEP, FOREIGN), "-l", "ports", "--json", "--save", "first.json")
    report = json.loads(outcome.out)
    assert report == json.loads(Path("first.json").read_text())
    assert report["metrics"]["cited_first"] == {"value": 1.0, "count": 1}
    assert report["outcomes"][0]["citations"][0]["source"] == "/notes/a.md"
    again = run("eval", written(DEEP, FOREIGN), "-l", "ports", "--compare", "first.json")
    assert "cited_first\t1.000\t1\t1.000\t+0.000" in again.out


def test_a_bar_that_is_missed_is_status_1(run: Run) -> None:
    file = written(DEEP)
    reached = run("eval", file, "-l", "ports", "--require", "cited_first=.9")
    assert reached.status == 0
    missed = run("eval", file, "-l", "ports", "--require", "hit@1=.9", "--require", "cited=1")
    assert missed.status == 1
    assert missed.err == "nalanda: hit@1 is 0.000, and must be at least 0.9.\n"


def test_a_failed_question_is_counted_and_named(run: Run) -> None:
    broken = {"question": "broken", "id": "b", "sources": ["notes/a.md"]}
    outcome = run("eval", written(broken, DEEP), "-l", "ports", "--misses", "--concurrency", "2")
    assert "failed\t0.500\t2" in outcome.out
    assert any(line.startswith("wrong: b: broken → ") for line in outcome.out.splitlines())


@pytest.mark.parametrize(
    ("questions", "fault"),
    [
        ([{"question": "deep"}], "q.jsonl: line 1: A question must have"),
        (
            [DEEP, {"question": "deep", "sources": ["b.md"]}],
            "q.jsonl: line 2: No document of the library has the source 'b.md'.",
        ),
        (
            [{"question": "deep", "chunks": ["c9"]}],
            "q.jsonl: line 1: The library has no chunk 'c9'.",
        ),
    ],
)
def test_a_bad_file_is_status_2(
    run: Run, server: Server, questions: list[dict[str, Any]], fault: str
) -> None:
    missing = httpx.Response(404, json={"title": "Not Found", "detail": "No."})
    server.answer("/libraries/l-ports/chunks/c9", missing)
    outcome = run("eval", written(*questions), "-l", "ports")
    assert outcome.status == 2
    assert outcome.err.startswith(f"nalanda: {fault}")
    assert not [r for r in server.requests if r.url.path == "/query"]


def test_wrong_usage_and_a_missing_library(run: Run) -> None:
    file = written(DEEP)
    assert run("eval", file, "-l", "ports", "--require", "cited_last=1").status == 2
    assert run("eval", file, "-l", "ports", "--compare", "missing.json").status == 2
    assert run("eval", "missing.jsonl", "-l", "ports").status == 2
    assert run("eval", file, "-l", "ports", "--save", "no/such/folder.json").status == 2
    assert run("eval", file, "-l", "rivers").status == 1
