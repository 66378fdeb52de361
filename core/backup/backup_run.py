"""Takes backups: a full one first, then incremental ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.backup import files, increment
from core.backup.manifest import Kind, Manifest, stem_of
from core.backup.repository import CONTENT, Repository, lock
from core.domain.errors import StorageError
from core.ports.backups import BackupDatabase, BackupSource, Progress


@dataclass(frozen=True, slots=True)
class BackupResult:
    """The backups written, none if nothing had changed.

    `why_full` is the reason for a full backup where an incremental one was due.
    """

    manifests: Sequence[Manifest]
    position: int
    why_full: str | None = None


def back_up(
    database: BackupDatabase, directory: Path, progress: Progress, *, full: bool = False
) -> BackupResult:
    """Take an incremental backup if the last one allows it, else a full one.

    With `full` take both, so that each position can be restored. Writes go on meanwhile. The
    next backup deletes the files of an interrupted one.

    Raises:
        StorageError: the database or the directory can't be used, or the directory has the
            backups of another database.
    """
    with database.source() as source:
        database_id = source.database_id
    with lock(directory), files.file_errors(directory):
        repository = Repository.of(directory, database_id)
        repository.clean()
        database.enrol(repository.id)
        with database.source() as source:
            backup = _BackupRun(repository, source, progress).take(full=full)
        database.record_backup(repository.id, backup.position)
        return backup


class _BackupRun:
    def __init__(self, repository: Repository, source: BackupSource, progress: Progress) -> None:
        self._repository = repository
        self._source = source
        self._progress = progress

    def take(self, *, full: bool) -> BackupResult:
        position, earlier = self._source.position, self._repository.manifests()
        last = earlier[-1] if earlier else None
        why_full = self._obstacle(last) if last else None
        written = []
        if last and not why_full and last.end < position:
            written.append(self._write(Kind.INCREMENTAL, last.end))
        has_full = any(manifest.full and manifest.end == position for manifest in earlier)
        if last is None or why_full or (full and not has_full):
            written.append(self._write(Kind.FULL, position))
        return BackupResult(written, position, why_full)

    def _obstacle(self, last: Manifest) -> str | None:
        """Return why no incremental backup can follow the last one, or `None` if one can.

        Raises:
            StorageError: the database's past differs from the last backup.
        """
        if last.end > self._source.position or self._differs(last):
            raise StorageError(
                f"The last backup in {self._repository.directory}, of position {last.end}, is not a"
                " past state of this database. Choose another directory."
            )
        if not self._source.reaches_back_to(last.end):
            return f"the database no longer has the changes since position {last.end}"
        return None

    def _differs(self, last: Manifest) -> bool:
        at = self._source.time_of(last.end)
        return None not in (at, last.end_at) and at != last.end_at

    def _write(self, kind: Kind, start: int) -> Manifest:
        source = self._source
        path = self._repository.directory / (stem_of(kind, start, source.position) + CONTENT)
        partial = files.partial_of(path)
        if kind is Kind.FULL:
            source.copy_to(partial, self._progress)
        else:
            increment.write(partial, source, start, self._progress)
        manifest = Manifest(
            database_id=source.database_id,
            kind=kind,
            start=start,
            end=source.position,
            end_at=source.time_of(source.position),
            taken_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            schema=source.schema,
            file=path.name,
            size_bytes=partial.stat().st_size,
            sha256=files.digest(partial),
        )
        self._repository.add(manifest)
        return manifest
