"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

FIRST_PORT, LAST_PORT = 0, 65535

ApiPort = Annotated[
    int,
    typer.Option(
        help="The API's port, or the next free one; 0: any.", min=FIRST_PORT, max=LAST_PORT
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data", help="Where everything is kept.", show_default="NALANDA_DATA_DIR"),
]
