"""The report of an evaluation, as JSON and as tables."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from cli.evaluation.metrics import measure, stage_timings
from cli.evaluation.outcome import Outcome, Record
from cli.evaluation.questions import BadFile
from nalanda import Usage

FORMAT = "nalanda-evaluation"


class MetricValue(Record):
    value: float
    count: int


class Report(Record):
    """The report; `tags` has the metrics of the questions with each tag."""

    format: str = FORMAT
    library: str
    asked: dict[str, object]
    metrics: dict[str, MetricValue]
    tags: dict[str, dict[str, MetricValue]]
    timings_ms: dict[str, dict[str, float]]
    usage: Usage
    outcomes: tuple[Outcome, ...]


def build_report(library: str, search: dict[str, object], outcomes: Sequence[Outcome]) -> Report:
    tags = sorted({tag for outcome in outcomes for tag in outcome.tags})
    return Report(
        library=library,
        asked=search,
        metrics=_values(outcomes),
        tags={tag: _values(one for one in outcomes if tag in one.tags) for tag in tags},
        timings_ms=stage_timings(outcomes),
        usage=_total(one.usage for one in outcomes),
        outcomes=tuple(outcomes),
    )


def read_report(path: Path) -> Report:
    """Read the JSON of an earlier evaluation.

    Raises:
        BadFile: the file is not one.
    """
    try:
        report = Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadFile(f"{path} can't be read: {error.strerror}.") from None
    except ValidationError:
        raise BadFile(f"{path} is not the JSON of an evaluation (nalanda eval --json).") from None
    if report.format != FORMAT:
        raise BadFile(f"{path} is not the JSON of an evaluation (nalanda eval --json).")
    return report


def metric_rows(report: Report, earlier: Report | None, *, by_tag: bool) -> Iterator[list[str]]:
    """Yield the header, then a row for each metric."""
    tags = list(report.tags) if by_tag else []
    yield ["metric", "value", "of", *tags, *(["before", "change"] if earlier else [])]
    for name, measured in report.metrics.items():
        row = [name, _decimal(measured.value), str(measured.count)]
        row += [_of_tag(report, tag, name) for tag in tags]
        if earlier:
            row += _change(measured, earlier.metrics.get(name))
        yield row


def timing_rows(report: Report) -> Iterator[list[str]]:
    yield ["stage", "p50 ms", "p95 ms"]
    for stage, spans in report.timings_ms.items():
        yield [stage, f"{spans['p50']:.0f}", f"{spans['p95']:.0f}"]


def changed_questions(report: Report, earlier: Report) -> Iterator[str]:
    """Yield a line for each question that was right before and is wrong now, or the reverse."""
    before = {one.id: is_right(one) for one in earlier.outcomes}
    for outcome in report.outcomes:
        now = is_right(outcome)
        if before.get(outcome.id, now) != now:
            yield f"{'gained' if now else 'lost'}: {outcome.id}: {outcome.question}"


def misses(report: Report) -> Iterator[str]:
    """Yield a line for each question that is wrong, with what came instead."""
    for outcome in report.outcomes:
        if not is_right(outcome):
            yield f"wrong: {outcome.id}: {outcome.question} → {_instead(outcome)}"


def is_right(outcome: Outcome) -> bool:
    """Return whether a question is refused if it must be, else answered by the right source first.

    Without known sources a known answer must be quoted.
    """
    if outcome.error is not None or outcome.refused == outcome.answerable:
        return False
    if outcome.relevant:
        return outcome.is_cited_first
    return not outcome.answerable or bool(outcome.answer_quoted or outcome.exact_match)


def _instead(outcome: Outcome) -> str:
    if outcome.error is not None:
        return outcome.error
    if outcome.refused:
        return "no answer"
    first = outcome.citations[0]
    return f"{first.source}: “{first.quote}”"


def _values(outcomes: Iterable[Outcome]) -> dict[str, MetricValue]:
    return {
        name: MetricValue(value=one.value, count=one.count)
        for name, one in measure(outcomes).items()
    }


def _total(usages: Iterable[Usage]) -> Usage:
    listed = list(usages)
    names = Usage.model_fields
    return Usage(**{name: sum(getattr(usage, name) for usage in listed) for name in names})


def _of_tag(report: Report, tag: str, metric: str) -> str:
    measured = report.tags[tag].get(metric)
    return "–" if measured is None else _decimal(measured.value)


def _change(measured: MetricValue, before: MetricValue | None) -> list[str]:
    if before is None:
        return ["–", "–"]
    return [_decimal(before.value), f"{measured.value - before.value:+.3f}"]


def _decimal(value: float) -> str:
    return f"{value:.3f}"
