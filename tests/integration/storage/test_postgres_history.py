"""PostgreSQL's history of deleted rows, for backups."""

from typing import Any

import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from tests.samples import a_document, a_library, a_row


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def keeping(postgres_store: PostgresStore, postgres_url: str) -> PostgresStore:
    """Return a store at position 1 with two chunks."""
    with postgres_store.write() as unit:
        unit.libraries.put(a_library())
        unit.documents.put(a_document())
        unit.chunks.put("lib", [a_row("a"), a_row("b")])
        unit.commit()
    execute(postgres_url, "UPDATE cluster SET keeps_history = true, history_from = position")
    return postgres_store


def test_nothing_is_kept_before_it_is_asked_for(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    for _ in range(2):
        with postgres_store.write() as unit:
            unit.libraries.put(a_library(version=unit.position))
            unit.commit()
    assert execute(postgres_url, "SELECT * FROM libraries_history") == []


def test_rows_that_are_replaced_are_kept_as_they_were(
    keeping: PostgresStore, postgres_url: str
) -> None:
    with keeping.write() as unit:
        unit.libraries.put(a_library(name="new", version=2))
        unit.documents.put(a_document(title="new", version=2))
        unit.chunks.put("lib", [a_row("b", text="new", version=2), a_row("c", version=2)])
        unit.chunks.put("lib", [a_row("b", text="newer", version=2)])
        unit.commit()
    query = "SELECT name, version, until FROM libraries_history"
    assert execute(postgres_url, query) == [("name of lib", 1, 2)]
    query = "SELECT id, title, version, until FROM documents_history"
    assert execute(postgres_url, query) == [("doc", None, 1, 2)]
    query = "SELECT id, text, version, embedding, until FROM chunks_history"
    assert execute(postgres_url, query) == [
        ("b", "text of b", 1, a_row("b").embedding.tobytes(), 2)
    ]


def test_rows_that_are_deleted_are_kept_with_all_below_them(
    keeping: PostgresStore, postgres_url: str
) -> None:
    with keeping.write() as unit:
        unit.chunks.delete("lib", ["a"])
        unit.commit()
    with keeping.write() as unit:
        unit.libraries.delete("lib")
        unit.commit()
    query = "SELECT id, until FROM chunks_history ORDER BY until"
    assert execute(postgres_url, query) == [("a", 2), ("b", 3)]
    assert execute(postgres_url, "SELECT id, until FROM documents_history") == [("doc", 3)]
    assert execute(postgres_url, "SELECT id, until FROM libraries_history") == [("lib", 3)]


def test_the_log_is_kept_from_the_oldest_backup_on(
    postgres_store: PostgresStore, postgres_url: str
) -> None:
    for _ in range(4):
        with postgres_store.write() as unit:
            unit.commit()
    execute(postgres_url, "INSERT INTO backups VALUES ('a', 3, now()), ('b', 4, now())")
    assert postgres_store.trim_log(10) == 2
    execute(postgres_url, "DELETE FROM backups")
    assert postgres_store.trim_log(10) == 1
