"""Questions: start, watch, wait."""

from datetime import UTC, datetime

import httpx
import pytest

from nalanda import QueryFailed, TimedOut
from tests.unit.sdk.script import HANDLE, RESULT, Script, ok, page, state

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
