"""The API's process alone, as `nalanda serve` runs it, and a client."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from cli.processes.ports import first_free

PORT = 28100
_DEADLINE_S = 600


@contextmanager
def serve(
    data: Path,
    *,
    environment: Mapping[str, str] | None = None,
    end: signal.Signals = signal.SIGTERM,
    port: int | None = None,
) -> Iterator[httpx.Client]:
    """Serve a data directory, and yield a client once the server responds.

    `environment` adds to the process's own. `port`: `None` for the first that is free.
    """
    # Below the ports that the system gives to clients: one that waits for a server and gets the
    # server's port as its own connects to itself, and keeps the port.
    port = first_free(PORT) if port is None else port
    nalanda = str(Path(sys.executable).with_name("nalanda"))
    server = subprocess.Popen(
        [nalanda, "serve", "--port", str(port), "--data", str(data)],
        env={**os.environ, "NALANDA_API_KEYS": "", **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, trust_env=False, timeout=_DEADLINE_S) as http:
            _wait_for(http)
            yield http
    finally:
        server.send_signal(end)
        server.wait(_DEADLINE_S)


def _wait_for(http: httpx.Client) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline:
        try:
            http.get("/livez").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError("The API did not start.")
