"""Checks of a database file: pages, references, log, versions, JSON, vectors."""

from collections.abc import Iterator

import apsw
import numpy as np

from core.adapters.sqlite.connections.rows import fetch
from core.ports.backups import APPENDED, VERSIONED

_MAX_NAMED = 20
"""The most rows of one kind that are named; the rest are counted."""

_JSON = {
    "libraries": ("id", ("metadata", "metadata_schema", '"index"')),
    "documents": ("id", ("metadata",)),
    "chunks": ("id", ("metadata",)),
    "entities": ("id", ("body",)),
    "log": ("position", ("changes",)),
    "replays": ("key", ("headers",)),
}
_VERSIONS = (
    *(table.name for table in VERSIONED),
    *(name for name, column in APPENDED.items() if column == "version"),
)
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table'"
_LOG_GAPS = """
SELECT position + 1, next - 1 FROM (
    SELECT position, lead(position) OVER (ORDER BY position) AS next FROM log
) WHERE next > position + 1
"""
_LENGTHS = """
SELECT chunks.library_id, chunks.id, length(embedding), dimension
FROM chunks JOIN libraries ON libraries.id = chunks.library_id
WHERE dimension IS NULL OR length(embedding) <> 4 * dimension
"""
_EMBEDDINGS = "SELECT library_id, id, embedding FROM chunks"


def problems(connection: apsw.Connection) -> Iterator[str]:
    """Yield one line for each problem; `connection` must be in a read transaction.

    The file may be of an earlier format, without the newest tables.
    """
    yield from _pages(connection)
    yield from _references(connection)
    yield from _log(connection)
    tables = {row[0] for row in fetch(connection, _TABLES)}
    yield from _versions(connection, tables)
    yield from _json(connection, tables)
    yield from _first_lines(_embeddings(connection))


def _pages(connection: apsw.Connection) -> Iterator[str]:
    for line, *_ in fetch(connection, "PRAGMA integrity_check"):
        if line != "ok":
            yield f"SQLite: {line}"


def _references(connection: apsw.Connection) -> Iterator[str]:
    for table, row, parent, *_ in fetch(connection, "PRAGMA foreign_key_check"):
        yield f"{table}: foreign-key violation in row {row}, which has no parent in {parent}"


def _log(connection: apsw.Connection) -> Iterator[str]:
    ((position, last),) = fetch(
        connection, "SELECT position, (SELECT coalesce(max(position), 0) FROM log) FROM cluster"
    )
    if last != position:
        yield f"log: it ends at {last}, and the database is at position {position}"
    for first, last in fetch(connection, _LOG_GAPS):
        yield f"log: positions {first} to {last} are missing"


def _versions(connection: apsw.Connection, tables: set[str]) -> Iterator[str]:
    beyond = "version > (SELECT position FROM cluster)"
    for table in filter(tables.__contains__, _VERSIONS):
        yield from _count_violations(
            connection, table, beyond, "a version after the database's position"
        )
    outside = "version >= until OR until > (SELECT position FROM cluster)"
    histories = (f"{versioned.name}_history" for versioned in VERSIONED)
    for name in filter(tables.__contains__, histories):
        yield from _count_violations(connection, name, outside, "positions that can't be")


def _count_violations(
    connection: apsw.Connection, table: str, condition: str, what: str
) -> Iterator[str]:
    sql = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608  # names of our own
    ((count,),) = fetch(connection, sql)
    if count:
        yield f"{table}: {count} rows with {what}"


def _json(connection: apsw.Connection, tables: set[str]) -> Iterator[str]:
    for table, (key, columns) in _JSON.items():
        for column in columns if table in tables else ():
            sql = (
                f"SELECT {key} FROM {table}"  # noqa: S608  # names of our own
                f" WHERE {column} IS NOT NULL AND NOT json_valid({column})"
            )
            for row_key, *_ in fetch(connection, sql)[:_MAX_NAMED]:
                yield f"{table}: {column} of {row_key!r} is no JSON"


def _embeddings(connection: apsw.Connection) -> Iterator[str]:
    for library_id, chunk_id, size_bytes, dimension in connection.execute(_LENGTHS):
        where = f"chunks: the embedding of {chunk_id!r} in {library_id!r}"
        if dimension is None:
            yield f"{where} is there, and the library has no dimension"
        else:
            yield f"{where} has {size_bytes} bytes, not the {4 * dimension} of its dimension"
    for library_id, chunk_id, embedding in connection.execute(_EMBEDDINGS):
        numbers = np.frombuffer(embedding, "<f4", count=len(embedding) // 4)
        if not np.isfinite(numbers).all():
            yield f"chunks: the embedding of {chunk_id!r} in {library_id!r} is not finite"


def _first_lines(lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == _MAX_NAMED:
            yield f"chunks: {1 + sum(1 for _ in lines)} more embeddings are wrong"
            return
        yield line
