"""Restores the state at a position from backups: to a data directory, or to an empty database."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw

from core import crash_points
from core.adapters.data_dir import DataDirLock
from core.adapters.sql.rows import to_time
from core.adapters.sqlite.connections.database import MIGRATIONS, open_writer
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.adapters.sqlite.store import DATABASE_NAME
from core.backup import files, increment
from core.backup.chain import chain_to
from core.backup.manifest import Manifest
from core.backup.repository import Repository
from core.domain.errors import StorageError
from core.domain.model_change import ModelChange
from core.indexing.container.durable import sync
from core.ports.backups import VERSIONED, Progress, RestoreTarget

_NEW_ORIGIN = """
UPDATE cluster SET database_id = lower(hex(randomblob(16))), keeps_history = 0,
    history_from = position
"""


@dataclass(frozen=True, slots=True)
class RestoreResult:
    position: int
    backups: Sequence[Manifest]


def restore(
    directory: Path,
    data_dir: Path,
    progress: Progress,
    *,
    position: int | None = None,
    time: datetime | None = None,
) -> RestoreResult:
    """Restore the state at `position`, at the last position up to `time`, or at the newest one.

    The data directory is built under a temporary name and renamed once complete. The restored
    database has a new id, so its backups go to another directory.

    Raises:
        StorageError: the data directory is not empty, no backups lead to the position, or a file
            is damaged.
    """
    _check_empty(data_dir)
    plan = _Plan.of(directory, position, time, progress, passes=2)
    with _build_directory(data_dir) as built:
        _build(built / DATABASE_NAME, plan)
    return plan.restored


def restore_into(
    database: RestoreTarget,
    directory: Path,
    progress: Progress,
    *,
    position: int | None = None,
    time: datetime | None = None,
) -> RestoreResult:
    """Restore into an empty database, atomically, through a temporary file; see `restore`.

    Raises:
        StorageError: the database is not empty or can't be opened, no backups lead to the
            position, or a file is damaged.
    """
    database.check_empty()
    plan = _Plan.of(directory, position, time, progress, passes=3)
    with TemporaryDirectory(prefix="nalanda-restore-") as folder:
        built = Path(folder) / DATABASE_NAME
        _build(built, plan)
        database.fill(built, plan.byte_progress.share(_size_bytes(plan.chain)))
    return plan.restored


def check(
    repository: Repository, manifest: Manifest, byte_progress: "_ByteProgress | None" = None
) -> None:
    """Check the file of a backup.

    Raises:
        StorageError: the file is missing, damaged, or newer than this program.
    """
    path = repository.path_of(manifest)
    if not path.exists():
        raise StorageError(f"{path} is missing.")
    with files.file_errors(path):
        if files.digest(path, byte_progress or (lambda _: None)) != manifest.sha256:
            raise StorageError(f"{path} is damaged: its checksum is not its manifest's.")
    if manifest.schema > len(MIGRATIONS):
        raise StorageError(f"A newer Nalanda has written {path} (format {manifest.schema}).")


class _ByteProgress:
    """The sum of the bytes done so far, reported as progress."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._done = 0
        self._total = total

    def __call__(self, size_bytes: int) -> None:
        self._done += size_bytes
        self._progress(self._done, self._total)

    def share(self, size_bytes: int) -> Progress:
        """Return the progress of a part of `size_bytes` that counts in another unit."""
        before = self._done
        return lambda done, of: self._progress(before + size_bytes * done // of, self._total)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The backups that lead to a position, with valid checksums."""

    repository: Repository
    chain: Sequence[Manifest]
    position: int
    byte_progress: _ByteProgress

    @classmethod
    def of(
        cls,
        directory: Path,
        position: int | None,
        time: datetime | None,
        progress: Progress,
        *,
        passes: int,
    ) -> "_Plan":
        """Choose and check the backups; `passes` is how often they are read, this included."""
        repository = Repository.open(directory)
        manifests = repository.manifests()
        if not manifests:
            raise StorageError(f"There are no backups in {directory}.")
        if position is None:
            position = (
                manifests[-1].end if time is None else _position_at(repository, manifests, time)
            )
        chain = chain_to(manifests, position)
        byte_progress = _ByteProgress(progress, passes * _size_bytes(chain))
        for manifest in chain:
            check(repository, manifest, byte_progress)
        return cls(repository, chain, position, byte_progress)

    @property
    def restored(self) -> RestoreResult:
        return RestoreResult(self.position, self.chain)


def _size_bytes(chain: Sequence[Manifest]) -> int:
    return sum(manifest.size_bytes for manifest in chain)


def _check_empty(data_dir: Path) -> None:
    with files.file_errors(data_dir):
        if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
            raise StorageError(f"{data_dir} is not empty; a restore needs a new directory.")


def _position_at(repository: Repository, manifests: Sequence[Manifest], time: datetime) -> int:
    """Return the last position that was committed by `time` and can be restored."""
    limit = to_time(time)
    ends = [m.end for m in manifests if m.full and (m.end_at or m.taken_at) <= limit]
    for manifest in manifests:
        if not manifest.full:
            check(repository, manifest)
            last = _last_until(repository.path_of(manifest), limit)
            ends += [] if last is None else [last]
    if not ends:
        raise StorageError(f"The first backup in {repository.directory} is later than {limit}.")
    return max(ends)


def _last_until(path: Path, limit: str) -> int | None:
    with (
        sqlite_errors(),
        closing(apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)) as connection,
    ):
        rows = connection.execute(
            "SELECT max(position) FROM log WHERE at <= ?", (limit,)
        ).fetchall()
    return None if rows[0][0] is None else int(str(rows[0][0]))


@contextmanager
def _build_directory(data_dir: Path) -> Iterator[Path]:
    """Yield an empty directory that is renamed to `data_dir` if the block succeeds.

    Files of an interrupted restore are deleted.

    Raises:
        DataDirInUse: another restore uses the directory.
    """
    built = files.partial_of(data_dir)
    lock = DataDirLock(built)
    try:
        with files.file_errors(built):
            for left in built.iterdir():
                if left.name != "lock":
                    left.unlink()
        yield built
        with files.file_errors(data_dir):
            sync(built)
            crash_points.reach("restore.before_rename")
            built.rename(data_dir)  # over an empty directory, if there is one
            sync(data_dir.parent)
            crash_points.reach("restore.after_rename")
    except BaseException:
        shutil.rmtree(built, ignore_errors=True)
        raise
    finally:
        lock.release()


def _build(path: Path, plan: _Plan) -> None:
    full, *increments = plan.chain
    with files.file_errors(path):
        shutil.copyfile(plan.repository.path_of(full), path)
    plan.byte_progress(full.size_bytes)
    with sqlite_errors(), closing(open_writer(path)) as database:
        database.pragma("synchronous", "off")  # all of it is synced once, at the end
        database.pragma("foreign_keys", False)
        _clear_history(database)
        _clear_model_changes(database)  # a full backup of an older format has some without history
        for manifest in increments:
            changes = plan.repository.path_of(manifest)
            increment.apply(database, changes, min(plan.position, manifest.end))
            plan.byte_progress(manifest.size_bytes)
        _clear_model_changes(database)
        _check_references(database)
        database.execute(_NEW_ORIGIN)
        database.pragma("wal_checkpoint(truncate)")
    with files.file_errors(path):
        sync(path)
    crash_points.reach("restore.after_build")


def _clear_history(database: apsw.Connection) -> None:
    """Delete the history and the enrolled repositories."""
    with database:
        database.execute("UPDATE cluster SET keeps_history = 0")
        database.execute("DELETE FROM backups")
        for table in VERSIONED:
            database.execute(f"DELETE FROM {table.name}_history")  # noqa: S608  # ours


def _clear_model_changes(database: apsw.Connection) -> None:
    """Delete staged embeddings, which belong to the full backup's position, and all changes."""
    with database:
        database.execute("DELETE FROM staged_embeddings")
        database.execute("DELETE FROM entities WHERE kind = ?", (ModelChange.kind,))


def _check_references(database: apsw.Connection) -> None:
    for table, *_ in database.execute("PRAGMA foreign_key_check"):
        raise StorageError(f"The backups do not fit together: foreign-key violation in {table}.")
