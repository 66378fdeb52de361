"""A client that resumes after its last event misses nothing."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from api.http.event_streams import LAST, Event
from api.questions.events import events
from api.wire.events import QUESTION_EVENTS
from api.wire.questions import QuestionResponse
from core.contracts.query import (
    EVENT_IDS,
    Citation,
    QueryResult,
    QueryStatus,
    RankedChunk,
    ReviewRequest,
    Stage,
    StageProgress,
    StageStatus,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HIT = RankedChunk(chunk_id="c", document_id="d", version=1, score=0.5)
CITATION = Citation(
    start=0, end=1, chunk_id="c", document_id="d", quote="q", quote_start=0, quote_end=1
)
FOUND = QueryResult(hits=[HIT], position=1)
REVIEW = ReviewRequest(query="q", hits=[HIT], position=1, until=NOW)
ANSWERED = FOUND.model_copy(update={"answer": "q", "citations": [CITATION, CITATION]})


def question(
    statuses: str,
    *,
    status: QueryStatus = "running",
    result: QueryResult | None = None,
    reviews: int = 0,
) -> QuestionResponse:
    """Return a question by a letter per stage: pending, running, completed, failed, skipped, x
    (cancelled).
    """
    words: dict[str, StageStatus] = {
        "p": "pending",
        "r": "running",
        "c": "completed",
        "f": "failed",
        "s": "skipped",
        "x": "cancelled",
    }
    stages = [
        StageProgress(
            name=name,
            status=words[letter],
            started_at=None if letter in "ps" else NOW,
            ended_at=NOW if letter in "cfx" else None,
        )
        for name, letter in zip(Stage, statuses, strict=True)
    ]
    begun = [stage.name for stage in stages if stage.started_at]
    return QuestionResponse(
        workflow_id="q",
        status=status,
        stage=begun[-1] if begun else None,
        stages=stages,
        result=result,
        error=None,
        reviews=[REVIEW] * reviews,
    )


LIVES = {
    "answered": [
        question("pppp"),
        question("rppp"),
        question("cppp"),
        question("crpp"),
        question("ccrp", result=FOUND),
        question("cccr", result=FOUND),
        question("cccc", status="completed", result=ANSWERED),
    ],
    "result seen a moment later": [
        question("rppp", result=FOUND),
        question("ccrp", result=FOUND),
        question("cccc", status="completed", result=ANSWERED),
    ],
    "result seen a moment earlier": [
        question("crpp"),
        question("ccrp"),
        question("cccr", result=FOUND),
        question("cccc", status="completed", result=ANSWERED),
    ],
    "without reranker and answerer": [
        question("ccrp", result=FOUND),
        question("ccfp", result=FOUND),
        question("ccfr", result=FOUND),
        question("ccff", result=FOUND),
        question("ccfr", result=FOUND),
        question("ccfc", status="completed", result=ANSWERED),
    ],
    "without an answer": [
        question("cccp", result=FOUND),
        question("cccs", result=FOUND),
        question("cccs", status="completed", result=FOUND),
    ],
    "reviewed twice": [
        question("cccp", result=FOUND),
        question("cccp", result=FOUND, reviews=1),
        question("rccp", result=FOUND, reviews=1),
        question("crcp", result=FOUND, reviews=1),
        question("ccrp", result=FOUND, reviews=1),
        question("cccp", result=FOUND, reviews=2),
        question("cccr", result=FOUND, reviews=2),
        question("cccc", status="completed", result=ANSWERED, reviews=2),
    ],
    "rejected": [
        question("cccp", result=FOUND, reviews=1),
        question("cccp", status="failed", reviews=1),
    ],
    "failed": [question("rppp"), question("fppp", status="failed")],
    "cancelled": [question("ccrp", result=FOUND), question("ccxp", status="cancelled")],
}


def numbers(sent: list[Event]) -> list[int]:
    return [event.number for event in sent]


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES.keys())
def test_later_events_have_higher_numbers(life: list[QuestionResponse]) -> None:
    for state in life:
        sent = numbers(list(events(state)))
        assert sent == sorted(set(sent))
    for before, after in pairwise(life):
        seen, sent = numbers(list(events(before))), numbers(list(events(after)))
        new = set(sent) - set(seen)
        assert not seen or all(number > seen[-1] for number in new)


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES.keys())
def test_each_life_ends_with_a_result_or_an_error(life: list[QuestionResponse]) -> None:
    for state in life[:-1]:
        assert LAST not in numbers(list(events(state)))
    last = list(events(life[-1]))[-1]
    assert last.number == LAST
    assert last.name == ("result" if life[-1].status == "completed" else "error")


def test_an_end_is_sent_once_it_is_final() -> None:
    def ends(state: QuestionResponse) -> list[object]:
        contents = [event.content for event in events(state) if event.name == "stage"]
        return [c["status"] for c in contents if isinstance(c, dict) and c["name"] == "answer"]

    assert ends(question("cccf", result=FOUND)) == ["running"]
    assert ends(question("cccr", result=FOUND)) == ["running"]
    assert ends(question("cccc", status="completed", result=FOUND)) == ["running", "completed"]


def test_without_a_worker_there_is_the_result() -> None:
    closed = QuestionResponse(
        workflow_id="q", status="completed", stage=None, stages=[], result=ANSWERED
    )
    assert [event.name for event in events(closed)] == ["citation", "citation", "result"]


def test_a_published_id_stays_and_follows_the_order_of_the_stages() -> None:
    published = {"preprocess": 10, "retrieve": 20, "rerank": 30, "answer": 40}
    assert {name: EVENT_IDS[Stage(name)] for name in published} == published
    ids = [EVENT_IDS[stage] for stage in Stage]
    assert all(later - earlier >= 5 for earlier, later in pairwise(ids))


def test_an_event_on_the_wire() -> None:
    assert Event(7, "stage", {"a": "b\nc"}).encode() == (
        b'id: 7\nevent: stage\ndata: {"a":"b\\nc"}\n\n'
    )


@pytest.mark.parametrize(
    "asked",
    [
        question("cccc", status="completed", result=ANSWERED),
        question("cccp", result=FOUND, reviews=1),
        question("crpp", status="failed"),
        question("crpp", status="timed_out"),
    ],
    ids=["completed", "reviewed", "failed", "timed out"],
)
def test_each_event_has_the_schema_that_is_documented(asked: QuestionResponse) -> None:
    refs = {
        kind["properties"]["event"]["const"]: kind["properties"]["data"]["contentSchema"]["$ref"]
        for kind in QUESTION_EVENTS.schema("#/{model}")["oneOf"]
    }
    sent = list(events(asked))
    assert sent
    for event in sent:
        model = QUESTION_EVENTS.models[event.name]
        assert refs[event.name] == f"#/{model.__name__}"
        dumped = model.model_validate(event.content).model_dump(mode="json")
        assert dumped == event.content
