"""The metrics of `/metrics`, in Prometheus's format; each app has its own registry."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.shared_counts import VARIABLE
from core.bootstrap import Core
from core.domain.errors import NalandaError
from core.ports.cluster import Role
from core.ports.store import DurabilityLevel

_CHILDREN = 1_024
"""The combinations of labels whose counters are found without a look-up."""
_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of_requests = CollectorRegistry()
        self._requests = Counter(
            "nalanda_http_requests",
            "Requests, by route and status.",
            ("method", "route", "status"),
            registry=self._of_requests,
        )
        self._seconds = Histogram(
            "nalanda_http_request_seconds",
            "Seconds from a request's first byte to the last byte of its response.",
            ("method", "route"),
            buckets=_BUCKETS_S,
            registry=self._of_requests,
        )
        # A look-up of labels locks and converts each of them.
        self._children = lru_cache(_CHILDREN)(self._find_children)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        requests, durations = self._children(method, route, status)
        requests.inc()
        durations.observe(seconds)

    def _find_children(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        requests = self._requests.labels(method, route, str(status))
        return requests, self._seconds.labels(method, route)

    def watch(self, core: Core, forwarded: Callable[[], int] = lambda: 0) -> None:
        """Add the metrics of a core; `forwarded` returns how many requests were passed on."""
        self.registry.register(_OfCore(core, forwarded))

    def exposition(self) -> bytes:
        """Return all metrics; those of requests are of all processes that count together."""
        requests = self._of_requests
        if VARIABLE in os.environ:
            requests = CollectorRegistry()
            MultiProcessCollector(requests)  # type: ignore[no-untyped-call]
        return generate_latest(requests) + generate_latest(self.registry)


class _OfCore(Collector):
    """A collector that reads the core at each scrape."""

    def __init__(self, core: Core, forwarded: Callable[[], int]) -> None:
        self._core = core
        self._forwarded = forwarded

    def collect(self) -> Iterable[Metric]:
        state = self._core.catalog.state
        vectors = sum(view.vectors for view in state.views.values())
        yield GaugeMetricFamily(
            "nalanda_position", "Position of the last write.", value=state.position
        )
        yield GaugeMetricFamily("nalanda_libraries", "Number of libraries.", value=len(state.views))
        yield GaugeMetricFamily("nalanda_vectors", "Number of searchable vectors.", value=vectors)
        yield from _durability(self._core)
        yield from _cluster(self._core)
        yield CounterMetricFamily(
            "nalanda_forwarded_requests",
            "Requests that this process has passed on to the one that leads.",
            value=self._forwarded(),
        )
        if self._core.follower is not None:
            yield CounterMetricFamily(
                "nalanda_record_replacements",
                "Times that the record had another history than this node.",
                value=self._core.follower.tail.replacements,
            )
        help_text = "Mean recall of recent approximate searches, by library."
        recalls = GaugeMetricFamily("nalanda_recall", help_text, labels=["library"])
        worst = GaugeMetricFamily(
            "nalanda_recall_worst_tenth",
            "Mean recall of the worst tenth of recent approximate searches, by library.",
            labels=["library"],
        )
        for view in state.views.values():
            recall = self._core.recall_monitor.recall(view.library)
            if recall is not None:
                recalls.add_metric([view.library.name], recall.measured)
                worst.add_metric([view.library.name], recall.worst_tenth)
        yield recalls
        yield worst


def _durability(core: Core) -> Iterable[Metric]:
    """Yield 1 for the level that acknowledged writes have, if the database can be read."""
    try:
        level = core.store.read_durability().level
    except NalandaError:
        return
    text = "Disks that have an acknowledged write: 1 for the level that holds."
    yield _choice("nalanda_durability", text, "level", get_args(DurabilityLevel), level)


def _cluster(core: Core) -> Iterable[Metric]:
    """Yield the place of this process in its cluster; without the epoch if it can't be read."""
    text = "What this process does in its cluster: 1 for its role."
    yield _choice("nalanda_role", text, "role", get_args(Role), core.role)
    lag = core.lag
    text = "Writes that this process lacks."
    yield GaugeMetricFamily("nalanda_lag_writes", text, value=lag.entries)
    text = "Seconds since this process lacked no write."
    yield GaugeMetricFamily("nalanda_lag_seconds", text, value=lag.seconds)
    try:
        status = core.cluster.status()
    except NalandaError:
        return
    text = "Times that a node has begun to lead, which gives each write its epoch."
    yield GaugeMetricFamily("nalanda_epoch", text, value=status.epoch)
    text = "Epochs that this process has seen begin: failovers, hand-overs and starts."
    yield CounterMetricFamily("nalanda_elections", text, value=status.elections)


def _choice(name: str, text: str, label: str, choices: Sequence[str], chosen: str) -> Metric:
    """Return a gauge that is 1 for the chosen label, and 0 for the others."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for each in choices:
        family.add_metric([each], each == chosen)
    return family


class RequestMetrics:
    """Middleware that counts requests by route template, so that ids create no labels."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            seconds = time.perf_counter() - began
            self._metrics.count(_method(scope["method"]), route, status, seconds)


def _method(method: str) -> str:
    """Return the label of a method: clients can send any word, so only HTTP's own methods count."""
    return method if method in {"GET", "POST", "PUT", "PATCH", "DELETE"} else "other"
