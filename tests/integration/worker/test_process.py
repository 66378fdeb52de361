"""The worker's process: waits for the cluster, prepares it, reports, and ends on a signal."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Semaphore, Thread
from uuid import uuid4

import pytest
from temporalio.api.operatorservice.v1 import (
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.client import Client

from core.contracts.names import SEARCH_ATTRIBUTES, task_queue_of
from core.contracts.query import Stage
from tests.integration.workflows.stages import REQUEST, start_question
from tests.temporal import free_port, running_server
from tests.waiting import until
from worker.cluster import ensure_search_attributes, wait_until_polling
from workflows.query import QueryWorkflow

WORKER = [sys.executable, "-c", "from worker.main import main; main()"]
START_S = 60.0


@contextmanager
def worker(log: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NALANDA_", "CO_API"))}
    environment |= {f"NALANDA_{name.upper()}": value for name, value in settings.items()}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            WORKER, env=environment, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def has_line(log: Path, line: str) -> Callable[[], bool]:
    return lambda: line in log.read_text()


class FakeApi(ThreadingHTTPServer):
    """A server that names its instance, and holds all other calls until it closes."""

    block_on_close = False

    def __init__(self, port: int, instance_id: str) -> None:
        super().__init__(("127.0.0.1", port), FakeHandler)
        self.instance_id = instance_id
        self.holds = Semaphore(0)
        """Released by each held call."""
        self.closing = Event()


class FakeHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, FakeApi)
        body = json.dumps({"version": "1", "instance_id": self.server.instance_id}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        assert isinstance(self.server, FakeApi)
        self.server.holds.release()
        self.server.closing.wait(START_S)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def api(port: int, instance_id: str = "a" * 32) -> Iterator[FakeApi]:
    with FakeApi(port, instance_id) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()


def test_from_before_api_and_cluster_to_sigterm(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    port, api_port = free_port(), free_port()
    settings = {
        "provider": "local",
        "temporal_address": f"127.0.0.1:{port}",
        "api_url": f"http://127.0.0.1:{api_port}",
    }
    with worker(log, **settings) as process:
        until(has_line(log, f"waiting for the API at http://127.0.0.1:{api_port}"), START_S)
        with api(api_port):
            until(has_line(log, "waiting for Temporal"), START_S)
            with running_server(tmp_path / "temporal.log", port=port):
                until(has_line(log, "worker ready\n"), START_S)
                process.send_signal(signal.SIGTERM)
                assert process.wait(START_S) == 0
    lines = log.read_text().splitlines()
    assert lines[0].startswith("Embeds with wordllama-256; answers with "), lines
    assert len(lines) == 4, lines


async def test_another_instance_behind_the_address(temporal: Client, tmp_path: Path) -> None:
    """The worker changes to the task queue of the new instance."""
    log = tmp_path / "worker.log"
    port = free_port()
    settings = {
        "provider": "local",
        "temporal_address": temporal.service_client.config.target_host,
        "api_url": f"http://127.0.0.1:{port}",
    }

    def ready_again() -> bool:
        return log.read_text().count("worker ready") == 2

    with worker(log, **settings) as process:
        identity = f"{process.pid}@{socket.gethostname()}"
        for instance_id, wait in (
            ("c" * 32, has_line(log, "worker ready")),
            ("d" * 32, ready_again),
        ):
            with api(port, instance_id):
                await asyncio.to_thread(until, wait, START_S)
                async with asyncio.timeout(START_S):
                    await wait_until_polling(temporal, task_queue_of(instance_id), identity)
    assert f"The API at http://127.0.0.1:{port} is another instance now." in log.read_text()


def test_stops_while_it_waits(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    port = free_port()
    with (
        api(port),
        worker(
            log,
            provider="local",
            temporal_address=f"127.0.0.1:{free_port()}",
            api_url=f"http://127.0.0.1:{port}",
        ) as process,
    ):
        until(has_line(log, "waiting for Temporal"), START_S)
        process.send_signal(signal.SIGINT)
        assert process.wait(START_S) == 0


def test_stops_while_it_waits_for_the_api(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with worker(log, provider="local", api_url=f"http://127.0.0.1:{free_port()}") as process:
        until(has_line(log, "waiting for the API"), START_S)
        process.send_signal(signal.SIGINT)
        assert process.wait(START_S) == 0


def test_a_provider_without_its_key_is_one_line(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with worker(log, provider="cohere") as process:
        assert process.wait(START_S) == 1
    [line] = log.read_text().splitlines()
    assert "CO_API_KEY" in line


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ALL_PROXY", "socks4://127.0.0.1:9", "The proxy in the environment"),
        ("NO_PROXY", "[::1]", "NO_PROXY has the entry [::1], which httpx can't read: write ::1."),
    ],
)
def test_a_proxy_that_can_not_be_used_is_one_line(
    name: str, value: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COHERE_API_KEY", "key")
    monkeypatch.setenv(name, value)
    log = tmp_path / "worker.log"
    with worker(log, provider="cohere") as process:
        assert process.wait(START_S) == 1
    [line] = log.read_text().splitlines()
    assert line.startswith(expected)


async def test_a_killed_worker_is_replaced_within_seconds(temporal: Client, tmp_path: Path) -> None:
    queue = f"test-{uuid4()}"
    address = temporal.service_client.config.target_host
    question = REQUEST.model_copy(update={"embedding_model": "wordllama-256"})

    async def attempt() -> int:
        described = await handle.describe()
        pending = described.raw_description.pending_activities
        return max(
            (a.attempt for a in pending if a.activity_type.name == Stage.RETRIEVE), default=0
        )

    port = free_port()
    settings = {
        "provider": "local",
        "temporal_address": address,
        "task_queue": queue,
        "api_url": f"http://127.0.0.1:{port}",
    }
    with api(port) as server:
        with worker(tmp_path / "first.log", **settings) as first:
            handle = await start_question(temporal, queue, question)
            assert await asyncio.to_thread(server.holds.acquire, timeout=START_S)
            assert await attempt() == 1
            first.kill()
        with worker(tmp_path / "second.log", **settings):
            assert await asyncio.to_thread(server.holds.acquire, timeout=START_S)
            assert await attempt() == 2
            progress = await handle.query(QueryWorkflow.progress)
    assert (progress.stage, progress.status) == (Stage.RETRIEVE, "running")


async def test_missing_search_attributes_are_added(temporal: Client) -> None:
    listing = ListSearchAttributesRequest(namespace=temporal.namespace)
    await temporal.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(
            namespace=temporal.namespace, search_attributes=SEARCH_ATTRIBUTES[:1]
        )
    )
    await ensure_search_attributes(temporal)
    await ensure_search_attributes(temporal)
    known = await temporal.operator_service.list_search_attributes(listing)
    assert set(SEARCH_ATTRIBUTES) <= known.custom_attributes.keys()
