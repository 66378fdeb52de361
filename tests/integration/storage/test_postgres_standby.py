"""The durability of writes with a real standby: read, and required."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from core.adapters.postgres import PostgresStore
from core.adapters.sqlite import SqliteStore
from core.domain.errors import StorageUnavailable, Unavailable
from core.ports.store import DurabilityState, Store
from tests.postgres import PostgresServer
from tests.samples import a_library
from tests.standby import configure, primary, standby_of
from tests.waiting import until

ALL_STANDBYS = "ANY 1 (*)"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with primary() as started:
        yield started


@pytest.fixture(autouse=True)
def _default_settings(server: PostgresServer) -> Iterator[None]:
    yield
    configure(server, synchronous_standby_names="", synchronous_commit="on")


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    with server.database() as created:
        yield created
        configure(server, synchronous_standby_names="")  # or the DROP DATABASE waits


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[PostgresStore]:
    with closing(PostgresStore(url, tmp_path)) as opened:
        yield opened


@pytest.fixture
def strict_store(url: str, tmp_path: Path) -> Iterator[PostgresStore]:
    with closing(PostgresStore(url, tmp_path, require_synchronous=True)) as opened:
        yield opened


def write(store: Store, id_: str = "lib") -> int:
    with store.write() as unit:
        unit.libraries.put(a_library(id_))
        unit.commit()
        return unit.position


def problem_of(state: DurabilityState) -> str:
    assert state.problem is not None
    return state.problem


def change(server: PostgresServer, store: PostgresStore, **settings: str) -> DurabilityState:
    """Change settings; return the durability once the sessions that read and write have them."""
    configure(server, **settings)
    writing = store._writer._session.connection

    def has_them() -> bool:
        with store._readers.connection() as reading:
            shown = [
                (reading.execute(show).fetchall(), writing.execute(show).fetchall())
                for show in (f"SHOW {name}".encode() for name in settings)
            ]
        return shown == [([(value,)], [(value,)]) for value in settings.values()]

    until(has_them)
    return store.read_durability()


def test_a_database_alone_is_local(store: PostgresStore) -> None:
    state = store.read_durability()
    assert state.level == "local"
    assert "Set synchronous_standby_names in PostgreSQL" in problem_of(state)


def test_a_standby_makes_it_asynchronous_and_the_setting_synchronous(
    server: PostgresServer, store: PostgresStore, url: str
) -> None:
    with standby_of(server) as standby:
        assert store.read_durability().level == "asynchronous"
        change(server, store, synchronous_standby_names=ALL_STANDBYS)
        until(lambda: store.read_durability() == DurabilityState("synchronous"))
        position = write(store)
        with standby.connect(str(conninfo_to_dict(url)["dbname"])) as replica:
            log = "SELECT position FROM log"
            until(lambda: replica.execute(log).fetchall() == [(position,)])
        for commit in ("local", "remote_write"):
            state = change(server, store, synchronous_commit=commit)
            assert state.level == "asynchronous"
            assert f"it is {commit}" in problem_of(state)
        assert change(server, store, synchronous_commit="remote_apply").level == "synchronous"
        assert write(store) == position + 1


def test_relaxed_writes_are_not_synchronous(
    server: PostgresServer, url: str, tmp_path: Path
) -> None:
    with closing(PostgresStore(url, tmp_path, durability="relaxed")) as store:
        state = change(server, store, synchronous_standby_names=ALL_STANDBYS)
    assert state.level == "asynchronous"
    assert "Set NALANDA_DURABILITY=full" in problem_of(state)


def test_writes_that_have_to_be_synchronous_are_refused_until_they_are(
    server: PostgresServer, strict_store: PostgresStore
) -> None:
    with pytest.raises(StorageUnavailable, match=r"are local\. Set synchronous_standby_names"):
        write(strict_store, "refused")
    assert strict_store.position == 0
    with standby_of(server):
        with pytest.raises(StorageUnavailable, match=r"are asynchronous\. Set"):
            write(strict_store, "refused")
        change(server, strict_store, synchronous_standby_names=ALL_STANDBYS)
        assert write(strict_store) == 1
        change(server, strict_store, synchronous_commit="local")
        with pytest.raises(StorageUnavailable, match=r"Set synchronous_commit = on .* is local"):
            write(strict_store, "refused")
        change(server, strict_store, synchronous_commit="on")
        assert write(strict_store) == 2
    with strict_store.read() as snapshot:
        assert [x.id for x in snapshot.libraries.page(after=None, limit=9)] == ["lib"]


def test_a_wait_for_a_standby_that_is_cancelled_is_not_acknowledged(
    server: PostgresServer, store: PostgresStore
) -> None:
    """The commit is on record then, so the next write comes after it."""
    positions: list[int] = []
    store.subscribe(lambda position, *_: positions.append(position))
    state = change(server, store, synchronous_standby_names="FIRST 1 (absent)")
    assert "No synchronous standby is connected" in problem_of(state)
    with ThreadPoolExecutor(1) as pool, server.connect() as connection:
        waiting = pool.submit(write, store)

        def cancelled() -> bool:
            waits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            pids = connection.execute(waits).fetchall()
            return any(connection.execute("SELECT pg_cancel_backend(%s)", row) for row in pids)

        until(cancelled)
        with pytest.raises(Unavailable, match="on record, and no standby has confirmed it"):
            waiting.result(30)
    assert (store.position, positions) == (1, [1])
    change(server, store, synchronous_standby_names="")
    assert write(store) == 2


def test_sqlite_is_local(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path, require_synchronous=True)) as store:
        state = store.read_durability()
        assert state.level == "local"
        assert "NALANDA_DATABASE_URL" in problem_of(state)
        with pytest.raises(StorageUnavailable, match="SQLite has no standby"):
            write(store)
        assert store.position == 0
