"""Options shared by several commands."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.settings import Settings

FIRST_PORT, LAST_PORT = 0, 65535

ApiPort = Annotated[
    int,
    typer.Option(
        help="The API's port, or the next free one; 0: any free port.",
        min=FIRST_PORT,
        max=LAST_PORT,
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data", help="The data directory.", show_default="NALANDA_DATA_DIR"),
]
ReaderCount = Annotated[
    int | None,
    typer.Option(
        "--readers",
        help="Processes that search, the one that writes included.",
        min=1,
        max=64,
        show_default="NALANDA_READERS",
    ),
]


def present_options(**options: Any) -> dict[str, Any]:
    """Return the options that the command line has."""
    return {name: value for name, value in options.items() if value is not None}


def settings_with(data: Path | None) -> Settings:
    """Return the settings; `--data` names a data directory with its own SQLite file."""
    return Settings() if data is None else Settings(data_dir=data, database_url=None)
