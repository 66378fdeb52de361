"""A whole question with the local provider, and its traces in the cluster's history."""

from base64 import b64encode
from uuid import uuid4

import pytest
from temporalio.client import Client

from core.contracts.names import task_queue_of
from core.contracts.query import QueryRequest, QueryResult
from core.providers.local.embedder import LocalEmbedder
from core.providers.registry import open_models
from core.settings import Settings
from tests.integration.workflows.stages import start_question
from tests.unit.activities.rest import Rest
from worker.stages import build_activities
from worker.temporal_worker import build_worker

QUESTION = "How deep is the harbour of Tamralipti?"
TEXTS = [
    "The harbour of Tamralipti is nine fathoms deep at high tide. Pilots know it by heart.",
    "Caravans from the west carry horses and lapis lazuli. They rest for a month.",
    "The monastery had three libraries. One of them was nine storeys high.",
]
CHUNKS = {f"c{n}": (n, text) for n, text in enumerate(TEXTS)}
HITS = [
    {"chunk_id": chunk_id, "document_id": "d", "score": 0.5, "version": version}
    for chunk_id, (version, _) in CHUNKS.items()
]


@pytest.fixture
def settings() -> Settings:
    return Settings(task_queue=f"test-{uuid4()}", provider="local")


async def run_question(
    temporal: Client, settings: Settings, rest: Rest, **request: object
) -> tuple[QueryResult, bytes]:
    """Return the result, and all bytes of the history, with raw payloads."""
    question = QueryRequest.model_validate(
        {"library_id": "l", "query": QUESTION, "embedding_model": "wordllama-256", **request}
    )
    async with (
        rest.client() as client,
        open_models(settings) as models,
        build_worker(temporal, settings, build_activities(models, client)),
    ):
        queue = task_queue_of(None, settings.task_queue)
        handle = await start_question(temporal, queue, question)
        result = await handle.result()
    history = await handle.fetch_history()
    return result, b"\n".join(event.SerializeToString() for event in history.events)


async def test_the_answer_quotes_the_chunk(temporal: Client, settings: Settings) -> None:
    result, _ = await run_question(temporal, settings, Rest(CHUNKS, HITS), top_n=2)
    assert (result.provider, result.model) == ("local", "extractive-wordllama-256")
    assert (result.hits[0].chunk_id, len(result.hits), result.degraded) == ("c0", 2, [])
    assert result.answer is not None
    assert "nine fathoms" in result.answer
    for citation in result.citations:
        _, text = CHUNKS[citation.chunk_id]
        assert text[citation.quote_start : citation.quote_end] == citation.quote
        assert result.answer[citation.start : citation.end] == citation.quote


async def test_texts_and_vectors_stay_out_of_history(temporal: Client, settings: Settings) -> None:
    _, history = await run_question(temporal, settings, Rest(CHUNKS, HITS))
    vectors = LocalEmbedder().embed([QUESTION, *TEXTS], "query").astype("<f4")
    packed = [b64encode(vector.tobytes()) for vector in vectors]
    assert QUESTION.encode() in history
    assert packed[0] in history
    for text, vector in zip(TEXTS, packed[1:], strict=True):
        assert text.encode() not in history
        assert vector not in history


async def test_a_chunk_changed_since_is_not_quoted(temporal: Client, settings: Settings) -> None:
    rest = Rest({**CHUNKS, "c0": (9, "The harbour of Tamralipti is dry.")}, HITS)
    result, _ = await run_question(temporal, settings, rest)
    assert result.degraded == ["changed:c0"]
    assert "c0" not in {hit.chunk_id for hit in result.hits}
    assert "c0" not in {citation.chunk_id for citation in result.citations}


async def test_without_hits_nothing_relevant_is_found(temporal: Client, settings: Settings) -> None:
    result, _ = await run_question(temporal, settings, Rest())
    assert (result.hits, result.citations, result.degraded) == ([], [], [])
    assert (result.answer, result.reason) == (None, "nothing_relevant")
