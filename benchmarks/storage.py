"""`make bench ARGS=storage`: durable writes per second, through each store, over REST, and directly
in its engine.

Each client is a thread that writes one chunk at a time (text, metadata, 384 numbers), and waits
until it is on disk. The engine alone inserts the same columns into one table and commits, in SQLite
on the single write connection, in PostgreSQL on one per client. All alternate for several rounds,
each on its own database; the figures are medians of the rounds, and a ratio is that of medians.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import apsw
import numpy as np
import psycopg

from benchmarks.index.report import write
from benchmarks.postgres import postgres_server
from benchmarks.rest_writes import served_store
from core.adapters.postgres import PostgresStore
from core.adapters.sqlite import SqliteStore
from core.domain.document import Chunk, Document, EmbeddedChunk
from core.domain.library import IndexSpec, Library, Metric
from core.ports.store import Store

ROUNDS, ROUND_S = 5, 2.0
CLIENTS = (1, 32)
DIMENSION = 384

NOW = datetime.now(UTC)
TEXT = "A sentence that is as long as sentences in documents tend to be. " * 5
VECTOR = np.random.default_rng(1).standard_normal(DIMENSION).astype(np.float32)
BLOB = VECTOR.tobytes()

Write: TypeAlias = Callable[[str], None]
"""A write of one chunk with this id, which is on disk on return."""

Opened: TypeAlias = AbstractContextManager[Callable[[], Write]]
"""A new database; each client calls the factory once."""


async def main() -> None:
    # Not in the temporary directory, which is in memory on some machines.
    with (
        tempfile.TemporaryDirectory(prefix=".storage-", dir=Path.cwd()) as folder,
        postgres_server(Path(folder, "postgres")) as postgres,
    ):
        measured = {str(clients): _compare(clients, Path(folder), postgres) for clients in CLIENTS}
    write("storage", measured)


def _compare(
    clients: int, folder: Path, postgres: Callable[[], str]
) -> Mapping[str, Mapping[str, float]]:
    def directory() -> Path:
        return Path(tempfile.mkdtemp(dir=folder))

    engines: Mapping[str, Callable[[], Opened]] = {
        "SQLite alone": lambda: _sqlite(directory()),
        "Nalanda on SQLite": lambda: open_writes(SqliteStore(directory())),
        "PostgreSQL alone": lambda: _postgres(postgres()),
        "Nalanda on PostgreSQL": lambda: open_writes(PostgresStore(postgres(), directory())),
        "SQLite over REST": lambda: served_store(directory(), TEXT, BLOB),
        "PostgreSQL over REST": lambda: served_store(directory(), TEXT, BLOB, postgres()),
    }
    rounds: dict[str, list[Mapping[str, float]]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, opened in engines.items():
            with opened() as client:
                rounds[name].append(_measure(clients, client))
    print(f"\n{clients} at once: chunks written a second, each on the disk; ms")
    medians = {name: _median(taken) for name, taken in rounds.items()}
    for name, figures in medians.items():
        print(
            f"  {name:22} {figures['writes_per_second']:8,.0f}"
            f"   p50 {figures['p50_ms']:7.2f}   p99 {figures['p99_ms']:7.2f}{_ratio(name, medians)}"
        )
    return medians


def _ratio(name: str, medians: Mapping[str, Mapping[str, float]]) -> str:
    """Return the ratio to the engine alone, as text."""
    engine = name.removeprefix("Nalanda on ").removesuffix(" over REST").removesuffix(" alone")
    alone = medians[f"{engine} alone"]["writes_per_second"]
    return f"   {medians[name]['writes_per_second'] / alone:5.2f} x {engine} alone"


def _measure(clients: int, client: Callable[[], Write]) -> Mapping[str, float]:
    """Run the clients for `ROUND_S`, from the moment when all are ready."""
    taken_ms: list[list[float]] = [[] for _ in range(clients)]
    ready = threading.Barrier(clients)

    def run(number: int) -> None:
        write_one, mine = client(), taken_ms[number]
        ready.wait()
        end = time.perf_counter() + ROUND_S
        while (began := time.perf_counter()) < end:
            write_one(f"{number}-{len(mine)}")
            mine.append(1e3 * (time.perf_counter() - began))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_ms = [ms for mine in taken_ms for ms in mine]
    cuts = statistics.quantiles(all_ms, n=100)
    return {
        "writes_per_second": len(all_ms) / ROUND_S,
        "p50_ms": cuts[49],
        "p99_ms": cuts[98],
    }


def _median(rounds: list[Mapping[str, float]]) -> Mapping[str, float]:
    return {name: statistics.median(taken[name] for taken in rounds) for name in rounds[0]}


@contextmanager
def open_writes(store: Store) -> Iterator[Callable[[], Write]]:
    """Create a library and a document in an empty store; yield the factory of clients."""
    library = Library(
        id="l",
        name="l",
        description=None,
        metadata={},
        metadata_schema=None,
        dimension=DIMENSION,
        metric=Metric.COSINE,
        index=IndexSpec(),
        embedding_model=None,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    document = Document("d", "l", None, None, {}, 1, NOW, NOW)

    def write_one(id_: str) -> None:
        with store.write() as unit:
            chunk = Chunk(id_, "l", "d", 0, TEXT, {}, unit.position, NOW, NOW)
            unit.chunks.put("l", [EmbeddedChunk(chunk, VECTOR)])
            unit.commit()

    with closing(store):
        with store.write() as unit:
            unit.libraries.put(library)
            unit.documents.put(document)
            unit.commit()
        yield lambda: write_one


@contextmanager
def _sqlite(directory: Path) -> Iterator[Callable[[], Write]]:
    turn = threading.Lock()
    with closing(apsw.Connection(str(directory / "alone.db"))) as connection:
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.execute(
            "CREATE TABLE chunks (id TEXT PRIMARY KEY, text TEXT, metadata TEXT, embedding BLOB)"
        )

        def write_one(id_: str) -> None:
            with turn:
                connection.execute("INSERT INTO chunks VALUES (?, ?, '{}', ?)", (id_, TEXT, BLOB))

        yield lambda: write_one


@contextmanager
def _postgres(url: str) -> Iterator[Callable[[], Write]]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE chunks (id TEXT PRIMARY KEY, text TEXT, metadata TEXT, embedding BYTEA)"
        )
    with ExitStack() as connections:

        def client() -> Write:
            mine = connections.enter_context(psycopg.connect(url, autocommit=True))

            def write_one(id_: str) -> None:
                mine.execute("INSERT INTO chunks VALUES (%s, %s, '{}', %s)", (id_, TEXT, BLOB))

            return write_one

        yield client
