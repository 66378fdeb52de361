"""Temporal, the API and a worker as real processes, which a test kills and starts individually."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import httpx

from cli import temporal_server
from cli.processes.supervision.health import WORKER_READY
from nalanda import Nalanda
from tests.openai_server import DIMENSION, OpenAIServer
from tests.temporal import free_port

NALANDA = str(Path(sys.executable).with_name("nalanda"))
PARTS = ("temporal", "api", "worker")


class Stack:
    """A stack; `environments` extend a part's environment, for proxies between parts. `umask`
    applies to the parts; −1 is this process's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {"temporal": free_port(), "api": free_port()}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environments: dict[str, Mapping[str, str]] = {}
        self.umask = -1

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._ports['api']}"

    @property
    def temporal_address(self) -> str:
        return f"127.0.0.1:{self._ports['temporal']}"

    @property
    def data(self) -> Path:
        """Return the data directory of the API."""
        return self._folder / "data"

    def client(self) -> Nalanda:
        return Nalanda(self.api_url, timeout_s=30)

    def run(self, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command for this stack in a folder, as its home directory; it must succeed."""
        programs = os.pathsep.join([str(Path(NALANDA).parent), os.environ["PATH"]])
        environment = {"PATH": programs, "NALANDA_API_URL": self.api_url, "HOME": str(folder)}
        ended = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stderr
        return ended

    def start(self, part: str) -> None:
        """Start a part, and wait until it is ready (a worker: until it polls)."""
        log = self._log(part)
        begin = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            self._processes[part] = subprocess.Popen(
                self._command(part),
                env={**self._environment(), **self.environments.get(part, {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                umask=self.umask,
            )
        ready: dict[str, Callable[[], bool]] = {
            "temporal": lambda: can_connect(self._ports["temporal"]),
            "api": lambda: is_ready(self.api_url),
            "worker": lambda: WORKER_READY.encode() in log.read_bytes()[begin:],
        }
        self._wait(part, ready[part])

    def start_all(self) -> None:
        for part in PARTS:
            self.start(part)

    def runs(self, part: str) -> bool:
        """Return whether a part was started, and neither killed nor stopped since."""
        return part in self._processes

    def pid(self, part: str) -> int:
        return self._processes[part].pid

    def kill(self, part: str) -> None:
        """Kill a part with SIGKILL."""
        self._end(part, signal.SIGKILL)

    def stop(self, part: str) -> int:
        """Stop a part as a supervisor does; return its exit status."""
        return self._end(part, signal.SIGTERM)

    def __enter__(self) -> "Stack":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for part in reversed(PARTS):
            if self.runs(part):
                self.kill(part)

    def _end(self, part: str, number: signal.Signals) -> int:
        process = self._processes.pop(part)
        process.send_signal(number)
        return process.wait(180)

    def _command(self, part: str) -> list[str]:
        if part == "temporal":
            return temporal_server.command(
                port=self._ports["temporal"], ui_port=None, file=self._folder / "temporal.db"
            )
        if part == "api":
            return [NALANDA, "serve", "--host", "127.0.0.1", "--port", str(self._ports["api"])]
        return [NALANDA, "worker"]

    def _environment(self) -> dict[str, str]:
        mine = {k: v for k, v in os.environ.items() if not k.startswith(("NALANDA_", "CO_API"))}
        return {
            **mine,
            "NALANDA_DATA_DIR": str(self.data),
            "NALANDA_TEMPORAL_ADDRESS": self.temporal_address,
            "NALANDA_API_URL": self.api_url,
        }

    def _log(self, part: str) -> Path:
        return self._folder / f"{part}.log"

    def _wait(self, part: str, ready: Callable[[], bool], within_s: float = 180) -> None:
        deadline = time.monotonic() + within_s
        while not ready():
            status = self._processes[part].poll()
            if status is not None or time.monotonic() > deadline:
                why = "is not ready" if status is None else f"ended with {status}"
                raise AssertionError(f"{part} {why}:\n{self._log(part).read_text()[-4000:]}")
            time.sleep(0.05)


def node_of(folder: Path, database_url: str, **settings: str) -> Stack:
    """Return a stack whose API is a node of a PostgreSQL database, with an own folder."""
    folder.mkdir()
    node = Stack(folder)
    node.environments = {"api": {"NALANDA_DATABASE_URL": database_url, **settings}}
    return node


def second_model(server: OpenAIServer, dimension: int = DIMENSION) -> dict[str, str]:
    """Return the environment of a part that also embeds by the server's model `embedder`."""
    return {
        "NALANDA_EMBED_PROVIDER": "local,openai",
        "NALANDA_OPENAI_BASE_URL": server.url,
        "NALANDA_OPENAI_EMBED_MODEL": "embedder",
        "NALANDA_OPENAI_EMBED_DIMENSION": str(dimension),
    }


def can_connect(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_ready(url: str) -> bool:
    try:
        # A context for TLS, which no test needs, takes 20 ms of CPU time at each look.
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False, verify=False).is_success
    except httpx.TransportError:
        return False
