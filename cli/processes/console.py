"""Display of the services' events, on a terminal and in a file."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from cli.output.terminal import can_overwrite
from cli.processes.supervision.supervisor import Event


class Reporter:
    """A reporter that prints a line per event; a terminal also shows a spinner for a step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._since = time.monotonic()
        self._status: Status | None = None

    def __call__(self, event: Event) -> None:
        name = event.service.name
        match event.what:
            case "starting":
                self._since = time.monotonic()
                self._spin(f"{name} starts")
            case "ready":
                took = f"[dim]{time.monotonic() - self._since:.1f} s[/dim]"
                self._line(f"[green]✓[/green] {name:<9} {escape(event.service.address)}  {took}")
            case "died":
                self._line(f"[red]✗[/red] {name} {escape(event.detail)}; restarting")
                for line in event.tail:
                    self._line(f"  [dim]{escape(line)}[/dim]")
            case "back":
                self._line(f"[green]✓[/green] {name} is running again")
            case "stopping":
                self._spin(f"{name} stops")
            case "stopped":
                self._line(f"[dim]·[/dim] {name} stopped")
            case "killed":
                self._line(f"[yellow]![/yellow] {name} did not stop in time, and was killed")

    def notice(self, text: str) -> None:
        self._line(f"[yellow]![/yellow] {escape(text)}")

    def close(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _spin(self, text: str) -> None:
        self.close()
        if can_overwrite(self._console):
            self._status = self._console.status(f"[dim]{text} …[/dim]")
            self._status.start()

    def _line(self, markup: str) -> None:
        self.close()
        self._console.print(f"  {markup}", soft_wrap=True, highlight=False)


def print_places(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Print names with their addresses."""
    width = max(len(name) for name, _ in rows)
    for name, where in rows:
        line = f"  [bold]{name:<{width}}[/bold]   {escape(where)}"
        console.print(line, soft_wrap=True, highlight=False)
