"""Nodes: processes of `nalanda serve` on one database, each with an own data directory."""

import os
import signal
from pathlib import Path

import httpx

from tests.e2e.stack import Stack, node_of
from tests.waiting import until

SUSPENDED = Path(__file__).parent / "suspended"
LEADS_S = 120.0


class Node:
    """A node, which faults kill, pause and start again."""

    def __init__(self, folder: Path, database_url: str, *, is_suspended: bool = False) -> None:
        """`is_suspended`: the node does not notice that it was paused, as by its lease's clock."""
        clock = {"PYTHONPATH": str(SUSPENDED)} if is_suspended else {}
        self._stack: Stack = node_of(
            folder,
            database_url,
            NALANDA_PROVIDER="local",
            NALANDA_TEMPORAL_ADDRESS="127.0.0.1:1",
            **clock,
        )

    @property
    def url(self) -> str:
        return self._stack.api_url

    @property
    def pid(self) -> int:
        return self._stack.pid("api")

    def start(self) -> None:
        """Start the process, and wait until it is ready."""
        self._stack.start("api")

    def wait_until_leading(self) -> None:
        def leads() -> bool:
            answer = httpx.get(f"{self.url}/cluster", timeout=10, trust_env=False)
            return bool(answer.json()["role"] == "leader")

        until(leads, LEADS_S)

    def kill(self) -> None:
        if self._stack.runs("api"):
            self._stack.kill("api")

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self._stack.pid("api"), number)
