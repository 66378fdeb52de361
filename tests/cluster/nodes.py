"""Nodes: processes of `nalanda serve` on one database, each with an own data directory."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.cluster.places import Place
from tests.e2e.stack import NALANDA, Stack
from tests.temporal import free_port
from tests.waiting import until

SUSPENDED: Mapping[str, str] = {"PYTHONPATH": str(Path(__file__).parent / "suspended")}
"""The environment of a node that does not notice that it was paused, as by its lease's clock."""

LEADS_S = 120.0
KEY = "key-of-the-nodes"
HEADERS: Mapping[str, str] = {"Authorization": f"Bearer {KEY}"}
_LOOK_S = 2.0


class Node:
    """A node, which faults kill, pause and start again."""

    def __init__(
        self, folder: Path, database_url: str, place: Place | None = None, **settings: str
    ) -> None:
        """`settings`: of its environment; `place`: this machine by default."""
        self.place = place or Place(folder.name)
        folder.mkdir(parents=True)
        self._stack = _PlacedApi(folder, self.place)
        self._stack.environments = {
            "api": {
                "NALANDA_DATABASE_URL": database_url,
                "NALANDA_PROVIDER": "local",
                "NALANDA_TEMPORAL_ADDRESS": "127.0.0.1:1",
                **settings,
            }
        }
        self._log = folder / "api.log"
        # Kept, as a new client costs more than a look.
        self._http = httpx.Client(headers=HEADERS, timeout=_LOOK_S, trust_env=False)

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def url(self) -> str:
        return self._stack.api_url

    @property
    def pid(self) -> int:
        return self._stack.pid("api")

    @property
    def log(self) -> str:
        return self._log.read_text()

    def start(self) -> None:
        """Start the process, and wait until it is ready."""
        self._stack.start("api")

    def look(self) -> dict[str, Any] | None:
        """Return what the node says of the cluster; `None` if it does not answer soon."""
        try:
            answer = self._http.get(f"{self.url}/cluster")
        except httpx.TransportError:
            return None
        said: dict[str, Any] = answer.json()
        return said if answer.is_success else None

    def leads(self) -> bool:
        said = self.look()
        return said is not None and said["role"] == "leader"

    def wait_until_leading(self) -> None:
        until(self.leads, LEADS_S)

    def kill(self) -> None:
        if self._stack.runs("api"):
            self._stack.kill("api")

    def stop(self) -> None:
        """Stop the process as a supervisor does."""
        self._stack.stop("api")

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


class _PlacedApi(Stack):
    """The API of a stack, at the address of a place."""

    def __init__(self, folder: Path, place: Place) -> None:
        super().__init__(folder)
        self._place = place
        self._port = free_port()

    @property
    def api_url(self) -> str:
        return f"http://{self._place.address}:{self._port}"

    def _command(self, part: str) -> list[str]:
        assert part == "api"
        address = ["--host", self._place.address, "--port", str(self._port)]
        return [*self._place.prefix, NALANDA, "serve", *address]
