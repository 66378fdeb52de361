"""PostgreSQL's own behaviour: format, fencing, texts, durability, expiry, failures."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.connections.migrate import MIGRATIONS, examine
from core.adapters.sql.rows import CHUNKS, DOCUMENTS, LIBRARIES
from core.adapters.sqlite import SqliteStore
from core.domain.errors import (
    DataDirInUse,
    StorageError,
    StorageFull,
    Unavailable,
)
from core.ports.store import Durability
from tests.postgres import PostgresServer
from tests.samples import PLACES, a_document, a_library, a_row


@contextmanager
def database(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def test_what_is_written_is_there_when_it_is_opened_again(
    postgres_url: str, tmp_path: Path
) -> None:
    with closing(PostgresStore(postgres_url, tmp_path)) as store, store.write() as unit:
        unit.libraries.put(a_library())
        unit.commit()
        key = store.cursor_key
    with closing(PostgresStore(postgres_url, tmp_path)) as store, store.read() as snapshot:
        assert snapshot.position == 1
        assert snapshot.libraries.get("lib") == a_library()
        assert store.cursor_key == key


def test_each_database_has_a_key_of_its_own(postgres: PostgresServer, tmp_path: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        with postgres.database() as url, closing(PostgresStore(url, tmp_path / name)) as store:
            keys.add(store.cursor_key)
    assert len(keys) == 2


def test_one_process_at_a_time_has_the_data_directory(postgres_url: str, tmp_path: Path) -> None:
    with closing(PostgresStore(postgres_url, tmp_path)), pytest.raises(DataDirInUse):
        PostgresStore(postgres_url, tmp_path)


def test_who_opens_takes_over(postgres_url: str, tmp_path: Path) -> None:
    with (
        closing(PostgresStore(postgres_url, tmp_path / "first")) as first,
        closing(PostgresStore(postgres_url, tmp_path / "second")) as second,
    ):
        with pytest.raises(Unavailable, match="taken over"), first.write() as unit:
            unit.commit()
        with second.write() as unit:
            unit.commit()
        assert first.position == second.position == 1


def test_those_who_open_at_once_make_the_tables_once(postgres_url: str, tmp_path: Path) -> None:
    start = threading.Barrier(4)

    def opened(number: int) -> bytes:
        start.wait()
        with closing(PostgresStore(postgres_url, tmp_path / str(number))) as store:
            return store.cursor_key

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(opened, range(4)))) == 1
    with database(postgres_url) as connection:
        rows = connection.execute("SELECT number FROM nalanda_format ORDER BY number").fetchall()
        assert [number for (number,) in rows] == list(range(1, len(MIGRATIONS) + 1))
        assert connection.execute("SELECT epoch FROM cluster").fetchall() == [(4,)]


def test_another_program_s_database_is_left_as_it_is(postgres_url: str, tmp_path: Path) -> None:
    with database(postgres_url) as connection:
        connection.execute("CREATE TABLE theirs (x integer)")
        with pytest.raises(StorageError, match="another program's"):
            PostgresStore(postgres_url, tmp_path)
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchall()
        assert tables == [("theirs",)]


def test_a_schema_of_its_own_in_another_program_s_database(
    postgres_url: str, tmp_path: Path
) -> None:
    with database(postgres_url) as connection:
        connection.execute("CREATE TABLE theirs (x integer); CREATE SCHEMA ours")
    url = f"{postgres_url}&options=-csearch_path%3Dours"
    with closing(PostgresStore(url, tmp_path)) as store, store.write() as unit:
        unit.libraries.put(a_library())
        unit.commit()
    with database(postgres_url) as connection:
        assert connection.execute("SELECT id FROM ours.libraries").fetchall() == [("lib",)]


def test_a_newer_format_is_refused(postgres_url: str, tmp_path: Path) -> None:
    PostgresStore(postgres_url, tmp_path).close()
    with database(postgres_url) as connection:
        connection.execute(
            "INSERT INTO nalanda_format (number) VALUES (%s)", (len(MIGRATIONS) + 1,)
        )
    with pytest.raises(StorageError, match="A newer Nalanda has written it"):
        PostgresStore(postgres_url, tmp_path)


def test_what_is_there_can_be_asked_without_a_change(postgres_url: str, tmp_path: Path) -> None:
    line = examine(postgres_url)
    assert line.startswith("PostgreSQL ")
    assert line.endswith(", empty, to be set up")
    with database(postgres_url) as connection:
        assert connection.execute("SELECT to_regclass('nalanda_format')").fetchall() == [(None,)]
    PostgresStore(postgres_url, tmp_path).close()
    assert examine(postgres_url).endswith(f", format {len(MIGRATIONS)} of {len(MIGRATIONS)}")
    with database(postgres_url) as connection:
        assert connection.execute("SELECT epoch FROM cluster").fetchall() == [(1,)]
        connection.execute("DROP TABLE nalanda_format")
    with pytest.raises(StorageError, match="another program's"):
        examine(postgres_url)


def test_another_encoding_is_refused(postgres: PostgresServer, tmp_path: Path) -> None:
    with postgres.connect() as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        with pytest.raises(StorageError, match="Its encoding is LATIN1; UTF8 is needed"):
            PostgresStore(postgres.url("latin"), tmp_path)
        connection.execute("DROP DATABASE latin")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:secret@127.0.0.1:1/db", r"127\.0\.0\.1:1/db can't be opened: .*refused"),
        ("postgresql://u:secret@127.0.0.1:x/db", r"127\.0\.0\.1:x/db can't be opened: .*port"),
        ("postgresql://u:sec@ret@127.0.0.1/db", "write an @ in the password as %40"),
        ("postgresql://u:secret@h/db?what=secret", "can't be read as a PostgreSQL URL"),
        ("postgresql://u:secret@[::1/db", "can't be read as a PostgreSQL URL"),
    ],
)
def test_a_database_that_is_not_there_is_one_clear_line_without_the_password(
    tmp_path: Path, url: str, said: str
) -> None:
    with pytest.raises(StorageError, match=said) as refusal:
        PostgresStore(url, tmp_path)
    assert "\n" not in str(refusal.value)
    assert "sec" not in str(refusal.value)
    SqliteStore(tmp_path).close()  # the directory is unlocked


def test_ids_with_any_character_come_back_in_their_order(postgres_store: PostgresStore) -> None:
    ids = ["a", "a\x00", "a\x00\x00", "a\x00\x01", "a\x01", "a\x01\x01", "a\x02", "aé", "a🦀", "b"]
    with postgres_store.write() as unit:
        unit.libraries.put(a_library())
        unit.documents.put(a_document())
        unit.chunks.put("lib", [a_row(id_) for id_ in reversed(ids)])
        unit.commit()
    with postgres_store.read() as snapshot:
        assert [chunk.id for chunk in snapshot.chunks.page("lib", after=None, limit=99)] == ids
        assert [row.chunk.id for row in snapshot.chunks.scan("lib")] == ids
        after = snapshot.chunks.page("lib", after="a\x00", limit=1)
        assert [chunk.id for chunk in after] == ["a\x00\x00"]


def test_the_last_of_an_id_in_one_put_counts(postgres_store: PostgresStore) -> None:
    with postgres_store.write() as unit:
        unit.libraries.put(a_library())
        unit.documents.put(a_document())
        unit.chunks.put("lib", [a_row("a", text="first"), a_row("a", text="last")])
        assert unit.chunks.get("lib", "a").text == "last"


@pytest.mark.parametrize("durability", ["full", "relaxed"])
@pytest.mark.parametrize("server_s", ["on", "off", "remote_apply"])
def test_durability_is_the_setting_s(
    postgres_url: str, tmp_path: Path, durability: Durability, server_s: str
) -> None:
    with database(postgres_url) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = {server_s}'.encode())
    expected = "off" if durability == "relaxed" else "on" if server_s == "off" else server_s
    opened = PostgresStore(postgres_url, tmp_path, durability=durability)
    with closing(opened) as store:
        shown = store._writer._session.connection.execute("SHOW synchronous_commit").fetchall()
    assert shown == [(expected,)]


def test_a_full_disk_stops_writes_and_not_reads(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    """The error is a full disk's, although this disk has space."""

    def write() -> None:
        with postgres_store.write() as unit:
            unit.libraries.put(a_library())
            unit.commit()

    with database(postgres_url) as connection:
        connection.execute("""
            CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
            END $$;
            CREATE TRIGGER full_disk BEFORE INSERT ON libraries EXECUTE FUNCTION full_disk();
        """)
        with pytest.raises(StorageFull, match="disk is full: could not extend file"):
            write()
        assert postgres_store.position == 0
        connection.execute("DROP TRIGGER full_disk ON libraries")
    write()
    assert postgres_store.position == 1


def test_a_chunk_without_its_document_is_refused(postgres_store: PostgresStore) -> None:
    def write() -> None:
        with postgres_store.write() as unit:
            unit.libraries.put(a_library())
            unit.chunks.put("lib", [a_row("a")])
            unit.commit()

    with pytest.raises(StorageError, match="violates foreign key"):
        write()


def test_a_database_from_before_places_keeps_its_chunks_and_their_history(
    postgres_url: str, tmp_path: Path
) -> None:
    with database(postgres_url) as connection:
        connection.execute("CREATE TABLE nalanda_format (number integer PRIMARY KEY)")
        for number, script in enumerate(MIGRATIONS[:2], start=1):
            connection.execute(script.read_bytes())
            connection.execute("INSERT INTO nalanda_format VALUES (%s)", (number,))
        connection.execute("UPDATE cluster SET position = 1, keeps_history = true")
        for table, row in (
            ("libraries", LIBRARIES.to_row(a_library())),
            ("documents", DOCUMENTS.to_row(a_document())),
            ("chunks", (*CHUNKS.to_row(a_row("c").chunk)[:-1], a_row("c").embedding.tobytes())),
        ):
            marks = ", ".join(["%s"] * len(row))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})".encode(), row)
    with closing(PostgresStore(postgres_url, tmp_path)) as store:
        with store.read() as snapshot:
            assert snapshot.chunks.get("lib", "c") == a_row("c").chunk
        for put in (a_row("c", version=2, place=PLACES[2]), a_row("c", version=3)):
            with store.write() as unit:
                unit.chunks.put("lib", [put])
                unit.commit()
    with database(postgres_url) as connection:
        query = "SELECT id, text, place, version, until FROM chunks_history ORDER BY until"
        assert PLACES[2] is not None
        assert connection.execute(query).fetchall() == [
            ("c", "text of c", None, 1, 2),
            ("c", "text of c", PLACES[2].to_json(), 2, 3),
        ]
