"""`nalanda chat`, and `nalanda ask --conversation`."""

import io
import json

import httpx
import pytest

from tests.unit.cli.commands.test_questions import HANDLE, RESULT, STAGES, state
from tests.unit.cli.conftest import NOW, Run, Server

TALK = {"id": "conversation-1", "library": "l", "created_at": NOW, "turns": []}
PLAIN = {**RESULT, "citations": [], "degraded": []}


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("How deep?\n \nAnd at night?\n"))


def asked(server: Server) -> list[dict[str, str]]:
    bodies = [json.loads(r.content) for r in server.requests if r.url.path == "/query"]
    return [{name: body[name] for name in ("query", "conversation_id")} for body in bodies]


@pytest.mark.usefixtures("typed")
def test_each_line_is_a_turn(run: Run, server: Server) -> None:
    server.answer("/conversations", httpx.Response(201, json=TALK))
    server.answer("/query", HANDLE)
    condensed = {**PLAIN, "condensed_query": "How deep is it at night?"}
    server.answer(
        "/query/q1",
        state("completed", *STAGES, result=PLAIN),
        state("completed", *STAGES, result=condensed),
    )
    outcome = run("chat", "-l", "books")
    assert outcome.status == 0
    assert outcome.err.startswith("The conversation is conversation-1.\n")
    assert outcome.out.splitlines() == [
        "A man. Of many turns.",
        "Searched for: How deep is it at night?",
        "A man. Of many turns.",
    ]
    talk = {"conversation_id": "conversation-1"}
    assert asked(server) == [{"query": "How deep?", **talk}, {"query": "And at night?", **talk}]


@pytest.mark.usefixtures("typed")
def test_a_turn_without_an_answer_does_not_end_the_conversation(run: Run, server: Server) -> None:
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("failed", error="It broke."), state("completed", result=PLAIN))
    outcome = run("chat", "-l", "books", "--conversation", "conversation-2")
    assert "It broke." in outcome.err
    assert outcome.out == "A man. Of many turns.\n"
    assert {turn["conversation_id"] for turn in asked(server)} == {"conversation-2"}


@pytest.mark.usefixtures("typed")
def test_an_unknown_conversation_ends_the_command(run: Run, server: Server) -> None:
    problem = {"status": 404, "title": "Not Found", "detail": "There is no conversation."}
    server.answer("/query", httpx.Response(404, json=problem))
    outcome = run("chat", "-l", "books", "--conversation", "none")
    assert outcome.status != 0
    assert "There is no conversation." in outcome.err


def test_ask_takes_the_next_turn(run: Run, server: Server) -> None:
    server.answer("/query", HANDLE)
    server.answer("/query/q1", state("completed", result=PLAIN))
    run("ask", "And at night?", "-l", "books", "--conversation", "conversation-2")
    assert asked(server) == [{"query": "And at night?", "conversation_id": "conversation-2"}]
