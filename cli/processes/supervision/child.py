"""A child process: start, health check, output, and a stop that is certain."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from cli.processes.ports import listens
from cli.processes.supervision.logs import LogFile, split_lines

LAUNCHER = Path(__file__).with_name("launcher.py")
TAIL_LINES = 12
CHECK_INTERVAL_S = 0.05
CHECK_TIMEOUT_S = 5.0
LAST_WORDS_S = 1.0

Check: TypeAlias = Callable[["Child"], Awaitable[bool]]
"""A check that returns True once the child's service is ready."""


@dataclass(frozen=True, slots=True)
class Service:
    """The command line of a service, and its health check."""

    name: str
    command: tuple[str, ...]
    healthy: Check
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to this process's environment."""
    address: str = ""
    """The address, for display."""
    start_s: float = 120.0
    """Timeout of the start, until the service is healthy."""
    grace_s: float = 10.0
    """Timeout of a graceful stop."""
    ports: tuple[int, ...] = ()
    """Ports that the process binds; the service is unhealthy while another process has one."""
    listeners: tuple[int, ...] = ()
    """Descriptors of listening sockets for the process."""


class StartFailed(Exception):
    """A child that ended, or was not healthy in time."""


class Child:
    """The process of a service; it can start again after its end."""

    def __init__(self, service: Service, log: LogFile) -> None:
        self.service = service
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        """The last lines of the process's output."""
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._copying: asyncio.Task[None] | None = None
        self._lifeline: int | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the child, and wait until it is healthy.

        Raises:
            StartFailed: the child ended or timed out; it no longer runs.
        """
        self.tail.clear()
        process = await self._spawn()
        try:
            async with asyncio.timeout(self.service.start_s):
                if not await self._becomes_healthy(process):
                    status = await self.wait_for_end()
                    raise StartFailed(f"ended at its start ({status})")
        except TimeoutError:
            await self.stop()
            raise StartFailed(f"was not ready after {self.service.start_s:g} s") from None

    async def wait_for_end(self) -> str:
        """Wait for the child's end and last output; return how it ended."""
        assert self._process is not None
        code = await self._process.wait()
        await self._clean_up()
        return describe_exit(code)

    async def stop(self) -> bool:
        """Ask the child to stop, and kill it after `grace_s`; return False if it was killed."""
        if self._process is None:
            await self._clean_up()
            return True
        if self.running:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.service.grace_s):
                    await self._process.wait()
            self.kill()
        await self.wait_for_end()
        return self._process.returncode != -signal.SIGKILL

    def kill(self) -> None:
        """Kill the child and its process group."""
        if self.running:
            self._signal(signal.SIGKILL)

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._process = None
        # An own pipe: with asyncio's, `wait` would also wait for every grandchild that holds the
        # other end.
        output, their_output = os.pipe()
        their_lifeline, self._lifeline = os.pipe()
        command = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid())]
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                str(their_lifeline),
                *self.service.command,
                stdin=subprocess.DEVNULL,
                stdout=their_output,
                stderr=their_output,
                env={**os.environ, **self.service.environment},
                pass_fds=[their_lifeline, *self.service.listeners],
                process_group=0,
            )
        finally:
            os.close(their_output)
            os.close(their_lifeline)
            self._copying = asyncio.create_task(self._copy(output))
        return self._process

    async def _becomes_healthy(self, process: asyncio.subprocess.Process) -> bool:
        """Wait until the child is healthy; return False if it ends first."""
        while process.returncode is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_TIMEOUT_S):
                    # Else another process responds there.
                    own = listens(process.pid, self.service.ports)
                    if own and await self.service.healthy(self):
                        return True
            await asyncio.sleep(CHECK_INTERVAL_S)
        return False

    async def _copy(self, output: int) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(output, "rb", buffering=0)
        )
        try:
            pending = b""
            while received := await reader.read(2**16):
                lines, pending = split_lines(pending, received)
                for line in lines:
                    self._keep(line)
            if pending:
                self._keep(pending.decode(errors="replace"))
        finally:
            transport.close()

    def _keep(self, line: str) -> None:
        self.tail.append(line)
        self._log.write(self.service.name, line)

    async def _clean_up(self) -> None:
        """Collect what the child left: its last lines, its own children, its lifeline."""
        if (
            self._copying is not None
        ):  # else the group was killed before, and another process may have its id
            self._signal(signal.SIGKILL)
            await asyncio.wait([self._copying], timeout=LAST_WORDS_S)
            self._copying.cancel()
            await asyncio.wait([self._copying])
            self._copying = None
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def _signal(self, number: signal.Signals) -> None:
        # macOS raises PermissionError for a group without live processes.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._process is not None:
                os.killpg(self._process.pid, number)


def describe_exit(code: int) -> str:
    """Return `exit status 3`, or `killed by SIGKILL`."""
    if code >= 0:
        return f"exit status {code}"
    return f"killed by {signal.Signals(-code).name}"
