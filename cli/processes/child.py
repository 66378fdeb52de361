"""One child process: started, watched until healthy, its output kept, stopped for certain."""

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

from cli.processes.logs import LogFile, split_lines
from cli.processes.ports import listens

LAUNCHER = Path(__file__).with_name("launcher.py")
TAIL_LINES = 12
CHECK_INTERVAL_S = 0.05
CHECK_TIMEOUT_S = 5.0
LAST_WORDS_S = 1.0

Check: TypeAlias = Callable[["Child"], Awaitable[bool]]
"""Whether the service that this child runs can be used now."""


@dataclass(frozen=True, slots=True)
class Service:
    """What to run, and how to know that it works."""

    name: str
    command: tuple[str, ...]
    healthy: Check
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to this process's own."""
    address: str = ""
    """Where people find it."""
    start_s: float = 120.0
    """How long it may take until it is healthy."""
    grace_s: float = 10.0
    """How long it may take to stop when asked to."""
    ports: tuple[int, ...] = ()
    """The ports that the process binds by itself; while another has one, it is not healthy."""
    listeners: tuple[int, ...] = ()
    """Descriptors of sockets that the process gets, already listening."""


class StartFailed(Exception):
    """The child ended, or did not become healthy in time."""


class Child:
    """One service's process, which may be started again after it has ended."""

    def __init__(self, service: Service, log: LogFile) -> None:
        self.service = service
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        """The last lines that the process printed."""
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
        """Returns when the child is healthy.

        Raises:
            StartFailed: it ended before, or took longer than `start_s`; it does not run.
        """
        self.tail.clear()
        process = await self._spawn()
        try:
            async with asyncio.timeout(self.service.start_s):
                if not await self._becomes_healthy(process):
                    status = await self.ended()
                    raise StartFailed(f"ended at its start ({status})")
        except TimeoutError:
            await self.stop()
            raise StartFailed(f"was not ready after {self.service.start_s:g} s") from None

    async def ended(self) -> str:
        """Waits for the child's end and last words; says how it ended."""
        assert self._process is not None
        code = await self._process.wait()
        await self._clean_up()
        return describe_exit(code)

    async def stop(self) -> bool:
        """Asks the child to stop, and makes it after `grace_s`; False if it had to be made."""
        if self._process is None:
            await self._clean_up()
            return True
        if self.running:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.service.grace_s):
                    await self._process.wait()
            self.kill()
        await self.ended()
        return self._process.returncode != -signal.SIGKILL

    def kill(self) -> None:
        """Ends the child, and all in its process group, at once."""
        if self.running:
            self._signal(signal.SIGKILL)

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._process = None
        # A pipe of our own: with asyncio's, `wait` would also wait for every grandchild that
        # holds the other end.
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
        """False if the process ends first."""
        while process.returncode is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_TIMEOUT_S):
                    # Else what answers there is another's.
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
        """Takes what the child left behind: its last lines, its own children, its lifeline."""
        if self._copying is not None:  # else it was done before, and the id may be another's
            self._signal(signal.SIGKILL)
            await asyncio.wait([self._copying], timeout=LAST_WORDS_S)
            self._copying.cancel()
            await asyncio.wait([self._copying])
            self._copying = None
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def _signal(self, number: signal.Signals) -> None:
        # macOS says PermissionError of a group whose processes have all ended.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._process is not None:
                os.killpg(self._process.pid, number)


def describe_exit(code: int) -> str:
    """`exit status 3`, or `killed by SIGKILL`."""
    if code >= 0:
        return f"exit status {code}"
    return f"killed by {signal.Signals(-code).name}"
