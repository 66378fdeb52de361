"""Nodes: processes of `nalanda serve` on one database, each with an own data directory."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.crash.server import environment
from tests.e2e.stack import is_ready
from tests.temporal import free_port
from tests.waiting import until

NALANDA = str(Path(sys.executable).with_name("nalanda"))
_START_S = 180.0


class Node:
    """A node, which faults kill, pause and start again."""

    def __init__(self, folder: Path, database_url: str) -> None:
        folder.mkdir()
        self._port = free_port()
        self._folder = folder
        self._database_url = database_url
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the process, and wait until it is ready."""
        settings = {
            "NALANDA_DATABASE_URL": self._database_url,
            "NALANDA_DATA_DIR": str(self._folder / "data"),
            "NALANDA_PROVIDER": "local",
            "NALANDA_TEMPORAL_ADDRESS": "127.0.0.1:1",
        }
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [NALANDA, "serve", "--port", str(self._port)],
                env=environment(settings),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(lambda: is_ready(self.url), _START_S)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
