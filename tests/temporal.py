"""A real Temporal server for a test session, in memory, on a free port."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from cli import temporal_server
from core.contracts.names import SEARCH_ATTRIBUTES
from workflows.client import connect

START_S = 60.0
POLL_S = 0.1


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running_server(
    log: Path, *, port: int | None = None, file: Path | None = None
) -> Iterator[str]:
    """Run a server and yield its address; `log` has its output."""
    port = port or free_port()
    with (
        log.open("wb") as output,
        subprocess.Popen(
            temporal_server.command(port=port, ui_port=None, file=file),
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            asyncio.run(_healthy(f"127.0.0.1:{port}", process))
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def until(true: Callable[[], bool], within_s: float) -> None:
    """Wait until the condition is true; fail at the deadline."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "It never came true."
        time.sleep(POLL_S)


async def _healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the namespace and the search attributes exist."""
    deadline = time.monotonic() + START_S
    while not await _has_namespace(address):
        assert process.poll() is None, "The server ended."
        assert time.monotonic() < deadline, "The server does not answer."
        await asyncio.sleep(POLL_S)


async def _has_namespace(address: str) -> bool:
    try:
        client = await connect(address)
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except (RuntimeError, RPCError):
        return False
    return set(SEARCH_ATTRIBUTES) <= known.custom_attributes.keys()


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("temporal") / "server.log") as address:
        yield address


@pytest.fixture
async def temporal(temporal_address: str) -> Client:
    return await connect(temporal_address)
