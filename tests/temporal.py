"""A real Temporal server for a test session, in memory, on a free port."""

import asyncio
import random
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from cli import temporal_server
from core.contracts.names import SEARCH_ATTRIBUTES
from workflows.client import connect

START_S = 60.0
POLL_S = 0.02
_PORTS = range(10_000, 32_768)
"""The system gives other ports to clients, which could take one before its server binds it."""
_RANDOM = random.SystemRandom()
"""Not the seeded generator, which chooses the same port in two processes."""
_FREQUENT_CHECKPOINTS = 'history.transferProcessorUpdateAckInterval="200ms"'
"""A workflow can be deleted after the first checkpoint since its end; by default one is in 30 s."""


def free_port() -> int:
    while True:
        port = _RANDOM.choice(_PORTS)
        with suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


@contextmanager
def running_server(
    log: Path, *, port: int | None = None, file: Path | None = None, config: Sequence[str] = ()
) -> Iterator[str]:
    """Run a server and yield its address; `log` has its output, `config` is `NAME=VALUE` each."""
    port = port or free_port()
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [
                *temporal_server.command(port=port, ui_port=None, file=file),
                *(f"--dynamic-config-value={each}" for each in config),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            asyncio.run(_wait_until_healthy(f"127.0.0.1:{port}", process))
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


async def _wait_until_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
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
    log = tmp_path_factory.mktemp("temporal") / "server.log"
    with running_server(log, config=[_FREQUENT_CHECKPOINTS]) as address:
        yield address


@pytest.fixture
async def temporal(temporal_address: str) -> Client:
    return await connect(temporal_address)
