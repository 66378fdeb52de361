"""`nalanda backup` and `nalanda restore`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.options import JsonFlag
from cli.output.progress import bar
from cli.output.terminal import show_rows
from cli.processes.options import DataDir, settings_with
from core.adapters.registry import engine_of
from core.backup.backup_run import back_up
from core.backup.manifest import Manifest
from core.backup.repository import Repository
from core.backup.restore import restore as restored
from core.backup.restore import restore_into
from core.ports.backups import RestoreTarget
from core.settings import Settings


def time_of(text: str) -> datetime:
    """Parse an RFC 3339 time; one without an offset is in UTC.

    Raises:
        typer.BadParameter: the text is not a time.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("This must be a time such as 2026-01-31T12:00:00Z.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def backup(
    words: Annotated[
        list[str],
        typer.Argument(metavar="[list] DIR", help="Directory of backups; `list DIR` lists them."),
    ],
    full: Annotated[
        bool, typer.Option("--full", help="Write a full backup, not an increment.")
    ] = False,
    data: DataDir = None,
    as_json: JsonFlag = False,
) -> None:
    """Back up the database, or list its backups.

    The first backup is full, later ones hold the changes. The server may be running.
    """
    match words:
        case ["list", directory]:
            _list(Repository.open(Path(directory)), as_json=as_json)
        case [directory]:
            _back_up(Path(directory), settings_with(data), full=full, as_json=as_json)
        case _:
            raise typer.BadParameter("Give exactly one directory.", param_hint="DIR")


def restore(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of backups.")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="NEW_DIR",
            help="Data directory to create.",
            show_default="the database at NALANDA_DATABASE_URL",
        ),
    ] = None,
    position: Annotated[
        int | None, typer.Option(min=0, help="Restore this position instead of the last.")
    ] = None,
    time: Annotated[
        datetime | None,
        typer.Option(
            metavar="TIME",
            parser=time_of,
            help="Restore the state at this time (RFC 3339; UTC without an offset).",
        ),
    ] = None,
) -> None:
    """Restore backups into a new data directory or an empty PostgreSQL database."""
    if position is not None and time is not None:
        raise typer.BadParameter("Give either --position or --time.", param_hint="--time")
    with bar("Restoring") as progress:
        if data is not None:
            place = str(data)
            restoration = restored(directory, data, progress, position=position, time=time)
        else:
            database = _empty_database()
            place = database.address
            restoration = restore_into(database, directory, progress, position=position, time=time)
    typer.echo(f"Restored {place} at position {restoration.position}.")


def _empty_database() -> RestoreTarget:
    database = engine_of(Settings()).restore_target()
    if database is None:
        raise typer.BadParameter(
            "Give a new directory, or set NALANDA_DATABASE_URL to an empty database.",
            param_hint="--data",
        )
    return database


def _back_up(directory: Path, settings: Settings, *, full: bool, as_json: bool) -> None:
    with bar("Backing up") as progress:
        backup = back_up(engine_of(settings).backup_database(), directory, progress, full=full)
    if backup.why_full is not None:
        typer.echo(f"A full backup, because {backup.why_full}.", err=True)
    if as_json:
        _print_json(backup.manifests)
        return
    if not backup.manifests:
        typer.echo(f"Nothing has changed since position {backup.position}.")
    for manifest in backup.manifests:
        typer.echo(_line(manifest))


def _line(manifest: Manifest) -> str:
    span = f"{manifest.start} to {manifest.end}"
    what = f"position {manifest.end}" if manifest.full else f"positions {span}"
    return f"{manifest.file}: {manifest.kind}, {what}, {manifest.size_bytes:,} bytes."


def _list(repository: Repository, *, as_json: bool) -> None:
    manifests = repository.manifests()
    if as_json:
        _print_json(manifests)
        return
    rows = ((m.kind, m.start, m.end, m.taken_at, m.size_bytes, m.file) for m in manifests)
    show_rows(("kind", "from", "to", "taken", "bytes", "file"), rows)


def _print_json(manifests: Sequence[Manifest]) -> None:
    for manifest in manifests:
        typer.echo(json.dumps(asdict(manifest)))
