"""Asking SQLite: rows out."""

import apsw

from core.adapters.rows import Row


def fetch(connection: apsw.Connection, sql: str, *bindings: str | int | None) -> list[Row]:
    """All rows at once: a cursor left open would hold the transaction open as well."""
    return connection.execute(sql, bindings).fetchall()
