"""A question as a stream of events (server-sent events, HTML standard §9.2).

The events are a function of the question's state: as the state grows so does the list, and an
event's number depends on what it is, never on when it was seen. So whoever comes back with the
last number that it saw, to this process or another, goes on behind it.

`stage` comes when a stage begins and when its end is final; `hits` once they are retrieved;
then each `citation` and the `result`, or an `error`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from api.wire.events import ErrorEvent, HitsEvent
from api.wire.questions import QuestionAnswer
from core.contracts.names import Stage
from core.contracts.query import QueryResult, StageProgress

_STAGE_NUMBERS = {stage: 10 * place for place, stage in enumerate(Stage, 1)}
_HITS = _STAGE_NUMBERS[Stage.RETRIEVE] + 3
_FIRST_CITATION = 100
LAST = 1_000_000
"""The number of the event that ends every stream."""
_NUMBER = re.compile("[0-9]{1,7}")


@dataclass(frozen=True, slots=True)
class Event:
    number: int
    name: str
    content: object

    def encoded(self) -> bytes:
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (
            self.number,
            self.name.encode(),
            orjson.dumps(self.content),
        )


def number_of(event_id: str | None) -> int:
    """Of an event that a reader has seen; 0, before all of them, if it is none of these."""
    return int(event_id) if event_id and _NUMBER.fullmatch(event_id) else 0


def events(question: QuestionAnswer) -> Iterator[Event]:
    """All that there are by now, their numbers rising."""
    closed = question.status != "running"
    for stage in question.stages:
        yield from _of_stage(stage, final=closed or _is_past(stage, question))
        if stage.name is Stage.RETRIEVE and stage.status == "completed":
            if question.result is not None:
                yield Event(_HITS, "hits", _hits(question.result))
            elif not closed:
                return  # It was asked for a moment earlier; nothing may come before it.
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
    number = _STAGE_NUMBERS[stage.name]
    if stage.started_at is not None:
        begun = stage.model_copy(update={"status": "running", "ended_at": None})
        yield Event(number + 1, "stage", begun.model_dump(mode="json"))
    if stage.status == "completed" or (final and stage.status not in {"pending", "running"}):
        yield Event(number + 2, "stage", stage.model_dump(mode="json"))


def _is_past(stage: StageProgress, question: QuestionAnswer) -> bool:
    """Whether a later one has begun; until then a stage that failed may begin again."""
    return (
        question.stage is not None and _STAGE_NUMBERS[question.stage] > _STAGE_NUMBERS[stage.name]
    )


def _hits(result: QueryResult) -> object:
    return HitsEvent(hits=result.hits, position=result.position).model_dump(mode="json")
