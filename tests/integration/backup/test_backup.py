"""Backups of a database under writes, and their restores."""

import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import apsw
import numpy as np
import pytest

from core.adapters.data_dir import DataDirLock
from core.adapters.sqlite import SqliteStore, space
from core.adapters.sqlite.backup.source import SqliteBackupDatabase
from core.adapters.sqlite.engine import SqliteEngine
from core.adapters.sqlite.store import DATABASE_NAME
from core.backup.backup_run import back_up
from core.backup.manifest import Kind
from core.backup.repository import lock
from core.backup.restore import restore
from core.domain.document import EmbeddedChunk
from core.domain.errors import DataDirInUse, StorageError
from core.ports.backups import HISTORY_RETENTION, VERSIONED
from core.verification import backups, database
from tests.integration.backup.case import Case, kinds, rows_up_to, silent
from tests.integration.backup.recorded import Writer
from tests.samples import a_document, a_library, a_row


def test_every_position_since_the_first_backup_can_be_restored(either: Case) -> None:
    first = either.write(30)
    assert kinds(either.back_up()) == [Kind.FULL]
    random = Random(2)
    for _ in range(6):
        either.write(random.randint(1, 40))
        assert kinds(either.back_up()) == [Kind.INCREMENTAL]
    last = max(either.digests.by_position)
    assert either.restore() == either.expected(last)
    for position in sorted(random.sample(range(first, last + 1), 12)):
        assert either.restore(position) == either.expected(position)
    assert list(backups.problems(either.directory)) == []


def test_a_restored_database_has_nothing_of_later(either: Case) -> None:
    either.write(20)
    either.back_up()
    either.write(40)
    either.back_up()
    either.restore(45)
    restored = either.root / "restored-1"
    assert rows_up_to(SqliteBackupDatabase(restored / DATABASE_NAME), 10**9) == rows_up_to(
        either.database, 45
    )
    assert list(database.problems(SqliteEngine(restored), full=True)) == []
    with closing(SqliteStore(restored)) as store:  # and it accepts writes
        assert Writer(store, seed=3).write() == 46


def test_backups_while_others_write(either: Case) -> None:
    """A restore equals the state at each position, also between backups."""
    stop = threading.Event()

    def write(seed: int) -> None:
        writer = Writer(either.store, seed, either.digests.notes)
        while not stop.is_set():
            writer.write()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(3)]
    for thread in writers:
        thread.start()
    try:
        ends = [either.back_up(full=number == 4).position for number in range(8)]
    finally:
        stop.set()
        for thread in writers:
            thread.join()
    assert ends == sorted(ends)
    assert ends[-1] > ends[0]
    for position in {*ends[:5], *Random(4).sample(range(ends[0], ends[-1] + 1), 6)}:
        assert either.restore(position) == either.expected(position)


def test_a_time_is_the_last_position_by_then(case: Case) -> None:
    times = {}
    for _ in range(3):
        case.write(5)
        position = case.back_up().position
        times[position] = datetime.now(UTC)
    for position, time in times.items():
        assert case.restore(time=time)[0] == position
    log = rows_up_to(case.database, 12)["log"]
    at = datetime.fromisoformat(log[-1]["at"])
    assert case.restore(time=at)[0] == 12
    assert case.restore(time=at - timedelta(microseconds=1))[0] == 11
    with pytest.raises(StorageError, match=r"The first backup in .* is later than"):
        case.restore(time=datetime.fromisoformat(log[0]["at"]))


def test_an_incremental_backup_is_as_large_as_the_change(either: Case) -> None:
    rows = 4_000
    with either.store.write() as unit:
        unit.libraries.put(a_library(dimension=256, version=unit.position))
        unit.documents.put(a_document(version=unit.position))
        unit.chunks.put("lib", [wide_row(i, unit.position) for i in range(rows)])
        unit.commit()
    full = either.back_up().manifests[0].size_bytes
    sizes = []
    for changed in (40, 400):
        with either.store.write() as unit:
            unit.chunks.put("lib", [wide_row(i, unit.position) for i in range(changed)])
            unit.commit()
        sizes.append(either.back_up().manifests[0].size_bytes)
    for changed, size in zip((40, 400), sizes, strict=True):
        assert size < 64 * 1024 + 1.5 * full * changed / rows
    with either.store.write() as unit:  # of deleted rows, only the keys
        unit.chunks.delete("lib", [f"{i:06}" for i in range(2_000)])
        unit.commit()
    assert either.back_up().manifests[0].size_bytes < 0.05 * full
    last = max(either.digests.by_position)
    assert either.restore() == either.expected(last)


def wide_row(number: int, version: int) -> EmbeddedChunk:
    row = a_row(f"{number:06}", version=version, text="text " * 20)
    return replace(row, embedding=np.full(256, number + 1, np.float32))


def test_without_a_change_there_is_no_backup(either: Case) -> None:
    either.write(3)
    either.back_up()
    assert kinds(either.back_up()) == []
    assert kinds(either.back_up(full=True)) == []  # one of this position exists
    either.write(1)
    assert kinds(either.back_up(full=True)) == [Kind.INCREMENTAL, Kind.FULL]
    assert either.restore(3) == either.expected(3)


def test_a_database_with_nothing_in_it(either: Case) -> None:
    assert kinds(either.back_up()) == [Kind.FULL]
    assert either.restore() == either.expected(0)
    either.write(2)
    assert kinds(either.back_up()) == [Kind.INCREMENTAL]
    assert either.restore(1) == either.expected(1)


def test_history_that_no_backup_needs_is_let_go_of(case: Case) -> None:
    case.write(50)
    assert history_rows(case) == 0  # without backups there is no cost
    case.back_up()
    case.write(50)
    assert history_rows(case) > 0
    case.back_up()
    assert history_rows(case) == 0
    case.write(50)
    other = case.root / "other"
    database = SqliteBackupDatabase(case.data_dir / DATABASE_NAME)
    back_up(database, other, silent)  # another directory, which leaves the first one's data alone
    assert history_rows(case) > 0
    case.write(10)
    case.store.trim_log(10**9)
    case.store.reclaim()
    assert kinds(case.back_up()) == [Kind.INCREMENTAL]
    assert case.restore(120) == case.expected(120)


def history_rows(case: Case) -> int:
    connection = apsw.Connection(str(case.data_dir / DATABASE_NAME))
    tables = [f"{table.name}_history" for table in VERSIONED]
    counts = [connection.execute(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in tables]
    connection.close()
    return sum(int(str(count)) for count in counts)


def test_where_the_history_no_longer_reaches_back_it_is_a_full_one(case: Case) -> None:
    case.write(20)
    case.back_up()
    case.write(20)
    later = datetime.now(UTC) + HISTORY_RETENTION
    space.reclaim(case.data_dir / DATABASE_NAME, later)
    assert history_rows(case) == 0
    taken = case.back_up()
    assert kinds(taken) == [Kind.FULL]
    assert taken.why_full == "the database no longer has the changes since position 20"
    with pytest.raises(StorageError, match="leads to position 30; there are 20 to 20 and 40 to 40"):
        case.restore(30)
    case.write(5)
    assert kinds(case.back_up()) == [Kind.INCREMENTAL]
    assert case.restore(43) == case.expected(43)
    assert list(backups.problems(case.directory)) == ["no backup leads from position 20 to 40"]


def test_one_backup_at_a_time(case: Case) -> None:
    with lock(case.directory), pytest.raises(StorageError, match="Another backup is being taken"):
        case.back_up()


def test_the_backups_of_another_database(case: Case, tmp_path: Path) -> None:
    case.write(3)
    case.back_up()
    case.restore()
    restored = SqliteBackupDatabase(case.root / "restored-1" / DATABASE_NAME)
    with pytest.raises(StorageError, match="has the backups of another database"):
        back_up(restored, case.directory, silent)
    with pytest.raises(StorageError, match="has other files in it"):
        back_up(restored, case.root, silent)
    missing = SqliteBackupDatabase(tmp_path / "none.db")
    with pytest.raises(StorageError, match="There is no database"):
        back_up(missing, tmp_path / "x", silent)


def test_a_database_that_was_set_back(case: Case) -> None:
    """A copy of an earlier state has the same id; its log reveals the difference."""
    case.write(3)
    case.back_up()
    copy = case.root / "copy"
    copy.mkdir()
    database = SqliteBackupDatabase(copy / DATABASE_NAME)
    case_copy = case.directory / "000000000003-full.db"
    (copy / DATABASE_NAME).write_bytes(case_copy.read_bytes())
    case.write(1)
    case.back_up()
    with pytest.raises(StorageError, match="of position 4, is not a past state"):
        back_up(database, case.directory, silent)
    with closing(SqliteStore(copy)) as store:
        Writer(store, seed=5).write()
    with pytest.raises(StorageError, match="of position 4, is not a past state"):
        back_up(database, case.directory, silent)


def test_a_restore_takes_a_new_place(case: Case) -> None:
    case.write(3)
    case.back_up()
    with pytest.raises(StorageError, match="is not empty"):
        restore(case.directory, case.data_dir, silent)
    (case.root / "empty").mkdir()
    assert restore(case.directory, case.root / "empty", silent).position == 3
    with pytest.raises(StorageError, match="There are no backups in"):
        restore(case.root / "empty", case.root / "x", silent)
    lock = DataDirLock(case.root / "y.partial")  # as another restore gives it
    with pytest.raises(DataDirInUse):
        restore(case.directory, case.root / "y", silent)
    lock.release()
