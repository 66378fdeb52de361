"""The choice of the answerer: the provider, or the extractive one on request."""

import pytest
from temporalio.testing import ActivityEnvironment

from activities.answer import Answer
from core.contracts.query import AnswerInput, AnswerOutput, RankedChunk
from tests.unit.activities.models import USAGE, Answers
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


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (question(HITS), by("far", "repeats", "First. Second.", ["changed"])),
        (
            question(HITS, extractive=True),
            by("local", "quotes", "First. Second.", ["changed"]),
        ),
        (question([]), by("far", "repeats", "Nothing.", [])),
        (question(HITS[1:2]), by("far", "repeats", "Nothing.", ["changed"])),
    ],
)
async def test_an_answer_names_who_gave_it(given: AnswerInput, wanted: AnswerOutput) -> None:
    async with REST.client() as client:
        activity = Answer(client, Answers(), extractive=Answers("local", "quotes"))
        assert await ActivityEnvironment().run(activity.answer, given) == wanted
