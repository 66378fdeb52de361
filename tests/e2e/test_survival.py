"""Questions survive the kill of any process in any stage.

The worker calls the fake Cohere and the API through gates. A gate that holds a stage's request
keeps the worker in that stage until the test has killed a process.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from nalanda import Nalanda, QueryState
from tests.cohere_server import CohereServer
from tests.e2e.gate import Gate
from tests.e2e.stack import PARTS, Stack
from tests.waiting import until

QUESTION = "How deep is the harbour of Tamralipti?"
TEXTS = (
    "The harbour of Tamralipti is nine fathoms deep at high tide.",
    "Caravans from the west carry horses and lapis lazuli.",
    "The library of the monastery had three buildings, one of them nine storeys high.",
    "Monks copied each palm-leaf manuscript twice before it was lent.",
)
HELD = {
    "preprocess": "/v2/embed",
    "retrieve": "/search",
    "rerank": "/v2/rerank",
    "answer": "/v2/chat",
}
PATIENCE_S = 90


@dataclass(frozen=True)
class Setup:
    stack: Stack
    gates: dict[str, Gate]
    undisturbed: QueryState
    cohere: CohereServer

    def ask(self, client: Nalanda) -> str:
        return client.queries.start("harbours", QUESTION).workflow_id


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    folder = tmp_path_factory.mktemp("survival")
    with (
        CohereServer() as cohere,
        Stack(folder) as stack,
        Gate(cohere.url) as to_cohere,
        Gate(stack.api_url) as to_api,
    ):
        provider = {"NALANDA_PROVIDER": "cohere", "CO_API_KEY": "test"}
        stack.environments = {
            "api": {**provider, "CO_API_URL": cohere.url},
            "worker": {
                **provider,
                "CO_API_URL": to_cohere.url,
                "NALANDA_API_URL": to_api.url,
            },
        }
        stack.start_all()
        with stack.client() as client:
            client.libraries.create(name="harbours")
            client.documents.create("harbours", chunks=[{"text": text} for text in TEXTS])
            asked = client.queries.start("harbours", QUESTION)
            undisturbed = client.queries.wait(asked.workflow_id, timeout_s=PATIENCE_S)
        assert undisturbed.status == "completed", undisturbed
        gates = dict.fromkeys(HELD, to_cohere) | {"retrieve": to_api}
        yield Setup(stack, gates, undisturbed, cohere)


@pytest.mark.parametrize("stage", HELD)
@pytest.mark.parametrize("victim", PARTS)
def test_a_question_survives(setup: Setup, victim: str, stage: str) -> None:
    gate = setup.gates[stage]
    with setup.stack.client() as client:
        with gate.hold(HELD[stage]):
            workflow_id = setup.ask(client)
            gate.wait_for_a_request(PATIENCE_S)
            setup.stack.kill(victim)
        setup.stack.start(victim)
        state = client.queries.wait(workflow_id, timeout_s=PATIENCE_S)

    assert state.status == "completed", state
    assert state.result is not None
    assert setup.undisturbed.result is not None
    assert state.result.answer == setup.undisturbed.result.answer
    assert state.result.citations == setup.undisturbed.result.citations
    assert state.result.degraded == []


def test_the_call_of_a_killed_worker_counts(setup: Setup) -> None:
    before = len(setup.cohere.received)
    with setup.stack.client() as client:
        with setup.gates["rerank"].hold(HELD["rerank"]):
            asked = client.queries.start("harbours", QUESTION, budget={"calls": 2})
            setup.gates["rerank"].wait_for_a_request(PATIENCE_S)
            setup.stack.kill("worker")
        setup.stack.start("worker")
        result = client.queries.wait(asked.workflow_id, timeout_s=PATIENCE_S).result

    assert result is not None
    spent = "The question's budget of calls is spent."
    assert result.degraded_because == {"rerank": spent, "answer": spent}
    assert (result.provider, result.usage.calls) == ("local", 2)
    until(lambda: len(setup.cohere.received) == before + 2, PATIENCE_S)


@pytest.mark.parametrize("victim", PARTS)
def test_a_review_is_awaited_after_a_kill(setup: Setup, victim: str) -> None:
    with setup.stack.client() as client:
        asked = client.queries.start("harbours", QUESTION, review=True)
        workflow_id = asked.workflow_id
        until(lambda: client.queries.get(workflow_id).waiting_for == "review", PATIENCE_S)
        before = client.queries.get(workflow_id).reviews
        setup.stack.kill(victim)
        setup.stack.start(victim)
        until(lambda: client.queries.get(workflow_id).waiting_for == "review", PATIENCE_S)
        assert client.queries.get(workflow_id).reviews == before
        client.queries.review(workflow_id, "approve")
        state = client.queries.wait(workflow_id, timeout_s=PATIENCE_S)

    assert state.result is not None
    assert setup.undisturbed.result is not None
    assert state.result.answer == setup.undisturbed.result.answer
    assert state.result.degraded == []


def test_everything_is_there_after_all_are_killed_and_started_again(setup: Setup) -> None:
    with setup.stack.client() as client:
        workflow_id = setup.ask(client)
        answered = client.queries.wait(workflow_id, timeout_s=PATIENCE_S)
        before = _everything(client)
    for part in PARTS:
        setup.stack.kill(part)
    setup.stack.start_all()
    with setup.stack.client() as client:
        assert _everything(client) == before
        again = client.queries.get(workflow_id)
        assert (again.status, again.result) == ("completed", answered.result)


def _everything(client: Nalanda) -> tuple[object, ...]:
    return (
        list(client.libraries.list()),
        list(client.documents.list("harbours")),
        list(client.chunks.list("harbours", include=["embedding"])),
        client.search("harbours", text=QUESTION).hits,
    )
