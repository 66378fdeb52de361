"""Offline compaction of a data directory, which no server may have open."""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from core.adapters.data_dir import DataDirLock
from core.adapters.sqlite import log, space
from core.adapters.sqlite.backup import history
from core.adapters.sqlite.connections.database import open_writer
from core.adapters.sqlite.store import DATABASE_NAME
from core.domain.errors import StorageError
from core.indexing.checkpoints.paths import DIRECTORY, oldest_position

_NOTHING_NEEDED = 2**62


@dataclass(frozen=True, slots=True)
class CompactionResult:
    """The result of a compaction; `history_rows` and `log_entries` are those deleted."""

    before_bytes: int
    after_bytes: int
    history_rows: int
    log_entries: int


def compact(data_dir: Path) -> CompactionResult:
    """Delete needless history and log entries, and rewrite the file without its free pages.

    The log after the oldest checkpoint stays.

    Raises:
        DataDirInUse: a server has the directory; a server frees space by itself.
        StorageError: there is no database, or no room to rewrite its file.
    """
    path = data_dir / DATABASE_NAME
    if not path.exists():
        raise StorageError(f"There is no database {path}.")
    lock = DataDirLock(data_dir)
    try:
        before = _size(data_dir)
        with closing(open_writer(path)) as connection:
            rows = history.trim_history(connection, datetime.now(UTC))
            oldest = oldest_position(data_dir / DIRECTORY)
            entries = _trim_log(connection, _NOTHING_NEEDED if oldest is None else oldest)
            space.rewrite(connection)
        return CompactionResult(before, _size(data_dir), rows, entries)
    finally:
        lock.release()


def _trim_log(connection: apsw.Connection, before: int) -> int:
    trimmed = 0
    while batch := log.trim(connection, before):
        trimmed += batch
    return trimmed


def _size(data_dir: Path) -> int:
    return sum(path.stat().st_size for path in data_dir.glob(f"{DATABASE_NAME}*"))
