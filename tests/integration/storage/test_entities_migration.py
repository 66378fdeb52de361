"""Databases from before entities: their model changes, and their backups."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import apsw
import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.connections.migrate import MIGRATIONS as POSTGRES_MIGRATIONS
from core.adapters.sql.columns import Row
from core.adapters.sql.rows import LIBRARIES, to_time
from core.adapters.sqlite import SqliteStore
from core.adapters.sqlite.backup.source import SqliteBackupDatabase
from core.adapters.sqlite.connections.database import APPLICATION_ID, MIGRATIONS
from core.adapters.sqlite.engine import SqliteEngine
from core.adapters.sqlite.store import DATABASE_NAME
from core.backup import files
from core.backup.backup_run import back_up
from core.backup.manifest import Kind, Manifest
from core.backup.repository import Repository
from core.backup.restore import restore
from core.domain.model_change import ModelChange, ModelChangeState, ModelComparison, ModelScores
from core.ports.store import Store
from core.services.lookup import last_model_change
from core.verification import backups, database
from tests.samples import THEN, a_library

BEFORE_SQLITE = 6
BEFORE_POSTGRES = 10
NOW = to_time(THEN)

CHANGE = ModelChange(
    library_id="lib",
    state=ModelChangeState.SWITCHED,
    workflow_id="reembed-1",
    old_model='the "old" one \U0001f980',
    old_dimension=3,
    new_model="new",
    new_dimension=2,
    staged=1,
    total=2,
    keeps_old=True,
    comparison=ModelComparison(5, 4, 0.25, ModelScores(0.5, 1.0), ModelScores(1.0, 0.1)),
    error="a \\ line\nand another",
    started_at=THEN,
    switched_at=THEN,
    ended_at=None,
)
BARE = replace(CHANGE, library_id="bare", comparison=None, error=None, keeps_old=False)
COMPARISON = (
    '{"rows": 5, "queries": 4, "overlap_at_10": 0.25, "old": {"recall_at_10": 0.5, "ndcg_at_10":'
    ' 1.0}, "new": {"recall_at_10": 1.0, "ndcg_at_10": 0.1}}'
)


def row_of(change: ModelChange) -> Row:
    """Return the row that the earlier format has of a change."""
    return (
        *(change.library_id, change.state, change.workflow_id, change.old_model),
        *(change.old_dimension, change.new_model, change.new_dimension, change.staged),
        *(change.total, int(change.keeps_old)),
        None if change.comparison is None else COMPARISON,
        *(change.error, to_time(THEN), to_time(THEN), None),
    )


ROWS = [
    *(("libraries", LIBRARIES.to_row(a_library(id_))) for id_ in ("lib", "bare")),
    *(("model_changes", row_of(change)) for change in (CHANGE, BARE)),
]


@contextmanager
def earlier_sqlite(directory: Path) -> Iterator[apsw.Connection]:
    """Yield a database of the earlier format at position 1, with history."""
    with closing(apsw.Connection(str(directory / DATABASE_NAME))) as connection:
        for script in MIGRATIONS[:BEFORE_SQLITE]:
            connection.execute(script.read_text())
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", BEFORE_SQLITE)
        connection.execute("UPDATE cluster SET position = 1, keeps_history = 1, history_from = 1")
        connection.execute("INSERT INTO log (position, at, changes) VALUES (1, ?, '[]')", [NOW])
        for table, row in ROWS:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        yield connection


def changes_in(store: Store) -> list[ModelChange | None]:
    with store.read() as snapshot:
        return [last_model_change(snapshot, id_) for id_ in ("lib", "bare", "other")]


def test_a_file_keeps_its_model_changes(tmp_path: Path) -> None:
    with earlier_sqlite(tmp_path):
        pass
    with closing(SqliteStore(tmp_path)) as store:
        assert changes_in(store) == [CHANGE, BARE, None]


def test_a_database_of_postgresql_keeps_its_model_changes(
    postgres_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE nalanda_format (number integer PRIMARY KEY)")
        for number, script in enumerate(POSTGRES_MIGRATIONS[:BEFORE_POSTGRES], start=1):
            connection.execute(script.read_bytes())
            connection.execute("INSERT INTO nalanda_format VALUES (%s)", (number,))
        for table, row in ROWS:
            marks = ", ".join(["%s"] * len(row))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})".encode(), row)
    with closing(PostgresStore(postgres_url, tmp_path)) as store:
        assert changes_in(store) == [CHANGE, BARE, None]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a directory with a full backup of the earlier format; its database is in `data`."""
    (tmp_path / "data").mkdir()
    directory = tmp_path / "backups"
    directory.mkdir()
    with earlier_sqlite(tmp_path / "data") as connection:
        ((database_id,),) = connection.execute("SELECT database_id FROM cluster").fetchall()
        repository = Repository.of(directory, str(database_id))
        enrolled = (repository.id, 1, to_time(datetime.now(UTC)))
        connection.execute("INSERT INTO backups VALUES (?, ?, ?)", enrolled)
    path = directory / "000000000001-full.db"
    partial = files.partial_of(path)
    partial.write_bytes((tmp_path / "data" / DATABASE_NAME).read_bytes())
    repository.add(
        Manifest(
            database_id=str(database_id),
            kind=Kind.FULL,
            start=1,
            end=1,
            end_at=NOW,
            taken_at=NOW,
            schema=BEFORE_SQLITE,
            file=path.name,
            size_bytes=partial.stat().st_size,
            sha256=files.digest(partial),
        )
    )
    return directory


def test_a_backup_of_the_earlier_format_goes_on(repository: Path, tmp_path: Path) -> None:
    """A change that the earlier program has deleted since the backup has no history."""
    data_dir = tmp_path / "data"
    with closing(apsw.Connection(str(data_dir / DATABASE_NAME))) as connection:
        connection.execute("DELETE FROM model_changes WHERE library_id = 'lib'")
    with closing(SqliteStore(data_dir)) as store:
        for _ in range(2):
            with store.write() as unit:
                unit.entities(ModelChange).put(CHANGE)
                unit.entities(ModelChange).put(BARE)
                unit.commit()
        source = SqliteBackupDatabase(data_dir / DATABASE_NAME)
        back_up(source, repository, lambda *_: None)
    assert list(backups.problems(repository)) == []
    for position in (1, 2, 3):
        target = tmp_path / f"at-{position}"
        restore(repository, target, lambda *_: None, position=position)
        assert list(database.problems(SqliteEngine(target), full=True)) == []
        with closing(SqliteStore(target)) as store:
            assert store.position == position
            assert changes_in(store) == [None, None, None]
