"""The answer of a question while it is written."""

import threading

import httpx

from cli.questions.draft import Draft
from nalanda import Nalanda
from tests.event_stream import event_stream
from tests.waiting import until


def test_tokens_are_joined_and_dropped_at_a_retry() -> None:
    stream = event_stream(
        (1000, "token", {"text": "Ei"}),
        (22000, "retry", {"attempt": 2}),
        (22001, "token", {"text": "Nine"}),
        (22002, "token", {"text": " fathoms"}),
        (1000000, "error", {"status": "cancelled", "detail": None}),
    )

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=stream, headers={"Content-Type": "text/event-stream"})

    with Nalanda("http://test", transport=httpx.MockTransport(respond)) as client:
        draft = Draft(client, "q")
        until(lambda: draft.text == "Nine fathoms")


def test_without_a_stream_the_draft_stays_empty() -> None:
    refused = httpx.MockTransport(lambda _: httpx.Response(404, json={"detail": "Gone."}))
    with Nalanda("http://test", transport=refused) as client:
        draft = Draft(client, "q")
        until(lambda: not any(each.name == "draft" for each in threading.enumerate()))
        assert draft.text == ""
