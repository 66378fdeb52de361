"""The hash chain of the log: on both engines, from groups, and from before the chain."""

import hashlib
import random
import shutil
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import apsw
import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.connections.migrate import MIGRATIONS as POSTGRES_MIGRATIONS
from core.adapters.sql.rows import to_time
from core.adapters.sqlite import SqliteStore
from core.adapters.sqlite.connections.database import APPLICATION_ID, MIGRATIONS
from core.adapters.sqlite.store import DATABASE_NAME
from core.domain.errors import StorageUnavailable
from core.domain.log_hash import GENESIS
from core.ports.store import Store
from tests.integration.storage.contract import Recorder, fill
from tests.integration.storage.nodes import Node, Writes
from tests.samples import THEN, a_library, a_row
from tests.waiting import until

Execute = Callable[[str], object]


@pytest.fixture
def execute(engine: Store, request: pytest.FixtureRequest, tmp_path: Path) -> Execute:
    """Return a function that runs a statement on the engine's database from outside."""
    if isinstance(engine, PostgresStore):
        url = request.getfixturevalue("postgres_url")
        return lambda sql: _on_postgres(url, sql)
    return lambda sql: _on_sqlite(tmp_path / DATABASE_NAME, sql)


def _on_postgres(url: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def _on_sqlite(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(apsw.Connection(str(path))) as connection:
        return connection.execute(sql).fetchall()


def put(store: Store, id_: str = "lib") -> int:
    with store.write() as unit:
        unit.libraries.put(a_library(id_))
        unit.commit()
        return unit.position


def broken(store: Store) -> list[int]:
    with store.read() as snapshot:
        return list(snapshot.log.broken_links())


def hashes(store: Store) -> list[bytes]:
    with store.read() as snapshot:
        return [entry.hash for entry in snapshot.log.after(0)]


def test_an_entry_s_hash_is_over_its_content_and_the_entry_before(engine: Store) -> None:
    put(engine)
    put(engine)
    first, second = hashes(engine)
    with engine.read() as snapshot:
        at = [to_time(entry.at) for entry in snapshot.log.after(0)]
    changes = '[{"kind": "library_put", "library_id": "lib"}]'
    content = struct.pack(">qq", 1, 1) + f"{at[0]}{changes}".encode()
    assert first == hashlib.sha256(bytes(32) + content).digest()
    content = struct.pack(">qq", 2, 1) + f"{at[1]}{changes}".encode()
    assert second == hashlib.sha256(first + content).digest()


def test_the_chain_of_concurrent_writes_has_no_broken_link(engine: Store) -> None:
    """Some share a commit with a unit that fails, which on PostgreSQL leaves an empty entry."""
    fill(engine, "a")

    def write(number: int) -> None:
        with engine.write() as unit:
            document = "missing" if number % 7 == 0 else "doc"
            unit.chunks.put("lib", [a_row(f"c{number}", document)])
            unit.commit()

    with ThreadPoolExecutor(16) as pool:
        errors = [task.exception() for task in [pool.submit(write, n) for n in range(70)]]
    assert sum(error is not None for error in errors) == 10
    assert broken(engine) == []
    assert len(set(hashes(engine))) == engine.position


def test_listeners_get_the_hash_of_each_position(store: Store) -> None:
    heard = Recorder(store)
    put(store)
    put(store)
    assert heard.hashes == hashes(store)
    with store.read() as snapshot:
        assert snapshot.log.last_hash == heard.hashes[-1]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE log SET changes = '[]' WHERE position = 3",
        "UPDATE log SET epoch = 9 WHERE position = 3",
        "UPDATE log SET at = '2001-01-01T00:00:00.000000+00:00' WHERE position = 3",
    ],
)
def test_a_changed_entry_breaks_its_link(engine: Store, execute: Execute, tampering: str) -> None:
    for _ in range(5):
        put(engine)
    assert broken(engine) == []
    execute(tampering)
    assert broken(engine) == [3]


def test_an_entry_with_another_hash_breaks_the_next_link_too(
    engine: Store, execute: Execute
) -> None:
    for _ in range(5):
        put(engine)
    execute("UPDATE log SET hash = (SELECT hash FROM log WHERE position = 1) WHERE position = 3")
    assert broken(engine) == [3, 4]


def test_a_trimmed_log_goes_on_from_its_last_entry(engine: Store, execute: Execute) -> None:
    for _ in range(3):
        put(engine)
    assert engine.trim_log(100) == 2
    put(engine)
    put(engine)
    assert broken(engine) == []
    execute("UPDATE log SET changes = '[]' WHERE position = 4")
    assert broken(engine) == [4]


def test_a_sqlite_log_from_before_the_chain_goes_on(tmp_path: Path) -> None:
    with closing(apsw.Connection(str(tmp_path / DATABASE_NAME))) as connection:
        for script in MIGRATIONS[:5]:
            connection.execute(script.read_text())
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", 5)
        connection.execute("UPDATE cluster SET position = 1")
        connection.execute("INSERT INTO log VALUES (1, ?, '[]')", (to_time(THEN),))
    with closing(SqliteStore(tmp_path)) as store:
        _check_after_migration(store)


def test_a_postgres_log_from_before_the_chain_goes_on(postgres_url: str, tmp_path: Path) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE nalanda_format (number integer PRIMARY KEY)")
        connection.execute("ALTER TABLE nalanda_format ADD COLUMN since timestamptz")
        for number, script in enumerate(POSTGRES_MIGRATIONS[:6], start=1):
            connection.execute(script.read_bytes())
            connection.execute("INSERT INTO nalanda_format VALUES (%s)", (number,))
        connection.execute("UPDATE cluster SET position = 1")
        connection.execute("INSERT INTO log VALUES (1, 1, now(), '[]')")
    with closing(PostgresStore(postgres_url, tmp_path)) as store:
        _check_after_migration(store)


def _check_after_migration(store: Store) -> None:
    put(store)
    put(store)
    assert [hash_ == GENESIS for hash_ in hashes(store)] == [True, False, False]
    assert broken(store) == []


def test_writes_stop_on_a_record_with_another_past(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    """It was set back, and written up to the same position in an epoch of the same number."""
    put(postgres_store)
    put(postgres_store)
    _on_postgres(postgres_url, "UPDATE log SET hash = sha256('another') WHERE position = 2")
    for _ in range(2):
        with pytest.raises(StorageUnavailable, match="other writes up to position 2"):
            put(postgres_store)
    assert postgres_store.position == 2


def test_a_checkpoint_of_a_lost_future_is_set_aside(tmp_path: Path) -> None:
    """The record was set back, and then written at the same times in epochs of the same numbers."""

    def start() -> Node:
        return Node(tmp_path, SqliteStore(tmp_path, now=lambda: THEN))

    node = start()
    Writes(node, random.Random(5)).fill()
    node.stop()
    shutil.copy(tmp_path / DATABASE_NAME, tmp_path / "earlier")
    node = start()
    delete(node.store, "c1")
    assert node.checkpoints.make() == 2
    node.stop()
    shutil.copy(tmp_path / "earlier", tmp_path / DATABASE_NAME)
    with closing(SqliteStore(tmp_path, now=lambda: THEN)) as store:
        delete(store, "c2")
    node = start()
    assert "log does not have its position" in node.checkpoint.set_aside[0].problem
    node.rebuilder.start()
    until(lambda: not node.catalog.state.missing)
    node.check()
    node.stop()


def delete(store: Store, chunk_id: str) -> None:
    with store.write() as unit:
        unit.chunks.delete("lib", [chunk_id])
        unit.commit()
