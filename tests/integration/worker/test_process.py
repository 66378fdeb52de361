"""The worker as a process: waits for the cluster, makes it ready, says so, and ends when told."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from temporalio.api.operatorservice.v1 import (
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.client import Client

from core.contracts.names import RETRIEVE, SEARCH_ATTRIBUTES
from tests.integration.workflows.stages import REQUEST, asked
from tests.temporal import free_port, running_server, until
from worker.cluster import ensure_search_attributes
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


def said(log: Path, line: str) -> Callable[[], bool]:
    return lambda: line in log.read_text()


def test_from_before_the_cluster_to_sigterm(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    port = free_port()
    with worker(log, provider="local", temporal_address=f"127.0.0.1:{port}") as process:
        until(said(log, "waiting for Temporal"), START_S)
        with running_server(tmp_path / "temporal.log", port=port):
            until(said(log, "worker ready\n"), START_S)
            process.send_signal(signal.SIGTERM)
            assert process.wait(START_S) == 0
    lines = log.read_text().splitlines()
    assert len(lines) == 2, lines


def test_stops_while_it_waits(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with worker(log, provider="local", temporal_address=f"127.0.0.1:{free_port()}") as process:
        until(said(log, "waiting for Temporal"), START_S)
        process.send_signal(signal.SIGINT)
        assert process.wait(START_S) == 0


def test_a_provider_without_its_key_is_one_line(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with worker(log, provider="cohere") as process:
        assert process.wait(START_S) == 1
    [line] = log.read_text().splitlines()
    assert "CO_API_KEY" in line


async def test_a_killed_worker_is_replaced_within_seconds(temporal: Client, tmp_path: Path) -> None:
    queue = f"test-{uuid4()}"
    address = temporal.service_client.config.target_host
    question = REQUEST.model_copy(update={"embedding_model": "wordllama-256"})

    async def attempt() -> int:
        described = await handle.describe()
        pending = described.raw_description.pending_activities
        return max((a.attempt for a in pending if a.activity_type.name == RETRIEVE), default=0)

    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as held:
        silent.settimeout(START_S)
        settings = {
            "provider": "local",
            "temporal_address": address,
            "task_queue": queue,
            "api_url": f"http://127.0.0.1:{silent.getsockname()[1]}",
        }
        with worker(tmp_path / "first.log", **settings) as first:
            handle = await asked(temporal, queue, question)
            held.enter_context((await asyncio.to_thread(silent.accept))[0])
            assert await attempt() == 1
            first.kill()
        with worker(tmp_path / "second.log", **settings):
            held.enter_context((await asyncio.to_thread(silent.accept))[0])
            assert await attempt() == 2
            progress = await handle.query(QueryWorkflow.progress)
    assert (progress.stage, progress.status) == (RETRIEVE, "running")


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
