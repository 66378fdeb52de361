"""Prepared requests over plain connections, which cost little CPU time, and a server's CPU time."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """The address of a server, and the ids of its processes."""

    host: str
    port: int
    pids: Sequence[int]

    @property
    def cpu_s(self) -> float:
        """The CPU time of the processes so far, in user and system mode, by their own accounts."""
        return sum(map(_cpu_ticks, self.pids)) / _TICKS


@dataclass(slots=True)
class Load:
    """The answers to a load: the milliseconds of each, and the server's CPU time for all."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The answers in a second."""
        return len(self.latencies_ms) / self.seconds

    @property
    def cpu_us(self) -> float:
        """The microseconds of CPU time for an answer."""
        return 1e6 * self.cpu_s / len(self.latencies_ms)

    def quantile_ms(self, share: float) -> float:
        return sorted(self.latencies_ms)[int(share * (len(self.latencies_ms) - 1))]


def request_of(host: str, path: str, body: bytes, media_type: str = "application/json") -> bytes:
    """Return the bytes of a POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send(
    server: Server, requests: Sequence[bytes], connections: int, seconds: float, load: Load
) -> None:
    """Send requests, one after the other on each of some connections, and add them to the load."""
    cpu_s, began = server.cpu_s, time.perf_counter()
    until = began + seconds
    step = len(requests) // connections
    orders = [[*requests[n * step :], *requests[: n * step]] for n in range(connections)]
    latencies = await asyncio.gather(*(_use(server, order, until) for order in orders))
    load.seconds += time.perf_counter() - began
    load.cpu_s += server.cpu_s - cpu_s
    load.latencies_ms += [each for of_connection in latencies for each in of_connection]


async def _use(server: Server, requests: Sequence[bytes], until: float) -> list[float]:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    latencies: list[float] = []
    started = time.perf_counter()
    for request in _in_turn(requests):
        writer.write(request)
        await _read_answer(reader)
        ended = time.perf_counter()
        latencies.append(1e3 * (ended - started))
        started = ended
        if ended >= until:
            break
    writer.close()
    return latencies


async def _read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return await reader.readexactly(int(length))


def _in_turn(requests: Sequence[bytes]) -> Iterator[bytes]:
    while True:
        yield from requests


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def children_of(pid: int) -> list[int]:
    paths = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in paths for child in path.read_text().split()]


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def find_server() -> int:
    """Return the id of the server that this process has started."""
    return next(pid for pid in children_of(os.getpid()) if b"serve" in command_of(pid))
