"""The origin of each epoch: PostgreSQL's system identifier and timeline, and a failover."""

import logging
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from core.domain.errors import StorageUnavailable
from tests.samples import a_library
from tests.standby import cut_off, database_with_standby, fail_over, log_of
from tests.waiting import until

CONTROL = """
SELECT system_identifier, timeline_id FROM pg_control_system(), pg_control_checkpoint()
"""
EPOCHS = "SELECT epoch, position, system_identifier, timeline FROM epochs ORDER BY epoch"


def put(store: PostgresStore, id_: str = "lib") -> int:
    with store.write() as unit:
        unit.libraries.put(a_library(id_))
        unit.commit()
        return unit.position


def test_each_epoch_has_its_position_and_origin(postgres_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        with closing(PostgresStore(postgres_url, tmp_path)) as store:
            put(store)
    with psycopg.connect(postgres_url) as connection:
        (origin,) = connection.execute(CONTROL).fetchall()
        assert connection.execute(EPOCHS).fetchall() == [(1, 0, *origin), (2, 1, *origin)]


def test_epochs_before_the_log_are_deleted(postgres_url: str, tmp_path: Path) -> None:
    with closing(PostgresStore(postgres_url, tmp_path)) as store:
        for _ in range(3):
            put(store)
        store.trim_log(3)
    for _ in range(2):
        with closing(PostgresStore(postgres_url, tmp_path)) as store:
            put(store)
            store.trim_log(store.position)
    with psycopg.connect(postgres_url) as connection:
        assert [row[:2] for row in connection.execute(EPOCHS).fetchall()] == [(2, 3), (3, 4)]


def test_a_writer_logs_a_failover_and_goes_on_where_nothing_was_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        database_with_standby() as (server, standby, url),
        closing(PostgresStore(url, tmp_path)) as store,
    ):
        put(store)
        until(lambda: log_of(standby, url) == [1])
        with caplog.at_level(logging.WARNING):
            fail_over(server, standby)
            assert put(store) == 2
        assert "has failed over: its timeline was 1 and is 2" in caplog.text
        assert log_of(standby, url) == [1, 2]


def test_a_writer_stops_where_the_failover_lost_a_write(tmp_path: Path) -> None:
    with (
        database_with_standby() as (server, standby, url),
        closing(PostgresStore(url, tmp_path)) as store,
    ):
        put(store)
        until(lambda: log_of(standby, url) == [1])
        cut_off(standby, server)
        put(store)
        fail_over(server, standby)
        with pytest.raises(StorageUnavailable, match="has lost writes"):
            put(store)
