"""A conversation of 12 turns is answered from the right pages, by rules and by a chat model.

On the way it continues as new twice, and each process is killed once.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from nalanda import Conversation, Nalanda
from tests.e2e.stack import Stack
from tests.openai_server import OpenAIServer
from tests.waiting import until
from workflows.client import connect

PATIENCE_S = 90.0

PAGES = {
    "Buses": "Buses run every ten minutes. A ticket for buses costs two euros. Bicycles are not "
    "allowed on buses.",
    "Trains": "Trains run every hour. A ticket for trains costs nine euros. Bicycles travel free "
    "of charge on trains.",
    "Ferries": "Ferries run twice a day. A ticket for ferries costs five euros. Bicycles on "
    "ferries cost one euro.",
    "Calicut": "The harbour of Calicut is three fathoms deep. It was built by Zheng He, and "
    "repaired in 1498.",
    "Tamralipti": "The harbour of Tamralipti is nine fathoms deep. It was built by Ashoka, and "
    "repaired in 412.",
    "Museum": "The museum opens at ten on weekdays. The museum opens at noon on Sundays.",
    "Admission": "Admission to the museum is free for children, and costs seven euros for adults.",
}


class Asked(NamedTuple):
    """A question, the page that answers it, and the question that a follow-up stands for."""

    query: str
    page: str
    full: str | None = None


TURNS = (
    Asked("How much is a ticket for buses?", "Buses"),
    Asked("and for trains?", "Trains", "How much is a ticket for trains?"),
    Asked("And for ferries?", "Ferries", "How much is a ticket for ferries?"),
    Asked("How often do trains run?", "Trains"),
    Asked("What about buses?", "Buses", "How often do buses run?"),
    Asked("How deep is the harbour of Calicut?", "Calicut"),
    Asked("And of Tamralipti?", "Tamralipti", "How deep is the harbour of Tamralipti?"),
    Asked("Who built it?", "Tamralipti", "Who built the harbour of Tamralipti?"),
    Asked("When was it repaired?", "Tamralipti", "When was the harbour of Tamralipti repaired?"),
    Asked("When does the museum open on weekdays?", "Museum"),
    Asked("and on Sundays?", "Museum", "When does the museum open on Sundays?"),
    Asked("How much is the admission for adults?", "Admission"),
)


@contextmanager
def running(folder: Path, **worker: str) -> Iterator[Stack]:
    with Stack(folder) as stack:
        stack.environments = {"worker": worker}
        stack.start_all()
        with stack.client() as client:
            client.libraries.create("travel")
            for title, text in PAGES.items():
                client.documents.create("travel", title=title, text=text)
        yield stack


def talk_through(stack: Stack, client: Nalanda) -> list[str | None]:
    """Ask all turns, and check the page and the answer of each; return what was searched for."""
    talk = client.conversations.create("travel")
    condensed = []
    for number, asked in enumerate(TURNS):
        handle = client.queries.start("travel", asked.query, conversation_id=talk.id)
        for part in {2: ["worker"], 5: ["api"], 8: ["temporal"]}.get(number, []):
            stack.kill(part)
            stack.start(part)
        state = client.queries.wait(handle.workflow_id, timeout_s=PATIENCE_S)
        assert state.result is not None, state
        assert state.result.degraded == []
        cited = state.result.citations[0].document_id
        document = client.documents.get("travel", cited)
        assert (asked.query, document.title) == (asked.query, asked.page)
        condensed.append(state.result.condensed_query)
        until(lambda: _has_ended(client, talk.id), PATIENCE_S)
    turns = client.conversations.get(talk.id).turns
    assert [turn.query for turn in turns] == [asked.query for asked in TURNS]
    assert [turn.condensed_query for turn in turns] == condensed
    assert {turn.status for turn in turns} == {"completed"}
    assert asyncio.run(_runs(stack, talk)) >= 3
    return condensed


def _has_ended(client: Nalanda, conversation_id: str) -> bool:
    return client.conversations.get(conversation_id).turns[-1].status == "completed"


async def _runs(stack: Stack, talk: Conversation) -> int:
    """Count the runs of the conversation's workflow, from the last one back to the first."""
    client = await connect(stack.temporal_address)
    runs, run_id = 0, ""
    while runs == 0 or run_id:
        handle = client.get_workflow_handle(talk.id, run_id=run_id or None)
        event = await anext(handle.fetch_history_events(page_size=1))
        run_id = event.workflow_execution_started_event_attributes.continued_execution_run_id
        runs += 1
    return runs


def test_by_rules(tmp_path: Path) -> None:
    with running(tmp_path) as stack, stack.client() as client:
        condensed = talk_through(stack, client)
    topics = {
        "Who built it?": "Who built it? (deep, harbour, Tamralipti)",
        "When was it repaired?": "When was it repaired? (deep, harbour, Tamralipti)",
    }
    assert condensed == [topics.get(asked.query, asked.full) for asked in TURNS]


def test_by_a_chat_model(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        server.rewritten = {asked.query: asked.full for asked in TURNS if asked.full is not None}
        provider = {
            "NALANDA_ANSWER_PROVIDER": "openai",
            "NALANDA_OPENAI_BASE_URL": server.url,
            "NALANDA_OPENAI_ANSWER_MODEL": "chat",
        }
        with running(tmp_path, **provider) as stack, stack.client() as client:
            assert talk_through(stack, client) == [asked.full for asked in TURNS]
