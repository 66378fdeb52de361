"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option("--data", help="Where everything is kept.", show_default="NALANDA_DATA_DIR"),
]
