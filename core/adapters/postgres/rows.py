"""Asking PostgreSQL: rows out."""

from collections.abc import Sequence
from typing import Any, LiteralString, TypeAlias

import psycopg

from core.adapters.rows import Row

Connection: TypeAlias = psycopg.Connection[Row]


def fetch(connection: Connection, statement: LiteralString, *bindings: Any) -> list[Row]:
    """All rows; in the binary form, in which vectors are half as long."""
    return connection.execute(statement, bindings, binary=True).fetchall()


def columns_of(rows: Sequence[Row]) -> list[list[Any]]:
    """For `unnest`, which takes each column as one array."""
    return [list(column) for column in zip(*rows, strict=True)]
