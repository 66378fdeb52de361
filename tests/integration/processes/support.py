"""Small real children, and their supervisor's events."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from cli.processes.supervision.child import Child, Service
from cli.processes.supervision.supervisor import Event

DEADLINE_S = 20.0


def service(name: str, ready: Path, code: str, *, grace_s: float = 10.0) -> Service:
    """Return a service of Python code; `ready()` makes it healthy, and writes its process id."""
    prelude = (
        "import os, pathlib, signal, sys, time\n"
        f"def ready():\n    pathlib.Path({str(ready)!r}).write_text(str(os.getpid()))\n"
    )

    async def healthy(child: Child) -> bool:
        return read_text(ready) == str(child.pid)

    command = (sys.executable, "-S", "-u", "-c", prelude + code)
    return Service(name, command, healthy, start_s=DEADLINE_S, grace_s=grace_s)


def read_text(path: Path) -> str:
    """Return the file's text, empty if there is no file."""
    return path.read_text() if path.exists() else ""


FOREVER = "ready()\nsignal.pause()\n"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nready()\nwhile True: signal.pause()\n"


class Story(list[Event]):
    """All events in order, with a way to wait for one."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    def steps(self) -> list[tuple[str, str]]:
        return [(event.service.name, event.what) for event in self]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the condition; fail after a deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


def alive(process: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
