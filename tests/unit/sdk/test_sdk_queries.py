"""Questions: start, watch, wait."""

from datetime import UTC, datetime

import httpx
import pytest

from nalanda import (
    ErrorEvent,
    HitsEvent,
    QueryEvent,
    QueryFailed,
    ResultEvent,
    StageEvent,
    TimedOut,
)
from tests.event_stream import event_stream
from tests.unit.sdk.script import HANDLE, NOW, RESULT, Script, ok, page, state

STARTED = ok(HANDLE, status=202)
RUNNING = state("running", stage="retrieve")
DONE = state("completed", result=RESULT)


def test_start() -> None:
    script = Script(STARTED)
    with script.client() as client:
        handle = client.queries.start("books", "why?", k=9, filter=None, idempotency_key="once")
    assert script.last.url.path == "/query"
    assert script.body == {"library": "books", "query": "why?", "k": 9}
    assert script.last.headers["Idempotency-Key"] == "once"
    assert (handle.workflow_id, handle.temporal_ui_url) == ("q1", None)


def test_start_makes_a_key_of_its_own() -> None:
    script = Script(STARTED)
    with script.client() as client:
        client.queries.start("books", "why?")
    assert script.last.headers["Idempotency-Key"]


def test_watch_shows_each_change_once(sleeps: list[float]) -> None:
    script = Script(RUNNING, RUNNING, state("running", stage="answer"), DONE)
    with script.client() as client:
        stages = [(s.status, s.stage) for s in client.queries.watch("q1")]
    assert stages == [("running", "retrieve"), ("running", "answer"), ("completed", None)]
    assert len(sleeps) == 3


def test_watch_pauses_longer_while_nothing_changes(sleeps: list[float]) -> None:
    with Script(*[RUNNING] * 12, DONE).client() as client:
        client.queries.wait("q1")
    assert sleeps == sorted(sleeps)
    assert sleeps[-1] == 1.0


def test_wait_gives_up_in_time(sleeps: list[float]) -> None:
    with (
        Script(RUNNING).client() as client,
        pytest.raises(TimedOut, match=r"q1 is still running after 9 s\."),
    ):
        client.queries.wait("q1", timeout_s=9)
    assert sum(sleeps) <= 9


def test_ask() -> None:
    with Script(STARTED, DONE).client() as client:
        result = client.ask("books", "why?", top_n=3)
    assert (result.answer, result.degraded, result.usage.input_tokens) == ("42", [], 0)


@pytest.mark.parametrize("status", ["failed", "cancelled", "timed_out"])
def test_ask_for_nothing(status: str) -> None:
    ended = state(status, error="the reason")
    with (
        Script(STARTED, ended).client() as client,
        pytest.raises(QueryFailed, match=f"q1 ended as {status}: the reason") as raised,
    ):
        client.ask("books", "why?")
    assert raised.value.state.status == status


def test_ask_with_a_result_that_is_not_there() -> None:
    with Script(STARTED, state("completed")).client() as client, pytest.raises(QueryFailed):
        client.ask("books", "why?")


def test_cancel_and_feedback() -> None:
    script = Script(httpx.Response(202))
    with script.client() as client:
        client.queries.cancel("q1")
        assert (script.last.url.path, script.last.content) == ("/query/q1/cancel", b"")
        client.queries.feedback("q1", -1, "no")
        assert script.last.url.path == "/query/q1/feedback"
        assert script.body == {"rating": -1, "comment": "no"}


def test_recent_questions() -> None:
    script = Script(page([{"workflow_id": "q1", "status": "failed", "library": "l1"}]))
    since = datetime(2026, 1, 1, tzinfo=UTC)
    with script.client() as client:
        recent = list(client.queries.list(library="l1", status="failed", since=since))
    assert [question.workflow_id for question in recent] == ["q1"]
    params = {"library": "l1", "status": "failed", "since": "2026-01-01T00:00:00Z", "limit": "100"}
    assert dict(script.last.url.params) == params


def test_review() -> None:
    hit = {"chunk_id": "c1", "document_id": "d1", "version": 1, "score": 0.5}
    left = {"workflow_id": "q1", "query": "why?", "hits": [hit], "candidates": [], "position": 9}
    script = Script(ok(left))
    with script.client() as client:
        preview = client.queries.review("q1", "approve", drop={"c2"})
        assert script.last.url.path == "/query/q1/review"
        assert script.body == {"decision": "approve", "drop": ["c2"], "pin": []}
        assert script.last.headers["Idempotency-Key"]
        client.queries.review("q1", "reject", query="when?")
    assert script.body == {"decision": "reject", "drop": [], "pin": [], "query": "when?"}
    assert (preview.hits[0].chunk_id, preview.position) == ("c1", 9)


def test_adjust_sends_what_is_given() -> None:
    script = Script(httpx.Response(202))
    with script.client() as client:
        client.queries.adjust("q1", top_n=2, filter=None)
    assert script.last.url.path == "/query/q1/adjust"
    assert script.body == {"top_n": 2, "filter": None}


def test_what_is_to_be_reviewed() -> None:
    hit = {"chunk_id": "c1", "document_id": "d1", "version": 1, "score": 0.5}
    request = {"query": "why?", "hits": [], "candidates": [hit], "position": 9, "until": NOW}
    with Script(state("running", waiting_for="review", reviews=[request])).client() as client:
        asked = client.queries.get("q1")
    assert asked.waiting_for == "review"
    assert asked.reviews[-1].candidates[0].chunk_id == "c1"
    assert asked.reviews[-1].until.year == 2026


def test_rerun_and_diff() -> None:
    difference = {
        "hits": {"gained": [], "lost": [], "moved": [{"chunk_id": "c", "before": 1, "after": 2}]},
        "answer": {"before": "a", "after": None},
        "citations": {"gained": [], "lost": []},
    }
    script = Script(STARTED, ok(difference))
    with script.client() as client:
        handle = client.queries.rerun("q0", "rerank", top_n=2, filter=None, idempotency_key="k")
        assert script.last.url.path == "/query/q0/rerun"
        assert script.body == {"from": "rerank", "at": "then", "top_n": 2, "filter": None}
        assert script.last.headers["Idempotency-Key"] == "k"
        assert handle.workflow_id == "q1"
        compared = client.queries.diff("q0", "q1")
    assert script.last.url.path == "/query/q0/diff/q1"
    assert (compared.hits.moved[0].after, compared.answer.after) == (2, None)


def test_delete() -> None:
    script = Script(httpx.Response(204))
    with script.client() as client:
        client.queries.delete("q1")
    assert (script.last.method, script.last.url.path) == ("DELETE", "/query/q1")
    assert script.last.headers["Idempotency-Key"]


def test_a_stream_has_typed_events() -> None:
    hit = {"chunk_id": "c1", "document_id": "d1", "version": 1, "score": 0.5}
    events = (
        (12, "stage", {"name": "preprocess", "status": "completed"}),
        (23, "hits", {"hits": [hit], "position": 9}),
        (24, "later", {"a": 1}),
        (1_000_000, "result", RESULT),
    )
    with Script(httpx.Response(200, text=event_stream(*events))).client() as client:
        stage, hits, other, last = client.queries.stream("q1")
    assert isinstance(stage, StageEvent)
    assert stage.data.status == "completed"
    assert isinstance(hits, HitsEvent)
    assert (hits.data.position, hits.data.hits[0].chunk_id) == (9, "c1")
    assert other == QueryEvent(id=24, event="later", data={"a": 1})
    assert isinstance(last, ResultEvent)
    assert last.data.answer == "42"


def test_a_stream_ends_with_an_error_where_there_is_no_result() -> None:
    data = '{"status": "failed", "detail": "No key."}'
    text = f"id: 1000000\nevent: error\ndata: {data}\n\n"
    with Script(httpx.Response(200, text=text)).client() as client:
        (last,) = client.queries.stream("q1", last_event_id=42)
    assert isinstance(last, ErrorEvent)
    assert (last.data.status, last.data.detail) == ("failed", "No key.")
