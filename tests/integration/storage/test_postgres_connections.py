"""Lost connections: before a write, within it, at its commit, and during reads."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.rows import Connection
from core.adapters.postgres.connections.statements import Statement, run_all
from core.adapters.postgres.writing import writing_session
from core.adapters.sql.columns import Row
from core.domain.changes import Change
from core.domain.errors import NalandaError, Unavailable
from core.ports.store import Durability
from tests.samples import a_library
from tests.waiting import until


@pytest.fixture
def committed_positions(postgres_store: PostgresStore) -> list[int]:
    positions: list[int] = []

    def hear(position: int, changes: Sequence[Change], _: bytes) -> None:
        positions.append(position)

    postgres_store.subscribe(hear)
    return positions


def end_all_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("""
            SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
        """)


def write(store: PostgresStore, id_: str = "lib", then: Callable[[], None] | None = None) -> int:
    with store.write() as unit:
        unit.libraries.put(a_library(id_))
        if then is not None:
            then()
        unit.commit()
        return unit.position


def libraries(store: PostgresStore) -> list[str]:
    with store.read() as snapshot:
        return [library.id for library in snapshot.libraries.page(after=None, limit=99)]


def test_a_write_after_the_server_went_and_came_is_like_any(
    postgres_store: PostgresStore, postgres_url: str, committed_positions: list[int]
) -> None:
    write(postgres_store, "a")
    end_all_sessions(postgres_url)
    assert write(postgres_store, "b") == 2
    assert (libraries(postgres_store), committed_positions) == (["a", "b"], [1, 2])


def test_reads_after_the_server_went_and_came_are_like_any(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    with postgres_store.read(), postgres_store.read(), postgres_store.read():
        pass
    end_all_sessions(postgres_url)
    for _ in range(4):
        assert libraries(postgres_store) == []


def test_a_read_in_the_middle_is_not_available(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    def read() -> None:
        with postgres_store.read() as snapshot:
            end_all_sessions(postgres_url)
            snapshot.libraries.page(after=None, limit=1)

    with pytest.raises(Unavailable, match="The database is not available: terminating"):
        read()
    assert libraries(postgres_store) == []


def test_a_write_that_is_cut_off_before_its_commit_is_sent_again(
    postgres_store: PostgresStore, postgres_url: str, committed_positions: list[int]
) -> None:
    assert write(postgres_store, "a", lambda: end_all_sessions(postgres_url)) == 1
    assert write(postgres_store, "b") == 2
    assert (libraries(postgres_store), committed_positions) == (["a", "b"], [1, 2])


def test_a_group_that_is_cut_off_before_its_commit_is_sent_again(
    postgres_store: PostgresStore, postgres_url: str, committed_positions: list[int]
) -> None:
    def tried(number: int) -> int:
        then = (lambda: end_all_sessions(postgres_url)) if number % 5 == 3 else None
        return write(postgres_store, f"{number:02}", then)

    with ThreadPoolExecutor(16) as pool:
        positions = list(pool.map(tried, range(16)))
    assert libraries(postgres_store) == [f"{number:02}" for number in range(16)]
    assert committed_positions == sorted(positions) == list(range(1, 17))


def test_a_write_that_is_cut_off_after_another_took_over_is_refused(
    postgres_store: PostgresStore, postgres_url: str, committed_positions: list[int], tmp_path: Path
) -> None:
    def take_over() -> None:
        end_all_sessions(postgres_url)
        PostgresStore(postgres_url, tmp_path / "other").close()

    with pytest.raises(Unavailable, match="taken over"):
        write(postgres_store, "a", take_over)
    assert (libraries(postgres_store), committed_positions) == ([], [])


def test_a_session_killed_outright_takes_the_server_down_and_it_comes_back(
    postgres_store: PostgresStore, committed_positions: list[int]
) -> None:
    """The server then ends every session, and recovers from its log."""
    write(postgres_store, "a")
    pid = postgres_store._writer._session.connection.info.backend_pid
    with suppress(Unavailable):  # which waits for the server for a while only
        write(postgres_store, "b", lambda: os.kill(pid, signal.SIGKILL))
    until(lambda: write_if_available(postgres_store, "c"), 60)
    until(lambda: available(postgres_store), 30)
    assert libraries(postgres_store) in (["a", "c"], ["a", "b", "c"])
    assert committed_positions == list(range(1, 1 + len(libraries(postgres_store))))


def write_if_available(store: PostgresStore, id_: str) -> bool:
    with suppress(Unavailable):
        return write(store, id_) > 0
    return False


def available(store: PostgresStore) -> bool:
    with suppress(Unavailable):
        return bool(libraries(store))
    return False


@contextmanager
def cut_off_at_commit(*, committed: bool) -> Iterator[None]:
    """Lose the connection at COMMIT, before or after the server receives it."""

    def cut(connection: Connection, statements: Sequence[Statement]) -> psycopg.Cursor[Row]:
        if committed or statements[-1].text != b"COMMIT":
            cursor = run_all(connection, statements)
        if statements[-1].text == b"COMMIT":
            connection.close()
            raise psycopg.OperationalError("the connection is lost")
        return cursor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing_session, "run_all", cut)
        yield


@pytest.mark.parametrize("committed", [True, False])
def test_what_became_of_a_write_is_asked_afterwards(
    postgres_store: PostgresStore, committed_positions: list[int], committed: bool
) -> None:
    with cut_off_at_commit(committed=committed):
        if committed:
            assert write(postgres_store, "a") == 1
        else:
            with pytest.raises(Unavailable, match="the connection is lost"):
                write(postgres_store, "a")
    expected = ["a"] if committed else []
    assert (libraries(postgres_store), committed_positions) == (expected, [1] * committed)
    assert write(postgres_store, "b") == 1 + committed


@pytest.mark.parametrize("committed", [True, False])
def test_a_commit_of_unknown_outcome_is_reported_before_the_next_write(
    postgres_store: PostgresStore,
    committed_positions: list[int],
    committed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(database: Database, durability: Durability) -> None:
        raise psycopg.OperationalError("there is no server")

    with monkeypatch.context() as patch, cut_off_at_commit(committed=committed):
        patch.setattr(Database, "connect", gone)
        patch.setattr(postgres_store._writer, "_outcome_timeout_s", 0.0)
        with pytest.raises(Unavailable, match="may be on record"):
            write(postgres_store, "a")
        with pytest.raises(Unavailable, match="there is no server"):
            write(postgres_store, "b")
    assert committed_positions == []
    assert write(postgres_store, "c") == 1 + committed
    assert committed_positions == [1, 2][: 1 + committed]
    assert libraries(postgres_store) == (["a", "c"] if committed else ["c"])


def test_another_s_writes_are_not_taken_for_one_s_own(
    postgres_store: PostgresStore,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def taken_over() -> None:
        end_all_sessions(postgres_url)
        other = PostgresStore(postgres_url, tmp_path / "other")
        assert write(other, "theirs") == 1
        other.close()

    with postgres_store.write() as unit:
        unit.libraries.put(a_library("ours"))
        commit = postgres_store._writer.commit

        def after_another() -> None:
            taken_over()
            commit()

        monkeypatch.setattr(postgres_store._writer, "commit", after_another)
        with pytest.raises(Unavailable):
            unit.commit()
    with pytest.raises(NalandaError, match="taken over"):
        write(postgres_store, "ours")
    assert libraries(postgres_store) == ["theirs"]
