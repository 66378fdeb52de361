"""Gives back the space of a data directory that no server has."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from core.adapters.data_dir import DataDirLock
from core.adapters.sqlite import history, log, space
from core.adapters.sqlite.database import open_writer
from core.adapters.sqlite.store import DATABASE_NAME
from core.domain.errors import StorageError

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Compacted:
    """`history_rows` and `log_entries`: what nothing needs any more, and is gone."""

    before_bytes: int
    after_bytes: int
    history_rows: int
    log_entries: int


def compact(data_dir: Path, log_from: Callable[[Path], int | None] | None = None) -> Compacted:
    """`log_from`: the position that the oldest checkpoint is at, `None` where there is none.

    Without it the log of a directory with checkpoints is left as it is.

    Raises:
        DataDirInUse: a server has the directory, and gives space back by itself.
        StorageError: there is no database, or no room to write it anew.
    """
    path = data_dir / DATABASE_NAME
    if not path.exists():
        raise StorageError(f"There is no database {path}.")
    lock = DataDirLock(data_dir)
    try:
        before = _size(data_dir)
        with closing(open_writer(path)) as connection:
            rows = history.trim_history(connection, datetime.now(UTC))
            needed = _log_needed(data_dir, log_from)
            entries = 0 if needed is None else _trimmed(connection, needed)
            space.rewrite(connection)
        return Compacted(before, _size(data_dir), rows, entries)
    finally:
        lock.release()


def _trimmed(connection: apsw.Connection, before: int) -> int:
    trimmed = 0
    while batch := log.trim(connection, before):
        trimmed += batch
    return trimmed


def _log_needed(data_dir: Path, log_from: Callable[[Path], int | None] | None) -> int | None:
    """The position from which checkpoints need the log: all positions, where none do."""
    checkpoints = data_dir / CHECKPOINTS
    has_some = checkpoints.is_dir() and any(checkpoints.iterdir())
    if log_from is None:
        return None if has_some else _NOTHING_NEEDED
    oldest = log_from(checkpoints)
    return _NOTHING_NEEDED if oldest is None else oldest


_NOTHING_NEEDED = 2**62


def _size(data_dir: Path) -> int:
    return sum(path.stat().st_size for path in data_dir.glob(f"{DATABASE_NAME}*"))
