"""The choice of the answerer: the provider, or the extractive one on request."""

import pytest
from temporalio.testing import ActivityEnvironment

from activities.answer import Answer, AsyncAnswer
from core.contracts.query import AnswerInput, AnswerOutput, RankedChunk
from tests.unit.activities.models import USAGE, Answers, AsyncAnswers
from tests.unit.activities.rest import Rest

HITS = [
    RankedChunk(chunk_id=chunk_id, document_id="d", version=1, score=0.5)
    for chunk_id in ("one", "changed", "two")
]
REST = Rest(chunks={"one": (1, "First."), "changed": (2, "New."), "two": (1, "Second.")})


def question(hits: list[RankedChunk], *, extractive: bool = False) -> AnswerInput:
    return AnswerInput(library_id="l", query="q", hits=hits, position=9, extractive=extractive)


def by(provider: str, model: str, answer: str, changed: list[str]) -> AnswerOutput:
    return AnswerOutput(
        answer=answer,
        citations=[],
        provider=provider,
        model=model,
        changed=changed,
        usage=USAGE,
    )


def test_on_a_thread() -> None:
    with REST.client() as client:
        answered = ActivityEnvironment().run(Answer(client, Answers()).answer, question(HITS))
    assert answered == by("local", "repeats", "First. Second.", ["changed"])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (question(HITS), by("far", "repeats-far", "First. Second.", ["changed"])),
        (
            question(HITS, extractive=True),
            by("local", "repeats", "First. Second.", ["changed"]),
        ),
        (question([]), by("far", "repeats-far", "Nothing.", [])),
        (question(HITS[1:2]), by("far", "repeats-far", "Nothing.", ["changed"])),
    ],
)
async def test_awaited(given: AnswerInput, wanted: AnswerOutput) -> None:
    async with REST.async_client() as client:
        activity = AsyncAnswer(client, "far", AsyncAnswers(), Answers())
        assert await ActivityEnvironment().run(activity.answer, given) == wanted
