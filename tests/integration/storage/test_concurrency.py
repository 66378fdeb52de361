"""Readers beside a writer see whole writes only, each at a position of its own."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from core.adapters.sqlite import SqliteStore
from tests.samples import a_document, a_library, a_row

WRITES = 60
CHUNKS_A_WRITE = 5


def write_all(store: SqliteStore, done: threading.Event) -> None:
    try:
        for _ in range(WRITES):
            with store.write() as unit:
                name = f"at {unit.position}"
                unit.libraries.put(a_library(name=name, version=unit.position))
                unit.documents.put(a_document(title=name, version=unit.position))
                rows = [a_row(f"{unit.position}-{i}") for i in range(CHUNKS_A_WRITE)]
                unit.chunks.put("lib", rows)
                unit.commit()
    finally:
        done.set()


def read_until(store: SqliteStore, done: threading.Event) -> list[int]:
    """The positions seen, each found whole."""
    seen: list[int] = []
    while not (done.is_set() and seen):
        with store.read() as snapshot:
            position = snapshot.position
            if position == 0:
                continue
            assert snapshot.libraries.get("lib").version == position
            assert snapshot.documents.get("lib", "doc").title == f"at {position}"
            chunks = snapshot.chunks.page("lib", after=None, limit=10_000)
            assert len(chunks) == position * CHUNKS_A_WRITE
            assert snapshot.position == position
        seen.append(position)
    return seen


def test_readers_never_see_half_a_write(sqlite_store: SqliteStore) -> None:
    done = threading.Event()
    with ThreadPoolExecutor(5) as pool:
        writer: Future[None] = pool.submit(write_all, sqlite_store, done)
        readers = [pool.submit(read_until, sqlite_store, done) for _ in range(4)]
        writer.result(timeout=30)
        for reader in readers:
            seen = reader.result(timeout=30)
            assert seen == sorted(seen)


def test_writers_take_turns_and_lose_nothing(sqlite_store: SqliteStore) -> None:
    positions: list[int] = []
    sqlite_store.subscribe(lambda position, changes: positions.append(position))

    def write(number: int) -> None:
        with sqlite_store.write() as unit:
            unit.libraries.put(a_library(f"{number:03}"))
            unit.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(100)))
    assert positions == list(range(1, 101))
    with sqlite_store.read() as snapshot:
        assert len(snapshot.libraries.page(after=None, limit=1000)) == 100
