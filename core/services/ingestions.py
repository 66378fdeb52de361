"""The service of cancelled ingestions, whose writes are refused.

A document that is being embedded when its ingestion is cancelled, or whose worker was killed, is
refused in its write's transaction. So the removal, a later transaction, misses no document. The
cancellation is on record, so that a restart or a new leader refuses the write as well.
"""

from datetime import UTC, datetime, timedelta

from core.domain.cancelled_ingestion import CancelledIngestion
from core.domain.errors import PreconditionFailed
from core.ports.rows import RowWriter
from core.ports.store import Snapshot, Store, UnitOfWork
from core.services.lookup import find

RETENTION = timedelta(days=30)
"""A worker that was suspended for longer could write after all."""

_PAGE_ROWS = 1000


class IngestionService:
    def __init__(self, store: Store) -> None:
        self._store = store

    def cancel(self, ref: str, workflow_id: str) -> int:
        """Refuse the ingestion's writes to the library from now on; return the position.

        Idempotent. Records of earlier cancellations are deleted after `RETENTION`.

        Raises:
            NotFound: there is no such library.
        """
        with self._store.read() as snapshot:
            library = snapshot.libraries.get(ref)
            if _is_cancelled(snapshot, library.id, workflow_id):
                return snapshot.position
        with self._store.write() as unit:
            library, now = unit.libraries.get(ref), datetime.now(UTC)
            _delete_expired(unit.entities(CancelledIngestion), library.id, now - RETENTION)
            unit.entities(CancelledIngestion).put(CancelledIngestion(workflow_id, library.id, now))
            unit.commit()
            return unit.position


def check_not_cancelled(
    record: Snapshot | UnitOfWork, library_id: str, ingestion: str | None
) -> None:
    """Check that an ingestion may write; `None` is another writer.

    Raises:
        PreconditionFailed: the ingestion is cancelled.
    """
    if ingestion is not None and _is_cancelled(record, library_id, ingestion):
        raise PreconditionFailed(f"The ingestion {ingestion} is cancelled.")


def _is_cancelled(record: Snapshot | UnitOfWork, library_id: str, ingestion: str) -> bool:
    return find(record.entities(CancelledIngestion).get, library_id, ingestion) is not None


def _delete_expired(
    cancelled: RowWriter[CancelledIngestion], library_id: str, before: datetime
) -> None:
    for each in cancelled.page(library_id, after=None, limit=_PAGE_ROWS):
        if each.cancelled_at < before:
            cancelled.delete(library_id, each.id)
