"""Groups of writes on PostgreSQL: what is sent together, and what becomes of one that fails."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.connections.rows import Connection
from core.adapters.postgres.connections.statements import Statement, run_all
from core.adapters.postgres.writing import writing_session
from core.adapters.sql.columns import Row
from core.domain.changes import ChunksRef
from core.domain.errors import NalandaError, NotFound, StorageError, Unavailable
from core.ports.store import UnitOfWork
from tests.integration.storage.contract import Recorder, fill
from tests.samples import a_document, a_library, a_row, stored_chunks
from tests.waiting import until

Body = Callable[[UnitOfWork], object]


@contextmanager
def counted_round_trips() -> Iterator[list[list[bytes]]]:
    """Yield the statements of each round trip of the writer, by their first words."""
    trips: list[list[bytes]] = []

    def run(connection: Connection, statements: Sequence[Statement]) -> psycopg.Cursor[Row]:
        trips.append([b" ".join(s.text.split()[:3]) for s in statements])
        return run_all(connection, statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing_session, "run_all", run)
        yield trips


def put(*ids: str, document_id: str = "doc", **changes: str) -> Body:
    """Return a unit that puts chunks, and reads nothing."""

    def body(unit: UnitOfWork) -> None:
        rows = [a_row(id_, document_id, version=unit.position, **changes) for id_ in ids]
        unit.chunks.put("lib", rows)

    return body


def written(store: PostgresStore, body: Body) -> int:
    with store.write() as unit:
        body(unit)
        unit.commit()
        return unit.position


def until_waiting(store: PostgresStore, writers: int) -> None:
    turns = store._writes._lock
    until(lambda: turns._is_locked and len(turns._waiting) == writers, 30)


def group(store: PostgresStore, *bodies: Body) -> list[int | NalandaError]:
    """Run units as one group, in this order; return the position or the error of each."""
    store._writes._longest_s = 60.0  # on a loaded machine, threads may take long to begin
    with ThreadPoolExecutor(len(bodies)) as pool:
        futures: list[Future[int]] = []
        with store._writes.exclusive_turn():
            for number, body in enumerate(bodies):
                futures.append(pool.submit(written, store, body))
                until_waiting(store, number + 1)
        return [outcome(future) for future in futures]


def outcome(future: Future[int]) -> int | NalandaError:
    try:
        return future.result(30)
    except NalandaError as error:
        return error


def ids_of(store: PostgresStore) -> list[str]:
    return [chunk.id for chunk in stored_chunks(store, "lib")]


def entries(store: PostgresStore) -> list[int]:
    """Return the number of changes of each entry of the log."""
    with store.read() as snapshot:
        return [len(entry.changes) for entry in snapshot.log.after(0)]


def test_a_group_that_reads_nothing_is_two_round_trips(postgres_store: PostgresStore) -> None:
    fill(postgres_store)
    heard = Recorder(postgres_store)
    with counted_round_trips() as trips:
        assert group(postgres_store, put("a"), put("b"), put("c")) == [2, 3, 4]
    verbs = [[statement.split()[0] for statement in statements] for statements in trips]
    fence, chunks, entries_and_position = b"SELECT", b"INSERT", b"WITH"
    assert verbs == [[b"BEGIN", fence, chunks], [entries_and_position, b"COMMIT"]]
    assert [position for position, _ in heard.commits] == [2, 3, 4]
    assert [chunk.version for chunk in stored_chunks(postgres_store, "lib")] == [2, 3, 4]
    with postgres_store.read() as snapshot:
        assert snapshot.position == 4
        logged = [entry.changes for entry in snapshot.log.after(1)]
    assert logged == [(ChunksRef("lib", (id_,)),) for id_ in "abc"]


def test_a_read_sees_the_writes_of_units_before_it(postgres_store: PostgresStore) -> None:
    fill(postgres_store)
    seen: list[bool] = []

    def look(unit: UnitOfWork) -> None:
        seen.append(unit.chunks.get("lib", "a").version == unit.position - 1)

    assert group(postgres_store, put("a"), look, put("b")) == [2, 3, 4]
    assert (seen, ids_of(postgres_store)) == ([True], ["a", "b"])


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("reads", [False, True])
def test_one_that_the_server_refuses_fails_alone(
    postgres_store: PostgresStore, failing: int, reads: bool
) -> None:
    """The others keep the positions that they were given."""
    fill(postgres_store)
    heard = Recorder(postgres_store)
    bodies = [put("a"), put("b"), put("c")]
    bodies[failing] = put("x", document_id="none")
    if reads:  # which finds the failure before the commit does

        def read(unit: UnitOfWork) -> None:
            unit.libraries.get("lib")
            put("d")(unit)

        bodies.append(read)
    outcomes = group(postgres_store, *bodies)
    error = outcomes.pop(failing)
    assert isinstance(error, StorageError)
    assert "violates foreign key" in str(error)
    positions = [2, 3, 4, 5][: len(bodies)]
    failed_position = positions.pop(failing)
    assert outcomes == positions
    assert ids_of(postgres_store) == [
        id_ for i, id_ in enumerate("abcd"[: len(bodies)]) if i != failing
    ]
    assert entries(postgres_store)[1:] == [
        int(position != failed_position) for position in [2, 3, 4, 5][: len(bodies)]
    ]
    assert [(at, len(changes)) for at, changes in heard.commits] == [
        (at, int(at != failed_position)) for at in [2, 3, 4, 5][: len(bodies)]
    ]
    assert written(postgres_store, put("later")) == 2 + len(bodies)


def test_one_that_is_alone_and_fails_takes_no_position(postgres_store: PostgresStore) -> None:
    fill(postgres_store)
    with pytest.raises(StorageError, match="violates foreign key"):
        written(postgres_store, put("x", document_id="none"))
    assert written(postgres_store, put("a")) == 2


def test_one_whose_text_can_not_be_sent_fails_alone(postgres_store: PostgresStore) -> None:
    fill(postgres_store)
    first, error, last = group(postgres_store, put("a"), put("b", text="\ud800"), put("c"))
    assert (first, last) == (2, 4)
    assert isinstance(error, StorageError)
    assert ids_of(postgres_store) == ["a", "c"]


def test_one_that_gives_up_after_its_writes_were_sent_is_undone_alone(
    postgres_store: PostgresStore,
) -> None:
    fill(postgres_store)

    def give_up(unit: UnitOfWork) -> None:
        put("x")(unit)
        unit.libraries.get("none")

    first, error, last = group(postgres_store, put("a"), give_up, put("c"))
    assert (first, last) == (2, 3)
    assert isinstance(error, NotFound)
    assert ids_of(postgres_store) == ["a", "c"]


def test_a_group_of_a_deposed_process_is_refused_as_a_whole(
    postgres_store: PostgresStore, postgres_url: str, tmp_path: Path
) -> None:
    fill(postgres_store)
    with closing(PostgresStore(postgres_url, tmp_path / "other")) as other:
        outcomes = group(postgres_store, put("a"), put("b"), lambda unit: None)
        assert all(isinstance(error, Unavailable) for error in outcomes)
        assert {str(error) for error in outcomes} == {"Another process has taken over the writing."}
        assert ids_of(other) == []
        assert written(other, put("theirs")) == 2


def test_a_record_that_went_back_is_noticed_by_the_next_write(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    """This is the state after a failover to a standby that lacks the last writes."""
    fill(postgres_store)
    written(postgres_store, put("a"))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE cluster SET position = 1")
    with pytest.raises(StorageError, match=r"at position 1, and this server .* up to 2.*Restart"):
        written(postgres_store, put("b"))


def test_many_rows_are_sent_before_the_commit(postgres_store: PostgresStore) -> None:
    fill(postgres_store)
    many = [f"{number:04}" for number in range(700)]
    with counted_round_trips() as trips:
        bodies = [put(*(f"{letter}{id_}" for id_ in many)) for letter in "abc"]
        assert group(postgres_store, *bodies) == [2, 3, 4]
    assert len(trips) > 1
    assert len(ids_of(postgres_store)) == 2100


def test_history_has_the_position_of_each_unit_of_a_group(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    """It is turned on by another process, between two groups."""
    fill(postgres_store, "a", "b")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE cluster SET keeps_history = true, history_from = position")

        def delete(unit: UnitOfWork) -> None:
            unit.chunks.delete("lib", ["b"])

        outcomes = group(
            postgres_store,
            put("a", text="second"),
            put("a", text="third"),
            lambda unit: unit.documents.put(a_document(title="t", version=unit.position)),
            delete,
        )
        assert outcomes == [2, 3, 4, 5]
        kept = "SELECT id, text, version, until FROM chunks_history ORDER BY until"
        assert connection.execute(kept).fetchall() == [
            ("a", "text of a", 1, 2),
            ("a", "second", 2, 3),
            ("b", "text of b", 1, 5),
        ]
        kept = "SELECT id, version, until FROM documents_history"
        assert connection.execute(kept).fetchall() == [("doc", 1, 4)]
        connection.execute("UPDATE cluster SET keeps_history = false")
    assert written(postgres_store, put("a", text="fourth")) == 6


def test_of_two_units_that_put_one_chunk_the_later_wins(postgres_store: PostgresStore) -> None:
    fill(postgres_store)
    assert group(postgres_store, put("a", text="first"), put("a", text="last")) == [2, 3]
    (chunk,) = stored_chunks(postgres_store, "lib")
    assert (chunk.text, chunk.version) == ("last", 3)


def test_a_unit_whose_statement_failed_can_not_be_committed(postgres_store: PostgresStore) -> None:
    def write() -> None:
        with postgres_store.write() as unit:
            unit.libraries.put(a_library())
            unit.chunks.put("lib", [a_row("a")])  # whose document is missing
            with pytest.raises(psycopg.Error):
                unit.libraries.get("lib")
            unit.commit()

    with pytest.raises(StorageError, match="An error has ended the transaction"):
        write()
    assert postgres_store.position == 0


def test_the_first_error_of_a_pipeline_is_raised(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        statements = [
            Statement(b"SELECT %s::bigint", (1,)),
            Statement(b"SELECT 1 / %s::bigint", (0,)),
            Statement(b"CREATE TABLE never ()"),
            Statement(b"SELECT 3"),
        ]
        with pytest.raises(psycopg.errors.DivisionByZero):
            run_all(connection, statements)
        rows = run_all(connection, [statements[0], statements[-1]]).fetchall()
        assert rows == [(3,)]
        assert connection.execute("SELECT to_regclass('never')").fetchall() == [(None,)]


def test_statements_stay_usable_however_often_a_pipeline_is_aborted(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    """The client prepares a statement at its sixth use, which an aborted pipeline may not run."""
    fill(postgres_store)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for number in range(12):
            for _ in range(number):
                group(postgres_store, put("a"), lambda unit: unit.chunks.get_many("lib", ["a"]))
            connection.execute("UPDATE cluster SET keeps_history = NOT keeps_history")
            position = postgres_store.position
            assert written(postgres_store, lambda unit: unit.libraries.get("lib")) == position + 1
