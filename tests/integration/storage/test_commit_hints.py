"""Hints of commits: a process that follows is woken by the commits of the one that writes."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from tests.samples import a_library
from tests.waiting import until

LISTENERS = """
FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'
"""


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SILENCE_S", "_RETRY_S"):
        monkeypatch.setattr(f"core.adapters.postgres.connections.commit_hints.{name}", 0.05)


@pytest.fixture
def follower(
    postgres_store: PostgresStore, postgres_url: str, tmp_path: Path
) -> Iterator[PostgresStore]:
    with closing(PostgresStore(postgres_url, tmp_path / "follower", follows=True)) as store:
        yield store


def listeners(url: str) -> int:
    with psycopg.connect(url) as connection:
        return int(connection.execute(f"SELECT count(*) {LISTENERS}".encode()).fetchall()[0][0])


def put(store: PostgresStore, id_: str) -> None:
    with store.write() as unit:
        unit.libraries.put(a_library(id_))
        unit.commit()


def test_each_commit_wakes(
    postgres_store: PostgresStore, follower: PostgresStore, postgres_url: str
) -> None:
    woken = Event()
    follower.watch(woken.set)
    until(lambda: listeners(postgres_url) == 1)
    for number in range(3):
        woken.clear()
        put(postgres_store, f"l{number}")
        until(woken.is_set)


def test_a_lost_connection_is_opened_again(
    postgres_store: PostgresStore, follower: PostgresStore, postgres_url: str
) -> None:
    woken = Event()
    follower.watch(woken.set)
    until(lambda: listeners(postgres_url) == 1)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {LISTENERS}".encode())
    until(lambda: listeners(postgres_url) == 1)
    put(postgres_store, "l")
    until(woken.is_set)


def test_a_process_that_writes_does_not_listen(follower: PostgresStore, postgres_url: str) -> None:
    follower.watch(lambda: None)
    until(lambda: listeners(postgres_url) == 1)
    follower.take_over()
    until(lambda: listeners(postgres_url) == 0)
    follower.step_down()
    until(lambda: listeners(postgres_url) == 1)


def test_nothing_listens_once_the_store_is_closed(
    follower: PostgresStore, postgres_url: str
) -> None:
    follower.watch(lambda: None)
    until(lambda: listeners(postgres_url) == 1)
    follower.close()
    until(lambda: listeners(postgres_url) == 0)
