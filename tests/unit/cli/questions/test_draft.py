"""The answer of a question while it is written."""

import json
import threading

import httpx

from cli.questions.draft import Draft
from nalanda import Nalanda
from tests.waiting import until


def _event(number: int, name: str, data: object) -> str:
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"


def test_tokens_are_joined_and_dropped_at_a_retry() -> None:
    stream = [
        _event(1000, "token", {"text": "Ei"}),
        _event(22000, "retry", {"attempt": 2}),
        _event(22001, "token", {"text": "Nine"}),
        _event(22002, "token", {"text": " fathoms"}),
        _event(1000000, "error", {"status": "cancelled", "detail": None}),
    ]

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, content="".join(stream), headers={"Content-Type": "text/event-stream"}
        )

    with Nalanda("http://test", transport=httpx.MockTransport(respond)) as client:
        draft = Draft(client, "q")
        until(lambda: draft.text == "Nine fathoms")


def test_without_a_stream_the_draft_stays_empty() -> None:
    refused = httpx.MockTransport(lambda _: httpx.Response(404, json={"detail": "Gone."}))
    with Nalanda("http://test", transport=refused) as client:
        draft = Draft(client, "q")
        until(lambda: not any(each.name == "draft" for each in threading.enumerate()))
        assert draft.text == ""
