"""Runs statements on PostgreSQL and returns their rows."""

from collections.abc import Sequence
from typing import Any, LiteralString, TypeAlias

import psycopg

from core.adapters.sql.columns import Row

Connection: TypeAlias = psycopg.Connection[Row]


def fetch(connection: Connection, statement: LiteralString, *bindings: Any) -> list[Row]:
    """Return all rows, sent in the binary form, in which vectors are half as long."""
    return connection.execute(statement, bindings, binary=True).fetchall()


def fetch_last(connection: Connection, statements: bytes, *bindings: Any) -> list[Row]:
    """Run several statements in one round trip; return the rows of the last one, if any."""
    cursor = psycopg.ClientCursor(connection)  # server-side binding takes one statement only
    cursor.execute(statements, bindings or None)
    while cursor.nextset():
        pass
    return cursor.fetchall() if cursor.description else []


def columns_of(rows: Sequence[Row]) -> list[list[Any]]:
    """Return the rows as columns, for `unnest`, which takes each column as one array."""
    return [list(column) for column in zip(*rows, strict=True)]
