"""The metrics of an evaluation: each a mean over questions, quotes or citations."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import ceil

from cli.evaluation.outcome import Outcome
from cli.evaluation.scores import hit_at, ndcg_at


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: the mean of the values that `values` finds in each outcome."""

    name: str
    values: Callable[[Outcome], Sequence[float]]
    higher_is_better: bool = True


def _hit(k: int) -> Callable[[Outcome], Sequence[float]]:
    return lambda outcome: [] if outcome.places is None else [hit_at(k, outcome.places)]


def _ndcg(outcome: Outcome) -> Sequence[float]:
    return [] if outcome.places is None else [ndcg_at(10, outcome.places, outcome.relevant)]


def _if_sourced(value: Callable[[Outcome], bool]) -> Callable[[Outcome], Sequence[float]]:
    return lambda outcome: [float(value(outcome))] if outcome.relevant else []


def _present(*values: float | None) -> list[float]:
    return [value for value in values if value is not None]


METRICS = (
    Metric("hit@1", _hit(1)),
    Metric("hit@5", _hit(5)),
    Metric("hit@10", _hit(10)),
    Metric("ndcg@10", _ndcg),
    Metric("cited_first", _if_sourced(lambda outcome: outcome.is_cited_first)),
    Metric("cited", _if_sourced(lambda outcome: outcome.is_cited)),
    Metric("citation_precision", lambda o: _present(*(c.relevant for c in o.citations))),
    Metric("exact_match", lambda o: _present(o.exact_match)),
    Metric("f1", lambda o: _present(o.f1)),
    Metric("answer_quoted", lambda o: _present(o.answer_quoted)),
    Metric("refused_right", lambda o: [] if o.answerable else [float(o.refused)]),
    Metric(
        "refused_wrong",
        lambda o: [float(o.refused)] if o.answerable else [],
        higher_is_better=False,
    ),
    Metric("quotes_verified", lambda o: [float(c.verified) for c in o.citations]),
    Metric(
        "quotes_markup",
        lambda o: [float(c.markup) for c in o.citations],
        higher_is_better=False,
    ),
    Metric("degraded", lambda o: [float(bool(o.degraded))], higher_is_better=False),
    Metric("failed", lambda o: [float(o.error is not None)], higher_is_better=False),
)
BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric's value, and the number of questions, quotes or citations behind it."""

    value: float
    count: int


def measure(outcomes: Iterable[Outcome]) -> dict[str, Measured]:
    """Return the metrics that have a value, in their order."""
    listed = list(outcomes)
    measured = {}
    for metric in METRICS:
        values = list(chain.from_iterable(map(metric.values, listed)))
        if values:
            measured[metric.name] = Measured(sum(values) / len(values), len(values))
    return measured


def stage_timings(outcomes: Iterable[Outcome]) -> dict[str, dict[str, float]]:
    """Return the median and the 95th percentile of each stage, and of `total`, in milliseconds."""
    spans: dict[str, list[float]] = {}
    for outcome in outcomes:
        for stage, span in outcome.timings_ms.items():
            spans.setdefault(stage, []).append(span)
    return {
        stage: {"p50": _percentile(values, 0.5), "p95": _percentile(values, 0.95)}
        for stage, values in spans.items()
    }


def _percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that is not below this share of the values (nearest rank)."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]
