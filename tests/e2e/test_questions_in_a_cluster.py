"""Questions asked on two nodes, whose leader is killed before the worker begins them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nalanda import Nalanda, QueryEvent
from tests.e2e.nodes import nodes_of, open_services
from tests.e2e.stack import Stack
from tests.postgres import PostgresServer
from tests.waiting import until

PATIENCE_S = 120.0
QUESTION = "How deep is the harbour of Tamralipti?"
TEXTS = (
    "The harbour of Tamralipti is nine fathoms deep at high tide.",
    "Caravans from the west carry horses and lapis lazuli.",
)
QUESTIONS = 5


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Stack]:
    with open_services(tmp_path) as services:
        yield services


@pytest.fixture
def nodes(services: Stack, postgres: PostgresServer, tmp_path: Path) -> Iterator[Sequence[Stack]]:
    """Yield two nodes; the first one leads."""
    settings = {"NALANDA_LEASE_S": "2", "NALANDA_TEMPORAL_ADDRESS": services.temporal_address}
    with postgres.database() as url, nodes_of(tmp_path, url, 2, **settings) as nodes:
        yield nodes


def test_questions_outlast_the_leader_that_took_them(
    services: Stack, nodes: Sequence[Stack]
) -> None:
    urls = [node.api_url for node in nodes]
    services.environments = {"worker": {"NALANDA_API_URL": ",".join(urls)}}
    with Nalanda(urls, timeout_s=PATIENCE_S) as client, ThreadPoolExecutor() as threads:
        client.libraries.create("harbours")
        client.documents.create("harbours", chunks=[{"text": text} for text in TEXTS])
        asked = [client.queries.start("harbours", QUESTION) for _ in range(QUESTIONS)]
        events: list[QueryEvent] = []
        following = threads.submit(
            lambda: events.extend(client.queries.events(asked[0].workflow_id))
        )
        nodes[0].kill("api")
        services.start("worker")
        states = [client.queries.wait(each.workflow_id, timeout_s=PATIENCE_S) for each in asked]
        answer = client.ask("harbours", QUESTION, timeout_s=PATIENCE_S).answer
        until(following.done, PATIENCE_S)
    assert [state.status for state in states] == ["completed"] * QUESTIONS
    assert answer is not None
    assert "nine fathoms" in answer
    assert {state.result.answer for state in states if state.result} == {answer}
    numbers = [event.id for event in events]
    assert events[-1].event == "result"
    assert numbers == sorted(set(numbers))
