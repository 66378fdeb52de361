"""Restores into PostgreSQL, from backups of either engine: all or nothing."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from core import crash_points
from core.adapters.postgres import PostgresStore
from core.adapters.postgres.backup.restore_target import PostgresRestoreTarget
from core.adapters.postgres.backup.source import PostgresBackupDatabase
from core.adapters.postgres.connections.migrate import LOCK
from core.backup.backup_run import back_up
from core.backup.manifest import Kind
from core.backup.restore import RestoreResult, restore, restore_into
from core.contracts.query import Feedback
from core.domain.errors import StorageError, Unavailable
from tests.integration.backup.case import Case, kinds, rows_up_to, silent
from tests.integration.backup.recorded import Writer, digest_in, digest_on
from tests.integration.backup.test_interrupted import killed_at
from tests.postgres import PostgresServer
from tests.samples import a_document, a_library, a_row


@pytest.fixture
def target_url(postgres: PostgresServer) -> Iterator[str]:
    """Yield a database other than the backed-up one."""
    with postgres.database() as url:
        yield url


def restore_backup(
    case: Case, url: str, position: int | None = None, time: datetime | None = None
) -> RestoreResult:
    database = PostgresRestoreTarget(url)
    return restore_into(database, case.directory, silent, position=position, time=time)


def digest_of(url: str, root: Path) -> tuple[int, str]:
    with closing(PostgresStore(url, root / "beside")) as store:
        return digest_on(store)


def tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        counted = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ((count,),) = connection.execute(counted).fetchall()
    return int(count)


def test_a_restore_equals_the_record(either: Case, target_url: str) -> None:
    either.write(20)
    either.back_up()
    last = either.write(40)
    either.back_up()
    assert restore_backup(either, target_url).position == last
    assert rows_up_to(PostgresBackupDatabase(target_url), last) == rows_up_to(either.database, last)
    assert digest_of(target_url, either.root) == either.expected(last)


def test_a_restore_to_a_position_or_a_time_has_nothing_of_later(
    either: Case, postgres: PostgresServer
) -> None:
    either.write(20)
    either.back_up()
    either.write(40)
    either.back_up()
    log = rows_up_to(either.database, 33)["log"]
    at = datetime.fromisoformat(log[-1]["at"])
    for position, time in ((20, None), (45, None), (None, at)):
        expected = position or 33
        with postgres.database() as url:
            assert restore_backup(either, url, position, time).position == expected
            filled = PostgresBackupDatabase(url)
            assert rows_up_to(filled, 10**9) == rows_up_to(either.database, expected)
            assert digest_of(url, either.root) == either.expected(expected)


def test_it_is_another_database_that_can_be_written_to(
    either: Case, target_url: str, tmp_path: Path
) -> None:
    """It can be backed up to its own directory, and restored to SQLite from there."""
    position = either.write(60)
    either.back_up()
    restore_backup(either, target_url)
    database = PostgresBackupDatabase(target_url)
    with pytest.raises(StorageError, match="has the backups of another database"):
        back_up(database, either.directory, silent)
    with closing(PostgresStore(target_url, tmp_path / "beside")) as store:
        assert store.cursor_key == either.store.cursor_key
        assert kinds(back_up(database, tmp_path / "its", silent)) == [Kind.FULL]
        assert Writer(store, seed=3).write() == position + 1
        with store.write() as unit:  # numbered after the existing ones
            unit.feedback.add("question", Feedback(rating=1))
            unit.commit()
        assert kinds(back_up(database, tmp_path / "its", silent)) == [Kind.INCREMENTAL]
        expected = digest_on(store)
    restore(tmp_path / "its", tmp_path / "back", silent)
    assert digest_in(tmp_path / "back") == expected


def test_texts_that_postgresql_does_not_have(case: Case, target_url: str) -> None:
    text = "a\x00b\x01c\\N\t\n\U0001f600"
    with case.store.write() as unit:
        unit.libraries.put(a_library(version=unit.position, description=text))
        unit.documents.put(a_document(version=unit.position))
        unit.chunks.put("lib", [a_row("c", version=unit.position, text=text)])
        unit.commit()
    case.back_up()
    restore_backup(case, target_url)
    assert digest_of(target_url, case.root) == case.expected(1)


def test_a_database_with_nothing_in_it_is_filled(case: Case, target_url: str) -> None:
    """An open server and earlier backups do not matter: the server stops writing."""
    case.write(10)
    case.back_up()
    with closing(PostgresStore(target_url, case.root / "other")) as store:
        back_up(PostgresBackupDatabase(target_url), case.root / "its", silent)
        assert restore_backup(case, target_url).position == 10
        with pytest.raises(Unavailable, match="taken over"):
            Writer(store, seed=2).write()
    with psycopg.connect(target_url) as connection:
        query = "SELECT keeps_history, (SELECT count(*) FROM backups) FROM cluster"
        assert connection.execute(query).fetchall() == [(False, 0)]
    assert digest_of(target_url, case.root) == case.expected(10)


def test_a_database_that_is_not_empty_stays_as_it_is(
    case: Case, target_url: str, tmp_path: Path
) -> None:
    case.write(10)
    case.back_up()
    with closing(PostgresStore(target_url, tmp_path / "other")) as store:
        Writer(store, seed=2).write()
        before = digest_on(store)
        with pytest.raises(StorageError, match="is not empty; a restore needs an empty database"):
            restore_backup(case, target_url)
        filled = PostgresRestoreTarget(target_url)  # as after a concurrent write
        restore(case.directory, tmp_path / "built", silent)
        with pytest.raises(StorageError, match="is not empty"):
            filled.fill(tmp_path / "built" / "nalanda.db", silent)
        assert digest_on(store) == before


def test_the_database_of_another_program_stays_as_it_is(case: Case, target_url: str) -> None:
    case.write(10)
    case.back_up()
    with psycopg.connect(target_url) as connection:
        connection.execute("CREATE TABLE theirs (id integer)")
    with pytest.raises(StorageError, match="another program's; Nalanda leaves it unchanged"):
        restore_backup(case, target_url)
    assert tables(target_url) == 1


@pytest.mark.parametrize("step", ["restore.after_build", "restore.before_commit"])
def test_what_is_killed_leaves_nothing_behind(
    case: Case, target_url: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    case.write(10)
    case.back_up()
    monkeypatch.setenv("NALANDA_DATABASE_URL", target_url)
    monkeypatch.setenv("TMPDIR", str(case.root))
    killed_at(step, "restore", case.directory)
    assert tables(target_url) == 0
    assert restore_backup(case, target_url).position == 10
    assert digest_of(target_url, case.root) == case.expected(10)


def test_what_is_killed_after_its_commit_is_whole(
    case: Case, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.write(10)
    case.back_up()
    monkeypatch.setenv("NALANDA_DATABASE_URL", target_url)
    monkeypatch.setenv("TMPDIR", str(case.root))
    killed_at("restore.after_commit", "restore", case.directory)
    assert digest_of(target_url, case.root) == case.expected(10)


def test_an_error_leaves_the_empty_database_as_it_was(
    case: Case, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.write(10)
    case.back_up()
    with closing(PostgresStore(target_url, case.root / "other")):
        pass

    def fail(step: str) -> None:
        if step == "restore.before_commit":
            raise OSError("as it happens")

    monkeypatch.setattr(crash_points, "reach", fail)
    with pytest.raises(OSError, match="as it happens"):
        restore_backup(case, target_url)
    assert digest_of(target_url, case.root) == case.expected(0)
    monkeypatch.undo()
    assert restore_backup(case, target_url).position == 10


def test_rows_that_do_not_come_are_noticed(case: Case, target_url: str) -> None:
    """A trigger that rejects rows is an example."""
    case.write(10)
    case.back_up()
    with closing(PostgresStore(target_url, case.root / "other")):
        pass
    with psycopg.connect(target_url) as connection:
        connection.execute(
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        )
        connection.execute(
            "CREATE TRIGGER lose BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION lose()"
        )
    with pytest.raises(StorageError, match="has not taken all rows of log"):
        restore_backup(case, target_url)
    assert digest_of(target_url, case.root) == case.expected(0)


def test_no_server_starts_meanwhile(
    case: Case, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.write(10)
    case.back_up()
    free: list[bool] = []

    def try_lock(step: str) -> None:
        if step == "restore.before_commit":
            with psycopg.connect(target_url) as connection:
                tried = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,))
                free.extend(row[0] for row in tried)

    monkeypatch.setattr(crash_points, "reach", try_lock)
    restore_backup(case, target_url)
    assert free == [False]


def test_a_damaged_backup_restores_nothing(case: Case, target_url: str) -> None:
    case.write(10)
    case.back_up()
    (path,) = case.directory.glob("*.db")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StorageError, match="is damaged"):
        restore_backup(case, target_url)
    assert tables(target_url) == 0
