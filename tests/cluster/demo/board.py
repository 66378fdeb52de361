"""The table of the nodes, live on a terminal, and printed with each event elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from cli.output.terminal import can_overwrite
from tests.cluster.demo.load import Outcomes
from tests.e2e.nodes import call
from tests.threads import run_threads

_EVERY_S = 0.5
_COLUMNS = ("node", "role", "epoch", "position", "lag", "durability")


class Board:
    """A table of the nodes by their own status, and the counts of the clients."""

    def __init__(self, console: Console, urls: Sequence[str], outcomes: Outcomes) -> None:
        self._console = console
        self._urls = urls
        self._outcomes = outcomes
        self._live = Live(console=console, auto_refresh=False)

    @contextmanager
    def show(self) -> Iterator[None]:
        """Refresh the table until the end of the block, on a terminal that can overwrite it."""
        if not can_overwrite(self._console):
            yield
            return
        ended = Event()

        def refresh() -> None:
            while not ended.wait(_EVERY_S):
                self._live.update(self._render(), refresh=True)

        with self._live, run_threads(ended, refresh):
            yield

    def say(self, event: str) -> None:
        """Print an event, and where no table is live the nodes as they are then."""
        self._console.print(event)
        if not can_overwrite(self._console):
            self._console.print(self._render())

    def _render(self) -> Group:
        table = Table(*_COLUMNS, box=None)
        for url in self._urls:
            table.add_row(*_row(url))
        seen = self._outcomes
        return Group(
            table,
            f"Clients: {len(seen.written)} writes and {seen.answered} answers,"
            f" {len(seen.problems)} errors",
        )


def status_of(url: str) -> dict[str, Any] | None:
    """Return `GET /cluster` of a node, or `None` if it does not answer."""
    answer = call(url, "GET", "/cluster", timeout=2)
    return answer.json() if answer is not None and answer.is_success else None


def _row(url: str) -> list[str]:
    status = status_of(url)
    if status is None:
        return [url, "does not answer"]
    [own] = [node for node in status["nodes"] if node["node_id"] == status["node_id"]] or [None]
    lag = "" if own is None else str(own["lag"])
    values = [status[name] for name in ("role", "epoch", "position")]
    return [url, *map(str, values), lag, status["durability"]]
