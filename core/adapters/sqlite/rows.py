"""Asking SQLite: rows out, and many ids in."""

import json
from collections.abc import Sequence

import apsw

from core.adapters.rows import Row


def fetch(connection: apsw.Connection, sql: str, *bindings: str | int | None) -> list[Row]:
    """All rows at once: a cursor left open would hold the transaction open as well."""
    return connection.execute(sql, bindings).fetchall()


def to_id_list(ids: Sequence[str]) -> str:
    """For `json_each`, which takes any number of them in one binding."""
    return json.dumps(list(ids))
