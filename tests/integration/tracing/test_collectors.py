"""Collectors that are away, slow or failing: requests are served, and ends are not held up."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.settings import Settings
from core.tracing import spans
from core.tracing.exporting import start_tracing
from tests.collector import Collector, hanging_collector
from tests.integration.api.calls import open_client

HOURS_S = "3600"
TIMEOUT_S = "2"
LONG_S = 60.0
"""Longer than any flush may take, and shorter than what the hanging collector takes."""


@contextmanager
def tracing_to(monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[None]:
    """Send the spans of the block to a collector."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", TIMEOUT_S)
    start_tracing("nalanda-api")
    assert spans.is_on()
    try:
        yield
    finally:
        spans.install(None)


async def search(settings: Settings, times: int = 1) -> None:
    async with open_client(settings) as client:
        assert (await client.put("/libraries/l", json={"name": "n", "dimension": 2})).is_success
        for _ in range(times):
            body = {"embedding": [1, 0], "k": 1}
            assert (await client.post("/libraries/l/search", json=body)).status_code == 200


@pytest.fixture
def settings(tmp_path: object) -> Settings:
    return Settings(data_dir=tmp_path, temporal_address="127.0.0.1:1", provider="local")


async def test_the_spans_arrive(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    with Collector() as collector:
        with tracing_to(monkeypatch, collector.url):
            await search(settings)  # the app flushes at its end
        names = {span.name for span in collector.spans}
        assert {"search", "POST /libraries/{library_id}/search", "write"} <= names
        assert {span.service for span in collector.spans} == {"nalanda-api"}


async def test_the_service_may_have_another_name(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "library")
    with Collector() as collector:
        with tracing_to(monkeypatch, collector.url):
            await search(settings)
        assert {span.service for span in collector.spans} == {"library"}


async def test_the_sampler_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    with Collector() as collector:
        with tracing_to(monkeypatch, collector.url):
            await search(settings)
        assert collector.spans == []


async def test_a_collector_that_hangs_delays_nothing(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    # A batch of one span and a small queue: the exporter is busy with the first, and drops most.
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
    with hanging_collector() as url, tracing_to(monkeypatch, url):
        done = threading.Event()
        watchdog = threading.Timer(LONG_S, done.set)
        watchdog.start()
        await search(settings, times=20)
        watchdog.cancel()
        assert not done.is_set()


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_a_collector_that_fails_fails_no_request(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, status: int
) -> None:
    with Collector(status) as collector, tracing_to(monkeypatch, collector.url):
        await search(settings)


async def test_a_collector_that_is_away_fails_no_request(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    with tracing_to(monkeypatch, "http://127.0.0.1:1"):
        await search(settings)


def test_a_process_ends_in_spite_of_a_collector_that_hangs() -> None:
    program = (
        "from core.tracing import spans\n"
        "from core.tracing.exporting import FLUSH_S, start_tracing\n"
        "start_tracing('nalanda-worker')\n"
        "with spans.span('a'): pass\n"
        "spans.flush(FLUSH_S)\n"
    )
    with hanging_collector() as url:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TIMEOUT": HOURS_S}
        ended = subprocess.run(
            [sys.executable, "-c", program], env=environment, timeout=LONG_S, check=False
        )
    assert ended.returncode == 0
