"""SQLite's own behaviour: file format, log, durability, expiry, failures."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from core.adapters.sql.columns import Row
from core.adapters.sql.rows import CHUNKS, DOCUMENTS, EMBEDDING, LIBRARIES, from_embedded, to_time
from core.adapters.sqlite import SqliteStore
from core.adapters.sqlite.backup.source import SqliteBackupDatabase
from core.adapters.sqlite.connections.database import (
    APPLICATION_ID,
    MIGRATIONS,
    open_reader,
    open_writer,
)
from core.adapters.sqlite.store import DATABASE_NAME
from core.contracts.query import Feedback
from core.domain.document import EmbeddedChunk
from core.domain.errors import (
    StorageError,
    StorageFull,
    StorageUnavailable,
    Unavailable,
)
from core.domain.library import Language
from core.ports.backups import VERSIONED
from tests.samples import PLACES, THEN, a_document, a_library, a_row


@contextmanager
def database(directory: Path) -> Iterator[apsw.Connection]:
    with closing(apsw.Connection(str(directory / DATABASE_NAME))) as connection:
        yield connection


def log_of(directory: Path) -> list[tuple[Any, ...]]:
    with database(directory) as connection:
        rows = connection.execute("SELECT position, changes FROM log ORDER BY position").fetchall()
    return [(position, json.loads(str(changes))) for position, changes in rows]


def test_what_is_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store, store.write() as unit:
        unit.libraries.put(a_library())
        unit.commit()
        key = store.cursor_key
    with closing(SqliteStore(tmp_path)) as store, store.read() as snapshot:
        assert snapshot.position == 1
        assert snapshot.libraries.get("lib") == a_library()
        assert store.cursor_key == key


def test_the_log_tells_of_each_position_by_reference(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path)) as store:
        with store.write() as unit:
            unit.libraries.put(a_library())
            unit.documents.put(a_document())
            unit.chunks.put("lib", [a_row("a"), a_row("b")])
            unit.commit()
        with store.write() as unit:
            unit.documents.delete("lib", "doc")
            unit.libraries.delete("lib")
            unit.commit()
        with store.write() as unit:
            unit.feedback.add("q", Feedback(rating=1))
            unit.commit()
    first, second, third = log_of(tmp_path)
    assert first == (
        1,
        [
            {"kind": "library_put", "library_id": "lib"},
            {"kind": "document_put", "library_id": "lib", "document_id": "doc"},
            {"kind": "chunks_put", "library_id": "lib", "chunk_ids": ["a", "b"]},
        ],
    )
    assert second == (
        2,
        [
            {"kind": "chunks_deleted", "library_id": "lib", "chunk_ids": ["a", "b"]},
            {"kind": "document_deleted", "library_id": "lib", "document_id": "doc"},
            {"kind": "library_deleted", "library_id": "lib"},
        ],
    )
    assert third == (3, [{"kind": "feedback_added", "workflow_id": "q"}])


def test_commits_go_to_the_disk(sqlite_store: SqliteStore) -> None:
    with sqlite_store.write():
        assert sqlite_store._writer.pragma("journal_mode") == "wal"
        assert sqlite_store._writer.pragma("synchronous") == 2  # full
        assert sqlite_store._writer.pragma("foreign_keys") == 1


def test_a_file_of_another_kind_is_left_as_it_is(tmp_path: Path) -> None:
    contents = b"not a database, but long enough to have a header" * 100
    (tmp_path / DATABASE_NAME).write_bytes(contents)
    with pytest.raises(StorageError, match=r"nalanda\.db can't be opened: It is not a SQLite"):
        SqliteStore(tmp_path)
    assert (tmp_path / DATABASE_NAME).read_bytes() == contents


def test_another_program_s_database_is_left_as_it_is(tmp_path: Path) -> None:
    with database(tmp_path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StorageError, match="another program's"):
        SqliteStore(tmp_path)
    with database(tmp_path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        assert tables == [("theirs",)]
        assert connection.pragma("journal_mode") == "delete"


def test_a_damaged_database_is_one_clear_line(tmp_path: Path) -> None:
    SqliteStore(tmp_path).close()
    path = tmp_path / DATABASE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 4000 + whole[4100:])
    with pytest.raises(StorageError, match=r"nalanda\.db can't be opened: .*damaged"):
        SqliteStore(tmp_path)


def test_a_missing_column_is_an_error_and_not_its_name(tmp_path: Path) -> None:
    SqliteStore(tmp_path).close()
    for opened in (open_writer, open_reader):
        with closing(opened(tmp_path / DATABASE_NAME)) as connection:
            assert connection.execute('SELECT "place" FROM chunks').fetchall() == []
            with pytest.raises(apsw.SQLError, match="no such column"):
                connection.execute('SELECT "nowhere" FROM chunks')


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    SqliteStore(tmp_path).close()
    with database(tmp_path) as connection:
        connection.pragma("user_version", len(MIGRATIONS) + 1)
    with pytest.raises(StorageError, match="A newer Nalanda has written it"):
        SqliteStore(tmp_path)


def test_a_library_from_before_languages_is_english(tmp_path: Path) -> None:
    with database(tmp_path) as connection:
        connection.execute(MIGRATIONS[0].read_text())
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", 1)
        now = "2026-01-02T03:04:05.000000+00:00"
        connection.execute(
            "INSERT INTO libraries VALUES (?, ?, NULL, '{}', NULL, NULL, ?, ?, NULL, 1, ?, ?)",
            ("old", "old", "cosine", '{"kind": "auto", "parameters": {}}', now, now),
        )
    store = SqliteStore(tmp_path)
    with store.read() as snapshot:
        assert snapshot.libraries.get("old").language is Language.ENGLISH
    store.close()


def test_a_file_from_before_places_keeps_its_chunks_and_their_history(tmp_path: Path) -> None:
    with database(tmp_path) as connection:
        for script in MIGRATIONS[:3]:
            connection.execute(script.read_text())
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", 3)
        connection.execute("UPDATE cluster SET position = 1, keeps_history = 1")
        for table, row in (
            ("libraries", LIBRARIES.to_row(a_library())),
            ("documents", DOCUMENTS.to_row(a_document())),
            ("chunks", before_places(a_row("c"))),
        ):
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        connection.execute(
            "INSERT INTO log (position, at, changes) VALUES (1, ?, '[]')", (to_time(THEN),)
        )
    changed = a_row("c", text="another", version=2, place=PLACES[2])
    with closing(SqliteStore(tmp_path)) as store:
        with store.read() as snapshot:
            assert snapshot.chunks.get("lib", "c") == a_row("c").chunk
        for put in (changed, a_row("c", version=3)):
            with store.write() as unit:
                unit.chunks.put("lib", [put])
                unit.commit()
    with SqliteBackupDatabase(tmp_path / DATABASE_NAME).source() as source:
        history = list(source.superseded_rows(VERSIONED[2], 0))
    names = [column.name for column in (*CHUNKS.columns[:-1], EMBEDDING, CHUNKS.columns[-1])]
    names += ["content_version", "until"]
    assert [dict(zip(names, row, strict=True)) for row in history] == [
        {**stored(a_row("c")), "content_version": None, "until": 2},
        {**stored(changed), "content_version": None, "until": 3},
    ]


def before_places(row: EmbeddedChunk) -> Row:
    return tuple(value for name, value in stored(row).items() if name != "place")


def stored(row: EmbeddedChunk) -> dict[str, object]:
    names = [column.name for column in (*CHUNKS.columns, EMBEDDING)]
    return dict(zip(names, from_embedded(row), strict=True))


def test_a_failed_opening_lets_go_of_the_directory(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_NAME
    path.mkdir()
    with pytest.raises(StorageError):
        SqliteStore(tmp_path)
    path.rmdir()
    SqliteStore(tmp_path).close()


def test_a_store_of_an_earlier_epoch_writes_no_more(sqlite_store: SqliteStore) -> None:
    sqlite_store._writer.execute("UPDATE cluster SET epoch = epoch + 1")
    with pytest.raises(Unavailable, match="taken over"), sqlite_store.write():
        pass
    with sqlite_store.read() as snapshot:
        assert snapshot.position == 0


def test_a_full_disk_stops_writes_and_not_reads(sqlite_store: SqliteStore) -> None:
    pages = sqlite_store._writer.pragma("page_count")
    sqlite_store._writer.pragma("max_page_count", pages)

    def write_much() -> None:
        with sqlite_store.write() as unit:
            unit.libraries.put(a_library(description="long" * 100_000))
            unit.commit()

    with pytest.raises(StorageFull):
        write_much()
    with sqlite_store.read() as snapshot:
        assert snapshot.position == 0
    sqlite_store._writer.pragma("max_page_count", 2**30)
    write_much()
    with sqlite_store.read() as snapshot:
        assert snapshot.position == 1


def test_a_disk_that_takes_no_writes_is_no_hindrance_to_reads(sqlite_store: SqliteStore) -> None:
    sqlite_store._writer.pragma("query_only", True)
    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="can't be written to"), sqlite_store.write():
            pass
        with sqlite_store.read() as snapshot:
            assert snapshot.position == 0
    sqlite_store._writer.pragma("query_only", False)
    with sqlite_store.write() as unit:
        unit.commit()
    with sqlite_store.read() as snapshot:
        assert snapshot.position == 1


def test_a_full_disk_fails_the_whole_group_and_not_the_next(sqlite_store: SqliteStore) -> None:
    """One write finds no space; those in its transaction leave no partial rows."""
    committed_positions: list[int] = []
    sqlite_store.subscribe(lambda position, *_: committed_positions.append(position))
    pages = sqlite_store._writer.pragma("page_count")
    sqlite_store._writer.pragma("max_page_count", pages + 40)

    def write(number: int) -> int | None:
        try:
            with sqlite_store.write() as unit:
                unit.libraries.put(a_library(f"{number:03}", description="long" * 2_000))
                unit.commit()
                return unit.position
        except StorageFull:
            return None

    with ThreadPoolExecutor(16) as pool:
        positions = sorted(at for at in pool.map(write, range(100)) if at is not None)
    assert positions == committed_positions == list(range(1, len(positions) + 1))
    assert 0 < len(positions) < 100
    with sqlite_store.read() as snapshot:
        assert snapshot.position == len(positions)
        assert len(snapshot.libraries.page(after=None, limit=200)) == len(positions)


def test_a_chunk_without_its_document_is_refused(sqlite_store: SqliteStore) -> None:
    with sqlite_store.write() as unit:
        unit.libraries.put(a_library())
        with pytest.raises(apsw.ConstraintError):
            unit.chunks.put("lib", [a_row("a")])


def test_a_listener_s_failure_undoes_nothing_and_is_logged(
    sqlite_store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    committed_positions = []

    def fail(position: int, *_: object) -> None:
        raise ZeroDivisionError

    sqlite_store.subscribe(fail)
    sqlite_store.subscribe(lambda position, *_: committed_positions.append(position))
    with caplog.at_level(logging.ERROR), sqlite_store.write() as unit:
        unit.commit()
    assert committed_positions == [1]
    assert "Position 1 is on record" in caplog.text
    assert "ZeroDivisionError" in caplog.text
