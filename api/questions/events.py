"""A question as a stream of server-sent events (HTML standard §9.2).

The events are a function of the question's state: the list grows with the state, and an event's
number depends on its kind, never on the time of a read. So a client can resume after its last
number, in this process or in another one.

`stage` comes when a stage begins and when its end is final; `hits` follows retrieval, and each
`review` that is asked for follows the ranking. Then each `citation` and the `result` follow, or an
`error`.
"""

from collections.abc import Iterator

from api.http.event_streams import LAST, Event
from api.wire.events import ErrorEvent, HitsEvent
from api.wire.questions import QuestionResponse
from core.contracts.query import EVENT_IDS, QueryResult, Stage, StageProgress

_HITS = EVENT_IDS[Stage.RETRIEVE] + 3
_FIRST_REVIEW = EVENT_IDS[Stage.RERANK] + 3
_FIRST_CITATION = 100


def events(question: QuestionResponse) -> Iterator[Event]:
    """Yield all events so far, in ascending order of their numbers."""
    closed = question.status != "running"
    for stage in question.stages:
        if stage.status == "running" and question.reviews and stage.name is not Stage.ANSWER:
            # A review searches for another question; the stages before it have had their events.
            stage = stage.model_copy(update={"status": "completed"})
        yield from _of_stage(stage, final=closed or _is_past(stage, question))
        if stage.name is Stage.RETRIEVE and stage.status in {"completed", "skipped"}:
            if question.result is not None:
                yield Event(_HITS, "hits", _hits(question.result))
            elif not closed:
                return  # The result's query came first; the hits precede later events.
        if stage.name is Stage.RERANK:
            for place, review in enumerate(question.reviews):
                yield Event(_FIRST_REVIEW + place, "review", review.model_dump(mode="json"))
    if not closed:
        return
    if question.status != "completed" or question.result is None:
        error = ErrorEvent(status=question.status, detail=question.error)
        yield Event(LAST, "error", error.model_dump(mode="json"))
        return
    for place, citation in enumerate(question.result.citations):
        yield Event(_FIRST_CITATION + place, "citation", citation.model_dump(mode="json"))
    yield Event(LAST, "result", question.result.model_dump(mode="json"))


def _of_stage(stage: StageProgress, *, final: bool) -> Iterator[Event]:
    number = EVENT_IDS[stage.name]
    if stage.started_at is not None:
        begun = stage.model_copy(update={"status": "running", "ended_at": None})
        yield Event(number + 1, "stage", begun.model_dump(mode="json"))
    if stage.status == "completed" or (final and stage.status not in {"pending", "running"}):
        yield Event(number + 2, "stage", stage.model_dump(mode="json"))


def _is_past(stage: StageProgress, question: QuestionResponse) -> bool:
    """Return whether a later stage has begun; until then a failed stage may begin again."""
    return question.stage is not None and EVENT_IDS[question.stage] > EVENT_IDS[stage.name]


def _hits(result: QueryResult) -> object:
    return HitsEvent(hits=result.hits, position=result.position).model_dump(mode="json")
