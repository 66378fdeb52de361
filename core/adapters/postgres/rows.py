"""Asking PostgreSQL: rows out."""

from collections.abc import Sequence
from typing import Any, LiteralString, TypeAlias

import psycopg

from core.adapters.rows import Row

Connection: TypeAlias = psycopg.Connection[Row]


def fetch(connection: Connection, statement: LiteralString, *bindings: Any) -> list[Row]:
    """All rows; in the binary form, in which vectors are half as long."""
    return connection.execute(statement, bindings, binary=True).fetchall()


def fetch_last(connection: Connection, statements: bytes, *bindings: Any) -> list[Row]:
    """Several statements in one round trip; the rows of the last one, if it has any."""
    cursor = psycopg.ClientCursor(connection)  # only without bindings may they be several
    cursor.execute(statements, bindings or None)
    while cursor.nextset():
        pass
    return cursor.fetchall() if cursor.description else []


def columns_of(rows: Sequence[Row]) -> list[list[Any]]:
    """For `unnest`, which takes each column as one array."""
    return [list(column) for column in zip(*rows, strict=True)]
