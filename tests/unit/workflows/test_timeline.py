"""Timelines of stages that run, end, are skipped, stopped or restarted."""

from datetime import UTC, datetime, timedelta

from core.contracts.query import Stage
from workflows.timeline import Timeline

ASKED_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def at(ms: float) -> datetime:
    return ASKED_AT + timedelta(milliseconds=ms)


def test_nothing_has_begun() -> None:
    timeline = Timeline(ASKED_AT)
    assert timeline.current is None
    assert [(s.name, s.status, s.attempt) for s in timeline.stages] == [
        (stage, "pending", 0) for stage in Stage
    ]
    assert timeline.timings_ms(at(5)) == {"total": 5.0}


def test_times_of_ended_and_running_stages() -> None:
    timeline = Timeline(ASKED_AT)
    timeline.begin(Stage.PREPROCESS, at(10))
    timeline.end(Stage.PREPROCESS, "completed", at(25), 3)
    timeline.begin(Stage.RETRIEVE, at(25))
    assert timeline.current is Stage.RETRIEVE
    assert timeline.timings_ms(at(40.5)) == {"preprocess": 15.0, "retrieve": 15.5, "total": 40.5}
    assert [stage.attempt for stage in timeline.stages] == [3, 1, 0, 0]


def test_an_unknown_attempt_leaves_the_known_one() -> None:
    timeline = Timeline(ASKED_AT)
    timeline.begin(Stage.RERANK, at(0))
    timeline.end(Stage.RERANK, "failed", at(1))
    assert (timeline.stages[2].status, timeline.stages[2].attempt) == ("failed", 1)


def test_a_stage_begun_again_counts_from_its_first_begin() -> None:
    timeline = Timeline(ASKED_AT)
    timeline.begin(Stage.ANSWER, at(10))
    timeline.end(Stage.ANSWER, "failed", at(20), 6)
    timeline.begin(Stage.ANSWER, at(20))
    again = timeline.stages[3]
    assert (again.status, again.started_at, again.ended_at) == ("running", at(10), None)
    timeline.end(Stage.ANSWER, "completed", at(40), 1)
    assert timeline.timings_ms(at(40))["answer"] == 30.0


def test_only_the_running_stage_is_stopped() -> None:
    timeline = Timeline(ASKED_AT)
    timeline.begin(Stage.PREPROCESS, at(0))
    timeline.end(Stage.PREPROCESS, "completed", at(1), 1)
    timeline.begin(Stage.RETRIEVE, at(1))
    timeline.skip(Stage.ANSWER)
    timeline.stop(at(2))
    assert [stage.status for stage in timeline.stages] == [
        "completed",
        "cancelled",
        "pending",
        "skipped",
    ]
    assert timeline.stages[1].ended_at == at(2)
