"""Concurrent readers see whole writes at their positions; writers share only commits."""

import random
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.sqlite import SqliteStore
from core.domain.changes import Change, DocumentPut
from core.domain.errors import NotFound
from core.ports.store import Store
from tests.samples import a_document, a_library, a_row
from tests.waiting import until

WRITES = 60
CHUNKS_A_WRITE = 5


def write_all(store: Store, done: threading.Event) -> None:
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


def read_until(store: Store, done: threading.Event) -> list[int]:
    """Return the positions seen, after checking that each is whole."""
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


def test_readers_never_see_half_a_write(engine: Store) -> None:
    done = threading.Event()
    with ThreadPoolExecutor(5) as pool:
        writer: Future[None] = pool.submit(write_all, engine, done)
        readers = [pool.submit(read_until, engine, done) for _ in range(4)]
        writer.result(timeout=30)
        for reader in readers:
            seen = reader.result(timeout=30)
            assert seen == sorted(seen)


def write_and_wait(
    store: Store, id_: str, begun: threading.Event, go_on: threading.Event, *, fails: bool = False
) -> int | None:
    """Return the write's position, or `None` if it fails after its change."""
    with suppress(ZeroDivisionError), store.write() as unit:
        begun.set()
        assert go_on.wait(30)
        unit.libraries.put(a_library(id_))
        if fails:
            raise ZeroDivisionError
        unit.commit()
        return unit.position
    return None


def test_one_that_fails_among_others_is_undone_alone(engine: Store) -> None:
    """The second and third wait for the first, so they share a group."""
    positions: list[int] = []
    engine.subscribe(lambda position, *_: positions.append(position))
    begun = [threading.Event() for _ in range(3)]
    go_on = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        writes = []
        for number, (id_, fails) in enumerate([("a", False), ("b", True), ("c", False)]):
            writes.append(
                pool.submit(write_and_wait, engine, id_, begun[number], go_on, fails=fails)
            )
            until_waiting(engine, number)
        go_on.set()
        assert [write.result(30) for write in writes] == [1, None, 2]
    assert positions == [1, 2]
    with engine.read() as snapshot:
        assert [x.id for x in snapshot.libraries.page(after=None, limit=9)] == ["a", "c"]
        assert [entry.position for entry in snapshot.log.after(0)] == [1, 2]


def until_waiting(engine: Store, writers: int) -> None:
    assert isinstance(engine, SqliteStore | PostgresStore)
    turns = engine._writes._lock
    until(lambda: turns._is_locked and len(turns._waiting) == writers, 30)


def test_writers_take_turns_and_lose_nothing(engine: Store) -> None:
    positions: list[int] = []
    engine.subscribe(lambda position, *_: positions.append(position))

    def write(number: int) -> None:
        with engine.write() as unit:
            unit.libraries.put(a_library(f"{number:03}"))
            unit.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(100)))
    assert positions == list(range(1, 101))
    with engine.read() as snapshot:
        assert len(snapshot.libraries.page(after=None, limit=1000)) == 100


THREADS = 32
WRITES_A_THREAD = 25


class Listener:
    """The notifications of a listener, in order."""

    def __init__(self) -> None:
        self.documents: list[tuple[int, str]] = []

    def __call__(self, position: int, changes: Sequence[Change], _: bytes) -> None:
        for change in changes:
            if isinstance(change, DocumentPut):
                self.documents.append((position, change.document.id))


def write_and_fail(store: Store, listener: Listener, thread: int) -> dict[str, int]:
    """Return the positions of the documents with acknowledged writes."""
    chance, acknowledged = random.Random(thread), dict[str, int]()
    for number in range(WRITES_A_THREAD):
        id_ = f"{thread:02}-{number:02}"
        with store.write(after_listeners=chance.random() < 0.1) as unit:
            unit.documents.put(a_document(id_, version=unit.position))
            unit.chunks.put("lib", [a_row(id_, id_, version=unit.position)])
            if chance.random() < 0.3:
                with pytest.raises(NotFound):
                    unit.libraries.get("none")
                continue  # so the group has no commit
            unit.commit()
            acknowledged[id_] = unit.position
        assert (acknowledged[id_], id_) in listener.documents
        with store.read() as snapshot:
            assert snapshot.position >= acknowledged[id_]
            assert snapshot.documents.get("lib", id_).version == acknowledged[id_]
    return acknowledged


def test_of_many_writers_each_acknowledged_write_is_there_and_no_other(
    engine: Store,
) -> None:
    with engine.write() as unit:
        unit.libraries.put(a_library())
        unit.commit()
    listener = Listener()
    engine.subscribe(listener)
    with ThreadPoolExecutor(THREADS) as pool:
        writers = [pool.submit(write_and_fail, engine, listener, n) for n in range(THREADS)]
        acknowledged = {id_: at for writer in writers for id_, at in writer.result(120).items()}
    assert sorted(acknowledged.values()) == list(range(2, len(acknowledged) + 2))
    assert listener.documents == sorted((at, id_) for id_, at in acknowledged.items())
    with engine.read() as snapshot:
        assert snapshot.position == len(acknowledged) + 1
        documents = snapshot.documents.page("lib", after=None, limit=10_000)
        assert {document.id: document.version for document in documents} == acknowledged
        assert {row.chunk.id for row in snapshot.chunks.scan("lib")} == set(acknowledged)
