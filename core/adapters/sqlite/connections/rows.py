"""Runs statements on SQLite and returns their rows."""

import apsw

from core.adapters.sql.columns import Row


def fetch(connection: apsw.Connection, sql: str, *bindings: str | int | None) -> list[Row]:
    """Return all rows; an open cursor would keep the transaction open."""
    return connection.execute(sql, bindings).fetchall()
