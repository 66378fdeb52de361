"""Bars that an evaluation is held to: `--require cited_first=.8`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

import typer

from cli.evaluation.metrics import BY_NAME
from cli.evaluation.report import MetricValue


@dataclass(frozen=True, slots=True)
class Bar:
    """The least value of a metric, or the greatest of one of which less is better."""

    metric: str
    value: float

    def fault(self, measured: MetricValue | None) -> str | None:
        """Return what is wrong, or `None` if the bar is reached."""
        if measured is None:
            return f"{self.metric} has no value: no question of the file is for it."
        if BY_NAME[self.metric].higher_is_better:
            reached, wanted = measured.value >= self.value, "at least"
        else:
            reached, wanted = measured.value <= self.value, "at most"
        return (
            None
            if reached
            else (f"{self.metric} is {measured.value:.3f}, and must be {wanted} {self.value:g}.")
        )


def parse_bar(text: str) -> Bar:
    """Parse `METRIC=VALUE`.

    Raises:
        typer.BadParameter: there is no such metric, or the value is no number.
    """
    name, _, number = text.partition("=")
    if name not in BY_NAME:
        raise typer.BadParameter(f"There is no metric {name!r}; there are {', '.join(BY_NAME)}.")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise typer.BadParameter(f"{text!r} must be METRIC=VALUE, such as {name}=0.8.")
    return Bar(name, value)


def faults(bars: Iterable[Bar], metrics: Mapping[str, MetricValue]) -> Iterator[str]:
    for bar in bars:
        fault = bar.fault(metrics.get(bar.metric))
        if fault is not None:
            yield fault
