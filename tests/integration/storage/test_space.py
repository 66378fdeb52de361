"""Pages of deleted rows return to the file system, concurrently with writers and readers."""

import threading
from pathlib import Path

import apsw
import pytest

from core.adapters.sqlite import SqliteStore, space
from core.adapters.sqlite.connections.database import APPLICATION_ID, MIGRATIONS
from core.adapters.sqlite.store import DATABASE_NAME
from core.backup.compact import compact
from core.indexing.checkpoints.paths import DIRECTORY, path_of
from tests.samples import a_document, a_library, a_row

ROWS = 3_000
WRITES = 200
"""Few enough that their log entries take little space."""
TEXT = "long " * 600


def fill(store: SqliteStore) -> None:
    with store.write() as unit:
        unit.libraries.put(a_library())
        unit.documents.put(a_document())
        unit.chunks.put("lib", [a_row(f"{i:05}", text=TEXT) for i in range(ROWS)])
        unit.commit()


def delete(store: SqliteStore, count: int) -> None:
    with store.write() as unit:
        unit.chunks.delete("lib", [f"{i:05}" for i in range(count)])
        unit.commit()


def size_of(store: SqliteStore) -> int:
    return int(store._writer.pragma("page_count") * store._writer.pragma("page_size"))


def test_much_that_is_deleted_goes_back_while_others_write(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    before = size_of(sqlite_store)
    delete(sqlite_store, ROWS * 9 // 10)
    stop = threading.Event()

    def write() -> None:
        for _ in range(WRITES):
            if stop.is_set():
                return
            with sqlite_store.write() as unit:
                unit.documents.put(a_document(version=unit.position))
                unit.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with sqlite_store.read() as snapshot:
            freed = sqlite_store.reclaim()
            assert sum(1 for _ in snapshot.chunks.scan("lib")) == ROWS // 10
    finally:
        stop.set()
        writer.join()
    assert freed > before * 0.8
    assert size_of(sqlite_store) < before * 0.2
    assert sqlite_store._writer.pragma("integrity_check") == "ok"


def test_a_little_stays_for_the_next_writes(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    delete(sqlite_store, ROWS // 10)
    assert sqlite_store.reclaim() == 0


def test_a_file_from_before_learns_it_by_being_compacted(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / DATABASE_NAME))
    for script in MIGRATIONS:
        connection.execute(script.read_text())
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", len(MIGRATIONS))
    connection.close()
    store = SqliteStore(tmp_path)
    fill(store)
    delete(store, ROWS * 9 // 10)
    assert store.reclaim() == 0
    store.close()
    made = compact(tmp_path)
    assert made.after_bytes < 0.2 * made.before_bytes
    store = SqliteStore(tmp_path)
    assert store._writer.pragma("auto_vacuum") == space._INCREMENTAL
    store.close()


@pytest.mark.parametrize("oldest", [None, 4])
def test_the_log_that_the_oldest_checkpoint_needs_stays(tmp_path: Path, oldest: int | None) -> None:
    store = SqliteStore(tmp_path)
    for _ in range(6):
        with store.write() as unit:
            unit.commit()
    store.close()
    if oldest is not None:
        (tmp_path / DIRECTORY).mkdir()
        path_of(tmp_path / DIRECTORY, oldest).touch()
        path_of(tmp_path / DIRECTORY, oldest + 1).touch()
    made = compact(tmp_path)
    assert made.log_entries == (5 if oldest is None else oldest - 1)
