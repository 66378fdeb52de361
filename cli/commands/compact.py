"""`nalanda compact`."""

import json
from dataclasses import asdict

import typer

from cli.options import JsonFlag
from cli.output.terminal import console
from cli.processes.options import DataDir
from core.backup.compact import compact as compacted
from core.domain.errors import StorageError
from core.settings import Settings


def compact(data: DataDir = None, as_json: JsonFlag = False) -> None:
    """Reclaim the disk space of deleted data.

    No server may be running: a server compacts by itself above a share of dead bytes.
    """
    settings = Settings()
    if data is None and settings.database_url is not None:
        raise StorageError("The server at NALANDA_DATABASE_URL reclaims space by itself.")
    with console(stderr=True).status("Compacting"):
        result = compacted(data or settings.data_dir)
    if as_json:
        typer.echo(json.dumps(asdict(result)))
        return
    typer.echo(
        f"{result.before_bytes:,} bytes before, {result.after_bytes:,} after;"
        f" {result.history_rows:,} rows of history and {result.log_entries:,} log entries are gone."
    )
