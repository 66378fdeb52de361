"""Metrics, bars and comparisons of outcomes."""

import json
from pathlib import Path

import pytest
import typer

from cli.evaluation.bars import Bar, faults, parse_bar
from cli.evaluation.metrics import measure, stage_timings
from cli.evaluation.outcome import Cited, Outcome
from cli.evaluation.questions import BadFile
from cli.evaluation.report import (
    MetricValue,
    Report,
    build_report,
    changed_questions,
    metric_rows,
    misses,
    read_report,
)
from nalanda import Usage


def cited(*, relevant: bool, markup: bool = False) -> Cited:
    return Cited(source="a.md", quote="Nine.", relevant=relevant, verified=True, markup=markup)


RIGHT = Outcome(
    id="right",
    question="How deep?",
    tags=("en",),
    answerable=True,
    relevant=1,
    places=(1,),
    citations=(cited(relevant=True), cited(relevant=False, markup=True)),
    answer_quoted=1.0,
    timings_ms={"answer": 10.0, "total": 40.0},
    usage=Usage(input_tokens=5),
)
WRONG = Outcome(
    id="wrong",
    question="How wide?",
    tags=("de",),
    answerable=True,
    relevant=1,
    places=(4,),
    citations=(cited(relevant=False), cited(relevant=True)),
    timings_ms={"answer": 30.0, "total": 80.0},
    usage=Usage(input_tokens=7),
)
REFUSED = Outcome(
    id="refused", question="Where?", answerable=True, relevant=1, places=(), refused=True
)
FOREIGN = Outcome(id="foreign", question="Who?", answerable=False, refused=True)
ANSWERED = Outcome(
    id="answered", question="Why?", answerable=False, citations=(cited(relevant=False),)
)
FAILED = Outcome(
    id="failed", question="When?", answerable=True, relevant=1, places=(), error="It broke."
)


def report_of(*outcomes: Outcome) -> Report:
    return build_report("ports", {"top_n": 5}, outcomes)


def test_each_metric_is_a_mean_over_what_it_is_for() -> None:
    measured = measure([RIGHT, WRONG, REFUSED, FOREIGN, ANSWERED, FAILED])
    values = {name: (round(one.value, 3), one.count) for name, one in measured.items()}
    assert values["hit@1"] == (0.25, 4)
    assert values["hit@5"] == (0.5, 4)
    assert values["cited_first"] == (0.25, 4)
    assert values["cited"] == (0.5, 4)
    assert values["citation_precision"] == (0.4, 5)
    assert values["answer_quoted"] == (1.0, 1)
    assert values["refused_right"] == (0.5, 2)
    assert values["refused_wrong"] == (0.25, 4)
    assert values["quotes_markup"] == (0.2, 5)
    assert values["quotes_verified"] == (1.0, 5)
    assert values["failed"] == (0.167, 6)
    assert "exact_match" not in values


def test_timings_are_percentiles_by_stage() -> None:
    spans = stage_timings([RIGHT, WRONG, FAILED])
    assert spans == {"answer": {"p50": 10, "p95": 30}, "total": {"p50": 40, "p95": 80}}


def test_usage_and_tags_are_in_the_report() -> None:
    report = report_of(RIGHT, WRONG)
    assert report.usage.input_tokens == 12
    assert report.tags["en"]["cited_first"] == MetricValue(value=1, count=1)
    rows = list(metric_rows(report, None, by_tag=True))
    assert rows[0] == ["metric", "value", "of", "de", "en"]
    assert ["cited_first", "0.500", "2", "0.000", "1.000"] in rows


def test_a_report_is_compared_with_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "earlier.json"
    path.write_text(report_of(WRONG, ANSWERED, RIGHT).model_dump_json())
    earlier = read_report(path)
    now = report_of(
        RIGHT.model_copy(update={"id": "wrong"}), FOREIGN, WRONG.model_copy(update={"id": "right"})
    )
    assert list(changed_questions(now, earlier)) == [
        "gained: wrong: How deep?",
        "lost: right: How wide?",
    ]
    rows = {row[0]: row for row in metric_rows(now, earlier, by_tag=False)}
    assert rows["metric"][-2:] == ["before", "change"]
    assert rows["refused_right"][-2:] == ["0.000", "+1.000"]


def test_an_earlier_report_must_be_one(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    for text in (
        "",
        "{}",
        json.dumps({**json.loads(report_of(RIGHT).model_dump_json()), "format": "x"}),
    ):
        path.write_text(text)
        with pytest.raises(BadFile, match="is not the JSON of an evaluation"):
            read_report(path)
    with pytest.raises(BadFile, match="can't be read"):
        read_report(tmp_path / "missing.json")


def test_misses_say_what_came_instead() -> None:
    assert list(misses(report_of(RIGHT, WRONG, REFUSED, FOREIGN, FAILED))) == [
        "wrong: wrong: How wide? → a.md: “Nine.”",
        "wrong: refused: Where? → no answer",
        "wrong: failed: When? → It broke.",
    ]


def test_a_bar_is_a_least_or_a_greatest_value() -> None:
    metrics = report_of(RIGHT, WRONG, FOREIGN).metrics
    bars = [
        parse_bar(text) for text in ("cited_first=.5", "quotes_markup=0.3", "cited=1", "failed=0")
    ]
    assert list(faults(bars, metrics)) == []
    missed = [Bar("cited_first", 0.8), Bar("quotes_markup", 0.05), Bar("exact_match", 0.5)]
    assert list(faults(missed, metrics)) == [
        "cited_first is 0.500, and must be at least 0.8.",
        "quotes_markup is 0.250, and must be at most 0.05.",
        "exact_match has no value: no question of the file is for it.",
    ]


@pytest.mark.parametrize("text", ["cited_last=1", "cited", "cited=", "cited=nan", "cited=x", "=1"])
def test_a_bar_names_a_metric_and_a_number(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_bar(text)
