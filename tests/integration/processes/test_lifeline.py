"""A killed supervisor leaves no child behind."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.integration.processes.support import alive, read_text, until

SUPERVISOR = """
import asyncio, pathlib, sys
from cli.processes.supervision.child import Service
from cli.processes.supervision.logs import LogFile
from cli.processes.supervision.supervisor import Supervisor

folder = pathlib.Path(sys.argv[1])

def child(name):
    code = (
        "import os, pathlib, signal\\n"
        f"pathlib.Path({str(folder / name)!r}).write_text(str(os.getpid()))\\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\n"
        "while True: signal.pause()\\n"
    )
    async def healthy(child):
        return (folder / name).exists() and (folder / name).read_text() == str(child.pid)
    return Service(name, (sys.executable, "-S", "-c", code), healthy)

services = [child("one"), child("two")]
log = LogFile(folder / "log")
asyncio.run(Supervisor(services, log, lambda event: None).run(asyncio.Event().wait))
"""

BY_PIPE = """
import os, pathlib, sys
sys.path.insert(0, sys.argv[3])
import launcher
lifeline = int(sys.argv[1])
os.set_inheritable(lifeline, False)
launcher.tie_by_pipe(lifeline)
pathlib.Path(sys.argv[2]).write_text(str(os.getpid()))
os.execvp("sleep", ["sleep", "600"])
"""


async def test_children_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISOR, str(tmp_path)
    )
    await until(lambda: read_text(tmp_path / "two") != "")
    pids = [int(read_text(tmp_path / name)) for name in ("one", "two")]
    supervisor.kill()
    await supervisor.wait()
    await until(lambda: not any(alive(pid) for pid in pids))


async def test_elsewhere_a_closed_pipe_does_the_same(tmp_path: Path) -> None:
    theirs, ours = os.pipe()
    folder = Path(sys.modules["cli.processes.supervision"].__path__[0])
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", BY_PIPE, str(theirs), str(tmp_path / "pid"), str(folder)),
        pass_fds=[theirs],
        process_group=0,
    )
    os.close(theirs)
    await until(lambda: read_text(tmp_path / "pid") == str(child.pid))
    os.close(ours)
    assert await child.wait() == -signal.SIGKILL
