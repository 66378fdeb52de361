"""Health checks against real servers: ready, not ready and unreachable."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.processes.supervision import health
from cli.processes.supervision.child import Child, Service
from cli.processes.supervision.logs import LogFile
from tests.temporal import free_port


@pytest.fixture
async def child(tmp_path: Path) -> AsyncIterator[Child]:
    """Yield a nominal worker, which prints that it is ready."""
    log = LogFile(tmp_path / "log")
    code = "import signal; print('worker ready'); signal.pause()"
    child = Child(Service("worker", (sys.executable, "-u", "-c", code), health.worker), log)
    yield child
    await child.stop()
    log.close()


async def test_a_worker_is_ready_when_it_says_so(child: Child) -> None:
    assert not await health.worker(child)
    await child.start()
    assert await health.worker(child)


async def test_temporal_is_ready_with_its_search_attributes(
    temporal_address: str, child: Child
) -> None:
    assert await health.temporal(temporal_address, "default")(child)


async def test_temporal_is_not_ready_without_the_namespace(
    temporal_address: str, child: Child
) -> None:
    assert not await health.temporal(temporal_address, "elsewhere")(child)


async def test_nothing_is_ready_where_nothing_listens(child: Child) -> None:
    port = free_port()
    assert not await health.temporal(f"127.0.0.1:{port}", "default")(child)
    assert not await health.api(f"http://127.0.0.1:{port}")(child)


@pytest.mark.parametrize(("answer", "ready"), [("200 OK", True), ("503 Unavailable", False)])
async def test_the_api_is_ready_when_it_says_so(answer: str, ready: bool, child: Child) -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(respond, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await health.api(f"http://127.0.0.1:{port}")(child) is ready
