"""The server's process: started, killed at a moment or a named step, or stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from core import crash_points
from tests.temporal import free_port

ROOT = Path(__file__).resolve().parents[2]
START_S = 180.0
STOP_S = 180.0
_POLL_S = 0.01


class ServerEnded(Exception):
    """A server that ended before it was ready."""


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: no settings of the user, and no coverage."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NALANDA_", "CO_API", "COVERAGE", "COV_"))
    }
    return {**inherited, "PYTHONPATH": str(ROOT), **more}


class Server:
    """`nalanda serve` on its own port, over one data directory after another."""

    def __init__(self, log: Path) -> None:
        self._port = free_port()
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._begin = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Return the exit status as `Popen` does: negative for a signal, `None` while running."""
        return None if self._process is None else self._process.poll()

    @property
    def runs(self) -> bool:
        return self._process is not None and self.status is None

    @property
    def output(self) -> str:
        """Return the output since the start."""
        return self._log.read_bytes()[self._begin :].decode(errors="replace")

    def start(self, data_dir: Path, more: Mapping[str, str], fault: str | None = None) -> None:
        settings = {
            "NALANDA_PROVIDER": "local",
            "NALANDA_TEMPORAL_ADDRESS": "127.0.0.1:1",
            **more,
            **({} if fault is None else {crash_points.VARIABLE: fault}),
        }
        self._begin = self._log.stat().st_size if self._log.exists() else 0
        command = [sys.executable, "-m", "cli", "serve"]
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port), "--data", str(data_dir)],
                env=environment(settings),
                cwd=data_dir.parent,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self, api: httpx.Client) -> None:
        """Wait until the server is ready.

        Raises:
            ServerEnded: the server ended before.
            TimeoutError: the server is not ready in time.
        """
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.status is not None:
                raise ServerEnded(f"It ended with {self.status}: {self.output[-2000:]}")
            try:
                if api.get("/readyz").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(_POLL_S)
        raise TimeoutError(f"It is not ready after {START_S} s: {self.output[-2000:]}")

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Stop the process as a supervisor does; return its exit status."""
        return self._end(signal.SIGTERM)

    def ended_within(self, seconds: float) -> bool:
        """Return whether the process ends by itself in time."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(how)
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise


class Clients:
    """The clients' process, started ahead, so that it is ready when the server is."""

    def __init__(self, log: Path) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.crash.clients"],
                env=environment({}),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def begin(self, task: Path) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{task}\n".encode())
        self._process.stdin.flush()

    def kill(self) -> None:
        """Kill the clients amid their requests."""
        self._process.kill()
        self.end()

    def end(self) -> None:
        """Let each client finish its current request.

        Raises:
            TimeoutExpired: the clients do not end in time.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        finally:
            self._process.kill()
            self._process.wait()
