"""Faults of a database are found, and reported in a line each."""

from dataclasses import replace
from pathlib import Path

import apsw
import numpy as np
import psycopg
import pytest
from pydantic import SecretStr

from core.adapters.postgres.engine import PostgresEngine
from core.adapters.sqlite import SqliteStore
from core.adapters.sqlite.connections.database import MIGRATIONS
from core.adapters.sqlite.engine import SqliteEngine
from core.adapters.sqlite.store import DATABASE_NAME
from core.bootstrap import open_core
from core.domain.changes import ChunksDeleted, ChunksPut, DocumentPut, LibraryDeleted, LibraryPut
from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.library import LibraryDraft, Metric
from core.indexing.checkpoints.paths import DIRECTORY
from core.indexing.views.catalog import Catalog
from core.settings import Settings
from core.verification import database, index
from core.verification.nearest import Nearest, reference_scores
from tests.entities import Note
from tests.integration.backup.case import Case
from tests.samples import a_document, a_library, a_row
from tests.waiting import BUILT_S

ROWS = 40


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    store = SqliteStore(tmp_path / "data")
    with store.write() as unit:
        unit.libraries.put(a_library())
        unit.documents.put(a_document())
        unit.chunks.put("lib", [a_row(f"c{i}") for i in range(ROWS)])
        unit.commit()
    with store.write() as unit:
        unit.documents.put(a_document("other", version=2))
        unit.entities(Note).put(Note("note", "lib"))
        unit.commit()
    store.close()
    return tmp_path / "data"


def verify_after(data_dir: Path, sql: str, *bindings: object) -> list[str]:
    """Return the problems after this statement."""
    connection = apsw.Connection(str(data_dir / DATABASE_NAME))
    connection.execute(sql, bindings)
    connection.close()
    return list(database.problems(SqliteEngine(data_dir)))


def test_a_sound_one(data_dir: Path) -> None:
    begun: list[str] = []
    digests: list[tuple[int, str]] = []
    problems = database.problems(
        SqliteEngine(data_dir),
        full=True,
        on_check=begun.append,
        on_digest=lambda *state: digests.append(state),
    )
    assert list(problems) == []
    assert [position for position, _ in digests] == [2]
    assert begun[:2] == ["record", "log"]


def test_while_a_store_writes_and_keeps_history(case: Case) -> None:
    case.write(20)
    case.back_up()
    case.write(20)
    assert list(database.problems(SqliteEngine(case.data_dir), full=True)) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "DELETE FROM log WHERE position = 2",
            "log: it ends at 1, and the database is at position 2",
        ),
        ("UPDATE log SET position = 5 WHERE position = 2", "log: positions 2 to 4 are missing"),
        ("UPDATE log SET changes = '?'", "log: changes of 1 is no JSON"),
        ("UPDATE chunks SET version = 9 WHERE id = 'c1'", "chunks: 1 rows with a version after"),
        ("UPDATE documents SET metadata = '{' WHERE id = 'doc'", "documents: metadata of 'doc'"),
        ("UPDATE entities SET body = '{'", "entities: body of 'note' is no JSON"),
        ("UPDATE entities SET library_id = 'gone'", "entities: foreign-key violation in row 1"),
        ("UPDATE libraries SET dimension = 4", "'c1' in 'lib' has 12 bytes, not the 16 of its"),
        ("UPDATE libraries SET dimension = 4", "chunks: 20 more embeddings are wrong"),
        ("UPDATE libraries SET dimension = NULL", "and the library has no dimension"),
        (
            "UPDATE chunks SET document_id = 'gone' WHERE id = 'c1'",
            "chunks: foreign-key violation in row 2",
        ),
    ],
)
def test_each_thing_that_is_wrong(data_dir: Path, sql: str, said: str) -> None:
    assert any(said in line for line in verify_after(data_dir, sql)), verify_after(
        data_dir, "SELECT 1"
    )


def test_an_embedding_that_is_not_finite(data_dir: Path) -> None:
    blob = np.array([1, np.nan, 0], "<f4").tobytes()
    problems = verify_after(data_dir, "UPDATE chunks SET embedding = ? WHERE id = 'c7'", blob)
    assert problems[0] == "chunks: the embedding of 'c7' in 'lib' is not finite"


def test_history_of_positions_that_can_t_be(case: Case) -> None:
    case.write(5)
    case.back_up()
    case.write(20)
    problems = verify_after(
        case.data_dir, "UPDATE chunks_history SET until = version WHERE rowid = 1"
    )
    assert problems == ["chunks_history: 1 rows with positions that can't be"]


def test_a_record_that_cannot_be_indexed(data_dir: Path) -> None:
    problems = verify_after(data_dir, "UPDATE libraries SET metric = 'near'")
    assert problems == ["index: the record can't be read: 'near' is not a valid Metric"]


def test_damaged_pages(data_dir: Path) -> None:
    path = data_dir / DATABASE_NAME
    content = bytearray(path.read_bytes())
    for place in range(5 * 4096, len(content), 4096):
        content[place : place + 64] = b"\xff" * 64
    path.write_bytes(content)
    assert list(database.problems(SqliteEngine(data_dir)))


def test_no_database(tmp_path: Path) -> None:
    assert list(database.problems(SqliteEngine(tmp_path))) == [
        f"{tmp_path / DATABASE_NAME}: The file is missing."
    ]
    (tmp_path / DATABASE_NAME).write_text("nothing of SQLite's, and long enough to be sure" * 30)
    (problem,) = database.problems(SqliteEngine(tmp_path))
    assert "not a SQLite database" in problem


def test_a_database_of_an_earlier_format(data_dir: Path) -> None:
    older = len(MIGRATIONS) - 1
    (problem,) = verify_after(data_dir, f"PRAGMA user_version = {older}")
    assert problem == (
        f"{data_dir / DATABASE_NAME}: It has format {older}, and this program's is"
        f" {len(MIGRATIONS)}: start the server once."
    )


def test_a_check_that_fails_does_not_stop_the_next(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: database.Subject) -> object:
        raise apsw.CorruptError("torn")

    checks = [
        ("first", fails),
        ("second", lambda subject: iter([f"at {subject.snapshot.position}"])),
    ]
    monkeypatch.setattr(database, "CHECKS", checks)
    assert list(database.problems(SqliteEngine(data_dir))) == [
        "The database is damaged: torn",
        "at 2",
    ]


LIBRARY, DOCUMENT = a_library(), a_document()
OTHER_TEXT = [a_row("c3", text="another")]
OTHER_VECTOR = [replace(a_row("c3"), embedding=np.array([9, 9, 9], np.float32))]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (LibraryPut(a_library(description="x")), "the library is not as it is on record"),
        (DocumentPut(a_document(title="x")), "document 'doc' is not as it is on record"),
        (DocumentPut(a_document("third")), "it has 3 documents, and the record 2"),
        (ChunksPut("lib", OTHER_TEXT), "chunk 'c3' is not as it is on record"),
        (ChunksPut("lib", OTHER_VECTOR), "the embedding of chunk 'c3' is not as it is on record"),
        (ChunksPut("lib", [a_row("new")]), f"it has {ROWS + 1} chunks, and the record {ROWS}"),
        (ChunksDeleted("lib", ["c3"]), "chunk 'c3' is missing"),
        (LibraryDeleted("lib"), "index: library 'lib' is in the record alone"),
        (LibraryPut(a_library("more")), "index: library 'more' is in the index alone"),
    ],
)
def test_an_index_that_differs(data_dir: Path, change: object, said: str) -> None:
    store = SqliteStore(data_dir)
    with store.read() as snapshot:
        catalog = Catalog.load(snapshot)
        catalog._state = catalog.state.after(change)  # type: ignore[arg-type]  # one of them
        problems = list(index.problems(snapshot, catalog, full=True))
        assert any(said in line for line in problems), problems
        catalog.apply(3, [])
        assert list(index.problems(snapshot, catalog, full=True)) == [
            "index: it is at position 3, the record at 2"
        ]
    store.close()


def test_a_search_that_misses_the_nearest(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Nearest.scores
    monkeypatch.setattr(Nearest, "scores", lambda self: honest(self) + 0.01)
    problems = list(database.problems(SqliteEngine(data_dir)))
    assert set(problems) == {
        "index of 'name of lib': an exact search has missed a chunk that is nearer"
    }


@pytest.fixture
def with_checkpoint(tmp_path: Path) -> Path:
    """Return a data directory with a checkpoint and later writes."""
    with open_core(Settings(data_dir=tmp_path, provider="local")) as core:
        library = core.libraries.create(LibraryDraft("l", dimension=3)).value
        rows = np.random.default_rng(1).normal(size=(1_500, 3)).astype(np.float32)
        drafts = [ChunkDraft(f"text {i}", f"c{i}", row) for i, row in enumerate(rows)]
        document = core.documents.create(library.id, DocumentDraft()).value
        for start in range(0, len(drafts), 500):
            core.chunks.add(library.id, document.id, drafts[start : start + 500])
        core.builder.wait_until_idle(BUILT_S)
        core.checkpoints.make()
        core.chunks.delete(library.id, "c7")
        core.chunks.put(library.id, "c8", document.id, ChunkDraft("x", None, rows[0]))
        assert (
            list(database.problems(SqliteEngine(tmp_path), full=True)) == []
        )  # while it holds the directory
    return tmp_path


def test_the_index_is_checked_as_a_start_would_make_it(with_checkpoint: Path) -> None:
    assert list(database.problems(SqliteEngine(with_checkpoint), full=True)) == []
    files = sorted((with_checkpoint / DIRECTORY).iterdir())
    before = [(path.name, path.read_bytes()) for path in files]
    vectors = max(files, key=lambda path: path.stat().st_size)
    content = bytearray(vectors.read_bytes())
    content[len(content) // 2] ^= 1
    vectors.write_bytes(content)
    (problem,) = database.problems(SqliteEngine(with_checkpoint))
    assert problem.startswith(f"checkpoints: {vectors.name}: ")
    after = sorted((with_checkpoint / DIRECTORY).iterdir())
    assert [path.name for path in after] == [name for name, _ in before]  # verification only reads


def test_checkpoints_of_another_record(with_checkpoint: Path) -> None:
    connection = apsw.Connection(str(with_checkpoint / DATABASE_NAME))
    connection.execute("UPDATE log SET at = '2001-01-01T00:00:00.000000+00:00'")
    connection.close()
    problems = list(database.problems(SqliteEngine(with_checkpoint)))
    checkpoints = [line for line in problems if not line.startswith("log: the hash of entry")]
    assert len(problems) > len(checkpoints) > 0
    assert all("The record's log does not have its position" in line for line in checkpoints)


def test_a_database_of_postgresql(postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=SecretStr(postgres_url), data_dir=tmp_path, provider="local")
    with open_core(settings) as core:
        core.libraries.create(LibraryDraft("l", dimension=1))
        drafts = [ChunkDraft(f"t{i}", f"c{i}", np.ones(1, np.float32)) for i in range(3)]
        core.documents.create("l", DocumentDraft(chunks=drafts))
    assert list(database.problems(PostgresEngine(postgres_url, tmp_path), full=True)) == []
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE chunks SET version = 9 WHERE id = 'c1'")
        connection.execute("UPDATE chunks SET embedding = '\\x00' WHERE id = 'c2'")
        connection.execute("DELETE FROM log WHERE position = 2")
    problems = list(database.problems(PostgresEngine(postgres_url, tmp_path / "other")))
    assert "log: it ends at 1, and the database is at position 2" in problems
    assert "chunk 'c1' has the version 9, after the database's position" in problems
    assert "record: the record can't be read: buffer size must be a multiple" in problems[2]


def test_no_database_of_postgresql(postgres_url: str, tmp_path: Path) -> None:
    (problem,) = database.problems(PostgresEngine(postgres_url, tmp_path))
    assert "There is no database of Nalanda's" in problem


@pytest.mark.parametrize("metric", Metric)
def test_the_nearest_of_all_that_passed(metric: Metric) -> None:
    random = np.random.default_rng(1)
    rows = random.normal(size=(2_500, 5)).astype(np.float32)
    rows[7] = 0
    queries = random.normal(size=(3, 5)).astype(np.float32)
    nearest = Nearest(queries, metric, 10)
    for row in rows:
        nearest.take(row)
    every = reference_scores(rows, queries, metric).T
    np.testing.assert_allclose(nearest.scores(), -np.sort(-every, axis=1)[:, :10])
